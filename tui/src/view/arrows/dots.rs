//! Lines of dots: each cell of the screen holds two by four of them, as Braille letters do.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A cell of the screen, or one beyond its edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The column.
    pub x: i64,
    /// The row.
    pub y: i64,
}

/// The first Braille letter, without a dot.
const EMPTY: u32 = 0x2800;
/// The bit of each dot of a letter, by row and column.
const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The dots of some lines within an area.
pub struct Dots {
    area: Rect,
    cells: BTreeMap<(u16, u16), u32>,
}

impl Dots {
    /// No dots yet.
    pub fn new(area: Rect) -> Dots {
        Dots { area, cells: BTreeMap::new() }
    }

    /// Adds a line from the middle of a cell to that of another; what lies outside of the area is left out.
    pub fn line(&mut self, from: Point, to: Point) {
        #[expect(clippy::cast_precision_loss, reason = "columns and rows of a screen and somewhat beyond")]
        let fine = |p: Point| (p.x as f64 * 2.0 + 0.5, p.y as f64 * 4.0 + 1.5);
        let Some((start, end)) = clip(fine(from), fine(to), self.area) else { return };
        let (dx, dy) = (end.0 - start.0, end.1 - start.1);
        let steps = dx.abs().max(dy.abs()).ceil().max(1.0);
        let mut step = 0.0;
        while step <= steps {
            self.dot(start.0 + dx * step / steps, start.1 + dy * step / steps);
            step += 1.0;
        }
    }

    fn dot(&mut self, x: f64, y: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "clipped to the area, which is on the screen")]
        let (x, y) = (x.round() as i64, y.round() as i64);
        let cell = (u16::try_from(x.div_euclid(2)), u16::try_from(y.div_euclid(4)));
        let (Ok(column), Ok(row)) = cell else { return };
        if self.area.contains((column, row).into()) {
            let bit = BITS[usize::from(y.rem_euclid(4) as u8)][usize::from(x.rem_euclid(2) as u8)];
            *self.cells.entry((column, row)).or_insert(0) |= bit;
        }
    }

    /// Draws the dots into the cells that are free, and leaves their background.
    pub fn draw(&self, buffer: &mut Buffer, style: Style, is_free: impl Fn(&Buffer, u16, u16) -> bool) {
        for (&(x, y), &bits) in &self.cells {
            if is_free(buffer, x, y) {
                let letter = char::from_u32(EMPTY + bits).unwrap_or('.');
                buffer[(x, y)].set_char(letter).set_style(style);
            }
        }
    }
}

/// The part of a line within an area (Liang and Barsky's way), in dots.
fn clip(from: (f64, f64), to: (f64, f64), area: Rect) -> Option<((f64, f64), (f64, f64))> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (left, right) = (f64::from(area.left()) * 2.0, f64::from(area.right()) * 2.0 - 1.0);
    let (top, bottom) = (f64::from(area.top()) * 4.0, f64::from(area.bottom()) * 4.0 - 1.0);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (step, room) in [(-dx, from.0 - left), (dx, right - from.0), (-dy, from.1 - top), (dy, bottom - from.1)] {
        if step == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if step < 0.0 {
            enter = enter.max(room / step);
        } else {
            leave = leave.min(room / step);
        }
    }
    let at = |share: f64| (from.0 + dx * share, from.1 + dy * share);
    (enter <= leave).then(|| (at(enter), at(leave)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(from: Point, to: Point) -> Vec<String> {
        let area = Rect::new(0, 0, 6, 3);
        let mut buffer = Buffer::empty(area);
        let mut dots = Dots::new(area);
        dots.line(from, to);
        dots.draw(&mut buffer, Style::new(), |_, _, _| true);
        (0..3).map(|y| (0..6).map(|x| buffer[(x, y)].symbol()).collect()).collect()
    }

    #[test]
    fn lines_go_from_middle_to_middle() {
        assert_eq!(drawn(Point { x: 1, y: 0 }, Point { x: 1, y: 2 }), [" ⢠    ", " ⢸    ", " ⠸    "]);
    }

    #[test]
    fn what_is_beyond_the_edge_is_left_out() {
        let inside = drawn(Point { x: 2, y: -1_000_000 }, Point { x: 2, y: 1_000_000 });
        assert_eq!(inside, ["  ⢸   "; 3]);
        assert_eq!(drawn(Point { x: -5, y: 0 }, Point { x: -1, y: 2 }), ["      "; 3]);
    }
}
