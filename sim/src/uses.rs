//! What memory of its own process a call reads and writes: the buffers of its arguments, as bytes.
//!
//! Which parameters name a buffer is told by `traces::buffers`; this is what they come to on one rank, as combs. What is not known, or means
//! nothing on this rank, is left out, so that what is here is certain.

use std::sync::LazyLock;

use traces::buffers::{self, Places, Times, Whose, blocks};
use traces::constant::{IN_PLACE, NO_OP, PROC_NULL, ROOT};
use traces::function::{Class, Length, mpi};
use traces::{Call, Function};

use crate::footprint::Footprint;
use crate::lift::{Communicators, Datatypes, View};

/// A buffer of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// Its bytes; at least one.
    pub(crate) bytes: Footprint,
    /// Whether they are written; else they are read.
    pub(crate) writes: bool,
}

/// What is sent, and what is received.
type Sides = (Option<Places>, Option<Places>);

/// By number of the function: it is asked for each distinct call.
static SIDES: LazyLock<Vec<Sides>> = LazyLock::new(|| Function::all().map(buffers::of).collect());

/// What a function sends and receives.
pub(crate) fn sides(function: Function) -> Sides {
    SIDES.get(usize::from(function.0)).copied().unwrap_or_default()
}

/// Whether a function has buffers at all.
pub(crate) fn has_buffers(call: &Call) -> bool {
    let (sent, received) = sides(call.function);
    sent.is_some() || received.is_some()
}

/// What a call of a rank reads and writes.
pub(crate) fn of(call: &Call, rank: u32, datatypes: &Datatypes, communicators: &Communicators) -> Vec<Use> {
    let view = call.int("comm").and_then(|comm| communicators.view(comm, rank));
    let reader = Reader { call, rank, view, datatypes };
    let (sent, received) = sides(call.function);
    let sides = [(sent, false, ["dest", "target_rank"]), (received, true, ["source", "target_rank"])];
    let used = sides.into_iter().filter_map(|(places, writes, peers)| {
        let is_to_nobody = peers.iter().any(|peer| call.int(peer) == Some(PROC_NULL));
        // What is not combined is not sent.
        let is_sent = writes || call.int("op") != Some(NO_OP) || call.function.class() != Class::OneSided;
        let bytes = reader.bytes(places.filter(|_| !is_to_nobody && is_sent)?)?;
        (!bytes.is_empty()).then_some(Use { bytes, writes })
    });
    used.collect()
}

/// A call in the way that reading it needs.
struct Reader<'a> {
    call: &'a Call,
    rank: u32,
    /// Its communicator, if it has one that is known.
    view: Option<View<'a>>,
    datatypes: &'a Datatypes,
}

impl Reader<'_> {
    fn int(&self, at: usize) -> Option<i64> {
        self.call.arguments.get(at)?.int()
    }

    fn ints(&self, at: usize) -> Option<&[i64]> {
        Some(self.call.arguments.get(at)?.ints())
    }

    fn bytes(&self, places: Places) -> Option<Footprint> {
        let address = self.int(places.buffer).filter(|address| *address != IN_PLACE)?;
        if !self.is_significant(places.whose)? {
            return None;
        }
        let lengths = self.call.function.parameters();
        match places.count.and_then(|at| blocks(lengths[at].length)) {
            Some(_) => self.several(places, address),
            None => {
                let count = places.count.map_or(Some(1), |at| self.int(at))?;
                self.datatypes.footprint(address, count.checked_mul(self.times(places.times)?)?, self.int(places.datatype)?)
            }
        }
    }

    /// Whether a buffer means something on this rank; None if that is not known.
    fn is_significant(&self, whose: Whose) -> Option<bool> {
        if self.call.function.class() != Class::Collective {
            return Some(true);
        }
        let view = self.view?;
        let own = i64::from(view.local.position(self.rank)?);
        let Some(root) = self.call.int("root") else { return Some(whose != Whose::NotFirst || own != 0) };
        let is_root = root == ROOT || (!view.is_inter && root == own);
        let is_member = root != PROC_NULL && !(view.is_inter && is_root);
        Some(match whose {
            Whose::Root => is_root,
            Whose::Others => is_member && !is_root,
            Whose::All | Whose::NotFirst => is_member,
        })
    }

    /// How many times the number of elements it is.
    fn times(&self, times: Times) -> Option<i64> {
        match times {
            Times::Once | Times::Sum | Times::Own => Some(1),
            Times::Peers => {
                let view = self.view?;
                let is_certain = !view.is_inter || self.call.function.small() != mpi::REDUCE_SCATTER_BLOCK;
                i64::try_from(view.peers.ranks.len()).ok().filter(|_| is_certain)
            }
            // The neighbours are counted elsewhere.
            Times::InDegree | Times::OutDegree => None,
            Times::Parameter(at) => self.int(at),
        }
    }

    /// A block for each count.
    fn several(&self, places: Places, address: i64) -> Option<Footprint> {
        let counts = self.ints(places.count?)?;
        let Some(displacements) = places.displacements else {
            let view = self.view.filter(|view| !view.is_inter)?;
            let count = match places.times {
                Times::Own => *counts.get(view.local.position(self.rank)? as usize)?,
                _ => counts.iter().try_fold(0i64, |sum, count| sum.checked_add(*count))?,
            };
            return self.datatypes.footprint(address, count, self.int(places.datatype)?);
        };
        let displacements = self.ints(displacements)?;
        if counts.is_empty() || displacements.len() != counts.len() {
            return None;
        }
        let has_types = self.call.function.parameters()[places.datatype].length != Length::Scalar;
        let block = |(i, (&count, &displacement)): (usize, (&i64, &i64))| {
            if count == 0 {
                return Some(Footprint::default());
            }
            let datatype = if has_types { *self.ints(places.datatype)?.get(i)? } else { self.int(places.datatype)? };
            let unit = if has_types { 1 } else { self.datatypes.geometry(datatype)?.certain_extent()? };
            self.datatypes.footprint(address.checked_add(displacement.checked_mul(unit)?)?, count, datatype)
        };
        Footprint::union(counts.iter().zip(displacements).enumerate().map(block).collect::<Option<_>>()?)
    }
}
