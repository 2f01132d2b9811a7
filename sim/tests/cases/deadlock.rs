//! Who waits for whom: cycles, ranks that have ended, sends that need buffering, and what proves nothing.

use crate::job::{self, Job, int, labels, message, told};
use sim::{Buffering, Options, Severity};
use traces::constant::{ANY_SOURCE, COMM_WORLD};
use traces::mpi;

#[test]
fn receives_before_sends_are_a_cycle() {
    let mut job = Job::new(3);
    job.stuck(0, 10, mpi::RECV, &message("source", 1, 7, 1, job::INT));
    job.stuck(1, 20, mpi::RECV, &message("source", 0, 7, 1, job::INT));
    job.stuck(2, 30, mpi::BARRIER, &[("comm", job::int(COMM_WORLD))]);
    let report = job.check();
    assert_eq!(told(&report), ["deadlock/cycle: ranks 0 and 1 wait for each other in MPI_Recv"]);
    let cycle = &report.findings[0];
    assert_eq!(
        labels(cycle),
        ["0/0 waits for a message with tag 7 from rank 1", "1/0 waits for a message with tag 7 from rank 0"]
    );
    assert_eq!(cycle.notes, ["1 other rank waits for them in turn"]);
    assert_eq!(cycle.severity, Severity::Error);
}

#[test]
fn a_rank_that_ended_leaves_the_others_waiting() {
    let mut job = Job::new(4);
    for rank in 0..3 {
        job.stuck(rank, 10, mpi::BARRIER, &[("comm", job::int(COMM_WORLD))]);
    }
    job.finalize(3);
    let report = job.check();
    assert_eq!(told(&report), ["deadlock/missing-rank: ranks 0-2 wait in MPI_Barrier for rank 3, which has called MPI_Finalize"]);
    assert_eq!(
        labels(&report.findings[0]),
        ["0/0 waits for rank 3 to call MPI_Barrier; likewise ranks 1 and 2", "3/0 came to its end instead"]
    );
}

#[test]
fn a_rank_in_finalize_is_missing_too() {
    let mut job = Job::new(2);
    job.stuck(0, 10, mpi::BARRIER, &[("comm", job::int(COMM_WORLD))]);
    job.stuck(1, 20, mpi::FINALIZE, &[]);
    let report = job.check();
    assert_eq!(told(&report), ["deadlock/missing-rank: rank 0 waits in MPI_Barrier for rank 1, which has called MPI_Finalize"]);
}

#[test]
fn sends_to_each_other_that_hang_are_a_cycle() {
    let mut job = Job::new(2);
    job.stuck(0, 10, mpi::SEND, &message("dest", 1, 7, 100_000, job::INT));
    job.stuck(1, 20, mpi::SEND, &message("dest", 0, 7, 100_000, job::INT));
    assert_eq!(told(&job.check()), ["deadlock/cycle: ranks 0 and 1 wait for each other in MPI_Send"]);
}

#[test]
fn sends_to_each_other_that_got_through_are_a_warning() {
    let mut job = Job::new(2);
    for (rank, other) in [(0, 1), (1, 0)] {
        job.send(mpi::SEND, rank, 10, other, 7);
        job.recv(rank, 11, other, 7);
    }
    job.finalize_all();
    let trace = job.trace();
    let report = sim::check(&trace, &Options::default());
    assert_eq!(
        told(&report),
        ["deadlock/buffering: ranks 0 and 1 would wait for each other in MPI_Send if sends were not buffered"]
    );
    assert_eq!(report.findings[0].severity, Severity::Warning);
    let by = |buffering| sim::check(&trace, &Options { buffering: Some(buffering), ..Options::default() });
    assert_eq!(by(Buffering::Zero).findings[0].severity, Severity::Error);
    assert_eq!(by(Buffering::Eager(3)).findings[0].rule.name, "deadlock/buffering");
    assert_eq!(told(&by(Buffering::Eager(4))), [""; 0]);
    assert_eq!(told(&by(Buffering::Infinite)), [""; 0]);
}

