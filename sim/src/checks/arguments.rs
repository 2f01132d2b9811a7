//! Calls that have an argument which no call may have: `argument/communicator`, `argument/rank`, `argument/count`, `argument/tag`,
//! `argument/datatype`, `argument/handle`.
//!
//! A call that returned an error was answered by the program, which may have meant it. One that never returned was its end, and one that
//! succeeded did so because the library does not look: the next one does.

use traces::function::{Class, Kind};

use super::wording::{comm_name, count, distinct, ranks};
use super::{Evidence, primary};
use crate::finding::{Finding, Place, Severity};
use crate::lift::faults::{self, Fault};
use crate::machine::Log;
use crate::rules::{self, Rule};

/// An argument, its value, and what is wrong with it.
type Named = (&'static str, i64, Fault);

/// A call with its fault, and the other ranks that made it.
struct Group {
    place: Place,
    fault: Named,
    ranks: Vec<u32>,
}

/// One finding for each line of the program.
pub(super) fn check(evidence: Evidence, log: &Log) -> Vec<Finding> {
    let mut groups: Vec<Group> = Vec::new();
    // Some libraries put another request in the place of one that is started while it is active.
    let is_restarted =
        |place: Place| log.restarted.iter().any(|(again, _)| again.lane == place.lane && again.event < place.event);
    for (place, fault) in faulty_calls(evidence) {
        if fault.2 == Fault::Handle && fault.0.contains("request") && is_restarted(place) {
            continue;
        }
        let (rank, call) = (evidence.rank(place), evidence.call(place));
        let same = |g: &&mut Group| call.site.is_some() && evidence.call(g.place).site == call.site && g.fault.2 == fault.2;
        match groups.iter_mut().find(same) {
            Some(group) => group.ranks.push(rank),
            None => groups.push(Group { place, fault, ranks: vec![rank] }),
        }
    }
    groups.into_iter().map(|group| fault_finding(evidence, group)).collect()
}

/// The calls with a fault, each distinct one of a rank once.
fn faulty_calls(evidence: Evidence) -> Vec<(Place, Named)> {
    let mut looked_at = vec![None; evidence.trace.calls.len()];
    let mut found = Vec::new();
    for (lane, number) in evidence.trace.lanes.iter().zip(0..).filter(|(lane, _)| lane.rank.is_some()) {
        for (event, at) in lane.events.iter().zip(0..) {
            let has_returned = event.outcome.is_some();
            let seen = &mut looked_at[event.call.0 as usize];
            if *seen == Some(number) && has_returned {
                continue;
            }
            if event.outcome.is_some_and(|outcome| evidence.trace.outcome(outcome).code != 0) {
                continue;
            }
            *seen = Some(number);
            let (place, call) = (Place { lane: number, event: at }, evidence.trace.call(event.call));
            let fault = faults::find(call, evidence.rank(place), &evidence.lifted.communicators);
            // A request that the recorder does not know may be one that the library does.
            let is_completion = call.function.class() == Class::Completion;
            let fault = fault.filter(|_| !has_returned || !is_completion);
            found.extend(fault.map(|fault| (place, fault)));
        }
    }
    found
}

fn fault_finding(evidence: Evidence, group: Group) -> Finding {
    let (name, value, fault) = group.fault;
    let function = evidence.called(group.place);
    let calls = if group.ranks.len() == 1 { "calls" } else { "call" };
    let who = ranks(&distinct(group.ranks));
    let value = traces::call::value_text(Kind::Int, &traces::Value::Int(value));
    let comm = || comm_name(evidence.call(group.place).int("comm").unwrap_or(traces::constant::COMM_WORLD));
    let (rule, what, why): (&Rule, String, String) = match fault {
        Fault::Communicator => {
            (&rules::ARGUMENT_COMMUNICATOR, "on MPI_COMM_NULL".into(), "MPI_COMM_NULL is no communicator".into())
        }
        Fault::Rank(size) => {
            let size = count(size as u64, "rank");
            (&rules::ARGUMENT_RANK, format!("with {name} {value}, where there are {size}"), format!("{} has {size}", comm()))
        }
        Fault::Count => (&rules::ARGUMENT_COUNT, format!("with {name} {value}"), format!("{name} is less than 0")),
        Fault::Tag => (&rules::ARGUMENT_TAG, format!("with {name} {value}"), format!("{name} is less than 0")),
        Fault::Datatype => {
            (&rules::ARGUMENT_DATATYPE, "with MPI_DATATYPE_NULL".into(), "MPI_DATATYPE_NULL is no datatype".into())
        }
        Fault::Handle => {
            let what = format!("with a handle in {name} that stands for nothing");
            (&rules::ARGUMENT_HANDLE, what, format!("{name} was freed, or completed, or never made"))
        }
    };
    let mut found = Finding::new(rule, Severity::Error, format!("{who} {calls} {function} {what}"));
    let event = evidence.trace.lanes[group.place.lane as usize].events[group.place.event as usize];
    let how = if event.outcome.is_some() { "returned all the same" } else { "never returned" };
    found.labels.push(primary(group.place, format!("{how}: {why}")));
    found
}
