//! What a process takes of an array: the subarrays and distributed arrays of MPI_Type_create_subarray and MPI_Type_create_darray.

use traces::constant::{DISTRIBUTE_BLOCK, DISTRIBUTE_CYCLIC, DISTRIBUTE_DFLT_DARG, DISTRIBUTE_NONE};

use super::arguments::Arguments;
use crate::footprint::{Dimension, Taken};

/// The dimensions of a subarray, as the call lists them.
pub(super) fn subarray(a: &Arguments) -> Option<Vec<Dimension>> {
    let [sizes, subsizes, starts] = lists(a, ["array_of_sizes", "array_of_subsizes", "array_of_starts"])?;
    let dimension = |at: usize| {
        let taken = Taken { first: starts[at], len: subsizes[at], count: 1, step: 0 };
        Dimension { size: sizes[at], taken: vec![taken] }
    };
    Some((0..sizes.len()).map(dimension).collect())
}

/// The dimensions of a distributed array, as the call lists them, with what falls to its process.
pub(super) fn darray(a: &Arguments) -> Option<Vec<Dimension>> {
    let [sizes, how, arguments, processes] =
        lists(a, ["array_of_gsizes", "array_of_distribs", "array_of_dargs", "array_of_psizes"])?;
    let mut rank = a.call.int("rank")?;
    // The grid of processes is always counted row by row.
    let mut places = vec![0; sizes.len()];
    for (place, size) in places.iter_mut().zip(processes).rev() {
        *place = rank.checked_rem_euclid(*size)?;
        rank = rank.checked_div_euclid(*size)?;
    }
    let dimension = |at: usize| {
        let taken = share(sizes[at], how[at], arguments[at], (places[at], processes[at]))?;
        Some(Dimension { size: sizes[at], taken })
    };
    (0..sizes.len()).map(dimension).collect()
}

/// How many elements are taken in a dimension.
pub(super) fn number(dimension: &Dimension) -> i64 {
    dimension.taken.iter().map(|taken| taken.len.saturating_mul(taken.count)).sum()
}

/// What falls to a process in one direction.
fn share(size: i64, how: i64, argument: i64, (place, processes): (i64, i64)) -> Option<Vec<Taken>> {
    let block = match (how, argument) {
        (DISTRIBUTE_NONE, _) => return Some(vec![Taken { first: 0, len: size, count: 1, step: 0 }]),
        (DISTRIBUTE_BLOCK, DISTRIBUTE_DFLT_DARG) => size.checked_add(processes - 1)?.checked_div(processes)?,
        (DISTRIBUTE_CYCLIC, DISTRIBUTE_DFLT_DARG) => 1,
        (DISTRIBUTE_BLOCK | DISTRIBUTE_CYCLIC, block) if block > 0 => block,
        _ => return None,
    };
    let (first, step) = (place.checked_mul(block)?, processes.checked_mul(block)?);
    let left = (size - first).max(0);
    let (whole, rest) = match how {
        DISTRIBUTE_BLOCK => (left / block, left % block),
        _ => (left.checked_div(step)? + i64::from(left % step >= block), if left % step < block { left % step } else { 0 }),
    };
    let whole = if how == DISTRIBUTE_BLOCK { whole.min(1) } else { whole };
    let rest = if how == DISTRIBUTE_BLOCK && whole > 0 { 0 } else { rest };
    let taken =
        [Taken { first, len: block, count: whole, step }, Taken { first: first + whole * step, len: rest, count: 1, step: 0 }];
    Some(taken.into_iter().filter(|taken| taken.len > 0 && taken.count > 0).collect())
}

/// Arrays of a call that are all of one length.
fn lists<'a, const N: usize>(a: &Arguments<'a>, names: [&str; N]) -> Option<[&'a [i64]; N]> {
    let lists = names.map(|name| a.call.ints(name));
    let length = usize::try_from(a.call.int("ndims")?).ok()?;
    lists.iter().all(|list| list.len() == length).then_some(lists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The element numbers that a process gets, by the standard's own words: block after block, to one process after the other.
    fn dealt(size: i64, how: i64, block: i64, (place, processes): (i64, i64)) -> Vec<i64> {
        let owner = |n: i64| if how == DISTRIBUTE_BLOCK { n / block } else { n / block % processes };
        (0..size).filter(|n| how == DISTRIBUTE_NONE || owner(*n) == place).collect()
    }

    proptest! {
        #[test]
        fn every_process_gets_its_share(size in 1i64..40, processes in 1i64..6, block in 1i64..8, is_cyclic: bool) {
            let how = if is_cyclic { DISTRIBUTE_CYCLIC } else { DISTRIBUTE_BLOCK };
            for place in 0..processes {
                let taken = share(size, how, block, (place, processes)).unwrap();
                let rows = taken.iter().flat_map(|t| (0..t.count).map(move |n| t.first + n * t.step..t.first + n * t.step + t.len));
                prop_assert_eq!(rows.flatten().collect::<Vec<_>>(), dealt(size, how, block, (place, processes)));
            }
        }
    }
}
