//! Calls that have an argument which no call may have, one rule a fault: `argument/communicator`, `argument/rank`, `argument/count` and so on.
//!
//! A call that returned an error was answered by the program, which may have meant it. One that never returned was its end, and one that
//! succeeded did so because the library does not look: the next one does. Calls on files return their errors unless a program wants it
//! otherwise, so that most programs do not look: they are warned.

use traces::constant::{self, COMM_WORLD};
use traces::function::{Class, Kind, mpi};
use traces::{Call, Value, call::value_text};

use super::wording::{comm_name, count, distinct, ranks};
use super::{Evidence, primary};
use crate::finding::{Finding, Place, Severity};
use crate::lift::faults::{self, Fault, Faulty};
use crate::machine::Log;
use crate::rules::{self, Rule};

/// A call with its fault, and the other ranks that made it.
struct Group {
    place: Place,
    faulty: Faulty,
    ranks: Vec<u32>,
}

/// One finding for each line of the program.
pub(super) fn check(evidence: Evidence, log: &Log) -> Vec<Finding> {
    let mut groups: Vec<Group> = Vec::new();
    // Some libraries put another request in the place of one that is started while it is active.
    let is_restarted =
        |place: Place| log.restarted.iter().any(|(again, _)| again.lane == place.lane && again.event < place.event);
    for (place, faulty) in faulty_calls(evidence) {
        if faulty.fault == Fault::Handle(Kind::Request) && is_restarted(place) {
            continue;
        }
        let (rank, call) = (evidence.rank(place), evidence.call(place));
        let is_like = |fault: Fault| std::mem::discriminant(&fault) == std::mem::discriminant(&faulty.fault);
        let same = |g: &&mut Group| call.site.is_some() && evidence.call(g.place).site == call.site && is_like(g.faulty.fault);
        match groups.iter_mut().find(same) {
            Some(group) => group.ranks.push(rank),
            None => groups.push(Group { place, faulty, ranks: vec![rank] }),
        }
    }
    groups.into_iter().map(|group| finding(evidence, group)).collect()
}

/// The calls with a fault, each distinct one of a rank once.
fn faulty_calls(evidence: Evidence) -> Vec<(Place, Faulty)> {
    let mut looked_at = vec![None; evidence.trace.calls.len()];
    let handles_errors = evidence.trace.calls.iter().any(|call| call.function == mpi::FILE_SET_ERRHANDLER);
    let mut found = Vec::new();
    for (lane, number) in evidence.trace.lanes.iter().zip(0..).filter(|(lane, _)| lane.rank.is_some()) {
        for (event, at) in lane.events.iter().zip(0..) {
            let has_returned = event.outcome.is_some();
            let seen = &mut looked_at[event.call.0 as usize];
            if *seen == Some(number) && has_returned {
                continue;
            }
            let (place, call) = (Place { lane: number, event: at }, evidence.trace.call(event.call));
            if failed(evidence, place) && (handles_errors || call.function.class() != Class::Io) {
                continue;
            }
            *seen = Some(number);
            let faulty = faults::find(call, &evidence.lifted.known(evidence.rank(place), lane.process));
            // What the recorder does not know the library may: predefined handles of its own, those that a callback has made.
            let faulty = faulty.filter(|faulty| !has_returned || !matches!(faulty.fault, Fault::Handle(_)));
            found.extend(faulty.map(|faulty| (place, faulty)));
        }
    }
    found
}

/// Whether a call returned an error.
fn failed(evidence: Evidence, place: Place) -> bool {
    let event = evidence.trace.lanes[place.lane as usize].events[place.event as usize];
    event.outcome.is_some_and(|outcome| evidence.trace.outcome(outcome).code != 0)
}

fn finding(evidence: Evidence, group: Group) -> Finding {
    let Group { place, faulty, ranks: who } = group;
    let call = evidence.call(place);
    let calls = if who.len() == 1 { "calls" } else { "call" };
    let (rule, what, why) = wording(call, faulty);
    let title = format!("{} {calls} {} {what}", ranks(&distinct(who)), evidence.called(place));
    let event = evidence.trace.lanes[place.lane as usize].events[place.event as usize];
    let (severity, how) = match event.outcome {
        None => (Severity::Error, "never returned"),
        Some(_) if failed(evidence, place) => (Severity::Warning, "returned an error"),
        Some(_) => (Severity::Error, "returned all the same"),
    };
    let mut found = Finding::new(rule, severity, title);
    found.labels.push(primary(place, format!("{how}: {why}")));
    found
}

