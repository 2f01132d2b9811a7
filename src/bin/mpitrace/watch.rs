//! `mpitrace watch`, which nobody types: the watcher of a run, started by `mpitrace record`.
//!
//! It is started twice, see `recorder::detach`: with `--detach` to get away from the job, and then to watch. When a run has ended without
//! MPI_Finalize, and it has a voice, it says where the ranks were.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;
use recorder::detach;
use recorder::launch::WatchOrder;
use recorder::parts::Parts;
use recorder::process::ProcessId;
use recorder::voice::Voice;
use recorder::watch::{Conclusion, Watch};
use traces::Trace;

use crate::info;

/// The most groups of ranks that a line names.
const ENDINGS_MAX: usize = 6;

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
    /// Where to say how the run ended
    #[arg(long)]
    voice: Option<PathBuf>,
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
    if let Some(voice) = &order.voice {
        command.arg("--voice").arg(voice);
    }
    if let Some(expected) = order.expected {
        command.arg(format!("--expect={expected}"));
    }
    command
}

/// Watches, or starts who does.
pub fn run(arguments: &Arguments) -> ExitCode {
    let parts = Parts { output: arguments.output.clone(), directory: arguments.parts.clone(), job: arguments.job.clone() };
    let order = WatchOrder { parts, expected: arguments.expect, voice: arguments.voice.clone() };
    let done = if arguments.detach { detach(&order) } else { watch(order) };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Watches until the run is over. What cannot be joined stays where it can be read.
fn watch(order: WatchOrder) -> bool {
    let voice = order.voice.as_deref().and_then(Voice::at);
    let parts = order.parts.clone();
    let conclusion = Watch::new(order.parts, order.expected).run();
    if let Some(mut voice) = voice {
        voice.say(&last_words(&parts, conclusion.as_ref().ok()));
    }
    conclusion.is_ok()
}

/// What is to be said of a run that has ended. Of one that has ended well the ranks have said it.
fn last_words(parts: &Parts, conclusion: Option<&Conclusion>) -> Vec<String> {
    let path = parts.output.display();
    match conclusion {
        Some(Conclusion::NothingRecorded) => vec!["the program made no call of MPI: there is no trace".to_owned()],
        Some(Conclusion::Joined(summary)) => {
            let mut lines: Vec<String> = traces::open(&parts.output).map(|trace| roll_call(&trace)).into_iter().collect();
            lines.push(summary.to_text(&path.to_string()));
            lines
        }
        Some(Conclusion::Kept) | None => {
            let directory = parts.directory.display();
            vec![format!("the trace could not be made; `mpisim check {directory}` reads its pieces")]
        }
        Some(Conclusion::NothingLeft | Conclusion::NotOurs) => Vec::new(),
    }
}

/// Where the ranks were at the end.
fn roll_call(trace: &Trace) -> String {
    let endings = info::endings(trace);
    let (first, rest) = endings.split_at(endings.len().min(ENDINGS_MAX));
    let more = if rest.is_empty() { String::new() } else { format!("; and {} more, see `mpitrace info`", rest.len()) };
    format!("the run ended: {}{more}", first.join("; "))
}

fn detach(order: &WatchOrder) -> bool {
    let Ok(watcher) = detach::start_second_step(&mut second_step(order)) else {
        return false;
    };
    // Entered here and not by the watcher: it is known before the program starts, so that no later run takes this one for over.
    ProcessId::of(watcher.id()).is_some_and(|id| order.parts.set_watcher(id).is_ok())
}
