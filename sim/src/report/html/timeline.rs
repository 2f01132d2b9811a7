//! What the ranks of a finding did around it: a row a thread, a bar a call, a line a message.

use std::fmt::Write as _;

use traces::Event;

use super::markup::escaped;
use crate::finding::{Finding, Message, Place};
use crate::report::numbers::duration;
use crate::report::{Subject, calls};

/// Rows, bars of a row, and messages that are drawn at most.
const ROWS_MAX: usize = 16;
const BARS_MAX: usize = 300;
const MESSAGES_MAX: usize = 200;
/// Pixels.
const WIDTH: f64 = 1000.0;
const LEFT: f64 = 120.0;
const ROW: f64 = 26.0;
const BAR: f64 = 14.0;
const TOP: f64 = 20.0;

/// The part of the run that is drawn.
struct Window<'a> {
    subject: &'a Subject<'a>,
    /// The lanes, one a row.
    lanes: Vec<u32>,
    from_ns: u64,
    to_ns: u64,
}

/// The picture, if the finding has calls with a time.
pub(super) fn draw(subject: &Subject, finding: &Finding) -> Option<String> {
    let window = Window::around(subject, finding)?;
    let height = TOP + window.lanes.len() as f64 * ROW + 20.0;
    let mut out = format!("<svg width=\"{WIDTH}\" height=\"{height:.0}\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\">\n");
    for row in 0..window.lanes.len() {
        window.draw_row(row, finding, &mut out);
    }
    let inside = subject.report.messages.iter().filter_map(|message| window.line_of(message));
    for (x1, y1, x2, y2) in inside.take(MESSAGES_MAX) {
        let _ = writeln!(out, "<line class=\"message\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
    }
    let bottom = height - 4.0;
    for (x, anchor, time) in [(LEFT, "start", window.from_ns), (WIDTH, "end", window.to_ns)] {
        let time = duration(time);
        let _ = writeln!(out, "<text class=\"faint\" x=\"{x}\" y=\"{bottom:.0}\" text-anchor=\"{anchor}\">{time}</text>");
    }
    out += "</svg>\n";
    Some(out)
}

impl<'a> Window<'a> {
    /// From a little before the first call of a finding to a little after its last.
    fn around(subject: &'a Subject, finding: &Finding) -> Option<Window<'a>> {
        let places = finding.labels.iter().map(|label| label.place).chain(finding.waits.iter().map(|wait| wait.place));
        let mut lanes: Vec<u32> = Vec::new();
        let (mut from, mut to) = (u64::MAX, 0);
        for place in places {
            let Some(event) = subject.event_at(place) else { continue };
            if !lanes.contains(&place.lane) && lanes.len() < ROWS_MAX {
                lanes.push(place.lane);
            }
            (from, to) = (from.min(event.start_ns), to.max(event.start_ns + event.duration_ns));
        }
        lanes.sort_unstable();
        let margin = (to.checked_sub(from)? / 5).max(1000);
        (!lanes.is_empty()).then(|| Window { subject, lanes, from_ns: from.saturating_sub(margin), to_ns: to + margin })
    }

    fn x(&self, ns: u64) -> f64 {
        let part = (ns.clamp(self.from_ns, self.to_ns) - self.from_ns) as f64 / (self.to_ns - self.from_ns) as f64;
        LEFT + part * (WIDTH - LEFT)
    }

    fn shows(&self, event: &Event) -> bool {
        event.start_ns <= self.to_ns && event.start_ns + event.duration_ns >= self.from_ns
    }

    fn draw_row(&self, row: usize, finding: &Finding, out: &mut String) {
        let number = self.lanes[row];
        let Some(lane) = self.subject.trace.lanes.get(number as usize) else { return };
        let middle = TOP + row as f64 * ROW + ROW / 2.0;
        let name = lane.rank.map_or_else(|| "no rank".to_owned(), |rank| format!("rank {rank}"));
        let name = if lane.thread == 0 { name } else { format!("{name}, thread {}", lane.thread) };
        let _ = writeln!(out, "<text x=\"0\" y=\"{:.1}\">{name}</text>", middle + 4.0);
        let _ = writeln!(out, "<line class=\"lane\" x1=\"{LEFT}\" y1=\"{middle:.1}\" x2=\"{WIDTH}\" y2=\"{middle:.1}\"/>");
        let first = lane.events.partition_point(|event| event.start_ns + event.duration_ns < self.from_ns);
        let shown = lane.events[first..].iter().take_while(|event| self.shows(event)).take(BARS_MAX);
        for (event, at) in shown.zip(first..) {
            let place = Place { lane: number, event: u32::try_from(at).unwrap_or(u32::MAX) };
            let label = finding.labels.iter().find(|label| label.place == place);
            let class = match label.map(|label| label.primary) {
                Some(true) => "primary",
                Some(false) => "marked",
                None => "call",
            };
            let (left, right) = (self.x(event.start_ns), self.x(event.start_ns + event.duration_ns));
            let title = escaped(&calls::summary(self.subject.trace.call(event.call)));
            let time = duration(event.duration_ns);
            let returned = if event.outcome.is_some() { "" } else { ", did not return" };
            let (top, width) = (middle - BAR / 2.0, (right - left).max(1.5));
            let _ = writeln!(
                out,
                "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{BAR}\"><title>{title}, {time}{returned}</title></rect>"
            );
        }
    }

    /// From the call that sent to the end of the call that received, if both are drawn.
    fn line_of(&self, message: &Message) -> Option<(f64, f64, f64, f64)> {
        let row = |place: Place| self.lanes.iter().position(|&lane| lane == place.lane);
        let (from, to) = (row(message.send)?, row(message.received)?);
        let (send, received) = (self.subject.event_at(message.send)?, self.subject.event_at(message.received)?);
        let y = |row: usize| TOP + row as f64 * ROW + ROW / 2.0;
        let is_shown = self.shows(send) && self.shows(received);
        is_shown.then(|| (self.x(send.start_ns), y(from), self.x(received.start_ns + received.duration_ns), y(to)))
    }
}
