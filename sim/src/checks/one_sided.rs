//! One-sided calls that are wrong on their own: in no epoch (`rma/epoch`), or beyond the memory of the window (`rma/range`).

use traces::SiteId;

use super::wording::{count, distinct, ranks};
use super::{Evidence, primary};
use crate::accesses::{Fault, Kind, Shape, Walk};
use crate::finding::{Finding, Place, Severity};
use crate::footprint::{Footprint, Overlap};
use crate::lift::Memory;
use crate::program::ContextId;
use crate::rules::{self, Rule};

/// One finding for each line and what is wrong with it.
pub(super) fn check(evidence: Evidence, walk: &Walk) -> Vec<Finding> {
    let mut told = Told::default();
    for (place, window, fault) in &walk.faults {
        told.add(evidence, *place, &rules::RMA_EPOCH, fault_text(evidence, *window, *fault));
    }
    let wrong: Vec<bool> = walk.shapes.iter().map(|shape| is_wrong(evidence, shape)).collect();
    for access in walk.accesses.iter().filter(|access| wrong[access.number]) {
        if access.epoch.is_none() {
            told.add(evidence, access.place, &rules::RMA_EPOCH, no_epoch(evidence, access));
        }
        if let Some(text) = range(evidence, access) {
            told.add(evidence, access.place, &rules::RMA_RANGE, text);
        } else if let Some(text) = overlap(evidence, access) {
            told.add(evidence, access.place, &rules::BUFFER_OVERLAP, text);
        }
    }
    told.list.into_iter().map(|group| group.into_finding(evidence)).collect()
}

/// Whether any access is wrong on its own, so that it has to be known where it is.
pub(super) fn is_any_wrong(evidence: Evidence, walk: &Walk) -> bool {
    walk.shapes.iter().any(|shape| is_wrong(evidence, shape))
}

fn is_wrong(evidence: Evidence, shape: &Shape) -> bool {
    shape.epoch.is_none() || range(evidence, shape).is_some() || overlap(evidence, shape).is_some()
}

/// What is wrong with a call, as the end of a title and as a label.
type Text = [String; 2];

/// Calls of one line with the same mistake.
struct Group {
    rule: &'static Rule,
    site: Option<SiteId>,
    first: Place,
    text: Text,
    ranks: Vec<u32>,
    times: u64,
}

#[derive(Default)]
struct Told {
    list: Vec<Group>,
}

impl Told {
    fn add(&mut self, evidence: Evidence, place: Place, rule: &'static Rule, text: Text) {
        let (site, rank) = (evidence.call(place).site, evidence.rank(place));
        let same = |group: &&mut Group| group.rule == rule && site.is_some() && group.site == site;
        match self.list.iter_mut().find(same) {
            Some(group) => {
                group.ranks.push(rank);
                group.times += 1;
            }
            None => self.list.push(Group { rule, site, first: place, text, ranks: vec![rank], times: 1 }),
        }
    }
}

impl Group {
    fn into_finding(self, evidence: Evidence) -> Finding {
        let who = distinct(self.ranks);
        let verb = if who.len() == 1 { "calls" } else { "call" };
        let [title, label] = self.text;
        let title = format!("{} {verb} {} {title}", ranks(&who), evidence.function(self.first));
        let mut found = Finding::new(self.rule, Severity::Error, title);
        found.labels.push(primary(self.first, label));
        if self.times > who.len() as u64 {
            found.notes.push(format!("{} like this one in all", count(self.times, "call")));
        }
        found
    }
}

fn no_epoch(evidence: Evidence, access: &Shape) -> Text {
    let verb = match access.kind {
        Kind::Get => "reads",
        Kind::Put => "writes",
        Kind::Accumulate => "changes",
    };
    let whose = access.target.map_or("nobody".into(), |target| format!("rank {target}"));
    let name = evidence.name_of(access.window);
    let label = format!("{verb} the memory of {whose} in {name}, and no fence, start or lock before it allows that");
    ["outside of any epoch".into(), label]
}

fn fault_text(evidence: Evidence, window: ContextId, fault: Fault) -> Text {
    let name = evidence.name_of(window);
    match fault {
        Fault::NotBegun(begin) => {
            [format!("where no {begin} came before"), format!("ends or needs what no {begin} on {name} has begun")]
        }
        Fault::BegunTwice(end) => {
            [format!("once more before {end}"), format!("begins on {name} what was begun before and not ended by {end}")]
        }
        Fault::NotEnded(end) => [format!("before {end}"), format!("frees {name}, on which {end} is missing")],
    }
}

/// What is accessed beyond the memory of the window.
fn range(evidence: Evidence, access: &Shape) -> Option<Text> {
    let memory = access.memory.filter(|memory| memory.is_bounded)?;
    let (first, end) = access.bytes.as_ref()?.bounds()?;
    let (first, end) = (first - memory.base, end - memory.base);
    if first >= 0 && end <= memory.size {
        return None;
    }
    let target = access.target?;
    let Memory { size, .. } = memory;
    let name = evidence.name_of(access.window);
    let label = format!("bytes {first} to {} of {name}, of which rank {target} has {size}", end - 1);
    Some([format!("beyond the {} that rank {target} has in the window", count(size.unsigned_abs(), "byte")), label])
}

/// Buffers of one call that must not share a byte.
fn overlap(evidence: Evidence, access: &Shape) -> Option<Text> {
    let is_shared = |one: &Footprint, other: &Footprint| one.overlaps(other) == Overlap::Yes;
    let (origin, result) = (access.origin.as_ref()?, access.result.as_ref()?);
    if !is_shared(origin, result) {
        return None;
    }
    let label = format!("sends from the memory that what was in {} comes to", evidence.name_of(access.window));
    Some(["with one buffer for what it sends and what it receives".into(), label])
}
