//! Calls that the recording ends in and that have an argument which no call may have: `argument/communicator`, `argument/rank`,
//! `argument/count`, `argument/tag`, `argument/datatype`, `argument/handle`.
//!
//! A call that returned an error was answered by the program, which may have meant it; one that never returned was its end.

use traces::function::Kind;

use super::wording::{comm_name, count, distinct, ranks};
use super::{Evidence, primary};
use crate::finding::{Finding, Place, Severity};
use crate::lift::faults::{self, Fault};
use crate::rules::{self, Rule};

/// Calls of a thread that can be open at once: one, and the MPI_Abort of a callback within it.
const OPEN_MAX: usize = 2;

/// A call with its fault, and the other ranks that made it.
struct Group {
    place: Place,
    fault: (&'static str, i64, Fault),
    ranks: Vec<u32>,
}

/// One finding for each line of the program.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let mut groups: Vec<Group> = Vec::new();
    for (lane, number) in evidence.trace.lanes.iter().zip(0..) {
        let last = lane.events.iter().enumerate().rev().take(OPEN_MAX);
        let faulty = last.filter(|(_, event)| event.outcome.is_none() && lane.rank.is_some()).find_map(|(at, event)| {
            let place = Place { lane: number, event: u32::try_from(at).unwrap_or(u32::MAX) };
            let call = evidence.trace.call(event.call);
            Some((place, call, faults::find(call, evidence.rank(place), &evidence.lifted.communicators)?))
        });
        let Some((place, call, fault)) = faulty else { continue };
        let rank = evidence.rank(place);
        let same = |g: &&mut Group| call.site.is_some() && evidence.call(g.place).site == call.site && g.fault.0 == fault.0;
        match groups.iter_mut().find(same) {
            Some(group) => group.ranks.push(rank),
            None => groups.push(Group { place, fault, ranks: vec![rank] }),
        }
    }
    groups.into_iter().map(|group| fault_finding(evidence, group)).collect()
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
    found.labels.push(primary(group.place, format!("never returned: {why}")));
    found
}
