//! Laws of the trace file: what is written is read, and whatever bytes come instead are an error or a damaged trace, never a panic.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use traces::chunk::{Entry, write_call, write_outcome};
use traces::payload::{Keep, whole_digest};
use traces::record::{Clock, ProcessRecord, Record};
use traces::segment::{RING_BYTES, Recording};
use traces::store::{Contents, PIECE_BYTES, Packer};
use traces::{Call, Ending, Error, Event, Frame, FrameId, Function, Object, Outcome, Site, Trace, TraceBuilder, Value, mpi};

/// A trace of two ranks with a send, a receive, and a call that never returned.
fn sample() -> Trace {
    let mut b = TraceBuilder::with_ranks(2);
    let to = [("count", Value::Int(4)), ("datatype", Value::Int(0x209)), ("dest", Value::Int(1)), ("tag", Value::Int(7))];
    b.push(0, mpi::SEND, 41, &to, Some(&[]));
    let from = [("count", Value::Int(4)), ("datatype", Value::Int(0x209)), ("source", Value::Int(-1)), ("tag", Value::Int(-2))];
    let status = Value::Ints(Box::new([0, 7, 16, 0]));
    b.push(1, mpi::RECV, 52, &from, Some(&[("status", status)]));
    b.push(1, mpi::BARRIER, 53, &[("comm", Value::Int(0x101))], None);
    b.finish()
}

fn written(trace: &Trace) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.msgpack");
    traces::write(&path, trace).unwrap();
    (dir, path)
}

#[test]
fn what_is_written_is_read() {
    let (_dir, path) = written(&sample());
    let read = traces::open(&path).unwrap();
    assert_eq!(read.damage, [] as [&str; 0]);
    assert_eq!((read.world_size, read.event_count()), (2, 3));
    let event = read.lanes[1].events[0];
    assert_eq!(
        read.call(event.call).to_text(),
        "MPI_Recv(buf=-, count=4, datatype=MPI_INT, source=MPI_ANY_SOURCE, tag=MPI_ANY_TAG, comm=-)"
    );
    let status = read.outcome(event.outcome.unwrap()).statuses(mpi::RECV).next().unwrap();
    assert_eq!((status.source, status.tag, status.bytes), (0, 7, 16));
    assert_eq!(read.lanes[1].events[1].outcome, None);
}

/// A rank whose program switches the recording off and, with these words, on again.
fn switched(function: Function, words: &[u64]) -> Trace {
    let mut builder = TraceBuilder::with_ranks(1);
    for (function, words) in [(mpi::PCONTROL, &[1][..]), (function, words)] {
        let values: Box<[Value]> = function.parameters().iter().map(|_| Value::Nil).collect();
        let call = builder.call(Call { function, site: None, caller: None, arguments: values.clone() });
        let outcome = Some(builder.outcome(Outcome { code: 0, results: values }));
        builder.event(0, Event { call, outcome, start_ns: 0, duration_ns: 1, words_at: 0, words_len: 0 }, words);
    }
    builder.finish()
}

#[test]
fn what_was_left_out_is_counted_where_the_recorder_has() {
    let told = |trace: &Trace| {
        let (_home, path) = written(trace);
        traces::open(&path).unwrap().damage
    };
    let text = "the program switched the recording of rank 0 off for a time, by MPI_Pcontrol";
    assert_eq!(told(&switched(mpi::PCONTROL, &[0, 7])), [format!("{text}: 7 calls are missing")]);
    assert_eq!(told(&switched(mpi::FINALIZE, &[9])), [format!("{text}: 9 calls are missing")]);
    assert_eq!(told(&switched(mpi::PCONTROL, &[0])), [text], "an older recorder did not count");
    assert_eq!(told(&switched(mpi::PCONTROL, &[])), [text], "it is still off");
}

