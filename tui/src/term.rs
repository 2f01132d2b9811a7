//! The terminal: borrowed in raw mode with its other screen and the mouse, and given back as it was, whatever happens.

use std::io::{self, IsTerminal, Stdout, stdout};
use std::time::Duration;
use std::{panic, thread};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, DisableMouseCapture, EnableMouseCapture, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

/// The terminal while it is ours. Dropping it gives it back.
pub struct Borrowed {
    /// Where to draw.
    pub terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Borrowed {
    /// Borrows the terminal; a panic on this thread gives it back before it prints its message.
    pub fn new() -> io::Result<Borrowed> {
        if !stdout().is_terminal() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the viewer needs a terminal, and standard output is none"));
        }
        let owner = thread::current().id();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == owner {
                give_back();
            }
            before(info);
        }));
        let borrowed = Borrowed { terminal: Terminal::new(CrosstermBackend::new(stdout()))? };
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableMouseCapture)?;
        Ok(borrowed)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        give_back();
    }
}

/// Each step is tried even if one before it failed: there is nobody left to tell.
fn give_back() {
    let _ = execute!(stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// Waits for something to happen, and takes with it what has happened meanwhile: a drag makes events faster than screens are drawn.
pub fn wait() -> io::Result<Vec<Event>> {
    const AT_ONCE_MAX: usize = 256;
    let mut events = vec![event::read()?];
    while events.len() < AT_ONCE_MAX && event::poll(Duration::ZERO)? {
        events.push(event::read()?);
    }
    Ok(events)
}
