//! Requests and handles that are not given back, and how runs end.

use crate::job::{self, Job, int, ints, message, request, status, told};
use sim::Options;
use traces::constant::COMM_WORLD;
use traces::{Ending, mpi};

#[test]
fn a_request_that_nobody_completes_is_lost() {
    let mut job = Job::new(3);
    for rank in 1..3 {
        job.isend(rank, 10, 0, 7, 0);
        job.recv(0, 20, rank as i64, 7);
    }
    job.finalize_all();
    assert_eq!(told(&job.check()), ["request/lost: ranks 1 and 2 never completed the request of MPI_Isend"]);
}

#[test]
fn a_request_that_is_freed_is_not_lost() {
    let mut job = Job::new(2);
    job.isend(0, 10, 1, 7, 0);
    job.call(0, 11, mpi::REQUEST_FREE, &[("request", int(request(0)))], &[]);
    job.recv(1, 20, 0, 7);
    job.finalize_all();
    assert_eq!(told(&job.check()), ["request/freed-active: rank 0 frees the request of MPI_Isend while it is active"]);
}

#[test]
fn a_number_that_is_used_again_is_another_request() {
    let mut job = Job::new(2);
    for tag in 0..3 {
        job.isend(0, 10, 1, tag, 0);
        job.wait(0, 11, 0);
        job.irecv(1, 20, 0, tag, 0);
        job.wait(1, 21, 0);
    }
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), [""; 0]);
    assert_eq!(report.messages.len(), 3);
}

#[test]
fn a_persistent_request_wants_to_be_started() {
    let mut job = Job::new(1);
    job.call(0, 10, mpi::SEND_INIT, &message("dest", 0, 7, 1, job::INT), &[("request", int(request(0)))]);
    job.call(0, 11, mpi::REQUEST_FREE, &[("request", int(request(0)))], &[]);
    job.finalize_all();
    assert_eq!(told(&job.check()), ["request/never-started: rank 0 never started the request of MPI_Send_init"]);
}

#[test]
fn a_request_that_was_never_started_leaves_its_partner_waiting() {
    let mut job = Job::new(2);
    job.call(0, 10, mpi::SEND_INIT, &message("dest", 1, 7, 1, job::INT), &[("request", int(request(0)))]);
    job.call(0, 11, mpi::REQUEST_FREE, &[("request", int(request(0)))], &[]);
    job.stuck(0, 12, mpi::FINALIZE, &[]);
    job.stuck(1, 20, mpi::RECV, &message("source", 0, 7, 1, job::INT));
    assert_eq!(
        told(&job.check()),
        [
            "deadlock/missing-rank: rank 1 waits in MPI_Recv for rank 0, which has called MPI_Finalize",
            "request/never-started: rank 0 never started the request of MPI_Send_init"
        ]
    );
}

#[test]
fn waiting_for_some_completes_those_and_no_others() {
    let mut job = Job::new(2);
    for slot in 0..3 {
        job.irecv(0, 10, 1, slot, slot);
        job.send(mpi::SEND, 1, 20, 0, slot);
    }
    let all = [("incount", int(3)), ("array_of_requests", ints(&[request(0), request(1), request(2)]))];
    let some =
        [("outcount", int(2)), ("array_of_indices", ints(&[2, 0])), ("array_of_statuses", ints(&[1, 2, 4, 0, 1, 0, 4, 0]))];
    job.call(0, 11, mpi::WAITSOME, &all, &some);
    let any = [("count", int(3)), ("array_of_requests", ints(&[0x180, request(1), 0x180]))];
    job.call(0, 12, mpi::WAITANY, &any, &[("index", int(1)), ("status", status(1, 1, 4))]);
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), ["race/completion: rank 0 goes on in MPI_Waitsome with whichever of 3 requests completes first"]);
    let received: Vec<u32> = report.messages.iter().map(|m| m.received.event).collect();
    assert_eq!(received, [3, 4, 3]);
}

#[test]
fn leaks_are_told_once_a_line() {
    let mut job = Job::new(2);
    for rank in 0..2 {
        for n in 0..3 {
            let id = job::comm(0x1000_0000 + n, &[0, 1]);
            job.call(rank, 10, mpi::COMM_DUP, &[("comm", int(COMM_WORLD))], &[("newcomm", id)]);
        }
        let vector = [("count", int(2)), ("blocklength", int(1)), ("stride", int(4)), ("oldtype", int(job::INT))];
        job.call(rank, 20, mpi::TYPE_VECTOR, &vector, &[("newtype", int(0x1000))]);
    }
    job.finalize_all();
    assert_eq!(
        told(&job.check()),
        [
            "leak/communicator: ranks 0 and 1 never free 6 communicators of MPI_Comm_dup",
            "leak/datatype: ranks 0 and 1 never free the datatype of MPI_Type_vector"
        ]
    );
}