#[test]
fn sendrecv_and_nonblocking_exchanges_need_no_buffering() {
    let mut job = Job::new(2);
    for (rank, other) in [(0, 1), (1, 0)] {
        job.irecv(rank, 10, other, 7, 0);
        job.isend(rank, 11, other, 7, 1);
        job.wait(rank, 12, 0);
        job.wait(rank, 13, 1);
    }
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0]);
}

#[test]
fn a_killed_run_proves_nothing_of_who_was_computing() {
    let mut job = Job::new(3);
    job.barrier(0, 5);
    job.barrier(1, 5);
    job.barrier(2, 5);
    job.stuck(0, 10, mpi::RECV, &message("source", 1, 7, 1, job::INT));
    job.stuck(2, 10, mpi::RECV, &message("source", 0, 7, 1, job::INT));
    job.killed(1);
    let report = job.check();
    assert!(report.findings.iter().all(|f| f.severity < Severity::Error), "{:?}", told(&report));
}

#[test]
fn a_call_in_flight_that_could_have_returned_is_no_deadlock() {
    let mut job = Job::new(2);
    job.send(mpi::SEND, 0, 10, 1, 7);
    job.stuck(1, 20, mpi::RECV, &message("source", 0, 7, 1, job::INT));
    job.stuck(0, 11, mpi::BARRIER, &[("comm", job::int(COMM_WORLD))]);
    let report = job.check();
    assert!(report.findings.iter().all(|f| f.severity < Severity::Error), "{:?}", told(&report));
}

#[test]
fn a_wildcard_is_stuck_only_if_everybody_is() {
    let any = message("source", ANY_SOURCE, 7, 1, job::INT);
    let mut job = Job::new(3);
    for rank in 0..3 {
        job.stuck(rank, 10, mpi::RECV, &any);
    }
    assert_eq!(told(&job.check()), ["deadlock/cycle: ranks 0-2 wait for each other in MPI_Recv"]);

    let mut job = Job::new(3);
    job.stuck(0, 10, mpi::RECV, &any);
    job.stuck(1, 10, mpi::RECV, &any);
    job.barrier(2, 10);
    job.killed(2);
    let report = job.check();
    assert!(report.findings.iter().all(|f| f.severity < Severity::Error), "{:?}", told(&report));
}

#[test]
fn a_loop_of_polls_waits_like_the_call_that_blocks() {
    let run = |times: u64| {
        let mut job = Job::new(2);
        job.irecv(0, 10, 1, 5, 0);
        job.polls(0, 11, mpi::TEST, &[("request", job::int(job::request(0)))], times);
        job.send(mpi::SEND, 1, 20, 0, 6);
        job.stuck(1, 21, mpi::BARRIER, &[("comm", job::int(COMM_WORLD))]);
        job.trace()
    };
    let trace = run(20_000);
    for buffering in [None, Some(Buffering::Zero), Some(Buffering::Eager(64)), Some(Buffering::Infinite)] {
        let report = sim::check(&trace, &Options { buffering, ..Options::default() });
        assert_eq!(told(&report), ["match/tag: rank 0 waits for tag 5 from rank 1, which sent tag 6"], "{buffering:?}");
    }
    // A program that asks now and then may do other things as well, and stop asking.
    let report = sim::check(&run(20), &Options::default());
    assert!(report.findings.iter().all(|f| f.severity < Severity::Error), "{:?}", told(&report));
}

