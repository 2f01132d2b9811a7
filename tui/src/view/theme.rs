//! Colours and patterns. Colours are of the 256 that every terminal has, the kinds' close to Okabe and Ito's, which the
//! colour-blind tell apart; each kind has a pattern and a letter besides.
//!
//! Views draw as if there were colours and Unicode; [`plain`](super::plain) takes away what is not wanted.

use ratatui::style::{Color, Modifier, Style};
use sim::Severity;

use crate::state::Kind;

const BLACK: Color = Color::Indexed(16);
const WHITE: Color = Color::Indexed(231);
const RED: Color = Color::Indexed(160);
const YELLOW: Color = Color::Indexed(220);
const BLUE: Color = Color::Indexed(33);
const GREY: Color = Color::Indexed(244);
/// Between the background and grey: for lines that must not be in the way.
const FAINT: Color = Color::Indexed(240);

/// The colour of a kind, and a darker one of the same hue for its pattern.
fn colors(kind: Kind) -> (Color, Color) {
    let (light, dark) = match kind {
        Kind::Send => (36, 23),
        Kind::Receive => (74, 25),
        Kind::Exchange => (80, 30),
        Kind::Wait => (214, 130),
        Kind::Collective => (175, 96),
        Kind::OneSided => (186, 100),
        Kind::File => (137, 58),
        Kind::Other => (247, 240),
    };
    (Color::Indexed(light), Color::Indexed(dark))
}

/// The pattern that fills the bars of a kind.
pub fn pattern(kind: Kind) -> char {
    match kind {
        Kind::Send => '›',
        Kind::Receive => '‹',
        Kind::Exchange => '×',
        Kind::Wait => '·',
        Kind::Collective => '═',
        Kind::OneSided => '°',
        Kind::File => '≡',
        Kind::Other => ' ',
    }
}

/// The pattern of a call that never returned.
pub const NEVER_RETURNED: char = '╱';

/// The name of a call in its bar.
pub fn bar(kind: Kind) -> Style {
    Style::new().bg(colors(kind).0).fg(BLACK)
}

/// The pattern of a bar.
pub fn bar_pattern(kind: Kind) -> Style {
    Style::new().bg(colors(kind).0).fg(colors(kind).1)
}

/// A mountain line of many short calls.
pub fn skyline(kind: Kind) -> Style {
    Style::new().fg(colors(kind).0)
}

/// The bar of the selected call: the terminal's own colours, swapped, so that it stands out on a dark and on a light one.
pub fn selected() -> Style {
    Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED)
}

/// What is added to the name of a call that belongs to the selected one.
pub fn partner() -> Style {
    Style::new().fg(BLACK).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
}

/// The arrow of the selected call.
pub fn arrow() -> Style {
    Style::new().fg(YELLOW).add_modifier(Modifier::BOLD)
}

/// The messages that are not the selected call's: to be seen, but behind everything else.
pub fn message() -> Style {
    Style::new().fg(Color::Indexed(246))
}

/// Lines that must not be in the way: computing, the ruler.
pub fn faint() -> Style {
    Style::new().fg(FAINT)
}

/// Text that explains other text.
pub fn quiet() -> Style {
    Style::new().fg(GREY)
}

/// Text that matters.
pub fn strong() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

/// A title in a frame, and the pointer on the axis: as bright as text, whatever is around it.
pub fn title() -> Style {
    Style::new().fg(Color::Reset).add_modifier(Modifier::BOLD)
}

/// A key that can be pressed.
pub fn key() -> Style {
    Style::new().fg(BLUE).add_modifier(Modifier::BOLD)
}

/// The header.
pub fn header() -> Style {
    Style::new().bg(Color::Indexed(237)).fg(Color::Indexed(252))
}

/// The name of the file in the header.
pub fn header_title() -> Style {
    header().fg(WHITE).add_modifier(Modifier::BOLD)
}

/// That something is in order.
pub fn good() -> Style {
    Style::new().fg(colors(Kind::Send).0)
}

/// The frame of a panel.
pub fn frame(focused: bool) -> Style {
    if focused { Style::new().fg(BLUE).add_modifier(Modifier::BOLD) } else { faint() }
}

/// A warning that trace data is missing.
pub fn damage() -> Style {
    Style::new().bg(YELLOW).fg(BLACK).add_modifier(Modifier::BOLD)
}

/// That a call never returned.
pub fn never() -> Style {
    Style::new().fg(Color::Indexed(203)).add_modifier(Modifier::BOLD)
}

/// The sign of a severity.
pub fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "✗",
        Severity::Warning => "▲",
        Severity::Note => "•",
    }
}

/// The text of a severity.
pub fn severity(severity: Severity) -> Style {
    let color = match severity {
        Severity::Error => Color::Indexed(203),
        Severity::Warning => Color::Indexed(214),
        Severity::Note => BLUE,
    };
    Style::new().fg(color).add_modifier(Modifier::BOLD)
}

/// The mark of a finding in the timeline.
pub fn mark(severity: Severity) -> Style {
    let (bg, fg) = match severity {
        Severity::Error => (RED, WHITE),
        Severity::Warning => (YELLOW, BLACK),
        Severity::Note => (BLUE, WHITE),
    };
    Style::new().bg(bg).fg(fg).add_modifier(Modifier::BOLD).remove_modifier(Modifier::REVERSED)
}
