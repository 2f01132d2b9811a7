//! How the run ended, if not well: `run/aborted` and `run/unfinished`.
//!
//! Neither is proved to be a mistake: an abort may be meant, and a run may be killed from outside. They say where to look, and so they are
//! warnings, and silent where a deadlock explains everything.

use traces::function::mpi;

use super::wording::{distinct, ranks};
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Label, Place, Severity};
use crate::machine::{Awaited, Fate};
use crate::program::{End, Op};
use crate::rules;

/// More calls than this are not labelled.
const LABELS_MAX: usize = 4;

/// At most one finding each.
pub(super) fn check(evidence: Evidence, known: &[Finding]) -> Vec<Finding> {
    let aborted = aborted(evidence);
    if aborted.is_some() {
        return aborted.into_iter().collect();
    }
    let is_explained = known.iter().any(|finding| finding.severity == Severity::Error);
    if is_explained { Vec::new() } else { unfinished(evidence).into_iter().collect() }
}

/// Lanes, by their last call.
fn last_calls(evidence: Evidence, lanes: impl Iterator<Item = usize>) -> Vec<Place> {
    lanes
        .filter_map(|lane| {
            let event = evidence.trace.lanes[lane].events.len().checked_sub(1)?;
            Some(Place { lane: u32::try_from(lane).ok()?, event: u32::try_from(event).ok()? })
        })
        .collect()
}

/// The call of MPI_Abort of a lane. It need not be its last: in some libraries it returns, and the end comes a moment later.
fn last_abort(evidence: Evidence, lane: usize) -> Option<Place> {
    let is_abort = |event: &traces::Event| evidence.trace.call(event.call).function == mpi::ABORT;
    let event = evidence.trace.lanes[lane].events.iter().rposition(is_abort)?;
    Some(Place { lane: u32::try_from(lane).ok()?, event: u32::try_from(event).ok()? })
}

fn aborted(evidence: Evidence) -> Option<Finding> {
    let lanes = (0..evidence.program.lanes.len()).filter(|lane| evidence.program.lanes[*lane].end == End::Aborted);
    let calls: Vec<Place> = lanes.filter_map(|lane| last_abort(evidence, lane)).collect();
    let first = *calls.first()?;
    let who = distinct(calls.iter().map(|place| evidence.rank(*place)));
    let code = evidence.call(first).int("errorcode").map_or(String::new(), |code| format!(" with error code {code}"));
    let mut found = Finding::new(&rules::RUN_ABORTED, Severity::Warning, format!("{} called MPI_Abort{code}", ranks(&who)));
    found.labels = fold(evidence, &calls, |_| "ended the run".into());
    Some(found)
}

/// Where the recording of a lane ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Between two calls.
    Outside,
    /// In a call that waits for nobody.
    Inside,
    /// In a call that waits for others.
    Waiting,
}

/// Ranks whose recording stops before MPI_Finalize, for no reason that the trace tells, and who waits for them.
fn unfinished(evidence: Evidence) -> Option<Finding> {
    let stops: Vec<Option<Stop>> = (0..evidence.program.lanes.len()).map(|lane| stop_of(evidence, lane)).collect();
    let is_waiting = |rank: u32| evidence.trace.lanes_of(rank).any(|lane| stops[lane] == Some(Stop::Waiting));
    let loose: Vec<usize> = (0..stops.len()).filter(|lane| matches!(stops[*lane], Some(Stop::Outside | Stop::Inside))).collect();
    let is_half = |lane: &&usize| is_waiting(evidence.program.lanes[**lane].rank);
    let (half, stopped): (Vec<usize>, Vec<usize>) = loose.iter().partition(is_half);
    let calls = last_calls(evidence, loose.iter().copied());
    if calls.is_empty() {
        return None;
    }
    let who = distinct(calls.iter().map(|place| evidence.rank(*place)));
    let mut found = Finding::new(&rules::RUN_UNFINISHED, Severity::Warning, title(evidence, &who, &stops, (&half, &stopped)));
    let stop = |place: Place| stops[place.lane as usize];
    found.labels = fold(evidence, &calls, |place| match stop(place) {
        Some(Stop::Inside) => "never returned".into(),
        _ if is_waiting(evidence.rank(place)) => "was the last call of its thread, which may go on or not".into(),
        _ => "was its last call".into(),
    });
    found.labels.extend(waiting(evidence, &who));
    Some(found)
}

