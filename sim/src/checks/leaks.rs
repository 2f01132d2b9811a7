//! Handles that are never given back: the rules `leak/…`.
//!
//! A program that keeps attributes on communicators, datatypes or windows may free things in their callbacks, where nobody sees it: of its
//! processes nothing is said. What MPI_Type_create_f90_x gives is the library's own, and must not be freed.

use rustc_hash::FxHashMap;
use traces::function::{Direction, Function, Kind, Length, mpi};
use traces::trace::is_made;
use traces::{Call, Event, SiteId};

use super::wording::{count, distinct, ranks};
use super::{Evidence, primary};
use crate::finding::{Finding, Place, Severity};
use crate::machine::RequestState;
use crate::rules::{self, Rule};

/// What a program is given and has to give back.
struct Resource {
    kind: Kind,
    /// As a person calls it.
    name: &'static str,
    /// How it is given back, by one rank and by many.
    verbs: [&'static str; 2],
    rule: &'static Rule,
}

const FREES: [&str; 2] = ["frees", "free"];

/// Everything that can leak and has handles of its own.
static RESOURCES: [Resource; 8] = [
    Resource { kind: Kind::Comm, name: "communicator", verbs: FREES, rule: &rules::LEAK_COMMUNICATOR },
    Resource { kind: Kind::Type, name: "datatype", verbs: FREES, rule: &rules::LEAK_DATATYPE },
    Resource { kind: Kind::Group, name: "group", verbs: FREES, rule: &rules::LEAK_GROUP },
    Resource { kind: Kind::Op, name: "operation", verbs: FREES, rule: &rules::LEAK_OPERATION },
    Resource { kind: Kind::Win, name: "window", verbs: FREES, rule: &rules::LEAK_WINDOW },
    Resource { kind: Kind::File, name: "file", verbs: ["closes", "close"], rule: &rules::LEAK_FILE },
    Resource { kind: Kind::Info, name: "info object", verbs: FREES, rule: &rules::LEAK_INFO },
    Resource { kind: Kind::Errhandler, name: "error handler", verbs: FREES, rule: &rules::LEAK_ERRHANDLER },
];

/// A persistent request, which has no handle that stays the same: the machine knows what is left of it.
static REQUEST: Resource = Resource { kind: Kind::Request, name: "persistent request", verbs: FREES, rule: &rules::LEAK_REQUEST };

/// What the calls of a shape do with handles: known once for each distinct call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Nothing,
    /// Gives a handle of [`RESOURCES`], by the parameter at this place.
    Makes(usize, usize),
    /// Gives a handle of [`RESOURCES`] back.
    Frees(usize, i64),
    SetsAttribute,
}

/// Handles that one line makes.
struct Group {
    first: Place,
    ranks: Vec<u32>,
    count: u64,
}

/// Handles by what they are of and the line that made them.
type Groups = FxHashMap<(usize, Option<SiteId>), Group>;

/// One finding for each line that makes what is never freed.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let effects: Vec<Effect> = evidence.trace.calls.iter().map(effect).collect();
    let mut groups = Groups::default();
    let mut add = |resource: usize, rank: u32, place: Place| {
        let key = (resource, evidence.call(place).site);
        let group = groups.entry(key).or_insert(Group { first: place, ranks: Vec::new(), count: 0 });
        group.ranks.push(rank);
        group.count += 1;
    };
    for rank in 0..evidence.program.world_size {
        for (resource, place) in leaked(evidence, rank, &effects) {
            add(resource, rank, place);
        }
    }
    for left in evidence.remains.requests.iter().filter(|left| left.state == RequestState::Inactive) {
        let rank = evidence.rank(left.made);
        // The numbers of requests that several threads make at once cannot be followed with certainty.
        if !evidence.program.has_threads(rank) {
            add(RESOURCES.len(), rank, left.made);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((resource, _), group)| (*resource, group.first));
    let resource = |number: usize| RESOURCES.get(number).unwrap_or(&REQUEST);
    groups.into_iter().map(|((number, _), group)| leak(evidence, resource(number), group)).collect()
}

