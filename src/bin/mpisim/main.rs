//! The command `mpisim`: says what is wrong with a recorded MPI program, and how long it takes on another network.
//!
//! Each subcommand has a file of its own, with its arguments and what it does. Here, and only here, an error becomes an exit code.

#![forbid(unsafe_code)]

mod check;
mod explain;
mod failure;
mod generate;
mod replay;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  mpisim check                              what is wrong with the run in trace.msgpack
  mpisim check other.msgpack --buffering zero
  mpisim check --format json --output report.json
  mpisim explain deadlock/cycle             what a rule means, and what to do
  mpisim replay --network fast.json         how long the run takes on another network

A trace is made with: mpiexec -n 4 mpitrace record ./app

Exit codes of `mpisim check`:
  0  nothing found at or above --fail-on
  1  findings
  2  the command line makes no sense
  3  the trace cannot be read
  4  undecided: nothing was found, and the run did not come to its end, a limit was reached, or not all of it is in the trace";

/// Checks recorded MPI programs: deadlocks, lost and mismatched messages, collectives, requests, leaks. Its sister command, mpitrace,
/// records them.
#[derive(Debug, Parser)]
#[command(name = "mpisim", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Box<check::Arguments>),
    Replay(replay::Arguments),
    Explain(explain::Arguments),
    Generate(generate::Arguments),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Generate(arguments) => return generate::run(&arguments),
    };
    done.map_or_else(|failure| failure.report(), ExitCode::from)
}
