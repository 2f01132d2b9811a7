//! Receives whose message decides whom the rank talks to next: a master that answers whoever asked.
//!
//! Had such a receive taken another message, the rank would have made other calls than the recorded ones, and the recording says nothing
//! of them. So these receives are left as they were. The sign is that every time, the rank next spoke to where the message had come from.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::finding::Place;
use crate::program::{MailboxId, Op, Peer, Program, Then};

/// So many peers that a rank speaks to after a receive are compared with its source.
const NEXT_MAX: usize = 3;

/// A message that a wildcard took, and what the rank did then.
struct Taken {
    source: u32,
    /// The ranks that it spoke to next, until the next receive of the same kind.
    next: Vec<u32>,
}

/// The wildcards, by lane and number, that must take what they took in the recorded run.
pub(crate) fn find(program: &Program) -> FxHashSet<(u32, u32)> {
    let mut found = FxHashSet::default();
    for lane in 0..u32::try_from(program.lanes.len()).unwrap_or(0) {
        if program.lanes[lane as usize].pins.is_empty() {
            continue;
        }
        for (wildcards, taken) in walk(program, lane).into_values() {
            if is_answered(&taken) {
                found.extend(wildcards.into_iter().map(|wildcard| (lane, wildcard.number)));
            }
        }
    }
    found
}

/// The calls that receive or probe so.
pub(crate) fn places(program: &Program) -> FxHashSet<Place> {
    let lanes = (0u32..).zip(&program.lanes).filter(|(_, lane)| !lane.pins.is_empty());
    let kinds = lanes.flat_map(|(lane, _)| walk(program, lane).into_values().map(move |kind| (lane, kind)));
    let answered = kinds.filter(|(_, (_, taken))| is_answered(taken));
    answered.flat_map(|(lane, (list, _))| list.into_iter().map(move |one| Place { lane, event: one.event })).collect()
}

type Kind = (MailboxId, Option<i64>);

/// A wildcard: its number in its lane, and the event that posts it.
struct Wildcard {
    number: u32,
    event: u32,
}

/// The wildcards of a lane by kind: their numbers, and what they took.
fn walk(program: &Program, lane: u32) -> FxHashMap<Kind, (Vec<Wildcard>, Vec<Taken>)> {
    let mut kinds: FxHashMap<Kind, (Vec<Wildcard>, Vec<Taken>)> = FxHashMap::default();
    let plan = &program.lanes[lane as usize];
    let mut number = 0;
    for (event, op) in (0u32..).zip(plan.steps.iter().map(|op| program.ops[*op as usize])) {
        let (send, receive) = match op {
            Op::Transfer { then: Then::Persistent(_), .. } => continue,
            Op::Transfer { send, receive, .. } => (send, receive),
            Op::Probe { receive, .. } => (None, Some(receive)),
            _ => continue,
        };
        let receive = receive.map(|receive| program.receives[receive as usize]);
        let named = [send.map(|send| program.sends[send as usize].to), receive.map(|receive| receive.from)];
        for peer in named.into_iter().flatten().filter_map(|peer| rank_of(program, lane, peer)) {
            for (_, taken) in kinds.values_mut() {
                if let Some(last) = taken.last_mut().filter(|last| last.next.len() < NEXT_MAX) {
                    last.next.push(peer);
                }
            }
        }
        let Some(receive) = receive else { continue };
        let Peer::Any(mailbox) = receive.from else { continue };
        let (wildcards, taken) = kinds.entry((mailbox, receive.tag)).or_default();
        wildcards.push(Wildcard { number, event });
        let pin = plan.pins.get(number as usize).copied().flatten();
        if let Some(pin) = pin {
            taken.push(Taken { source: program.channels[pin.channel as usize].source, next: Vec::new() });
        }
        number += 1;
    }
    kinds
}

/// The rank at the other end, if one is named.
fn rank_of(program: &Program, lane: u32, peer: Peer) -> Option<u32> {
    let Peer::Channel(channel) = peer else { return None };
    let channel = program.channels[channel as usize];
    let own = program.lanes[lane as usize].rank;
    Some(if channel.source == own { program.mailboxes[channel.mailbox as usize].rank } else { channel.source })
}

/// Whether the rank spoke to the source each time that it spoke to anybody.
fn is_answered(taken: &[Taken]) -> bool {
    let first = taken.first().map(|t| t.source);
    // Where the message always came from the same rank, more than the very next peer would be chance.
    let reach = if taken.iter().all(|t| Some(t.source) == first) { 1 } else { NEXT_MAX };
    (0..reach).any(|n| {
        let answers: Vec<bool> = taken.iter().filter_map(|t| t.next.get(n).map(|peer| *peer == t.source)).collect();
        // The last of many may go without an answer, because all is done.
        !answers.is_empty() && answers.len() * 2 >= taken.len() && answers.iter().all(|is_source| *is_source)
    })
}
