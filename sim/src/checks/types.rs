//! Datatypes that a call may not be given: those that are not committed, and those that its operation is not defined for. The rules
//! `argument/uncommitted` and `argument/operation`.

use rustc_hash::{FxHashMap, FxHashSet};
use traces::function::{Class, Direction, Kind, mpi};
use traces::trace::is_made;
use traces::{Call, constant};

use super::gathered::{Gathered, Group};
use super::wording::ranks;
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Place, Severity};
use crate::lift::blocking_form;
use crate::lift::faults::{elements, has_elements};
use crate::rules;

/// Both rules.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let mut found = uncommitted(evidence);
    found.extend(operations(evidence));
    found
}

/// What a call does with a datatype, known once for each distinct call.
enum Effect {
    Nothing,
    /// Makes one, of this one if it is a copy.
    Makes(Option<i64>),
    Commits(i64),
    /// Communicates with these.
    Uses(Vec<i64>),
}

fn effect(call: &Call) -> Effect {
    let function = call.function.small();
    match function {
        mpi::TYPE_COMMIT => return Effect::Commits(call.int("datatype").unwrap_or_default()),
        mpi::TYPE_DUP => return Effect::Makes(call.int("oldtype")),
        mpi::TYPE_CREATE_F90_INTEGER | mpi::TYPE_CREATE_F90_REAL | mpi::TYPE_CREATE_F90_COMPLEX => return Effect::Nothing,
        _ if function.class() == Class::Datatype && function.parameter("newtype").is_some() => return Effect::Makes(None),
        _ => {}
    }
    if !matches!(function.class(), Class::PointToPoint | Class::Collective | Class::OneSided | Class::Io) {
        return Effect::Nothing;
    }
    let inputs = call.function.parameters().iter().filter(|p| p.kind == Kind::Type && p.direction == Direction::In);
    let used = inputs.flat_map(|p| {
        let of_elements = move |(at, number): (Option<usize>, i64)| has_elements(call, p.name, at).then_some(number);
        elements(call.argument(p.name)).filter_map(of_elements)
    });
    let used: Vec<i64> = used.filter(|number| is_made(*number)).collect();
    if used.is_empty() { Effect::Nothing } else { Effect::Uses(used) }
}

/// `argument/uncommitted`. In a process with several threads, whatever one of them has committed at some time is committed.
fn uncommitted(evidence: Evidence) -> Vec<Finding> {
    let effects: Vec<Effect> = evidence.trace.calls.iter().map(effect).collect();
    if !effects.iter().any(|effect| matches!(effect, Effect::Uses(_))) {
        return Vec::new();
    }
    let mut found: Gathered<()> = Gathered::default();
    let mut makers: FxHashMap<Place, Place> = FxHashMap::default();
    for rank in 0..evidence.program.world_size {
        if let Some((used, made)) = first_uncommitted(evidence, rank, &effects) {
            makers.insert(used, made);
            found.add(evidence, (), rank, used);
        }
    }
    let told = |group: Group<()>| {
        let who = group.who();
        let call = if who.len() == 1 { "calls" } else { "call" };
        let title = format!("{} {call} {} with a datatype that is not committed", ranks(&who), evidence.called(group.first));
        let mut found = Finding::new(&rules::ARGUMENT_UNCOMMITTED, Severity::Error, title);
        found.labels.push(primary(group.first, "is given the datatype".into()));
        found.labels.push(secondary(makers[&group.first], "made it; MPI_Type_commit does not follow".into()));
        found
    };
    found.groups().map(told).collect()
}

/// The first call of a rank that is given a datatype which is not committed, and the call that made it.
fn first_uncommitted(evidence: Evidence, rank: u32, effects: &[Effect]) -> Option<(Place, Place)> {
    let threads = evidence.program.has_threads(rank);
    let lanes = evidence.trace.lanes_of(rank);
    let mut committed: FxHashSet<i64> = FxHashSet::default();
    if threads {
        let events = evidence.trace.lanes[lanes.clone()].iter().flat_map(|lane| &lane.events);
        committed.extend(events.filter_map(|event| match effects[event.call.0 as usize] {
            Effect::Commits(number) => Some(number),
            _ => None,
        }));
    }
    let mut made: FxHashMap<i64, Place> = FxHashMap::default();
    for lane in lanes {
        for (event, at) in evidence.trace.lanes[lane].events.iter().zip(0..) {
            let place = Place { lane: u32::try_from(lane).unwrap_or(u32::MAX), event: at };
            match &effects[event.call.0 as usize] {
                Effect::Nothing => {}
                Effect::Commits(number) => {
                    committed.insert(*number);
                }
                Effect::Makes(copied) => {
                    let Some(outcome) = event.outcome.map(|outcome| evidence.trace.outcome(outcome)) else { continue };
                    let function = evidence.trace.call(event.call).function;
                    let Some(number) = outcome.result(function, "newtype").int() else { continue };
                    // A copy of what is committed, or of what is not known here, is committed.
                    if copied.is_some_and(|old| committed.contains(&old) || !made.contains_key(&old)) {
                        committed.insert(number);
                    }
                    made.insert(number, place);
                }
                Effect::Uses(numbers) => {
                    let failed = event.outcome.is_some_and(|outcome| evidence.trace.outcome(outcome).code != 0);
                    let wrong = numbers.iter().filter(|n| !failed && !committed.contains(*n)).find_map(|n| made.get(n));
                    if let Some(made) = wrong {
                        return Some((place, *made));
                    }
                }
            }
        }
    }
    None
}

