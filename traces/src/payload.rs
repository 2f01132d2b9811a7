//! The data that calls send and receive: how much of it a run keeps, and the digest that stands for it.
//!
//! The same bytes have the same digest on both sides, however they lay in memory there. FORMAT.md states the rule for other readers.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// What a run keeps of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// Nothing.
    None,
    /// Digests; of large contents, of samples.
    #[default]
    Digest,
    /// Digests of all, and the bytes of what is received.
    Full,
}

impl Keep {
    /// For a trace that does not say it.
    pub(crate) fn not_said() -> Keep {
        Keep::None
    }

    /// Each by its name, as it stands on the command line and in a trace.
    pub const NAMES: [(&'static str, Keep); 3] = [("none", Keep::None), ("digest", Keep::Digest), ("full", Keep::Full)];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Keep> {
        Keep::NAMES.iter().find(|(known, _)| *known == name).map(|(_, keep)| *keep)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Keep::NAMES[self as usize].0
    }
}

/// The largest content of which a digest covers every byte.
pub const WHOLE_MAX: u64 = 16 << 10;
/// Of a larger one, it covers so many blocks: the first is its head, the last its tail,
const BLOCKS: u64 = 16;
/// and each is of so many bytes.
const BLOCK: u64 = 1 << 10;

/// The parts of a content of `len` bytes that its digest covers, in their order.
pub fn covered(len: u64) -> impl Iterator<Item = Range<u64>> {
    let (blocks, block) = if len <= WHOLE_MAX { (1, len) } else { (BLOCKS, BLOCK) };
    let begin = move |i: u64| u64::try_from(u128::from(len - block) * u128::from(i) / u128::from(blocks.max(2) - 1)).unwrap_or(0);
    (0..blocks).map(move |i| begin(i)..begin(i) + block)
}

/// The digest of bytes that lie side by side, every one of them.
#[must_use]
pub fn whole_digest(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// The digest of a content of `len` bytes, of which `sample` are those that it covers, side by side. The sample grows.
pub fn sampled_digest(sample: &mut Vec<u8>, len: u64) -> u64 {
    if len > WHOLE_MAX {
        sample.extend_from_slice(&len.to_le_bytes());
    }
    xxh3_64(sample)
}

/// The digest of a content that lies in memory as a whole.
#[must_use]
pub fn digest(content: &[u8]) -> u64 {
    let len = content.len() as u64;
    if len <= WHOLE_MAX {
        return whole_digest(content);
    }
    let mut sample: Vec<u8> = covered(len).flat_map(|part| &content[part.start as usize..part.end as usize]).copied().collect();
    sampled_digest(&mut sample, len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_understood() {
        for (name, keep) in Keep::NAMES {
            assert_eq!((Keep::named(name), keep.name()), (Some(keep), name));
        }
        assert_eq!(Keep::named("some"), None);
    }

    #[test]
    fn head_and_tail_are_covered_and_the_length_counts() {
        let mut content = vec![7; WHOLE_MAX as usize + 1];
        let before = digest(&content);
        for at in [0, content.len() - 1] {
            content[at] = 8;
            assert_ne!(digest(&content), before, "byte {at}");
            content[at] = 7;
        }
        assert_eq!(digest(&content), before);
        content.push(7);
        assert_ne!(digest(&content), before, "one byte more of the same");
    }

    proptest! {
        #[test]
        fn covered_parts_are_bounded_and_in_order(len in prop_oneof![0..=2 * WHOLE_MAX, any::<u64>()]) {
            let parts: Vec<Range<u64>> = covered(len).collect();
            prop_assert_eq!((parts[0].start, parts.last().map(|p| p.end)), (0, Some(len)));
            prop_assert!(parts.windows(2).all(|pair| pair[0].end <= pair[1].start), "{parts:?}");
            prop_assert!(parts.iter().map(|part| part.end - part.start).sum::<u64>() <= WHOLE_MAX);
        }
    }
}
