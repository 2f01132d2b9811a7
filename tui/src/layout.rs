//! Where everything stands on the screen: what drawing and the mouse must agree on.
//!
//! It depends on the size of the screen and on what there is to show, never on where the user looks.

use ratatui::layout::{Position, Rect};

use crate::state::State;

/// How tall the lanes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pitch {
    /// The rows of a bar.
    pub bar: u16,
    /// The rows between two bars, where arrows find room.
    pub gap: u16,
}

impl Pitch {
    /// From the airiest to the densest. Room for the lines of messages comes before tall bars.
    const CHOICE: [Pitch; 4] =
        [Pitch { bar: 2, gap: 2 }, Pitch { bar: 1, gap: 2 }, Pitch { bar: 1, gap: 1 }, Pitch { bar: 1, gap: 0 }];

    /// The rows from one lane to the next.
    pub fn rows(self) -> u16 {
        self.bar + self.gap
    }
}

/// The parts of the screen. Those that find no room have no area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// All of it.
    pub screen: Rect,
    /// The file, its size, and how much is wrong.
    pub header: Rect,
    /// What is missing of the trace.
    pub warning: Rect,
    /// The time axis: its labels, and its ruler below them.
    pub axis: Rect,
    /// The names of the lanes.
    pub names: Rect,
    /// The bars of the lanes.
    pub bars: Rect,
    /// Where the lanes on the screen are among all.
    pub scrollbar: Rect,
    /// Where the time on the screen is in the whole trace.
    pub overview: Rect,
    /// The selected call.
    pub call: Rect,
    /// The calls around the selected one.
    pub calls: Rect,
    /// The findings.
    pub findings: Rect,
    /// The kinds of call.
    pub legend: Rect,
    /// The most important keys, a prompt, or a notice.
    pub keys: Rect,
    /// How tall the lanes are.
    pub pitch: Pitch,
}

/// How wide a screen must be for two panels side by side, and for three.
const TWO_PANELS_MIN: u16 = 90;
const THREE_PANELS_MIN: u16 = 150;

impl Layout {
    /// Lays out a screen.
    pub fn of(screen: Rect, state: &State) -> Layout {
        let mut rest = Rows(screen);
        let header = rest.take_top(1);
        let warning = rest.take_top(u16::from(state.warning().is_some() && screen.height > 8));
        let keys = rest.take_bottom(u16::from(screen.height > 5));
        let legend = rest.take_bottom(u16::from(screen.height > 16));
        let axis = rest.take_top(2);
        let overview = rest.0.height.min(u16::from(screen.height > 12));

        let lanes = u16::try_from(state.lanes().len().max(1)).unwrap_or(u16::MAX);
        let wanted = match screen.height {
            0..14 => 0,
            14..20 => 6,
            20..30 => 8,
            30..44 => 12,
            _ => screen.height / 3,
        };
        let room = rest.0.height.saturating_sub(overview + wanted);
        // The gap below the last lane is not needed.
        let fits = |pitch: &Pitch| lanes.checked_mul(pitch.rows()).is_some_and(|rows| rows - pitch.gap <= room);
        let pitch = Pitch::CHOICE.into_iter().find(fits).unwrap_or(Pitch { bar: 1, gap: 0 });
        let timeline = rest.take_top(room.min(lanes.saturating_mul(pitch.rows())));
        let overview = rest.take_top(overview);
        let panels = if wanted == 0 { Rect { height: 0, ..rest.0 } } else { rest.0 };

        let name_width = state.name_width().min(screen.width / 3);
        let names = Rect { width: name_width, ..timeline };
        let bars_x = screen.x + name_width;
        let bars_width = screen.width.saturating_sub(name_width + 1);
        let beside_names = |row: Rect| Rect { x: bars_x, width: bars_width, ..row };
        let [call, calls, findings] = split_panels(panels, state);
        Layout {
            screen,
            header,
            warning,
            axis: beside_names(axis),
            names,
            bars: beside_names(timeline),
            scrollbar: Rect { x: bars_x + bars_width, width: u16::from(screen.width > name_width), ..timeline },
            overview: beside_names(overview),
            call,
            calls,
            findings,
            legend,
            keys,
            pitch,
        }
    }

    /// How many lanes there is room for.
    pub fn rows(&self) -> usize {
        // The gap below the last lane may be cut off.
        usize::from((self.bars.height + self.pitch.gap) / self.pitch.rows())
    }

    /// How many columns the timeline has.
    pub fn columns(&self) -> u16 {
        self.bars.width
    }

    /// The first row of a lane, counted from the first lane on the screen; far outside of it for lanes that are not on it.
    pub fn lane_y(&self, lane: i64) -> i64 {
        i64::from(self.bars.y) + lane.saturating_mul(i64::from(self.pitch.rows()))
    }

    /// The lane in a row of the screen, counted from the first lane on the screen.
    pub fn lane_at(&self, y: u16) -> usize {
        usize::from(y.saturating_sub(self.bars.y) / self.pitch.rows())
    }

    /// The column of the timeline at a column of the screen.
    pub fn column_at(&self, x: u16) -> u16 {
        x.saturating_sub(self.bars.x).min(self.bars.width.saturating_sub(1))
    }

    /// Whether a position lies in the bars or the axis above them.
    pub fn is_timeline(&self, position: Position) -> bool {
        self.bars.contains(position) || self.axis.contains(position)
    }
}

/// The call, the calls around it, and the findings from left to right: those that there is room for. The calls give way to the
/// findings, if there are any; where there is room for one only, the findings are seen while keys go to them.
fn split_panels(panels: Rect, state: &State) -> [Rect; 3] {
    let none = Rect { width: 0, ..panels };
    let part = |from: u16, to: u16| {
        let at = |part: u16| panels.x + u16::try_from(u32::from(panels.width) * u32::from(part) / 12).unwrap_or(panels.width);
        Rect { x: at(from), width: at(to) - at(from), ..panels }
    };
    match (panels.width, state.report.findings.is_empty()) {
        (..TWO_PANELS_MIN, _) if state.in_findings => [none, none, panels],
        (..TWO_PANELS_MIN, _) => [panels, none, none],
        (_, true) => [part(0, 7), part(7, 12), none],
        (..THREE_PANELS_MIN, false) => [part(0, 6), none, part(6, 12)],
        (_, false) => [part(0, 4), part(4, 7), part(7, 12)],
    }
}

/// What is left of the screen while it is given away row by row.
struct Rows(Rect);

impl Rows {
    fn take_top(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.0.height);
        let taken = Rect { height: rows, ..self.0 };
        self.0 = Rect { y: self.0.y + rows, height: self.0.height - rows, ..self.0 };
        taken
    }

    fn take_bottom(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.0.height);
        self.0.height -= rows;
        Rect { y: self.0.y + self.0.height, height: rows, ..self.0 }
    }
}
