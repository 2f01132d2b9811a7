//! Messages and receives that just missed each other: everything agrees but the tag, the communicator or the source.
//!
//! Only what is proved never to meet counts: the receiver is stuck or has ended. Being near is a guess at the cause, not at the fact.

use super::Evidence;
use crate::layout::Content;
use crate::machine::{Fate, LeftReceive, LeftSend, What};
use crate::rules::{self, Rule};

/// A message and a receive that are meant for each other, by the looks of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct NearMiss {
    pub(super) send: LeftSend,
    pub(super) receive: LeftReceive,
    pub(super) differs: Difference,
}

/// What they differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    Tag,
    Communicator,
    Source,
    Destination,
}

impl Difference {
    /// The rule for it.
    pub(super) fn rule(self) -> &'static Rule {
        match self {
            Difference::Tag => &rules::MATCH_TAG,
            Difference::Communicator => &rules::MATCH_COMMUNICATOR,
            Difference::Source | Difference::Destination => &rules::MATCH_SOURCE,
        }
    }
}

/// Among more messages or receives than these, which ones belong together is anybody's guess.
const LEFT_MAX: usize = 1000;

/// Pairs the messages and receives that are left, each at most once, the nearest first.
pub(super) fn find(evidence: Evidence) -> Vec<NearMiss> {
    let sends = evidence.remains.sends.iter().filter(|left| will_never_be_received(evidence, left));
    let mut sends: Vec<LeftSend> = sends.take(LEFT_MAX).copied().collect();
    let mut found = Vec::new();
    let receives = evidence.remains.receives.iter().copied().chain(probes(evidence));
    let mut receives: Vec<LeftReceive> = receives.filter(|left| will_never_receive(evidence, left)).take(LEFT_MAX).collect();
    for wanted in [Difference::Tag, Difference::Communicator, Difference::Source, Difference::Destination] {
        receives.retain(|receive| {
            let at = sends.iter().position(|send| difference(evidence, send, receive) == Some(wanted));
            if let Some(at) = at {
                found.push(NearMiss { send: sends.remove(at), receive: *receive, differs: wanted });
            }
            at.is_none()
        });
    }
    found.sort_by_key(|miss| miss.receive.place);
    found
}

/// The probes that lanes wait in: they miss messages as receives do.
fn probes(evidence: Evidence<'_>) -> impl Iterator<Item = LeftReceive> {
    let waits = evidence.remains.fates.iter().filter_map(|fate| match fate {
        Fate::Waits(wait) => Some(&wait.needs),
        _ => None,
    });
    waits.flatten().filter_map(|need| match need.what {
        What::Probe(receive) => Some(LeftReceive { place: need.posted, receive, is_cancelled: false }),
        _ => None,
    })
}

fn will_never_be_received(evidence: Evidence, left: &LeftSend) -> bool {
    evidence.destination(left.send).is_some_and(|rank| !evidence.standing.is_alive(rank))
}

fn will_never_receive(evidence: Evidence, left: &LeftReceive) -> bool {
    let rank = evidence.rank(left.place);
    !left.is_cancelled && !evidence.standing.is_alive(rank)
}

/// What a message and a receive differ in, if it is one thing only.
fn difference(evidence: Evidence, send: &LeftSend, receive: &LeftReceive) -> Option<Difference> {
    let program = evidence.program;
    let (message, room) = (&program.sends[send.send as usize], &program.receives[receive.receive as usize]);
    if !fits(evidence, message.content, room.content) {
        return None;
    }
    let (from, to) = (evidence.rank(send.place), evidence.destination(send.send)?);
    let here = evidence.rank(receive.place);
    let same_comm = evidence.comm_of_send(send.send) == evidence.comm_of_receive(receive.receive);
    let same_tag = room.takes(message.tag);
    let same_source = evidence.source(receive.receive).is_none_or(|source| source == from);
    // That messages from or to others are under way is quite usual, unless the one that is waited for will never send.
    let is_gone = |rank: Option<u32>| rank.is_some_and(|rank| evidence.standing.is_gone(rank));
    match (to == here, same_comm, same_tag, same_source) {
        (true, true, false, true) => Some(Difference::Tag),
        (true, false, true, true) => Some(Difference::Communicator),
        (true, true, true, false) if is_gone(evidence.source(receive.receive)) => Some(Difference::Source),
        (false, true, true, true) if is_gone(Some(from)) && is_gone(Some(to)) => Some(Difference::Destination),
        _ => None,
    }
}

/// Whether a message could be what a receive is for.
fn fits(evidence: Evidence, message: Content, room: Content) -> bool {
    let has_room = message.bytes.zip(room.bytes).is_none_or(|(bytes, room)| bytes <= room);
    has_room && evidence.program.layouts.difference(message, room).is_none()
}