#[test]
fn ranks_are_counted_through_the_worlds() {
    let world = |pid: u32, rank: u32, world: u32, first_ns: u64| {
        let clock = Clock { first_ns, ..Clock::default() };
        ProcessRecord { rank: Some(rank), world_size: 2, world, pid, clock, ..ProcessRecord::default() }
    };
    // The processes of each world began before those of the one above.
    let records =
        [world(1, 0, 9, 30), world(2, 1, 9, 40), world(3, 0, 7, 10), world(4, 1, 7, 50), world(5, 1, 0, 60), world(6, 0, 0, 70)];
    let dir = tempfile::tempdir().unwrap();
    let parts = dir.path().join("parts");
    fs::create_dir(&parts).unwrap();
    for record in &records {
        let mut memory = vec![0; RING_BYTES];
        Recording::begin_in(&mut memory[..], 0, record).unwrap();
        fs::write(parts.join(format!("{}.ring", record.pid)), memory).unwrap();
    }
    let path = dir.path().join("trace.msgpack");
    traces::join(&parts, &path).unwrap();
    let trace = traces::open(&path).unwrap();
    let pids: Vec<u32> = trace.processes.iter().map(|process| process.pid).collect();
    assert_eq!((trace.world_size, pids), (6, vec![6, 5, 3, 4, 1, 2]));
    assert_eq!(trace.processes.iter().map(|process| process.rank).collect::<Vec<_>>(), (0..6).map(Some).collect::<Vec<_>>());
    let named = |world: i64, rank: i64| trace.rank_of(world << 32 | rank);
    assert_eq!([named(0, 1), named(7, 0), named(9, 1), named(8, 0), trace.rank_of(-1)], [1, 2, 5, -1, -1]);
    assert_eq!([trace.world_of(1), trace.world_of(3), trace.world_of(5)], [0..2, 2..4, 4..6]);
    // A trace that is written again is the same.
    traces::write(&path, &trace).unwrap();
    let again = traces::open(&path).unwrap();
    assert_eq!((again.world_size, &again.spawned), (6, &trace.spawned));
    assert_eq!(again.processes, trace.processes);
}

#[test]
fn a_file_cut_anywhere_is_read_up_to_the_cut_or_refused_by_name() {
    let (dir, path) = written(&sample());
    let whole = fs::read(&path).unwrap();
    let cut = dir.path().join("cut.msgpack");
    for len in 0..whole.len() - 9 {
        fs::write(&cut, &whole[..len]).unwrap();
        match traces::open(&cut) {
            Ok(trace) => assert!(trace.damage[0].contains("cut.msgpack: at byte "), "{:?}", trace.damage),
            Err(error) => assert!(error.to_string().contains("cut.msgpack: at byte "), "{error}"),
        }
    }
}

#[test]
fn a_bit_that_flips_in_a_chunk_is_damage_and_never_another_call() {
    let (dir, path) = written(&sample());
    let whole = fs::read(&path).unwrap();
    let find = |what: &[u8]| whole.windows(what.len()).rposition(|w| w == what).unwrap();
    let body = find(&[0x28, 0xb5, 0x2f, 0xfd])..find(b"\x81\xa5index");
    let changed = dir.path().join("changed.msgpack");
    for at in body.clone() {
        let mut bytes = whole.clone();
        // Of the frame's fifth byte no reader looks at bit 4, and every one at bit 3.
        let bit = if at == body.start + 4 { 3 } else { at % 8 };
        bytes[at] ^= 1 << bit;
        fs::write(&changed, &bytes).unwrap();
        let damage = traces::open(&changed).map(|trace| trace.damage).unwrap_or_default();
        assert!(damage.iter().any(|d| d.contains("at byte ")), "byte {at} of {body:?}: {damage:?}");
    }
}

#[test]
fn a_small_frame_that_claims_gigabytes_is_refused_without_taking_them() {
    let (dir, path) = written(&sample());
    let mut frame = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    let zeros = vec![0u8; 1 << 20];
    (0..300).for_each(|_| frame.write_all(&zeros).unwrap());
    let body = frame.finish().unwrap();
    assert!(body.len() < 100_000);
    let bomb = traces::record::Chunk { process: 0, thread: 0, calls: 1, first: 0, body, offset: 0 };
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.windows(7).rposition(|w| w == b"\x81\xa5index").unwrap();
    bytes.splice(end..end, traces::record::Record::Chunk(bomb).to_bytes());
    let changed = dir.path().join("changed.msgpack");
    fs::write(&changed, bytes).unwrap();
    let damage = traces::open(&changed).unwrap().damage;
    assert!(damage[0].contains("larger than any chunk"), "{damage:?}");
}

