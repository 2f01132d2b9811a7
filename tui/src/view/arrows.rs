//! The messages: a line from the lane that sent to the lane that received, in dots as fine as Braille has them.
//!
//! Those of the selected call are bright and cross the lanes between; the others keep to the gaps. A partner beyond the edge of
//! the screen is named there.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Modifier, Style};
use sim::{Message, Place};

use super::{put, theme};
use crate::layout::Layout;
use crate::state::{Part, State};

mod dots;

use dots::{Dots, Point};

/// More arrows than this at a time are no help to anybody.
const ARROWS_MAX: usize = 32;

/// In gaps of fewer rows all lines between neighbours are the same level one.
const GAP_MIN: u16 = 2;

/// Draws the messages.
pub fn draw(buffer: &mut Buffer, layout: &Layout, state: &State) {
    if layout.bars.is_empty() {
        return;
    }
    match all_messages(layout, state) {
        Ok(numbers) => draw_all(buffer, layout, state, &numbers),
        Err(reason) => say_why_not(buffer, layout, reason),
    }
    let partners = state.partners();
    let messages = partners.iter().filter_map(|partner| match partner.part {
        Part::Receiver(message) | Part::Sender(message) => Some((message, partner.place)),
        Part::Member => None,
    });
    for (message, partner) in messages.take(ARROWS_MAX) {
        let line = Line::of(layout, state, &message);
        draw_bright(buffer, layout, &line, theme::arrow(), true);
        name_beyond_edge(buffer, layout, state, partner, &line);
    }
    if layout.pitch.gap >= GAP_MIN {
        draw_finding(buffer, layout, state);
    }
}

/// Ties the selected call to the other calls of the finding that was gone to.
fn draw_finding(buffer: &mut Buffer, layout: &Layout, state: &State) {
    let (Some(number), Some(selected)) = (state.finding, state.selected) else { return };
    let Some(finding) = state.report.findings.get(number) else { return };
    if !finding.labels.iter().any(|label| label.place == selected) {
        return;
    }
    let end = |place: Place| (place, state.event(place).start_ns);
    for other in finding.labels.iter().map(|l| l.place).filter(|&p| state.exists(p)).take(ARROWS_MAX) {
        let line = Line::between(layout, state, end(selected), end(other));
        draw_bright(buffer, layout, &line, theme::severity(finding.severity), false);
    }
}

/// The messages to draw, unless they would be a grey wall, or else why they are not drawn; that is empty if there are none.
fn all_messages(layout: &Layout, state: &State) -> Result<Vec<u32>, &'static str> {
    let limit = usize::from(layout.bars.width) * state.rows / 6;
    let found = state.messages_on_screen(limit);
    match found {
        Some(numbers) if numbers.is_empty() => Err(""),
        _ if !state.all_messages => Err("messages hidden: m shows them"),
        _ if layout.pitch.gap < GAP_MIN => Err("messages of the selected call only"),
        Some(numbers) => Ok(numbers),
        None => Err("too many messages to draw: zoom in"),
    }
}

/// Says at the left of the ruler, always there, why messages are missing.
fn say_why_not(buffer: &mut Buffer, layout: &Layout, reason: &str) {
    let area = layout.axis;
    let width = u16::try_from(reason.chars().count()).unwrap_or(u16::MAX);
    if width > 0 && area.height > 1 && width + 4 <= area.width {
        buffer.set_string(area.x + 1, area.y + 1, format!(" {reason} "), theme::quiet());
    }
}

fn draw_all(buffer: &mut Buffer, layout: &Layout, state: &State, numbers: &[u32]) {
    let mut dots = Dots::new(layout.bars);
    let mut heads = Vec::new();
    for &number in numbers {
        let line = Line::of(layout, state, &state.report.messages[number as usize]);
        if !line.is_level {
            dots.line(line.from, line.to);
            heads.push(line);
        }
    }
    let is_gap = |_: u16, y: u16| (y - layout.bars.y) % layout.pitch.rows() >= layout.pitch.bar;
    dots.draw(buffer, theme::message(), |buffer, x, y| is_gap(x, y) && buffer[(x, y)].symbol() == " ");
    for line in heads {
        line.draw_head(buffer, layout, theme::message());
    }
}

