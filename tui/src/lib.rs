//! The full-screen viewer: the timelines of the ranks, the messages between them, and what the checker found.
//!
//! `state` knows what is looked at and never draws; `view` draws and owns nothing; `input` turns keys and mouse into actions;
//! `term` borrows the terminal and gives it back. Traces are read and checked elsewhere: both come in whole.

#![forbid(unsafe_code)]

// The scenes of the integration tests name this crate as they see it.
#[cfg(test)]
extern crate self as tui;

mod input;
mod layout;
mod picture;
#[cfg(test)]
#[path = "../tests/scenes/mod.rs"]
mod scenes;
mod state;
mod term;
mod text;
mod view;

use std::io;

use ratatui::buffer::Buffer;
use sim::Report;
use traces::{Frame, Trace};

use input::Input;
use layout::Layout;
use state::{Request, State};

pub use picture::{BadKey, Keys, Picture, picture, screen};

/// What is looked at.
pub struct Recording {
    /// What to call it: the name of its file.
    pub title: String,
    /// The calls.
    pub trace: Trace,
    /// What the checker said of them: messages, collective operations, findings.
    pub report: Report,
    /// Whether the run goes on, so that there is more to read later.
    pub running: bool,
    /// Says where a call was made, where that can be had.
    pub locate: Locate,
}

/// Says where a call was made, from its site and the callers of that.
pub type Locate = Box<dyn Fn(Frame) -> Option<Located>>;

/// Where a call was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// The line that is shown: `ring.c:41`.
    pub line: String,
    /// The functions that led there, the innermost first, each with its line: more than one, or none.
    pub stack: Vec<String>,
}

/// How to draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Draw with ASCII characters only.
    pub ascii_only: bool,
    /// Draw without colours: kinds are told apart by letters and patterns, which are there in any case.
    pub no_colors: bool,
}

/// Shows a recording on this terminal until the user quits. `reload` reads it again, or says why that cannot be done.
///
/// # Errors
///
/// Where the terminal cannot be read, written or switched to raw mode. It is given back as it was in every case.
pub fn run(recording: Recording, mut reload: impl FnMut() -> Result<Recording, String>, options: Options) -> io::Result<()> {
    let mut state = State::new(recording);
    let mut input = Input::default();
    let mut borrowed = term::Borrowed::new()?;
    while !state.done {
        let area = borrowed.terminal.draw(|frame| draw(frame.buffer_mut(), &mut state, options))?.area;
        let layout = Layout::of(area, &state);
        for event in term::wait()? {
            if let Some(action) = input.action(&event, &state, &layout) {
                state.update(action);
            }
        }
        match state.request.take() {
            Some(Request::Suspend) => borrowed.suspend()?,
            Some(Request::Reload) => match reload() {
                Ok(recording) => state.reload(recording),
                Err(reason) => state.notice = Some(format!("cannot be read again: {reason}")),
            },
            None => {}
        }
    }
    Ok(())
}

/// Draws a screen, after telling the state how much room there is.
fn draw(buffer: &mut Buffer, state: &mut State, options: Options) {
    let layout = Layout::of(buffer.area, state);
    state.resize(layout.rows(), layout.columns());
    let [call, finding, help] = view::hidden_lines(&layout, state);
    state.call_text.limit(call);
    state.finding_text.limit(finding);
    state.help_text.limit(help);
    view::draw(buffer, &layout, state, options);
}
