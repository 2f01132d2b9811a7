//! Messages and receives that miss each other, or meet and do not fit.

use crate::job::{self, Job, int, labels, message, request, status, told};
use sim::{Buffering, Options};
use traces::constant::{ANY_SOURCE, ANY_TAG, COMM_WORLD, PROC_NULL};
use traces::mpi;

const COPY: i64 = 0x1000_0000;

/// Both ranks make a copy of MPI_COMM_WORLD.
fn with_copy() -> Job {
    let mut job = Job::new(2);
    for rank in 0..2 {
        job.call(rank, 1, mpi::COMM_DUP, &[("comm", int(COMM_WORLD))], &[("newcomm", job::comm(COPY, &[0, 1]))]);
    }
    job
}

fn free_copy(job: &mut Job) {
    for rank in 0..2 {
        job.call(rank, 2, mpi::COMM_FREE, &[("comm", int(COPY))], &[]);
    }
}

#[test]
fn a_wrong_tag_that_hangs_is_one_finding() {
    let mut job = Job::new(3);
    job.send(mpi::SEND, 1, 41, 2, 8);
    job.stuck(2, 52, mpi::RECV, &message("source", 1, 7, 1, job::INT));
    for rank in 0..2 {
        job.stuck(rank, 60, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    }
    let report = job.check();
    assert_eq!(told(&report), ["match/tag: rank 2 waits for tag 7 from rank 1, which sent tag 8"]);
    let finding = &report.findings[0];
    assert_eq!(
        labels(finding),
        ["2/0 waits for a message with tag 7 from rank 1", "1/0 sent 4 bytes with tag 8 to rank 2; nobody receives it"]
    );
    assert!(finding.notes[0].starts_with("it is a deadlock"), "{:?}", finding.notes);
}

#[test]
fn a_ring_of_wrong_tags_is_one_finding() {
    let mut job = Job::new(8);
    for rank in 0..8 {
        job.send(mpi::SEND, rank, 41, (rank as i64 + 1) % 8, 8);
        job.stuck(rank, 52, mpi::RECV, &message("source", (rank as i64 + 7) % 8, 7, 1, job::INT));
    }
    assert_eq!(told(&job.check()), ["match/tag: rank 0 waits for tag 7 from rank 7, which sent tag 8"]);
}

#[test]
fn a_wrong_communicator_is_named() {
    let mut job = with_copy();
    job.send(mpi::SEND, 0, 10, 1, 7);
    let mut on_copy = message("source", 0, 7, 1, job::INT);
    on_copy.last_mut().unwrap().1 = int(COPY);
    job.stuck(1, 20, mpi::RECV, &on_copy);
    job.stuck(0, 11, mpi::FINALIZE, &[]);
    let report = job.check();
    assert_eq!(told(&report), ["match/communicator: rank 1 waits for rank 0 on comm-0000, which sent on MPI_COMM_WORLD"]);
}

#[test]
fn a_wrong_source_is_named_when_all_is_over() {
    let mut job = Job::new(3);
    job.send(mpi::SEND, 2, 10, 0, 7);
    job.irecv(0, 20, 1, 7, 0);
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), ["match/source: rank 0 waits for a message from rank 1, but it was sent by rank 2"]);
}

#[test]
fn a_wrong_source_that_hangs_is_named_too() {
    let mut job = Job::new(3);
    job.send(mpi::SEND, 1, 10, 2, 5);
    job.stuck(2, 20, mpi::RECV, &message("source", 0, 5, 1, job::INT));
    job.stuck(0, 30, mpi::FINALIZE, &[]);
    job.stuck(1, 30, mpi::FINALIZE, &[]);
    assert_eq!(told(&job.check()), ["match/source: rank 2 waits for a message from rank 0, but it was sent by rank 1"]);
}

#[test]
fn what_nobody_receives_or_sends_is_told_once_a_line() {
    let mut job = Job::new(4);
    for rank in 1..4 {
        for _ in 0..2 {
            job.send(mpi::SEND, rank, 10, 0, 7);
        }
    }
    job.irecv(0, 20, 1, 9, 0);
    job.finalize_all();
    // A message for another tag is near only once.
    assert_eq!(
        told(&job.check()),
        [
            "match/tag: rank 0 waits for tag 9 from rank 1, which sent tag 7",
            "match/orphan-send: ranks 1-3 sent 5 messages that are never received"
        ]
    );
    let mut job = Job::new(2);
    job.irecv(0, 20, 1, 9, 0);
    job.finalize_all();
    assert_eq!(told(&job.check()), ["match/orphan-recv: rank 0 posted a receive that no message ever matches"]);
}