#[test]
fn what_is_no_trace_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let open = |name: &str, bytes: &[u8]| {
        fs::write(dir.path().join(name), bytes).unwrap();
        traces::open(&dir.path().join(name))
    };
    assert!(matches!(open("empty", b""), Err(Error::Empty { .. })));
    assert!(matches!(open("elf", b"\x7fELF and so on"), Err(Error::Foreign { offset: 0, .. })));
    let newer = b"\x81\xa8mpitrace\x82\xa7version\x63\xa6writer\xa0";
    assert!(matches!(open("newer", newer), Err(Error::TooNew { found: 99, known: traces::record::VERSION, .. })));
    assert!(matches!(traces::open(dir.path()), Err(Error::NoSegments { .. })));
    assert!(matches!(traces::open(Path::new("/nowhere/trace.msgpack")), Err(Error::Io { .. })));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(at in 0usize..400, byte: u8) {
        let (dir, path) = written(&sample());
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        let other = dir.path().join("other.msgpack");
        fs::write(&other, bytes).unwrap();
        let _ = traces::open(&other);
    }

    #[test]
    fn every_event_survives(times in prop::collection::vec((0u64..1 << 40, 0u64..1 << 30, any::<[u64; 2]>()), 1..200)) {
        let mut b = TraceBuilder::with_ranks(1);
        b.push(0, mpi::INIT, 1, &[], Some(&[]));
        let call = b.call(traces::Call { function: mpi::BARRIER, site: None, caller: None, arguments: Box::new([Value::Int(0x101)]) });
        let outcome = b.outcome(traces::Outcome::default());
        let mut start_ns = 2000;
        for (gap, duration_ns, words) in times {
            start_ns += gap;
            let event = Event { call, outcome: Some(outcome), start_ns, duration_ns, words_at: 0, words_len: 0 };
            b.event(0, event, &words);
        }
        let trace = b.finish();
        let (_dir, path) = written(&trace);
        prop_assert_eq!(traces::open(&path).unwrap(), trace);
    }
}

proptest! {
    #[test]
    fn every_call_keeps_its_stack(frames in prop::collection::vec((0u64..9, any::<prop::sample::Index>(), any::<bool>()), 1..40)) {
        let mut b = TraceBuilder::with_ranks(1);
        let object = b.object(Object { path: "program".into(), build_id: "".into() });
        let mut known: Vec<Option<FrameId>> = vec![None];
        for (offset, caller, is_method) in frames {
            let method = is_method.then(|| "Comm.bcast".into());
            let site = b.site(Site { object, offset, method });
            let caller = known[caller.index(known.len())];
            known.push(Some(b.frame(Frame { site, caller })));
            let call = b.call(traces::Call { function: mpi::INIT, site: Some(site), caller, arguments: Box::new([]) });
            b.event(0, Event { call, outcome: None, start_ns: 0, duration_ns: 0, words_at: 0, words_len: 0 }, &[]);
        }
        let trace = b.finish();
        let (_dir, path) = written(&trace);
        let read = traces::open(&path).unwrap();
        let stacks = |trace: &Trace| -> Vec<Vec<Site>> {
            let calls = trace.lanes[0].events.iter().map(|event| trace.call(event.call));
            calls.map(|call| trace.stack(call.frame().unwrap()).map(|site| trace.site(site).clone()).collect()).collect()
        };
        prop_assert_eq!(stacks(&read), stacks(&trace));
    }
}

