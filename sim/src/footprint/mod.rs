//! Where bytes lie in memory: a few combs, never expanded, so that a column of a large matrix is as cheap as one number.
//!
//! A comb is a block of bytes that repeats in one or more directions. Everything that the constructors of datatypes can say is a list of
//! combs; whether two lists touch is asked of `overlap`. What is not known is None here, and what is too long to be told is `May` there.

mod geometry;
mod order;
mod overlap;

pub use geometry::{Dimension, Geometry, Part, Taken};
pub use overlap::Overlap;

/// More combs than this are not followed.
pub const COMBS_MAX: usize = 4096;

/// A block of bytes that repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comb {
    /// Where its first byte is.
    pub(crate) at: i64,
    /// The length of the block.
    pub(crate) bytes: i64,
    /// How often it repeats in each direction, and how far apart: the smallest distance first.
    pub(crate) repeats: Vec<Repeat>,
}

/// One direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    pub(crate) count: i64,
    pub(crate) stride: i64,
}

impl Comb {
    /// A block of bytes.
    #[must_use]
    pub fn block(at: i64, bytes: i64) -> Comb {
        Comb { at, bytes, repeats: Vec::new() }
    }

    /// It, so often, so far apart; None if that leaves the address space.
    fn repeated(&self, count: i64, stride: i64) -> Option<Comb> {
        let mut comb = self.clone();
        comb.repeats.push(Repeat { count, stride });
        comb.normal()
    }

    fn moved(&self, by: i64) -> Option<Comb> {
        let comb = Comb { at: self.at.checked_add(by)?, ..self.clone() };
        comb.last().is_some().then_some(comb)
    }

    /// The byte behind its last one.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.last().unwrap_or(i64::MAX)
    }

    fn last(&self) -> Option<i64> {
        let reach = self.repeats.iter().try_fold(self.bytes, |sum, r| sum.checked_add((r.count - 1).checked_mul(r.stride)?))?;
        self.at.checked_add(reach)
    }

    /// The same bytes with as few directions as possible, all of them upwards.
    fn normal(mut self) -> Option<Comb> {
        for repeat in &mut self.repeats {
            if repeat.stride < 0 {
                self.at = self.at.checked_add((repeat.count - 1).checked_mul(repeat.stride)?)?;
                repeat.stride = repeat.stride.checked_neg()?;
            }
        }
        self.repeats.retain(|r| r.count > 1 && r.stride != 0);
        self.repeats.sort_by_key(|r| r.stride);
        let mut kept: Vec<Repeat> = Vec::with_capacity(self.repeats.len());
        for repeat in std::mem::take(&mut self.repeats) {
            match kept.last_mut() {
                // Blocks that touch are one block.
                None if repeat.stride <= self.bytes => {
                    self.bytes = self.bytes.checked_add((repeat.count - 1).checked_mul(repeat.stride)?)?;
                }
                // A row of rows that goes on where the one before ends is one row.
                Some(last) if last.count.checked_mul(last.stride) == Some(repeat.stride) => {
                    last.count = last.count.checked_mul(repeat.count)?;
                }
                _ => kept.push(repeat),
            }
        }
        self.repeats = kept;
        self.last()?;
        Some(self)
    }
}

/// A set of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// By where they begin.
    combs: Vec<Comb>,
}

impl Footprint {
    /// One block.
    #[must_use]
    pub fn block(at: i64, bytes: u64) -> Option<Footprint> {
        let bytes = i64::try_from(bytes).ok()?;
        Footprint::of(if bytes == 0 { Vec::new() } else { vec![Comb::block(at, bytes)] })
    }

    /// These combs; None if they are too many, or leave the address space.
    pub(crate) fn of(combs: Vec<Comb>) -> Option<Footprint> {
        let mut combs: Vec<Comb> = combs.into_iter().map(Comb::normal).collect::<Option<_>>()?;
        combs.retain(|comb| comb.bytes > 0);
        combs.sort_by_key(|comb| (comb.at, comb.bytes));
        // Rows may lie in rows.
        loop {
            let before = combs.len();
            combs = rows(combs)?;
            if combs.len() == before {
                break;
            }
        }
        (combs.len() <= COMBS_MAX).then_some(Footprint { combs })
    }

    /// It, so often, so far apart.
    #[must_use]
    pub fn repeated(&self, count: i64, stride: i64) -> Option<Footprint> {
        if count <= 0 {
            return Some(Footprint::default());
        }
        Footprint::of(self.combs.iter().map(|comb| comb.repeated(count, stride)).collect::<Option<_>>()?)
    }

    /// It, further up.
    #[must_use]
    pub fn moved(&self, by: i64) -> Option<Footprint> {
        Some(Footprint { combs: self.combs.iter().map(|comb| comb.moved(by)).collect::<Option<_>>()? })
    }

    /// All of these.
    #[must_use]
    pub fn union(list: Vec<Footprint>) -> Option<Footprint> {
        let many = list.iter().map(|one| one.combs.len()).sum::<usize>() > 16 * COMBS_MAX;
        if many { None } else { Footprint::of(list.into_iter().flat_map(|one| one.combs).collect()) }
    }

    /// Whether it is no byte at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.combs.is_empty()
    }

    /// From the first byte to behind the last one; None if it is empty.
    #[must_use]
    pub fn bounds(&self) -> Option<(i64, i64)> {
        let first = self.combs.first()?.at;
        Some((first, self.combs.iter().map(Comb::end).max()?))
    }

    /// The combs.
    #[cfg(test)]
    fn combs(&self) -> &[Comb] {
        &self.combs
    }

    /// Whether it has a byte in common with another one.
    #[must_use]
    pub fn overlaps(&self, other: &Footprint) -> Overlap {
        overlap::between(&self.combs, &other.combs)
    }
}

/// Combs side by side that differ only in where they are, at equal distances, become one comb: what an indexed type lists is often regular.
fn rows(combs: Vec<Comb>) -> Option<Vec<Comb>> {
    let mut rows: Vec<Comb> = Vec::with_capacity(combs.len().min(COMBS_MAX));
    let mut open: Option<(Comb, i64, i64)> = None;
    for comb in combs {
        if let Some((first, count, stride)) = &mut open {
            let is_alike = comb.bytes == first.bytes && comb.repeats == first.repeats;
            let from_first = comb.at.checked_sub(first.at)?;
            if is_alike && from_first == 0 {
                continue;
            }
            if is_alike && (*count == 1 || count.checked_mul(*stride) == Some(from_first)) {
                *stride = from_first / *count;
                *count += 1;
                continue;
            }
            // Blocks that touch become one, even if they are of different lengths.
            if *count == 1 && first.repeats.is_empty() && comb.repeats.is_empty() && from_first <= first.bytes {
                first.bytes = first.bytes.max(from_first.checked_add(comb.bytes)?);
                continue;
            }
        }
        if let Some((first, count, stride)) = open.replace((comb, 1, 0)) {
            rows.push(first.repeated(count, stride)?);
        }
    }
    if let Some((first, count, stride)) = open {
        rows.push(first.repeated(count, stride)?);
    }
    Some(rows)
}

#[cfg(test)]
mod tests;
