//! The selected call: where, when, with what, what came back, what it belongs to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Block;
use sim::Place;

use super::wrap::{wrap, wrap_words};
use super::{framed, lines, more, theme};
use crate::state::{Details, State};
use crate::text::{count, duration, moment};

/// How wide the names of the facts are.
const NAMES: u16 = 11;

/// Draws the panel.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State) {
    if area.is_empty() {
        return;
    }
    let Some(place) = state.selected else {
        let inner = framed(buffer, area, Line::raw(" Call "), false);
        lines(buffer, inner, &[Line::styled("The trace has no calls.", theme::quiet())]);
        return;
    };
    let details = Details::of(state, place);
    framed(buffer, area, title(state, place, &details), false);
    more(buffer, area, state.call_text, "d", "u");
    let inner = inner(area);
    let facts = facts(state, &details, inner.width);
    lines(buffer, inner, facts.get(state.call_text.top..).unwrap_or_default());
}

/// How many lines do not fit.
pub fn hidden(area: Rect, state: &State) -> usize {
    let Some(place) = state.selected.filter(|_| !area.is_empty()) else { return 0 };
    let inner = inner(area);
    facts(state, &Details::of(state, place), inner.width).len().saturating_sub(inner.height.into())
}

fn inner(area: Rect) -> Rect {
    let inner = Block::bordered().inner(area);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

fn title(state: &State, place: Place, details: &Details) -> Line<'static> {
    let lane = place.lane as usize;
    let events = count(state.lanes()[lane].events.len() as u64);
    let number = count(u64::from(place.event) + 1);
    Line::from(vec![
        Span::raw(" "),
        Span::styled(format!(" {} ", state.kind(place).letter()), theme::bar(state.kind(place))),
        Span::styled(format!(" {} ", details.function), theme::title()),
        Span::styled(format!("rank {}, call {number} of {events} ", state.lane_name(lane)), theme::quiet()),
    ])
}

fn facts(state: &State, details: &Details, width: u16) -> Vec<Line<'static>> {
    let mut facts = Facts { lines: Vec::new(), width: width.saturating_sub(NAMES) };
    if let Some(location) = &details.location {
        let method = details.method.as_ref().map(|method| format!(", by {method}")).unwrap_or_default();
        facts.add("at", &format!("{location}{method}"), Span::raw);
    }
    facts.add_time(state, details);
    for wait in &details.waits {
        facts.add(if details.end_ns.is_some() { "for" } else { "waits for" }, wait, Span::raw);
    }
    for frame in &details.stack {
        facts.add("stack", frame, Span::raw);
    }
    for (finding, remark) in &details.remarks {
        let severity = state.report.findings[*finding].severity;
        let text = format!("{} {}: {remark}", theme::sign(severity), finding + 1);
        facts.add("finding", &text, |line| Span::styled(line, theme::severity(severity)));
    }
    for partner in &details.partners {
        facts.add("partner", partner, Span::raw);
    }
    let arguments: Vec<String> = details.arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !arguments.is_empty() {
        facts.add("arguments", &arguments.join("  "), Span::raw);
    }
    for result in &details.results {
        facts.add("result", result, Span::raw);
    }
    facts.lines
}

/// From when to when a call went on, so fine that the two differ as its duration says, however late it is in the run.
fn stretch(start_ns: u64, end_ns: u64) -> [String; 2] {
    /// A duration is written with four digits.
    const DIGITS: u32 = 3;
    let duration_ns = (end_ns - start_ns).max(1);
    let step_ns = 10u64.pow(duration_ns.ilog10().saturating_sub(DIGITS));
    let precise = |ns: u64| moment(ns, end_ns, step_ns);
    [format!("from {}", precise(start_ns)), format!("to {}", precise(end_ns))]
}

/// Lines with a name on the left and text on the right, each name once.
struct Facts {
    lines: Vec<Line<'static>>,
    width: u16,
}

impl Facts {
    fn add_time(&mut self, state: &State, details: &Details) {
        if let Some(end_ns) = details.end_ns {
            let lasted = duration(details.duration_ns);
            return self.add_led("time", &lasted, theme::strong(), &stretch(details.start_ns, end_ns));
        }
        let start_ns = details.start_ns;
        let called = moment(start_ns, start_ns, 10u64.pow(start_ns.max(1).ilog10().saturating_sub(6)));
        self.add_led("time", state.without_return(), theme::never(), &[format!("called at {called}")]);
        let lasted = duration(details.duration_ns);
        let text = if state.running {
            format!("in it for {lasted} so far; the run goes on, R reads it again")
        } else {
            format!("in it for {lasted} when the recording ended")
        };
        self.add("", &text, Span::raw);
    }

    fn add(&mut self, name: &str, text: &str, style: impl Fn(String) -> Span<'static>) {
        self.add_lines(name, wrap(text, self.width), style);
    }

    /// Adds parts that are not broken, of which the first is the most important.
    fn add_led(&mut self, name: &str, lead: &str, style: Style, parts: &[String]) {
        let (at, lead) = (self.lines.len(), format!("{lead},"));
        let words = std::iter::once(lead.as_str()).chain(parts.iter().map(String::as_str));
        self.add_lines(name, wrap_words(words, self.width), Span::raw);
        let Some(span) = self.lines.get_mut(at).and_then(|line| line.spans.pop()) else { return };
        let (lead, rest) = span.content.split_at(lead.len() - 1);
        let spans = [Span::styled(lead.to_owned(), style), Span::raw(rest.to_owned())];
        self.lines[at].spans.extend(spans);
    }

    fn add_lines(&mut self, name: &str, lines: Vec<String>, style: impl Fn(String) -> Span<'static>) {
        for (number, line) in lines.into_iter().enumerate() {
            let name = if number == 0 && self.last_name() != name { name } else { "" };
            let name = Span::styled(format!("{name:<width$}", width = NAMES.into()), theme::quiet());
            self.lines.push(Line::from(vec![name, style(line)]));
        }
    }

    /// The name that the last lines stand under.
    fn last_name(&self) -> String {
        let names = self.lines.iter().rev().filter_map(|line| line.spans.first());
        names.map(|span| span.content.trim().to_owned()).find(|name| !name.is_empty()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_short_call_late_in_a_run_differ() {
        let text = |start_ns, end_ns| stretch(start_ns, end_ns).join(" ");
        assert_eq!(text(26_842_953_123, 26_842_953_175), "from 26.842953123 s to 26.842953175 s");
        assert_eq!(text(670_929_700, 3_670_929_700), "from 0.671 s to 3.671 s");
        assert_eq!(text(7, 7), "from 7 ns to 7 ns");
    }
}
