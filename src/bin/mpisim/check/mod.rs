//! `mpisim check`: everything that is wrong with a recorded run.

mod forms;
mod policy;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ColorChoice, ValueEnum};
use mpitrace::sources::SourceFiles;
use mpitrace::{exit, opening, terminal};
use sim::report::{Subject, Verdict};
use sim::{Buffering, Limits, Options, Schedule, Severity, Stages};

use crate::failure::Failure;
use forms::{Export, Format};

const EXAMPLES: &str = "\
Examples:
  mpisim check                                  check trace.msgpack of this directory
  mpisim check trace.msgpack.parts              check a run that was killed, or is still under way
  mpisim check --buffering zero                 make it an error to need buffered sends
  mpisim check --buffering any                  make it an error if any library may hang in any schedule
  mpisim check --certify --time 60              prove what is safe, in a minute at most
  mpisim check --fail-on warning                for continuous integration: be strict
  mpisim check --format json | jq '.findings[].rule'
  mpisim check --export report.html --export scan.sarif --export junit.xml
  mpisim check --format dot | dot -Tsvg > waits.svg
  mpisim check --allow 'leak/*' --deny race/wildcard
  mpisim check --export known.json              what is found today does not count tomorrow:
  mpisim check --baseline known.json

Exit codes:
  0  nothing found at or above --fail-on
  1  findings
  2  the command line makes no sense
  3  the trace cannot be read
  4  undecided: nothing was found, and the run did not come to its end, a limit was reached, or not all of it is in the trace";

/// Say what is wrong with a recorded run, in which ranks, on which source lines
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The trace: a file, or a directory of segments [default: trace.msgpack]
    trace: Option<PathBuf>,

    /// Judge by a library that buffers sends so: zero, infinite, eager=BYTES for those of at most so many bytes, or any for each send
    /// as it likes. Without it, the recorded run is judged, and what needs buffering is a warning
    #[arg(long, value_name = "MODEL", value_parser = buffering)]
    buffering: Option<Buffering>,

    /// Follow this schedule in place of the recorded one: a finding that other schedules show has such a token
    #[arg(long, value_name = "TOKEN", conflicts_with = "buffering")]
    schedule: Option<Schedule>,

    /// Check every answer that no schedule gets stuck once more, by a proof that a checker of its own verifies
    #[arg(long)]
    certify: bool,

    /// Give up deciding over other schedules after so many seconds
    #[arg(long, value_name = "SECONDS")]
    time: Option<u64>,

    /// Give up when deciding would take more memory than so many MiB
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,

    /// Prepare the decision with so many threads; the answer is the same
    #[arg(long, value_name = "NUMBER", default_value_t = NonZeroUsize::MIN)]
    threads: NonZeroUsize,

    /// The form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Write the report to a file as well, in the form that the file's ending says: .txt .json .sarif .xml (JUnit) .html .dot
    #[arg(long, value_name = "FILE", value_parser = Export::named)]
    export: Vec<Export>,

    #[command(flatten)]
    policy: policy::Choices,

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
enum FailOn {
    Error,
    Warning,
    Note,
}

/// Checks, and gives the exit code.
pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let policy = arguments.policy.policy()?;
    let (path, trace) = opening::open(arguments.trace.as_deref())?;
    // Only a page draws the messages.
    let is_brief = arguments.format != Format::Html && !arguments.export.iter().any(Export::is_page);
    let options = Options { buffering: arguments.buffering, schedule: arguments.schedule.clone(), is_brief };
    let begin = Instant::now();
    let time = arguments.time.map(Duration::from_secs);
    let is_over = move || time.is_some_and(|time| begin.elapsed() >= time);
    let mut report = sim::check_within(&trace, &options, &limits(arguments, &is_over));
    let sources = SourceFiles::new(&trace, arguments.source_root.as_deref());
    let unused = policy.apply(&trace, &mut report, &sources);
    arguments.policy.tell_unused(&policy, &unused);
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
    for export in &arguments.export {
        export.write(&subject)?;
    }
    let file = arguments.output.as_deref();
    let rendered = forms::render(arguments.format, &subject, arguments.color, file);
    let written = terminal::write(&rendered, file);
    written.map_err(|source| Failure::Output { path: arguments.output.clone(), source })?;
    Ok(match subject.verdict() {
        Verdict::Clean => exit::SUCCESS,
        Verdict::Findings => exit::FINDINGS,
        Verdict::Undecided => exit::UNDECIDED,
    })
}

/// What the user wants it to cost at most.
fn limits<'a>(arguments: &Arguments, is_over: &'a (dyn Fn() -> bool + Sync)) -> Limits<'a> {
    let standard = Limits::default();
    Limits {
        // Who sets a time, wants it used.
        conflicts: if arguments.time.is_some() { u64::MAX } else { standard.conflicts },
        memory_bytes: arguments.memory.map_or(standard.memory_bytes, |mib| mib.saturating_mul(1 << 20)),
        stop: is_over,
        stages: Stages { certifies: arguments.certify, ..Stages::default() },
        threads: arguments.threads,
        are_set: arguments.time.is_some() || arguments.memory.is_some(),
    }
}

/// Reads `zero`, `infinite`, `any` or `eager=BYTES`.
fn buffering(text: &str) -> Result<Buffering, String> {
    match (text, text.strip_prefix("eager=")) {
        ("zero", _) => Ok(Buffering::Zero),
        ("infinite", _) => Ok(Buffering::Infinite),
        ("any", _) => Ok(Buffering::Any),
        (_, Some(bytes)) => bytes.parse().map(Buffering::Eager).map_err(|_| format!("`{bytes}` is no number of bytes")),
        _ => Err("it is zero, infinite, any, or eager=BYTES, such as eager=65536".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffering_is_read_as_it_is_documented() {
        assert_eq!(buffering("zero"), Ok(Buffering::Zero));
        assert_eq!(buffering("infinite"), Ok(Buffering::Infinite));
        assert_eq!(buffering("any"), Ok(Buffering::Any));
        assert_eq!(buffering("eager=4096"), Ok(Buffering::Eager(4096)));
        for wrong in ["eager", "eager=", "eager=-1", "eager=4k", "none", ""] {
            assert!(buffering(wrong).is_err(), "{wrong}");
        }
    }
}
