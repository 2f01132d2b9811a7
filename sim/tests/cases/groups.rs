//! Collectives in which members wait for some others only: neighbours, the other one of two groups, those of a session, other worlds.

use crate::job::{self, Job, comm, int, ints, told};
use sim::{Buffering, Options};
use traces::constant::{COMM_WORLD, PROC_NULL, ROOT};
use traces::trace::World;
use traces::{Trace, Value, mpi};

const TOPOLOGY: i64 = 0x1_0000;
const ACROSS: i64 = 0x2_0000;

fn allgather(comm: i64) -> Vec<(&'static str, Value)> {
    let counts = [("sendcount", int(1)), ("recvcount", int(1)), ("comm", int(comm))];
    [&counts[..], &[("sendtype", int(job::INT)), ("recvtype", int(job::INT))]].concat()
}

/// A line of four, 0 to 3.
fn line() -> Job {
    let mut job = Job::new(4);
    for rank in 0..4 {
        let grid = [("comm_old", int(COMM_WORLD)), ("dims", ints(&[4])), ("periods", ints(&[0]))];
        job.call(rank, 1, mpi::CART_CREATE, &grid, &[("comm_cart", comm(TOPOLOGY, &[0, 1, 2, 3]))]);
    }
    job
}

fn free_and_finalize(job: &mut Job, comm: i64) {
    for rank in 0..4 {
        job.call(rank, 90, mpi::COMM_FREE, &[("comm", int(comm))], &[]);
    }
    job.finalize_all();
}

#[test]
fn neighbours_wait_for_neighbours_only() {
    // Rank 0 has what it needs when ranks 0 and 1 have come; rank 3 comes after it has heard of rank 0.
    let mut job = line();
    for rank in 0..3 {
        job.call(rank, 10, mpi::NEIGHBOR_ALLGATHER, &allgather(TOPOLOGY), &[]);
    }
    job.send(mpi::SEND, 0, 11, 3, 7);
    job.recv(3, 12, 0, 7);
    job.call(3, 10, mpi::NEIGHBOR_ALLGATHER, &allgather(TOPOLOGY), &[]);
    free_and_finalize(&mut job, TOPOLOGY);
    let trace = job.trace();
    let needs =
        ["deadlock/collective: ranks 0 and 3 would wait for each other in MPI_Neighbor_allgather and MPI_Recv if collectives \
                  waited for all their members"];
    for buffering in [None, Some(Buffering::Zero)] {
        assert_eq!(told(&sim::check(&trace, &Options { buffering, ..Options::default() })), needs);
    }
}

#[test]
fn neighbours_that_need_each_other_are_stuck() {
    let mut job = line();
    for rank in [0, 1, 3] {
        job.stuck(rank, 10, mpi::NEIGHBOR_ALLGATHER, &allgather(TOPOLOGY));
    }
    job.stuck(2, 12, mpi::RECV, &job::message("source", 1, 7, 1, job::INT));
    let cycle = ["deadlock/cycle: ranks 1 and 2 wait for each other in MPI_Neighbor_allgather and MPI_Recv"];
    assert_eq!(told(&job.check()), cycle);
}

/// Even and odd ranks of four.
fn two_groups() -> Job {
    let mut job = Job::new(4);
    for rank in 0..4 {
        let groups = if rank % 2 == 0 { [0, 2, 1, 3] } else { [1, 3, 0, 2] };
        let made = ints(&[&[ACROSS, 2], &groups[..]].concat());
        job.call(rank, 1, mpi::INTERCOMM_CREATE, &[("local_comm", int(COMM_WORLD))], &[("newintercomm", made)]);
    }
    job
}

fn bcast(root: i64, count: i64) -> Vec<(&'static str, Value)> {
    vec![("count", int(count)), ("datatype", int(job::INT)), ("root", int(root)), ("comm", int(ACROSS))]
}