/// `argument/operation`. A library may know more than the standard: what went well is a warning.
fn operations(evidence: Evidence) -> Vec<Finding> {
    let wrong: Vec<Option<(&str, &str)>> = evidence.trace.calls.iter().map(misfit).collect();
    if wrong.iter().all(Option::is_none) {
        return Vec::new();
    }
    let mut found: Gathered<(&str, &str, Severity)> = Gathered::default();
    for (lane, number) in evidence.trace.lanes.iter().zip(0..) {
        let Some(rank) = lane.rank else { continue };
        for (event, at) in lane.events.iter().zip(0..) {
            let Some((operation, datatype)) = wrong[event.call.0 as usize] else { continue };
            let severity = match event.outcome.map(|outcome| evidence.trace.outcome(outcome).code) {
                None => Severity::Error,
                Some(0) => Severity::Warning,
                Some(_) => continue,
            };
            found.add(evidence, (operation, datatype, severity), rank, Place { lane: number, event: at });
        }
    }
    let told = |group: Group<(&str, &str, Severity)>| {
        let (operation, datatype, severity) = group.key;
        let who = group.who();
        let verb = if who.len() == 1 { "reduces" } else { "reduce" };
        let title = format!("{} {verb} {datatype} with {operation}, which is not defined for it", ranks(&who));
        let mut found = Finding::new(&rules::ARGUMENT_OPERATION, severity, title);
        let text = if severity == Severity::Error { "never returned" } else { "went well with this library" };
        found.labels.push(primary(group.first, text.into()));
        found
    };
    found.groups().map(told).collect()
}

/// A predefined operation and the datatype that it is not defined for, if that is so (MPI 5.0, 6.9.2).
fn misfit(call: &Call) -> Option<(&'static str, &'static str)> {
    let function = call.function.small();
    // Of the collectives, only what reduces has both.
    let (Some(op), Some(datatype)) = (call.int("op"), call.int("datatype")) else { return None };
    blocking_form(function)?;
    if call.int("count") == Some(0) {
        return None;
    }
    let op = constant::find(Kind::Op, op)?.name;
    if op == "MPI_OP_NULL" || [constant::UNKNOWN_HANDLE, constant::FREED_HANDLE, constant::DATATYPE_NULL].contains(&datatype) {
        return None;
    }
    let datatype = constant::find(Kind::Type, datatype).map_or("a derived datatype", |datatype| datatype.name);
    (!is_defined(op, datatype)).then_some((op, datatype))
}

/// The groups of datatypes that operations are defined for.
fn is_defined(op: &str, datatype: &str) -> bool {
    let name = datatype.strip_prefix("MPI_").unwrap_or(datatype);
    let pair = name.starts_with('2') || (name.ends_with("_INT") && name != "UNSIGNED_INT");
    let logical = name.starts_with("LOGICAL") || matches!(name, "C_BOOL" | "CXX_BOOL");
    let complex = name.contains("COMPLEX");
    let floating = matches!(name, "FLOAT" | "DOUBLE" | "LONG_DOUBLE" | "DOUBLE_PRECISION") || name.starts_with("REAL");
    let bytes = name == "BYTE";
    let other = matches!(name, "CHAR" | "CHARACTER" | "WCHAR" | "PACKED" | "a derived datatype");
    // What is left are the integers of C and Fortran, and MPI_AINT, MPI_OFFSET and MPI_COUNT.
    let integer = !(pair || logical || complex || floating || bytes || other);
    match op.strip_prefix("MPI_").unwrap_or(op) {
        "MAX" | "MIN" => integer || floating,
        "SUM" | "PROD" => integer || floating || complex,
        "LAND" | "LOR" | "LXOR" => integer || logical,
        "BAND" | "BOR" | "BXOR" => integer || bytes,
        "MAXLOC" | "MINLOC" => pair,
        // MPI_REPLACE and MPI_NO_OP are for accumulating in windows only.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_defined_as_the_standard_says() {
        for (op, datatype) in [
            ("MPI_SUM", "MPI_INT"),
            ("MPI_SUM", "MPI_C_DOUBLE_COMPLEX"),
            ("MPI_MAX", "MPI_DOUBLE_PRECISION"),
            ("MPI_LAND", "MPI_LOGICAL"),
            ("MPI_LOR", "MPI_C_BOOL"),
            ("MPI_BAND", "MPI_BYTE"),
            ("MPI_BXOR", "MPI_UINT8_T"),
            ("MPI_MAXLOC", "MPI_DOUBLE_INT"),
            ("MPI_MINLOC", "MPI_2INTEGER"),
            ("MPI_SUM", "MPI_SIGNED_CHAR"),
            ("MPI_MIN", "MPI_AINT"),
        ] {
            assert!(is_defined(op, datatype), "{op} {datatype}");
        }
        for (op, datatype) in [
            ("MPI_MAX", "MPI_DOUBLE_COMPLEX"),
            ("MPI_SUM", "MPI_BYTE"),
            ("MPI_SUM", "MPI_CHAR"),
            ("MPI_BAND", "MPI_DOUBLE"),
            ("MPI_LAND", "MPI_FLOAT"),
            ("MPI_MAXLOC", "MPI_INT"),
            ("MPI_SUM", "MPI_2INT"),
            ("MPI_PROD", "a derived datatype"),
            ("MPI_SUM", "MPI_LOGICAL"),
            ("MPI_REPLACE", "MPI_INT"),
        ] {
            assert!(!is_defined(op, datatype), "{op} {datatype}");
        }
    }
}
