//! Virtual ranks: what a recorded MPI program does on an ideal machine, what is wrong with it, and how long it would take.
//!
//! The machine is pure: no clock, no I/O, no randomness; the same trace and options give the same bytes.

#![forbid(unsafe_code)]

mod checks;
mod decide;
pub mod finding;
mod layout;
mod lift;
mod machine;
mod network;
mod program;
mod replay;
pub mod report;
pub mod rules;

pub use finding::{Collective, Finding, Label, Message, Place, Report, Severity};
pub use network::Network;
pub use replay::replay;

/// How much a send may do before its receive is posted (section 3.4 of the standard leaves it to the library).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buffering {
    /// Standard sends wait for their receive.
    Zero,
    /// Standard sends of at most this many bytes complete at once.
    Eager(u64),
    /// Standard sends complete at once.
    #[default]
    Infinite,
    /// Each standard send completes at once or not, and each member of a collective goes on early or not, as it likes.
    Any,
}

/// What to check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The buffering to judge by. None judges by the recorded run and warns of what needs buffering; any other makes deadlocks under
    /// that buffering errors.
    pub buffering: Option<Buffering>,
}

/// Checks a trace.
#[must_use]
pub fn check(trace: &traces::Trace, options: &Options) -> Report {
    checks::check(trace, options)
}

/// For tests.
#[doc(hidden)]
#[must_use]
pub fn verdicts(trace: &traces::Trace, bufferings: &[Buffering], prunes: bool) -> Option<Vec<bool>> {
    decide::verdicts(&lift::lift(trace).program, bufferings, prunes)
}
