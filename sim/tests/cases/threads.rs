//! Processes that call MPI from several threads.

use crate::job::{self, int, message, request, status, told};
use sim::Options;
use traces::{Ending, Lane, Process, TraceBuilder, Value, mpi};

/// Pushes a call at a time of its own.
fn call(
    builder: &mut TraceBuilder,
    lane: usize,
    function: traces::Function,
    arguments: &[(&str, Value)],
    results: &[(&str, Value)],
) {
    builder.push(lane, function, 10 + lane as u64, arguments, Some(results));
}

#[test]
fn a_thread_may_complete_what_another_one_began() {
    let mut builder = TraceBuilder::new();
    builder.world_size(2);
    for rank in 0..2 {
        builder.process(Process { rank: Some(rank), ending: Ending::Finalized, ..Process::default() });
    }
    for (process, thread) in [(0, 0), (0, 1), (1, 0)] {
        builder.lane(Lane { process, rank: Some(process), thread, ..Lane::default() });
    }
    // Thread 0 begins a receive, thread 1 waits for it, and thread 0 finalizes when that is done.
    call(&mut builder, 0, mpi::IRECV, &message("source", 1, 7, 1, job::INT), &[("request", int(request(0)))]);
    call(&mut builder, 1, mpi::INITIALIZED, &[], &[("flag", int(1))]);
    call(&mut builder, 1, mpi::WAIT, &[("request", int(request(0)))], &[("status", status(1, 7, 4))]);
    call(&mut builder, 2, mpi::SEND, &message("dest", 0, 7, 1, job::INT), &[]);
    call(&mut builder, 0, mpi::INITIALIZED, &[], &[("flag", int(1))]);
    call(&mut builder, 0, mpi::INITIALIZED, &[], &[("flag", int(1))]);
    call(&mut builder, 0, mpi::FINALIZE, &[], &[]);
    call(&mut builder, 2, mpi::FINALIZE, &[], &[]);
    let report = sim::check(&builder.finish(), &Options::default());
    assert_eq!(told(&report), [""; 0]);
    assert_eq!(report.finished_ranks, 2);
    assert_eq!((report.messages[0].receive.lane, report.messages[0].received.lane), (0, 1));
    let caveat = "1 rank calls MPI from several threads, whose calls are taken in the order of the recorded run";
    assert_eq!(report.caveats, [caveat]);
}

/// Ranks 0 and 1 wait for each other in their first threads; a second thread of each made one call.
fn stuck_beside_a_helper(has_ended: bool) -> traces::Trace {
    let mut builder = TraceBuilder::new();
    builder.world_size(2);
    for rank in 0..2 {
        builder.process(Process { rank: Some(rank), ..Process::default() });
        for thread in 0..2 {
            builder.lane(Lane { process: rank, rank: Some(rank), thread, ended: has_ended && thread == 1, ..Lane::default() });
        }
    }
    for rank in 0..2 {
        call(&mut builder, 2 * rank + 1, mpi::INITIALIZED, &[], &[("flag", int(1))]);
        call(&mut builder, 2 * rank, mpi::INITIALIZED, &[], &[("flag", int(1))]);
        builder.push(2 * rank, mpi::RECV, 20, &message("source", 1 - rank as i64, 7, 1, job::INT), None);
    }
    builder.finish()
}

#[test]
fn a_thread_that_has_ended_helps_nobody() {
    let report = sim::check(&stuck_beside_a_helper(true), &Options::default());
    assert_eq!(told(&report), ["deadlock/cycle: ranks 0 and 1 wait for each other in MPI_Recv"]);
}

#[test]
fn a_thread_that_may_go_on_keeps_it_open_and_the_one_that_waits_is_named() {
    let report = sim::check(&stuck_beside_a_helper(false), &Options::default());
    assert_eq!(told(&report), ["run/unfinished: ranks 0 and 1 wait in one thread, and what the others do is not known"]);
    assert_eq!(
        job::labels(&report.findings[0]),
        [
            "1/0 was the last call of its thread, which may go on or not",
            "3/0 was the last call of its thread, which may go on or not",
            "0/1 waits for them; likewise rank 1"
        ]
    );
}

/// The second thread of rank 0 is in its receive when the first one has made its calls: it does not come out of it for that.
#[test]
fn a_thread_that_waits_is_not_woken_by_another_one() {
    let mut builder = TraceBuilder::new();
    builder.world_size(1);
    builder.process(Process { rank: Some(0), ..Process::default() });
    for thread in 0..2 {
        builder.lane(Lane { process: 0, rank: Some(0), thread, ..Lane::default() });
    }
    call(&mut builder, 0, mpi::INITIALIZED, &[], &[("flag", int(1))]);
    builder.push(1, mpi::RECV, 20, &message("source", 0, 7, 1, job::INT), None);
    builder.push(0, mpi::BARRIER, 21, &[("comm", int(traces::constant::COMM_SELF))], Some(&[]));
    let report = sim::check(&builder.finish(), &Options::default());
    assert_eq!(report.stopped, [sim::Place { lane: 1, event: 0 }]);
}

/// Two threads of one process, of which each makes one call between MPI_Init and MPI_Finalize: from 100 to 200 us and from `second_ns` on.
fn two_threads(level: i64, second_ns: u64) -> Vec<String> {
    let mut builder = TraceBuilder::new();
    builder.world_size(1);
    builder.process(Process { rank: Some(0), ending: Ending::Finalized, ..Process::default() });
    for thread in 0..2 {
        builder.lane(Lane { process: 0, rank: Some(0), thread, ..Lane::default() });
    }
    call(&mut builder, 0, mpi::INIT_THREAD, &[("required", int(level))], &[("provided", int(level))]);
    call(&mut builder, 0, mpi::BARRIER, &[("comm", int(traces::constant::COMM_SELF))], &[]);
    call(&mut builder, 1, mpi::BARRIER, &[("comm", int(traces::constant::COMM_SELF))], &[]);
    call(&mut builder, 1, mpi::INITIALIZED, &[], &[("flag", int(1))]);
    call(&mut builder, 0, mpi::FINALIZE, &[], &[]);
    let mut trace = builder.finish();
    for (lane, times) in
        [(0, [(0, 50_000), (100_000, 100_000), (900_000, 1000)].as_slice()), (1, &[(second_ns, 50_000), (950_000, 1)])]
    {
        for (event, (start, duration)) in trace.lanes[lane].events.iter_mut().zip(times) {
            (event.start_ns, event.duration_ns) = (*start, *duration);
        }
    }
    told(&sim::check(&trace, &Options::default()))
}

#[test]
fn what_threads_may_do_is_up_to_the_level_of_support() {
    let [single, funneled, serialized, multiple] = [0, 1024, 2048, 4096];
    let foreign = ["usage/thread-level: rank 0 calls MPI_Barrier from a thread that must not call MPI"];
    assert_eq!(two_threads(single, 300_000), foreign);
    assert_eq!(two_threads(funneled, 300_000), foreign);
    let overlap = ["usage/thread-level: rank 0 calls MPI_Barrier while another thread is in MPI"];
    assert_eq!(two_threads(serialized, 150_000), overlap);
    assert_eq!(two_threads(serialized, 300_000), [""; 0]);
    assert_eq!(two_threads(serialized, 199_900), [""; 0], "clocks of cores may differ by so much");
    assert_eq!(two_threads(multiple, 150_000), [""; 0]);
}
