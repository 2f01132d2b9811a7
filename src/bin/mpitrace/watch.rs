//! `mpitrace watch`, which nobody types: the watcher of a run, started by `mpitrace record`.
//!
//! It is started twice, see `recorder::detach`: with `--detach` to get away from the job, and then to watch.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;
use recorder::detach;
use recorder::launch::WatchOrder;
use recorder::parts::Parts;
use recorder::process::ProcessId;
use recorder::watch::Watch;

/// Clear up after a run that is recorded
#[derive(Debug, Args)]
pub struct Arguments {
    /// The trace to be
    #[arg(long)]
    output: PathBuf,
    /// The directory of its segments
    #[arg(long)]
    parts: PathBuf,
    /// The token of the run
    #[arg(long)]
    job: String,
    /// How many processes are started on this machine
    #[arg(long)]
    expect: Option<usize>,
    /// Start the watcher apart from this process, and end
    #[arg(long)]
    detach: bool,
}

/// The command that starts the watcher.
pub fn first_step(order: &WatchOrder) -> Command {
    let mut command = second_step(order);
    command.arg("--detach");
    command
}

fn second_step(order: &WatchOrder) -> Command {
    let mut command = Command::new(env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into()));
    command.arg("watch");
    let mut option = |flag: &str, value: &OsStr| {
        command.arg(flag).arg(value);
    };
    option("--output", order.parts.output.as_os_str());
    option("--parts", order.parts.directory.as_os_str());
    // With an equals sign: a token may begin with a dash.
    command.arg(format!("--job={}", order.parts.job));
    if let Some(expected) = order.expected {
        command.arg(format!("--expect={expected}"));
    }
    command
}

/// Watches, or starts who does.
pub fn run(arguments: &Arguments) -> ExitCode {
    let parts = Parts { output: arguments.output.clone(), directory: arguments.parts.clone(), job: arguments.job.clone() };
    let order = WatchOrder { parts, expected: arguments.expect };
    // There is nobody to tell of an error: what cannot be joined stays where it can be read.
    let done = if arguments.detach { detach(&order) } else { Watch::new(order.parts, order.expected).run().is_ok() };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn detach(order: &WatchOrder) -> bool {
    let Ok(watcher) = detach::start_second_step(&mut second_step(order)) else {
        return false;
    };
    // Entered here and not by the watcher: it is known before the program starts, so that no later run takes this one for over.
    ProcessId::of(watcher.id()).is_some_and(|id| order.parts.set_watcher(id).is_ok())
}
