//! The terminal: borrowed in raw mode with its other screen and the mouse, and given back as it was, whatever happens.

use std::io::{self, IsTerminal, Stdout, stdout};
use std::time::Duration;
use std::{panic, thread};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, DisableMouseCapture, EnableMouseCapture, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

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
        give_back_at_signals()?;
        let borrowed = Borrowed { terminal: Terminal::new(CrosstermBackend::new(stdout()))? };
        take()?;
        Ok(borrowed)
    }

    /// Gives the terminal back, stops the whole job as Ctrl-Z does elsewhere, and takes it again when the job goes on.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // Where no shell waits for the job the kernel does not stop it, and this goes on at once.
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        take()?;
        self.terminal.clear()
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableMouseCapture)
}

/// A thread that waits for the signals that end a process, so that they give the terminal back first.
fn give_back_at_signals() -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            give_back();
            // It ends the process as if nobody had waited for it.
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(())
}

/// Clears the other screen before it leaves it: terminals that were made larger meanwhile may keep a part of it.
///
/// Each step is tried even if one before it failed: there is nobody left to tell.
fn give_back() {
    let _ = execute!(stdout(), DisableMouseCapture, Clear(ClearType::All), LeaveAlternateScreen, Show);
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
