//! Partitioned communication: messages in parts, each of which is marked as ready on its own.
//!
//! The n-th MPI_Psend_init to a rank with a tag belongs to the n-th MPI_Precv_init there, and never meets another message: each pair has a
//! context of its own. A message counts as sent when all its parts are ready, and as received when all have arrived.

use rustc_hash::FxHashMap;
use traces::function::{Function, mpi};

use super::arguments::Arguments;
use super::{Lifter, NO_SLOT, index_of_last, request_made, slot_of};
use crate::program::{Context, ContextId, Mailbox, Mode, Op, Peer, Receive, Send, Span, Then};

/// One side of a pair: the rank, where, the other rank's channel, the tag, and whether it sends.
type Side = (u32, ContextId, u32, i64, bool);

/// The pairs of a trace.
#[derive(Default)]
pub(super) struct Pairs {
    /// How many of a kind were made.
    made: FxHashMap<Side, u32>,
    /// By the context of the communicator, and how many of its kind were made before.
    contexts: FxHashMap<(ContextId, u32), ContextId>,
}

/// Whether each call makes something else, even if it looks like another one.
pub(super) fn counts(function: Function) -> bool {
    matches!(function.small(), mpi::PSEND_INIT | mpi::PRECV_INIT)
}

impl Lifter<'_> {
    /// What a call of partitioned communication does; None if it is none.
    pub(super) fn partitioned(&mut self, a: &Arguments) -> Option<Op> {
        let int = |name| a.call.int(name).and_then(|value| u32::try_from(value).ok());
        let partitions = match a.function() {
            mpi::PSEND_INIT | mpi::PRECV_INIT => return Some(self.init(a)),
            mpi::PREADY => int("partition").map(|one| vec![(one, one)]),
            mpi::PREADY_RANGE => int("partition_low").zip(int("partition_high")).map(|range| vec![range]),
            mpi::PREADY_LIST => {
                let list = a.call.ints("array_of_partitions").iter().filter_map(|one| u32::try_from(*one).ok());
                Some(list.map(|one| (one, one)).collect())
            }
            _ => return None,
        };
        let Some(partitions) = partitions.filter(|_| !a.failed()) else { return Some(Op::Local) };
        let at = u32::try_from(self.program.partitions.len()).unwrap_or(0);
        let len = u32::try_from(partitions.len()).unwrap_or(0);
        self.program.partitions.extend(partitions);
        Some(Op::Ready { slot: slot_of(a.call.int("request")), partitions: Span { at, len } })
    }

    fn init(&mut self, a: &Arguments) -> Op {
        let is_send = a.function() == mpi::PSEND_INIT;
        let slot = request_made(a);
        if a.outcome.is_none() || a.failed() || slot == NO_SLOT {
            return if a.outcome.is_none() { Op::Opaque } else { Op::Local };
        }
        let partitions = u32::try_from(a.int_or("partitions", 0)).unwrap_or(0);
        let content = self.content(a, "count", "datatype").times(i64::from(partitions));
        let (tag, name) = (a.int_or("tag", 0), if is_send { "dest" } else { "source" });
        let peer = self.peer(a, name, is_send);
        let peer = self.pair(peer, tag, is_send);
        let then = Then::Persistent(slot);
        if is_send {
            self.program.sends.push(Send { to: peer, tag, content, mode: Mode::Standard, partitions });
            Op::Transfer { send: Some(index_of_last(&self.program.sends)), receive: None, then }
        } else {
            let receive = self.add_receive(Receive { from: peer, tag: Some(tag), content, has_failed: false });
            Op::Transfer { send: None, receive: Some(receive), then }
        }
    }

    /// The other side, in the context of the pair that is made.
    fn pair(&mut self, peer: Peer, tag: i64, is_send: bool) -> Peer {
        let Peer::Channel(channel) = peer else { return Peer::Nobody };
        let channel = self.program.channels[channel as usize];
        let mailbox = self.program.mailboxes[channel.mailbox as usize];
        let other = if is_send { mailbox.rank } else { channel.source };
        let made = self.pairs.made.entry((self.rank, mailbox.context, other, tag, is_send)).or_default();
        let number = *made;
        *made += 1;
        let contexts = &mut self.program.contexts;
        let context = *self.pairs.contexts.entry((mailbox.context, number)).or_insert_with(|| {
            // Nobody calls collectives there.
            let Context { thing, comm, is_inter, .. } = contexts[mailbox.context as usize];
            contexts.push(Context { thing, comm, is_inter, members: Vec::new() });
            index_of_last(contexts)
        });
        Peer::Channel(self.channel(Mailbox { context, rank: mailbox.rank }, channel.source))
    }
}
