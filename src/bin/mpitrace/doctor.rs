//! `mpitrace doctor`: what a helper has to know about this machine, to paste into a report.
//!
//! Every finding is a line; what is wrong begins with `problem`. It looks, and changes nothing but that it puts the library down, as
//! `record` would.

use std::env;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mpitrace::{exit, terminal};
use recorder::job::{Job, RANK_VARIABLES};
use recorder::settings::{LD_PRELOAD, PRELOAD, TABLE};
use recorder::{libraries, library, process};

use crate::record::LIBRARY;

/// Say what is there to record with: MPI libraries, launchers, environment
#[derive(Debug, Args)]
pub struct Arguments {}

/// Prints it; fails if recording could not work.
pub fn run(_arguments: &Arguments) -> ExitCode {
    let mut lines = Lines::default();
    lines.add("mpitrace", format!("{} for {}-{}", env!("CARGO_PKG_VERSION"), env::consts::ARCH, env::consts::OS));
    lines.add("machine", process::host_name());
    let named = env::var_os(PRELOAD.variable).map(PathBuf::from);
    let located = library::locate(named.as_deref(), LIBRARY);
    match &located {
        Ok(path) => lines.add("library", path.display()),
        Err(error) => lines.add("problem", error),
    }
    launchers(&mut lines);
    mpi_libraries(&mut lines);
    environment(&mut lines);
    if let Err(error) = terminal::write(&lines.0, None) {
        eprintln!("mpitrace: standard output: {error}");
        return ExitCode::from(exit::USAGE);
    }
    ExitCode::from(if located.is_ok() { exit::SUCCESS } else { exit::RECORD_FAILED })
}

/// What is to be printed.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, head: &str, rest: impl Display) {
        self.0 += &format!("{head:12}{rest}\n");
    }
}

fn launchers(lines: &mut Lines) {
    let found = libraries::launchers(&env::var_os("PATH").unwrap_or_default());
    for launcher in &found {
        lines.add("launcher", format!("{}: {}", launcher.path.display(), launcher.version));
    }
    if found.is_empty() {
        lines.add("launcher", "none of mpiexec, mpirun, srun, prterun in PATH");
    }
}

fn mpi_libraries(lines: &mut Lines) {
    let found = libraries::mpi_libraries(&env::var_os("LD_LIBRARY_PATH").unwrap_or_default());
    for path in &found {
        lines.add("MPI", path.display());
    }
    if found.is_empty() {
        lines.add(
            "MPI",
            "no libmpi in LD_LIBRARY_PATH and the linker's cache; that of a Python package or a module may be elsewhere",
        );
    }
}

fn environment(lines: &mut Lines) {
    let job = Job::of_this_process();
    match &job.rank {
        Some(rank) => lines.add("job", format!("{}, rank {rank}", job.token)),
        None => lines.add("job", "none: started by no launcher"),
    }
    let told = RANK_VARIABLES.into_iter().chain([LD_PRELOAD]).chain(TABLE.iter().map(|s| s.variable));
    for variable in told {
        if let Some(value) = env::var_os(variable) {
            lines.add("variable", format!("{variable}={}", value.display()));
        }
    }
}
