//! Handles that are never given back: `leak/communicator` and `leak/datatype`.
//!
//! A program that keeps attributes on communicators, datatypes or windows may free things in their callbacks, where nobody sees it: of its
//! processes nothing is said. What MPI_Type_create_f90_x gives is the library's own, and must not be freed.

use rustc_hash::{FxHashMap, FxHashSet};
use traces::function::{Direction, Kind, mpi};
use traces::trace::is_made;
use traces::{Call, Event, SiteId, Value};

use super::wording::{count, distinct, ranks};
use super::{Evidence, primary};
use crate::finding::{Finding, Place, Severity};
use crate::rules::{self, Rule};

/// What can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Handle {
    Communicator,
    Datatype,
}

impl Handle {
    fn rule(self) -> &'static Rule {
        match self {
            Handle::Communicator => &rules::LEAK_COMMUNICATOR,
            Handle::Datatype => &rules::LEAK_DATATYPE,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Handle::Communicator => "communicator",
            Handle::Datatype => "datatype",
        }
    }
}

/// What the calls of a shape do with handles: known once for each distinct call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Nothing,
    Makes(Handle),
    Frees(Handle, i64),
    SetsAttribute,
}

/// Handles that one line makes.
struct Group {
    first: Place,
    ranks: Vec<u32>,
    count: u64,
}

/// One finding for each line that makes what is never freed.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let effects: Vec<Effect> = evidence.trace.calls.iter().map(effect).collect();
    let mut groups: FxHashMap<(Handle, Option<SiteId>), Group> = FxHashMap::default();
    for rank in 0..evidence.program.world_size {
        for (handle, place) in leaked(evidence, rank, &effects) {
            let site = evidence.call(place).site;
            let group = groups.entry((handle, site)).or_insert(Group { first: place, ranks: Vec::new(), count: 0 });
            group.ranks.push(rank);
            group.count += 1;
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((handle, _), group)| (*handle, group.first));
    groups.into_iter().map(|((handle, _), group)| leak(evidence, handle, group)).collect()
}

fn effect(call: &Call) -> Effect {
    let function = call.function.small();
    let int = |name| call.int(name).unwrap_or_default();
    match function {
        mpi::COMM_FREE | mpi::COMM_DISCONNECT => Effect::Frees(Handle::Communicator, int("comm")),
        mpi::TYPE_FREE => Effect::Frees(Handle::Datatype, int("datatype")),
        mpi::COMM_SET_ATTR | mpi::ATTR_PUT | mpi::TYPE_SET_ATTR | mpi::WIN_SET_ATTR => Effect::SetsAttribute,
        mpi::TYPE_CREATE_F90_INTEGER | mpi::TYPE_CREATE_F90_REAL | mpi::TYPE_CREATE_F90_COMPLEX => Effect::Nothing,
        _ => {
            let made = function.parameters().iter().find(|p| p.direction == Direction::Out && p.name.starts_with("new"));
            match made.map(|p| p.kind) {
                Some(Kind::Type) => Effect::Makes(Handle::Datatype),
                _ if makes_communicator(call) => Effect::Makes(Handle::Communicator),
                _ => Effect::Nothing,
            }
        }
    }
}

fn makes_communicator(call: &Call) -> bool {
    call.function.parameters().iter().any(|p| p.kind == Kind::Comm && p.direction == Direction::Out)
        && call.function != mpi::COMM_GET_PARENT
}

/// The handles that a rank made and did not free, with the calls that made them.
fn leaked(evidence: Evidence, rank: u32, effects: &[Effect]) -> Vec<(Handle, Place)> {
    let mut made: Vec<(Handle, i64, Place)> = Vec::new();
    let mut freed: FxHashSet<(Handle, i64)> = FxHashSet::default();
    for lane in evidence.trace.lanes_of(rank) {
        for (event, at) in evidence.trace.lanes[lane].events.iter().zip(0..) {
            let place = Place { lane: u32::try_from(lane).unwrap_or(u32::MAX), event: at };
            match effects[event.call.0 as usize] {
                Effect::Nothing => {}
                Effect::Makes(handle) => made.extend(number(evidence, event, handle).map(|n| (handle, n, place))),
                Effect::Frees(handle, number) => {
                    freed.insert((handle, number));
                }
                Effect::SetsAttribute => return Vec::new(),
            }
        }
    }
    let is_left = |(handle, number, _): &(Handle, i64, Place)| !freed.contains(&(*handle, *number));
    made.into_iter().filter(is_left).map(|(handle, _, place)| (handle, place)).collect()
}

/// The number of the handle that a call made.
fn number(evidence: Evidence, event: &Event, handle: Handle) -> Option<i64> {
    let function = evidence.trace.call(event.call).function;
    let outcome = evidence.trace.outcome(event.outcome?);
    let number = match handle {
        Handle::Communicator => outcome.new_communicator(function)?.0,
        Handle::Datatype => match outcome.result(function, "newtype") {
            Value::Int(number) => *number,
            _ => return None,
        },
    };
    Some(number).filter(|number| is_made(*number))
}

fn leak(evidence: Evidence, handle: Handle, group: Group) -> Finding {
    let who = distinct(group.ranks);
    let verb = if who.len() == 1 { "frees" } else { "free" };
    let things = if group.count as usize == who.len() {
        format!("the {} of {}", handle.name(), evidence.function(group.first))
    } else {
        format!("{} of {}", count(group.count, handle.name()), evidence.function(group.first))
    };
    let title = format!("{} never {verb} {things}", ranks(&who));
    let mut found = Finding::new(handle.rule(), Severity::Warning, title);
    found.labels.push(primary(group.first, format!("makes the {}", handle.name())));
    found
}
