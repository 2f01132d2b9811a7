//! The first lines: what is looked at, how much of it there is, how much is wrong with it, and what is missing of it.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};
use sim::Severity;

use super::theme;
use super::wrap::cut;
use crate::layout::Layout;
use crate::state::State;
use crate::text::{duration, plural};

/// Draws the header and the warning.
pub fn draw(buffer: &mut Buffer, layout: &Layout, state: &State) {
    let area = layout.header;
    buffer.set_style(area, theme::header());
    buffer.set_line(area.x, area.y, &title(state, area.width), area.width);
    if let Some(warning) = state.warning() {
        let area = layout.warning;
        buffer.set_style(area, theme::damage());
        if !area.is_empty() {
            buffer.set_stringn(area.x, area.y, format!(" ▲ {warning}"), area.width.into(), theme::damage());
        }
    }
}

/// The name first, then what is wrong, then how much there is: what matters less is cut off first.
fn title(state: &State, width: u16) -> Line<'_> {
    let trace = &state.trace;
    let name = cut(&state.title, width / 3);
    let mut spans = vec![Span::styled(format!(" {name}   "), theme::header_title())];
    spans.extend(findings(state));
    if state.index.hung_lanes > 0 {
        let calls = plural(state.index.hung_lanes as u64, "call");
        spans.push(Span::styled(format!("{calls} never returned   "), theme::never()));
    }
    let ranks = plural(u64::from(trace.world_size), "rank");
    let calls = plural(trace.event_count(), "call");
    spans.push(Span::raw(format!("{ranks}   {calls}   {}", duration(trace.end_ns()))));
    Line::from(spans)
}

fn findings(state: &State) -> Vec<Span<'_>> {
    let findings = &state.report.findings;
    if findings.is_empty() {
        return vec![Span::styled("✓ no findings   ", theme::good())];
    }
    let of = |severity: Severity| findings.iter().filter(|f| f.severity == severity).count() as u64;
    [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .into_iter()
        .filter(|&(severity, _)| of(severity) > 0)
        .map(|(severity, noun)| {
            let text = format!("{} {}   ", theme::sign(severity), plural(of(severity), noun));
            Span::styled(text, theme::severity(severity))
        })
        .collect()
}
