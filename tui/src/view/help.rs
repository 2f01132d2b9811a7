//! The help: every key, and how to read the timeline.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::wrap::wrap;
use super::{framed, lines, more, theme};
use crate::input::KEYS;
use crate::state::{Kind, State};

/// How wide the keys and the signs are, each with a gap after it.
const KEY_WIDTH: usize = 12;
const SIGN_WIDTH: usize = 7;

/// Draws the help over the screen.
pub fn draw(buffer: &mut Buffer, screen: Rect, state: &State) {
    let area = area(screen);
    Clear.render(area, buffer);
    let scrolls = state.help_text.end > 0;
    let closes = if scrolls { "↑ ↓ scroll, any other key closes it " } else { "any key closes it " };
    let title = Line::from(vec![Span::styled(" Help ", theme::title()), Span::styled(closes, theme::quiet())]);
    let inner = framed(buffer, area, title, true);
    more(buffer, area, state.help_text, "↓", "↑");
    for (column, text) in columns(Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }) {
        lines(buffer, column, text.get(state.help_text.top..).unwrap_or_default());
    }
}

/// How many lines do not fit.
pub fn hidden(screen: Rect) -> usize {
    let area = area(screen);
    height(area.width).saturating_sub(area.height.saturating_sub(2).into())
}

/// How wide it is where there is room for two columns, and how wide with one.
const TWO_COLUMNS: u16 = 104;
const ONE_COLUMN: u16 = 58;

fn area(screen: Rect) -> Rect {
    let width = if screen.width > TWO_COLUMNS { TWO_COLUMNS } else { ONE_COLUMN.min(screen.width) };
    centred(screen, width, u16::try_from(height(width)).unwrap_or(u16::MAX).saturating_add(2))
}

/// How many lines the longest column has in a frame of this width.
fn height(width: u16) -> usize {
    let columns = columns(Rect { width: width.saturating_sub(4), ..Rect::default() });
    columns.iter().map(|(_, text)| text.len()).max().unwrap_or(0)
}

/// The keys, and how to read the timeline: side by side, or one below the other.
fn columns(inner: Rect) -> Vec<(Rect, Vec<Line<'static>>)> {
    if inner.width + 4 >= TWO_COLUMNS {
        let [left, right] = ratatui::layout::Layout::horizontal([54, 48]).areas(inner);
        return vec![(left, keys(left.width)), (right, reading(right.width))];
    }
    let all = keys(inner.width).into_iter().chain([Line::raw("")]).chain(reading(inner.width));
    vec![(inner, all.collect())]
}

fn keys(width: u16) -> Vec<Line<'static>> {
    KEYS.iter().flat_map(|(key, text)| fact(Span::styled(*key, theme::key()), text, KEY_WIDTH, width)).collect()
}

fn reading(width: u16) -> Vec<Line<'static>> {
    let kinds = Kind::ALL.into_iter().map(|kind| {
        let pattern = theme::pattern(kind);
        (Span::styled(format!("{}{pattern}{pattern}{pattern}", kind.letter()), theme::bar(kind)), kind.name())
    });
    let more = [
        (Span::styled("╱╱╱╱", theme::never()), "a call that never returned"),
        (Span::styled("╱╱ 9 s", theme::never()), "and so much longer, which is folded"),
        (Span::styled("▂▆█▃", theme::quiet()), "the time that many short calls take"),
        (Span::styled("────", theme::faint()), "the program computes"),
        (Span::styled("1", theme::mark(sim::Severity::Error)), "finding 1 is about this call"),
        (Span::styled("⠑⢄ ▼", theme::arrow()), "a message of the selected call"),
        (Span::styled("name", theme::selected()), "the selected call"),
        (Span::styled("name", theme::bar(Kind::Send).patch(theme::partner())), "belongs to it, or matches the search"),
    ];
    kinds.chain(more).flat_map(|(sign, text)| fact(sign, text, SIGN_WIDTH, width)).collect()
}

/// A sign, and on its right what it means.
fn fact(sign: Span<'static>, text: &str, sign_width: usize, width: u16) -> Vec<Line<'static>> {
    let room = width.saturating_sub(u16::try_from(sign_width).unwrap_or(u16::MAX));
    let gap = " ".repeat(sign_width.saturating_sub(sign.width()));
    let mut lead = vec![sign, Span::raw(gap)];
    let line = |text| {
        let lead = std::mem::replace(&mut lead, vec![Span::raw(" ".repeat(sign_width))]);
        Line::from_iter(lead.into_iter().chain([Span::raw(text)]))
    };
    wrap(text, room).into_iter().map(line).collect()
}

/// An area of this size in the middle of another, as far as it fits.
fn centred(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 2, width, height }
}
