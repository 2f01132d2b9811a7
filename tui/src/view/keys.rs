//! The last lines: what the colours and patterns mean, and the keys, or the text that is being asked for.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::theme;
use crate::layout::Layout;
use crate::state::{Prompt, State};
use crate::text::plural;

/// The keys that are shown where there is room for all; `f` says how many findings there are.
const HINTS: [(&str, &str); 9] = [
    ("? ", "help"),
    ("←→ ", "pan"),
    ("+− ", "zoom"),
    ("↑↓ ", "rank"),
    ("n p ", "call"),
    ("g ", "partner"),
    ("f ", "findings"),
    ("/ ", "search"),
    ("q ", "quit"),
];

/// The same from what is left out last to what is left out first, as places in the list.
const NEEDED: [usize; 9] = [0, 8, 6, 2, 1, 4, 7, 3, 5];

/// Draws the legend and the line below it.
pub fn draw(buffer: &mut Buffer, layout: &Layout, state: &State) {
    if !layout.legend.is_empty() {
        buffer.set_line(layout.legend.x, layout.legend.y, &legend(state, layout.legend.width), layout.legend.width);
    }
    if !layout.keys.is_empty() {
        buffer.set_line(layout.keys.x, layout.keys.y, &bottom(state, layout.keys.width), layout.keys.width);
    }
}

/// The kinds with their patterns; where there is no room for that, with their letters alone; the last ones give way to a hint.
fn legend(state: &State, width: u16) -> Line<'static> {
    let width = usize::from(width);
    let choices = [entries(state, true), entries(state, false)];
    if let Some(spans) = choices.iter().find(|spans| width_of(spans) <= width) {
        return Line::from(spans.clone());
    }
    let [_, mut spans] = choices;
    while width_of(&spans) + 3 > width && !spans.is_empty() {
        spans.truncate(spans.len() - spans.len().min(2));
    }
    spans.push(Span::styled(" …?", theme::key()));
    Line::from(spans)
}

/// Two spans for each entry of the legend: its sign and its name.
fn entries(state: &State, patterns: bool) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for &kind in &state.index.present {
        let (sign, gap) = if patterns {
            (format!(" {}{}", kind.letter(), theme::pattern(kind)), "  ")
        } else {
            (format!(" {}", kind.letter()), "")
        };
        spans.push(Span::styled(sign, theme::bar(kind)));
        spans.push(Span::styled(format!(" {}{gap}", kind.name()), theme::quiet()));
    }
    if state.index.hung_lanes > 0 {
        spans.push(Span::styled(if patterns { "╱╱╱" } else { " ╱" }, theme::never()));
        spans.push(Span::styled(format!(" {}", state.without_return()), theme::quiet()));
    }
    spans
}

fn width_of(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// The hints that there is room for.
fn hints(state: &State, width: u16) -> Vec<Span<'static>> {
    let findings = state.report.findings.len();
    let worst = state.report.findings.iter().map(|f| f.severity).min();
    let hint = |&(key, text): &(&'static str, &'static str)| {
        let (text, style) = match worst {
            Some(worst) if text == "findings" => (plural(findings as u64, "finding"), theme::severity(worst)),
            _ => (text.to_owned(), theme::quiet()),
        };
        [Span::styled(key, theme::key()), Span::styled(text, style)]
    };
    let wanted = |at: &usize| !(HINTS[*at].1 == "findings" && findings == 0);
    let needed: Vec<usize> = NEEDED.into_iter().filter(wanted).collect();
    let hints: Vec<[Span<'_>; 2]> = HINTS.iter().map(hint).collect();
    let total = |count: usize, gap: usize| needed[..count].iter().map(|&at| width_of(&hints[at]) + gap).sum::<usize>();
    let choices = (1..=needed.len()).rev().flat_map(|count| [(count, 3), (count, 2)]);
    let fits = |&(count, gap): &(usize, usize)| 1 + total(count, gap) - gap <= usize::from(width);
    let Some((count, gap)) = choices.into_iter().find(fits) else { return Vec::new() };
    let mut spans = Vec::new();
    for (_, hint) in hints.into_iter().enumerate().filter(|(at, _)| needed[..count].contains(at)) {
        spans.extend(hint);
        spans.push(Span::raw(" ".repeat(gap)));
    }
    spans
}

fn bottom(state: &State, width: u16) -> Line<'_> {
    if let Some((prompt, text)) = &state.prompt {
        let question = match prompt {
            Prompt::Search => " search functions: ",
            Prompt::Rank => " go to rank: ",
        };
        return Line::from(vec![
            Span::styled(question, theme::key()),
            Span::raw(text.as_str()),
            Span::styled("█", theme::quiet()),
            Span::styled("   Enter go   Esc cancel", theme::quiet()),
        ]);
    }
    if let Some(notice) = &state.notice {
        return Line::styled(format!(" {notice}"), theme::strong());
    }
    let mut spans = vec![Span::raw(" ")];
    let mut hint = |key: &'static str, text: String| {
        spans.push(Span::styled(key, theme::key()));
        spans.push(Span::styled(format!(" {text}   "), theme::quiet()));
    };
    if state.in_findings {
        hint("↑↓", "finding".to_owned());
        hint("d u", "scroll it".to_owned());
        hint("Enter", "to the timeline, there".to_owned());
    } else if let Some(search) = &state.search {
        hint("n p", format!("next, previous '{}'", search.text));
        hint("Esc", "end of search".to_owned());
    } else {
        spans.extend(hints(state, width));
    }
    Line::from(spans)
}
