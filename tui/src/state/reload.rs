//! The same place in a recording that was read again: the run has gone on, or has ended.

use sim::Place;

use super::{Search, State, Window, place};
use crate::Recording;
use crate::text::{count, plural};

impl State {
    /// Looks at a recording that was read again, as much as can be at what was looked at before.
    pub fn reload(&mut self, recording: Recording) {
        let mut new = State::new(recording);
        new.resize(self.rows, self.columns);
        // Who looks at everything wants to see what has come, too.
        if self.window.span_ns < self.window.extent_ns {
            new.window = self.window.within(new.window.extent_ns);
        }
        if let Some(selected) = self.selected.and_then(|place| self.same_place(place, &new)) {
            new.select(selected);
            new.finding = self.finding.and_then(|number| self.same_finding(number, &new));
            new.top = self.top.min(new.lanes().len().saturating_sub(new.rows));
        }
        new.search = self.search.take().map(|search| Search::new(search.text, &new.trace));
        new.in_findings = self.in_findings && !new.report.findings.is_empty();
        (new.all_messages, new.help, new.help_text) = (self.all_messages, self.help, self.help_text);
        (new.call_text, new.finding_text) = (self.call_text, self.finding_text);
        new.notice = Some(self.what_has_come(&new));
        *self = new;
    }

    /// The place of a call in the trace that was read again, where lanes may have come between.
    fn same_place(&self, before: Place, new: &State) -> Option<Place> {
        let known = &self.lanes()[before.lane as usize];
        let lane = new.lanes().iter().position(|lane| {
            (lane.rank, lane.thread) == (known.rank, known.thread) && (lane.rank.is_some() || lane.process == known.process)
        })?;
        Some(place(lane, before.event as usize)).filter(|&place| new.exists(place))
    }

    fn same_finding(&self, number: usize, new: &State) -> Option<usize> {
        let known = self.report.findings.get(number)?;
        new.report.findings.iter().position(|f| f.rule.name == known.rule.name && f.title == known.title)
    }

    fn what_has_come(&self, new: &State) -> String {
        let calls = new.trace.event_count().saturating_sub(self.trace.event_count());
        let findings = plural(new.report.findings.len() as u64, "finding");
        let end = if self.running && !new.running { ", and the run has ended" } else { "" };
        match calls {
            0 => format!("read again: no more calls, {findings}{end}"),
            _ => format!("read again: {} calls more, {findings}{end}", count(calls)),
        }
    }
}

impl Window {
    /// The same stretch in a trace of another length, as far as it goes.
    fn within(self, extent_ns: u64) -> Window {
        let span_ns = self.span_ns.min(extent_ns);
        Window { start_ns: self.start_ns.min(extent_ns - span_ns), span_ns, extent_ns }
    }
}
