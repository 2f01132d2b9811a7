//! Windows: their collectives, posts and starts, locks, epochs and ranges; against a model that knows only who waits for whom.

use crate::job::{self, Job, int, ints, labels, told};
use proptest::prelude::*;
use sim::Options;
use traces::constant::{COMM_WORLD, INFO_NULL, LOCK_EXCLUSIVE, LOCK_SHARED, MODE_NOPRECEDE};
use traces::{Function, Value, mpi};

/// The window's number, the same on all ranks.
const WIN: i64 = 0x1234_5678_9abc;
const GROUP: i64 = 0x1000;

/// Every rank makes a window of 64 bytes, whose unit is 4.
fn with_window(ranks: usize) -> Job {
    let mut job = Job::new(ranks);
    for rank in 0..ranks {
        let arguments = [
            ("base", int(0x1000 * (rank as i64 + 1))),
            ("size", int(64)),
            ("disp_unit", int(4)),
            ("info", int(INFO_NULL)),
            ("comm", int(COMM_WORLD)),
        ];
        job.call(rank, 1, mpi::WIN_CREATE, &arguments, &[("win", int(WIN))]);
    }
    job
}

fn fence(assert: i64) -> [(&'static str, Value); 2] {
    [("assert", int(assert)), ("win", int(WIN))]
}

fn lock(kind: i64, rank: i64) -> [(&'static str, Value); 3] {
    [("lock_type", int(kind)), ("rank", int(rank)), ("win", int(WIN))]
}

fn unlock(rank: i64) -> [(&'static str, Value); 2] {
    [("rank", int(rank)), ("win", int(WIN))]
}

/// A put of so many ints to a place of a rank.
fn put(target: i64, at: i64, count: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("origin_addr", int(0x9000)),
        ("origin_count", int(count)),
        ("origin_datatype", int(job::INT)),
        ("target_rank", int(target)),
        ("target_disp", int(at)),
        ("target_count", int(count)),
        ("target_datatype", int(job::INT)),
        ("win", int(WIN)),
    ]
}

fn free_and_finalize(mut job: Job, ranks: usize) -> Vec<String> {
    for rank in 0..ranks {
        job.call(rank, 90, mpi::WIN_FREE, &[("win", int(WIN))], &[]);
    }
    job.finalize_all();
    told(&job.check())
}

/// The calls that make a group of some ranks of MPI_COMM_WORLD.
fn group(job: &mut Job, rank: usize, number: i64, members: &[i64]) {
    job.call(rank, 2, mpi::COMM_GROUP, &[("comm", int(COMM_WORLD))], &[("group", int(GROUP))]);
    let arguments = [("group", int(GROUP)), ("n", int(members.len() as i64)), ("ranks", ints(members))];
    job.call(rank, 3, mpi::GROUP_INCL, &arguments, &[("newgroup", int(number))]);
    job.call(rank, 4, mpi::GROUP_FREE, &[("group", int(GROUP))], &[]);
}

#[test]
fn a_fence_that_one_rank_does_not_come_to_is_waited_for() {
    let mut job = with_window(3);
    for rank in 0..3 {
        job.call(rank, 10, mpi::WIN_FENCE, &fence(0), &[]);
    }
    job.stuck(0, 11, mpi::WIN_FENCE, &fence(0));
    job.stuck(1, 11, mpi::WIN_FENCE, &fence(0));
    job.stuck(2, 20, mpi::RECV, &job::message("source", 0, 0, 1, job::INT));
    let report = job.check();
    assert_eq!(told(&report), ["deadlock/cycle: ranks 0 and 2 wait for each other in MPI_Win_fence and MPI_Recv"]);
    assert_eq!(labels(&report.findings[0])[0], "0/2 waits for rank 2 to call MPI_Win_fence on win-9abc");
}

/// The standard lets the first fence of a window, and one that says so, return at once: a program that needs that is right.
#[test]
fn a_fence_that_ends_no_epoch_may_let_its_callers_go() {
    for assert in [0, MODE_NOPRECEDE] {
        let mut job = with_window(2);
        job.call(0, 10, mpi::WIN_FENCE, &fence(assert), &[]);
        job.send(mpi::SSEND, 0, 11, 1, 7);
        job.recv(1, 20, 0, 7);
        job.call(1, 21, mpi::WIN_FENCE, &fence(assert), &[]);
        assert_eq!(free_and_finalize(job, 2), [""; 0]);
    }
}

#[test]
fn a_fence_does_not_meet_the_end_of_the_window() {
    let mut job = with_window(2);
    job.stuck(0, 10, mpi::WIN_FENCE, &fence(0));
    job.stuck(1, 20, mpi::WIN_FREE, &[("win", int(WIN))]);
    assert_eq!(told(&job.check()), ["collective/order: rank 0 calls MPI_Win_fence where rank 1 calls MPI_Win_free"]);
}

/// In old traces each process counted its windows: who made which together is not known.
#[test]
fn windows_that_cannot_be_joined_are_not_judged() {
    let mut job = Job::new(2);
    for rank in 0..2 {
        let arguments = [("size", int(8)), ("disp_unit", int(1)), ("comm", int(COMM_WORLD))];
        job.call(rank, 1, mpi::WIN_CREATE, &arguments, &[("win", int(0x1000))]);
    }
    job.call(0, 2, mpi::WIN_FENCE, &[("assert", int(0)), ("win", int(0x1000))], &[]);
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0]);
}

