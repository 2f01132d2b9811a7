//! `mpisim generate`: manual pages and completion of `mpisim`.

use std::process::ExitCode;

use clap::CommandFactory;
pub use mpitrace::generate::Arguments;

use crate::Cli;

/// Writes what was asked for.
pub fn run(arguments: &Arguments) -> ExitCode {
    mpitrace::generate::run(arguments, Cli::command())
}
