//! A picture of the wait-for graph: its nodes on a circle, an arrow from who waits to whom it waits for.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use super::markup::escaped;
use crate::finding::Finding;
use crate::report::graph::{Edge, Graph, Node};
use crate::report::{Subject, ranks};

/// The width of a node and of a letter in it, in pixels.
const NODE_MIN: f64 = 90.0;
const LETTER: f64 = 6.6;
const LINE: f64 = 16.0;

/// A box with its middle.
struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// The head of an arrow, which all pictures of a page share.
pub(super) const ARROW_HEAD: &str = "<svg width=\"0\" height=\"0\"><defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" \
    refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto-start-reverse\"><path class=\"head\" d=\"M0 0L10 5L0 10z\"/>\
    </marker></defs></svg>\n";

/// The picture, if somebody waits.
pub(super) fn draw(subject: &Subject, finding: &Finding) -> Option<String> {
    let graph = Graph::of(subject, finding);
    let texts: Vec<Vec<String>> = graph.nodes.iter().map(lines).collect();
    let widest = texts.iter().flatten().map(|line| line.chars().count()).max()?;
    let width = (widest as f64 * LETTER + 16.0).max(NODE_MIN);
    let tallest = texts.iter().map(Vec::len).max()? as f64 * LINE + 10.0;
    let mut places = on_circle(graph.nodes.len(), width, tallest);
    let left = places.iter().map(|place| place.x).fold(f64::INFINITY, f64::min) - width / 2.0 - 4.0;
    places.iter_mut().for_each(|place| place.x -= left);
    let right = places.iter().map(|place| place.x + width / 2.0).fold(0.0, f64::max) + 40.0;
    let bottom = places.iter().map(|place| place.y + tallest / 2.0).fold(0.0, f64::max) + 30.0;
    let mut out =
        format!("<svg width=\"{right:.0}\" height=\"{bottom:.0}\" viewBox=\"0 0 {right:.0} {bottom:.0}\" role=\"img\">\n");
    for edge in &graph.edges {
        draw_edge(edge, &places, &mut out);
    }
    for ((node, place), lines) in graph.nodes.iter().zip(&places).zip(&texts) {
        draw_node(node, place, lines, &mut out);
    }
    out += "</svg>\n";
    Some(out)
}

fn lines(node: &Node) -> Vec<String> {
    std::iter::once(ranks::list(&node.ranks)).chain(node.lines.iter().cloned()).collect()
}

/// Boxes of this size on a circle on which they do not touch, the first one at its top.
fn on_circle(number: usize, width: f64, height: f64) -> Vec<Place> {
    let around = number as f64;
    let (across, down) = if number < 2 { (0.0, 0.0) } else { (radius(width + 50.0, around), radius(height + 40.0, around)) };
    let middle = |radius: f64, size: f64| radius + size / 2.0 + 30.0;
    let place = |at: usize| {
        let angle = TAU * at as f64 / around - TAU / 4.0;
        let x = middle(across, width) + across * angle.cos();
        Place { x, y: middle(down, height) + down * angle.sin(), width, height }
    };
    (0..number).map(place).collect()
}

/// The radius of a circle on which so many things of this size have room.
fn radius(size: f64, number: f64) -> f64 {
    (size * number / TAU).max(size * 0.6)
}

fn draw_node(node: &Node, place: &Place, lines: &[String], out: &mut String) {
    let gone = if node.waits { "" } else { " gone" };
    let (left, top) = (place.x - place.width / 2.0, place.y - place.height / 2.0);
    let (width, height) = (place.width, place.height);
    let _ = writeln!(
        out,
        "<rect class=\"node{gone}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"6\"/>"
    );
    let first = place.y - (lines.len() as f64 - 1.0) * LINE / 2.0 + 4.0;
    for (at, line) in lines.iter().enumerate() {
        let class = if at == 0 { "" } else { " class=\"faint\"" };
        let y = first + at as f64 * LINE;
        let _ = writeln!(out, "<text{class} x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>", place.x, escaped(line));
    }
}

fn draw_edge(edge: &Edge, places: &[Place], out: &mut String) {
    let (from, to) = (&places[edge.from], &places[edge.to]);
    let any = if edge.any { " any" } else { "" };
    if edge.from == edge.to {
        // A loop at the right side of the box.
        let (x, y) = (from.x + from.width / 2.0, from.y);
        let (above, below, out_to) = (y - 12.0, y + 12.0, x + 34.0);
        let _ = writeln!(
            out,
            "<path class=\"edge{any}\" marker-end=\"url(#head)\" d=\"M{x:.1} {above:.1}C{out_to:.1} {above:.1} {out_to:.1} {below:.1} {x:.1} {below:.1}\"/>"
        );
        return;
    }
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy).max(1.0);
    // Two that wait for each other have two arrows side by side.
    let (side_x, side_y) = (-dy / length * 7.0, dx / length * 7.0);
    let (x1, y1) = border(from, dx, dy);
    let (x2, y2) = border(to, -dx, -dy);
    let _ = writeln!(
        out,
        "<path class=\"edge{any}\" marker-end=\"url(#head)\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
        x1 + side_x,
        y1 + side_y,
        x2 + side_x,
        y2 + side_y
    );
}

/// Where a line from the middle of a box in this direction leaves it.
fn border(place: &Place, dx: f64, dy: f64) -> (f64, f64) {
    let across = if dx == 0.0 { f64::INFINITY } else { place.width / 2.0 / dx.abs() };
    let down = if dy == 0.0 { f64::INFINITY } else { place.height / 2.0 / dy.abs() };
    let part = across.min(down);
    (place.x + dx * part, place.y + dy * part)
}