#[test]
fn a_message_may_be_shorter_than_its_receive_but_not_longer() {
    let run = |sent: i64, room: i64| {
        let mut job = Job::new(2);
        job.call(0, 10, mpi::SEND, &message("dest", 1, 7, sent, job::INT), &[]);
        job.call(1, 20, mpi::RECV, &message("source", 0, 7, room, job::INT), &[("status", status(0, 7, 4 * sent))]);
        job.finalize_all();
        told(&job.check())
    };
    assert_eq!(run(10, 100), [""; 0]);
    assert_eq!(run(100, 10), ["match/truncated: rank 0 sent 400 bytes to rank 1, which has room for 40"]);
}

#[test]
fn types_agree_by_what_they_are_made_of() {
    let run = |sent: (i64, i64), received: (i64, i64)| {
        let mut job = Job::new(2);
        for rank in 0..2 {
            // A pair of an int and a double, and three of those.
            let pair = [
                ("count", int(2)),
                ("array_of_blocklengths", job::ints(&[1, 1])),
                ("array_of_displacements", job::ints(&[0, 8])),
                ("array_of_types", job::ints(&[job::INT, job::DOUBLE])),
            ];
            job.call(rank, 1, mpi::TYPE_CREATE_STRUCT, &pair, &[("newtype", int(PAIR))]);
            let three = [("count", int(3)), ("oldtype", int(PAIR))];
            job.call(rank, 2, mpi::TYPE_CONTIGUOUS, &three, &[("newtype", int(THREE))]);
            job.call(rank, 3, mpi::TYPE_COMMIT, &[("datatype", int(PAIR))], &[]);
            job.call(rank, 4, mpi::TYPE_COMMIT, &[("datatype", int(THREE))], &[]);
        }
        job.call(0, 10, mpi::SEND, &message("dest", 1, 7, sent.0, sent.1), &[]);
        job.call(1, 20, mpi::RECV, &message("source", 0, 7, received.0, received.1), &[("status", status(0, 7, 4))]);
        for rank in 0..2 {
            job.call(rank, 30, mpi::TYPE_FREE, &[("datatype", int(PAIR))], &[]);
            job.call(rank, 31, mpi::TYPE_FREE, &[("datatype", int(THREE))], &[]);
        }
        job.finalize_all();
        told(&job.check())
    };
    const PAIR: i64 = 0x1000;
    const THREE: i64 = 0x1001;
    assert_eq!(run((6, PAIR), (2, THREE)), [""; 0]);
    assert_eq!(run((36, job::BYTE), (1, THREE)), [""; 0]);
    assert_eq!(
        run((4, job::INT), (4, job::FLOAT)),
        ["match/type: rank 0 sent 4-byte integers to rank 1, which receives 4-byte floating-point numbers"]
    );
    assert_eq!(
        run((3, job::DOUBLE), (2, THREE)),
        ["match/type: rank 0 sent 8-byte floating-point numbers to rank 1, which receives 4-byte integers"]
    );
}

#[test]
fn wildcards_take_what_they_took_in_the_recorded_run() {
    let mut job = Job::new(3);
    job.send(mpi::SEND, 1, 10, 0, 1);
    job.send(mpi::SEND, 2, 11, 0, 2);
    // The second message came first, to a receive by request; the other one to a blocking receive.
    job.irecv(0, 20, ANY_SOURCE, traces::constant::ANY_TAG, 0);
    job.recv_any(0, 21, 1, 1);
    job.call(0, 22, mpi::WAIT, &[("request", int(request(0)))], &[("status", status(2, 2, 4))]);
    job.finalize_all();
    let report = job.check();
    assert!(report.findings.iter().all(|f| f.rule.name == "race/wildcard"), "{:?}", told(&report));
    let sources: Vec<(u32, u32)> = report.messages.iter().map(|m| (m.receive.event, m.send.lane)).collect();
    assert_eq!(sources, [(0, 2), (1, 1)]);
    assert_eq!(report.messages[0].received.event, 2, "a receive by request is received where it is completed");
}