#[test]
fn locks_that_cross_are_a_deadlock_and_one_after_the_other_is_none() {
    let mut job = with_window(3);
    for rank in 0..2 {
        job.call(rank, 10, mpi::WIN_LOCK, &lock(LOCK_EXCLUSIVE, rank as i64), &[]);
        job.stuck(rank, 11, mpi::WIN_LOCK, &lock(LOCK_EXCLUSIVE, 1 - rank as i64));
    }
    job.stuck(2, 20, mpi::WIN_FREE, &[("win", int(WIN))]);
    assert_eq!(told(&job.check()), ["deadlock/cycle: ranks 0 and 1 wait for each other in MPI_Win_lock"]);

    // Rank 1 came first in the run; the order is not known, and does not matter.
    let mut job = with_window(2);
    job.call(0, 10, mpi::WIN_LOCK, &lock(LOCK_EXCLUSIVE, 0), &[]);
    job.recv(0, 11, 1, 7);
    job.call(0, 12, mpi::WIN_UNLOCK, &unlock(0), &[]);
    job.call(1, 20, mpi::WIN_LOCK, &lock(LOCK_EXCLUSIVE, 0), &[]);
    job.call(1, 21, mpi::WIN_UNLOCK, &unlock(0), &[]);
    job.send(mpi::SEND, 1, 22, 0, 7);
    assert_eq!(free_and_finalize(job, 2), [""; 0]);
}

