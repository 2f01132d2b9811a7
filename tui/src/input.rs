//! What keys and the mouse mean. It reads the state and the layout, and changes neither.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::layout::Layout;
use crate::state::{Action, Prompt, State, Step};

/// The keys that the help lists, in its order: keys, and what they do.
pub const KEYS: [(&str, &str); 20] = [
    ("← →  h l", "pan"),
    ("+ −", "zoom in, out around the selected call"),
    ("0", "zoom out to the whole trace"),
    ("z  Enter", "zoom to the selected call"),
    ("↑ ↓  k j", "same time on the rank above, below"),
    ("PgUp PgDn", "a screen of ranks up, down"),
    ("r", "go to a rank by its number"),
    ("n p  Tab", "next, previous call of the rank"),
    ("Home End", "first, last call of the rank"),
    ("g", "go to the partners of the call in turn"),
    ("f", "into the findings: ↑ ↓ choose, Esc back"),
    ("1 … 9", "go to a finding"),
    ("[ ]", "go to the finding before, after"),
    ("/", "search functions, then n p go on"),
    ("d u", "scroll the text of the call or finding"),
    ("m", "show or hide all messages"),
    ("R", "read the trace again: it may have grown"),
    ("mouse", "click selects, drag pans, wheel zooms"),
    ("?", "this help"),
    ("q  Esc", "quit; Ctrl-Z to the shell and fg back"),
];

/// How many lines a key or the wheel scrolls a text.
const READ: i64 = 3;

/// Turns events into actions; remembers where a drag has come to.
#[derive(Default)]
pub struct Input {
    dragged_from: Option<u16>,
}

impl Input {
    /// What an event means.
    pub fn action(&mut self, event: &Event, state: &State, layout: &Layout) -> Option<Action> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => key_action(*key, state),
            Event::Mouse(mouse) => self.mouse_action(*mouse, state, layout),
            _ => None,
        }
    }

    fn mouse_action(&mut self, mouse: MouseEvent, state: &State, layout: &Layout) -> Option<Action> {
        let position = Position { x: mouse.column, y: mouse.row };
        let column = layout.column_at(mouse.column);
        let in_timeline = layout.is_timeline(position);
        let shift = mouse.modifiers.contains(KeyModifiers::SHIFT);
        match mouse.kind {
            MouseEventKind::Down(_) if state.help => Some(Action::Help),
            MouseEventKind::Down(MouseButton::Left) if layout.overview.contains(position) => {
                Some(Action::Overview(share(column, layout.columns())))
            }
            MouseEventKind::Down(MouseButton::Left) if in_timeline => {
                self.dragged_from = Some(mouse.column);
                let lane = layout.lane_at(mouse.row);
                layout.bars.contains(position).then_some(Action::Click { lane, column })
            }
            MouseEventKind::Down(MouseButton::Left) => crate::view::finding_at(position, layout, state).map(Action::Finding),
            MouseEventKind::Drag(MouseButton::Left) => {
                let from = self.dragged_from.replace(mouse.column)?;
                Some(Action::Drag(i32::from(from) - i32::from(mouse.column)))
            }
            MouseEventKind::Up(_) => {
                self.dragged_from = None;
                None
            }
            MouseEventKind::ScrollUp if state.help => Some(Action::Read(-READ)),
            MouseEventKind::ScrollDown if state.help => Some(Action::Read(READ)),
            MouseEventKind::ScrollUp => wheel(Step::Previous, position, shift, column, layout),
            MouseEventKind::ScrollDown => wheel(Step::Next, position, shift, column, layout),
            MouseEventKind::ScrollLeft => Some(Action::Pan(Step::Previous)),
            MouseEventKind::ScrollRight => Some(Action::Pan(Step::Next)),
            _ => None,
        }
    }
}

/// The wheel zooms over the timeline, scrolls lanes over their names or with Shift, goes through the findings over their list,
/// and scrolls the text of the call.
fn wheel(step: Step, position: Position, shift: bool, column: u16, layout: &Layout) -> Option<Action> {
    let lanes = if step == Step::Next { 3 } else { -3 };
    if layout.names.contains(position) || layout.scrollbar.contains(position) || shift {
        Some(Action::Scroll(lanes))
    } else if layout.findings.contains(position) {
        Some(Action::Findings(step))
    } else if layout.call.contains(position) {
        Some(Action::ReadCall(if step == Step::Next { READ } else { -READ }))
    } else if !layout.is_timeline(position) {
        None
    } else if step == Step::Next {
        Some(Action::ZoomOut(Some(column)))
    } else {
        Some(Action::ZoomIn(Some(column)))
    }
}

/// The share of a width in thousandths.
fn share(column: u16, columns: u16) -> u16 {
    let thousandths = u32::from(column) * 1000 / u32::from(columns.max(1));
    u16::try_from(thousandths).unwrap_or(1000)
}

