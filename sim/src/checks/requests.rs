//! Requests that nobody completes: `request/lost` and `request/never-started`.

use rustc_hash::FxHashSet;

use super::wording::{count, distinct, ranks};
use super::{Evidence, finding, primary, secondary};
use crate::finding::{Finding, Place, Severity};
use crate::machine::{LeftRequest, RequestState};
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

/// The calls whose message or receive has a finding of its own.
fn orphans(evidence: Evidence) -> FxHashSet<Place> {
    let sends = evidence.remains.sends.iter().map(|left| left.place);
    sends.chain(evidence.remains.receives.iter().map(|left| left.place)).collect()
}

fn request_finding(evidence: Evidence, left: LeftRequest, who: Vec<u32>, times: u64) -> Finding {
    let who = distinct(who);
    let requests = if times == who.len() as u64 { "the request".into() } else { count(times, "request") };
    let who = ranks(&who);
    let name = evidence.function(left.made);
    match left.state {
        RequestState::Active(posted) => {
            let title = format!("{who} never completed {requests} of {name}");
            let mut found = finding(&rules::REQUEST_LOST, Severity::Error, title);
            found.labels.push(primary(left.made, "made a request that no MPI_Wait or MPI_Test completes".into()));
            if posted != left.made {
                found.labels.push(secondary(posted, "started it".into()));
            }
            found
        }
        _ => {
            let title = format!("{who} never started {requests} of {name}");
            let mut found = finding(&rules::REQUEST_NEVER_STARTED, Severity::Warning, title);
            found.labels.push(primary(left.made, "made a request that no MPI_Start starts".into()));
            found
        }
    }
}