/// Records `calls` barriers and two failed polls in a row after each, as a preload would, and returns the directory.
fn recorded(calls: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock { first_ticks: 0, first_ns: 0, last_ticks: 1000, last_ns: 500, realtime_ns: 0 };
    let process = ProcessRecord { rank: Some(0), world_size: 1, host: "h".into(), pid: 7, clock, ..ProcessRecord::default() };
    let mut recording = Recording::begin_in(vec![0; RING_BYTES], 0, &process).unwrap();
    let mut chunks = Vec::new();
    let mut now = 100;
    for n in 0..calls {
        if !recording.has_room() {
            chunks.extend(traces::record::Record::Chunk(recording.ring().chunk(0).unwrap()).to_bytes());
            recording.clear();
        }
        let call = |r: &mut Recording<Vec<u8>>, f: Function, key: u64| {
            r.intern(Entry::Call, &[1, key], |out| write_call(out, f, None, &[])).unwrap()
        };
        let barrier = call(&mut recording, mpi::BARRIER, n % 3);
        let test = call(&mut recording, mpi::TEST, 77);
        let outcome = recording.intern(Entry::Outcome, &[2], |out| write_outcome(out, 0, &[])).unwrap();
        let open = recording.begin(barrier, now);
        recording.finish(open, outcome, now + 10, &[n]);
        for poll in 0..2 {
            let open = recording.begin(test, now + 20 + poll);
            recording.finish_poll(open, outcome, now + 21 + poll);
        }
        now += 100;
    }
    let open = recording.begin(0, now);
    let _never_finished = open;
    recording.end_thread();
    recording.end(Ending::Aborted);
    let ring = recording.into_memory();
    fs::write(dir.path().join("h-7-0.ring"), ring).unwrap();
    fs::write(dir.path().join("h-7-0.chunks"), chunks).unwrap();
    dir
}

#[test]
fn segments_of_a_process_that_has_not_finalized_are_left_alone() {
    let dir = recorded(1);
    let joined = dir.path().join("joined.msgpack");
    assert_eq!(traces::join_finished(dir.path(), &joined, 1).unwrap(), None);
    assert!(!joined.exists());
}

#[test]
fn a_segment_is_read_as_it_is_and_joined_without_loss() {
    let calls = 20_000;
    let dir = recorded(calls);
    let read = traces::open(dir.path()).unwrap();
    assert_eq!(read.event_count(), calls * 2 + 1, "each pair of polls is one event");
    assert_eq!(read.processes[0].ending, Ending::Aborted);
    assert!(read.lanes[0].ended);
    let lane = &read.lanes[0];
    assert_eq!(lane.words_of(&lane.events[2 * 9999]), [9999]);
    assert_eq!(lane.words_of(&lane.events[2 * 9999 + 1]), [2], "the polls are counted");
    assert_eq!(lane.events[2].start_ns - lane.events[0].start_ns, 50, "100 ticks of half a ns");
    assert_eq!(lane.events.last().unwrap().outcome, None);
    let joined = dir.path().join("joined.msgpack");
    let summary = traces::join(dir.path(), &joined).unwrap();
    assert_eq!((summary.processes, summary.calls), (1, calls * 2 + 1));
    assert_eq!(traces::open(&joined).unwrap(), read);
}

/// The segment of a process that keeps what it receives: two contents, one of them in several pieces.
fn keeping(large: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let process = ProcessRecord { rank: Some(0), world_size: 1, payload: Keep::Full, ..ProcessRecord::default() };
    let mut memory = vec![0; RING_BYTES];
    let mut recording = Recording::begin_in(&mut memory[..], 0, &process).unwrap();
    let call = recording.intern(Entry::Call, &[1], |out| write_call(out, mpi::RECV, None, &vec![Value::Nil; 7])).unwrap();
    let outcome = recording.intern(Entry::Outcome, &[2], |out| write_outcome(out, 0, &vec![Value::Nil; 7])).unwrap();
    let (mut chunks, mut packer) = (Vec::new(), Packer::default());
    for content in [&b"small"[..], large, b"small"] {
        let digest = whole_digest(content);
        for (nth, piece) in content.chunks(PIECE_BYTES).enumerate() {
            let at = (nth * PIECE_BYTES) as u64;
            chunks.extend(Record::Payload(packer.pack(digest, content.len() as u64, at, piece)).to_bytes());
        }
        let open = recording.begin(call, 5);
        recording.finish(open, outcome, 6, &[digest]);
    }
    drop(recording);
    fs::write(dir.path().join("a.ring"), memory).unwrap();
    fs::write(dir.path().join("a.chunks"), chunks).unwrap();
    dir
}

