//! Buffers that are changed while a send uses them: `buffer/reused`.
//!
//! The recorder takes the digest of what a nonblocking send sends, and again when it completes: where the two differ, the outcome of
//! the call that completed it is marked.

use rustc_hash::FxHashMap;
use traces::trace::is_made;
use traces::{Event, Kind, Status, mpi};

use super::wording::{distinct, ranks};
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Place, Severity};
use crate::lift::{Arguments, completed_requests};
use crate::rules;

/// A send whose buffer was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    started: Place,
    completed: Place,
}

/// One finding for each pair of lines that start and complete such sends.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let is_marked = |event: &Event| event.outcome.is_some_and(|outcome| has_mark(evidence, event, outcome));
    let marked: Vec<bool> = evidence.trace.lanes.iter().map(|lane| lane.events.iter().any(is_marked)).collect();
    let mut groups: Vec<(Change, Vec<u32>, u64)> = Vec::new();
    for process in 0..u32::try_from(evidence.trace.processes.len()).unwrap_or(0) {
        let lanes = evidence.trace.lanes.iter().zip(&marked);
        if !lanes.filter(|(lane, _)| lane.process == process && lane.rank.is_some()).any(|(_, is_marked)| *is_marked) {
            continue;
        }
        for change in changes(evidence, process) {
            let sites = |c: &Change| (evidence.call(c.started).site, evidence.call(c.completed).site);
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
    }
    groups.into_iter().map(|(change, who, times)| change_finding(evidence, change, who, times)).collect()
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
        match a.function() {
            mpi::START => started.extend(a.call.int("request").map(|request| (request, place))),
            mpi::STARTALL => started.extend(a.call.ints("array_of_requests").iter().map(|&request| (request, place))),
            function if function.class() == traces::Class::Completion => {
                let rows = a.statuses().into_iter().zip(completed_requests(&a));
                let changed = rows.filter(|(status, _)| status.bytes == Status::CHANGED);
                let changes =
                    changed.filter_map(|(_, request)| Some(Change { started: *started.get(&request)?, completed: place }));
                found.extend(changes);
            }
            function => {
                let made = function.parameters().iter().any(|p| p.kind == Kind::Request && p.name == "request");
                let number = a.result("request").int().filter(|number| made && is_made(*number));
                started.extend(number.map(|request| (request, place)));
            }
        }
    }
    found
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
    found.labels.push(primary(change.started, "starts to send its buffer".into()));
    found.labels.push(secondary(change.completed, "completes the send: the buffer is not what it was".into()));
    if times > who.len() as u64 {
        found.notes.push(format!("it happens {times} times"));
    }
    found
}
