//! Operations that are under way at the same time on the same memory of a rank, where one of them writes: `buffer/in-flight`.
//!
//! Which operations are under way follows from the calls of a rank alone, whatever the library does. Ranks that call MPI from several threads
//! are left out: the order of their calls is nobody's promise.
//!
//! Where one receives and the other one sends, no harm is done if the message that is received is sent only when what is sent has arrived.
//! The standard forbids it all the same, and libraries such as BLACS do it: that is a note.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use traces::buffers::{completes_fetches, fetches_later};
use traces::{Call, Class, Event, mpi};

use super::rivals::{Care, Rivals};
use super::sharing;
use super::wording::{distinct, ranks};
use super::{Evidence, Report, primary, secondary};
use crate::finding::{Finding, Message, Place, Severity};
use crate::footprint::{Footprint, Overlap};
use crate::lift::NO_SLOT;
use crate::order::Order;
use crate::program::{Op, Slot, Then};
use crate::rules;
use crate::uses::{self, Use};

/// The pairs of lines that use the same memory at the same time.
pub(super) fn meetings(evidence: Evidence) -> Meetings {
    let calls: Vec<Kind> = evidence.trace.calls.iter().map(Kind::of).collect();
    let program = evidence.program;
    let lasts = |op: &Op| matches!(op, Op::Request { .. } | Op::Start { .. }) || then(*op).is_some_and(|t| t != Then::Return);
    let mut meetings = Meetings::default();
    if !program.ops.iter().any(lasts) && !calls.iter().any(|call| call.fetches_later) {
        return meetings;
    }
    let mut rivals = Rivals::new(calls.len());
    for (number, lane) in (0u32..).zip(&evidence.trace.lanes) {
        let Some(rank) = lane.rank.filter(|rank| !program.has_threads(*rank)) else { continue };
        rivals.find(evidence, number, rank, &calls);
        if rivals.has(Care::Followed) {
            let mut walk = Walk::new(evidence, &rivals);
            for (at, (event, step)) in (0..).zip(lane.events.iter().zip(&program.lanes[number as usize].steps)) {
                let op = program.ops[*step as usize];
                walk.step(Place { lane: number, event: at }, event, op, calls[event.call.0 as usize], &mut meetings);
            }
        }
    }
    meetings
}

/// One finding for each of them.
pub(super) fn check(evidence: Evidence, meetings: Meetings, report: &Report, is_clear: bool) -> Vec<Finding> {
    let exchanges = Exchanges::of(evidence, report, is_clear, &meetings);
    meetings.0.into_iter().map(|meeting| meeting.into_finding(evidence, &exchanges)).collect()
}

/// Messages that are sent from where other ones are received.
struct Exchanges {
    /// By the call that sends it, and by the one that posts its receive.
    by_send: FxHashMap<Place, Message>,
    by_receive: FxHashMap<Place, Message>,
    /// None if it cannot be told.
    order: Option<Order>,
}

impl Exchanges {
    fn of(evidence: Evidence, report: &Report, is_clear: bool, meetings: &Meetings) -> Exchanges {
        let mut all = Exchanges { by_send: FxHashMap::default(), by_receive: FxHashMap::default(), order: None };
        let pairs = || meetings.0.iter().flat_map(|meeting| &meeting.exchanges);
        let wanted: FxHashSet<Place> = pairs().flat_map(|(read, write)| [*read, *write]).collect();
        if wanted.is_empty() {
            return all;
        }
        for message in &report.messages {
            if wanted.contains(&message.send) {
                all.by_send.insert(message.send, *message);
            }
            if wanted.contains(&message.receive) {
                all.by_receive.insert(message.receive, *message);
            }
        }
        let asked = all.by_receive.values().map(|message| message.send);
        all.order = Order::of(evidence.program, &report.messages, &report.collectives, asked).filter(|_| is_clear);
        all
    }

    /// Whether what one call sends may have arrived before what is written by the other one was sent.
    fn may_be_apart(&self, (read, write): (Place, Place)) -> bool {
        let (Some(sent), Some(received)) = (self.by_send.get(&read), self.by_receive.get(&write)) else { return false };
        self.order.as_ref().is_none_or(|order| order.is_before(sent.received, received.send) != Some(false))
    }
}

/// Data that changes while it is sent is no other mistake where it is known who writes to it.
pub(super) fn drop_consequences(evidence: Evidence, findings: &mut Vec<Finding>) {
    let is_one = |finding: &&Finding| finding.rule == &rules::BUFFER_IN_FLIGHT && finding.severity == Severity::Error;
    let labels = findings.iter().filter(is_one).flat_map(|finding| &finding.labels);
    let known: Vec<_> = labels.filter_map(|label| evidence.call(label.place).site).collect();
    let is_known = |place: Place| evidence.call(place).site.is_some_and(|site| known.contains(&site));
    let is_consequence = |finding: &Finding| [&rules::BUFFER_REUSED, &rules::BUFFER_TOUCHED].contains(&finding.rule);
    findings.retain(|finding| !is_consequence(finding) || !finding.labels.iter().any(|l| is_known(l.place)));
}

