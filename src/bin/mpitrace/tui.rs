//! `mpitrace tui`: the trace on the full screen.
//!
//! It reads and checks the trace, and hands both to the crate `tui`.

use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use clap::{Args, Subcommand};
use mpitrace::{exit, opening, running};
use traces::symbols::{Location, Resolver};

/// Look at a trace on the full screen of this terminal
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Look at the trace of a run: timelines, messages, findings
    Viewer(Viewer),
}

#[derive(Debug, Args)]
struct Viewer {
    /// The trace, or the directory of segments of a run that has not ended; trace.msgpack if nothing is said
    trace: Option<PathBuf>,
    /// Draw with ASCII characters only
    #[arg(long)]
    ascii_only: bool,
    /// Draw without colours; NO_COLOR in the environment says the same
    #[arg(long)]
    no_colors: bool,
    /// Write the screen as an SVG picture to this file, and need no terminal
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// The columns and rows of the picture
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "120x36", value_parser = size, requires = "svg")]
    size: (u16, u16),
    /// The keys to press before the picture is taken: each is its character, and one that has none its name, as in
    /// `2zn<Tab><Down>/send<Enter>`. Names: Enter, Tab, Esc, Space, Up, Down, Left, Right, PgUp, PgDn, Home, End, lt (for <)
    #[arg(long, default_value = "", hide_default_value = true, requires = "svg")]
    keys: tui::Keys,
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parts = text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    parts.ok_or_else(|| format!("{text} is no size such as 120x36"))
}

/// Shows what was asked for.
pub fn run(arguments: &Arguments) -> ExitCode {
    let What::Viewer(viewer) = &arguments.what;
    match show(viewer) {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err((message, code)) => {
            eprintln!("mpitrace: {message}");
            ExitCode::from(code)
        }
    }
}

fn show(viewer: &Viewer) -> Result<(), (String, u8)> {
    // First, as the more helpful of two complaints.
    let path = opening::find(viewer.trace.as_deref()).map_err(|e| (e.to_string(), exit::UNREADABLE))?;
    if viewer.svg.is_none() && !stdout().is_terminal() {
        let path = path.display();
        let message = format!(
            "the viewer needs a terminal, and standard output is none. As text: mpitrace info {path}, mpisim check {path}"
        );
        return Err((message, exit::USAGE));
    }
    let recording = read(viewer.trace.as_deref())?;
    let plain = env::var("TERM").is_ok_and(|t| t == "dumb");
    let no_colors = viewer.no_colors || plain || env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let options = tui::Options { ascii_only: viewer.ascii_only || !speaks_utf8(), no_colors };
    if let Some(file) = &viewer.svg {
        let picture = tui::Picture { width: viewer.size.0, height: viewer.size.1, keys: viewer.keys.clone() };
        let svg = tui::picture(recording, options, &picture).map_err(|e| (format!("--keys: {e}"), exit::USAGE))?;
        return fs::write(file, svg).map_err(|e| (format!("{}: {e}", file.display()), exit::USAGE));
    }
    let reload = || read(viewer.trace.as_deref()).map_err(|(message, _)| message);
    tui::run(recording, reload, options).map_err(|e| (format!("the terminal cannot be used: {e}"), exit::USAGE))
}

/// Reads and checks the trace.
fn read(given: Option<&Path>) -> Result<tui::Recording, (String, u8)> {
    let (path, trace) = opening::open(given).map_err(|e| (e.to_string(), exit::UNREADABLE))?;
    let mut report = sim::check(&trace, &sim::Options::default());
    // What does not count is for reports, which say why.
    report.findings.retain(|finding| finding.dismissed.is_none());
    let resolver = Resolver::new(&trace);
    let locate = Box::new(move |frame| {
        let found = resolver.stack(frame);
        let stack = if found.frames.len() > 1 { found.frames.iter().map(Location::in_words).collect() } else { Vec::new() };
        Some(tui::Located { line: found.line().to_string(), stack })
    });
    Ok(tui::Recording { title: title(&path), running: running::goes_on(&path, &trace), trace, report, locate })
}

fn title(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Whether the locale has more than ASCII, as far as it is set.
fn speaks_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|v| env::var(v).ok().filter(|l| !l.is_empty()));
    set.is_none_or(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
}
