//! Calls that fail: those that return an error to a program that wants to know, and those that end it.

use crate::job::{self, Job, int, message, request, status, told};
use sim::{Buffering, Options};
use traces::constant::{ANY_SOURCE, ANY_TAG, COMM_NULL, COMM_WORLD, DATATYPE_NULL, IN_PLACE, PROC_NULL, UNKNOWN_HANDLE};
use traces::{Function, Value, mpi};

const MODELS: [Option<Buffering>; 4] = [None, Some(Buffering::Zero), Some(Buffering::Eager(64)), Some(Buffering::Infinite)];

#[test]
fn a_call_that_failed_for_a_wrong_argument_did_nothing() {
    let mut job = Job::new(2);
    for (rank, other) in [(0, 1), (1, 0)] {
        job.fails(rank, 10, mpi::RECV, &message("source", other, 7, 1, DATATYPE_NULL));
        job.fails(rank, 11, mpi::RECV, &message("source", other, 7, -1, job::INT));
        job.fails(rank, 12, mpi::SEND, &message("dest", 7, 7, 1, job::INT));
        job.fails(rank, 13, mpi::IRECV, &message("source", 7, 7, 1, job::INT));
        job.fails(rank, 14, mpi::PROBE, &[("source", int(7)), ("tag", int(7)), ("comm", int(COMM_WORLD))]);
        let [both, there, here] =
            [[("sendcount", 1), ("recvcount", 1)], [("dest", 7), ("source", other)], [("sendtag", 7), ("recvtag", 7)]];
        let mut exchange: Vec<(&str, Value)> = [both, there, here].concat().into_iter().map(|(n, v)| (n, int(v))).collect();
        exchange.extend([("sendtype", int(job::INT)), ("recvtype", int(job::INT)), ("comm", int(COMM_WORLD))]);
        job.fails(rank, 15, mpi::SENDRECV, &exchange);
        job.irecv(rank, 16, other, 7, 0);
        job.send(mpi::SEND, rank, 17, other, 7);
        job.wait(rank, 18, 0);
    }
    job.finalize_all();
    let trace = job.trace();
    for buffering in MODELS {
        let report = sim::check(&trace, &Options { buffering, ..Options::default() });
        assert_eq!(told(&report), [""; 0], "{buffering:?}");
        assert_eq!((report.messages.len(), report.caveats.len()), (2, 0));
    }
}

#[test]
fn a_receive_that_failed_took_a_message_that_is_too_long() {
    let mut job = Job::new(2);
    job.call(0, 10, mpi::SEND, &message("dest", 1, 7, 100, job::INT), &[]);
    job.send(mpi::SEND, 0, 11, 1, 7);
    job.fails(1, 20, mpi::RECV, &message("source", 0, 7, 10, job::INT));
    job.recv(1, 21, 0, 7);
    job.finalize_all();
    assert_eq!(told(&job.check()), ["match/truncated: rank 0 sent 400 bytes to rank 1, which has room for 40"]);
}

/// The error may be any: that no process is left, that the communicator was revoked.
#[test]
fn a_receive_that_failed_for_an_unknown_reason_is_no_deadlock() {
    let mut job = Job::new(2);
    job.fails(1, 20, mpi::RECV, &message("source", 0, 7, 10, job::INT));
    job.finalize_all();
    let trace = job.trace();
    for buffering in MODELS {
        assert_eq!(told(&sim::check(&trace, &Options { buffering, ..Options::default() })), [""; 0], "{buffering:?}");
    }
}

#[test]
fn what_a_test_that_failed_has_completed_nobody_knows() {
    let mut job = Job::new(2);
    job.irecv(0, 10, 1, 7, 0);
    job.fails(0, 11, mpi::TEST, &[("request", int(request(0)))]);
    job.send(mpi::SEND, 1, 20, 0, 7);
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0]);
}

