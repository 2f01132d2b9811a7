//! Tests of the comparison: which reason is found, and how it reads.

use sim::report::Style;
use traces::constant::{ANY_SOURCE, COMM_WORLD};
use traces::{Function, Trace, TraceBuilder, Value, mpi};

use super::cause::Cause;
use super::{Comparison, text};

fn int(value: i64) -> Value {
    Value::Int(value)
}

fn status(source: i64) -> Value {
    Value::Ints(Box::new([source, 7, 4, 0]))
}

fn message(peer: &'static str, rank: i64) -> Vec<(&'static str, Value)> {
    // MPI_INT in the standard ABI.
    vec![("count", int(1)), ("datatype", int(0x209)), (peer, int(rank)), ("tag", int(7)), ("comm", int(COMM_WORLD))]
}

struct Run(TraceBuilder);

impl Run {
    fn new() -> Run {
        Run(TraceBuilder::with_ranks(3))
    }

    fn call(&mut self, rank: usize, function: Function, line: u64, arguments: &[(&str, Value)], results: &[(&str, Value)]) {
        self.0.push(rank, function, line, arguments, Some(results));
    }

    fn send(&mut self, rank: usize, line: u64, to: i64) {
        self.call(rank, mpi::SEND, line, &message("dest", to), &[]);
    }

    /// A receive of `source` that took the message of `from`.
    fn receive(&mut self, rank: usize, line: u64, source: i64, from: i64) {
        self.call(rank, mpi::RECV, line, &message("source", source), &[("status", status(from))]);
    }

    fn trace(mut self) -> Trace {
        (0..3).for_each(|rank| self.call(rank, mpi::FINALIZE, 90, &[], &[]));
        let mut trace = self.0.finish();
        // Lines come by address where there is no source, as long as it is the same file.
        trace.objects.iter_mut().for_each(|object| object.build_id = "1234".into());
        trace
    }
}

/// Ranks 1 and 2 send to rank 0, which sends to whoever was first; both wait for a word of it.
fn answering(first: i64) -> Trace {
    let mut run = Run::new();
    run.send(1, 10, 0);
    run.send(2, 10, 0);
    run.receive(0, 20, ANY_SOURCE, first);
    run.receive(0, 20, ANY_SOURCE, 3 - first);
    run.send(0, 30, first);
    run.send(0, 31, 3 - first);
    for rank in [1, 2] {
        run.receive(rank, 40, 0, 0);
        if i64::try_from(rank) == Ok(first) {
            run.send(rank, 41, 0);
        }
    }
    run.receive(0, 32, first, first);
    run.trace()
}

fn compared<'t>(one: &'t Trace, other: &'t Trace) -> Comparison<'t> {
    Comparison::new(["a".into(), "b".into()], [one, other], false)
}

#[test]
fn the_same_run_is_the_same() {
    let (one, other) = (answering(1), answering(1));
    let comparison = compared(&one, &other);
    assert!(comparison.is_same());
    let out = text::render(&comparison, &Style::default(), false);
    assert_eq!(out, "a and b are the same run: 13 calls of 3 ranks, and all that MPI chose\n");
}

#[test]
fn the_message_is_named_that_made_them_part() {
    let (one, other) = (answering(1), answering(2));
    let comparison = compared(&one, &other);
    let out = text::render(&comparison, &Style::default(), false);
    assert!(!comparison.is_same());
    let first = &comparison.partings[0];
    assert_eq!(comparison.threads[first.thread].rank, 0, "{out}");
    let Cause::Outcome { thread: 0, difference } = &first.cause else { panic!("{:?}\n{out}", first.cause) };
    assert_eq!(difference.events, [1, 1], "the last that differs");
    assert!(out.contains("rank 0 parts after 2 calls in common:\n  a  MPI_Send(count=1, datatype=MPI_INT, dest=1,"), "{out}");
    assert!(out.contains("  a  took the message of rank 2 with tag 7 in MPI_Recv at program+0x14"), "{out}");
    // Ranks 1 and 2 send or come to their end, because rank 0 spoke to one or the other.
    let others: Vec<&Cause> = comparison.partings[1..].iter().map(|parted| &parted.cause).collect();
    assert_eq!(others, [&Cause::Parting { thread: 0 }, &Cause::Parting { thread: 0 }], "{out}");
    assert!(out.contains("\n  because rank 0 had parted, from whom it has heard\n"), "{out}");
}

