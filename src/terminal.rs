//! Where results go: a terminal, a pipe or a file, and how they may look there.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use clap::ColorChoice;
use sim::report::Style;

/// The width of text that goes to no terminal, unless COLUMNS says another: the same wherever it is made.
const WIDTH: usize = 100;

/// How a report is to look that goes to standard output, or to a file.
#[must_use]
pub fn style(choice: ColorChoice, to_file: bool) -> Style {
    let terminal = !to_file && io::stdout().is_terminal();
    let size = terminal_size::terminal_size_of(io::stdout()).filter(|_| terminal);
    let columns = size.map(|(width, _)| usize::from(width.0));
    let width = width(columns, std::env::var("COLUMNS").ok().filter(|_| !to_file).as_deref());
    Style { color: wants_color(choice, terminal, |name| std::env::var_os(name)), width }
}

/// What a terminal has, else what the user says, within what can be read.
fn width(terminal: Option<usize>, variable: Option<&str>) -> usize {
    let wanted = terminal.or_else(|| variable?.trim().parse().ok().filter(|&columns| columns > 0));
    wanted.unwrap_or(WIDTH).clamp(40, 140)
}

/// Whether to colour: what the user says on the command line, else what the environment says, else on a terminal.
fn wants_color(choice: ColorChoice, terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if is_set("NO_COLOR") => false,
        ColorChoice::Auto if variable("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") => true,
        ColorChoice::Auto => terminal && variable("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// Writes a result to a file, or to standard output. Who reads that may stop to: `mpisim check | head`.
///
/// # Errors
/// If it cannot be written.
pub fn write(text: &str, file: Option<&Path>) -> io::Result<()> {
    let Some(file) = file else {
        let mut out = io::stdout().lock();
        return match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        };
    };
    fs::write(file, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_as_wide_as_the_user_says() {
        assert_eq!([width(Some(80), Some("60")), width(None, Some("60")), width(None, None)], [80, 60, WIDTH]);
        assert_eq!([width(None, Some("many")), width(None, Some("0")), width(None, Some("9"))], [WIDTH, WIDTH, 40]);
    }

    #[test]
    fn the_command_line_comes_before_the_environment_and_that_before_the_terminal() {
        let wants = |choice, terminal, set: &[(&str, &str)]| {
            wants_color(choice, terminal, |name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into()))
        };
        let (auto, always, never) = (ColorChoice::Auto, ColorChoice::Always, ColorChoice::Never);
        assert!(wants(always, false, &[("NO_COLOR", "1")]));
        assert!(!wants(never, true, &[("CLICOLOR_FORCE", "1")]));
        assert!(wants(auto, true, &[]) && !wants(auto, false, &[]));
        assert!(!wants(auto, true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
        assert!(wants(auto, true, &[("NO_COLOR", "")]), "an empty NO_COLOR says nothing");
        assert!(wants(auto, false, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]));
        assert!(!wants(auto, false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!wants(auto, true, &[("TERM", "dumb")]));
    }
}
