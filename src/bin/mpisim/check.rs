//! `mpisim check`: everything that is wrong with a recorded run.

use std::path::PathBuf;

use clap::{Args, ColorChoice, ValueEnum};
use mpitrace::sources::SourceFiles;
use mpitrace::{exit, opening, terminal};
use sim::report::{Subject, Verdict, json, text};
use sim::{Buffering, Options, Severity};

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  mpisim check                                  check trace.msgpack of this directory
  mpisim check trace.msgpack.parts              check a run that was killed, or is still under way
  mpisim check --buffering zero                 make it an error to need buffered sends
  mpisim check --fail-on warning                for continuous integration: be strict
  mpisim check --format json | jq '.findings[].rule'

Exit codes:
  0  nothing found at or above --fail-on
  1  findings
  2  the command line makes no sense
  3  the trace cannot be read
  4  undecided: nothing was found, and the run did not come to its end, or not all of it is in the trace";

/// Say what is wrong with a recorded run, in which ranks, on which source lines
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The trace: a file, or a directory of segments [default: trace.msgpack]
    trace: Option<PathBuf>,

    /// Judge by a library that buffers sends so: zero, infinite, or eager=BYTES for those of at most so many bytes. Without it,
    /// the recorded run is judged, and what needs buffering is a warning
    #[arg(long, value_name = "MODEL", value_parser = buffering)]
    buffering: Option<Buffering>,

    /// The form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// The least severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,

    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Where the sources are, if they are not where the program was compiled
    #[arg(long, value_name = "DIRECTORY")]
    source_root: Option<PathBuf>,

    /// When to colour the text; NO_COLOR and CLICOLOR_FORCE count, too
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
}

/// Checks, and gives the exit code.
pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let (path, trace) = opening::open(arguments.trace.as_deref())?;
    let options = Options { buffering: arguments.buffering };
    let report = sim::check(&trace, &options);
    let sources = SourceFiles::new(&trace, arguments.source_root.as_deref());
    let subject = Subject {
        name: &path.to_string_lossy(),
        trace: &trace,
        report: &report,
        options: &options,
        fail_on: match arguments.fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Note => Severity::Note,
        },
        sources: &sources,
    };
    let rendered = match arguments.format {
        Format::Text => text::render(&subject, &terminal::style(arguments.color, arguments.output.is_some())),
        Format::Json => json::render(&subject),
    };
    let written = terminal::write(&rendered, arguments.output.as_deref());
    written.map_err(|source| Failure::Output { path: arguments.output.clone(), source })?;
    Ok(match subject.verdict() {
        Verdict::Clean => exit::SUCCESS,
        Verdict::Findings => exit::FINDINGS,
        Verdict::Undecided => exit::UNDECIDED,
    })
}

/// Reads `zero`, `infinite` or `eager=BYTES`.
fn buffering(text: &str) -> Result<Buffering, String> {
    match (text, text.strip_prefix("eager=")) {
        ("zero", _) => Ok(Buffering::Zero),
        ("infinite", _) => Ok(Buffering::Infinite),
        (_, Some(bytes)) => bytes.parse().map(Buffering::Eager).map_err(|_| format!("`{bytes}` is no number of bytes")),
        _ => Err("it is zero, infinite, or eager=BYTES, such as eager=65536".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffering_is_read_as_it_is_documented() {
        assert_eq!(buffering("zero"), Ok(Buffering::Zero));
        assert_eq!(buffering("infinite"), Ok(Buffering::Infinite));
        assert_eq!(buffering("eager=4096"), Ok(Buffering::Eager(4096)));
        for wrong in ["eager", "eager=", "eager=-1", "eager=4k", "none", ""] {
            assert!(buffering(wrong).is_err(), "{wrong}");
        }
    }
}
