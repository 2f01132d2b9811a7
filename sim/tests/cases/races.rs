//! Memory that two operations use at once: one-sided accesses that nothing orders, and buffers of operations under way.

use crate::job::{self, Job, int, labels, message, no_status, request, told};
use traces::constant::{COMM_WORLD, INFO_NULL, LOCK_EXCLUSIVE, LOCK_SHARED};
use traces::{Value, mpi};

const WIN: i64 = 0x1234_5678_9abc;
const SUM: i64 = job::SUM;

/// Every rank makes a window of 64 bytes at 0x1000 times its rank plus one, whose unit is 4.
fn with_window(ranks: usize) -> Job {
    let mut job = Job::new(ranks);
    for rank in 0..ranks {
        let base = int(0x1000 * (rank as i64 + 1));
        let (size, unit) = (int(64), int(4));
        let arguments =
            [("base", base), ("size", size), ("disp_unit", unit), ("info", int(INFO_NULL)), ("comm", int(COMM_WORLD))];
        job.call(rank, 1, mpi::WIN_CREATE, &arguments, &[("win", int(WIN))]);
    }
    job
}

fn free(mut job: Job, ranks: usize) -> Vec<String> {
    for rank in 0..ranks {
        job.call(rank, 90, mpi::WIN_FREE, &[("win", int(WIN))], &[]);
    }
    job.finalize_all();
    told(&job.check())
}

/// An access of one element of a datatype at a place of a rank.
fn access(target: i64, at: i64, datatype: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("origin_addr", int(0x9000)),
        ("origin_count", int(1)),
        ("origin_datatype", int(datatype)),
        ("target_rank", int(target)),
        ("target_disp", int(at)),
        ("target_count", int(1)),
        ("target_datatype", int(datatype)),
        ("win", int(WIN)),
    ]
}

fn accumulate(target: i64, at: i64, datatype: i64, op: i64) -> Vec<(&'static str, Value)> {
    let mut arguments = access(target, at, datatype);
    arguments.push(("op", int(op)));
    arguments
}

fn fence(job: &mut Job, ranks: usize, line: u64) {
    for rank in 0..ranks {
        job.call(rank, line, mpi::WIN_FENCE, &[("assert", int(0)), ("win", int(WIN))], &[]);
    }
}

fn locked_put(job: &mut Job, rank: usize, line: u64, kind: i64, target: i64) {
    let lock = [("lock_type", int(kind)), ("rank", int(target)), ("win", int(WIN))];
    job.call(rank, line, mpi::WIN_LOCK, &lock, &[]);
    job.call(rank, line + 1, mpi::PUT, &access(target, 0, job::INT), &[]);
    job.call(rank, line + 2, mpi::WIN_UNLOCK, &[("rank", int(target)), ("win", int(WIN))], &[]);
}

#[test]
fn between_two_fences_all_accesses_are_at_once() {
    for (at, is_race) in [(0, true), (1, false)] {
        let mut job = with_window(3);
        fence(&mut job, 3, 10);
        job.call(0, 11, mpi::PUT, &access(2, 0, job::INT), &[]);
        job.call(1, 12, mpi::GET, &access(2, at, job::INT), &[]);
        fence(&mut job, 3, 13);
        // What was put before is there now.
        job.call(1, 14, mpi::GET, &access(2, 0, job::INT), &[]);
        fence(&mut job, 3, 15);
        let told = free(job, 3);
        let expected =
            "rma/race: MPI_Put of rank 0 writes the memory of rank 2 that MPI_Get of rank 1 reads, and nothing orders them";
        assert_eq!(told, if is_race { vec![expected] } else { Vec::new() });
    }
}

#[test]
fn accumulates_meet_if_they_do_the_same_to_the_same_type() {
    let cases = [
        (SUM, job::INT, true, ""),
        (traces::constant::NO_OP, job::INT, true, ""),
        (job::MAX, job::INT, false, "with different operations"),
        (SUM, job::FLOAT, false, "as different types"),
    ];
    for (op, datatype, is_right, what) in cases {
        let mut job = with_window(2);
        fence(&mut job, 2, 10);
        job.call(0, 11, mpi::ACCUMULATE, &accumulate(0, 0, job::INT, SUM), &[]);
        job.call(1, 12, mpi::ACCUMULATE, &accumulate(0, 0, datatype, op), &[]);
        fence(&mut job, 2, 13);
        let told = free(job, 2);
        assert_eq!(told.is_empty(), is_right, "{told:?}");
        assert!(told.iter().all(|text| text.ends_with(what)), "{told:?}");
    }
}

#[test]
fn under_shared_locks_messages_order_and_exclusive_ones_need_none() {
    let cases = [(LOCK_SHARED, false, 1), (LOCK_SHARED, true, 0), (LOCK_EXCLUSIVE, false, 0)];
    for (kind, is_told, races) in cases {
        let mut job = with_window(3);
        locked_put(&mut job, 0, 10, kind, 2);
        if is_told {
            job.send(mpi::SEND, 0, 15, 1, 7);
            job.recv(1, 16, 0, 7);
        }
        locked_put(&mut job, 1, 20, kind, 2);
        assert_eq!(free(job, 3).len(), races);
    }
}

