//! Messages that nobody receives and receives that get no message, in runs that came to their end: `match/orphan-send`,
//! `match/orphan-recv`, and the near misses among them.

use super::deadlocks::near_miss;
use super::near_misses::NearMiss;
use super::wording::{count, distinct, ranks};
use super::{Evidence, primary};
use crate::finding::{Finding, Place, Severity};
use crate::machine::Fate;
use crate::rules;

/// One finding for each line of the program.
pub(super) fn check(evidence: Evidence, near_misses: &[NearMiss]) -> Vec<Finding> {
    let is_gone = |place: Place| evidence.standing.is_gone(evidence.rank(place));
    let mut found: Vec<Finding> = Vec::new();
    let mut told: Vec<(Option<traces::SiteId>, Option<traces::SiteId>)> = Vec::new();
    for miss in near_misses.iter().filter(|miss| is_gone(miss.receive.place)) {
        let lines = (evidence.call(miss.send.place).site, evidence.call(miss.receive.place).site);
        if lines.0.is_none() || !told.contains(&lines) {
            told.push(lines);
            found.push(near_miss(evidence, miss));
        }
    }
    let paired_sends: Vec<Place> = near_misses.iter().map(|miss| miss.send.place).chain(awaited(evidence)).collect();
    let paired_receives: Vec<Place> = near_misses.iter().map(|miss| miss.receive.place).chain(awaited(evidence)).collect();
    found.extend(sends(evidence, &paired_sends));
    found.extend(receives(evidence, &paired_receives));
    found
}

/// The calls whose end a rank waits for, which is told of as a deadlock.
fn awaited(evidence: Evidence) -> impl Iterator<Item = Place> {
    let waits = evidence.remains.fates.iter().filter_map(|fate| match fate {
        Fate::Waits(wait) => Some(wait),
        Fate::Through(_) | Fate::Unknown => None,
    });
    waits.flat_map(|wait| wait.needs.iter().map(|need| need.posted))
}

/// Things of the same line of the program.
struct Group<T> {
    first: (Place, T),
    ranks: Vec<u32>,
    count: u64,
}

fn by_line<T: Copy>(evidence: Evidence, list: impl Iterator<Item = (Place, T)>) -> Vec<Group<T>> {
    let mut groups: Vec<Group<T>> = Vec::new();
    for (place, what) in list {
        let site = evidence.call(place).site;
        let rank = evidence.rank(place);
        match groups.iter_mut().find(|g| site.is_some() && evidence.call(g.first.0).site == site) {
            Some(group) => {
                group.count += 1;
                group.ranks.push(rank);
            }
            None => groups.push(Group { first: (place, what), ranks: vec![rank], count: 1 }),
        }
    }
    groups
}

fn sends(evidence: Evidence, paired: &[Place]) -> Vec<Finding> {
    let lost = evidence.remains.sends.iter().filter(|left| {
        let to = evidence.destination(left.send);
        !paired.contains(&left.place) && to.is_some_and(|rank| evidence.standing.is_gone(rank))
    });
    let groups = by_line(evidence, lost.map(|left| (left.place, left.send)));
    groups
        .into_iter()
        .map(|group| {
            let (place, send) = group.first;
            let title = if group.count == 1 {
                let to = evidence.destination(send).unwrap_or_default();
                format!("rank {} sent a message to rank {to} that is never received", evidence.rank(place))
            } else {
                let senders = ranks(&distinct(group.ranks));
                format!("{senders} sent {} that are never received", count(group.count, "message"))
            };
            let mut found = Finding::new(&rules::MATCH_ORPHAN_SEND, Severity::Error, title);
            found.labels.push(primary(place, format!("sent {}", evidence.send_text(send, place))));
            found
        })
        .collect()
}

fn receives(evidence: Evidence, paired: &[Place]) -> Vec<Finding> {
    let lost = evidence.remains.receives.iter().filter(|left| {
        let is_gone = evidence.standing.is_gone(evidence.rank(left.place));
        let is_over =
            evidence.source(left.receive).map_or_else(|| evidence.is_complete(), |rank| evidence.standing.is_gone(rank));
        !left.is_cancelled && !paired.contains(&left.place) && is_gone && is_over
    });
    let groups = by_line(evidence, lost.map(|left| (left.place, left.receive)));
    groups
        .into_iter()
        .map(|group| {
            let (place, receive) = group.first;
            let title = if group.count == 1 {
                format!("rank {} posted a receive that no message ever matches", evidence.rank(place))
            } else {
                let who = ranks(&distinct(group.ranks));
                format!("{who} posted {} that no message ever matches", count(group.count, "receive"))
            };
            let mut found = Finding::new(&rules::MATCH_ORPHAN_RECV, Severity::Error, title);
            found.labels.push(primary(place, format!("asks for {}", evidence.receive_text(receive, place))));
            found
        })
        .collect()
}