/// The wildcards took the messages of ranks 3 and 1. That of rank 2 was held back for them, and goes to the receive that names it, before the
/// message of another type that follows.
#[test]
fn a_message_that_was_held_back_goes_to_its_receive_when_all_wildcards_are_served() {
    for order in [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] {
        let mut job = Job::new(4);
        for (slot, from) in [(0, ANY_SOURCE), (1, ANY_SOURCE), (2, order[2])] {
            job.irecv(0, 10, from, 7, slot);
        }
        let requests = [("count", int(3)), ("array_of_requests", job::ints(&[request(0), request(1), request(2)]))];
        let statuses: Vec<i64> = order.iter().flat_map(|from| [*from, 7, 4, 0]).collect();
        job.call(0, 11, mpi::WAITALL, &requests, &[("array_of_statuses", job::ints(&statuses))]);
        let double = message("source", order[2], 7, 1, job::DOUBLE);
        job.call(0, 12, mpi::RECV, &double, &[("status", status(order[2], 7, 8))]);
        for rank in 1..4 {
            job.send(mpi::SEND, rank, 20, 0, 7);
            if rank as i64 == order[2] {
                job.call(rank, 21, mpi::SEND, &message("dest", 0, 7, 1, job::DOUBLE), &[]);
            }
        }
        job.finalize_all();
        let trace = job.trace();
        for buffering in [None, Some(Buffering::Zero), Some(Buffering::Eager(64)), Some(Buffering::Infinite)] {
            let report = sim::check(&trace, &Options { buffering, ..Options::default() });
            // Other schedules do get stuck, as their findings say; this one does not.
            let is_of_another = |f: &sim::Finding| f.notes.iter().any(|note| note.contains("--schedule"));
            let is_race = |f: &sim::Finding| f.rule.name == "race/wildcard";
            assert!(
                report.findings.iter().all(|f| is_of_another(f) || is_race(f)),
                "{order:?} {buffering:?} {:?}",
                told(&report)
            );
            assert_eq!((report.finished_ranks, report.caveats.len()), (4, 0));
        }
    }
}

/// Nothing tells how the first receive could return before rank 0 sent: it did, and its message is not left to the next receive.
#[test]
fn a_receive_that_must_have_returned_took_its_message() {
    let mut job = Job::new(2);
    job.recv(0, 10, 1, 7);
    job.send(mpi::SEND, 0, 11, 1, 1);
    job.call(0, 12, mpi::RECV, &message("source", 1, 7, 1, job::DOUBLE), &[("status", status(1, 7, 8))]);
    job.recv(1, 20, 0, 1);
    job.send(mpi::SEND, 1, 21, 0, 7);
    job.call(1, 22, mpi::SEND, &message("dest", 0, 7, 1, job::DOUBLE), &[]);
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), [""; 0]);
    assert_eq!(report.messages.iter().map(|m| m.send.event).collect::<Vec<_>>(), [1, 2, 1]);
}

/// Nobody knows what the request that was freed took: either message.
#[test]
fn what_a_freed_wildcard_may_have_taken_is_held_against_nobody() {
    let mut job = Job::new(2);
    job.irecv(0, 10, ANY_SOURCE, 7, 0);
    job.call(0, 11, mpi::REQUEST_FREE, &[("request", int(request(0)))], &[]);
    job.call(0, 12, mpi::RECV, &message("source", 1, 7, 1, job::DOUBLE), &[("status", status(1, 7, 8))]);
    job.send(mpi::SEND, 1, 20, 0, 7);
    job.call(1, 21, mpi::SEND, &message("dest", 0, 7, 1, job::DOUBLE), &[]);
    job.finalize_all();
    assert_eq!(told(&job.check()), ["request/freed-active: rank 0 frees the request of MPI_Irecv while it is active"]);
}

#[test]
fn a_matched_probe_takes_the_message_for_its_receive() {
    let mut job = Job::new(2);
    job.send(mpi::SEND, 1, 10, 0, 5);
    job.send(mpi::SEND, 1, 11, 0, 5);
    let probe = [("source", int(ANY_SOURCE)), ("tag", int(5)), ("comm", int(COMM_WORLD))];
    job.call(0, 20, mpi::MPROBE, &probe, &[("message", int(0x1000)), ("status", status(1, 5, 4))]);
    job.recv(0, 21, 1, 5);
    let take = [("count", int(1)), ("datatype", int(job::INT)), ("message", int(0x1000))];
    job.call(0, 22, mpi::MRECV, &take, &[("status", status(1, 5, 4))]);
    job.finalize_all();
    let report = job.check();
    let pairs: Vec<(u32, u32)> = report.messages.iter().map(|m| (m.receive.event, m.send.event)).collect();
    assert_eq!(pairs, [(1, 1), (2, 0)]);
    assert!(report.findings.iter().all(|f| f.rule.name == "deadlock/buffering"), "{:?}", told(&report));
}

