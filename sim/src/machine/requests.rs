//! The requests of a process: a number, and the operations behind it.

use rustc_hash::FxHashMap;

use super::chain::NONE;
use crate::finding::Place;
use crate::lift::NO_SLOT;
use crate::program::{OpId, Slot};

/// A request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// Its operations while it is active.
    pub(crate) operations: [u32; 2],
    /// For a persistent one: what starting it does.
    pub(crate) template: Option<OpId>,
    /// How often it was started.
    pub(crate) starts: u32,
    /// The call that made it.
    pub(crate) made: Place,
    /// For a persistent collective: the context of its operations.
    pub(crate) context: u32,
}

/// A request that is null.
pub(crate) const NULL: Request =
    Request { operations: [NONE; 2], template: None, starts: 0, made: Place { lane: NONE, event: NONE }, context: NONE };

impl Request {
    /// Whether it is null.
    pub(crate) fn is_null(&self) -> bool {
        self.made.lane == NONE
    }
}

/// What the threads of one process share.
#[derive(Debug, Default)]
pub(crate) struct Process {
    pub(crate) requests: Vec<Request>,
    /// The messages that a matched probe took, by handle.
    pub(crate) taken: Vec<(i64, u32)>,
    /// Persistent requests that were freed before they were ever started: the calls that made them.
    pub(crate) unstarted: Vec<Place>,
    /// The parts of partitioned sends that are not marked as ready, by the request.
    pub(crate) unready: FxHashMap<Slot, Vec<bool>>,
    /// How many calls its threads have made, if it has several.
    pub(crate) turn: usize,
}

impl Process {
    /// The request in a slot.
    pub(crate) fn request(&self, slot: Slot) -> Request {
        self.requests.get(slot as usize).copied().unwrap_or(NULL)
    }

    /// The request in a slot, to be changed. Slots that nobody can refer to share nothing.
    pub(crate) fn request_mut(&mut self, slot: Slot) -> Option<&mut Request> {
        if slot == NO_SLOT {
            return None;
        }
        if self.requests.len() <= slot as usize {
            self.requests.resize(slot as usize + 1, NULL);
        }
        self.requests.get_mut(slot as usize)
    }
}
