//! Requests that nobody completes: `request/lost` and `request/never-started`; and those that are started too often:
//! `request/started-twice`.

use rustc_hash::FxHashSet;

use super::wording::{count, distinct, ranks};
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Place, Severity};
use crate::machine::{LeftRequest, Log, RequestState};
use crate::rules;

/// One finding for each line that makes such requests.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let orphans = orphans(evidence);
    let is_orphan = |left: &LeftRequest| matches!(left.state, RequestState::Active(posted) if orphans.contains(&posted));
    let mut groups: Vec<(LeftRequest, Vec<u32>, u64)> = Vec::new();
    for left in &evidence.remains.requests {
        let rank = evidence.rank(left.made);
        // The numbers of requests that several threads make at once cannot be followed with certainty.
        let is_gone = evidence.standing.is_gone(rank) && !evidence.program.has_threads(rank);
        if !is_gone || left.state == RequestState::Inactive || is_orphan(left) {
            continue;
        }
        let site = evidence.call(left.made).site;
        let is_started = |state| matches!(state, RequestState::Active(_));
        let same = |known: &LeftRequest| {
            site.is_some() && evidence.call(known.made).site == site && is_started(known.state) == is_started(left.state)
        };
        match groups.iter_mut().find(|(known, ..)| same(known)) {
            Some((_, ranks, times)) => {
                ranks.push(rank);
                *times += 1;
            }
            None => groups.push((*left, vec![rank], 1)),
        }
    }
    groups.into_iter().map(|(left, ranks, times)| request_finding(evidence, left, ranks, times)).collect()
}

/// One finding for each line that starts a request which is active.
pub(super) fn check_restarts(evidence: Evidence, log: &Log) -> Vec<Finding> {
    let mut groups: Vec<((Place, Place), Vec<u32>)> = Vec::new();
    for (again, first) in &log.restarted {
        let rank = evidence.rank(*again);
        if evidence.program.has_threads(rank) {
            continue;
        }
        let site = evidence.call(*again).site;
        match groups.iter_mut().find(|((known, _), _)| site.is_some() && evidence.call(*known).site == site) {
            Some((_, ranks)) => ranks.push(rank),
            None => groups.push(((*again, *first), vec![rank])),
        }
    }
    let told = |((again, first), who): ((Place, Place), Vec<u32>)| {
        let who = distinct(who);
        let verb = if who.len() == 1 { "starts a request that is" } else { "start requests that are" };
        let title = format!("{} {verb} active already, in {}", ranks(&who), evidence.called(again));
        let mut found = Finding::new(&rules::REQUEST_STARTED_TWICE, Severity::Error, title);
        found.labels.push(primary(again, "starts it again".into()));
        found.labels.push(secondary(first, "started it, and nothing has completed it since".into()));
        found
    };
    groups.into_iter().map(told).collect()
}

/// The calls whose message or receive has a finding of its own.
fn orphans(evidence: Evidence) -> FxHashSet<Place> {
    let sends = evidence.remains.sends.iter().map(|left| left.place);
    sends.chain(evidence.remains.receives.iter().map(|left| left.place)).collect()
}

fn request_finding(evidence: Evidence, left: LeftRequest, who: Vec<u32>, times: u64) -> Finding {
    let who = distinct(who);
    let requests = if times == who.len() as u64 { "the request".into() } else { count(times, "request") };
    let who = ranks(&who);
    let name = evidence.called(left.made);
    match left.state {
        RequestState::Active(posted) => {
            let title = format!("{who} never completed {requests} of {name}");
            let mut found = Finding::new(&rules::REQUEST_LOST, Severity::Error, title);
            found.labels.push(primary(left.made, "made a request that no MPI_Wait or MPI_Test completes".into()));
            if posted != left.made {
                found.labels.push(secondary(posted, "started it".into()));
            }
            found
        }
        _ => {
            let title = format!("{who} never started {requests} of {name}");
            let mut found = Finding::new(&rules::REQUEST_NEVER_STARTED, Severity::Warning, title);
            found.labels.push(primary(left.made, "made a request that no MPI_Start starts".into()));
            found
        }
    }
}
