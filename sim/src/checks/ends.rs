//! How the run ended, if not well: `run/aborted` and `run/unfinished`.
//!
//! Neither is proved to be a mistake: an abort may be meant, and a run may be killed from outside. They say where to look, and so they are
//! warnings, and silent where a deadlock explains everything.

use traces::function::mpi;

use super::wording::{distinct, ranks};
use super::{Evidence, finding, primary, secondary};
use crate::finding::{Finding, Label, Place, Severity};
use crate::machine::{Awaited, Fate};
use crate::program::End;
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
    let mut found = finding(&rules::RUN_ABORTED, Severity::Warning, format!("{} called MPI_Abort{code}", ranks(&who)));
    found.labels = fold(evidence, &calls, |_| "ended the run".into());
    Some(found)
}

/// Ranks whose recording stops outside of MPI, and who waits for them.
fn unfinished(evidence: Evidence) -> Option<Finding> {
    let fates = &evidence.remains.fates;
    let is_unfinished =
        |lane: &usize| matches!(fates[*lane], Fate::Through(End::Unknown)) && !evidence.program.lanes[*lane].in_flight;
    let lanes: Vec<usize> = (0..fates.len()).filter(is_unfinished).collect();
    let calls = last_calls(evidence, lanes.into_iter());
    if calls.is_empty() {
        return None;
    }
    let who = distinct(calls.iter().map(|place| evidence.rank(*place)));
    let title = if evidence.trace.damage.is_empty() {
        format!("{} ended without MPI_Finalize", ranks(&who))
    } else {
        // What came after may be what is missing.
        format!("the recording of {} ends without MPI_Finalize", ranks(&who))
    };
    let mut found = finding(&rules::RUN_UNFINISHED, Severity::Warning, title);
    found.labels = fold(evidence, &calls, |place| format!("{} was its last call", evidence.function(place)));
    let waiting: Vec<&crate::machine::Wait> = fates
        .iter()
        .filter_map(|fate| match fate {
            Fate::Waits(wait) => Some(wait),
            _ => None,
        })
        .filter(|wait| wait.needs.iter().any(|need| is_for(evidence, &need.from, &who)))
        .collect();
    let places: Vec<Place> = waiting.iter().map(|wait| wait.place).collect();
    for label in fold(evidence, &places, |place| format!("waits for it in {}", evidence.function(place))) {
        found.labels.push(secondary(label.place, label.text));
    }
    Some(found)
}

fn is_for(evidence: Evidence, from: &Awaited, who: &[u32]) -> bool {
    let any = |ranks: &[u32]| ranks.iter().any(|rank| who.contains(rank));
    match from {
        Awaited::One(rank) => who.contains(rank),
        Awaited::AnyOf(context) => any(&evidence.program.contexts[*context as usize].members),
        Awaited::Missing(at) => any(&evidence.remains.collectives[*at].missing),
        Awaited::Each(ranks) => any(ranks),
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
