//! The time axis: round times above a ruler, and where the selected call begins.

use ratatui::buffer::Buffer;

use super::{put, theme};
use crate::layout::Layout;
use crate::state::{State, Window};
use crate::text::{duration, moment};

/// How wide the break at the end of the ruler is, where a hang is folded.
const BREAK: u16 = 2;

/// Draws the axis.
pub fn draw(buffer: &mut Buffer, layout: &Layout, state: &State) {
    let area = layout.axis;
    if area.height < 2 || area.width == 0 {
        return;
    }
    let (labels_y, ruler_y) = (area.y, area.y + 1);
    buffer.set_stringn(layout.names.x, labels_y, "  rank", layout.names.width.into(), theme::quiet());
    for x in area.x..area.right() {
        buffer[(x, ruler_y)].set_char('─').set_style(theme::faint());
    }
    let window = &state.window;
    let step_ns = step_ns(window, area.width);
    let mut free_x = area.x;
    let end_x = area.right().saturating_sub(draw_fold(buffer, layout, state));
    let mut time_ns = window.start_ns.next_multiple_of(step_ns);
    while time_ns < window.end_ns() {
        let column = window.column_of(time_ns, area.width);
        let x = i64::from(area.x) + column;
        put(buffer, x, ruler_y.into(), area, '┬', theme::quiet());
        let label = label(window, time_ns, step_ns);
        let width = u16::try_from(label.chars().count()).unwrap_or(u16::MAX);
        if let Some(x) = u16::try_from(x).ok().filter(|&x| x >= free_x && x.saturating_add(width) <= end_x) {
            buffer.set_string(x, labels_y, &label, theme::quiet());
            free_x = x + width + 1;
        }
        time_ns = time_ns.saturating_add(step_ns);
    }
    if end_x < area.right() {
        // The ruler breaks off, too.
        for x in area.right().saturating_sub(BREAK).max(area.x)..area.right() {
            buffer[(x, ruler_y)].set_char('╱').set_style(theme::never());
        }
    }
    if let Some(place) = state.selected {
        let column = window.column_of(state.event(place).start_ns, area.width);
        put(buffer, i64::from(area.x).saturating_add(column), ruler_y.into(), area, '▼', theme::title());
    }
}

/// Says at the end of the axis how much of a hang is not drawn there. Gives how much room that takes.
fn draw_fold(buffer: &mut Buffer, layout: &Layout, state: &State) -> u16 {
    let (area, folded_ns) = (layout.axis, state.index.folded_ns);
    if folded_ns == 0 || state.window.end_ns() < state.window.extent_ns {
        return 0;
    }
    let text = format!("╱╱ {} folded", duration(folded_ns));
    let width = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
    if width > area.width {
        return BREAK;
    }
    buffer.set_string(area.right() - width, area.y, text, theme::never());
    width + 1
}

fn label(window: &Window, time_ns: u64, step_ns: u64) -> String {
    if time_ns == 0 { "0".to_owned() } else { moment(time_ns, window.end_ns(), step_ns) }
}

/// The shortest step of 1, 2 or 5 times a power of ten that leaves room for the labels.
fn step_ns(window: &Window, columns: u16) -> u64 {
    let fits = |step_ns: u64| {
        let width = label(window, window.end_ns(), step_ns).chars().count() as u128 + 4;
        u128::from(step_ns) * u128::from(columns) >= u128::from(window.span_ns) * width
    };
    let steps = (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10u64.pow(power)));
    steps.into_iter().find(|&step| fits(step)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_leave_room() {
        let window = Window { start_ns: 0, span_ns: 1_000_000, extent_ns: 1_000_000 };
        assert_eq!(step_ns(&window, 100), 100_000);
        assert_eq!(step_ns(&window, 10), 1_000_000);
        let deep = Window { start_ns: 3_600_000_000_000, span_ns: 1000, extent_ns: u64::MAX };
        assert_eq!(label(&deep, deep.start_ns + 200, step_ns(&deep, 120)), "3600.0000002 s");
    }
}