#[test]
fn of_two_groups_one_waits_for_the_other() {
    let mut job = two_groups();
    for (rank, root) in [(0, ROOT), (2, PROC_NULL)] {
        job.call(rank, 10, mpi::BCAST, &bcast(root, 1), &[]);
    }
    job.stuck(1, 10, mpi::BCAST, &bcast(1, 1));
    job.stuck(3, 10, mpi::BCAST, &bcast(0, 1));
    let told_of = ["collective/root: in MPI_Bcast, rank 0 is the root and rank 1 names rank 2 as root"];
    assert_eq!(told(&job.check())[..1], told_of);

    let mut job = two_groups();
    for rank in [0, 1, 2] {
        job.stuck(rank, 10, mpi::BARRIER, &[("comm", int(ACROSS))]);
    }
    job.stuck(3, 11, mpi::RECV, &job::message("source", 2, 7, 1, job::INT));
    let cycle = told(&job.check());
    assert_eq!(cycle, ["deadlock/cycle: ranks 2 and 3 wait for each other in MPI_Barrier and MPI_Recv"]);
}

#[test]
fn one_group_gives_what_the_other_one_takes() {
    let all = |count: [i64; 4]| {
        let mut job = two_groups();
        for (rank, root) in [(0, ROOT), (2, PROC_NULL), (1, 0), (3, 0)] {
            job.call(rank, 10, mpi::BCAST, &bcast(root, count[rank]), &[]);
        }
        free_and_finalize(&mut job, ACROSS);
        told(&job.check())
    };
    assert_eq!(all([4, 4, 9, 4]), [""; 0], "rank 2 takes no part");
    assert_eq!(all([4, 4, 4, 5]), ["collective/type: in MPI_Bcast, rank 0 sends 16 bytes and rank 3 expects 20 bytes"]);
}

#[test]
fn the_set_of_a_session_tells_who_makes_a_communicator() {
    let mut job = Job::new(3);
    let from_group = |group| [("group", int(group)), ("stringtag", Value::Text("some".into()))];
    for rank in 0..3 {
        let set = [("session", int(0x1000)), ("pset_name", Value::Text("mpi://WORLD".into()))];
        job.call(rank, 1, mpi::GROUP_FROM_SESSION_PSET, &set, &[("newgroup", int(0x1000))]);
        if rank < 2 {
            job.stuck(rank, 2, mpi::COMM_CREATE_FROM_GROUP, &from_group(0x1000));
        }
    }
    job.stuck(2, 3, mpi::RECV, &job::message("source", 0, 0, 1, job::INT));
    let report = job.check();
    let cycle = ["deadlock/cycle: ranks 0 and 2 wait for each other in MPI_Comm_create_from_group and MPI_Recv"];
    assert_eq!(told(&report), cycle);
}

/// Ranks 0 and 1, of which the first starts two more.
fn two_worlds(rest: impl FnOnce(&mut Job)) -> Trace {
    const WORLD: i64 = 77;
    let named = |rank: i64| WORLD << 32 | rank;
    let mut job = Job::new(4);
    for rank in 0..2 {
        let made = ints(&[ACROSS, 2, 0, 1, named(0), named(1)]);
        job.call(rank, 1, mpi::COMM_SPAWN, &[("root", int(0)), ("comm", int(COMM_WORLD))], &[("intercomm", made)]);
    }
    for rank in 2..4 {
        let parent = ints(&[ACROSS, 2, named(0), named(1), 0, 1]);
        job.call(rank, 2, mpi::COMM_GET_PARENT, &[], &[("parent", parent)]);
        job.barrier(rank, 3);
    }
    rest(&mut job);
    let mut trace = job.trace();
    trace.spawned = vec![World { number: u32::try_from(WORLD).unwrap(), first: 2, size: 2 }];
    trace
}

