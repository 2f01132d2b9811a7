//! Lines of source, with what the calls on them do written below: the heart of a finding's text.
//!
//! Labels are gathered by line; ranks that do the same in the same call are folded into one label. [`span`](super::span) says
//! which part of a line is underlined.

use traces::Call;
use traces::symbols::{Location, Stack};

use super::span::{Span, expand};
use super::style::{Role, Style};
use super::wrap::{length, wrap};
use super::{Quote, Subject, calls, ranks};
use crate::finding::{Finding, Label, Severity};

/// As many labels are written out for one call on one line; those of further ranks become one.
const LABELS_MAX: usize = 4;

/// So many functions of a way are named, on either side of the line.
const WAY_MAX: usize = 4;

/// The places of a finding, in the order in which they are drawn.
pub(super) struct Excerpt {
    severity: Severity,
    spots: Vec<Spot>,
}

/// A line of a program.
struct Spot {
    /// `ring.c:41:5`, or what is known instead.
    title: String,
    file: String,
    line: u32,
    /// Its text; None if the source is not here.
    source: Option<String>,
    marks: Vec<Mark>,
}

/// A call on a line.
struct Mark {
    /// What is called, by its name in the source.
    name: Option<String>,
    column: Option<u32>,
    primary: bool,
    speeches: Vec<Speech>,
}

/// What some ranks do in a call.
struct Speech {
    ranks: Vec<u32>,
    thread: u32,
    text: String,
}

impl Excerpt {
    pub(super) fn new(subject: &Subject, finding: &Finding) -> Excerpt {
        let mut excerpt = Excerpt { severity: finding.severity, spots: Vec::new() };
        for label in &finding.labels {
            excerpt.add(subject, label);
        }
        // By line within a file, the files in the order of their most important labels.
        let mut files: Vec<String> = Vec::new();
        for spot in &excerpt.spots {
            if !files.contains(&spot.file) {
                files.push(spot.file.clone());
            }
        }
        excerpt.spots.sort_by_key(|spot| (files.iter().position(|file| *file == spot.file), spot.line));
        excerpt
    }

    fn add(&mut self, subject: &Subject, label: &Label) {
        let stack = subject.stack(label);
        let location = stack.as_ref().map(|stack| stack.line().clone());
        let title = location.as_ref().map_or_else(|| "(call site not recorded)".to_owned(), title);
        let (file, line) = match &location {
            Some(Location { file: Some(file), line: Some(line), .. }) => (file.clone(), *line),
            _ => (title.clone(), 0),
        };
        let at = self.spots.iter().position(|spot| spot.file == file && spot.line == line).unwrap_or_else(|| {
            let quote = location.as_ref().map_or(Quote::Absent, |location| subject.sources.quote(location));
            let newer = if quote == Quote::Newer { " (changed since the program was compiled)" } else { "" };
            let source = if let Quote::Line(text) = quote { Some(text) } else { None };
            self.spots.push(Spot { title: title + newer, file, line, source, marks: Vec::new() });
            self.spots.len() - 1
        });
        let call = subject.call(label);
        let (rank, thread) = subject.speaker(label);
        let text = match call {
            Some(call) => {
                // A text that begins with the call's own name need not say it twice.
                let text = label.text.strip_prefix(call.function.name()).unwrap_or(&label.text);
                let method = subject.method(call).map(|method| format!("{method}: ")).unwrap_or_default();
                let way = stack.map(|stack| way(subject, call, &stack)).unwrap_or_default();
                format!("{method}{} {}{way}", calls::summary(call), text.trim_start())
            }
            None => label.text.clone(),
        };
        let column = location.and_then(|location| location.column);
        let name = call.map(|call| subject.method(call).unwrap_or(call.function.name()).to_owned());
        self.spots[at].add(name, column, label.primary, rank, thread, text);
    }

    /// The columns that the line numbers take.
    pub(super) fn gutter(&self) -> usize {
        self.spots.iter().filter(|spot| spot.source.is_some()).map(|spot| spot.line.to_string().len()).max().unwrap_or(1)
    }

    pub(super) fn draw(&self, style: &Style) -> String {
        let pad = " ".repeat(self.gutter());
        let bar = style.paint(Role::Frame, "|");
        let mut out = String::new();
        let joined = |a: &Spot, b: &Spot| a.file == b.file && a.source.is_some() && b.source.is_some();
        for (at, block) in self.spots.chunk_by(joined).enumerate() {
            let arrow = style.paint(Role::Frame, if at == 0 { "-->" } else { ":::" });
            let first = block.iter().find(|spot| spot.marks.iter().any(|mark| mark.primary)).unwrap_or(&block[0]);
            out += &format!("{pad}{arrow} {}\n", first.title);
            if first.source.is_some() {
                out += &format!("{pad} {bar}\n");
            }
            let mut last = block[0].line;
            for spot in block {
                if spot.line > last + 1 {
                    out += &format!("{}\n", style.paint(Role::Frame, "..."));
                }
                last = spot.line;
                self.draw_spot(spot, style, &mut out);
            }
        }
        out
    }

