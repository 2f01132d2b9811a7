//! Collectives on which the ranks do not agree, and correct ones that look different from rank to rank.

use crate::job::{self, Job, int, ints, labels, told};
use sim::{Buffering, Options, Severity};
use traces::constant::{COMM_WORLD, IN_PLACE};
use traces::{Function, Value, mpi};

/// Every rank makes a call, with arguments of its own, and finalizes.
fn all(ranks: usize, function: Function, arguments: impl Fn(usize) -> Vec<(&'static str, Value)>) -> Vec<String> {
    let mut job = Job::new(ranks);
    for rank in 0..ranks {
        let mut list = arguments(rank);
        list.push(("comm", int(COMM_WORLD)));
        job.call(rank, 10, function, &list, &[]);
    }
    job.finalize_all();
    told(&job.check())
}

#[test]
fn another_order_is_told_with_who_calls_what() {
    let mut job = Job::new(3);
    let bcast = [("count", int(1)), ("datatype", int(job::INT)), ("root", int(0)), ("comm", int(COMM_WORLD))];
    for rank in 0..3 {
        if rank == 1 {
            job.barrier(rank, 20);
            job.call(rank, 21, mpi::BCAST, &bcast, &[]);
        } else {
            job.call(rank, 10, mpi::BCAST, &bcast, &[]);
            job.barrier(rank, 11);
        }
    }
    job.finalize_all();
    let report = job.check();
    assert_eq!(told(&report), ["collective/order: rank 1 calls MPI_Barrier where ranks 0 and 2 call MPI_Bcast"]);
    assert_eq!(
        labels(&report.findings[0]),
        ["1/0 is collective call 1 on MPI_COMM_WORLD", "0/0 is collective call 1 on MPI_COMM_WORLD; likewise rank 2"]
    );
}

#[test]
fn a_wrong_order_that_hangs_is_no_deadlock_beside() {
    let mut job = Job::new(3);
    job.stuck(0, 10, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    job.stuck(1, 10, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    let reduce = [("count", int(1)), ("datatype", int(job::INT)), ("op", int(job::SUM)), ("comm", int(COMM_WORLD))];
    job.stuck(2, 20, mpi::ALLREDUCE, &reduce);
    assert_eq!(told(&job.check()), ["collective/order: rank 2 calls MPI_Allreduce where ranks 0 and 1 call MPI_Barrier"]);
}

#[test]
fn a_blocking_collective_does_not_meet_its_nonblocking_form() {
    let mut job = Job::new(2);
    job.barrier(0, 10);
    job.call(1, 20, mpi::IBARRIER, &[("comm", int(COMM_WORLD))], &[("request", int(job::request(0)))]);
    job.wait(1, 21, 0);
    job.finalize_all();
    assert_eq!(told(&job.check()), ["collective/order: rank 0 calls MPI_Barrier where rank 1 calls MPI_Ibarrier"]);
}

#[test]
fn roots_and_operations_have_to_agree() {
    let bcast = |root: fn(usize) -> i64| {
        all(4, mpi::BCAST, move |rank| vec![("count", int(1)), ("datatype", int(job::INT)), ("root", int(root(rank)))])
    };
    assert_eq!(bcast(|_| 2), [""; 0]);
    assert_eq!(
        bcast(|rank| i64::from(rank == 3)),
        ["collective/root: in MPI_Bcast, ranks 0-2 name root 0 and rank 3 names root 1"]
    );
    let reduce = |op: fn(usize) -> i64| {
        all(2, mpi::ALLREDUCE, move |rank| vec![("count", int(1)), ("datatype", int(job::INT)), ("op", int(op(rank)))])
    };
    assert_eq!(reduce(|_| job::SUM), [""; 0]);
    assert_eq!(reduce(|rank| 0x1000 + rank as i64), [""; 0], "operations of a program's own cannot be compared");
    assert_eq!(
        reduce(|rank| if rank == 0 { job::SUM } else { job::MAX }),
        ["collective/operation: in MPI_Allreduce, rank 0 reduces with MPI_SUM and rank 1 reduces with MPI_MAX"]
    );
}

#[test]
fn what_one_gives_is_what_the_other_one_expects() {
    let bcast = |data: fn(usize) -> (i64, i64)| {
        all(2, mpi::BCAST, move |rank| vec![("count", int(data(rank).0)), ("datatype", int(data(rank).1)), ("root", int(0))])
    };
    assert_eq!(bcast(|rank| if rank == 0 { (4, job::INT) } else { (16, job::BYTE) }), [""; 0]);
    assert_eq!(
        bcast(|rank| if rank == 0 { (4, job::INT) } else { (5, job::INT) }),
        ["collective/type: in MPI_Bcast, rank 0 sends 16 bytes and rank 1 expects 20 bytes"]
    );
    assert_eq!(
        bcast(|rank| if rank == 0 { (1, job::DOUBLE) } else { (2, job::INT) }),
        ["collective/type: in MPI_Bcast, rank 0 sends 8-byte floating-point numbers and rank 1 expects 4-byte integers"]
    );
}

#[test]
fn vector_forms_are_compared_pair_by_pair() {
    let gatherv = |counts: [i64; 3]| {
        all(3, mpi::GATHERV, move |rank| {
            let mut list = vec![("sendcount", int(rank as i64 + 1)), ("sendtype", int(job::INT)), ("root", int(0))];
            if rank == 0 {
                list.extend([("recvcounts", ints(&counts)), ("displs", ints(&[0, 1, 3])), ("recvtype", int(job::INT))]);
            }
            list
        })
    };
    assert_eq!(gatherv([1, 2, 3]), [""; 0]);
    assert_eq!(gatherv([1, 2, 2]), ["collective/type: in MPI_Gatherv, rank 2 sends 12 bytes and rank 0 expects 8 bytes"]);
    let alltoallv = |last: i64| {
        all(2, mpi::ALLTOALLV, move |rank| {
            let (send, recv) = if rank == 0 { ([1, 2], [1, 4]) } else { ([3 + last, 4], [2, 4]) };
            vec![
                ("sendcounts", ints(&send)),
                ("sendtype", int(job::INT)),
                ("recvcounts", ints(&recv)),
                ("recvtype", int(job::INT)),
            ]
        })
    };
    assert_eq!(alltoallv(1), [""; 0]);
    assert_eq!(alltoallv(0), ["collective/type: in MPI_Alltoallv, rank 1 sends 12 bytes and rank 0 expects 16 bytes"]);
}

#[test]
fn data_in_its_place_is_described_once() {
    let gather = all(2, mpi::GATHER, |rank| {
        let mut list = vec![("sendcount", int(4)), ("sendtype", int(job::INT)), ("root", int(0))];
        if rank == 0 {
            // What stands beside MPI_IN_PLACE is ignored.
            list = vec![("sendbuf", int(IN_PLACE)), ("sendcount", int(0)), ("sendtype", int(0x200)), ("root", int(0))];
            list.extend([("recvcount", int(4)), ("recvtype", int(job::INT))]);
        }
        list
    });
    assert_eq!(gather, [""; 0]);
    let allgather = all(2, mpi::ALLGATHER, |_| {
        vec![("sendbuf", int(IN_PLACE)), ("sendcount", int(0)), ("recvcount", int(2)), ("recvtype", int(job::INT))]
    });
    assert_eq!(allgather, [""; 0]);
}

#[test]
fn the_same_mistake_on_many_ranks_and_times_is_one_finding() {
    let mut job = Job::new(64);
    for _ in 0..10 {
        for rank in 0..64 {
            let root = int(i64::from(rank == 63));
            let arguments = [("count", int(1)), ("datatype", int(job::INT)), ("root", root), ("comm", int(COMM_WORLD))];
            job.call(rank, 10, mpi::BCAST, &arguments, &[]);
        }
    }
    job.finalize_all();
    let report = job.check();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].labels.len(), 2);
    assert_eq!(report.collectives.len(), 10);
}

#[test]
fn halves_of_a_communicator_may_go_different_ways() {
    let mut job = Job::new(4);
    for rank in 0..4 {
        let half = rank as i64 / 2;
        let members = [2 * half, 2 * half + 1];
        let split = [("comm", int(COMM_WORLD)), ("color", int(half)), ("key", int(0))];
        let id = 0x1000_0000 + half;
        job.call(rank, 5, mpi::COMM_SPLIT, &split, &[("newcomm", job::comm(id, &members))]);
        if half == 0 {
            job.call(rank, 10, mpi::BARRIER, &[("comm", int(id))], &[]);
        } else {
            let arguments = [("count", int(1)), ("datatype", int(job::INT)), ("op", int(job::SUM)), ("comm", int(id))];
            job.call(rank, 11, mpi::ALLREDUCE, &arguments, &[]);
        }
        job.call(rank, 12, mpi::COMM_FREE, &[("comm", int(id))], &[]);
    }
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0]);
}