#[test]
fn a_lock_that_is_never_given_back_is_waited_for_for_ever() {
    let mut job = with_window(2);
    job.call(0, 10, mpi::WIN_LOCK, &lock(LOCK_EXCLUSIVE, 1), &[]);
    job.stuck(0, 11, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    job.call(1, 20, mpi::WIN_LOCK, &lock(LOCK_SHARED, 1), &[]);
    job.call(1, 21, mpi::PUT, &put(1, 0, 1), &[]);
    job.stuck(1, 22, mpi::WIN_UNLOCK, &unlock(1));
    let report = job.check();
    assert_eq!(told(&report), ["deadlock/cycle: ranks 0 and 1 wait for each other in MPI_Barrier and MPI_Win_unlock"]);
    let texts = labels(&report.findings[0]);
    assert!(
        texts.iter().any(|text| text.contains("waits for rank 0 to give back the lock on the memory of rank 1")),
        "{texts:?}"
    );
}

/// Shared locks exclude nobody; and whoever may still come out of its computing may give a lock back, or help to give it.
#[test]
fn what_only_takes_its_time_is_no_deadlock() {
    let mut job = with_window(2);
    for rank in 0..2 {
        job.call(rank, 10, mpi::WIN_LOCK, &lock(LOCK_SHARED, 0), &[]);
    }
    job.stuck(0, 11, mpi::RECV, &job::message("source", 1, 0, 1, job::INT));
    job.stuck(1, 12, mpi::WIN_UNLOCK, &unlock(0));
    assert_eq!(told(&job.check()), [""; 0]);

    let mut job = with_window(3);
    job.call(0, 10, mpi::WIN_LOCK, &lock(LOCK_EXCLUSIVE, 2), &[]);
    job.stuck(0, 11, mpi::RECV, &job::message("source", 1, 0, 1, job::INT));
    job.stuck(1, 12, mpi::WIN_LOCK, &lock(LOCK_EXCLUSIVE, 2));
    job.killed(2);
    let list = told(&job.check());
    assert!(list.iter().all(|text| text.starts_with("run/")), "rank 2 computes, and its memory is what they are about: {list:?}");
}

#[test]
fn a_call_outside_of_its_epoch_is_told() {
    let told_of = |function: Function, arguments: &[(&str, Value)]| {
        let mut job = with_window(2);
        job.call(0, 10, function, arguments, &[]);
        let mut list = free_and_finalize(job, 2);
        list.retain(|text| text.starts_with("rma/"));
        list
    };
    assert_eq!(told_of(mpi::PUT, &put(1, 0, 1)), ["rma/epoch: rank 0 calls MPI_Put outside of any epoch"]);
    assert_eq!(told_of(mpi::PUT, &put(traces::constant::PROC_NULL, 0, 1)), [""; 0]);
    let window = [("win", int(WIN))];
    assert_eq!(
        told_of(mpi::WIN_UNLOCK, &unlock(1)),
        ["rma/epoch: rank 0 calls MPI_Win_unlock where no MPI_Win_lock came before"]
    );
    assert_eq!(
        told_of(mpi::WIN_COMPLETE, &window),
        ["rma/epoch: rank 0 calls MPI_Win_complete where no MPI_Win_start came before"]
    );
    assert_eq!(
        told_of(mpi::WIN_FLUSH_ALL, &window),
        ["rma/epoch: rank 0 calls MPI_Win_flush_all where no MPI_Win_lock_all came before"]
    );
    assert_eq!(
        told_of(mpi::WIN_LOCK_ALL, &[("assert", int(0)), ("win", int(WIN))]),
        ["rma/epoch: rank 0 calls MPI_Win_free before MPI_Win_unlock_all"]
    );
}

#[test]
fn a_lock_is_of_one_target() {
    let mut job = with_window(2);
    job.call(0, 10, mpi::WIN_LOCK, &lock(LOCK_SHARED, 0), &[]);
    job.call(0, 11, mpi::PUT, &put(0, 0, 1), &[]);
    job.call(0, 12, mpi::PUT, &put(1, 0, 1), &[]);
    job.call(0, 13, mpi::WIN_UNLOCK, &unlock(0), &[]);
    assert_eq!(free_and_finalize(job, 2), ["rma/epoch: rank 0 calls MPI_Put outside of any epoch"]);
}

#[test]
fn what_lies_beyond_the_window_is_told_to_the_byte() {
    for (at, count, is_right) in [(0, 16, true), (15, 1, true), (15, 2, false), (16, 1, false), (-1, 1, false), (16, 0, true)] {
        let mut job = with_window(2);
        for rank in 0..2 {
            job.call(rank, 10, mpi::WIN_FENCE, &fence(0), &[]);
        }
        job.call(0, 11, mpi::PUT, &put(1, at, count), &[]);
        for rank in 0..2 {
            job.call(rank, 12, mpi::WIN_FENCE, &fence(0), &[]);
        }
        let expected: &[&str] =
            if is_right { &[] } else { &["rma/range: rank 0 calls MPI_Put beyond the 64 bytes that rank 1 has in the window"] };
        assert_eq!(free_and_finalize(job, 2), expected, "{count} from {at}");
    }
}

#[test]
fn one_buffer_for_two_is_told() {
    let arguments = |result: i64| {
        [
            ("origin_addr", int(0x9000)),
            ("result_addr", int(result)),
            ("datatype", int(job::DOUBLE)),
            ("target_rank", int(1)),
            ("target_disp", int(0)),
            ("op", int(job::SUM)),
            ("win", int(WIN)),
        ]
    };
    for (result, is_right) in [(0x9000, false), (0x9007, false), (0x9008, true), (0x8ff8, true)] {
        let mut job = with_window(2);
        job.call(0, 10, mpi::WIN_LOCK, &lock(LOCK_SHARED, 1), &[]);
        job.call(0, 11, mpi::FETCH_AND_OP, &arguments(result), &[]);
        job.call(0, 12, mpi::WIN_UNLOCK, &unlock(1), &[]);
        assert_eq!(free_and_finalize(job, 2).is_empty(), is_right, "{result:#x}");
    }
}

/// What a rank does in the model: with whom, as a set of bits.
#[derive(Clone, Copy, Debug)]
enum Step {
    Expose(u8),
    Access(u8),
    Both(u8, u8),
}

/// The calls of a rank: a function and the ranks that it names.
fn calls(steps: &[Step], rank: usize) -> Vec<(Function, u8)> {
    let others = |set: u8| set & !(1 << rank);
    let one = |step: &Step| match *step {
        Step::Expose(set) => vec![(mpi::WIN_POST, others(set)), (mpi::WIN_WAIT, 0)],
        Step::Access(set) => vec![(mpi::WIN_START, others(set)), (mpi::WIN_COMPLETE, 0)],
        Step::Both(from, to) => {
            vec![(mpi::WIN_POST, others(from)), (mpi::WIN_START, others(to)), (mpi::WIN_COMPLETE, 0), (mpi::WIN_WAIT, 0)]
        }
    };
    steps.iter().flat_map(one).collect()
}

/// How far each rank comes in a library that lets nobody start before the post.
fn run(programs: &[Vec<(Function, u8)>]) -> Vec<usize> {
    let ranks = programs.len();
    let mut at = vec![0; ranks];
    let (mut posted, mut started) = (vec![vec![0; ranks]; ranks], vec![vec![0; ranks]; ranks]);
    let (mut completed, mut waited) = (vec![vec![0; ranks]; ranks], vec![vec![0; ranks]; ranks]);
    let mut open = vec![[0u8; 2]; ranks];
    let members = |set: u8| (0..ranks).filter(move |rank| set >> rank & 1 == 1);
    loop {
        let mut has_moved = false;
        for rank in 0..ranks {
            let Some((function, set)) = programs[rank].get(at[rank]).copied() else { continue };
            let can = match function {
                mpi::WIN_START => members(set).all(|from| posted[from][rank] > started[from][rank]),
                mpi::WIN_WAIT => members(open[rank][0]).all(|from| completed[from][rank] > waited[from][rank]),
                _ => true,
            };
            if !can {
                continue;
            }
            match function {
                mpi::WIN_POST => {
                    open[rank][0] = set;
                    members(set).for_each(|to| posted[rank][to] += 1);
                }
                mpi::WIN_START => {
                    open[rank][1] = set;
                    members(set).for_each(|from| started[from][rank] += 1);
                }
                mpi::WIN_COMPLETE => members(open[rank][1]).for_each(|to| completed[rank][to] += 1),
                _ => members(open[rank][0]).for_each(|from| waited[from][rank] += 1),
            }
            at[rank] += 1;
            has_moved = true;
        }
        if !has_moved {
            return at;
        }
    }
}

fn steps(ranks: usize) -> impl Strategy<Value = Vec<Vec<Step>>> {
    let set = 0u8..1 << ranks;
    let step = prop_oneof![
        set.clone().prop_map(Step::Expose),
        set.clone().prop_map(Step::Access),
        (set.clone(), set).prop_map(|(from, to)| Step::Both(from, to)),
    ];
    prop::collection::vec(prop::collection::vec(step, 0..4), ranks)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Of posts and starts, a deadlock is told where a rank is stuck, and nowhere else.
    #[test]
    fn posts_and_starts_are_a_deadlock_where_a_rank_is_stuck(programs in steps(3)) {
        let ranks = programs.len();
        let programs: Vec<_> = programs.iter().enumerate().map(|(rank, steps)| calls(steps, rank)).collect();
        let ends = run(&programs);
        let mut job = with_window(ranks);
        for (rank, program) in programs.iter().enumerate() {
            for (number, (function, set)) in program.iter().enumerate().take(ends[rank] + 1) {
                let mut arguments = vec![("win", int(WIN))];
                if matches!(*function, mpi::WIN_POST | mpi::WIN_START) {
                    let members: Vec<i64> = (0..ranks as i64).filter(|member| set >> member & 1 == 1).collect();
                    let own = GROUP + 1 + number as i64;
                    group(&mut job, rank, own, &members);
                    arguments.extend([("group", int(own)), ("assert", int(0))]);
                }
                let line = 100 + number as u64;
                if number == ends[rank] { job.stuck(rank, line, *function, &arguments) } else { job.call(rank, line, *function, &arguments, &[]) }
            }
            if ends[rank] == program.len() {
                job.finalize(rank);
            }
        }
        let is_stuck = ends.iter().zip(&programs).any(|(end, program)| *end < program.len());
        let report = sim::check(&job.trace(), &Options::default());
        let deadlocks = told(&report).iter().filter(|text| text.starts_with("deadlock/")).count();
        prop_assert_eq!(deadlocks > 0, is_stuck, "{:?} {:?}", ends, told(&report));
    }
}
