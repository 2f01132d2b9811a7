//! The lanes: their names, their calls as bars, and the marks of the findings.
//!
//! A call wider than a column is a bar with its name; many short ones are a mountain line of how much time they take, in the colour
//! of the kind that takes most.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use sim::Place;
use traces::Ending;

use super::wrap::cut;
use super::{put, theme};
use crate::layout::Layout;
use crate::state::{Column, Kind, Search, State, columns, events_in, hung, place};

/// Draws all lanes that are on the screen.
pub fn draw(buffer: &mut Buffer, layout: &Layout, state: &State) {
    if layout.bars.is_empty() {
        return;
    }
    let mut partners: Vec<Place> = state.partners().iter().map(|p| p.place).collect();
    partners.sort_unstable();
    for (row, lane) in state.visible_lanes().enumerate() {
        let y = layout.bars.y + u16::try_from(row).unwrap_or(u16::MAX) * layout.pitch.rows();
        draw_name(buffer, layout, state, lane, y);
        let bars = Rect { y, height: layout.pitch.bar, ..layout.bars }.intersection(layout.bars);
        if !bars.is_empty() {
            LaneView { state, lane, partners: &partners, bars }.draw(buffer);
        }
    }
    draw_scrollbar(buffer, layout, state);
}

fn draw_name(buffer: &mut Buffer, layout: &Layout, state: &State, lane: usize, y: u16) {
    let names = layout.names;
    let is_selected = state.selected.is_some_and(|p| p.lane as usize == lane);
    let style = if is_selected { theme::strong() } else { theme::quiet() };
    let width = usize::from(names.width.saturating_sub(4));
    let pointer = if is_selected { '▶' } else { ' ' };
    let text = format!("{pointer}{:>width$} ", state.lane_name(lane), width = width);
    buffer.set_stringn(names.x, y, text, names.width.into(), style);
    let process = state.trace.processes.get(state.lanes()[lane].process as usize);
    let sign = match process.map(|p| p.ending) {
        _ if hung(&state.lanes()[lane]).is_some() => Some(('✗', theme::never())),
        Some(Ending::Aborted) => Some(('!', theme::never())),
        _ => None,
    };
    if let Some((sign, style)) = sign {
        put(buffer, i64::from(names.right()) - 2, y.into(), names, sign, style);
    }
}

/// A thumb of at least one row, where the lanes on the screen are among all.
fn draw_scrollbar(buffer: &mut Buffer, layout: &Layout, state: &State) {
    let (area, lanes) = (layout.scrollbar, state.lanes().len());
    if lanes <= state.rows || area.is_empty() {
        return;
    }
    let height = usize::from(area.height);
    let thumb = (state.rows * height / lanes).max(1);
    let first = state.top * (height - thumb) / (lanes - state.rows).max(1);
    for row in 0..height {
        let (symbol, style) =
            if (first..first + thumb).contains(&row) { ('┃', theme::quiet()) } else { ('│', theme::faint()) };
        put(buffer, area.x.into(), i64::from(area.y) + i64::try_from(row).unwrap_or(0), area, symbol, style);
    }
}

/// Short calls that share a column.
struct Several {
    events: Range<usize>,
    kind: Kind,
    busy: f64,
}

/// One lane and its place on the screen.
struct LaneView<'a> {
    state: &'a State,
    lane: usize,
    partners: &'a [Place],
    bars: Rect,
}