/// How a communication completes, if an operation is one.
pub(super) fn then(op: Op) -> Option<Then> {
    match op {
        Op::Transfer { then, .. } | Op::Deliver { then, .. } | Op::Collective { then, .. } => Some(then),
        _ => None,
    }
}

/// What a call has to do with buffers, known once for each distinct call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kind {
    pub(super) has_buffers: bool,
    /// Whether its buffers are in use until a synchronisation of its window.
    pub(super) fetches_later: bool,
    /// Whether it is such a synchronisation.
    pub(super) completes_fetches: bool,
}

impl Kind {
    fn of(call: &Call) -> Kind {
        let has_buffers = uses::has_buffers(call);
        let is_one_sided = call.function.class() == Class::OneSided;
        Kind {
            has_buffers,
            fetches_later: has_buffers && is_one_sided && fetches_later(call.function),
            completes_fetches: is_one_sided && (completes_fetches(call.function) || call.function == mpi::WIN_FREE),
        }
    }
}

/// What an operation under way uses.
#[derive(Clone, Debug)]
struct Lent {
    place: Place,
    bytes: Footprint,
    writes: bool,
}

/// What is under way in one rank.
struct Walk<'a> {
    evidence: Evidence<'a>,
    rivals: &'a Rivals,
    /// By its first byte, and a number.
    lent: BTreeMap<(i64, u32), Lent>,
    number: u32,
    /// The longest reach of any that was lent.
    reach_max: i64,
    /// What a request uses.
    by_request: FxHashMap<Slot, Vec<(i64, u32)>>,
    /// What a persistent request uses when it is started.
    templates: FxHashMap<Slot, Rc<[Use]>>,
    /// What accesses without a request use, by window and target.
    by_window: Vec<((i64, i64), (i64, u32))>,
}

impl<'a> Walk<'a> {
    fn new(evidence: Evidence<'a>, rivals: &'a Rivals) -> Walk<'a> {
        Walk {
            evidence,
            rivals,
            lent: BTreeMap::new(),
            number: 0,
            reach_max: 0,
            by_request: FxHashMap::default(),
            templates: FxHashMap::default(),
            by_window: Vec::new(),
        }
    }

    fn step(&mut self, place: Place, event: &Event, op: Op, kind: Kind, meetings: &mut Meetings) {
        if kind.completes_fetches && !self.by_window.is_empty() {
            self.synchronise(self.evidence.trace.call(event.call));
        }
        match op {
            Op::Complete { requests, .. } if event.outcome.is_some() => {
                requests.range().for_each(|at| self.give_back(self.evidence.program.completions[at].slot));
            }
            Op::GiveUp { requests } => {
                requests.range().for_each(|at| self.give_back(self.evidence.program.completions[at].slot));
            }
            Op::GiveUpAll => self.lent.clear(),
            Op::Free { slot } => self.give_back(slot),
            Op::Start { requests, has_failed: false } => {
                for at in requests.range() {
                    let slot = self.evidence.program.completions[at].slot;
                    // That it is active already is another mistake.
                    self.give_back(slot);
                    if let Some(used) = self.templates.get(&slot).cloned() {
                        let keys = self.lend(place, &used, true, meetings);
                        self.by_request.entry(slot).or_default().extend(keys);
                    }
                }
            }
            _ if kind.has_buffers => self.begin(place, event, op, kind, meetings),
            _ => {}
        }
    }

    /// A call that has buffers.
    fn begin(&mut self, place: Place, event: &Event, op: Op, kind: Kind, meetings: &mut Meetings) {
        if event.outcome.is_some_and(|outcome| self.evidence.trace.outcome(outcome).code != 0) {
            return;
        }
        let is_followed = self.rivals.care(event.call.0) == Care::Followed;
        let Some(used) = self.rivals.used.get(&event.call.0).filter(|_| is_followed).cloned() else {
            if let Some(Then::Persistent(slot)) = then(op) {
                self.templates.remove(&slot);
            }
            return;
        };
        let call = self.evidence.trace.call(event.call);
        match (op, then(op)) {
            (_, Some(Then::Persistent(slot))) => _ = self.templates.insert(slot, used),
            (Op::Request { slot }, _) | (_, Some(Then::Request(slot))) => {
                let keys = self.lend(place, &used, slot != NO_SLOT, meetings);
                if let (Some(window), Some(target)) = (call.int("win"), call.int("target_rank")) {
                    self.by_window.extend(keys.iter().map(|key| ((window, target), *key)));
                }
                self.by_request.entry(slot).or_default().extend(keys);
            }
            (_, Some(Then::Return)) => self.meet(place, &used, meetings),
            _ if kind.fetches_later => {
                let of_window = call.int("win").zip(call.int("target_rank"));
                let keys = self.lend(place, &used, of_window.is_some(), meetings);
                self.by_window.extend(keys.into_iter().filter_map(|key| Some((of_window?, key))));
            }
            _ => {}
        }
    }

    /// Other operations under way that use what a call uses.
    fn meet(&self, place: Place, used: &[Use], meetings: &mut Meetings) {
        for one in used {
            let Some((first, end)) = one.bytes.bounds() else { continue };
            for (_, lent) in self.lent.range((first.saturating_sub(self.reach_max), 0)..(end, 0)) {
                let is_conflict = one.writes || lent.writes;
                if is_conflict && lent.place != place && lent.bytes.overlaps(&one.bytes) == Overlap::Yes {
                    meetings.add(self.evidence, lent, (place, one));
                }
            }
        }
    }

    /// A call uses buffers, from here on until it is known to be complete if that is ever known. Gives what they are found by.
    fn lend(&mut self, place: Place, used: &[Use], is_followed: bool, meetings: &mut Meetings) -> Vec<(i64, u32)> {
        self.meet(place, used, meetings);
        let mut keys = Vec::with_capacity(used.len());
        for one in used.iter().filter(|_| is_followed) {
            let Some((first, end)) = one.bytes.bounds() else { continue };
            self.reach_max = self.reach_max.max(end.saturating_sub(first));
            let key = (first, self.number);
            self.number += 1;
            self.lent.insert(key, Lent { place, bytes: one.bytes.clone(), writes: one.writes });
            keys.push(key);
        }
        keys
    }

    fn give_back(&mut self, slot: Slot) {
        if let Some(keys) = self.by_request.get_mut(&slot) {
            keys.drain(..).for_each(|key| _ = self.lent.remove(&key));
        }
    }

    /// Accesses are complete as far as this rank is concerned: those to one target, or to all.
    fn synchronise(&mut self, call: &Call) {
        let (win, rank) = (call.int("win"), call.int("rank"));
        let lent = &mut self.lent;
        self.by_window.retain(|((window, target), key)| {
            let is_complete = Some(*window) == win && rank.is_none_or(|rank| rank == *target);
            if is_complete {
                lent.remove(key);
            }
            !is_complete
        });
    }
}

