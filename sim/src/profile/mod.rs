//! The profile of a recorded run: where its time went, and what was sent to whom, as sums over functions, call sites, ranks and pairs.
//!
//! It reads what the calls say, and matches nothing: a message counts where it is sent, so that also a run that broke off has a
//! profile. All thinking is done once for each distinct call of a lane; the events are only added up.

mod volume;
mod walk;

use rustc_hash::FxHashMap;
use traces::{Frame, Function};

pub use walk::profile;

/// The buckets of a histogram of sizes: empty messages, those of one byte, of 2 to 3, of 4 to 7, and so on.
pub const SIZES: usize = 65;

/// What calls sum up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many they are.
    pub calls: u64,
    /// How long they took.
    pub time_ns: u64,
    /// The longest of them.
    pub max_ns: u64,
    /// The rank that made it.
    pub max_rank: u32,
    /// The point-to-point messages that they sent.
    pub sent: Messages,
    /// The bytes that they handed to collectives and put into windows of other ranks.
    pub handed_bytes: u64,
    /// The bytes that they got out of windows.
    pub got_bytes: u64,
    /// The bytes that they asked for of files.
    pub read_bytes: u64,
    /// The bytes that they wrote to files.
    pub written_bytes: u64,
}

/// So many messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// How many.
    pub count: u64,
    /// How long they are together.
    pub bytes: u64,
}

impl Messages {
    /// Adds others.
    pub fn add(&mut self, other: Messages) {
        self.count += other.count;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Sum {
    /// All bytes that were moved in some way.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let parts = [self.sent.bytes, self.handed_bytes, self.got_bytes, self.read_bytes, self.written_bytes];
        parts.into_iter().fold(0, u64::saturating_add)
    }

    /// Adds other calls.
    pub fn add(&mut self, other: &Sum) {
        if other.max_ns > self.max_ns || self.calls == 0 {
            (self.max_ns, self.max_rank) = (other.max_ns, other.max_rank);
        }
        self.calls += other.calls;
        self.time_ns = self.time_ns.saturating_add(other.time_ns);
        self.sent.add(other.sent);
        self.handed_bytes = self.handed_bytes.saturating_add(other.handed_bytes);
        self.got_bytes = self.got_bytes.saturating_add(other.got_bytes);
        self.read_bytes = self.read_bytes.saturating_add(other.read_bytes);
        self.written_bytes = self.written_bytes.saturating_add(other.written_bytes);
    }
}

/// One rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RankSum {
    /// Its number in MPI_COMM_WORLD.
    pub rank: u32,
    /// From the first call of each of its threads to the last.
    pub run_ns: u64,
    /// Its calls.
    pub sum: Sum,
    /// The messages that were sent to it, by the ranks in the profile.
    pub received: Messages,
}

impl RankSum {
    /// The time that it was not in MPI.
    #[must_use]
    pub fn computing_ns(&self) -> u64 {
        self.run_ns.saturating_sub(self.sum.time_ns)
    }

    /// The part of its time that it was in MPI, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share is shown with three digits")]
    pub fn share(&self) -> f64 {
        if self.run_ns == 0 { 0.0 } else { self.sum.time_ns as f64 / self.run_ns as f64 }
    }
}

/// Where the time of a run went, and what was sent.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The ranks, by number: those that were recorded and asked for.
    pub ranks: Vec<RankSum>,
    /// The functions, the one that took most time first.
    pub functions: Vec<(Function, Sum)>,
    /// The call sites with their functions, likewise.
    pub sites: Vec<((Option<Frame>, Function), Sum)>,
    /// Who sent point-to-point messages to whom, by sender and receiver.
    pub pairs: Vec<((u32, u32), Messages)>,
    /// The point-to-point messages by size, see [`SIZES`].
    pub sizes: [Messages; SIZES],
    /// Sends of which the size is not known, and that count as empty.
    pub unknown: u64,
    /// Calls of threads that never had a rank, which are not counted.
    pub without_rank: u64,
}

impl Profile {
    /// All calls.
    #[must_use]
    pub fn total(&self) -> Sum {
        self.ranks.iter().fold(Sum::default(), |mut sum, rank| {
            sum.add(&rank.sum);
            sum
        })
    }

    /// The time of all ranks.
    #[must_use]
    pub fn run_ns(&self) -> u64 {
        self.ranks.iter().map(|rank| rank.run_ns).sum()
    }
}

/// The bucket of a size.
#[must_use]
pub fn bucket(bytes: u64) -> usize {
    (u64::BITS - bytes.leading_zeros()) as usize
}

/// The smallest size in a bucket.
#[must_use]
pub fn smallest(bucket: usize) -> u64 {
    if bucket == 0 { 0 } else { 1 << (bucket - 1) }
}

/// The sums, the longest time first; equal ones by key.
fn by_time<K: Ord + Copy>(sums: FxHashMap<K, Sum>) -> Vec<(K, Sum)> {
    let mut list: Vec<(K, Sum)> = sums.into_iter().collect();
    list.sort_unstable_by_key(|&(key, sum)| (std::cmp::Reverse(sum.time_ns), key));
    list
}

#[cfg(test)]
mod tests;
