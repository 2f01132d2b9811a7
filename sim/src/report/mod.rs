//! What the checker found, for people ([`text`], [`html`], [`dot`]) and for programs ([`json`], [`sarif`], [`junit`], [`github`]).
//!
//! Rendering is pure: data in, a string out. What a report shows of the program's sources comes through [`Sources`], so that the
//! same trace and the same sources always give the same bytes, and tests need no files.

pub mod calls;
pub mod dot;
mod excerpt;
mod fingerprint;
pub mod github;
mod graph;
pub mod html;
pub mod json;
pub mod junit;
pub mod numbers;
mod policy;
pub mod ranks;
pub mod sarif;
mod span;
mod style;
pub mod text;
pub mod times;
mod verdict;
mod wrap;

use traces::symbols::{Location, Stack};
use traces::{Call, Event, Frame, Trace};

use crate::Options;
use crate::finding::{Label, Place, Report, Severity};

pub use policy::{Pattern, Policy, Suppression};
pub use style::Style;
pub use verdict::Verdict;

/// What a report shows of the program's sources.
pub trait Sources {
    /// Where a call was made and what led there, the files as the report is to show them.
    fn stack(&self, frame: Frame) -> Stack;

    /// The text of the line at such a place.
    fn quote(&self, location: &Location) -> Quote;
}

/// A line of source, for a report to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quote {
    /// Its text.
    Line(String),
    /// There is none here.
    Absent,
    /// The source was written after the program was compiled: the line may be another one by now.
    Newer,
}

/// What a report is about and made of.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The name of the trace.
    pub name: &'a str,
    /// The trace.
    pub trace: &'a Trace,
    /// What the check found out.
    pub report: &'a Report,
    /// How it was checked.
    pub options: &'a Options,
    /// The findings from which on the verdict is [`Verdict::Findings`].
    pub fail_on: Severity,
    /// Where the sources are.
    pub sources: &'a dyn Sources,
}

impl<'a> Subject<'a> {
    /// The event that a label is about. None if the trace has no such event.
    fn event(&self, label: &Label) -> Option<&'a Event> {
        self.event_at(label.place)
    }

    /// The event at a place. None if the trace has no such event.
    fn event_at(&self, place: Place) -> Option<&'a Event> {
        self.trace.lanes.get(place.lane as usize)?.events.get(place.event as usize)
    }

    /// The call that a label is about.
    fn call(&self, label: &Label) -> Option<&'a Call> {
        self.call_at(label.place)
    }

    /// The call at a place.
    fn call_at(&self, place: Place) -> Option<&'a Call> {
        self.event_at(place).map(|event| self.trace.call(event.call))
    }

    /// The rank whose call is at a place.
    fn rank_at(&self, place: Place) -> Option<u32> {
        self.trace.lanes.get(place.lane as usize)?.rank
    }

    /// Where the call of a label was made, and what led there.
    fn stack(&self, label: &Label) -> Option<Stack> {
        self.call(label)?.frame().map(|frame| self.sources.stack(frame))
    }

    /// The line of the program on which the call of a label was made.
    fn location(&self, label: &Label) -> Option<Location> {
        self.line(self.call(label)?)
    }

    /// The line of the program on which a call was made.
    fn line(&self, call: &Call) -> Option<Location> {
        call.frame().map(|frame| self.sources.stack(frame).line().clone())
    }

    /// The method of a binding that made a call, such as `Comm.bcast`.
    fn method(&self, call: &Call) -> Option<&'a str> {
        self.trace.site(call.site?).method.as_deref()
    }

    /// The rank and the thread of a label.
    fn speaker(&self, label: &Label) -> (Option<u32>, u32) {
        self.trace.lanes.get(label.place.lane as usize).map_or((None, 0), |lane| (lane.rank, lane.thread))
    }

    /// How many findings are of this severity.
    fn count(&self, severity: Severity) -> usize {
        self.report.findings.iter().filter(|finding| finding.counts(severity)).count()
    }
}

/// The word for a severity in reports.
#[must_use]
pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

#[cfg(test)]
mod tests;
