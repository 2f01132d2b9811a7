//! What one call moves: to whom, and how many bytes, from its counts and datatypes.
//!
//! Of a call on a file it is what is asked for: at the end of a file there may be less.
//! Of a collective it is what this rank hands in: the whole of its send buffer, once, however the library spreads it. How many
//! neighbours a topology has is not in the call, so a neighbourhood collective counts what goes to one of them unless it lists counts.

use traces::constant::{COMM_WORLD, IN_PLACE, NO_OP, PROC_NULL, ROOT};
use traces::function::{Class, mpi};

use crate::layout::Layouts;
use crate::lift::{Arguments, Communicators, Datatypes, Pattern, blocking_form};

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    /// In a message, to this rank of MPI_COMM_WORLD; None is a process of another world.
    Message(Option<u32>),
    /// To a collective, or into a window.
    #[default]
    Handed,
    /// Out of a window.
    Got,
    /// As many into a window as out of it.
    Exchanged,
    /// Out of a file.
    Read,
    /// Into a file.
    Written,
}

/// What a call moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Volume {
    /// Which way.
    pub(super) way: Way,
    /// How many bytes; None if that is not known.
    pub(super) bytes: Option<u64>,
    /// Whether a later MPI_Start sends it, and not this call.
    pub(super) is_persistent: bool,
}

/// What is known of the rank that calls.
pub(super) struct Caller<'a> {
    pub(super) rank: u32,
    pub(super) datatypes: &'a Datatypes,
    pub(super) layouts: &'a Layouts,
    pub(super) communicators: &'a Communicators,
}

impl Caller<'_> {
    /// What a call moves that returned without an error; None if it is of a kind that moves nothing.
    pub(super) fn volume(&self, a: &Arguments) -> Option<Volume> {
        let function = a.function();
        let is_persistent = function.name().ends_with("_init");
        match function.class() {
            Class::PointToPoint | Class::Partitioned => {
                let dest = a.call.int("dest")?;
                let view = self.communicators.view(a.int_or("comm", COMM_WORLD), self.rank)?;
                // MPI_PROC_NULL is no member, and takes no message.
                let to = *view.peers.ranks.get(usize::try_from(dest).ok()?)?;
                let bytes = self.one(a, "sendcount", "sendtype").or_else(|| self.one(a, "count", "datatype"));
                let partitions = a.call.int("partitions").map_or(Some(1), |n| u64::try_from(n).ok());
                let bytes = bytes.zip(partitions).and_then(|(bytes, n)| bytes.checked_mul(n));
                Some(Volume { way: Way::Message(u32::try_from(to).ok()), bytes, is_persistent })
            }
            Class::Collective => Some(Volume { way: Way::Handed, bytes: self.handed(a), is_persistent }),
            Class::OneSided if function.parameter("target_rank").is_some() => Some(self.accessed(a)),
            Class::Io if function.parameter("datatype").is_some() && function.parameter("count").is_some() => {
                let way = if function.name().contains("read") { Way::Read } else { Way::Written };
                Some(Volume { way, bytes: self.one(a, "count", "datatype"), is_persistent: false })
            }
            _ => None,
        }
    }

    /// What a one-sided access moves.
    fn accessed(&self, a: &Arguments) -> Volume {
        let (way, side) = match a.function() {
            mpi::PUT | mpi::RPUT | mpi::ACCUMULATE | mpi::RACCUMULATE => (Way::Handed, "origin"),
            mpi::GET | mpi::RGET => (Way::Got, "origin"),
            // What is combined with nothing is only got.
            _ if a.call.int("op") == Some(NO_OP) => (Way::Got, "result"),
            _ => (Way::Exchanged, "result"),
        };
        let bytes = self.one(a, &format!("{side}_count"), &format!("{side}_datatype"));
        // MPI_Fetch_and_op and the like have one datatype, and move one element of it.
        let bytes = bytes.or_else(|| self.bytes(1, Some(a.call.int("datatype")?)));
        let bytes = if a.call.int("target_rank") == Some(PROC_NULL) { Some(0) } else { bytes };
        Volume { way, bytes, is_persistent: false }
    }

    /// So many of one datatype, as two arguments say.
    fn one(&self, a: &Arguments, count: &str, datatype: &str) -> Option<u64> {
        self.bytes(a.call.int(count)?, a.call.int(datatype))
    }

    fn bytes(&self, count: i64, datatype: Option<i64>) -> Option<u64> {
        self.datatypes.content(Some(count), datatype, self.layouts).bytes
    }

    /// As many of each datatype as an array says; one datatype may stand for all.
    fn each(&self, a: &Arguments, side: &str) -> Option<u64> {
        let counts = a.call.ints(&format!("{side}counts"));
        let types = a.call.ints(&format!("{side}types"));
        let all = a.call.int(&format!("{side}type")).or(a.call.int("datatype"));
        let datatype = |at: usize| types.get(at).copied().or(all);
        if counts.is_empty() {
            return None;
        }
        counts.iter().enumerate().try_fold(0u64, |sum, (at, n)| sum.checked_add(self.bytes(*n, datatype(at))?))
    }

    /// What this rank hands to a collective.
    fn handed(&self, a: &Arguments) -> Option<u64> {
        let Some((blocking, pattern)) = blocking_form(a.function()) else { return Some(0) };
        let view = self.communicators.view(a.int_or("comm", COMM_WORLD), self.rank);
        let root = a.call.int("root");
        let is_root =
            root == Some(ROOT) || root.is_some_and(|r| view.and_then(|v| v.local.position(self.rank)).map(i64::from) == Some(r));
        let is_in_place = a.call.int("sendbuf") == Some(IN_PLACE);
        match (blocking, pattern) {
            (mpi::BARRIER, _) => return Some(0),
            (_, Pattern::FromRoot) if !is_root => return Some(0),
            // The root's own part does not move.
            (mpi::GATHER | mpi::GATHERV, _) if is_in_place => return Some(0),
            _ => {}
        }
        let members = u64::try_from(view.map_or(1, |v| v.peers.ranks.len())).ok()?;
        let times = |bytes: Option<u64>| bytes?.checked_mul(members);
        let side = if is_in_place { "recv" } else { "send" };
        match blocking {
            mpi::REDUCE_SCATTER => self.each(a, "recv"),
            mpi::REDUCE_SCATTER_BLOCK => times(self.one(a, "recvcount", "datatype")),
            mpi::ALLTOALL | mpi::SCATTER => times(self.one(a, &format!("{side}count"), &format!("{side}type"))),
            // In place, the part of this rank is what it receives from itself.
            mpi::ALLGATHERV if is_in_place => {
                let at = view?.local.position(self.rank)? as usize;
                self.bytes(*a.call.ints("recvcounts").get(at)?, a.call.int("recvtype"))
            }
            _ => {
                let names = [(format!("{side}count"), format!("{side}type")), ("count".into(), "datatype".into())];
                let one = names.iter().find_map(|(count, datatype)| self.one(a, count, datatype));
                one.or_else(|| self.each(a, side))
            }
        }
    }
}
