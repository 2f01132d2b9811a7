//! The whole trace in one row: which part of it is on the screen, and where the findings are.

use ratatui::buffer::Buffer;

use super::{put, theme};
use crate::layout::Layout;
use crate::state::{State, Window};

/// Draws the overview.
pub fn draw(buffer: &mut Buffer, layout: &Layout, state: &State) {
    let area = layout.overview;
    if area.is_empty() {
        return;
    }
    buffer.set_stringn(layout.names.x, area.y, "  all", layout.names.width.into(), theme::quiet());
    let whole = Window::whole(state.window.extent_ns);
    let first = whole.column_of(state.window.start_ns, area.width);
    let last = whole.column_of(state.window.end_ns() - 1, area.width);
    for column in 0..i64::from(area.width) {
        let (symbol, style) = if (first..=last).contains(&column) { ('━', theme::quiet()) } else { ('─', theme::faint()) };
        put(buffer, i64::from(area.x) + column, area.y.into(), area, symbol, style);
    }
    if state.index.folded_ns > 0 {
        put(buffer, i64::from(area.right()) - 1, area.y.into(), area, theme::NEVER_RETURNED, theme::never());
    }
    // The worst come first in the report and are drawn last.
    for (number, finding) in state.report.findings.iter().enumerate().rev() {
        if let Some(place) = state.primary(number) {
            let column = whole.column_of(state.event(place).start_ns, area.width);
            let sign = theme::sign(finding.severity).chars().next().unwrap_or('!');
            put(buffer, i64::from(area.x) + column, area.y.into(), area, sign, theme::severity(finding.severity));
        }
    }
}
