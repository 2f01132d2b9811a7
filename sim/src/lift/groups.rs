//! The groups that a process makes, as ranks of MPI_COMM_WORLD.
//!
//! Needed for the calls on windows that name one, and for a call of MPI_Comm_create_group that never returned, whose members nothing else
//! tells.

use rustc_hash::FxHashMap;
use traces::constant::GROUP_EMPTY;
use traces::mpi;

use super::arguments::Arguments;
use super::communicators::Communicators;

/// The groups of a process by number. One whose members are not known is absent.
#[derive(Debug, Default)]
pub(crate) struct Groups(FxHashMap<i64, Vec<i64>>);

impl Groups {
    /// The members of a group.
    pub(crate) fn members(&self, group: i64) -> Option<&[i64]> {
        if group == GROUP_EMPTY { Some(&[]) } else { self.0.get(&group).map(Vec::as_slice) }
    }

    /// Takes note of a group.
    pub(crate) fn add(&mut self, number: i64, members: Vec<i64>) {
        self.0.insert(number, members);
    }

    /// Takes note of the group that a call makes, if it makes one.
    pub(crate) fn define(&mut self, a: &Arguments, rank: u32, communicators: &Communicators) {
        let Some(number) = ["group", "newgroup"].iter().find_map(|name| a.result(name).int()) else { return };
        if let Some(members) = self.made(a, rank, communicators) {
            self.0.insert(number, members);
        }
    }

    fn made(&self, a: &Arguments, rank: u32, communicators: &Communicators) -> Option<Vec<i64>> {
        let group = |name| self.members(a.call.int(name)?);
        let ranks = a.call.ints("ranks");
        match a.function() {
            mpi::COMM_GROUP => Some(communicators.view(a.call.int("comm")?, rank)?.local.ranks.clone()),
            mpi::COMM_REMOTE_GROUP => Some(communicators.view(a.call.int("comm")?, rank)?.peers.ranks.clone()),
            mpi::GROUP_INCL => pick(group("group")?, ranks.iter().copied()),
            mpi::GROUP_EXCL => without(group("group")?, ranks.iter().copied()),
            mpi::GROUP_RANGE_INCL => pick(group("group")?, triples(a.call.ints("ranges"))),
            mpi::GROUP_RANGE_EXCL => without(group("group")?, triples(a.call.ints("ranges"))),
            mpi::GROUP_UNION => {
                let (first, second) = (group("group1")?, group("group2")?);
                let rest = second.iter().filter(|rank| !first.contains(rank));
                Some(first.iter().chain(rest).copied().collect())
            }
            mpi::GROUP_INTERSECTION => {
                let second = group("group2")?;
                Some(group("group1")?.iter().filter(|rank| second.contains(rank)).copied().collect())
            }
            mpi::GROUP_DIFFERENCE => {
                let second = group("group2")?;
                Some(group("group1")?.iter().filter(|rank| !second.contains(rank)).copied().collect())
            }
            _ => None,
        }
    }
}

/// The members at these places.
fn pick(group: &[i64], places: impl Iterator<Item = i64>) -> Option<Vec<i64>> {
    places.map(|at| group.get(usize::try_from(at).ok()?).copied()).collect()
}

/// The members at all other places.
fn without(group: &[i64], places: impl Iterator<Item = i64>) -> Option<Vec<i64>> {
    let excluded = pick(group, places)?;
    Some(group.iter().filter(|rank| !excluded.contains(rank)).copied().collect())
}

/// The places that triples of first, last and stride stand for.
fn triples(numbers: &[i64]) -> impl Iterator<Item = i64> {
    numbers.chunks_exact(3).flat_map(|range| {
        let (first, last, stride) = (range[0], range[1], range[2]);
        let steps = last.saturating_sub(first).checked_div(stride).map_or(0, |n| n.clamp(-1, 1 << 24) + 1);
        (0..steps).map(move |n| first + n * stride)
    })
}
