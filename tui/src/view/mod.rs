//! The drawing of a screen: each part of it in a file of its own, which reads the state and keeps nothing.

mod arrows;
mod axis;
mod call;
mod calls;
mod findings;
mod header;
mod help;
mod keys;
mod overview;
mod plain;
mod theme;
mod timeline;
mod wrap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Widget};

pub use findings::finding_at;

use crate::Options;
use crate::layout::Layout;
use crate::state::{Scroll, State};

/// Draws a screen.
pub fn draw(buffer: &mut Buffer, layout: &Layout, state: &State, options: Options) {
    header::draw(buffer, layout, state);
    axis::draw(buffer, layout, state);
    timeline::draw(buffer, layout, state);
    arrows::draw(buffer, layout, state);
    overview::draw(buffer, layout, state);
    call::draw(buffer, layout.call, state);
    calls::draw(buffer, layout.calls, state);
    findings::draw(buffer, layout.findings, state);
    keys::draw(buffer, layout, state);
    if state.help {
        help::draw(buffer, layout.screen, state);
    }
    if options.no_colors {
        plain::without_colors(buffer);
    }
    if options.ascii_only {
        plain::in_ascii(buffer);
    }
}

/// Draws a frame with a title, and gives what is inside.
fn framed(buffer: &mut Buffer, area: Rect, title: Line<'_>, focused: bool) -> Rect {
    let block = Block::bordered().border_type(BorderType::Rounded).border_style(theme::frame(focused)).title(title);
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

/// How many lines of the call, of the chosen finding, and of the help do not fit.
pub fn hidden_lines(layout: &Layout, state: &State) -> [usize; 3] {
    let help = if state.help { help::hidden(layout.screen) } else { 0 };
    [call::hidden(layout.call, state), findings::hidden(layout.findings, state), help]
}

/// Says on the lower edge of a frame how much text is above and below what is seen, and which keys go there.
fn more(buffer: &mut Buffer, area: Rect, text: Scroll, down: &str, up: &str) {
    let mut parts = Vec::new();
    if text.top > 0 {
        parts.push(format!("▲ {} {up}", text.top));
    }
    if text.below() > 0 {
        parts.push(format!("▼ {} more {down}", text.below()));
    }
    if parts.is_empty() || area.height < 2 {
        return;
    }
    let sign = format!(" {} ", parts.join("  "));
    let width = u16::try_from(Line::raw(sign.as_str()).width()).unwrap_or(u16::MAX);
    if let Some(x) = area.right().checked_sub(width + 2).filter(|&x| x > area.x) {
        buffer.set_string(x, area.bottom() - 1, sign, theme::key());
    }
}

/// Draws lines from the top of an area, as far as there is room.
fn lines(buffer: &mut Buffer, area: Rect, lines: &[Line<'_>]) {
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        buffer.set_line(area.x, y, line, area.width);
    }
}

/// Sets one cell, if it is on the screen.
fn put(buffer: &mut Buffer, x: i64, y: i64, area: Rect, symbol: char, style: Style) {
    let (Ok(x), Ok(y)) = (u16::try_from(x), u16::try_from(y)) else { return };
    if area.contains((x, y).into()) {
        buffer[(x, y)].set_char(symbol).set_style(style);
    }
}
