//! The last lines: what the colours and patterns mean, and the keys, or the text that is being asked for.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::theme;
use crate::layout::Layout;
use crate::state::{Prompt, State};

/// The keys that are always shown, the most important first.
const HINTS: [(&str, &str); 9] = [
    ("?", "help"),
    ("← →", "pan"),
    ("+ −", "zoom"),
    ("↑ ↓", "rank"),
    ("n p", "call"),
    ("g", "partner"),
    ("f", "findings"),
    ("/", "search"),
    ("q", "quit"),
];

/// Draws the legend and the line below it.
pub fn draw(buffer: &mut Buffer, layout: &Layout, state: &State) {
    if !layout.legend.is_empty() {
        buffer.set_line(layout.legend.x, layout.legend.y, &legend(state), layout.legend.width);
    }
    if !layout.keys.is_empty() {
        buffer.set_line(layout.keys.x, layout.keys.y, &bottom(state), layout.keys.width);
    }
}

fn legend(state: &State) -> Line<'static> {
    let mut spans = Vec::new();
    for &kind in &state.index.present {
        let pattern = theme::pattern(kind);
        spans.push(Span::styled(format!(" {}", kind.letter()), theme::bar(kind)));
        spans.push(Span::styled(format!("{pattern}{pattern}"), theme::bar_pattern(kind)));
        spans.push(Span::styled(format!(" {}  ", kind.name()), theme::quiet()));
    }
    if state.index.hung_lanes > 0 {
        spans.push(Span::styled("╱╱╱", theme::never()));
        spans.push(Span::styled(" never returned", theme::quiet()));
    }
    Line::from(spans)
}

fn bottom(state: &State) -> Line<'_> {
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
        hint("↑ ↓", "finding".to_owned());
        hint("Enter", "back to the timeline, there".to_owned());
    } else if let Some(search) = &state.search {
        hint("n p", format!("next, previous '{}'", search.text));
        hint("Esc", "end of search".to_owned());
    } else {
        HINTS.iter().for_each(|(key, text)| hint(key, (*text).to_owned()));
    }
    Line::from(spans)
}