/// One rank makes a call that ends the run, the other one waits for it.
fn fatal(function: Function, arguments: &[(&str, Value)]) -> Vec<String> {
    let mut job = Job::new(2);
    job.stuck(0, 10, function, arguments);
    job.stuck(1, 20, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    let report = job.check();
    told(&report).into_iter().filter(|finding| !finding.starts_with("run/unfinished")).collect()
}

#[test]
fn an_argument_that_ends_the_run_is_named() {
    let of = |function, peer, (rank, tag, count, datatype)| fatal(function, &message(peer, rank, tag, count, datatype));
    assert_eq!(
        of(mpi::SEND, "dest", (17, 0, 1, job::INT)),
        ["argument/rank: rank 0 calls MPI_Send with dest 17, where there are 2 ranks"]
    );
    assert_eq!(
        of(mpi::RECV, "source", (1, 0, -32766, job::INT)),
        ["argument/count: rank 0 calls MPI_Recv with count MPI_UNDEFINED"]
    );
    assert_eq!(of(mpi::ISEND, "dest", (1, -7, 1, job::INT)), ["argument/tag: rank 0 calls MPI_Isend with tag -7"]);
    assert_eq!(
        of(mpi::SEND, "dest", (1, 0, 1, DATATYPE_NULL)),
        ["argument/datatype: rank 0 calls MPI_Send with MPI_DATATYPE_NULL"]
    );
    assert_eq!(
        fatal(mpi::BARRIER, &[("comm", int(COMM_NULL))]),
        ["argument/communicator: rank 0 calls MPI_Barrier on MPI_COMM_NULL"]
    );
    assert_eq!(
        fatal(mpi::BARRIER, &[("comm", int(UNKNOWN_HANDLE))]),
        ["argument/handle: rank 0 calls MPI_Barrier with a handle in comm that stands for nothing"]
    );
    assert_eq!(
        fatal(mpi::WAITALL, &[("count", int(2)), ("array_of_requests", job::ints(&[0x180, UNKNOWN_HANDLE]))]),
        ["argument/handle: rank 0 calls MPI_Waitall with a handle in array_of_requests[1] that stands for nothing"]
    );
    let bcast = [("count", int(1)), ("datatype", int(job::INT)), ("root", int(2)), ("comm", int(COMM_WORLD))];
    assert_eq!(fatal(mpi::BCAST, &bcast), ["argument/rank: rank 0 calls MPI_Bcast with root 2, where there are 2 ranks"]);
}

#[test]
fn an_argument_is_named_that_makes_an_error_handler_abort() {
    let mut job = Job::new(2);
    job.stuck(0, 10, mpi::SEND, &message("dest", 17, 0, 1, job::INT));
    job.stuck(0, 11, mpi::ABORT, &[("comm", int(COMM_WORLD)), ("errorcode", int(3))]);
    job.stuck(1, 20, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    let found = told(&job.check());
    assert!(found.contains(&"argument/rank: rank 0 calls MPI_Send with dest 17, where there are 2 ranks".into()), "{found:?}");
}

#[test]
fn what_the_standard_allows_or_ignores_is_no_wrong_argument() {
    let fine = |function, peer, (rank, tag, count, datatype)| {
        let told = fatal(function, &message(peer, rank, tag, count, datatype));
        assert!(told.iter().all(|finding| !finding.starts_with("argument/")), "{told:?}");
    };
    fine(mpi::SEND, "dest", (PROC_NULL, -7, -1, DATATYPE_NULL));
    fine(mpi::RECV, "source", (ANY_SOURCE, ANY_TAG, 0, DATATYPE_NULL));
    let mut gather = vec![("sendbuf", int(IN_PLACE)), ("sendcount", int(-1)), ("sendtype", int(DATATYPE_NULL))];
    gather.extend([("recvcount", int(1)), ("recvtype", int(job::INT)), ("root", int(0)), ("comm", int(COMM_WORLD))]);
    let told = fatal(mpi::GATHER, &gather);
    assert!(told.iter().all(|finding| !finding.starts_with("argument/")), "{told:?}");
}

#[test]
fn a_request_is_not_started_while_it_is_active() {
    let run = |has_wait: bool, has_failed: bool| {
        let mut job = Job::new(2);
        let slot = [("request", int(request(0)))];
        job.call(0, 10, mpi::SEND_INIT, &message("dest", 1, 7, 1, job::INT), &slot);
        for n in 0..2 {
            if n == 1 && has_failed {
                job.fails(0, 11, mpi::START, &slot);
            } else {
                job.call(0, 11, mpi::START, &slot, &[]);
                job.call(1, 20, mpi::RECV, &message("source", 0, 7, 1, job::INT), &[("status", status(0, 7, 4))]);
            }
            if has_wait || n == 1 {
                job.wait(0, 12, 0);
            }
        }
        job.call(0, 13, mpi::REQUEST_FREE, &slot, &[]);
        job.finalize_all();
        told(&job.check())
    };
    assert_eq!(run(true, false), [""; 0]);
    let twice = ["request/started-twice: rank 0 starts a request that is active already, in MPI_Start"];
    assert_eq!(run(false, false), twice);
    assert_eq!(run(false, true), twice);
}