/// A library gives the handle of a group twice, and it is to be given back twice.
#[test]
fn everything_with_a_handle_can_leak() {
    let mut job = Job::new(1);
    let (world, made) = ([("comm", int(COMM_WORLD))], int(0x1000));
    for line in [10, 11, 12] {
        job.call(0, line, mpi::COMM_GROUP, &world, &[("group", made.clone())]);
    }
    job.call(0, 13, mpi::GROUP_FREE, &[("group", made.clone())], &[("group", int(0x115))]);
    job.call(0, 20, mpi::WIN_CREATE, &world, &[("win", made.clone())]);
    job.call(0, 21, mpi::FILE_OPEN, &world, &[("fh", made.clone())]);
    job.call(0, 22, mpi::INFO_CREATE, &[], &[("info", made.clone())]);
    job.call(0, 23, mpi::OP_CREATE, &[], &[("op", made.clone())]);
    job.call(0, 24, mpi::COMM_CREATE_ERRHANDLER, &[], &[("errhandler", made.clone())]);
    job.call(0, 25, mpi::FILE_OPEN, &world, &[("fh", int(0x1001))]);
    job.call(0, 26, mpi::FILE_CLOSE, &[("fh", int(0x1001))], &[]);
    job.finalize_all();
    let report = job.check();
    assert_eq!(
        told(&report),
        [
            "leak/group: rank 0 never frees the group of MPI_Comm_group",
            "leak/group: rank 0 never frees the group of MPI_Comm_group",
            "leak/operation: rank 0 never frees the operation of MPI_Op_create",
            "leak/window: rank 0 never frees the window of MPI_Win_create",
            "leak/file: rank 0 never closes the file of MPI_File_open",
            "leak/info: rank 0 never frees the info object of MPI_Info_create",
            "leak/errhandler: rank 0 never frees the error handler of MPI_Comm_create_errhandler",
        ]
    );
}

#[test]
fn what_an_attribute_may_free_does_not_leak() {
    let mut job = Job::new(1);
    let id = job::comm(0x1000_0000, &[0]);
    job.call(0, 10, mpi::COMM_DUP, &[("comm", int(COMM_WORLD))], &[("newcomm", id)]);
    job.call(0, 11, mpi::COMM_SET_ATTR, &[("comm", int(COMM_WORLD)), ("comm_keyval", int(0x1000))], &[]);
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0]);
}

#[test]
fn an_abort_is_told_and_nothing_else() {
    let mut job = Job::new(3);
    job.irecv(0, 5, 1, 9, 0);
    job.stuck(0, 10, mpi::RECV, &message("source", 1, 7, 1, job::INT));
    job.stuck(1, 20, mpi::ABORT, &[("comm", int(COMM_WORLD)), ("errorcode", int(3))]);
    job.stuck(2, 10, mpi::RECV, &message("source", 1, 7, 1, job::INT));
    assert_eq!(told(&job.check()), ["run/aborted: rank 1 called MPI_Abort with error code 3"]);
}

/// In some libraries MPI_Abort returns, and the rank goes on until it is killed.
#[test]
fn an_abort_that_returned_is_told_too() {
    let mut job = Job::new(2);
    job.call(1, 20, mpi::ABORT, &[("comm", int(COMM_WORLD)), ("errorcode", int(3))], &[]);
    job.stuck(1, 21, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    job.stuck(0, 10, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    let mut trace = job.trace();
    trace.processes[1].ending = Ending::Aborted;
    let report = sim::check(&trace, &Options::default());
    assert_eq!(told(&report), ["run/aborted: rank 1 called MPI_Abort with error code 3"]);
}

#[test]
fn a_rank_that_ended_without_finalize_is_named_with_who_waits_for_it() {
    let mut job = Job::new(3);
    job.barrier(0, 5);
    job.barrier(1, 5);
    job.barrier(2, 5);
    job.stuck(0, 10, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    job.killed(1);
    job.stuck(2, 10, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    let report = job.check();
    assert_eq!(told(&report), ["run/unfinished: the recording of rank 1 ends outside MPI, without MPI_Finalize"]);
    assert_eq!(job::labels(&report.findings[0]), ["1/0 was its last call", "0/1 waits for it; likewise rank 2"]);
}

#[test]
fn a_damaged_trace_accuses_nobody() {
    let mut job = Job::new(2);
    job.isend(0, 10, 1, 7, 0);
    job.send(mpi::SEND, 0, 11, 1, 8);
    job.finalize_all();
    let mut trace = job.trace();
    trace.damage.push("rank 1: the file is cut at byte 4711".into());
    let report = sim::check(&trace, &sim::Options::default());
    assert_eq!(told(&report), [""; 0]);
    assert_eq!(report.caveats, ["rank 1: the file is cut at byte 4711"]);
}

#[test]
fn what_returned_did_return_even_if_its_partner_is_not_on_record() {
    let mut job = Job::new(2);
    job.recv(0, 10, 1, 7);
    job.barrier(0, 11);
    job.barrier(1, 11);
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), [""; 0]);
    assert_eq!(report.finished_ranks, 2);
    assert_eq!(
        report.caveats,
        [
            "1 call returned in the recorded run though nothing in the trace tells why; the first is MPI_Recv of rank 0, its call 0"
        ]
    );
}