#[test]
fn a_loop_of_probes_is_said_to_poll() {
    let probe = [("source", job::int(1)), ("tag", job::int(5)), ("comm", job::int(COMM_WORLD))];
    for function in [mpi::IPROBE, mpi::IMPROBE] {
        let mut job = Job::new(2);
        job.polls(0, 11, function, &probe, 20_000);
        job.stuck(1, 21, mpi::BARRIER, &[("comm", job::int(COMM_WORLD))]);
        let report = job.check();
        assert_eq!(told(&report), [format!("deadlock/cycle: ranks 0 and 1 wait for each other in {function} and MPI_Barrier")]);
        assert_eq!(labels(&report.findings[0])[0], "0/0 polls for a message with tag 5 from rank 1");
    }
}

const MODELS: [Option<Buffering>; 4] = [None, Some(Buffering::Zero), Some(Buffering::Eager(64)), Some(Buffering::Infinite)];

/// Rank 1 receives the messages of rank 0 in another order than they are sent: they were matched, and are no near miss.
#[test]
fn messages_that_were_received_miss_nothing_without_buffers() {
    let mut job = Job::new(2);
    job.isend(0, 10, 1, 1, 0);
    job.wait(0, 11, 0);
    job.send(mpi::SEND, 0, 12, 1, 2);
    job.recv(1, 20, 0, 2);
    job.recv(1, 21, 0, 1);
    job.finalize_all();
    let report = sim::check(&job.trace(), &Options { buffering: Some(Buffering::Zero), ..Options::default() });
    assert_eq!(
        told(&report),
        ["deadlock/buffering: ranks 0 and 1 would wait for each other in MPI_Wait and MPI_Recv if sends were not buffered"]
    );
    let help = report.findings[0].help.as_deref();
    assert_eq!(help, Some("complete these sends later, or receive their messages in the order that they are sent"));
}

#[test]
fn a_message_that_nobody_receives_is_one_finding_under_every_model() {
    let mut job = Job::new(2);
    job.isend(0, 10, 1, 9, 0);
    job.wait(0, 11, 0);
    for rank in 0..2 {
        job.barrier(rank, 12);
    }
    job.finalize_all();
    let trace = job.trace();
    for buffering in MODELS {
        let report = sim::check(&trace, &Options { buffering, ..Options::default() });
        assert_eq!(told(&report), ["match/orphan-send: rank 0 sent a message to rank 1 that is never received"], "{buffering:?}");
    }
}

#[test]
fn a_run_that_hung_is_stuck_under_every_model() {
    let mut job = Job::new(2);
    let bcast = [("count", job::int(1)), ("datatype", job::int(job::INT)), ("root", job::int(0)), ("comm", job::int(COMM_WORLD))];
    job.stuck(0, 10, mpi::BCAST, &bcast);
    job.stuck(1, 20, mpi::RECV, &message("source", 0, 7, 1, job::INT));
    let trace = job.trace();
    for buffering in MODELS {
        let report = sim::check(&trace, &Options { buffering, ..Options::default() });
        assert_eq!(
            told(&report),
            ["deadlock/cycle: ranks 0 and 1 wait for each other in MPI_Bcast and MPI_Recv"],
            "{buffering:?}"
        );
        assert!(report.findings[0].notes.iter().all(|note| !note.contains("got through")));
    }
}

#[test]
fn a_message_to_oneself_waits_for_oneself() {
    let mut job = Job::new(1);
    job.send(mpi::SEND, 0, 10, 0, 7);
    job.recv(0, 11, 0, 7);
    job.finalize_all();
    assert_eq!(told(&job.check()), ["deadlock/buffering: rank 0 would wait for itself in MPI_Send if sends were not buffered"]);
}

