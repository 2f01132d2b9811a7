//! Messages in parts: which meet, when they go, and what is told if a part is forgotten.

use crate::job::{self, Job, int, ints, told};
use sim::{Limits, Options, Verdict};
use traces::constant::COMM_WORLD;
use traces::{Value, mpi};

/// The arguments of an init call: so many parts of so many ints each.
fn parts(peer: &'static str, rank: i64, (number, each): (i64, i64)) -> Vec<(&'static str, Value)> {
    let mut list = job::message(peer, rank, 5, each, job::INT);
    list.push(("partitions", int(number)));
    list
}

fn send_init(job: &mut Job, rank: usize, to: i64, shape: (i64, i64), slot: i64) {
    job.call(rank, 10, mpi::PSEND_INIT, &parts("dest", to, shape), &[("request", int(job::request(slot)))]);
}

fn recv_init(job: &mut Job, rank: usize, from: i64, shape: (i64, i64), slot: i64) {
    job.call(rank, 20, mpi::PRECV_INIT, &parts("source", from, shape), &[("request", int(job::request(slot)))]);
}

fn request(slot: i64) -> (&'static str, Value) {
    ("request", int(job::request(slot)))
}

fn start(job: &mut Job, rank: usize, slot: i64) {
    job.call(rank, 30, mpi::START, &[request(slot)], &[]);
}

fn free(job: &mut Job, rank: usize, slot: i64) {
    job.call(rank, 60, mpi::REQUEST_FREE, &[request(slot)], &[]);
}

#[test]
fn the_nth_of_a_kind_meets_the_nth_and_goes_when_all_its_parts_are_ready() {
    let mut job = Job::new(2);
    // The sides may divide a message in different ways.
    for (slot, each) in [(0, 1), (1, 100)] {
        send_init(&mut job, 0, 1, (4, each), slot);
        recv_init(&mut job, 1, 0, (2, 2 * each), slot);
    }
    for _ in 0..2 {
        for slot in [1, 0] {
            start(&mut job, 0, slot);
            start(&mut job, 1, slot);
        }
        job.call(0, 41, mpi::PREADY_RANGE, &[("partition_low", int(1)), ("partition_high", int(2)), request(0)], &[]);
        job.call(0, 42, mpi::PREADY_LIST, &[("length", int(2)), ("array_of_partitions", ints(&[3, 0])), request(0)], &[]);
        for part in 0..4 {
            job.call(0, 43, mpi::PREADY, &[("partition", int(part)), request(1)], &[]);
        }
        for slot in 0..2 {
            job.wait(0, 50, slot);
            job.wait(1, 51, slot);
        }
    }
    for rank in 0..2 {
        free(&mut job, rank, 0);
        free(&mut job, rank, 1);
    }
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), [""; 0]);
    let bytes: Vec<u64> = report.messages.iter().map(|message| message.bytes).collect();
    assert_eq!(bytes, [1600, 16, 1600, 16], "in the order that the receives are started");
}

#[test]
fn a_forgotten_part_is_waited_for_in_vain() {
    let mut job = Job::new(2);
    send_init(&mut job, 0, 1, (3, 1), 0);
    recv_init(&mut job, 1, 0, (3, 1), 0);
    start(&mut job, 0, 0);
    start(&mut job, 1, 0);
    for part in [0, 1] {
        job.call(0, 40, mpi::PREADY, &[("partition", int(part)), request(0)], &[]);
    }
    job.stuck(0, 50, mpi::WAIT, &[request(0)]);
    job.stuck(1, 51, mpi::WAIT, &[request(0)]);
    let report = job.check();
    let waits = ["request/not-ready: rank 0 waits in MPI_Wait for a send of which not all partitions are ready"];
    assert_eq!(told(&report), waits);
    assert_eq!(report.findings[0].notes, ["1 other rank waits for them in turn"]);
}

#[test]
fn parts_meet_no_whole_message() {
    let mut job = Job::new(2);
    send_init(&mut job, 0, 1, (1, 1), 0);
    start(&mut job, 0, 0);
    job.call(0, 40, mpi::PREADY, &[("partition", int(0)), request(0)], &[]);
    job.stuck(0, 50, mpi::WAIT, &[request(0)]);
    job.stuck(1, 51, mpi::RECV, &job::message("source", 0, 5, 1, job::INT));
    assert_eq!(told(&job.check()), ["deadlock/cycle: ranks 0 and 1 wait for each other in MPI_Wait and MPI_Recv"]);
}

#[test]
fn a_message_in_parts_may_be_too_long() {
    let mut job = Job::new(2);
    send_init(&mut job, 0, 1, (4, 2), 0);
    recv_init(&mut job, 1, 0, (4, 1), 0);
    start(&mut job, 0, 0);
    start(&mut job, 1, 0);
    job.call(0, 40, mpi::PREADY_RANGE, &[("partition_low", int(0)), ("partition_high", int(3)), request(0)], &[]);
    for rank in 0..2 {
        job.wait(rank, 50, 0);
        free(&mut job, rank, 0);
    }
    job.finalize_all();
    let report = job.check();
    assert_eq!(report.findings[0].rule.name, "match/truncated", "{:?}", told(&report));
}

#[test]
fn what_is_made_once_and_started_often_is_decided_over_all_schedules() {
    let mut job = Job::new(3);
    let sum = [("count", int(1)), ("datatype", int(job::INT)), ("op", int(job::SUM)), ("comm", int(COMM_WORLD))];
    for rank in 0..3 {
        job.call(rank, 1, mpi::ALLREDUCE_INIT, &sum, &[request(0)]);
    }
    send_init(&mut job, 0, 1, (2, 1), 1);
    recv_init(&mut job, 1, 0, (2, 1), 1);
    for _ in 0..2 {
        (0..3).for_each(|rank| start(&mut job, rank, 0));
        start(&mut job, 1, 1);
        start(&mut job, 0, 1);
        job.call(0, 40, mpi::PREADY_RANGE, &[("partition_low", int(0)), ("partition_high", int(1)), request(1)], &[]);
        (0..3).for_each(|rank| job.wait(rank, 50, 0));
        (0..2).for_each(|rank| job.wait(rank, 51, 1));
    }
    // Who comes first is open.
    job.send(mpi::SEND, 1, 60, 0, 7);
    job.send(mpi::SEND, 2, 61, 0, 7);
    job.recv_any(0, 62, 1, 7);
    job.recv_any(0, 63, 2, 7);
    job.finalize_all();
    let bufferings = [sim::Buffering::Zero, sim::Buffering::Infinite, sim::Buffering::Any];
    let trace = job.trace();
    let decision = sim::decide(&trace, &bufferings, &Limits::default());
    assert_eq!(decision.open, [""; 0]);
    assert!(decision.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Safe), "{:?}", decision.verdicts);
    assert!(sim::check(&trace, &Options::default()).findings.iter().all(|f| f.severity < sim::Severity::Error));
}
