//! The calls of the selected rank before and after the selected one, as a list: what led here, in the words of the program.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::wrap::cut;
use super::{framed, lines, theme};
use crate::state::{State, place};
use crate::text::duration;

/// Draws the panel.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State) {
    let Some(selected) = state.selected.filter(|_| !area.is_empty()) else { return };
    let lane = selected.lane as usize;
    let title = Line::from(vec![
        Span::styled(" Calls ", theme::title()),
        Span::styled(format!("of rank {} ", state.lane_name(lane)), theme::quiet()),
    ]);
    let inner = framed(buffer, area, title, false);
    let events = state.lanes()[lane].events.len();
    let (height, chosen) = (usize::from(inner.height), selected.event as usize);
    let first = chosen.saturating_sub(height / 2).min(events.saturating_sub(height));
    let rows = (first..events).take(height).map(|event| row(state, lane, event, event == chosen, inner.width));
    lines(buffer, inner, &rows.collect::<Vec<_>>());
}

fn row(state: &State, lane: usize, event: usize, is_chosen: bool, width: u16) -> Line<'static> {
    /// How wide durations are.
    const DURATION: u16 = 9;
    let place = place(lane, event);
    let (event, kind) = (state.event(place), state.kind(place));
    let call = state.trace.call(event.call);
    let (time, time_style) = match event.outcome {
        Some(_) => (duration(event.duration_ns), theme::quiet()),
        None => (if state.running { "not yet" } else { "never" }.to_owned(), theme::never()),
    };
    let at = state.location(call).unwrap_or_default();
    let room = width.saturating_sub(DURATION + 8);
    let text = cut(&format!("{} {at}", call.function), room);
    let (pointer, style) = if is_chosen { ("▶", theme::strong()) } else { (" ", Style::new()) };
    Line::from(vec![
        Span::raw(pointer),
        Span::styled(format!(" {} ", kind.letter()), theme::bar(kind)),
        Span::styled(format!(" {text:<room$}", room = room.into()), style),
        Span::styled(format!(" {time:>DURATION$}", DURATION = DURATION.into()), time_style),
    ])
}