/// Two operations on the same memory, and the ranks in which these lines meet.
struct Meeting {
    first: Lent,
    second: (Place, Use),
    ranks: Vec<u32>,
    times: u64,
    /// The calls that read and that write, where one does and the other one does.
    exchanges: Vec<(Place, Place)>,
}

/// All of them.
#[derive(Default)]
pub(super) struct Meetings(Vec<Meeting>);

impl Meetings {
    /// Whether any is of a call that reads and one that writes, which are in no conflict if messages keep them apart.
    pub(super) fn are_exchanges(&self) -> bool {
        self.0.iter().any(|meeting| !meeting.exchanges.is_empty())
    }

    fn add(&mut self, evidence: Evidence, first: &Lent, (place, second): (Place, &Use)) {
        let site = |place: Place| evidence.call(place).site;
        let own = (site(first.place), site(place));
        let is_same = |known: &Meeting| own.0.is_some() && (site(known.first.place), site(known.second.0)) == own;
        let at = self.0.iter().position(is_same).unwrap_or_else(|| {
            let (second, exchanges) = ((place, second.clone()), Vec::new());
            self.0.push(Meeting { first: first.clone(), second, ranks: Vec::new(), times: 0, exchanges });
            self.0.len() - 1
        });
        let known = &mut self.0[at];
        known.ranks.push(evidence.rank(place));
        known.times += 1;
        match (first.writes, second.writes) {
            (true, false) => known.exchanges.push((place, first.place)),
            (false, true) => known.exchanges.push((first.place, place)),
            _ => {}
        }
    }
}

impl Meeting {
    fn into_finding(self, evidence: Evidence, exchanges: &Exchanges) -> Finding {
        let is_apart =
            self.times == self.exchanges.len() as u64 && self.exchanges.iter().all(|pair| exchanges.may_be_apart(*pair));
        let severity = if is_apart { Severity::Note } else { Severity::Error };
        let who = distinct(self.ranks);
        let is_one = who.len() == 1;
        let (place, second) = &self.second;
        let verb = match (second.writes, is_one) {
            (true, true) => "receives into",
            (true, false) => "receive into",
            (false, true) => "sends from",
            (false, false) => "send from",
        };
        let use_of_first = if self.first.writes { "receives into" } else { "sends from" };
        let (one, other) = (evidence.function(self.first.place), evidence.function(*place));
        let title = format!("{} {verb} memory in {other} that {one} still {use_of_first}", ranks(&who));
        let mut found = Finding::new(&rules::BUFFER_IN_FLIGHT, severity, title);
        let [first_bytes, second_bytes] = sharing::bytes(&self.first.bytes, &second.bytes);
        let label = format!("{} {second_bytes} of its buffer", if second.writes { "writes" } else { "reads" });
        found.labels.push(primary(*place, label));
        let verb = if self.first.writes { "writes" } else { "reads" };
        found.labels.push(secondary(self.first.place, format!("{verb} {first_bytes} of its buffer until it is complete")));
        if is_apart {
            found.notes.push("no harm is done if what is received is sent only when what is sent has arrived".into());
        }
        if self.times > who.len() as u64 {
            found.notes.push(format!("it happens {} times", self.times));
        }
        found
    }
}
