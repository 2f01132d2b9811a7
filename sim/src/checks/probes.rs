//! Probes after which a receive may take another message than the one that was seen: `race/probe`.
//!
//! A receive that says again that it takes a message of any rank may take one of another rank than the probe told of, whose length and tag the
//! program does not know. It is told where such a message exists and may be there in time.

use std::collections::BTreeSet;

use traces::{Status, mpi};

use super::gathered::{First, Gathered};
use super::wording::ranks;
use super::{Evidence, Report, primary, secondary};
use crate::finding::{Finding, Message, Place, Severity};
use crate::lift::Arguments;
use crate::order::Order;
use crate::program::{Op, Peer, ReceiveId, Then};
use crate::rules;

/// So many messages that are received later are looked at for each probe.
const LATER_MAX: usize = 1 << 12;

/// A probe, and the receive that follows it.
pub(super) struct Pair {
    probe: Place,
    receive: Place,
    wanted: ReceiveId,
}

/// One finding for each line that receives.
pub(super) fn check(evidence: Evidence, pairs: Vec<Pair>, report: &Report) -> Vec<Finding> {
    if pairs.is_empty() {
        return Vec::new();
    }
    let lanes: BTreeSet<u32> = pairs.iter().map(|pair| pair.receive.lane).collect();
    let asked = lanes.iter().flat_map(|lane| of_lane(report, *lane)).map(|message| message.send);
    let Some(order) = Order::of(evidence.program, &report.messages, &report.collectives, asked) else { return Vec::new() };
    let mut found: Gathered<First<(Place, u32, bool)>> = Gathered::default();
    for pair in pairs {
        let messages = of_lane(report, pair.receive.lane);
        let behind = messages.partition_point(|message| message.receive < pair.receive);
        let Some((taken, later)) = messages[behind..].split_first().filter(|(taken, _)| taken.receive == pair.receive) else {
            continue;
        };
        let from = evidence.rank(taken.send);
        let may_come = |message: &&Message| {
            let is_later = message.receive.event > pair.receive.event && message.comm == taken.comm;
            let is_other = evidence.rank(message.send) != from;
            let fits = evidence.program.receives[pair.wanted as usize].takes(message.tag);
            is_later && is_other && fits && order.is_before(pair.receive, message.send) == Some(false)
        };
        let other = later.iter().take(LATER_MAX).find(may_come).map(|message| evidence.rank(message.send));
        // A receive without a status does not tell.
        let told = seen(evidence, pair.probe).zip(seen(evidence, pair.receive));
        let is_mixed_up = told.is_some_and(|(probed, received)| probed != received);
        if let Some(other) = other.or(is_mixed_up.then_some(from)) {
            let key = First((pair.probe, other, is_mixed_up));
            found.add(evidence, key, evidence.rank(pair.receive), pair.receive);
        }
    }
    let told = found.groups().map(|group| {
        let First((probe, other, is_mixed_up)) = group.key;
        let is_one = group.who().len() == 1;
        let verb = match (is_mixed_up, is_one) {
            (true, true) => "receives",
            (true, false) => "receive",
            (false, _) => "may receive",
        };
        let (call, before) = (evidence.function(group.first), evidence.function(probe));
        let title = format!("{} {verb} in {call} another message than {before} saw", ranks(&group.who()));
        let mut found = Finding::new(&rules::RACE_PROBE, Severity::Warning, title);
        let label =
            if is_mixed_up { format!("took that of rank {other}") } else { format!("can take a message of rank {other}") };
        found.labels.push(primary(group.first, label));
        found.labels.push(secondary(probe, "saw a message, and took none".into()));
        found.help =
            Some("name the source and the tag that the status of the probe tells, or use MPI_Mprobe and MPI_Mrecv".into());
        found
    });
    told.collect()
}

/// The messages that a lane received, in the order of their receives.
fn of_lane(report: &Report, lane: u32) -> &[Message] {
    let first = report.messages.partition_point(|message| message.receive.lane < lane);
    let behind = report.messages.partition_point(|message| message.receive.lane <= lane);
    &report.messages[first..behind]
}

/// The probes for a message of any rank that are followed by a blocking receive of a message of any rank, with no other receive in between.
pub(super) fn pairs(evidence: Evidence) -> Vec<Pair> {
    let probes = [mpi::PROBE, mpi::IPROBE];
    if !evidence.trace.calls.iter().any(|call| probes.contains(&call.function)) {
        return Vec::new();
    }
    let program = evidence.program;
    let mailbox = |receive: ReceiveId| match program.receives[receive as usize].from {
        Peer::Any(mailbox) => Some(mailbox),
        _ => None,
    };
    let mut pairs = Vec::new();
    for (number, lane) in (0..).zip(&program.lanes).filter(|(_, lane)| !program.has_threads(lane.rank)) {
        let mut last: Option<(Place, ReceiveId)> = None;
        for (at, step) in (0..).zip(&lane.steps) {
            let place = Place { lane: number, event: at };
            match program.ops[*step as usize] {
                Op::Probe { receive, take: None, .. } => last = mailbox(receive).map(|_| (place, receive)),
                Op::Transfer { receive: Some(wanted), then, .. } => {
                    let before = last.take().filter(|_| then == Then::Return);
                    let is_same = |(_, seen): &(Place, ReceiveId)| mailbox(*seen) == mailbox(wanted);
                    let pair = before.filter(|before| mailbox(wanted).is_some() && is_same(before));
                    pairs.extend(pair.map(|(probe, _)| Pair { probe, receive: place, wanted }));
                }
                _ => {}
            }
        }
    }
    pairs
}

/// Whose message a call told of, and with which tag.
fn seen(evidence: Evidence, place: Place) -> Option<(i64, i64)> {
    let event = &evidence.trace.lanes[place.lane as usize].events[place.event as usize];
    let a = Arguments { call: evidence.call(place), outcome: Some(evidence.trace.outcome(event.outcome?)) };
    a.status().map(|status: Status| (status.source, status.tag))
}
