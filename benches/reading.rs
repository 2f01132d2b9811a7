//! How fast a trace is joined of its segments, read and simulated, in calls a second on one core.
//!
//! The trace is a halo exchange of four ranks, made here, so that no MPI is needed. Run it by `cargo bench --bench reading`. Processor time
//! is measured, and not that of the clock, as far as the kernel tells it: others may use the machine.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::path::Path;

use tempfile::TempDir;
use traces::call::Value;
use traces::chunk::body_of;
use traces::record::{Clock, ProcessRecord, Record};
use traces::segment::{RING_BYTES, Recording};
use traces::{Trace, TraceBuilder, constant, mpi};

/// Calls of a chunk, about as many as a ring holds.
const CHUNK_EVENTS: usize = 16 << 10;

/// How often each is measured; the best counts, as everything that disturbs makes it slower.
const RUNS: usize = 7;
const RANKS: u32 = 4;
const STEPS: usize = 100_000;
const MPI_DOUBLE: &str = "MPI_DOUBLE";

fn main() {
    let trace = halo();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reading.msgpack");
    traces::write(&path, &trace).expect("the trace can be written");
    let bytes = std::fs::metadata(&path).expect("it is there").len();
    let calls = trace.event_count() as f64;
    println!("halo exchange, {RANKS} ranks, {calls} calls, {:.2} bytes a call; best of {RUNS}", bytes as f64 / calls);
    let rate = |name: &str, seconds: f64| println!("{name:10}{:>8.1} million calls a second", calls / seconds / 1e6);
    let segments = segments(&trace);
    rate("join", best(|| traces::join(segments.path(), &path).expect("there are segments").calls));
    rate("read", best(|| traces::open(&path).expect("the trace can be read").event_count()));
    rate("check", best(|| sim::check(&trace, &sim::Options::default()).calls));
}

fn best<T>(mut work: impl FnMut() -> T) -> f64 {
    let seconds = (0..RUNS).map(|_| {
        let start = processor_time_s();
        black_box(work());
        processor_time_s() - start
    });
    seconds.fold(f64::INFINITY, f64::min)
}

/// The processor time of this process so far, in the kernel as well.
fn processor_time_s() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("Linux has it");
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("the first number is the time in ns") / 1e9
}

/// The trace as the ranks have left it: what is packed, and an empty ring each.
fn segments(trace: &Trace) -> TempDir {
    let home = tempfile::tempdir().expect("a temporary directory");
    for (rank, lane) in (0..).zip(&trace.lanes) {
        let process =
            ProcessRecord { rank: Some(rank), pid: rank, world_size: RANKS, clock: Clock::NANOSECONDS, ..Default::default() };
        let chunks = (0..lane.events.len()).step_by(CHUNK_EVENTS).filter_map(|start| {
            let events = start..lane.events.len().min(start + CHUNK_EVENTS);
            body_of(trace, lane, events).pack(0, 0)
        });
        let bytes: Vec<u8> = chunks.flat_map(|chunk| Record::Chunk(chunk).to_bytes()).collect();
        let recording = Recording::begin_in(vec![0; RING_BYTES], 0, &process).expect("the memory is a ring's");
        let file = |extension: &str| home.path().join(format!("{rank}.{extension}"));
        std::fs::write(file("chunks"), bytes).expect("a new file");
        std::fs::write(file("ring"), recording.into_memory()).expect("a new file");
    }
    home
}

fn halo() -> Trace {
    let mut builder = TraceBuilder::with_ranks(RANKS);
    for lane in 0..RANKS as usize {
        builder.push(lane, mpi::INIT, 1, &[], Some(&[]));
        for _ in 0..STEPS {
            step(&mut builder, lane);
        }
        builder.push(lane, mpi::FINALIZE, 2, &[], Some(&[]));
    }
    builder.finish()
}

/// Receives from both neighbours, sends to both, and waits for all.
fn step(builder: &mut TraceBuilder, lane: usize) {
    let (rank, ranks) = (lane as i64, i64::from(RANKS));
    let neighbours = [(rank + ranks - 1) % ranks, (rank + 1) % ranks];
    let double = constant::all().iter().find(|c| c.name == MPI_DOUBLE).expect("a predefined type").value;
    let requests: Vec<i64> = (constant::FIRST_MADE..).take(4).collect();
    let start = |builder: &mut TraceBuilder, function: traces::Function, partner: &str, to: i64, tag: i64, request: usize| {
        let arguments = [
            ("buf", Value::Int(0x1000)),
            ("count", Value::Int(100)),
            ("datatype", Value::Int(double)),
            (partner, Value::Int(to)),
            ("tag", Value::Int(tag)),
            ("comm", Value::Int(constant::COMM_WORLD)),
        ];
        builder.push(lane, function, 10 + request as u64, &arguments, Some(&[("request", Value::Int(requests[request]))]));
    };
    for (side, neighbour) in neighbours.into_iter().enumerate() {
        start(builder, mpi::IRECV, "source", neighbour, side as i64, side);
    }
    for (side, neighbour) in neighbours.into_iter().rev().enumerate() {
        start(builder, mpi::ISEND, "dest", neighbour, side as i64, 2 + side);
    }
    let statuses = [neighbours[0], 0, 800, 0, neighbours[1], 1, 800, 0];
    let undefined = [constant::UNDEFINED, 0, 0, 0].repeat(2);
    let statuses: Vec<i64> = statuses.into_iter().chain(undefined).collect();
    let arguments = [("count", Value::Int(4)), ("array_of_requests", Value::Ints(requests.clone().into()))];
    builder.push(lane, mpi::WAITALL, 20, &arguments, Some(&[("array_of_statuses", Value::Ints(statuses.into()))]));
}
