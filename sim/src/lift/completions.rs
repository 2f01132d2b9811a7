//! Calls that start, test and complete requests.
//!
//! The recorded outcome says which requests a call completed, and the machine completes the same ones. A test that found nothing says
//! nothing at all: the standard allows it at any time.

use traces::Value;
use traces::constant::UNDEFINED;
use traces::function::{Function, mpi};

use super::arguments::Arguments;
use super::{Lifter, slot_of};
use crate::program::{Completion, Op, Until};

/// Which of its requests a call completes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    OneOfThem,
    SomeOfThem,
}

/// The completion calls: which requests they complete, whether they wait, and whether the requests live on.
fn form(function: Function) -> Option<(Which, Waits, Keeps)> {
    use Which::{All, OneOfThem, SomeOfThem};
    Some(match function {
        mpi::WAIT | mpi::WAITALL => (All, Waits(true), Keeps(false)),
        mpi::WAITANY => (OneOfThem, Waits(true), Keeps(false)),
        mpi::WAITSOME => (SomeOfThem, Waits(true), Keeps(false)),
        mpi::TEST | mpi::TESTALL => (All, Waits(false), Keeps(false)),
        mpi::TESTANY => (OneOfThem, Waits(false), Keeps(false)),
        mpi::TESTSOME => (SomeOfThem, Waits(false), Keeps(false)),
        mpi::REQUEST_GET_STATUS | mpi::REQUEST_GET_STATUS_ALL => (All, Waits(false), Keeps(true)),
        mpi::REQUEST_GET_STATUS_ANY => (OneOfThem, Waits(false), Keeps(true)),
        mpi::REQUEST_GET_STATUS_SOME => (SomeOfThem, Waits(false), Keeps(true)),
        _ => return None,
    })
}

struct Waits(bool);
struct Keeps(bool);

impl Lifter<'_> {
    /// What a call on requests does; None if it is none.
    pub(super) fn completion(&mut self, a: &Arguments) -> Option<Op> {
        if matches!(a.function(), mpi::START | mpi::STARTALL) {
            let requests = self.span(given(a));
            return Some(Op::Start { requests, has_failed: a.failed() });
        }
        let (which, Waits(waits), Keeps(keep)) = form(a.function())?;
        let poll = !waits;
        if is_too_long(a) {
            let has_completed = a.outcome.is_some() && (waits || which != Which::All || a.flag());
            return Some(if a.outcome.is_none() {
                Op::Opaque
            } else if has_completed && !keep {
                Op::GiveUpAll
            } else {
                Op::Local
            });
        }
        let all = given(a);
        // MPI_Wait and MPI_Waitall return an error when all is over. Of the others nobody knows what they have completed.
        if a.failed() && !(which == Which::All && waits) {
            let requests = self.span(if keep { Vec::new() } else { all });
            return Some(Op::GiveUp { requests });
        }
        let chosen = match (a.outcome, which) {
            (None, _) if poll => return Some(Op::Opaque),
            (None, Which::All) => all.clone(),
            (None, _) => {
                let requests = self.span(all);
                return Some(Op::Complete { requests, given: requests, until: Until::Any, keep, poll });
            }
            (Some(_), Which::All) if poll && !a.flag() => return Some(Op::Local),
            (Some(_), Which::All) => all.clone(),
            (Some(_), _) => pick(&all, &chosen(a, which)),
        };
        if chosen.is_empty() {
            // A call that waits for one of them, and says that there is none, knows that none is active.
            let requests = self.span(if waits { all } else { Vec::new() });
            return Some(if waits { Op::GiveUp { requests } } else { Op::Local });
        }
        let chosen = with_statuses(chosen, a);
        self.needs_pins |= chosen.iter().any(|c| c.cancelled);
        let requests = self.span(chosen);
        let given = if which == Which::All { requests } else { self.span(all) };
        Some(Op::Complete { requests, given, until: Until::All, keep, poll })
    }
}

/// Whether a call was given requests of which the trace does not keep which they were, because they are too many.
fn is_too_long(a: &Arguments) -> bool {
    let count = a.call.int("count").or_else(|| a.call.int("incount"));
    a.call.function.parameter("array_of_requests").is_some()
        && matches!(a.call.argument("array_of_requests"), Value::Nil)
        && count.is_some_and(|count| count > 0)
}

/// The requests that a call was given.
pub(super) fn given(a: &Arguments) -> Vec<Completion> {
    let one = a.call.int("request");
    let many = a.call.ints("array_of_requests").iter().map(|r| Some(*r));
    let numbers = one.map(Some).into_iter().chain(many);
    numbers.map(|request| Completion { slot: slot_of(request), cancelled: false }).collect()
}

/// The places in the array of those that completed.
fn chosen(a: &Arguments, which: Which) -> Vec<i64> {
    match which {
        Which::All => Vec::new(),
        Which::OneOfThem => a.result("index").int().filter(|index| *index != UNDEFINED).into_iter().collect(),
        Which::SomeOfThem => {
            let count = a.result("outcount").int().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
            a.result("array_of_indices").ints().iter().take(count).copied().collect()
        }
    }
}

fn pick(all: &[Completion], places: &[i64]) -> Vec<Completion> {
    places.iter().filter_map(|at| all.get(usize::try_from(*at).ok()?)).copied().collect()
}

/// Completions with what their statuses say.
fn with_statuses(mut list: Vec<Completion>, a: &Arguments) -> Vec<Completion> {
    for (completion, status) in list.iter_mut().zip(a.statuses()) {
        completion.cancelled = status.cancelled;
    }
    list
}
