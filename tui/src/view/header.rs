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

/// The name first, then what is wrong, then how much there is. What finds no room is left out whole, what matters least first.
fn title(state: &State, width: u16) -> Line<'_> {
    let trace = &state.trace;
    let mut parts = vec![Span::styled(cut(&state.title, width / 3), theme::header_title())];
    if state.running {
        parts.push(Span::styled("● runs", theme::good()));
    }
    parts.extend(findings(state));
    if state.index.hung_lanes > 0 {
        let calls = plural(state.index.hung_lanes as u64, "call");
        parts.push(Span::styled(format!("{calls} {}", state.without_return()), theme::never()));
    }
    parts.push(Span::raw(plural(u64::from(trace.world_size), "rank")));
    parts.push(Span::raw(duration(trace.end_ns())));
    parts.push(Span::raw(plural(trace.event_count(), "call")));
    fitted(parts, width)
}

/// As many of the parts as there is room for, from the first on; close to each other where that makes room for one more.
fn fitted(parts: Vec<Span<'_>>, width: u16) -> Line<'_> {
    let needed = |count: usize, gap: usize| 1 + parts[..count].iter().map(|part| part.width() + gap).sum::<usize>() - gap;
    let fits = |&(count, gap): &(usize, usize)| needed(count, gap) <= usize::from(width);
    let choices = (1..=parts.len()).rev().flat_map(|count| [(count, 3), (count, 2)]);
    let (count, gap) = choices.into_iter().find(fits).unwrap_or((1, 2));
    let mut spans = vec![Span::raw(" ")];
    for part in parts.into_iter().take(count) {
        spans.extend([part, Span::raw(" ".repeat(gap))]);
    }
    Line::from(spans)
}

fn findings(state: &State) -> Vec<Span<'_>> {
    let findings = &state.report.findings;
    if findings.is_empty() {
        // A run that hung is not in order because nothing could be said of it.
        let is_good = state.index.hung_lanes == 0;
        return vec![if is_good { Span::styled("✓ no findings", theme::good()) } else { Span::raw("no findings") }];
    }
    let of = |severity: Severity| findings.iter().filter(|f| f.severity == severity).count() as u64;
    [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .into_iter()
        .filter(|&(severity, _)| of(severity) > 0)
        .map(|(severity, noun)| {
            let text = format!("{} {}", theme::sign(severity), plural(of(severity), noun));
            Span::styled(text, theme::severity(severity))
        })
        .collect()
}
