//! Buffers that are changed while a send uses them: `buffer/reused`.
//!
//! With `--guard` each store is on record (`touches`). Without it, the recorder takes the digest of what a nonblocking send sends, and again when it completes: where the two differ, the outcome of
//! the call that completed it is marked.

use rustc_hash::FxHashMap;
use traces::trace::is_made;
use traces::{Event, Kind, Status, mpi};

use super::touches::Touch;
use super::wording::{distinct, ranks};
use super::{Evidence, primary, secondary, touches};
use crate::finding::{Finding, Place, Severity};
use crate::lift::{Arguments, completed_requests};
use crate::rules;

/// A send whose buffer was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    started: Place,
    completed: Option<Place>,
    /// The store, where its line is known.
    store: Option<Place>,
}

/// One finding for each pair of lines that start and complete such sends, or for each line that writes.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let is_marked = |event: &Event| event.outcome.is_some_and(|outcome| has_mark(evidence, event, outcome));
    let marked: Vec<bool> = evidence.trace.lanes.iter().map(|lane| lane.events.iter().any(is_marked)).collect();
    let mut groups: Vec<(Change, Vec<u32>, u64)> = Vec::new();
    let touched: Vec<Touch> = touches::all(evidence).into_iter().filter(|touch| touch.is_sent).collect();
    for touch in &touched {
        let store = Some(touch.access).filter(|access| evidence.call(*access).site.is_some());
        add(evidence, Change { started: touch.started, completed: touch.completed, store }, &mut groups);
    }
    for process in 0..u32::try_from(evidence.trace.processes.len()).unwrap_or(0) {
        let lanes = evidence.trace.lanes.iter().zip(&marked);
        if !lanes.filter(|(lane, _)| lane.process == process && lane.rank.is_some()).any(|(_, is_marked)| *is_marked) {
            continue;
        }
        let is_news = |change: &Change| touched.iter().all(|touch| touch.started != change.started);
        changes(evidence, process).into_iter().filter(is_news).for_each(|change| add(evidence, change, &mut groups));
    }
    groups.into_iter().map(|(change, who, times)| change_finding(evidence, change, who, times)).collect()
}

/// Adds a change to those like it.
fn add(evidence: Evidence, change: Change, groups: &mut Vec<(Change, Vec<u32>, u64)>) {
    let site = |place: Option<Place>| place.and_then(|place| evidence.call(place).site);
    let sites = |c: &Change| (site(Some(c.started)), site(c.store), site(c.completed.filter(|_| c.store.is_none())));
    let own = sites(&change);
    let rank = evidence.rank(change.started);
    match groups.iter_mut().find(|(known, ..)| own.0.is_some() && sites(known) == own) {
        Some((_, ranks, times)) => {
            ranks.push(rank);
            *times += 1;
        }
        None => groups.push((change, vec![rank], 1)),
    }
}

fn has_mark(evidence: Evidence, event: &Event, outcome: traces::OutcomeId) -> bool {
    let function = evidence.trace.call(event.call).function;
    function.class() == traces::Class::Completion
        && evidence.trace.outcome(outcome).statuses(function).any(|status| status.bytes == Status::CHANGED)
}

/// The sends of a process whose buffers were changed. Requests are the process's, so the calls of its threads are followed as they returned.
fn changes(evidence: Evidence, process: u32) -> Vec<Change> {
    let mut started: FxHashMap<i64, Place> = FxHashMap::default();
    let mut found = Vec::new();
    for (place, a) in events_in_order(evidence, process) {
        started.extend(starts(&a).into_iter().map(|request| (request, place)));
        if a.function().class() == traces::Class::Completion {
            let rows = a.statuses().into_iter().zip(completed_requests(&a));
            let changed = rows.filter(|(status, _)| status.bytes == Status::CHANGED);
            found.extend(changed.filter_map(|(_, request)| {
                Some(Change { started: *started.get(&request)?, completed: Some(place), store: None })
            }));
        }
    }
    found
}

/// The requests whose operations a call begins, or may begin.
pub(super) fn starts(a: &Arguments) -> Vec<i64> {
    match a.function() {
        mpi::START => a.call.int("request").into_iter().collect(),
        mpi::STARTALL => a.call.ints("array_of_requests").to_vec(),
        function if function.class() == traces::Class::Completion => Vec::new(),
        function => {
            let makes = function.parameters().iter().any(|p| p.kind == Kind::Request && p.name == "request");
            a.result("request").int().filter(|number| makes && is_made(*number)).into_iter().collect()
        }
    }
}

/// The calls of a process that returned, in the order that they did.
pub(super) fn events_in_order(evidence: Evidence<'_>, process: u32) -> impl Iterator<Item = (Place, Arguments<'_>)> {
    let mut events: Vec<(u64, Place)> = Vec::new();
    for (number, lane) in (0..).zip(&evidence.trace.lanes).filter(|(_, lane)| lane.process == process) {
        events.extend((0..).zip(&lane.events).map(|(at, event)| (event.end_ns(), Place { lane: number, event: at })));
    }
    events.sort_by_key(|(end_ns, place)| (*end_ns, *place));
    events.into_iter().filter_map(move |(_, place)| {
        let event = &evidence.trace.lanes[place.lane as usize].events[place.event as usize];
        let outcome = Some(evidence.trace.outcome(event.outcome?));
        Some((place, Arguments { call: evidence.trace.call(event.call), outcome }))
    })
}

fn change_finding(evidence: Evidence, change: Change, who: Vec<u32>, times: u64) -> Finding {
    let who = distinct(who);
    let verb = if who.len() == 1 { "changes" } else { "change" };
    let name = evidence.called(change.started);
    let title = format!("{} {verb} the buffer of {name} before the send is complete", ranks(&who));
    let mut found = Finding::new(&rules::BUFFER_REUSED, Severity::Error, title);
    if let Some(store) = change.store {
        found.labels.push(primary(store, format!("writes to {} of the buffer", touches::bytes(evidence, store))));
        found.labels.push(secondary(change.started, "starts to send its buffer".into()));
        found.labels.extend(change.completed.map(|place| secondary(place, "completes the send".into())));
    } else {
        found.labels.push(primary(change.started, "starts to send its buffer".into()));
        let text = "completes the send: the buffer is not what it was";
        found.labels.extend(change.completed.map(|place| secondary(place, text.into())));
    }
    if times > who.len() as u64 {
        found.notes.push(format!("it happens {times} times"));
    }
    found
}