fn title(evidence: Evidence, who: &[u32], stops: &[Option<Stop>], (half, stopped): (&[usize], &[usize])) -> String {
    let all = |stop| stopped.iter().all(|lane| stops[*lane] == Some(stop));
    let whose = ranks(who);
    if stopped.is_empty() {
        let waits = if who.len() == 1 { "waits" } else { "wait" };
        return format!("{whose} {waits} in one thread, and what the others do is not known");
    }
    let functions = last_calls(evidence, stopped.iter().copied()).into_iter().map(|place| evidence.called(place));
    let mut functions: Vec<String> = functions.collect();
    functions.dedup();
    match &functions[..] {
        [function] if half.is_empty() && all(Stop::Inside) => {
            format!("the recording of {whose} ends inside {function}, which never returned")
        }
        _ if half.is_empty() && all(Stop::Outside) => {
            format!("the recording of {whose} ends outside MPI, without MPI_Finalize")
        }
        _ => format!("the recording of {whose} ends without MPI_Finalize"),
    }
}

/// Where the recording of a lane ends; None if its process came to its end, is still running, went on without being recorded, or the lane
/// ended before.
fn stop_of(evidence: Evidence, lane: usize) -> Option<Stop> {
    let (recorded, plan) = (&evidence.trace.lanes[lane], &evidence.program.lanes[lane]);
    let process = evidence.trace.processes.get(recorded.process as usize);
    let went_on = process.is_some_and(|process| process.is_running || !process.stopped.is_empty());
    if plan.end != End::Unknown || went_on || recorded.ended || recorded.rank.is_none() {
        return None;
    }
    let last = evidence.program.ops[*plan.steps.last()? as usize];
    let waits = matches!(
        last,
        Op::Transfer { .. }
            | Op::Probe { .. }
            | Op::Deliver { .. }
            | Op::Collective { .. }
            | Op::Complete { .. }
            | Op::Finalize
            | Op::Sync { .. }
    );
    Some(match &evidence.remains.fates[lane] {
        _ if !plan.in_flight => Stop::Outside,
        Fate::Through(_) => Stop::Inside,
        _ if waits => Stop::Waiting,
        _ => Stop::Inside,
    })
}

/// Those that wait for these ranks.
fn waiting(evidence: Evidence, who: &[u32]) -> Vec<Label> {
    let waits = evidence.remains.fates.iter().filter_map(|fate| match fate {
        Fate::Waits(wait) => Some(wait),
        _ => None,
    });
    let theirs = waits.filter(|wait| wait.needs.iter().any(|need| is_for(evidence, &need.from, who)));
    let places: Vec<Place> = theirs.map(|wait| wait.place).collect();
    let them = if who.len() == 1 { "it" } else { "them" };
    let labels = fold(evidence, &places, |_| format!("waits for {them}"));
    labels.into_iter().map(|label| secondary(label.place, label.text)).collect()
}

fn is_for(evidence: Evidence, from: &Awaited, who: &[u32]) -> bool {
    let any = |ranks: &[u32]| ranks.iter().any(|rank| who.contains(rank));
    match from {
        Awaited::One(rank) => who.contains(rank),
        Awaited::AnyOf(context) => any(&evidence.program.contexts[*context as usize].members),
        Awaited::Missing(at) => any(&evidence.remains.collectives[*at].missing),
        Awaited::Each(ranks) => any(ranks),
        Awaited::Locks { held, .. } => held.iter().any(|held| who.contains(&held.rank)),
    }
}

/// One label for each line of the program.
fn fold(evidence: Evidence, calls: &[Place], text: impl Fn(Place) -> String) -> Vec<Label> {
    let mut groups: Vec<(Place, Vec<u32>)> = Vec::new();
    for place in calls {
        let site = evidence.call(*place).site;
        match groups.iter_mut().find(|(first, _)| site.is_some() && evidence.call(*first).site == site) {
            Some((_, others)) => others.push(evidence.rank(*place)),
            None => groups.push((*place, Vec::new())),
        }
    }
    groups.truncate(LABELS_MAX);
    let label = |(place, others): (Place, Vec<u32>)| {
        let also = if others.is_empty() { String::new() } else { format!("; likewise {}", ranks(&distinct(others))) };
        primary(place, text(place) + &also)
    };
    groups.into_iter().map(label).collect()
}
