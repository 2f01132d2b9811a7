//! How many calls a second are checked, on one core: `cargo bench -p sim`.
//!
//! Each line is one kind of program: a ring of blocking calls, a halo exchange of nonblocking ones, reductions, and a master that receives
//! from anyone. The time is the processor's, of `sim::check` as a whole, which runs each program twice: as recorded, and without buffering.

use sim::Options;
use traces::constant::{ANY_SOURCE, COMM_WORLD, FIRST_MADE};
use traces::{Function, Trace, TraceBuilder, Value, mpi};

const INT: i64 = 0x209;

fn main() {
    for (name, trace) in [
        ("ring, 64 ranks", ring(64, 20_000)),
        ("halo, 64 ranks", halo(8, 3_000)),
        ("halo, 1024 ranks", halo(32, 200)),
        ("allreduce, 64 ranks", allreduce(64, 30_000)),
        ("master and workers, 64 ranks", master(64, 10_000)),
    ] {
        let calls = trace.event_count();
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let start = cpu_seconds();
            let report = sim::check(&trace, &Options::default());
            best = best.min(cpu_seconds() - start);
            assert!(report.findings.iter().all(|f| f.severity < sim::Severity::Error), "{:?}", report.findings);
        }
        println!(
            "{name:30} {calls:>10} calls  {:6.1} million calls/s  {:5.0} ns/call",
            calls as f64 / best / 1e6,
            best * 1e9 / calls as f64
        );
    }
}

/// What this process has computed so far: on a machine that is busy with other things, more honest than the time of day.
fn cpu_seconds() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = schedstat.split(' ').next().and_then(|n| n.parse().ok()).expect("Linux counts the time of a process");
    nanoseconds / 1e9
}

/// A run whose calls repeat, pushed by number.
struct Job {
    builder: TraceBuilder,
}

impl Job {
    fn new(ranks: usize) -> Job {
        Job { builder: TraceBuilder::with_ranks(u32::try_from(ranks).expect("few ranks")) }
    }

    fn call(&mut self, rank: usize, line: u64, function: Function, arguments: &[(&str, i64)], results: &[(&str, Value)]) {
        let arguments: Vec<(&str, Value)> = arguments.iter().map(|(name, value)| (*name, Value::Int(*value))).collect();
        self.builder.push(rank, function, line, &arguments, Some(results));
    }

    fn transfer(&mut self, rank: usize, function: Function, peer: (&str, i64), results: &[(&str, Value)]) {
        let arguments = [("count", 1), ("datatype", INT), peer, ("tag", 0), ("comm", COMM_WORLD)];
        self.call(rank, 1, function, &arguments, results);
    }

    fn finish(mut self, ranks: usize) -> Trace {
        for rank in 0..ranks {
            self.call(rank, 9, mpi::FINALIZE, &[], &[]);
        }
        self.builder.finish()
    }
}

fn status(source: i64) -> Value {
    Value::Ints([source, 0, 4, 0].into())
}

fn ring(ranks: usize, rounds: usize) -> Trace {
    let mut job = Job::new(ranks);
    for rank in 0..ranks {
        let (next, last) = (((rank + 1) % ranks) as i64, ((rank + ranks - 1) % ranks) as i64);
        for _ in 0..rounds {
            let send = |job: &mut Job| job.transfer(rank, mpi::SEND, ("dest", next), &[]);
            if rank == 0 {
                send(&mut job);
            }
            job.transfer(rank, mpi::RECV, ("source", last), &[("status", status(last))]);
            if rank != 0 {
                send(&mut job);
            }
        }
    }
    job.finish(ranks)
}

fn halo(side: usize, rounds: usize) -> Trace {
    let ranks = side * side;
    let mut job = Job::new(ranks);
    for rank in 0..ranks {
        let (x, y) = (rank % side, rank / side);
        let at = |x: usize, y: usize| ((x % side) + (y % side) * side) as i64;
        let neighbours = [at(x + 1, y), at(x + side - 1, y), at(x, y + 1), at(x, y + side - 1)];
        for _ in 0..rounds {
            for (slot, peer) in (0..).zip(neighbours) {
                job.transfer(rank, mpi::IRECV, ("source", peer), &[("request", Value::Int(FIRST_MADE + slot))]);
            }
            for (slot, peer) in (4..).zip(neighbours) {
                job.transfer(rank, mpi::ISEND, ("dest", peer), &[("request", Value::Int(FIRST_MADE + slot))]);
            }
            let requests = Value::Ints((FIRST_MADE..FIRST_MADE + 8).collect());
            job.builder.push(rank, mpi::WAITALL, 3, &[("count", Value::Int(8)), ("array_of_requests", requests)], Some(&[]));
        }
    }
    job.finish(ranks)
}

fn allreduce(ranks: usize, rounds: usize) -> Trace {
    let mut job = Job::new(ranks);
    let arguments = [("count", 1), ("datatype", INT), ("op", 0x21), ("comm", COMM_WORLD)];
    for rank in 0..ranks {
        for _ in 0..rounds {
            job.call(rank, 1, mpi::ALLREDUCE, &arguments, &[]);
        }
    }
    job.finish(ranks)
}

fn master(ranks: usize, rounds: usize) -> Trace {
    let mut job = Job::new(ranks);
    for _ in 0..rounds {
        for worker in 1..ranks {
            let worker = worker as i64;
            job.transfer(0, mpi::RECV, ("source", ANY_SOURCE), &[("status", status(worker))]);
            job.transfer(0, mpi::SEND, ("dest", worker), &[]);
        }
    }
    for worker in 1..ranks {
        for _ in 0..rounds {
            job.transfer(worker, mpi::SEND, ("dest", 0), &[]);
            job.transfer(worker, mpi::RECV, ("source", 0), &[("status", status(0))]);
        }
    }
    job.finish(ranks)
}
