//! The network that virtual time is told by: a few numbers in the manner of LogGP.
//!
//! It knows of no topology and no contention: every pair of ranks has the same line to itself.

use serde::{Deserialize, Serialize};

/// How long communication takes. The defaults are those of a good cluster network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// From one rank to another, for a message of no length, in ns.
    pub latency_ns: u64,
    /// What a processor spends on sending or receiving a message, in ns.
    pub overhead_ns: u64,
    /// Bytes that a line carries in a second.
    pub bytes_per_second: f64,
    /// Messages of at most so many bytes leave at once; longer ones wait for their receive.
    pub eager_bytes: u64,
    /// Time spent between calls, as a multiple of that in the recorded run.
    pub compute_scale: f64,
}

impl Default for Network {
    fn default() -> Network {
        Network { latency_ns: 1500, overhead_ns: 200, bytes_per_second: 12.5e9, eager_bytes: 8192, compute_scale: 1.0 }
    }
}

impl Network {
    /// How long these bytes are on the line, in ns.
    #[must_use]
    pub fn transfer_ns(&self, bytes: u64) -> u64 {
        rounded(bytes as f64 * 1e9 / self.bytes_per_second)
    }

    /// How long a processor computes that took so long in the recorded run.
    #[must_use]
    pub fn compute_ns(&self, recorded_ns: u64) -> u64 {
        rounded(recorded_ns as f64 * self.compute_scale)
    }

    /// How long a collective takes when all have come: a message in each of ⌈log₂ members⌉ rounds.
    #[must_use]
    pub fn collective_ns(&self, members: usize, bytes: u64) -> u64 {
        let rounds = u64::from(members.max(1).next_power_of_two().trailing_zeros());
        let ends = self.overhead_ns.saturating_mul(2);
        rounds.saturating_mul(self.latency_ns.saturating_add(ends).saturating_add(self.transfer_ns(bytes)))
    }
}

/// Nanoseconds, never negative and never infinite: what a nonsensical network gives is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and NaN becomes 0")]
fn rounded(nanoseconds: f64) -> u64 {
    const DAY_NS: f64 = 86_400e9;
    nanoseconds.clamp(0.0, 365.0 * DAY_NS).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gigabyte_takes_eighty_milliseconds() {
        assert_eq!(Network::default().transfer_ns(1_000_000_000), 80_000_000);
        let broken = Network { bytes_per_second: 0.0, ..Network::default() };
        assert_eq!(broken.transfer_ns(0), 0, "nothing over nothing is not a number, and takes no time");
    }

    #[test]
    fn collectives_take_as_many_rounds_as_doubling_does() {
        let network = Network { latency_ns: 10, overhead_ns: 0, bytes_per_second: f64::INFINITY, ..Network::default() };
        assert_eq!([1, 2, 3, 4, 5, 64].map(|n| network.collective_ns(n, 8)), [0, 10, 20, 20, 30, 60]);
    }
}
