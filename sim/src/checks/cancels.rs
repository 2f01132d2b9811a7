//! Sends that are cancelled: `usage/cancelled-send`.

use rustc_hash::FxHashMap;
use traces::mpi;

use super::gathered::{First, Gathered};
use super::wording::ranks;
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Place, Severity};
use crate::lift::NO_SLOT;
use crate::program::{Op, Slot, Then};
use crate::rules;

/// One finding for each line that cancels.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let program = evidence.program;
    let mut found: Gathered<First<Place>> = Gathered::default();
    if !evidence.trace.calls.iter().any(|call| call.function == mpi::CANCEL) {
        return Vec::new();
    }
    for (number, lane) in (0..).zip(&program.lanes).filter(|(_, lane)| !program.has_threads(lane.rank)) {
        // By request: the call that made it, if it sends.
        let mut sends: FxHashMap<Slot, Option<Place>> = FxHashMap::default();
        for (at, step) in (0..).zip(&lane.steps) {
            let place = Place { lane: number, event: at };
            match program.ops[*step as usize] {
                Op::Transfer { send, receive, then: Then::Request(slot) | Then::Persistent(slot) } if slot != NO_SLOT => {
                    _ = sends.insert(slot, send.filter(|_| receive.is_none()).map(|_| place));
                }
                Op::Deliver { then: Then::Request(slot), .. }
                | Op::Collective { then: Then::Request(slot) | Then::Persistent(slot), .. }
                | Op::Request { slot } => _ = sends.insert(slot, None),
                Op::Cancel { slot } => {
                    if let Some(made) = sends.get(&slot).copied().flatten() {
                        found.add(evidence, First(made), lane.rank, place);
                    }
                }
                _ => {}
            }
        }
    }
    let told = found.groups().map(|group| {
        let First(made) = group.key;
        let who = group.who();
        let cancels = if who.len() == 1 { "cancels the send" } else { "cancel the sends" };
        let title = format!("{} {cancels} of {}", ranks(&who), evidence.function(made));
        let mut found = Finding::new(&rules::USAGE_CANCELLED_SEND, Severity::Warning, title);
        found.labels.push(primary(group.first, "asks for the send to be cancelled, which may or may not be".into()));
        found.labels.push(secondary(made, "made the request".into()));
        found
    });
    told.collect()
}