/// Rank 1 may have waited for a number in the window that rank 0 put there last.
#[test]
fn what_ranks_may_know_by_the_window_itself_is_left_open() {
    let mut job = with_window(3);
    locked_put(&mut job, 0, 10, LOCK_SHARED, 2);
    job.call(1, 20, mpi::WIN_LOCK_ALL, &[("assert", int(0)), ("win", int(WIN))], &[]);
    job.call(1, 21, mpi::GET, &access(2, 5, job::INT), &[]);
    job.call(1, 22, mpi::WIN_FLUSH, &[("rank", int(2)), ("win", int(WIN))], &[]);
    job.call(1, 23, mpi::PUT, &access(2, 0, job::INT), &[]);
    job.call(1, 24, mpi::WIN_UNLOCK_ALL, &[("win", int(WIN))], &[]);
    assert_eq!(free(job, 3), [""; 0]);
}

#[test]
fn what_the_target_receives_into_its_window_races_unless_it_is_before() {
    for is_before in [false, true] {
        let mut job = with_window(2);
        fence(&mut job, 2, 10);
        let mut receive = message("source", 0, 1, 1, job::INT);
        receive.push(("buf", int(0x2004)));
        job.send(mpi::SEND, 0, 11, 1, 1);
        job.call(1, 12, mpi::RECV, &receive, &[("status", job::status(0, 1, 4))]);
        if is_before {
            job.send(mpi::SEND, 1, 13, 0, 2);
            job.recv(0, 14, 1, 2);
        }
        job.call(0, 15, mpi::PUT, &access(1, 1, job::INT), &[]);
        fence(&mut job, 2, 16);
        let told = free(job, 2);
        let expected =
            "rma/race: MPI_Recv of rank 1 writes the memory of rank 1 that MPI_Put of rank 0 writes, and nothing orders them";
        assert_eq!(told, if is_before { Vec::new() } else { vec![expected] });
    }
}

fn irecv_into(job: &mut Job, line: u64, tag: i64, slot: i64, buffer: i64, count: i64) {
    let mut arguments = message("source", 1, tag, count, job::INT);
    arguments.push(("buf", int(buffer)));
    job.call(0, line, mpi::IRECV, &arguments, &[("request", int(request(slot)))]);
}

fn send_from(job: &mut Job, line: u64, tag: i64, buffer: i64, count: i64) {
    let mut arguments = message("dest", 1, tag, count, job::INT);
    arguments.push(("buf", int(buffer)));
    job.call(0, line, mpi::SEND, &arguments, &[]);
}

#[test]
fn a_buffer_is_lent_until_its_request_is_complete() {
    let mut job = Job::new(2);
    irecv_into(&mut job, 10, 1, 0, 0x1000, 4);
    send_from(&mut job, 11, 2, 0x1010, 4);
    send_from(&mut job, 12, 2, 0x0ff0, 4);
    send_from(&mut job, 13, 2, 0x100c, 1);
    job.wait(0, 14, 0);
    send_from(&mut job, 15, 2, 0x100c, 1);
    let four = message("dest", 0, 1, 4, job::INT);
    job.call(1, 20, mpi::SEND, &four, &[]);
    for count in [4, 4, 1, 1] {
        let status = ("status", job::status(0, 2, 4 * count));
        job.call(1, 21, mpi::RECV, &message("source", 0, 2, count, job::INT), &[status]);
    }
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), ["buffer/in-flight: rank 0 sends from memory in MPI_Send that MPI_Irecv still receives into"]);
    assert_eq!(
        labels(&report.findings[0]),
        ["0/3 reads bytes 0 to 3 of its buffer", "0/0 writes bytes 12 to 15 of its buffer until it is complete"]
    );
}

#[test]
fn a_persistent_receive_lends_its_buffer_when_it_is_started() {
    for (is_started, expected) in [(false, 0), (true, 1)] {
        let mut job = Job::new(2);
        let mut arguments = message("source", 1, 1, 1, job::INT);
        arguments.push(("buf", int(0x1000)));
        job.call(0, 10, mpi::RECV_INIT, &arguments, &[("request", int(request(0)))]);
        let start = |job: &mut Job| job.call(0, 11, mpi::START, &[("request", int(request(0)))], &[]);
        if is_started {
            start(&mut job);
        }
        send_from(&mut job, 12, 2, 0x1000, 1);
        if !is_started {
            start(&mut job);
        }
        job.call(0, 13, mpi::WAIT, &[("request", int(request(0)))], &[("status", no_status())]);
        job.call(0, 14, mpi::REQUEST_FREE, &[("request", int(request(0)))], &[]);
        job.send(mpi::SEND, 1, 20, 0, 1);
        job.recv(1, 21, 0, 2);
        job.finalize_all();
        let found = told(&job.check());
        assert_eq!(found.iter().filter(|text| text.starts_with("buffer/")).count(), expected, "{found:?}");
    }
}

/// Rank 0 sends from where it receives; the answer is sent when what it sent has arrived, or before.
#[test]
fn a_send_from_where_the_answer_comes_is_a_note() {
    for is_answer in [true, false] {
        let mut job = Job::new(2);
        irecv_into(&mut job, 10, 1, 0, 0x1000, 1);
        send_from(&mut job, 11, 2, 0x1000, 1);
        job.wait(0, 12, 0);
        if is_answer {
            job.recv(1, 20, 0, 2);
        }
        job.send(mpi::SEND, 1, 21, 0, 1);
        if !is_answer {
            job.recv(1, 22, 0, 2);
        }
        job.finalize_all();
        let report = job.check();
        let found = report.findings.iter().find(|finding| finding.rule.name == "buffer/in-flight").unwrap();
        assert_eq!(found.severity, if is_answer { sim::Severity::Note } else { sim::Severity::Error });
    }
}
