//! Places of which one finding is made for each line of the program, however many ranks come there and how often.

use super::Evidence;
use super::wording::distinct;
use crate::finding::Place;

/// What happened at one line.
pub(super) struct Group<K> {
    /// What tells it from other things at the same line.
    pub key: K,
    /// The first place.
    pub first: Place,
    /// The ranks, one an occurrence.
    pub ranks: Vec<u32>,
}

impl<K> Group<K> {
    /// The ranks, each once.
    pub(super) fn who(&self) -> Vec<u32> {
        distinct(self.ranks.iter().copied())
    }
}

/// Something of the first place of a group that does not tell it from others: any two are taken to be equal.
#[derive(Clone, Copy)]
pub(super) struct First<T>(pub T);

impl<T> PartialEq for First<T> {
    fn eq(&self, _: &First<T>) -> bool {
        true
    }
}

/// Places, gathered by line and key. One without a line stands for itself.
pub(super) struct Gathered<K>(Vec<Group<K>>);

impl<K> Default for Gathered<K> {
    fn default() -> Gathered<K> {
        Gathered(Vec::new())
    }
}

impl<K: PartialEq> Gathered<K> {
    /// Adds a place of a rank.
    pub(super) fn add(&mut self, evidence: Evidence, key: K, rank: u32, place: Place) {
        let call = evidence.call(place);
        let same = |group: &&mut Group<K>| {
            let known = evidence.call(group.first);
            group.key == key && call.site.is_some() && known.site == call.site && known.function == call.function
        };
        match self.0.iter_mut().find(same) {
            Some(group) => group.ranks.push(rank),
            None => self.0.push(Group { key, first: place, ranks: vec![rank] }),
        }
    }

    /// The groups, in the order of their first places.
    pub(super) fn groups(self) -> impl Iterator<Item = Group<K>> {
        self.0.into_iter()
    }
}