fn effect(call: &Call) -> Effect {
    let function = call.function.small();
    match function {
        mpi::COMM_SET_ATTR | mpi::ATTR_PUT | mpi::TYPE_SET_ATTR | mpi::WIN_SET_ATTR => return Effect::SetsAttribute,
        mpi::TYPE_CREATE_F90_INTEGER | mpi::TYPE_CREATE_F90_REAL | mpi::TYPE_CREATE_F90_COMPLEX => return Effect::Nothing,
        // It is the same one each time, and goes with MPI_Comm_disconnect at most.
        mpi::COMM_GET_PARENT => return Effect::Nothing,
        _ => {}
    }
    for (parameter, at) in call.function.parameters().iter().zip(0..) {
        let Some(resource) = RESOURCES.iter().position(|r| r.kind == parameter.kind) else { continue };
        match parameter.direction {
            Direction::Out if parameter.length == Length::Scalar => return Effect::Makes(resource, at),
            Direction::InOut if gives_back(function) => {
                return Effect::Frees(resource, call.int(parameter.name).unwrap_or_default());
            }
            _ => {}
        }
    }
    Effect::Nothing
}

fn gives_back(function: Function) -> bool {
    function.name().ends_with("_free") || matches!(function, mpi::COMM_DISCONNECT | mpi::FILE_CLOSE)
}

/// The handles that a rank was given and did not give back, with the calls that gave them.
fn leaked(evidence: Evidence, rank: u32, effects: &[Effect]) -> Vec<(usize, Place)> {
    // A library may give one handle several times, and counts how often: so often it is to be given back.
    let mut given: FxHashMap<(usize, i64), Vec<Place>> = FxHashMap::default();
    let mut back: FxHashMap<(usize, i64), usize> = FxHashMap::default();
    for lane in evidence.trace.lanes_of(rank) {
        for (event, at) in evidence.trace.lanes[lane].events.iter().zip(0..) {
            let place = Place { lane: u32::try_from(lane).unwrap_or(u32::MAX), event: at };
            match effects[event.call.0 as usize] {
                Effect::Nothing => {}
                Effect::Makes(resource, parameter) => {
                    if let Some(number) = number(evidence, event, parameter) {
                        given.entry((resource, number)).or_default().push(place);
                    }
                }
                Effect::Frees(resource, number) => *back.entry((resource, number)).or_default() += 1,
                Effect::SetsAttribute => return Vec::new(),
            }
        }
    }
    let left = |((resource, number), places): ((usize, i64), Vec<Place>)| {
        let back = back.get(&(resource, number)).copied().unwrap_or_default();
        places.into_iter().skip(back).map(move |place| (resource, place))
    };
    given.into_iter().flat_map(left).collect()
}

/// The number of the handle that a call gave by the parameter at this place.
fn number(evidence: Evidence, event: &Event, parameter: usize) -> Option<i64> {
    let outcome = evidence.trace.outcome(event.outcome?);
    let value = outcome.results.get(parameter)?;
    // A communicator comes with its members.
    let number = value.int().or_else(|| value.ints().first().copied())?;
    Some(number).filter(|number| is_made(*number))
}

fn leak(evidence: Evidence, resource: &Resource, group: Group) -> Finding {
    let Resource { name, verbs, rule, .. } = resource;
    let who = distinct(group.ranks);
    let verb = verbs[usize::from(who.len() > 1)];
    let function = evidence.called(group.first);
    let things = if group.count as usize == who.len() {
        format!("the {name} of {function}")
    } else {
        format!("{} of {function}", count(group.count, name))
    };
    let mut found = Finding::new(rule, Severity::Warning, format!("{} never {verb} {things}", ranks(&who)));
    let gives = if resource.kind == Kind::File { "opens" } else { "makes" };
    found.labels.push(primary(group.first, format!("{gives} the {name}")));
    found
}
