//! How long a run takes in virtual time, beside how long it took.

use traces::{Event, Trace};

use super::numbers::{counted, duration};

/// More ranks than these are not all listed: those that take longest are.
const RANKS_MAX: usize = 32;

/// A table of the recorded and the simulated time of each rank, and of the whole run. Both traces have the same calls.
#[must_use]
pub fn render(recorded: &Trace, simulated: &Trace) -> String {
    let mut ranks: Vec<(u32, u64, u64)> =
        (0..recorded.world_size).map(|rank| (rank, end_of(recorded, rank), end_of(simulated, rank))).collect();
    let left_out = ranks.len().saturating_sub(RANKS_MAX);
    if left_out > 0 {
        ranks.sort_by_key(|&(rank, _, simulated)| (std::cmp::Reverse(simulated), rank));
        ranks.truncate(RANKS_MAX);
    }
    let mut text = line("", "recorded", "simulated", "ratio");
    for (rank, recorded, simulated) in ranks {
        text += &times(&format!("rank {rank}"), recorded, simulated);
    }
    if left_out > 0 {
        text += &format!("({} more that end earlier)\n", counted(left_out as u64, "rank"));
    }
    text + &times("all", recorded.end_ns(), simulated.end_ns())
}

/// When the last call of a rank ended.
fn end_of(trace: &Trace, rank: u32) -> u64 {
    let lanes = &trace.lanes[trace.lanes_of(rank)];
    lanes.iter().filter_map(|lane| lane.events.last()).map(Event::end_ns).max().unwrap_or(0)
}

fn times(what: &str, recorded: u64, simulated: u64) -> String {
    let ratio = if recorded == 0 { "-".to_owned() } else { format!("{:.3}", simulated as f64 / recorded as f64) };
    line(what, &duration(recorded), &duration(simulated), &ratio)
}

fn line(what: &str, recorded: &str, simulated: &str, ratio: &str) -> String {
    format!("{what:<12}{recorded:>14}{simulated:>14}{ratio:>10}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use traces::{TraceBuilder, Value, mpi};

    /// A trace in which rank 0 makes one call, rank 1 two, and so on, each of `duration_ns`.
    fn staircase(ranks: u32, duration_ns: u64) -> Trace {
        let mut builder = TraceBuilder::with_ranks(ranks);
        for rank in 0..ranks {
            for _ in 0..=rank {
                builder.push(rank as usize, mpi::BARRIER, 1, &[("comm", Value::Int(0x101))], Some(&[]));
            }
        }
        let mut trace = builder.finish();
        for lane in &mut trace.lanes {
            for (at, event) in lane.events.iter_mut().enumerate() {
                (event.start_ns, event.duration_ns) = (at as u64 * duration_ns, duration_ns);
            }
        }
        trace
    }

    #[test]
    fn each_rank_has_a_line() {
        insta::assert_snapshot!(render(&staircase(4, 2_000_000), &staircase(4, 1_500)));
    }

    #[test]
    fn of_many_ranks_those_that_take_longest_have_one() {
        let text = render(&staircase(100, 1000), &staircase(100, 500));
        assert_eq!(text.lines().count(), RANKS_MAX + 3);
        assert!(text.contains("rank 99 ") && text.contains("rank 68 ") && !text.contains("rank 67 "), "{text}");
        assert!(text.contains("(68 ranks more that end earlier)"), "{text}");
    }

    #[test]
    fn a_rank_without_calls_has_no_ratio() {
        let empty = TraceBuilder::with_ranks(1).finish();
        assert!(render(&empty, &empty).lines().all(|line| !line.contains("NaN")));
    }
}
