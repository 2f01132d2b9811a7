//! A screen of the viewer as an SVG picture, for documents: the same cells that a terminal would show, as vectors.
//!
//! Lines, blocks and dots are drawn as shapes, because fonts do not agree on them; the rest is text.

mod keys;
mod shapes;

pub use keys::{BadKey, Keys};

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::event::Event;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::input::Input;
use crate::layout::Layout;
use crate::state::State;
use crate::{Options, Recording};

/// The width of a cell in the units of the picture.
const CELL_WIDTH: f64 = 8.4;
/// The height of a cell.
const CELL_HEIGHT: f64 = 17.0;
/// The space around the screen.
const MARGIN: f64 = 12.0;
/// The background of the terminal.
const BACKGROUND: &str = "#15171c";
/// The colour of text that has none.
const FOREGROUND: &str = "#d8dade";

/// What to picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The columns of the screen.
    pub width: u16,
    /// The rows of the screen.
    pub height: u16,
    /// Keys to press before.
    pub keys: Keys,
}

/// Shows a recording on a screen that is not there, presses the keys, and gives a picture of what is seen.
///
/// # Errors
///
/// If a key means nothing where it is pressed.
pub fn picture(recording: Recording, options: Options, picture: &Picture) -> Result<String, BadKey> {
    Ok(svg(&pressed(recording, options, picture)?))
}

/// The same as text, a line for each row.
///
/// # Errors
///
/// If a key means nothing where it is pressed.
pub fn screen(recording: Recording, options: Options, picture: &Picture) -> Result<String, BadKey> {
    let buffer = pressed(recording, options, picture)?;
    let row = |row: Rect| row.positions().map(|position| buffer[position].symbol()).collect::<String>();
    Ok(buffer.area.rows().map(|r| row(r).trim_end().to_owned() + "\n").collect())
}

/// The screen after the keys.
fn pressed(recording: Recording, options: Options, picture: &Picture) -> Result<Buffer, BadKey> {
    let area = Rect::new(0, 0, picture.width.clamp(1, 1000), picture.height.clamp(1, 1000));
    let mut state = State::new(recording);
    let mut buffer = Buffer::empty(area);
    let mut input = Input::default();
    crate::draw(&mut buffer, &mut state, options);
    for &key in &picture.keys.0 {
        let layout = Layout::of(area, &state);
        let action = input.action(&Event::Key(key.into()), &state, &layout);
        state.update(action.ok_or_else(|| BadKey::Idle(keys::name(key)))?);
        buffer.reset();
        crate::draw(&mut buffer, &mut state, options);
    }
    Ok(buffer)
}

fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) =
        (f64::from(area.width) * CELL_WIDTH + 2.0 * MARGIN, f64::from(area.height) * CELL_HEIGHT + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
         <style>text{{font:13.5px ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}}\
         .b{{font-weight:bold}}.u{{text-decoration:underline}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n\
         <g transform=\"translate({MARGIN} {MARGIN})\">\n"
    );
    for y in area.rows().map(|row| row.y) {
        backgrounds(&mut out, buffer, y);
        symbols(&mut out, buffer, y);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// A rectangle for each run of cells with the same background.
fn backgrounds(out: &mut String, buffer: &Buffer, y: u16) {
    let of = |x: u16| colors(&buffer[(x, y)]).1;
    for (first, last) in runs(buffer.area.width, |a, b| of(a) == of(b)) {
        if let Some(color) = of(first) {
            let (x, width) = (f64::from(first) * CELL_WIDTH, f64::from(last - first) * CELL_WIDTH);
            let top = f64::from(y) * CELL_HEIGHT;
            write_line(
                out,
                format_args!(
                    "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{CELL_HEIGHT}\" fill=\"{color}\" \
                     shape-rendering=\"crispEdges\"/>"
                ),
            );
        }
    }
}

/// Shapes cell by cell, and a text for each run of cells of the same style without a gap.
fn symbols(out: &mut String, buffer: &Buffer, y: u16) {
    let cell = |x: u16| &buffer[(x, y)];
    let is_text = |x: u16| cell(x).symbol() != " " && !shapes::is_shape(cell(x).symbol());
    let same = |a: u16, b: u16| is_text(a) && is_text(b) && cell(a).style() == cell(b).style();
    for (first, last) in runs(buffer.area.width, same) {
        let (x, top) = (f64::from(first) * CELL_WIDTH, f64::from(y) * CELL_HEIGHT);
        let color = colors(cell(first)).0;
        if let Some(shape) = shapes::shape(cell(first).symbol(), x, top, &color) {
            write_line(out, format_args!("{shape}"));
        } else if is_text(first) {
            let text: String = (first..last).map(|x| escaped(cell(x).symbol())).collect();
            let width = f64::from(last - first) * CELL_WIDTH;
            let class = class(cell(first).modifier);
            let baseline = top + CELL_HEIGHT * 0.75;
            write_line(
                out,
                format_args!(
                    "<text x=\"{x:.1}\" y=\"{baseline:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
                     fill=\"{color}\"{class}>{text}</text>"
                ),
            );
        }
    }
}

fn write_line(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("writing to a string succeeds");
}

/// The first cell of each run of cells that are the same, and the cell after its last.
fn runs(width: u16, same: impl Fn(u16, u16) -> bool) -> Vec<(u16, u16)> {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for x in 0..width {
        match runs.last_mut() {
            Some((first, last)) if same(*first, x) => *last = x + 1,
            _ => runs.push((x, x + 1)),
        }
    }
    runs
}

fn class(modifier: Modifier) -> &'static str {
    match (modifier.contains(Modifier::BOLD), modifier.contains(Modifier::UNDERLINED)) {
        (true, true) => " class=\"b u\"",
        (true, false) => " class=\"b\"",
        (false, true) => " class=\"u\"",
        (false, false) => "",
    }
}

fn escaped(symbol: &str) -> String {
    symbol.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The colours of a cell: its text's, and its background's if it has one.
fn colors(cell: &Cell) -> (String, Option<String>) {
    let (fg, bg) = (hex(cell.fg), hex(cell.bg));
    if cell.modifier.contains(Modifier::REVERSED) {
        return (bg.unwrap_or_else(|| BACKGROUND.to_owned()), Some(fg.unwrap_or_else(|| FOREGROUND.to_owned())));
    }
    (fg.unwrap_or_else(|| FOREGROUND.to_owned()), bg)
}

/// A colour of the 256; None is the terminal's own.
fn hex(color: Color) -> Option<String> {
    let Color::Indexed(number) = color else { return None };
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    let (red, green, blue) = match number {
        0..16 => return None,
        16..232 => {
            let cube = number - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        232.. => {
            let grey = 8 + 10 * (number - 232);
            (grey, grey, grey)
        }
    };
    Some(format!("#{red:02x}{green:02x}{blue:02x}"))
}
