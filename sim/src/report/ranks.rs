//! Sets of ranks in a few words: `rank 2`, `ranks 1-3, 7`.

/// The ranks with their noun. They need not be sorted.
///
/// ```
/// assert_eq!(sim::report::ranks::list(&[7, 1, 2, 3]), "ranks 1-3, 7");
/// assert_eq!(sim::report::ranks::list(&[2]), "rank 2");
/// ```
#[must_use]
pub fn list(ranks: &[u32]) -> String {
    words(ranks, usize::MAX)
}

/// Like [`list`], but never longer than a line: of many runs it has the first ones, and says how many ranks there are beside.
///
/// ```
/// let even: Vec<u32> = (0..4096).step_by(2).collect();
/// assert_eq!(sim::report::ranks::line(&even), "ranks 0, 2, 4, 6, 8, 10, 12, 14 and 2040 more");
/// ```
#[must_use]
pub fn line(ranks: &[u32]) -> String {
    /// Runs of a line.
    const RUNS_MAX: usize = 8;
    words(ranks, RUNS_MAX)
}

fn words(ranks: &[u32], runs_max: usize) -> String {
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let noun = if sorted.len() == 1 { "rank" } else { "ranks" };
    let runs = runs(&sorted);
    let (shown, rest) = runs.split_at(runs.len().min(runs_max));
    let shown: Vec<String> = shown.iter().map(|&(first, last)| run_text(first, last)).collect();
    let more = match rest.iter().map(|(first, last)| u64::from(last - first) + 1).sum::<u64>() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{noun} {}{more}", shown.join(", "))
}

/// The first and the last rank of each run of neighbours.
fn runs(sorted: &[u32]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &rank in sorted {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(rank) => *last = rank,
            _ => runs.push((rank, rank)),
        }
    }
    runs
}

fn run_text(first: u32, last: u32) -> String {
    match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}-{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_folded_and_pairs_are_not() {
        assert_eq!(list(&[0]), "rank 0");
        assert_eq!(list(&[1, 0]), "ranks 0, 1");
        assert_eq!(list(&[5, 3, 4, 0, 9, 3]), "ranks 0, 3-5, 9");
        assert_eq!(list(&[u32::MAX, u32::MAX - 1, u32::MAX - 2]), "ranks 4294967293-4294967295");
    }
}
