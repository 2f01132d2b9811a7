//! Virtual time: what a call takes on a network, and that it takes the same every time.

use crate::job::{self, Job, message};
use sim::Network;
use traces::constant::COMM_WORLD;
use traces::{Trace, mpi};

/// Round numbers: 1000 ns on the way, 100 ns a call, a byte a ns, no time between calls.
fn network() -> Network {
    Network { latency_ns: 1000, overhead_ns: 100, bytes_per_second: 1e9, eager_bytes: 1000, compute_scale: 0.0 }
}

/// Start and end of each call of a lane.
fn times(trace: &Trace, lane: usize) -> Vec<(u64, u64)> {
    trace.lanes[lane].events.iter().map(|e| (e.start_ns, e.end_ns())).collect()
}

fn transfer(count: i64) -> Trace {
    let mut job = Job::new(2);
    job.call(0, 1, mpi::SEND, &message("dest", 1, 7, count, job::BYTE), &[]);
    let status = ("status", job::status(0, 7, count));
    job.call(1, 2, mpi::RECV, &message("source", 0, 7, count, job::BYTE), &[status]);
    job.trace()
}

#[test]
fn a_short_message_leaves_at_once() {
    let run = sim::replay(&transfer(500), &network());
    assert_eq!(times(&run, 0), [(0, 100)]);
    assert_eq!(times(&run, 1), [(0, 100 + 1000 + 500 + 100)]);
}

#[test]
fn a_long_message_waits_for_its_receive() {
    let run = sim::replay(&transfer(5000), &network());
    assert_eq!(times(&run, 0), [(0, 100 + 1000 + 5000)]);
    assert_eq!(times(&run, 1), [(0, 100 + 2 * 1000 + 5000 + 100)]);
}

#[test]
fn a_barrier_lets_nobody_go_before_the_last_has_come() {
    let mut job = Job::new(4);
    for rank in 0..4 {
        job.barrier(rank, 1);
    }
    let mut trace = job.trace();
    trace.lanes[2].events[0].start_ns = 50_000;
    let network = Network { compute_scale: 1.0, ..network() };
    let run = sim::replay(&trace, &network);
    let end = 50_000 + 100 + 2 * (1000 + 2 * 100);
    for lane in 0..4 {
        assert_eq!(times(&run, lane)[0].1, end);
    }
}

#[test]
fn what_lies_between_calls_is_computing() {
    let mut job = Job::new(1);
    job.call(0, 1, mpi::COMM_RANK, &[("comm", job::int(COMM_WORLD))], &[("rank", job::int(0))]);
    job.call(0, 2, mpi::COMM_RANK, &[("comm", job::int(COMM_WORLD))], &[("rank", job::int(0))]);
    let trace = job.trace();
    let run = sim::replay(&trace, &Network { compute_scale: 3.0, ..network() });
    assert_eq!(times(&trace, 0), [(0, 1000), (2000, 3000)]);
    assert_eq!(times(&run, 0), [(0, 1000), (4000, 5000)]);
}

#[test]
fn a_call_that_never_returned_lasts_to_the_end() {
    let mut job = Job::new(2);
    job.stuck(0, 1, mpi::RECV, &message("source", 1, 7, 1, job::INT));
    job.call(1, 2, mpi::COMM_RANK, &[("comm", job::int(COMM_WORLD))], &[("rank", job::int(1))]);
    let run = sim::replay(&job.trace(), &network());
    assert_eq!(times(&run, 0), [(0, 1000)]);
    assert_eq!(run.lanes[0].events[0].outcome, None);
}

#[test]
fn no_network_is_so_slow_that_time_runs_over() {
    let slow = Network { latency_ns: u64::MAX, overhead_ns: u64::MAX, compute_scale: 1.0, ..network() };
    for count in [5, 5000] {
        assert_eq!(times(&sim::replay(&transfer(count), &slow), 1)[0].1, u64::MAX);
    }
    let mut job = Job::new(4);
    (0..4).for_each(|rank| job.barrier(rank, 1));
    assert_eq!(times(&sim::replay(&job.trace(), &slow), 0)[0].1, u64::MAX);
}

#[test]
fn the_same_run_takes_the_same_time() {
    let trace = transfer(5000);
    assert_eq!(sim::replay(&trace, &network()), sim::replay(&trace, &network()));
}
