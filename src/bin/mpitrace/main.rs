//! The command `mpitrace`: records MPI programs, and shows what was recorded.
//!
//! Each subcommand has a file of its own, with its arguments and what it does.

#![deny(unsafe_code)]

mod broken_pipes;
mod diff;
mod doctor;
mod generate;
mod info;
mod join;
mod record;
mod replay;
mod roll_call;
mod stat;
mod tui;
mod watch;

use std::env;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mpitrace::exit;

const EXAMPLES: &str = "\
Examples:
  mpiexec -n 4 mpitrace record ./app         record a run on four ranks
  srun mpitrace record python script.py      the same under Slurm, of a Python program
  mpisim check trace.msgpack                 what is wrong with the run
  mpitrace tui viewer                        look at it
  mpiexec -n 4 mpitrace replay trace.msgpack -- ./app     run it again in the recorded order
  mpitrace info                              what trace.msgpack holds
  mpitrace stat                              where its time went, and who sent how much to whom
  mpitrace diff good.msgpack bad.msgpack     where two runs of the same program part, and why";

/// Records MPI programs, and shows what was recorded. Its sister command, mpisim, says what is wrong with them.
#[derive(Debug, Parser)]
#[command(name = "mpitrace", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Record(record::Arguments),
    Replay(replay::Arguments),
    Tui(tui::Arguments),
    Info(info::Arguments),
    Stat(stat::Arguments),
    Diff(diff::Arguments),
    Join(join::Arguments),
    Doctor(doctor::Arguments),
    Generate(generate::Arguments),
    #[command(hide = true)]
    Watch(watch::Arguments),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    match cli.command {
        Command::Record(arguments) => record::run(arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Tui(arguments) => tui::run(&arguments),
        Command::Info(arguments) => info::run(&arguments),
        Command::Stat(arguments) => stat::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Join(arguments) => join::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
    }
}

/// Prints help, the version, or what is wrong with the command line. What stands in a program's place must not be taken for its
/// status, so `record` and `replay` have another exit code for that.
fn explain(error: &clap::Error) -> ExitCode {
    // If nobody can read it, there is nobody to tell.
    let _ = error.print();
    let is_record = env::args_os().nth(1).is_some_and(|word| word == "record" || word == "replay");
    ExitCode::from(match (error.use_stderr(), is_record) {
        (false, _) => exit::SUCCESS,
        (true, false) => exit::USAGE,
        (true, true) => exit::RECORD_FAILED,
    })
}
