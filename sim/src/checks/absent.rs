//! Collectives that all came out of who called them, though another rank of the communicator never did: `deadlock/missing-rank` in a run
//! that came to its end, because the library let them return before all had come.

use super::wording::{distinct, ranks};
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Severity};
use crate::machine::LeftCollective;
use crate::rules;

/// One finding a communicator: after the first such call nothing is known of which belong together.
pub(super) fn check(evidence: Evidence, found: &[Finding]) -> Vec<Finding> {
    // What was taken for another operation is told already.
    if found.iter().any(|finding| finding.rule == &rules::COLLECTIVE_ORDER) {
        return Vec::new();
    }
    let is_gone = |rank: &u32| evidence.standing.is_gone(*rank);
    let is_certain = |left: &&LeftCollective| !left.is_finalize && !left.missing.is_empty() && left.missing.iter().all(is_gone);
    let mut contexts = Vec::new();
    let first_of_context = |left: &&LeftCollective| {
        let is_first = !contexts.contains(&left.context);
        contexts.push(left.context);
        is_first
    };
    evidence
        .remains
        .collectives
        .iter()
        .filter(is_certain)
        .filter(first_of_context)
        .filter_map(|left| finding(evidence, left))
        .collect()
}

fn finding(evidence: Evidence, left: &LeftCollective) -> Option<Finding> {
    let &(place, collective) = left.calls.first()?;
    let function = evidence.program.collectives[collective as usize].function;
    let callers = distinct(left.calls.iter().map(|(place, _)| evidence.rank(*place)));
    let missing = ranks(&distinct(left.missing.iter().copied()));
    let call = if callers.len() == 1 { "calls" } else { "call" };
    let title = format!("{} {call} {function}{}, which {missing} never calls", ranks(&callers), evidence.on(left.context));
    let title = if left.missing.len() == 1 { title } else { title.replace("never calls", "never call") };
    let mut found = Finding::new(&rules::DEADLOCK_MISSING_RANK, Severity::Error, title);
    found.labels.push(primary(place, format!("returned without {missing}, by chance")));
    let others = left.calls.iter().skip(1).filter(|(other, _)| evidence.call(*other).site != evidence.call(place).site);
    found.labels.extend(others.map(|(other, _)| secondary(*other, format!("returned without {missing} as well"))));
    found.notes.push("a library may let a rank out of this call before all have come, and need not: elsewhere it hangs".into());
    Some(found)
}
