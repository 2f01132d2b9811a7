//! What happened in a run: messages, collectives, and what did not fit together.

use rustc_hash::{FxHashMap, FxHashSet};

use super::chain::NONE;
use crate::finding::{Collective, Message, Place, Unlisted};
use crate::program::{CollectiveId, ContextId, ReceiveId, SendId};

/// A send and a receive that matched though their contents do not fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misfit {
    pub(crate) send: (Place, SendId),
    pub(crate) receive: (Place, ReceiveId),
    /// How often these two calls met.
    pub(crate) count: u64,
}

/// The first time that these calls met in a collective.
#[derive(Clone, Debug)]
pub(crate) struct Gathered {
    /// The context.
    pub(crate) context: ContextId,
    /// Which collective of the context it is, from 0.
    pub(crate) number: u64,
    /// The calls by member.
    pub(crate) calls: Vec<(Place, CollectiveId)>,
}

/// A message of which only the receive is known.
const EXPECTED: Place = Place { lane: NONE, event: NONE };

/// How much is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Record {
    /// What does not fit together, and nothing else.
    #[default]
    Misfits,
    /// How many messages and collectives there are, and an example of each kind of collective.
    Examples,
    /// Every message and collective.
    Everything,
}

/// What is written down while a machine runs.
#[derive(Debug, Default)]
pub(crate) struct Log {
    record: Record,
    /// The messages and collectives that are not kept.
    pub(crate) unlisted: Unlisted,
    /// Whether a message was found that is watched for.
    pub(crate) is_alarmed: bool,
    /// Messages by the lane that received, in the order that the receives were posted.
    messages: Vec<Vec<Message>>,
    pub(crate) collectives: Vec<Collective>,
    /// One example of each distinct meeting of calls in a collective.
    pub(crate) gathered: Vec<Gathered>,
    seen: FxHashSet<Box<[CollectiveId]>>,
    /// Scratch space for a key of `seen`.
    key: Vec<CollectiveId>,
    misfits: FxHashMap<(SendId, ReceiveId), Misfit>,
    /// The calls that started a request that was active, with those that had started it.
    pub(crate) restarted: Vec<(Place, Place)>,
    /// The calls that freed a request that was active, with those that had started it.
    pub(crate) freed: Vec<(Place, Place)>,
    /// The calls that marked a partition as ready that could not be, with its number.
    pub(crate) mismarked: Vec<(Place, u32, Mismark)>,
    /// The calls that had to be forced to return.
    pub(crate) forced: Vec<Place>,
}

/// Why a partition cannot be marked as ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mismark {
    /// It is ready already.
    Again,
    /// There are only so many.
    Beyond(u32),
    /// The request was not started, or is complete.
    Inactive,
}

impl Log {
    pub(crate) fn new(lanes: usize, record: Record) -> Log {
        Log { record, messages: (0..lanes).map(|_| Vec::new()).collect(), ..Log::default() }
    }

    pub(crate) fn record(&self) -> Record {
        self.record
    }

    /// A receive is posted: gives the number of its message in its lane.
    pub(crate) fn expect(&mut self, receive: Place) -> u32 {
        if self.record != Record::Everything {
            return NONE;
        }
        let list = &mut self.messages[receive.lane as usize];
        list.push(Message { send: EXPECTED, receive, received: receive, bytes: 0, tag: 0, comm: 0 });
        u32::try_from(list.len() - 1).unwrap_or(NONE)
    }

    /// A receive has its message.
    pub(crate) fn matched(&mut self, lane: u32, record: u32, send: Place, (bytes, tag, comm): (u64, i64, i64)) {
        if record != NONE {
            let message = &mut self.messages[lane as usize][record as usize];
            *message = Message { send, bytes, tag, comm, ..*message };
        } else {
            self.unlisted.messages += 1;
        }
    }

    /// A receive was completed by this call.
    pub(crate) fn received(&mut self, lane: u32, record: u32, place: Place) {
        self.messages[lane as usize][record as usize].received = place;
    }

    /// Two calls met that do not fit.
    pub(crate) fn misfit(&mut self, send: (Place, SendId), receive: (Place, ReceiveId)) {
        let entry = self.misfits.entry((send.1, receive.1)).or_insert(Misfit { send, receive, count: 0 });
        entry.count += 1;
    }

    /// All members have come to a collective of a communicator.
    pub(crate) fn gathered(
        &mut self,
        comm: i64,
        (context, number): (ContextId, u64),
        calls: impl Iterator<Item = (Place, CollectiveId)> + Clone,
    ) {
        if self.record == Record::Everything {
            self.collectives.push(Collective { comm, calls: calls.clone().map(|c| c.0).collect() });
        } else {
            self.unlisted.collectives += 1;
        }
        self.key.clear();
        self.key.extend(calls.clone().map(|c| c.1));
        if !self.seen.contains(&self.key[..]) {
            self.seen.insert(self.key.clone().into_boxed_slice());
            self.gathered.push(Gathered { context, number, calls: calls.collect() });
        }
    }

    /// The messages that were matched, by receive.
    pub(crate) fn take_messages(&mut self) -> Vec<Message> {
        let lists = std::mem::take(&mut self.messages);
        let mut all = Vec::with_capacity(lists.iter().map(Vec::len).sum());
        all.extend(lists.into_iter().flatten().filter(|message| message.send != EXPECTED));
        all
    }

    /// What did not fit, in the order of the trace.
    pub(crate) fn misfits(&self) -> Vec<Misfit> {
        let mut list: Vec<Misfit> = self.misfits.values().copied().collect();
        list.sort_unstable_by_key(|m| (m.receive, m.send));
        list
    }
}