#[test]
fn a_rank_of_another_communicator_is_named_in_both() {
    let (mut job, part) = (Job::new(3), 0x1000_0002);
    for rank in 1..3 {
        let split = [("comm", job::int(COMM_WORLD)), ("color", job::int(1)), ("key", job::int(0))];
        job.call(rank, 5, mpi::COMM_SPLIT, &split, &[("newcomm", job::comm(part, &[1, 2]))]);
        let mut recv = message("source", 2 - rank as i64, 7, 1, job::INT);
        recv.last_mut().unwrap().1 = job::int(part);
        job.stuck(rank, 20, mpi::RECV, &recv);
    }
    let split = [("comm", job::int(COMM_WORLD)), ("color", job::int(traces::constant::UNDEFINED)), ("key", job::int(0))];
    job.call(0, 5, mpi::COMM_SPLIT, &split, &[]);
    job.finalize(0);
    let report = job.check();
    assert_eq!(
        labels(&report.findings[0])[0],
        "1/1 waits for a message with tag 7 from rank 1 of comm-0002, which is rank 2 of MPI_COMM_WORLD"
    );
}

#[test]
fn a_message_that_a_wildcard_can_steal_is_a_deadlock_beside_one_that_needs_buffering() {
    // Rank 0 gathers from all, answers all, and then asks rank 3, whose message for that a wildcard can have taken before.
    let mut job = Job::new(4);
    for from in 1..4 {
        job.recv_any(0, 10, from, 1);
    }
    for to in 1..4 {
        job.send(mpi::SEND, 0, 12, to, 5);
    }
    job.recv(0, 13, 3, 9);
    for rank in 1..3 {
        job.send(mpi::SEND, rank, 20, 0, 1);
        job.recv(rank, 21, 0, 5);
    }
    // Nor would ranks 0 and 3 get through if sends were not buffered.
    job.send(mpi::SEND, 3, 20, 0, 1);
    job.send(mpi::SEND, 3, 22, 0, 9);
    job.recv(3, 23, 0, 5);
    job.finalize_all();
    let report = job.check();
    let rules: Vec<_> = report.findings.iter().map(|found| (found.rule.name, found.severity)).collect();
    let deadlocks: Vec<_> = rules.into_iter().filter(|(name, _)| name.starts_with("deadlock/")).collect();
    assert_eq!(deadlocks, [("deadlock/missing-rank", Severity::Error), ("deadlock/buffering", Severity::Warning)]);
}

#[test]
fn a_wildcard_in_a_call_that_never_returned_took_what_makes_it_wait() {
    let run = |is_hung: bool| {
        let mut job = Job::new(3);
        job.irecv(0, 10, ANY_SOURCE, 7, 0);
        job.irecv(0, 11, 1, 7, 1);
        let both = [("count", job::int(2)), ("array_of_requests", job::ints(&[job::request(0), job::request(1)]))];
        if is_hung {
            job.stuck(0, 12, mpi::WAITALL, &both);
        } else {
            let statuses =
                [job::status(2, 7, 4), job::status(1, 7, 4)].iter().flat_map(|s| s.ints().to_vec()).collect::<Vec<_>>();
            job.call(0, 12, mpi::WAITALL, &both, &[("array_of_statuses", job::ints(&statuses))]);
            job.finalize(0);
        }
        for rank in [1, 2] {
            job.send(mpi::SEND, rank, 20, 0, 7);
            job.finalize(rank);
        }
        job.check()
    };
    // Had it taken the message of rank 2, the call would have returned.
    assert_eq!(told(&run(true)), ["match/source: rank 0 waits for a message from rank 1, but it was sent by rank 2"]);
    assert!(run(false).findings.iter().all(|found| found.rule.name != "match/source"));
}

/// Who writes Python has called a method.
#[test]
fn a_deadlock_is_told_in_the_words_of_the_binding() {
    let mut job = Job::new(2);
    for rank in 0..2 {
        job.stuck(rank, 10, mpi::MPROBE, &[("source", int(1 - rank as i64)), ("tag", int(7)), ("comm", int(COMM_WORLD))]);
    }
    let mut trace = job.trace();
    trace.sites.iter_mut().for_each(|site| site.method = Some("Comm.recv".into()));
    let report = sim::check(&trace, &Options::default());
    assert_eq!(told(&report), ["deadlock/cycle: ranks 0 and 1 wait for each other in Comm.recv (MPI_Mprobe)"]);
}