fn key_action(key: KeyEvent, state: &State) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Action::Quit),
            KeyCode::Char('z') => Some(Action::Suspend),
            _ => None,
        };
    }
    if state.prompt.is_some() {
        return prompt_action(key.code);
    }
    if state.help {
        return Some(help_action(key.code, state));
    }
    Some(match key.code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Esc => Action::Back,
        KeyCode::Char('?') | KeyCode::F(1) => Action::Help,
        KeyCode::Char('+' | '=') => Action::ZoomIn(None),
        KeyCode::Char('-' | '_') => Action::ZoomOut(None),
        KeyCode::Char('0') => Action::ZoomAll,
        KeyCode::Enter if state.in_findings => Action::Accept,
        KeyCode::Char('z') | KeyCode::Enter => Action::ZoomCall,
        KeyCode::Left | KeyCode::Char('h') => Action::Pan(Step::Previous),
        KeyCode::Right | KeyCode::Char('l') => Action::Pan(Step::Next),
        KeyCode::Up | KeyCode::Char('k') => Action::Lanes(-1),
        KeyCode::Down | KeyCode::Char('j') => Action::Lanes(1),
        KeyCode::PageUp => Action::Pages(-1),
        KeyCode::PageDown => Action::Pages(1),
        KeyCode::Home => Action::Edge(Step::Previous),
        KeyCode::End => Action::Edge(Step::Next),
        KeyCode::Tab | KeyCode::Char('n') => Action::Call(Step::Next),
        KeyCode::BackTab | KeyCode::Char('p' | 'N') => Action::Call(Step::Previous),
        KeyCode::Char('g') => Action::Partner,
        KeyCode::Char('f') => Action::Focus,
        KeyCode::Char('[') => Action::Findings(Step::Previous),
        KeyCode::Char(']') => Action::Findings(Step::Next),
        KeyCode::Char('/') => Action::Ask(Prompt::Search),
        KeyCode::Char('r') => Action::Ask(Prompt::Rank),
        KeyCode::Char('m') => Action::Messages,
        KeyCode::Char('d') => Action::Read(READ),
        KeyCode::Char('u') => Action::Read(-READ),
        KeyCode::Char('R') => Action::Reload,
        KeyCode::Char(digit @ '1'..='9') => Action::Finding(usize::from(digit as u8 - b'1')),
        _ => return None,
    })
}

/// Any key closes the help, but those that scroll it, if it has to be scrolled.
fn help_action(code: KeyCode, state: &State) -> Action {
    let page = 10;
    match code {
        KeyCode::Char('q') => Action::Quit,
        _ if state.help_text.end == 0 => Action::Help,
        KeyCode::Up | KeyCode::Char('k' | 'u') => Action::Read(-1),
        KeyCode::Down | KeyCode::Char('j' | 'd') => Action::Read(1),
        KeyCode::PageUp => Action::Read(-page),
        KeyCode::PageDown | KeyCode::Char(' ') => Action::Read(page),
        KeyCode::Home => Action::Read(i64::MIN + 1),
        KeyCode::End => Action::Read(i64::MAX),
        _ => Action::Help,
    }
}

fn prompt_action(code: KeyCode) -> Option<Action> {
    match code {
        KeyCode::Enter => Some(Action::Accept),
        KeyCode::Esc => Some(Action::Back),
        KeyCode::Backspace => Some(Action::Erase),
        KeyCode::Char(letter) => Some(Action::Type(letter)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;
    use crate::scenes;

    /// A state and the layout of a screen of it.
    fn opened() -> (State, Layout) {
        let mut state = State::new(scenes::hangs());
        let layout = Layout::of(Rect::new(0, 0, 120, 36), &state);
        state.resize(layout.rows(), layout.columns());
        (state, layout)
    }

    fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Event {
        Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
    }

    #[test]
    fn every_letter_of_the_help_does_something() {
        let (state, _) = opened();
        let letters = KEYS.iter().flat_map(|(keys, _)| keys.split_whitespace()).filter(|key| key.len() == 1);
        for letter in letters {
            let code = KeyCode::Char(letter.chars().next().unwrap());
            assert!(key_action(code.into(), &state).is_some(), "'{letter}' does nothing");
        }
    }

    #[test]
    fn the_wheel_keeps_the_time_under_the_mouse() {
        let (mut state, layout) = opened();
        let at = mouse(MouseEventKind::ScrollUp, layout.bars.x + 40, layout.bars.y);
        let before_ns = state.window.time_at(40, layout.columns());
        let action = Input::default().action(&at, &state, &layout).unwrap();
        state.update(action);
        assert!(state.window.span_ns < state.window.extent_ns);
        assert!((39..=41).contains(&state.window.column_of(before_ns, layout.columns())));
    }

    #[test]
    fn a_click_selects_what_is_drawn_there() {
        let (mut state, layout) = opened();
        let row = layout.bars.y + 3 * layout.pitch.rows();
        let click = mouse(MouseEventKind::Down(MouseButton::Left), layout.bars.right() - 1, row);
        let action = Input::default().action(&click, &state, &layout).unwrap();
        state.update(action);
        let selected = state.selected.unwrap();
        assert_eq!((selected.lane, state.event(selected).outcome), (3, None), "the barrier that never returned");
    }

    #[test]
    fn a_drag_moves_the_trace_with_the_mouse() {
        let (mut state, layout) = opened();
        let mut input = Input::default();
        state.update(Action::ZoomIn(Some(60)));
        let (x, y) = (layout.bars.x + 60, layout.bars.y);
        let held_ns = state.window.time_at(60, layout.columns());
        let events =
            [mouse(MouseEventKind::Down(MouseButton::Left), x, y), mouse(MouseEventKind::Drag(MouseButton::Left), x + 7, y)];
        for event in events {
            let action = input.action(&event, &state, &layout).unwrap();
            state.update(action);
        }
        assert!((66..=68).contains(&state.window.column_of(held_ns, layout.columns())));
    }

    #[test]
    fn a_click_on_a_finding_goes_there() {
        let (state, layout) = opened();
        let last = (layout.findings.y..layout.findings.bottom())
            .filter_map(|row| {
                let click = mouse(MouseEventKind::Down(MouseButton::Left), layout.findings.x + 5, row);
                Input::default().action(&click, &state, &layout)
            })
            .last();
        assert_eq!(last, Some(Action::Finding(2)));
    }
}