#[test]
fn only_its_group_makes_a_communicator_of_a_group() {
    let mut job = Job::new(3);
    for rank in [0, 2] {
        job.call(rank, 1, mpi::COMM_GROUP, &[("comm", int(COMM_WORLD))], &[("group", int(0x1000))]);
        let part = [("group", int(0x1000)), ("n", int(2)), ("ranks", ints(&[0, 2]))];
        job.call(rank, 2, mpi::GROUP_INCL, &part, &[("newgroup", int(0x1001))]);
    }
    let create = [("comm", int(COMM_WORLD)), ("group", int(0x1001)), ("tag", int(5))];
    job.stuck(0, 10, mpi::COMM_CREATE_GROUP, &create);
    job.stuck(2, 20, mpi::RECV, &job::message("source", 0, 7, 1, job::INT));
    job.finalize(1);
    assert_eq!(told(&job.check()), ["deadlock/cycle: ranks 0 and 2 wait for each other in MPI_Comm_create_group and MPI_Recv"]);
}

#[test]
fn a_root_that_left_early_is_wrong_only_where_nobody_may() {
    // Rank 0 sends after its broadcast, rank 1 receives before it: right only if the root need not wait.
    let mut job = Job::new(2);
    let bcast = [("count", int(1)), ("datatype", int(job::INT)), ("root", int(0)), ("comm", int(COMM_WORLD))];
    job.call(0, 10, mpi::BCAST, &bcast, &[]);
    job.send(mpi::SEND, 0, 11, 1, 7);
    job.recv(1, 20, 0, 7);
    job.call(1, 21, mpi::BCAST, &bcast, &[]);
    job.finalize_all();
    let trace = job.trace();
    let needs = ["deadlock/collective: ranks 0 and 1 would wait for each other in MPI_Bcast and MPI_Recv \
          if collectives waited for all their members"];
    for (buffering, severity) in [(None, Severity::Warning), (Some(Buffering::Zero), Severity::Error)] {
        let report = sim::check(&trace, &Options { buffering, ..Options::default() });
        assert_eq!((told(&report), report.findings[0].severity), (needs.map(String::from).into(), severity));
    }
}
