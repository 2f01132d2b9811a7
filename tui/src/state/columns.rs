//! What one lane looks like, column by column: a part of one call, a summary of several, or none.
//!
//! Events are found by binary search and summed up by the index, so that the cost goes with the width of the screen only.

use std::ops::Range;

use traces::{Event, Lane};

use super::index::{Index, hung};
use super::kind::Kind;
use super::window::Window;

/// One column of a lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column {
    /// Before the lane's first call or after its last.
    Outside,
    /// Between two calls: the program computes.
    Computing,
    /// In this call, which is longer than the column.
    Call {
        /// Its number in the lane.
        event: usize,
        /// Its kind.
        kind: Kind,
    },
    /// In calls that are all shorter than the column.
    Several {
        /// The first of them.
        event: usize,
        /// How many.
        calls: usize,
        /// The kind that takes the most time.
        kind: Kind,
        /// How much of the column they take, 0 to 1.
        busy: f64,
    },
}

/// When an event ends on the screen: a call that never returned goes on to the end of the trace.
pub fn shown_end_ns(lane: &Lane, event: usize, extent_ns: u64) -> u64 {
    let is_hung = event + 1 == lane.events.len() && hung(lane).is_some();
    if is_hung { extent_ns } else { lane.events[event].end_ns() }
}

/// The first event of a lane that goes on after a time, or begins at it.
fn first_after(lane: &Lane, time_ns: u64) -> usize {
    let first = lane.events.partition_point(|e| e.end_ns() <= time_ns && e.start_ns < time_ns);
    if hung(lane).is_some() { first.min(lane.events.len() - 1) } else { first }
}

/// The events of a lane that have a part in a window, by number.
pub fn events_in(lane: &Lane, window: &Window) -> Range<usize> {
    let first = first_after(lane, window.start_ns);
    let end = lane.events.partition_point(|e| e.start_ns < window.end_ns());
    first..end.max(first)
}

/// The columns of a lane, of so many.
pub fn columns(lane: &Lane, number: usize, index: &Index, window: &Window, count: u16) -> Vec<Column> {
    (0..count)
        .map(|at| {
            let start_ns = window.time_at(at, count);
            let end_ns = window.time_at(at + 1, count).max(start_ns + 1);
            let first = first_after(lane, start_ns);
            let end = first + lane.events[first..].partition_point(|e| e.start_ns < end_ns);
            Slice { lane, number, index, first, end, start_ns, end_ns }.column()
        })
        .collect()
}

/// The events `first..end` of a lane, which overlap the time of one column.
struct Slice<'a> {
    lane: &'a Lane,
    number: usize,
    index: &'a Index,
    first: usize,
    end: usize,
    start_ns: u64,
    end_ns: u64,
}

impl Slice<'_> {
    fn column(&self) -> Column {
        if self.first >= self.end {
            return self.without_calls();
        }
        let last = self.end - 1;
        let edges = if self.first == last { [Some(last), None] } else { [Some(self.first), Some(last)] };
        let reaching_out = edges.into_iter().flatten().filter(|&e| self.reaches_out(e));
        let inner_first = if self.reaches_out(self.first) { self.first + 1 } else { self.first };
        let inner_end = if self.reaches_out(last) { last.max(inner_first) } else { self.end };
        let inner = self.index.time_by_kind(self.number, self.lane, inner_first, inner_end);
        let inner_ns: u64 = inner.iter().sum();
        match reaching_out.max_by_key(|&e| self.overlap_ns(e)) {
            Some(event) if inner_first >= inner_end || self.overlap_ns(event) >= inner_ns => {
                Column::Call { event, kind: self.index.kind(&self.lane.events[event]) }
            }
            _ => self.summary(inner_first, inner_end, inner_ns, &inner),
        }
    }

    fn summary(&self, first: usize, end: usize, inner_ns: u64, inner: &[u64]) -> Column {
        let most = (0..inner.len()).rev().max_by_key(|&k| inner[k]).filter(|&k| inner[k] > 0);
        let kind = most.map_or_else(|| self.index.kind(&self.lane.events[first]), |k| Kind::ALL[k]);
        #[expect(clippy::cast_precision_loss, reason = "a share of a column, drawn in eighths")]
        let busy = inner_ns as f64 / (self.end_ns - self.start_ns) as f64;
        Column::Several { event: first, calls: end - first, kind, busy: busy.min(1.0) }
    }

    fn without_calls(&self) -> Column {
        let began = self.lane.events.first().is_some_and(|e: &Event| e.start_ns <= self.start_ns);
        let goes_on = self.lane.events.last().is_some_and(|e| e.end_ns() >= self.end_ns);
        if began && goes_on { Column::Computing } else { Column::Outside }
    }

    fn shown_end_ns(&self, event: usize) -> u64 {
        shown_end_ns(self.lane, event, self.index.extent_ns)
    }

    fn reaches_out(&self, event: usize) -> bool {
        self.lane.events[event].start_ns < self.start_ns || self.shown_end_ns(event) > self.end_ns
    }

    fn overlap_ns(&self, event: usize) -> u64 {
        let end_ns = self.shown_end_ns(event).min(self.end_ns);
        end_ns.saturating_sub(self.lane.events[event].start_ns.max(self.start_ns))
    }
}
