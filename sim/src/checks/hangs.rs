//! What wildcards took in calls that never returned, which no status tells.
//!
//! The machine takes any message that fits. Where a call gets through by that which hung in the recorded run, another match was made: if one
//! other message, taken by one such wildcard, makes every call wait that did, that is what happened, or as good.

use std::collections::BTreeSet;

use crate::machine::{Assumptions, Choices, Fate, Machine, Record, Remains, Timeless};
use crate::program::{Op, Peer, Program};

/// More runs are not tried.
const TRIALS_MAX: usize = 256;

/// Matches under which every call waits that never returned; None if the run that is left has them waiting, or none of those tried does.
pub(super) fn matches(program: &Program, remains: &Remains) -> Option<Choices> {
    let escaped: Vec<usize> = (0..program.lanes.len()).filter(|lane| has_escaped(program, remains, *lane)).collect();
    if escaped.is_empty() {
        return None;
    }
    let candidates = escaped.iter().flat_map(|lane| {
        let open = (0u32..).zip(&program.lanes[*lane].pins).filter(|(_, pin)| pin.is_none());
        let messages = messages_to(program, program.lanes[*lane].rank);
        open.flat_map(move |(wildcard, _)| messages.clone().into_iter().map(move |message| ((*lane, wildcard), message)))
    });
    candidates.take(TRIALS_MAX).find_map(|((lane, wildcard), message)| {
        let mut choices = Choices::default();
        choices.pins.insert((u32::try_from(lane).ok()?, wildcard), message);
        agrees(program, &choices).then_some(choices)
    })
}

/// Whether a lane got through a completion call that never returned.
fn has_escaped(program: &Program, remains: &Remains, lane: usize) -> bool {
    let plan = &program.lanes[lane];
    let last = plan.steps.last().map(|op| program.ops[*op as usize]);
    plan.in_flight
        && plan.pins.contains(&None)
        && matches!(last, Some(Op::Complete { .. }))
        && matches!(remains.fates[lane], Fate::Through(_))
}

/// Rank and tag of what is sent to a rank.
fn messages_to(program: &Program, rank: u32) -> BTreeSet<(u32, i64)> {
    let sent = program.sends.iter().filter_map(|send| match send.to {
        Peer::Channel(channel) => Some((program.channels[channel as usize], send.tag)),
        _ => None,
    });
    let here = sent.filter(|(channel, _)| program.mailboxes[channel.mailbox as usize].rank == rank);
    here.map(|(channel, tag)| (channel.source, tag)).collect()
}

/// Whether a run with these matches is like the recorded one: what returned there returns, what did not, waits.
fn agrees(program: &Program, choices: &Choices) -> bool {
    let mut machine = Machine::new(program, Assumptions::RECORDED, Timeless, Record::Misfits).with_choices(choices);
    machine.run();
    let remains = machine.remains();
    machine.log().forced.is_empty() && (0..program.lanes.len()).all(|lane| !has_escaped(program, &remains, lane))
}