    fn draw_spot(&self, spot: &Spot, style: &Style, out: &mut String) {
        let pad = " ".repeat(self.gutter());
        let margin = format!("{pad} {}", style.paint(Role::Frame, "|"));
        let width = style.rest(self.gutter() + 3);
        if let Some(source) = &spot.source {
            let number = style.paint(Role::Frame, &format!("{:>1$}", spot.line, self.gutter()));
            let bar = style.paint(Role::Frame, "|");
            *out += format!("{number} {bar} {}", cut(&expand(source), width)).trim_end();
            out.push('\n');
        }
        for mark in &spot.marks {
            let (role, sign) = if mark.primary { (self.severity.into(), "^") } else { (Role::Secondary, "-") };
            let mut texts = mark.texts();
            let mut indent = 0;
            if let Some(source) = &spot.source {
                let span = Span::find(source, mark.name.as_deref(), mark.column).within(width);
                let mut line = sign.repeat(span.length);
                if texts.len() == 1 && span.end() + 1 + length(&texts[0]) <= width {
                    line = format!("{line} {}", texts.remove(0));
                }
                *out += &format!("{margin} {}{}\n", " ".repeat(span.start), style.paint(role, &line));
                indent = span.start.min(width / 3);
            }
            for text in texts {
                for (at, line) in wrap(&text, width - indent - 4).iter().enumerate() {
                    let hang = if at == 0 { 0 } else { 4 };
                    *out += &format!("{margin} {}{}\n", " ".repeat(indent + hang), style.paint(role, line));
                }
            }
        }
    }
}

impl Spot {
    fn add(&mut self, name: Option<String>, column: Option<u32>, primary: bool, rank: Option<u32>, thread: u32, text: String) {
        let known = self.marks.iter().position(|m| (&m.name, m.column, m.primary) == (&name, column, primary));
        let at = known.unwrap_or_else(|| {
            self.marks.push(Mark { name, column, primary, speeches: Vec::new() });
            self.marks.len() - 1
        });
        let speeches = &mut self.marks[at].speeches;
        let same = |s: &&mut Speech| s.thread == thread && s.text == text && s.ranks.is_empty() == rank.is_none();
        match speeches.iter_mut().find(same) {
            Some(speech) => speech.ranks.extend(rank),
            None => speeches.push(Speech { ranks: rank.into_iter().collect(), thread, text }),
        }
    }
}

impl Mark {
    /// What is written below the call.
    fn texts(&self) -> Vec<String> {
        let shown = if self.speeches.len() > LABELS_MAX { LABELS_MAX - 1 } else { self.speeches.len() };
        let (shown, more) = self.speeches.split_at(shown);
        let mut texts: Vec<String> = shown.iter().map(Speech::line).collect();
        if !more.is_empty() {
            let others: Vec<u32> = more.iter().flat_map(|speech| speech.ranks.iter().copied()).collect();
            let name = self.name.as_deref().unwrap_or("likewise");
            texts.push(format!("{}: {name}, likewise with other arguments", ranks::list(&others)));
        }
        texts
    }
}

impl Speech {
    fn line(&self) -> String {
        let who = match (self.ranks.is_empty(), self.thread) {
            (true, _) => "a process without a rank".to_owned(),
            (false, 0) => ranks::list(&self.ranks),
            (false, thread) => format!("{}, thread {thread}", ranks::list(&self.ranks)),
        };
        format!("{who}: {}", self.text)
    }
}

/// How the program came from its line to the call, where that was through a library, and how to the line, where several ways lead there.
fn way(subject: &Subject, call: &Call, stack: &Stack) -> String {
    let list = |frames: &[Location]| frames.iter().take(WAY_MAX).map(Location::in_words).collect::<Vec<_>>().join(", ");
    let mut text = String::new();
    if !stack.libraries().is_empty() {
        text += &format!("; by way of {}", list(stack.libraries()));
    }
    let leads_there = |other: &Call| other.site == call.site && other.caller != call.caller;
    if !stack.callers().is_empty() && subject.trace.calls.iter().any(leads_there) {
        text += &format!("; called by {}", list(stack.callers()));
    }
    text
}

/// `ring.c:41:5`, or `lmp+0x1234 (no debug info)`.
fn title(location: &Location) -> String {
    match (&location.file, location.line, location.column) {
        (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}"),
        (Some(file), Some(line), None) => format!("{file}:{line}"),
        _ => match &location.function {
            Some(function) => format!("{location}, in {function}"),
            None => location.to_string(),
        },
    }
}

fn cut(line: &str, width: usize) -> String {
    if length(line) <= width {
        return line.to_owned();
    }
    let head: String = line.chars().take(width - 3).collect();
    head + "..."
}
