//! Whether two sets of bytes touch, without looking at each byte.
//!
//! Two combs touch if some sum of their strides, each taken as often as it repeats, falls into an interval. With up to two strides that is
//! answered at once, as Euclid would; with more, the longest are tried out, those that can matter. What takes too long is `May`.

use super::{Comb, Repeat};

/// Whether two sets have a byte in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// They have none.
    No,
    /// They have one.
    Yes,
    /// It would take too long to find out.
    May,
}

/// So many steps are made.
const STEPS_MAX: u32 = 1 << 16;

/// Whether two lists of combs, each by where its combs begin, touch.
pub(super) fn between(one: &[Comb], other: &[Comb]) -> Overlap {
    let mut steps = STEPS_MAX;
    let mut answer = Overlap::No;
    for a in one {
        let end = a.end();
        for b in other.iter().take_while(|b| b.at < end).filter(|b| b.end() > a.at) {
            match touch(a, b, &mut steps) {
                Overlap::Yes => return Overlap::Yes,
                Overlap::May => answer = Overlap::May,
                Overlap::No => {}
            }
            let Some(left) = steps.checked_sub(1) else { return Overlap::May };
            steps = left;
        }
    }
    answer
}

/// Whether a comb touches another one: whether a sum of its strides less a sum of the other's lies between these.
fn touch(a: &Comb, b: &Comb, steps: &mut u32) -> Overlap {
    // First byte of a's block less that of b's: they touch if it is more than −a.bytes and less than b.bytes.
    let Some(apart) = b.at.checked_sub(a.at) else { return Overlap::May };
    let (Some(mut low), Some(mut high)) = (apart.checked_sub(a.bytes - 1), apart.checked_add(b.bytes - 1)) else {
        return Overlap::May;
    };
    let mut strides: Vec<Repeat> = Vec::with_capacity(a.repeats.len() + b.repeats.len());
    strides.extend(&a.repeats);
    for repeat in &b.repeats {
        // Counted from its other end, what is subtracted is added.
        let Some(reach) = (repeat.count - 1).checked_mul(repeat.stride) else { return Overlap::May };
        let (Some(l), Some(h)) = (low.checked_add(reach), high.checked_add(reach)) else { return Overlap::May };
        (low, high) = (l, h);
        // A stride of both is one that repeats as often as both together.
        match strides.iter_mut().find(|own| own.stride == repeat.stride) {
            Some(own) => own.count += repeat.count - 1,
            None => strides.push(*repeat),
        }
    }
    strides.sort_by_key(|r| r.stride);
    sum_in(&strides, low, high, steps)
}

/// Whether some sum of these strides, each taken from zero to `count` less one times, is in an interval. The smallest stride comes first.
fn sum_in(strides: &[Repeat], low: i64, high: i64, steps: &mut u32) -> Overlap {
    let answer = |is: bool| if is { Overlap::Yes } else { Overlap::No };
    let [rest @ .., longest] = strides else { return answer(low <= 0 && high >= 0) };
    if high < 0 {
        return Overlap::No;
    }
    let reach = |list: &[Repeat]| list.iter().try_fold(0i64, |sum, r| sum.checked_add((r.count - 1).checked_mul(r.stride)?));
    let Some(below) = reach(rest) else { return Overlap::May };
    // How often the longest can be taken so that the rest reaches the interval.
    let first = low.saturating_sub(below).div_euclid(longest.stride)
        + i64::from(low.saturating_sub(below).rem_euclid(longest.stride) > 0);
    let (first, last) = (first.max(0), high.div_euclid(longest.stride).min(longest.count - 1));
    if first > last {
        return Overlap::No;
    }
    match rest {
        [] => return Overlap::Yes,
        [short] => return answer(pair_in(*longest, *short, (first, last), (low, high))),
        _ => {}
    }
    let mut answer = Overlap::No;
    for times in first..=last {
        let Some(left) = steps.checked_sub(1) else { return Overlap::May };
        *steps = left;
        let taken = times * longest.stride;
        match sum_in(rest, low - taken, high - taken, steps) {
            Overlap::Yes => return Overlap::Yes,
            Overlap::May => answer = Overlap::May,
            Overlap::No => {}
        }
    }
    answer
}

/// Whether `i` long strides, from `first` to `last`, and some short ones come to an interval. Where i is in that range, a number of short
/// strides that is negative or too large can be replaced by none or by all of them.
fn pair_in(long: Repeat, short: Repeat, (first, last): (i64, i64), (low, high): (i64, i64)) -> bool {
    // Some multiple of `short` lies in [low − i·long, high − i·long]: the remainder of high − i·long is at most high − low.
    let width = i128::from(high) - i128::from(low);
    let m = i128::from(short.stride);
    if width + 1 >= m {
        return true;
    }
    let start = (i128::from(high) - i128::from(first) * i128::from(long.stride)).rem_euclid(m);
    let step = (-i128::from(long.stride)).rem_euclid(m);
    // (start + n·step) mod m ≤ width, that is (n·step) mod m in [−start, −start + width] mod m.
    let (l, r) = ((m - start) % m, (m - start) % m + width);
    let n = if l == 0 || r >= m { Some(0) } else { first_in(step, m, l, r) };
    n.is_some_and(|n| n <= i128::from(last) - i128::from(first))
}

/// The smallest n ≥ 0 for which (n·a) mod m lies between l and r, where 0 < l ≤ r < m.
fn first_in(a: i128, m: i128, l: i128, r: i128) -> Option<i128> {
    let a = a.rem_euclid(m);
    if a == 0 {
        return None;
    }
    let n = (l + a - 1) / a;
    if n * a <= r {
        return Some(n);
    }
    // No multiple of a lies there before it wraps around: how often it must, is the same question of smaller numbers.
    let wraps = first_in(m % a, a, (-r).rem_euclid(a), (-l).rem_euclid(a))?;
    Some((l + wraps * m + a - 1) / a)
}
