//! `mpitrace doctor`: what a helper has to know about this machine, to paste into a report.
//!
//! Every finding is a line; what is wrong begins with `problem`. It looks, and changes nothing but that it puts the library down, as
//! `record` would.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mpitrace::exit;
use recorder::job::{Job, RANK_VARIABLES};
use recorder::settings::{LD_PRELOAD, PRELOAD, TABLE};
use recorder::{libraries, library, process};

use crate::record::LIBRARY;

/// Say what is there to record with: MPI libraries, launchers, environment
#[derive(Debug, Args)]
pub struct Arguments {}

/// Prints it; fails if recording could not work.
pub fn run(_arguments: &Arguments) -> ExitCode {
    println!("mpitrace    {} for {}-{}", env!("CARGO_PKG_VERSION"), env::consts::ARCH, env::consts::OS);
    println!("machine     {}", process::host_name());
    let named = env::var_os(PRELOAD.variable).map(PathBuf::from);
    let located = library::locate(named.as_deref(), LIBRARY);
    match &located {
        Ok(path) => println!("library     {}", path.display()),
        Err(error) => println!("problem     {error}"),
    }
    launchers();
    mpi_libraries();
    environment();
    ExitCode::from(if located.is_ok() { exit::SUCCESS } else { exit::RECORD_FAILED })
}

fn launchers() {
    let found = libraries::launchers(&env::var_os("PATH").unwrap_or_default());
    for launcher in &found {
        println!("launcher    {}: {}", launcher.path.display(), launcher.version);
    }
    if found.is_empty() {
        println!("launcher    none of mpiexec, mpirun, srun, prterun in PATH");
    }
}

fn mpi_libraries() {
    let found = libraries::mpi_libraries(&env::var_os("LD_LIBRARY_PATH").unwrap_or_default());
    for path in &found {
        println!("MPI         {}", path.display());
    }
    if found.is_empty() {
        println!(
            "MPI         no libmpi in LD_LIBRARY_PATH and the linker's cache; that of a Python package or a module may be elsewhere"
        );
    }
}

fn environment() {
    let job = Job::of_this_process();
    match &job.rank {
        Some(rank) => println!("job         {}, rank {rank}", job.token),
        None => println!("job         none: started by no launcher"),
    }
    let told = RANK_VARIABLES.into_iter().chain([LD_PRELOAD]).chain(TABLE.iter().map(|s| s.variable));
    for variable in told {
        if let Some(value) = env::var_os(variable) {
            println!("variable    {variable}={}", value.display());
        }
    }
}