/// The rule of a fault, what the call is made with, and why that is wrong.
fn wording(call: &Call, faulty: Faulty) -> (&'static Rule, String, String) {
    let name = match faulty.at {
        Some(at) => format!("{}[{at}]", faulty.name),
        None => faulty.name.to_owned(),
    };
    let kind = call.function.parameters().iter().find(|p| p.name == faulty.name).map_or(Kind::Int, |p| p.kind);
    let argument = call.argument(faulty.name);
    let value = faulty.at.and_then(|at| argument.ints().get(at)).map_or(argument.clone(), |value| Value::Int(*value));
    let null = || value.int().and_then(|value| constant::find(kind, value)).map_or("a null handle", |constant| constant.name);
    let number = value_text(Kind::Int, &value);
    match faulty.fault {
        Fault::Null(Kind::Comm) => {
            (&rules::ARGUMENT_COMMUNICATOR, "on MPI_COMM_NULL".into(), "MPI_COMM_NULL is no communicator".into())
        }
        Fault::Null(Kind::Type) => {
            (&rules::ARGUMENT_DATATYPE, "with MPI_DATATYPE_NULL".into(), "MPI_DATATYPE_NULL is no datatype".into())
        }
        Fault::Null(kind) => (&rules::ARGUMENT_NULL, format!("with {}", null()), format!("{} is no {}", null(), thing(kind))),
        Fault::Handle(_) => {
            let what = format!("with a handle in {name} that stands for nothing");
            (&rules::ARGUMENT_HANDLE, what, format!("{name} was completed, or freed, or never made"))
        }
        Fault::Freed => (
            &rules::ARGUMENT_HANDLE,
            format!("with a handle in {name} that was freed"),
            format!("{name} stands for nothing any more"),
        ),
        Fault::Rank(size) => {
            let verb = if size == 1 { "is" } else { "are" };
            let size = count(size as u64, "rank");
            let what = format!("with {name} {number}, where there {verb} {size}");
            (&rules::ARGUMENT_RANK, what, format!("{} has {size}", whose(call)))
        }
        Fault::Count => (&rules::ARGUMENT_COUNT, format!("with {name} {number}"), format!("{name} is less than 0")),
        Fault::Tag => (&rules::ARGUMENT_TAG, format!("with {name} {number}"), format!("{name} is less than 0")),
        Fault::LargeTag(largest) => {
            (&rules::ARGUMENT_TAG, format!("with {name} {number}"), format!("the largest tag of this library is {largest}"))
        }
        Fault::Displacement(why) => (&rules::ARGUMENT_DISPLACEMENT, format!("with {name} {number}"), why.into()),
        Fault::Shape(why) => (&rules::ARGUMENT_DIMENSION, format!("with {name} {number}"), why.into()),
        Fault::Buffer => {
            (&rules::ARGUMENT_BUFFER, format!("with a null pointer as {name}"), "there is data, but no memory".into())
        }
        Fault::InPlace => {
            (&rules::ARGUMENT_IN_PLACE, format!("with MPI_IN_PLACE as {name}"), "MPI_IN_PLACE means nothing here".into())
        }
    }
}

/// What the handles of a kind stand for.
fn thing(kind: Kind) -> &'static str {
    match kind {
        Kind::Op => "operation",
        Kind::Group => "group",
        Kind::Request => "request",
        Kind::Message => "message",
        Kind::Win => "window",
        Kind::File => "file",
        Kind::Info => "info object",
        Kind::Errhandler => "error handler",
        Kind::Session => "session",
        _ => "object",
    }
}

/// Whose ranks a call names.
fn whose(call: &Call) -> String {
    match call.function.class() {
        Class::Group => "the group".into(),
        _ if call.int("win").is_some() => "the window".into(),
        Class::Datatype => "the grid".into(),
        _ => comm_name(["comm", "comm_old", "local_comm"].iter().find_map(|name| call.int(name)).unwrap_or(COMM_WORLD)),
    }
}
