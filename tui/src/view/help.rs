//! The help: every key, and how to read the timeline.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::{framed, lines, theme};
use crate::input::KEYS;
use crate::state::Kind;

/// How wide the keys and the signs are, each with a gap after it.
const KEY_WIDTH: usize = 12;
const SIGN_WIDTH: usize = 7;

/// Draws the help over the screen.
pub fn draw(buffer: &mut Buffer, screen: Rect) {
    let keys: Vec<Line<'_>> = KEYS.iter().map(|(key, text)| fact(Span::styled(*key, theme::key()), text, KEY_WIDTH)).collect();
    let reading = reading();
    let wide = screen.width >= 106;
    let height = if wide { keys.len().max(reading.len()) } else { keys.len() + 1 + reading.len() };
    let width = if wide { 104 } else { 58 };
    let area = centred(screen, width, u16::try_from(height).unwrap_or(u16::MAX) + 2);
    Clear.render(area, buffer);
    let title = Line::from(vec![Span::styled(" Help ", theme::title()), Span::styled("any key closes it ", theme::quiet())]);
    let inner = framed(buffer, area, title, true);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    if wide {
        let [left, right] = ratatui::layout::Layout::horizontal([54, 48]).areas(inner);
        lines(buffer, left, &keys);
        lines(buffer, right, &reading);
    } else {
        let all: Vec<Line<'_>> = keys.into_iter().chain([Line::raw("")]).chain(reading).collect();
        lines(buffer, inner, &all);
    }
}

fn reading() -> Vec<Line<'static>> {
    let mut rows: Vec<Line<'static>> = Kind::ALL
        .into_iter()
        .map(|kind| {
            let pattern = theme::pattern(kind);
            let bar = Span::styled(format!("{}{pattern}{pattern}{pattern}", kind.letter()), theme::bar(kind));
            fact(bar, kind.name(), SIGN_WIDTH)
        })
        .collect();
    let more = [
        (Span::styled("╱╱╱╱", theme::never()), "a call that never returned"),
        (Span::styled("▂▆█▃", theme::quiet()), "the time that many short calls take"),
        (Span::styled("────", theme::faint()), "the program computes"),
        (Span::styled("1", theme::mark(sim::Severity::Error)), "finding 1 is about this call"),
        (Span::styled("⠑⢄ ▼", theme::arrow()), "a message of the selected call"),
        (Span::styled("name", theme::selected()), "the selected call"),
        (Span::styled("name", theme::bar(Kind::Send).patch(theme::partner())), "belongs to it, or matches the search"),
    ];
    rows.extend(more.into_iter().map(|(sign, text)| fact(sign, text, SIGN_WIDTH)));
    rows
}

fn fact(sign: Span<'static>, text: &str, width: usize) -> Line<'static> {
    let gap = " ".repeat(width.saturating_sub(sign.width()));
    Line::from(vec![sign, Span::raw(gap), Span::raw(text.to_owned())])
}

/// An area of this size in the middle of another, as far as it fits.
fn centred(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 2, width, height }
}
