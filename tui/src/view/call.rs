//! The selected call: where, when, with what, what came back, what it belongs to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::wrap::wrap;
use super::{framed, lines, theme};
use crate::state::{Details, State};
use crate::text::{count, duration};

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
    let events = state.lanes()[place.lane as usize].events.len() as u64;
    let title = Line::from(vec![
        Span::raw(" "),
        Span::styled(format!(" {} ", state.kind(place).letter()), theme::bar(state.kind(place))),
        Span::styled(format!(" {} ", details.function), theme::title()),
        Span::styled(
            format!(
                "rank {}, call {} of {} ",
                state.lane_name(place.lane as usize),
                count(u64::from(place.event) + 1),
                count(events)
            ),
            theme::quiet(),
        ),
    ]);
    let inner = framed(buffer, area, title, false);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    lines(buffer, inner, &facts(state, &details, inner.width));
}

fn facts(state: &State, details: &Details, width: u16) -> Vec<Line<'static>> {
    let mut facts = Facts { lines: Vec::new(), width: width.saturating_sub(NAMES) };
    if let Some(location) = &details.location {
        facts.add("at", location, Span::raw);
    }
    facts.lines.push(time(details));
    if details.end_ns.is_none() {
        facts.add("", &format!("in it for {} when the recording ended", duration(details.duration_ns)), Span::raw);
    }
    for wait in &details.waits {
        facts.add(if details.end_ns.is_some() { "for" } else { "waits for" }, wait, Span::raw);
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

fn time(details: &Details) -> Line<'static> {
    let precise = |ns: u64| crate::text::moment(ns, ns, 1.max(10u64.pow(ns.max(1).ilog10().saturating_sub(6))));
    let name = Span::styled(format!("{:<width$}", "time", width = NAMES.into()), theme::quiet());
    match details.end_ns {
        Some(end_ns) => Line::from(vec![
            name,
            Span::styled(duration(details.duration_ns), theme::strong()),
            Span::raw(format!(", from {} to {}", precise(details.start_ns), precise(end_ns))),
        ]),
        None => Line::from(vec![
            name,
            Span::styled("never returned", theme::never()),
            Span::raw(format!(", called at {}", precise(details.start_ns))),
        ]),
    }
}

/// Lines with a name on the left and text on the right, each name once.
struct Facts {
    lines: Vec<Line<'static>>,
    width: u16,
}

impl Facts {
    fn add(&mut self, name: &str, text: &str, style: impl Fn(String) -> Span<'static>) {
        for (number, line) in wrap(text, self.width).into_iter().enumerate() {
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
