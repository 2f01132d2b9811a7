//! Virtual ranks: what a recorded MPI program does on an ideal machine, what is wrong with it, and how long it would take.
//!
//! The machine is pure: no clock, no I/O, no randomness; the same trace and options give the same bytes.

#![forbid(unsafe_code)]

mod accesses;
mod checks;
pub mod clocks;
mod decide;
pub mod finding;
mod footprint;
pub mod forced;
mod layout;
mod lift;
mod machine;
mod network;
mod order;
pub mod profile;
mod program;
pub mod regions;
mod replay;
pub mod report;
pub mod rules;
mod uses;

use std::num::NonZeroUsize;

pub use decide::{Decision, Effort, Schedule, Stages, Verdict};
pub use finding::{Collective, Finding, Label, Message, Place, Report, Severity};
pub use footprint::{Footprint, Overlap};
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
    /// A schedule to follow in place of the recorded one.
    pub schedule: Option<Schedule>,
    /// Whether messages and collectives are only counted where no rule needs to know them. Lists of them take memory as long as the run is.
    pub is_brief: bool,
}

/// How much work a check may be, where it could be endless.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Conflicts that the solver may come to.
    pub conflicts: u64,
    /// Memory that its clauses may take.
    pub memory_bytes: u64,
    /// Asked now and then whether time is up.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// The stages of the decision.
    pub stages: Stages,
    /// Threads that prepare it; the answer is the same.
    pub threads: NonZeroUsize,
    /// Whether the user set them: then coming to one is told by the verdict.
    pub are_set: bool,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Limits {
            conflicts: 200_000,
            memory_bytes: 1 << 30,
            stop: &|| false,
            stages: Stages::default(),
            threads: NonZeroUsize::MIN,
            are_set: false,
        }
    }
}

impl<'a> Limits<'a> {
    fn budget(&self) -> decide::Budget<'a> {
        // A literal takes four bytes in its clause, and about as much around it and in what is learnt.
        let literals = usize::try_from(self.memory_bytes / 16).unwrap_or(usize::MAX);
        decide::Budget { conflicts: self.conflicts, literals, stop: self.stop }
    }
}

/// Which bytes of which file every call reads or writes, in the order of lanes and calls.
#[must_use]
pub fn regions(trace: &traces::Trace) -> Vec<regions::Region> {
    regions::find(trace, &lift::lift(trace))
}

/// Runs a trace once as it was recorded and judges nothing: what a check costs at the least. Gives how many threads the machine could not get
/// through their calls.
#[must_use]
pub fn run(trace: &traces::Trace) -> usize {
    checks::run(trace)
}

/// For each of these calls: how many calls of each lane are over for certain when it begins, by messages and collectives, and so can have had a part
/// in it. None of those of which it is not known; None at all where several threads of a rank call MPI.
#[must_use]
pub fn pasts(trace: &traces::Trace, places: &[Place]) -> Option<Vec<Option<Vec<u32>>>> {
    order::pasts(&lift::lift(trace).program, places)
}

/// Checks a trace.
#[must_use]
pub fn check(trace: &traces::Trace, options: &Options) -> Report {
    checks::check(trace, options, &Limits::default())
}

/// Checks a trace within limits.
#[must_use]
pub fn check_within(trace: &traces::Trace, options: &Options, limits: &Limits) -> Report {
    checks::check(trace, options, limits)
}

/// Decides for each of these bufferings whether some schedule of the recorded calls gets stuck. The run must have come to its end.
#[must_use]
pub fn decide(trace: &traces::Trace, bufferings: &[Buffering], limits: &Limits) -> Decision {
    checks::decide_only(trace, bufferings, limits)
}
