//! `mpitrace join`: puts the traces of one run together that its hosts have kept each for itself.
//!
//! Where ranks come to the end of MPI_Finalize they do that themselves; this is for runs that were killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use mpitrace::exit;
use recorder::settings::with_suffix;
use traces::part::Part;
use traces::writer::{Summary, write_parts};
use traces::{reader, unite};

const EXAMPLES: &str = "\
Example, after a run on two hosts without a common file system was killed:
  scp node2:run/trace.msgpack node2.msgpack
  mpitrace join -o all.msgpack trace.msgpack node2.msgpack
  mpisim check all.msgpack";

/// Put the traces of one run together that its hosts have kept each for itself
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The trace to write; one that exists is kept as FILE.old
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Traces, or directories of segments
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,
}

/// Writes it.
pub fn run(arguments: &Arguments) -> ExitCode {
    match join(arguments) {
        Ok(summary) => {
            eprintln!("mpitrace: {}", summary.to_text(&arguments.output.display().to_string()));
            ExitCode::from(exit::SUCCESS)
        }
        Err(error) => {
            eprintln!("mpitrace: {error}");
            ExitCode::from(exit::UNREADABLE)
        }
    }
}

fn join(arguments: &Arguments) -> Result<Summary, traces::Error> {
    let (parts, damage) = unite::unite(&arguments.traces)?;
    for what in damage {
        eprintln!("mpitrace: {what}");
    }
    let parts = in_line(&arguments.output, parts)?;
    if arguments.output.is_file() {
        let kept = fs::rename(&arguments.output, with_suffix(&arguments.output, ".old"));
        kept.map_err(|source| traces::Error::Io { path: arguments.output.clone(), source })?;
    }
    write_parts(&arguments.output, parts)
}

/// The parts, with the clocks of their hosts brought into line.
fn in_line(path: &Path, mut parts: Vec<Part>) -> Result<Vec<Part>, traces::Error> {
    let trace = reader::assemble(path, parts.clone(), Vec::new())?;
    let origin_ns = reader::origin_ns(&parts);
    for (part, correction) in parts.iter_mut().zip(sim::clocks::corrections(&trace)) {
        let clock = part.process.clock;
        let [first, last] =
            [clock.first_ticks, clock.last_ticks].map(|ticks| correction.at(clock.shared_ns(ticks).saturating_sub(origin_ns)));
        part.process.clock = clock.corrected(first, last);
    }
    Ok(parts)
}
