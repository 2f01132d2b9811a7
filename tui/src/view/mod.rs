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
use crate::state::State;

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
        help::draw(buffer, layout.screen);
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
