//! Which bytes two sets of bytes have in common, in words.

use crate::footprint::Footprint;

/// For each of two sets that share bytes, which of its own they are, counted from its first one: `bytes 4 to 7`. Of sets with holes, the range
/// in which the common ones lie.
pub(super) fn bytes(one: &Footprint, other: &Footprint) -> [String; 2] {
    let (Some(a), Some(b)) = (one.bounds(), other.bounds()) else { return [String::new(), String::new()] };
    let (first, last) = (a.0.max(b.0), a.1.min(b.1) - 1);
    [a.0, b.0].map(|start| range(first - start, last - start))
}

/// `byte 3`, `bytes 4 to 7`.
pub(super) fn range(first: i64, last: i64) -> String {
    if first == last { format!("byte {first}") } else { format!("bytes {first} to {last}") }
}
