//! Lines, blocks and dots as vectors, so that they meet from cell to cell whatever the font.

use std::fmt::Write as _;

use super::{CELL_HEIGHT as H, CELL_WIDTH as W};

/// Whether a symbol is drawn as a shape.
pub fn is_shape(symbol: &str) -> bool {
    let is = |c: char| matches!(c, '▁'..='█' | '▏' | '\u{2800}'..='\u{28ff}' | '╱') || path(c).is_some();
    symbol.chars().next().is_some_and(is)
}

/// The shape of a symbol in the cell at `x`, `y`.
pub fn shape(symbol: &str, x: f64, y: f64, color: &str) -> Option<String> {
    let symbol = symbol.chars().next()?;
    match symbol {
        '▁'..='█' => {
            let height = H * f64::from(u32::from(symbol) - u32::from('▁') + 1) / 8.0;
            Some(rect(x, y + H - height, W, height, color))
        }
        '▏' => Some(rect(x, y, 1.0, H, color)),
        '╱' => Some(stroke(x, y, &format!("M0 {H}L{W} 0"), color, 1.0)),
        '\u{2800}'..='\u{28ff}' => Some(dots(symbol, x, y, color)),
        _ => path(symbol).map(|(path, width)| stroke(x, y, &path, color, width)),
    }
}

/// The path of a line within a cell, and how thick it is.
fn path(symbol: char) -> Option<(String, f64)> {
    let (w, h) = (W / 2.0, H / 2.0);
    let path = match symbol {
        '─' => (format!("M0 {h}H{W}"), 1.2),
        '━' => (format!("M0 {h}H{W}"), 2.6),
        '│' => (format!("M{w} 0V{H}"), 1.2),
        '┃' => (format!("M{w} 0V{H}"), 2.6),
        '┬' => (format!("M0 {h}H{W}M{w} {h}V{H}"), 1.2),
        '═' => (format!("M0 {}H{W}M0 {}H{W}", h - 1.5, h + 1.5), 1.0),
        '╭' => (format!("M{W} {h}Q{w} {h} {w} {H}"), 1.2),
        '╮' => (format!("M0 {h}Q{w} {h} {w} {H}"), 1.2),
        '╰' => (format!("M{W} {h}Q{w} {h} {w} 0"), 1.2),
        '╯' => (format!("M0 {h}Q{w} {h} {w} 0"), 1.2),
        '▼' => (format!("M{w} {}L1 5H{}Z", H - 3.0, W - 1.0), 1.2),
        '▲' => (format!("M{w} 3L1 {}H{}Z", H - 5.0, W - 1.0), 1.2),
        _ => return None,
    };
    Some(path)
}

fn rect(x: f64, y: f64, width: f64, height: f64, color: &str) -> String {
    format!(
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{color}\" \
         shape-rendering=\"crispEdges\"/>"
    )
}

fn stroke(x: f64, y: f64, path: &str, color: &str, width: f64) -> String {
    let fill = if path.ends_with('Z') { color } else { "none" };
    format!(
        "<path transform=\"translate({x:.1} {y:.1})\" d=\"{path}\" stroke=\"{color}\" stroke-width=\"{width}\" fill=\"{fill}\"/>"
    )
}

/// Where each bit of a Braille letter has its dot: column and row.
const DOTS: [(f64, f64); 8] = [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (0.0, 3.0), (1.0, 3.0)];

fn dots(letter: char, x: f64, y: f64, color: &str) -> String {
    let bits = u32::from(letter) - 0x2800;
    let mut out = format!("<g fill=\"{color}\">");
    for (_, (column, row)) in (0..).zip(DOTS).filter(|(bit, _)| bits >> bit & 1 == 1) {
        let (cx, cy) = (x + W * (0.25 + 0.5 * column), y + H * (0.125 + 0.25 * row));
        write!(out, "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"1.3\"/>").expect("writing to a string succeeds");
    }
    out + "</g>"
}