#[test]
fn what_was_received_is_found_before_and_after_joining() {
    let large: Vec<u8> = (0..3 * PIECE_BYTES + 7).map(|i| ((i * i) >> 3) as u8).collect();
    let dir = keeping(&large);
    let file = dir.path().join("trace.msgpack");
    traces::join(dir.path(), &file).unwrap();
    for path in [dir.path(), &file] {
        let trace = traces::open(path).unwrap();
        let contents = Contents::open(path).unwrap();
        assert_eq!((trace.damage.len(), trace.event_count(), trace.processes[0].payload), (0, 3, Keep::Full));
        assert_eq!(contents.volume(), (2, large.len() as u64 + 5));
        let word = |nth: usize| trace.lanes[0].words_of(&trace.lanes[0].events[nth])[0];
        assert_eq!(contents.get(0, word(0)).as_deref(), Some(&b"small"[..]));
        assert!(contents.get(0, word(1)).is_some_and(|content| content == large));
        assert_eq!((contents.get(1, word(0)), contents.get(0, 77)), (None, None));
    }
}

#[test]
fn a_content_that_is_cut_or_damaged_is_none() {
    let large: Vec<u8> = (0..2 * PIECE_BYTES).map(|i| ((i * i) >> 3) as u8).collect();
    let dir = keeping(&large);
    let path = dir.path().join("a.chunks");
    let whole = fs::read(&path).unwrap();
    let digest = whole_digest(&large);
    assert!(Contents::open(dir.path()).unwrap().get(0, digest).is_some());
    for len in (0..whole.len() - 100).step_by(whole.len() / 13) {
        fs::write(&path, &whole[..len]).unwrap();
        assert_eq!(Contents::open(dir.path()).unwrap().get(0, digest), None, "cut at {len}");
    }
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    fs::write(&path, &changed).unwrap();
    assert_eq!(Contents::open(dir.path()).unwrap().get(0, digest), None);
}

/// As a recorder leaves them that keeps the newest calls, killed between noting what it drops and dropping it.
#[test]
fn segments_that_have_lost_their_first_calls_say_so_and_are_joined_without_loss() {
    let dir = recorded(50_000);
    let whole = traces::open(dir.path()).unwrap();
    let saved = fs::read(dir.path().join("h-7-0.chunks")).unwrap();
    let mut rest = &saved[..];
    let mut chunks = Vec::new();
    while let Ok(traces::record::Record::Chunk(chunk)) = rmp_serde::from_read(&mut rest) {
        chunks.push(chunk);
    }
    assert!(chunks.len() > 3, "so many calls do not fit into fewer");
    let mut keeper = traces::cut::Keeper::new(0);
    keeper.see(&chunks[0]);
    let (cut, kept) = keeper.cut();
    let dropped = cut.calls;
    fs::write(dir.path().join("h-7-0.cut"), cut.to_bytes(kept)).unwrap();
    let bytes = |chunks: &[traces::record::Chunk]| -> Vec<u8> {
        chunks.iter().flat_map(|chunk| traces::record::Record::Chunk(chunk.clone()).to_bytes()).collect()
    };
    fs::write(dir.path().join("h-7-0.older"), bytes(&chunks[..2])).unwrap();
    fs::write(dir.path().join("h-7-0.chunks"), bytes(&chunks[2..])).unwrap();
    let read = traces::open(dir.path()).unwrap();
    assert_eq!(read.event_count() + dropped, whole.event_count());
    assert_eq!(read.lanes[0].events.last().map(|e| e.duration_ns), whole.lanes[0].events.last().map(|e| e.duration_ns));
    assert!(read.damage[0].contains(&format!("the first {dropped} calls of rank 0 were dropped")), "{:?}", read.damage);
    let joined = dir.path().join("joined.msgpack");
    traces::join(dir.path(), &joined).unwrap();
    let again = traces::open(&joined).unwrap();
    assert_eq!((&again.lanes, again.damage.len()), (&read.lanes, read.damage.len()));
    traces::write(&joined, &read).unwrap();
    assert_eq!(traces::open(&joined).unwrap().lanes[0].cut, read.lanes[0].cut);
}
