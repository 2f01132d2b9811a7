//! Requests that nobody completes: `request/lost` and `request/never-started`; those that are started too often, `request/started-twice`, or
//! freed too early, `request/freed-active`; and partitions that cannot be marked as ready, `request/partition`.

use rustc_hash::FxHashSet;
use traces::function::Class;

use super::gathered::{First, Gathered, Group};
use super::wording::{count, distinct, ranks};
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Place, Severity};
use crate::machine::{LeftRequest, Log, Mismark, RequestState};
use crate::rules;

/// What a rank does with its requests that it must not, whatever came of it.
pub(super) fn check_uses(evidence: Evidence, log: &Log) -> Vec<Finding> {
    let mut found = freed(evidence, log);
    found.extend(mismarked(evidence, log));
    found
}

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

/// One finding for each line that frees a request which is active. The standard allows it, but for collectives.
fn freed(evidence: Evidence, log: &Log) -> Vec<Finding> {
    let mut found: Gathered<First<Place>> = Gathered::default();
    for (freed, started) in &log.freed {
        let rank = evidence.rank(*freed);
        if !evidence.program.has_threads(rank) {
            found.add(evidence, First(*started), rank, *freed);
        }
    }
    let told = |group: Group<First<Place>>| {
        let (who, started) = (group.who(), group.key.0);
        let is_collective = evidence.call(started).function.class() == Class::Collective;
        let severity = if is_collective { Severity::Error } else { Severity::Warning };
        let verb = if who.len() == 1 { "frees" } else { "free" };
        let title = format!("{} {verb} the request of {} while it is active", ranks(&who), evidence.called(started));
        let mut found = Finding::new(&rules::REQUEST_FREED_ACTIVE, severity, title);
        found.labels.push(primary(group.first, "frees it".into()));
        found.labels.push(secondary(started, "started it, and nothing has completed it since".into()));
        found
    };
    found.groups().map(told).collect()
}

/// One finding for each line that marks a partition as ready which cannot be.
fn mismarked(evidence: Evidence, log: &Log) -> Vec<Finding> {
    let mut found: Gathered<First<(u32, Mismark)>> = Gathered::default();
    for (marked, partition, why) in &log.mismarked {
        // Those of several threads may have come in another order.
        if evidence.program.has_threads(evidence.rank(*marked)) && !matches!(why, Mismark::Beyond(_)) {
            continue;
        }
        found.add(evidence, First((*partition, *why)), evidence.rank(*marked), *marked);
    }
    let told = |group: Group<First<(u32, Mismark)>>| {
        let (who, (partition, why)) = (group.who(), group.key.0);
        let verb = if who.len() == 1 { "marks" } else { "mark" };
        let (what, why) = match why {
            Mismark::Again => ("twice", "it is ready since an earlier call".to_owned()),
            Mismark::Beyond(total) => ("which is not there", format!("there are {}, from 0", count(total.into(), "partition"))),
            Mismark::Inactive => ("of a request that is not active", "no MPI_Start has started it".to_owned()),
        };
        let title = format!("{} {verb} partition {partition} as ready, {what}", ranks(&who));
        let mut found = Finding::new(&rules::REQUEST_PARTITION, Severity::Error, title);
        found.labels.push(primary(group.first, why));
        found
    };
    found.groups().map(told).collect()
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
