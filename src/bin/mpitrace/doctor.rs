//! `mpitrace doctor`: what a helper has to know about this machine, to paste into a report.
//!
//! Every finding is a line; what is wrong begins with `problem`, what may go wrong with `warning`. It looks, and changes nothing but that it
//! puts the library down, as `record` would.

use std::env;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use mpitrace::{exit, terminal};
use recorder::job::{Job, RANK_VARIABLES};
use recorder::libraries::{Family, Launcher};
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
    let found = launchers(&mut lines);
    mpi_libraries(&mut lines, &found);
    python(&mut lines);
    cuda(&mut lines);
    place(&mut lines);
    limits(&mut lines);
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

fn launchers(lines: &mut Lines) -> Vec<Launcher> {
    let found = libraries::launchers(&env::var_os("PATH").unwrap_or_default());
    for launcher in &found {
        lines.add("launcher", format!("{}: {}", launcher.path.display(), launcher.version));
    }
    if found.is_empty() {
        lines.add("launcher", "none of mpiexec, mpirun, srun, prterun in PATH");
    }
    found
}

fn mpi_libraries(lines: &mut Lines, launchers: &[Launcher]) {
    let named = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let directories = env::split_paths(&named).chain(launchers.iter().filter_map(Launcher::libraries));
    let found = libraries::mpi_libraries(&env::join_paths(directories).unwrap_or(named));
    for path in &found {
        lines.add("MPI", format!("{}: {}", path.display(), Family::of_library(path).name()));
    }
    if found.is_empty() {
        lines.add(
            "MPI",
            "no libmpi in LD_LIBRARY_PATH, beside a launcher, or in the linker's cache; that of a module may be elsewhere",
        );
        return;
    }
    let families: Vec<Family> = found.iter().map(|path| Family::of_library(path)).collect();
    let starts_none = |family: &Family| !families.contains(family) && !families.contains(&Family::Standard);
    for launcher in launchers.iter().filter(|launcher| launcher.family().is_some_and(|family| starts_none(&family))) {
        let family = launcher.family().map_or("", Family::name);
        let said =
            format!("{} is of {family}, and no such library is found: ranks would each run alone", launcher.path.display());
        lines.add("warning", said);
    }
}

/// What the first Python in the path has for MPI. It is asked without loading MPI.
fn python(lines: &mut Lines) {
    const QUESTION: &str = "import sys; print(sys.executable, sys.version.split()[0])\n\
                            import mpi4py; print('mpi4py', mpi4py.__version__, 'in', mpi4py.__path__[0])";
    let output = Command::new("python3").args(["-c", QUESTION]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let Ok(output) = output else { return lines.add("Python", "no python3 in PATH") };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut parts: Vec<&str> = said.lines().collect();
    if parts.len() == 1 {
        parts.push("without mpi4py");
    }
    lines.add("Python", if parts.is_empty() { "python3 does not start".to_owned() } else { parts.join(", ") });
}

fn cuda(lines: &mut Lines) {
    let driver = fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default();
    match driver.lines().next() {
        Some(version) => lines.add("CUDA", version.trim()),
        None => lines.add("CUDA", "no driver"),
    }
}

/// Whether a trace can be put here.
fn place(lines: &mut Lines) {
    let here = env::current_dir().unwrap_or_default();
    match tempfile_in(&here) {
        Ok(()) => lines.add("directory", format!("{}: a trace can be written here", here.display())),
        Err(error) => {
            lines.add("warning", format!("no trace can be written in {}: {error}; -o names another place", here.display()))
        }
    }
}

/// Whether a file can be made in this directory, which is taken away at once.
fn tempfile_in(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(format!(".mpitrace-doctor-{}", std::process::id()));
    fs::File::create_new(&path)?;
    fs::remove_file(path)
}

/// The limits that a recording can run into, and whether they are low.
fn limits(lines: &mut Lines) {
    let text = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next().map(str::to_owned)
    };
    for (name, least) in [("Max open files", 64), ("Max address space", 1 << 30), ("Max file size", 1 << 30)] {
        let Some(value) = soft(name) else { continue };
        let is_low = value.parse::<u64>().is_ok_and(|value| value < least);
        let said = format!("{}: {value}", name.trim_start_matches("Max "));
        if is_low {
            lines.add("warning", format!("{said}, which is little: a recording may have to stop early"));
        } else {
            lines.add("limit", said);
        }
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
