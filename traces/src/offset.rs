//! How far one host's clock is ahead of another's, from messages between them: none arrives before it was sent.
//!
//! Each message bounds the difference from one side. The more there are, the narrower the bounds; how long messages take need not be
//! known, and nothing is asked of the clocks but that they run.

/// The bounds of how far a clock is ahead of the reference, in ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// At least so much.
    pub least: i64,
    /// At most so much.
    pub most: i64,
}

impl Offset {
    /// Nothing is known.
    pub const UNKNOWN: Offset = Offset { least: i64::MIN, most: i64::MAX };

    /// A message was sent at `sent` by this clock and had arrived at `arrived` by the reference.
    pub fn went(&mut self, sent: u64, arrived: u64) {
        self.least = self.least.max(difference(sent, arrived));
    }

    /// A message was sent at `sent` by the reference and had arrived at `arrived` by this clock.
    pub fn came(&mut self, sent: u64, arrived: u64) {
        self.most = self.most.min(difference(arrived, sent));
    }

    /// What both know of the same clock.
    #[must_use]
    pub fn and(self, other: Offset) -> Offset {
        Offset { least: self.least.max(other.least), most: self.most.min(other.most) }
    }

    /// The best guess: as far from one bound as from the other. None where a bound is missing, or they contradict each other.
    #[must_use]
    pub fn middle(self) -> Option<i64> {
        let is_bounded = self.least > i64::MIN && self.most < i64::MAX && self.least <= self.most;
        is_bounded.then(|| self.least + (self.most - self.least) / 2)
    }
}

/// `a` − `b`.
fn difference(a: u64, b: u64) -> i64 {
    a.wrapping_sub(b).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_truth_lies_between_the_bounds(
            ahead in -(1i64 << 58)..1 << 58,
            messages in prop::collection::vec((1u64 << 60..1 << 61, 0u64..1_000_000, any::<bool>()), 1..20),
        ) {
            let mut offset = Offset::UNKNOWN;
            for (at, takes, goes) in messages {
                match goes {
                    true => offset.went(at.wrapping_add_signed(ahead), at + takes),
                    false => offset.came(at, (at + takes).wrapping_add_signed(ahead)),
                }
            }
            prop_assert!(offset.least <= ahead && ahead <= offset.most);
            if let Some(middle) = offset.middle() {
                prop_assert!(middle.abs_diff(ahead) <= 1_000_000);
            }
        }
    }

    #[test]
    fn messages_one_way_tell_one_bound_only() {
        let mut offset = Offset::UNKNOWN;
        offset.went(100, 90);
        assert_eq!((offset.least, offset.middle()), (10, None));
        offset.came(90, 130);
        assert_eq!(offset.middle(), Some(25));
        assert_eq!(offset.and(Offset { least: 0, most: 20 }).middle(), Some(15));
    }
}