#[test]
fn who_has_heard_of_a_parting_follows_it() {
    let run = |tag: i64| {
        let mut run = Run::new();
        run.call(0, mpi::SEND, 10, &[message("dest", 1), vec![("root", int(0))]].concat()[..5], &[]);
        if tag == 1 {
            run.send(0, 11, 1);
        } else {
            run.send(0, 12, 1);
        }
        run.receive(1, 20, 0, 0);
        run.receive(1, 20, 0, 0);
        if tag == 1 {
            run.send(1, 21, 2);
        } else {
            run.send(1, 22, 2);
        }
        run.receive(2, 30, 1, 1);
        run.trace()
    };
    let (one, other) = (run(1), run(2));
    let comparison = compared(&one, &other);
    let causes: Vec<(u32, &Cause)> =
        comparison.partings.iter().map(|parted| (comparison.threads[parted.thread].rank, &parted.cause)).collect();
    assert_eq!(causes, [(0, &Cause::Unknown), (1, &Cause::Parting { thread: 0 })]);
}

#[test]
fn a_poll_is_named_that_found_nothing() {
    let run = |polls: u64| {
        let mut run = Run::new();
        run.send(1, 10, 0);
        let arguments = message("source", 1)[2..].to_vec();
        for _ in 0..polls {
            run.call(0, mpi::IPROBE, 20, &arguments, &[("flag", int(0))]);
            run.send(0, 21, 2);
            run.receive(2, 40, 0, 0);
        }
        run.call(0, mpi::IPROBE, 20, &arguments, &[("flag", int(1)), ("status", status(1))]);
        run.receive(0, 22, 1, 1);
        run.trace()
    };
    let (one, other) = (run(0), run(1));
    let comparison = compared(&one, &other);
    let parted = comparison.partings.iter().find(|parted| comparison.threads[parted.thread].rank == 0).expect("rank 0 parts");
    assert_eq!(parted.cause, Cause::Poll { thread: 0, events: [Some(0), Some(0)], times: [0, 1] });
    let out = text::render(&comparison, &Style::default(), false);
    assert!(out.contains("  a  found something at once in MPI_Iprobe at"), "{out}");
    assert!(out.contains("  b  found nothing once in MPI_Iprobe at"), "{out}");
}

#[test]
fn what_is_not_recorded_to_its_end_is_said_and_no_difference() {
    let (one, mut other) = (answering(1), answering(1));
    other.lanes[0].events.truncate(2);
    other.processes[0].ending = traces::Ending::Unfinished;
    let killed = compared(&one, &other);
    assert_eq!(killed.partings.len(), 1, "a program that was killed has made other calls");
    let out = text::render(&killed, &Style::default(), false);
    assert!(out.contains("\n  b  makes no further call\n"), "{out}");
    other.damage.push("the file ends in the middle of a chunk".into());
    let comparison = compared(&one, &other);
    assert!(comparison.is_same());
    assert!(comparison.notes[0].starts_with("b has no more of rank 0 than its first 2 calls"), "{:?}", comparison.notes);
}

#[test]
fn who_does_not_return_is_told_with_the_call() {
    let (one, mut other) = (answering(1), answering(1));
    other.lanes[0].events.truncate(2);
    other.lanes[0].events[1].outcome = None;
    let out = text::render(&compared(&one, &other), &Style::default(), false);
    assert!(out.contains("\n  b  does not return from MPI_Recv at program+0x14\n"), "{out}");
}

#[test]
fn thousands_of_ranks_that_part_alike_are_one_parting() {
    let run = |line: u64| {
        let mut builder = TraceBuilder::with_ranks(4096);
        for rank in 0..4096 {
            let line = if rank < 4000 { line } else { 10 };
            builder.push(rank, mpi::BARRIER, line, &[("comm", int(COMM_WORLD))], Some(&[]));
        }
        let mut trace = builder.finish();
        trace.objects.iter_mut().for_each(|object| object.build_id = "1234".into());
        trace
    };
    let (one, other) = (run(10), run(11));
    let out = text::render(&compared(&one, &other), &Style::default(), false);
    let expected = "\
rank 0 parts after no call in common:
  a  MPI_Barrier(comm=MPI_COMM_WORLD) at program+0xa
  b  MPI_Barrier(comm=MPI_COMM_WORLD) at program+0xb
  nothing in the traces differs before: it is the input, the time, or something else that is not MPI's
  likewise ranks 1-3999

4000 of 4096 ranks part; 96 calls are the same before, and MPI chose otherwise 0 times
";
    assert_eq!(out, expected);
}