#[test]
fn worlds_that_started_others_communicate_with_them() {
    let talk = |job: &mut Job, tag: i64| {
        let message = |peer, rank, tag| {
            let mut list = job::message(peer, rank, tag, 1, job::INT);
            list.retain(|(name, _)| *name != "comm");
            [&list[..], &[("comm", int(ACROSS))]].concat()
        };
        job.call(1, 10, mpi::SEND, &message("dest", 0, 7), &[]);
        job.call(2, 11, mpi::RECV, &message("source", 1, tag), &[("status", job::status(1, 7, 4))]);
        // A barrier of the first world, and nothing that the other one is in.
        job.barrier(0, 12);
        job.barrier(1, 12);
        for rank in 0..4 {
            job.call(rank, 90, mpi::COMM_DISCONNECT, &[("comm", int(ACROSS))], &[]);
        }
        job.finalize_all();
    };
    let report = sim::check(&two_worlds(|job| talk(job, 7)), &Options::default());
    assert_eq!(told(&report), [""; 0]);
    assert_eq!((report.messages.len(), report.finished_ranks), (1, 4));
    assert_eq!(report.caveats, ["ranks 2-3 are 0-1 of an MPI_COMM_WORLD of their own, which others started"]);
}

/// Ranks 0 and 1, and ranks 2 and 3, are groups; the first wants to meet the second.
fn halves() -> Job {
    let mut job = Job::new(4);
    for rank in 0..4 {
        let (half, members) = if rank < 2 { (TOPOLOGY, [0, 1]) } else { (TOPOLOGY + 1, [2, 3]) };
        job.call(rank, 1, mpi::COMM_SPLIT, &[("comm", int(COMM_WORLD))], &[("newcomm", comm(half, &members))]);
    }
    for rank in 0..2 {
        job.stuck(rank, 10, mpi::INTERCOMM_CREATE, &across(TOPOLOGY, 2, 7));
    }
    job
}

fn across(half: i64, remote_leader: i64, tag: i64) -> Vec<(&'static str, Value)> {
    let leaders = [("local_leader", int(0)), ("remote_leader", int(remote_leader)), ("tag", int(tag))];
    [&[("local_comm", int(half)), ("peer_comm", int(COMM_WORLD))][..], &leaders].concat()
}

#[test]
fn a_group_waits_for_the_leader_of_the_other() {
    let mut job = halves();
    job.stuck(2, 20, mpi::RECV, &job::message("source", 0, 1, 1, job::INT));
    job.finalize(3);
    let report = job.check();
    assert_eq!(told(&report), ["deadlock/cycle: ranks 0 and 2 wait for each other in MPI_Intercomm_create and MPI_Recv"]);
    assert!(job::labels(&report.findings[0])[0].contains("waits for rank 2 to call MPI_Intercomm_create"));
    // With another tag, it is another meeting.
    let mut job = halves();
    for rank in 2..4 {
        job.stuck(rank, 20, mpi::INTERCOMM_CREATE, &across(TOPOLOGY + 1, 0, 8));
    }
    let report = job.check();
    assert_eq!(told(&report).len(), 1, "{:?}", told(&report));
    assert!(told(&report)[0].starts_with("deadlock/cycle: ranks 0 and 2 wait for each other in MPI_Intercomm_create"));
    // Those who meet are no deadlock, whatever keeps them.
    let mut job = halves();
    for rank in 2..4 {
        job.stuck(rank, 20, mpi::INTERCOMM_CREATE, &across(TOPOLOGY + 1, 0, 7));
    }
    assert!(!told(&job.check()).iter().any(|title| title.starts_with("deadlock")));
}

/// Members of one group that meet another one at a port have to come all.
#[test]
fn a_group_comes_to_a_port_together() {
    let mut job = Job::new(2);
    job.stuck(0, 10, mpi::COMM_ACCEPT, &[("root", int(0)), ("comm", int(COMM_WORLD))]);
    job.stuck(1, 20, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    assert_eq!(told(&job.check()), ["collective/order: rank 1 calls MPI_Barrier where rank 0 calls MPI_Comm_accept"]);
    let mut job = Job::new(2);
    for rank in 0..2 {
        job.stuck(rank, 10, mpi::COMM_ACCEPT, &[("root", int(0)), ("comm", int(COMM_WORLD))]);
    }
    assert!(!told(&job.check()).iter().any(|title| title.starts_with("deadlock")), "somebody may still connect");
}