#[test]
fn a_probe_waits_for_a_message_and_leaves_it() {
    let mut job = Job::new(2);
    let probe = [("source", int(1)), ("tag", int(5)), ("comm", int(COMM_WORLD))];
    job.call(0, 20, mpi::PROBE, &probe, &[("status", status(1, 5, 4))]);
    job.recv(0, 21, 1, 5);
    job.send(mpi::SEND, 1, 10, 0, 5);
    job.call(0, 22, mpi::IPROBE, &probe, &[("flag", int(0))]);
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), ["race/poll: rank 0 goes on by whether MPI_Iprobe finds something in time"]);
    assert_eq!(report.messages.len(), 1);
}

#[test]
fn nobody_is_a_partner_that_is_always_ready() {
    let mut job = Job::new(1);
    job.send(mpi::SSEND, 0, 10, PROC_NULL, 0);
    job.call(0, 11, mpi::RECV, &message("source", PROC_NULL, 0, 1, job::INT), &[("status", status(PROC_NULL, -2, 0))]);
    job.irecv(0, 12, PROC_NULL, 0, 0);
    job.wait(0, 13, 0);
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0]);
}

#[test]
fn a_cancelled_receive_gets_nothing() {
    let mut job = Job::new(2);
    job.irecv(0, 10, 1, 7, 0);
    job.call(0, 11, mpi::CANCEL, &[("request", int(request(0)))], &[]);
    let cancelled = job::ints(&[traces::constant::UNDEFINED, -2, 0, 1]);
    job.call(0, 12, mpi::WAIT, &[("request", int(request(0)))], &[("status", cancelled)]);
    job.recv(0, 13, 1, 7);
    job.send(mpi::SEND, 1, 20, 0, 7);
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), [""; 0]);
    assert_eq!(report.messages[0].receive.event, 3);
}

#[test]
fn persistent_requests_start_again_and_again() {
    let mut job = Job::new(2);
    let slot = [("request", int(request(0)))];
    job.call(0, 10, mpi::SEND_INIT, &message("dest", 1, 7, 1, job::INT), &slot);
    job.call(1, 20, mpi::RECV_INIT, &message("source", ANY_SOURCE, 7, 1, job::INT), &slot);
    for _ in 0..3 {
        for rank in 0..2 {
            job.call(rank, 30, mpi::START, &slot, &[]);
            job.call(rank, 31, mpi::WAIT, &slot, &[("status", status(0, 7, 4))]);
        }
    }
    for rank in 0..2 {
        job.call(rank, 40, mpi::REQUEST_FREE, &slot, &[]);
    }
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), [""; 0]);
    let events: Vec<(u32, u32)> = report.messages.iter().map(|m| (m.send.event, m.receive.event)).collect();
    assert_eq!(events, [(1, 1), (3, 3), (5, 5)]);
    let mut job = with_copy();
    free_copy(&mut job);
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0]);
}

#[test]
fn a_receive_does_not_overtake_one_that_waits_because_its_message_is_held() {
    let mut job = Job::new(2);
    for tag in [1, 0, 0] {
        job.send(mpi::SEND, 0, 10, 1, tag);
    }
    // The first takes what rank 1 sends itself; until then the message with tag 1 of rank 0 is held, and with it what the second and
    // third receive take.
    job.irecv(1, 20, ANY_SOURCE, 1, 0);
    job.irecv(1, 21, 0, 1, 1);
    job.irecv(1, 22, 0, ANY_TAG, 2);
    job.irecv(1, 23, ANY_SOURCE, 0, 3);
    job.send(mpi::SEND, 1, 24, 1, 1);
    let requests: Vec<i64> = (0..4).map(job::request).collect();
    let statuses: Vec<i64> = [[1, 1, 4, 0], [0, 1, 4, 0], [0, 0, 4, 0], [0, 0, 4, 0]].concat();
    let arguments = [("count", job::int(4)), ("array_of_requests", job::ints(&requests))];
    job.call(1, 25, mpi::WAITALL, &arguments, &[("array_of_statuses", job::ints(&statuses))]);
    job.finalize_all();
    let report = job.check();
    let mut matched: Vec<_> = report.messages.iter().map(|m| (m.receive.event, m.send.lane, m.send.event)).collect();
    matched.sort_unstable();
    assert_eq!(matched, [(0, 1, 4), (1, 0, 0), (2, 0, 1), (3, 0, 2)]);
}
