//! Beside every MPI_Start that a finding names, the call that made its request: only that one says what is sent and to whom.

use traces::mpi;

use super::{Evidence, secondary};
use crate::finding::{Finding, Label, Place};

/// Adds these calls to findings.
pub(super) fn name_what_was_started(evidence: Evidence, findings: &mut [Finding]) {
    for finding in findings {
        let made: Vec<Place> = finding.labels.iter().filter_map(|label| made(evidence, label.place)).collect();
        for place in made {
            if !finding.labels.iter().any(|label: &Label| label.place == place) {
                finding.labels.push(secondary(place, "made the request that was started".into()));
            }
        }
    }
}

/// The call that made the only request that the call at `place` starts.
fn made(evidence: Evidence, place: Place) -> Option<Place> {
    let call = evidence.call(place);
    let request = match call.function {
        mpi::START => call.int("request")?,
        mpi::STARTALL => match call.argument("array_of_requests").ints() {
            [one] => *one,
            _ => return None,
        },
        _ => return None,
    };
    let before = (0..place.event).rev().map(|event| Place { event, ..place });
    before.into_iter().find(|&before| made_by(evidence, before) == Some(request))
}

/// The request that a call made.
fn made_by(evidence: Evidence, place: Place) -> Option<i64> {
    let event = &evidence.trace.lanes[place.lane as usize].events[place.event as usize];
    let function = evidence.call(place).function;
    if !function.name().contains("_init") {
        return None;
    }
    evidence.trace.outcome(event.outcome?).result(function, "request").int()
}