impl LaneView<'_> {
    fn draw(&self, buffer: &mut Buffer) {
        let lane = &self.state.lanes()[self.lane];
        let columns = columns(lane, self.lane, &self.state.index, &self.state.window, self.bars.width);
        let mut at = 0;
        while at < columns.len() {
            let same = |c: &&Column| match (columns[at], c) {
                (Column::Call { event, .. }, Column::Call { event: other, .. }) => event == *other,
                _ => false,
            };
            let width = 1 + columns[at + 1..].iter().take_while(same).count();
            let run = Rect { x: self.bars.x + narrow(at), width: narrow(width), ..self.bars };
            let before = at.checked_sub(1).map(|before| columns[before]);
            match columns[at] {
                Column::Outside => {}
                Column::Computing => self.draw_computing(buffer, run),
                Column::Call { event, kind } => self.draw_call(buffer, run, event, kind),
                Column::Several { event, calls: 1, kind, .. } => self.draw_short(buffer, run, event, kind),
                Column::Several { event, calls, kind, busy } => {
                    let goes_on = matches!(before, Some(Column::Several { kind: k, calls: 2.., .. }) if k == kind);
                    let several = Several { events: event..event + calls, kind, busy };
                    self.draw_several(buffer, run, &several, !goes_on);
                }
            }
            at += width;
        }
        self.draw_marks(buffer, &columns);
    }

    /// A line in the middle of the lane.
    fn draw_computing(&self, buffer: &mut Buffer, run: Rect) {
        let symbol = if run.height > 1 { '▁' } else { '─' };
        buffer[(run.x, run.y)].set_char(symbol).set_style(theme::faint());
    }

    fn draw_call(&self, buffer: &mut Buffer, run: Rect, event: usize, kind: Kind) {
        let lane = &self.state.lanes()[self.lane];
        let never = event + 1 == lane.events.len() && hung(lane).is_some();
        let pattern = if never { theme::NEVER_RETURNED } else { theme::pattern(kind) };
        let (text_style, pattern_style) = self.styles(event..event + 1, kind);
        for position in run.positions() {
            buffer[position].set_char(pattern).set_style(pattern_style);
        }
        let begins_here = lane.events[event].start_ns >= self.state.window.start_ns;
        let separator = if begins_here && run.width > 1 { "▏" } else { "" };
        if !separator.is_empty() {
            for y in run.top()..run.bottom() {
                buffer[(run.x, y)].set_symbol(separator);
            }
        }
        let name = self.state.trace.call(lane.events[event].call).function.name();
        let name = name.strip_prefix("MPI_").unwrap_or(name);
        let without_return = self.state.without_return();
        let room = usize::from(run.width) - separator.chars().count();
        let text = match room {
            0..4 => kind.letter().to_string(),
            _ if never && room > name.len() + without_return.len() + 2 => format!("{name} {without_return} "),
            _ => cut(name, narrow(room)),
        };
        buffer.set_stringn(run.x + narrow(separator.chars().count()), run.y, text, room, text_style);
        if never && run.right() == self.bars.right() {
            put(buffer, i64::from(run.right()) - 1, run.y.into(), run, '✗', theme::mark(sim::Severity::Error));
        }
    }

    /// One short call, drawn as if it filled the column.
    fn draw_short(&self, buffer: &mut Buffer, run: Rect, event: usize, kind: Kind) {
        let (text_style, pattern_style) = self.styles(event..event + 1, kind);
        for position in run.positions() {
            buffer[position].set_char(theme::pattern(kind)).set_style(pattern_style);
        }
        buffer[(run.x, run.y)].set_char(kind.letter()).set_style(text_style);
    }

    /// Many short calls: a block as high as the share of time that they take, with the letter of their kind where that changes.
    fn draw_several(&self, buffer: &mut Buffer, run: Rect, several: &Several, letter: bool) {
        const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let (text_style, _) = self.styles(several.events.clone(), several.kind);
        let is_selected = text_style == theme::selected();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "busy is from 0 to 1")]
        let mut eighths = ((several.busy * 8.0 * f64::from(run.height)).ceil() as usize).max(1);
        for y in (run.top()..run.bottom()).rev() {
            let block = eighths.min(8);
            eighths -= block;
            let style = if is_selected { text_style } else { theme::skyline(several.kind) };
            buffer[(run.x, y)].set_char(EIGHTHS[block]).set_style(style);
        }
        if letter || is_selected {
            buffer[(run.x, run.bottom() - 1)].set_char(several.kind.letter()).set_style(text_style);
        }
    }

    /// The styles of text and pattern, which show whether one of the events is selected or belongs to the selected call.
    fn styles(&self, events: Range<usize>, kind: Kind) -> (Style, Style) {
        let range = place(self.lane, events.start)..place(self.lane, events.end);
        let is_match = |search: &Search| self.state.lanes()[self.lane].events[events.clone()].iter().any(|e| search.matches(e));
        if self.state.selected.is_some_and(|p| range.contains(&p)) {
            (theme::selected(), theme::selected())
        } else if self.has_partner_in(&range) || self.state.search.as_ref().is_some_and(is_match) {
            (theme::bar(kind).patch(theme::partner()), theme::bar_pattern(kind))
        } else {
            (theme::bar(kind), theme::bar_pattern(kind))
        }
    }

    /// A collective operation may have ten thousand partners, so they are sorted.
    fn has_partner_in(&self, range: &Range<Place>) -> bool {
        let first = self.partners.partition_point(|p| *p < range.start);
        self.partners.get(first).is_some_and(|p| range.contains(p))
    }

    /// The number of a finding where a call begins that it is about.
    fn draw_marks(&self, buffer: &mut Buffer, columns: &[Column]) {
        let state = self.state;
        let events = events_in(&state.lanes()[self.lane], &state.window);
        if events.is_empty() {
            return;
        }
        let marks = state.links.marks(place(self.lane, events.start), place(self.lane, events.end - 1));
        let findings = &state.report.findings;
        // Backwards, so that of two in one column the first finding, which is the worse, is seen.
        for mark in marks.iter().rev() {
            let start_ns = state.event(mark.place).start_ns.max(state.window.start_ns);
            let column = state.window.column_of(start_ns, self.bars.width);
            let shown = usize::try_from(column).ok().and_then(|column| columns.get(column..));
            let (aside, below) = self.beside_names(mark.place.event as usize, shown.unwrap_or_default());
            let x = i64::from(self.bars.x) + (column + aside).max(0);
            let severity = findings[mark.finding].severity;
            let digit = u32::try_from(mark.finding + 1).ok().and_then(|number| char::from_digit(number, 10));
            let symbol = digit.unwrap_or_else(|| theme::sign(severity).chars().next().unwrap_or('!'));
            put(buffer, x, i64::from(self.bars.y) + below, self.bars, symbol, theme::mark(severity));
        }
    }

    /// How far right and down the mark of a call goes from where it begins, in the first of these columns. A call too short to be
    /// drawn leaves its column to another one: there its mark must not look like the beginning of the other's name, and stands in
    /// the row below the names, or before them.
    fn beside_names(&self, event: usize, shown: &[Column]) -> (i64, i64) {
        let is_other = |column: &Column| matches!(column, Column::Call { event: drawn, .. } if *drawn != event);
        match shown {
            [first, ..] if !is_other(first) => (0, 0),
            // It begins in the last column of the call before.
            [_, Column::Call { event: drawn, .. }, ..] if *drawn == event => (1, 0),
            [_, ..] if self.bars.height > 1 => (0, 1),
            _ => (-1, 0),
        }
    }
}

/// A number of columns of the screen, which has at most 65535.
fn narrow(columns: usize) -> u16 {
    u16::try_from(columns).unwrap_or(u16::MAX)
}
