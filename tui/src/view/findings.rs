//! The findings: a line each, and the chosen one in full below its line.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use sim::{Finding, Label};

use super::wrap::{cut, wrap};
use super::{framed, lines, more, theme};
use crate::layout::Layout;
use crate::state::State;

/// Draws the panel.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State) {
    if area.is_empty() {
        return;
    }
    let count = state.report.findings.len();
    let title = Line::from(vec![Span::styled(" Findings ", theme::title()), Span::styled(format!("{count} "), theme::quiet())]);
    let inner = framed(buffer, area, title, state.in_findings);
    let (down, up) = if state.reads_finding() { ("d", "u") } else { ("f d", "f u") };
    more(buffer, area, state.finding_text, down, up);
    let shown: Vec<Line<'_>> = rows(inner, state).into_iter().map(|(_, line)| line).collect();
    lines(buffer, inner, &shown);
}

/// How many lines of the chosen finding do not fit.
pub fn hidden(area: Rect, state: &State) -> usize {
    let inner = ratatui::widgets::Block::bordered().inner(area);
    let chosen = state.finding.and_then(|number| Some((number, state.report.findings.get(number)?)));
    let Some((number, finding)) = chosen.filter(|_| !area.is_empty()) else { return 0 };
    entry(state, number, finding, true, inner.width).len().saturating_sub(inner.height.into())
}

/// The finding whose text is at a position of the screen.
pub fn finding_at(position: Position, layout: &Layout, state: &State) -> Option<usize> {
    if !layout.findings.contains(position) {
        return None;
    }
    let inner = ratatui::widgets::Block::bordered().inner(layout.findings);
    let row = position.y.checked_sub(inner.y)?;
    rows(inner, state).get(usize::from(row)).map(|(finding, _)| *finding)
}

/// The lines on the screen, each with the finding that it belongs to: so many that the chosen finding is seen, from its first line on.
fn rows(inner: Rect, state: &State) -> Vec<(usize, Line<'_>)> {
    let findings = &state.report.findings;
    let height = usize::from(inner.height);
    let chosen = state.finding;
    let around = chosen.unwrap_or(0);
    let first = around.saturating_sub(height);
    let mut rows = Vec::new();
    let (mut chosen_start, mut chosen_end) = (0, 0);
    for (number, finding) in findings.iter().enumerate().skip(first).take(2 * height + 1) {
        let is_chosen = chosen == Some(number);
        if is_chosen {
            chosen_start = rows.len();
        }
        rows.extend(entry(state, number, finding, is_chosen, inner.width).into_iter().map(|line| (number, line)));
        if is_chosen {
            chosen_end = rows.len();
        }
    }
    let skip = chosen_end.saturating_sub(height).min(chosen_start) + state.finding_text.top;
    rows.drain(..skip.min(rows.len()));
    rows
}

fn entry<'a>(state: &'a State, number: usize, finding: &'a Finding, is_chosen: bool, width: u16) -> Vec<Line<'a>> {
    let sign = Span::styled(format!("{} ", theme::sign(finding.severity)), theme::severity(finding.severity));
    let head = |text: Span<'a>| {
        let pointer = if is_chosen { "▶" } else { " " };
        Line::from(vec![Span::raw(format!("{pointer}{:>2} ", number + 1)), sign, text])
    };
    if !is_chosen {
        return vec![head(Span::raw(cut(&finding.title, width.saturating_sub(6))))];
    }
    let indent = "      ";
    let room = width.saturating_sub(7);
    let mut lines = vec![head(Span::styled(finding.rule.name, theme::severity(finding.severity)))];
    let mut paragraph = |text: &str, first: &str, next: &str, style| {
        for (at, line) in wrap(text, room.saturating_sub(2)).into_iter().enumerate() {
            let lead = if at == 0 { first } else { next };
            lines.push(Line::from(vec![Span::styled(format!("{indent}{lead}"), theme::quiet()), Span::styled(line, style)]));
        }
    };
    paragraph(&finding.title, "", "", theme::strong());
    for label in &finding.labels {
        let lead = if label.primary { "› " } else { "· " };
        paragraph(&label_text(state, label), lead, "  ", ratatui::style::Style::new());
    }
    for note in &finding.notes {
        paragraph(&format!("note: {note}"), "= ", "  ", theme::quiet());
    }
    if let Some(help) = &finding.help {
        paragraph(&format!("help: {help}"), "= ", "  ", theme::good());
    }
    lines
}

fn label_text(state: &State, label: &Label) -> String {
    if !state.exists(label.place) {
        return label.text.clone();
    }
    let lane = state.lane_name(label.place.lane as usize);
    let call = state.trace.call(state.event(label.place).call);
    let at = state.location(call).map(|line| format!("{line}: ")).unwrap_or_default();
    format!("{at}rank {lane} {}", label.text)
}