/// A line from the selected call. It goes behind the names of the calls that it crosses.
fn draw_bright(buffer: &mut Buffer, layout: &Layout, line: &Line, style: Style, head: bool) {
    if line.is_level {
        return;
    }
    let mut dots = Dots::new(layout.bars);
    dots.line(line.from, line.to);
    let is_name = |cell: &Cell| cell.symbol().chars().all(char::is_alphanumeric);
    let is_selected = |cell: &Cell| cell.modifier.contains(Modifier::REVERSED);
    dots.draw(buffer, style, |buffer, x, y| !is_name(&buffer[(x, y)]) && !is_selected(&buffer[(x, y)]));
    if head {
        line.draw_head(buffer, layout, style);
    }
}

/// A message on the screen: from below or above the sender's bar to above or below the receiver's.
struct Line {
    from: Point,
    to: Point,
    /// Whether it stays in one lane, so that there is nothing to draw.
    is_level: bool,
    down: bool,
}

impl Line {
    /// From where a message was sent to where it had been received.
    fn of(layout: &Layout, state: &State, message: &Message) -> Line {
        let sent_ns = state.event(message.send).start_ns;
        let received_ns = state.shown_end_ns(message.received).saturating_sub(1);
        Line::between(layout, state, (message.send, sent_ns), (message.received, received_ns))
    }

    fn between(layout: &Layout, state: &State, from: (Place, u64), to: (Place, u64)) -> Line {
        let row = |place: Place| i64::from(place.lane) - i64::try_from(state.top).unwrap_or(i64::MAX);
        let x = |time_ns: u64| state.window.column_of(time_ns, layout.bars.width).clamp(-1_000_000, 1_000_000);
        let (sender, receiver) = (row(from.0), row(to.0));
        let down = receiver > sender;
        let bar = i64::from(layout.pitch.bar);
        // Without gaps the line begins and ends inside the bars.
        let reach = if layout.pitch.gap > 0 { 0 } else { 1 };
        let below = |lane: i64| layout.lane_y(lane) + bar - reach;
        let above = |lane: i64| layout.lane_y(lane) - 1 + reach;
        let (from_y, to_y) = if down { (below(sender), above(receiver)) } else { (above(sender), below(receiver)) };
        let left = i64::from(layout.bars.x);
        Line {
            from: Point { x: left + x(from.1), y: from_y },
            to: Point { x: left + x(to.1), y: to_y },
            is_level: sender == receiver,
            down,
        }
    }

    fn draw_head(&self, buffer: &mut Buffer, layout: &Layout, style: Style) {
        let head = if self.down { '▼' } else { '▲' };
        put(buffer, self.to.x, self.to.y, layout.bars, head, style);
    }
}

/// Says which rank the arrow goes to or comes from where that is not on the screen.
fn name_beyond_edge(buffer: &mut Buffer, layout: &Layout, state: &State, partner: Place, line: &Line) {
    let lane = partner.lane as usize;
    let bars = layout.bars;
    let visible = state.visible_lanes();
    let column = state.window.column_of(state.event(partner).start_ns, bars.width);
    let in_time = state.shown_end_ns(partner) > state.window.start_ns && column < i64::from(bars.width);
    if visible.contains(&lane) && in_time {
        return;
    }
    let name = state.lane_name(lane);
    let (text, y) = match (lane < visible.start, lane >= visible.end) {
        (true, _) => (format!(" ▲ rank {name}: g "), i64::from(bars.y)),
        (_, true) => (format!(" ▼ rank {name}: g "), i64::from(bars.bottom()) - 1),
        _ if column < 0 => (format!(" ◀ rank {name}: g "), layout.lane_y((lane - visible.start) as i64)),
        _ => (format!(" rank {name}: g ▶ "), layout.lane_y((lane - visible.start) as i64)),
    };
    let width = text.chars().count() as i64;
    let left = i64::from(bars.x);
    let near = line.to.x.min(line.from.x).max(left);
    let wanted = if column < 0 { left } else { near + 2 };
    let x = wanted.min(i64::from(bars.right()) - width).max(left);
    for (offset, symbol) in (0..).zip(text.chars()) {
        put(buffer, x + offset, y, bars, symbol, theme::mark(sim::Severity::Warning));
    }
}
