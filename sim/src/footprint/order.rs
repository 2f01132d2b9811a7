//! The bytes of a footprint in the order of their addresses: so many of them, from some on. A file is filled in this order through a view.

use super::{COMBS_MAX, Comb, Footprint, Repeat};

impl Footprint {
    /// How many bytes it has; None if that cannot be told without looking at each.
    #[must_use]
    pub fn len(&self) -> Option<i64> {
        self.in_order()?.iter().try_fold(0i64, |sum, comb| sum.checked_add(len(comb.bytes, &comb.repeats)?))
    }

    /// Its bytes from the `from`th to before the `to`th; None if that cannot be told without looking at each.
    #[must_use]
    pub fn part(&self, from: i64, to: i64) -> Option<Footprint> {
        let mut taken = Vec::new();
        let mut begin = 0;
        for comb in self.in_order()? {
            let end = len(comb.bytes, &comb.repeats)?.checked_add(begin)?;
            take(&comb, (from.max(begin) - begin, to.min(end) - begin), &mut taken)?;
            begin = end;
        }
        Footprint::of(taken)
    }

    /// Combs one after the other, each of which goes upwards: its own, or all of its blocks if they are few.
    fn in_order(&self) -> Option<Vec<Comb>> {
        let follow = |combs: &[Comb]| combs.windows(2).all(|pair| pair[0].end() <= pair[1].at);
        if self.combs.iter().all(is_upwards) && follow(&self.combs) {
            return Some(self.combs.clone());
        }
        let mut blocks = Vec::new();
        for comb in &self.combs {
            blocks.extend(expanded(comb)?);
            (blocks.len() <= COMBS_MAX).then_some(())?;
        }
        blocks.sort_by_key(|block| block.at);
        follow(&blocks).then_some(blocks)
    }
}

/// How many bytes a comb has.
fn len(bytes: i64, repeats: &[Repeat]) -> Option<i64> {
    repeats.iter().try_fold(bytes, |product, repeat| product.checked_mul(repeat.count))
}

/// Whether what is repeated ends before it begins again, in every direction.
fn is_upwards(comb: &Comb) -> bool {
    let mut reach = Some(comb.bytes);
    comb.repeats.iter().all(|repeat| {
        let before = reach;
        reach = before.and_then(|reach| reach.checked_add((repeat.count - 1).checked_mul(repeat.stride)?));
        before.is_some_and(|before| before <= repeat.stride)
    })
}

/// The blocks of a comb; None if they are too many.
fn expanded(comb: &Comb) -> Option<Vec<Comb>> {
    let number = len(1, &comb.repeats).filter(|number| usize::try_from(*number).is_ok_and(|n| n <= COMBS_MAX))?;
    let mut places = Vec::with_capacity(usize::try_from(number).ok()?);
    places.push(comb.at);
    for repeat in &comb.repeats {
        places = places.iter().flat_map(|at| (0..repeat.count).map(move |n| at + n * repeat.stride)).collect();
    }
    Some(places.into_iter().map(|at| Comb::block(at, comb.bytes)).collect())
}

/// Takes the bytes of an upward comb from one to before another one: what is left of the element that the first is in, whole elements, and
/// the beginning of the one that the last is in.
fn take(comb: &Comb, (from, to): (i64, i64), taken: &mut Vec<Comb>) -> Option<()> {
    if from >= to {
        return Some(());
    }
    let Some((outer, inner)) = comb.repeats.split_last() else {
        taken.push(Comb::block(comb.at.checked_add(from)?, to - from));
        return Some(());
    };
    let element = len(comb.bytes, inner)?;
    let nth = |n: i64| Some(Comb { at: comb.at.checked_add(n.checked_mul(outer.stride)?)?, repeats: inner.to_vec(), ..*comb });
    let (first, last) = (from / element, (to - 1) / element);
    if first == last {
        return take(&nth(first)?, (from - first * element, to - first * element), taken);
    }
    let whole = (from.div_euclid(element) + i64::from(from % element > 0), to / element);
    if from % element > 0 {
        take(&nth(first)?, (from % element, element), taken)?;
    }
    if whole.0 < whole.1 {
        let mut comb = nth(whole.0)?;
        comb.repeats.push(Repeat { count: whole.1 - whole.0, stride: outer.stride });
        taken.push(comb);
    }
    if to % element > 0 {
        take(&nth(last)?, (0, to % element), taken)?;
    }
    Some(())
}
