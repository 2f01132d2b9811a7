//! `mpitrace watch`, which nobody types: the watcher of a run, started by `mpitrace record`.
//!
//! It is started twice, see `recorder::detach`: with `--detach` to get away from the job, and then to watch. When a run has ended without
//! MPI_Finalize, and it has a voice, it says where the ranks were.

use std::cell::RefCell;
use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Args;
use recorder::detach;
use recorder::launch::{OnHang, WatchOrder};
use recorder::parts::Parts;
use recorder::process::ProcessId;
use recorder::voice::{Place, Voice};
use recorder::watch::{Conclusion, Reaction, Watch};
use traces::Trace;

use crate::info;
use crate::record::WhenHanging;
use crate::roll_call::{GROUPS_MAX, RollCall};

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
    voice: Option<Place>,
    /// After how many seconds without progress to look where the ranks are
    #[arg(long, default_value_t = 0)]
    hang_after: u64,
    /// What to do about a run that hangs
    #[arg(long, value_enum, default_value = "report")]
    on_hang: WhenHanging,
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
        command.arg(format!("--voice={voice}"));
    }
    let on_hang = match order.on_hang {
        OnHang::Report => "report",
        OnHang::Stop => "stop",
        OnHang::Check => "check",
    };
    command.arg(format!("--hang-after={}", order.hang_after_s)).arg(format!("--on-hang={on_hang}"));
    if let Some(expected) = order.expected {
        command.arg(format!("--expect={expected}"));
    }
    command
}

/// Watches, or starts who does.
pub fn run(arguments: &Arguments) -> ExitCode {
    let parts = Parts { output: arguments.output.clone(), directory: arguments.parts.clone(), job: arguments.job.clone() };
    let order = WatchOrder {
        parts,
        expected: arguments.expect,
        voice: arguments.voice.clone(),
        hang_after_s: arguments.hang_after,
        on_hang: arguments.on_hang.into(),
    };
    let done = if arguments.detach { detach(&order) } else { watch(order) };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Watches until the run is over. What cannot be joined stays where it can be read.
fn watch(order: WatchOrder) -> bool {
    let voice = RefCell::new(order.voice.as_ref().and_then(Voice::at));
    let say = |lines: &[String]| {
        if let Some(voice) = voice.borrow_mut().as_mut() {
            voice.say(lines);
        }
    };
    let mut has_stopped = false;
    let mut watch = Watch::new(order.parts.clone(), order.expected);
    if order.hang_after_s > 0 {
        watch = watch.reacting(Duration::from_secs(order.hang_after_s), Box::new(|| react(&order, &say, &mut has_stopped)));
    }
    let conclusion = watch.run();
    say(&last_words(&order, conclusion.as_ref().ok()));
    if has_stopped && order.on_hang == OnHang::Check {
        say(&[check(&order.parts)]);
    }
    conclusion.is_ok()
}

/// Nothing has moved for long: says where the ranks are, and decides what to do.
fn react(order: &WatchOrder, say: &impl Fn(&[String]), has_stopped: &mut bool) -> Reaction {
    let Ok(trace) = traces::open(&order.parts.directory) else { return Reaction::LetGoOn };
    let call = RollCall::of(&trace);
    let mut lines = vec![format!("no call has ended for {} s: {}", order.hang_after_s, call.to_text())];
    *has_stopped = call.is_hang && order.on_hang != OnHang::Report;
    lines.extend(match (call.is_hang, *has_stopped) {
        (false, _) => None,
        (true, true) => Some("every rank waits: the run is stopped".to_owned()),
        (true, false) => Some(format!("every rank waits; why: mpisim check {}", order.parts.directory.display())),
    });
    say(&lines);
    if *has_stopped { Reaction::Stop } else { Reaction::LetGoOn }
}

/// What `mpisim check` says of the trace.
fn check(parts: &Parts) -> String {
    let mpisim = env::current_exe().unwrap_or_default().with_file_name("mpisim");
    let output = Command::new(&mpisim).arg("check").arg(&parts.output).output();
    match output {
        Ok(output) => format!("mpisim check says:\n{}", String::from_utf8_lossy(&output.stdout).trim_end()),
        Err(error) => format!("{} cannot be run: {error}", mpisim.display()),
    }
}

/// What is to be said of a run that has ended. Of one that has ended well the ranks have said it.
fn last_words(order: &WatchOrder, conclusion: Option<&Conclusion>) -> Vec<String> {
    let parts = &order.parts;
    let path = parts.output.display();
    match conclusion {
        Some(Conclusion::NothingRecorded) => vec!["the program made no call of MPI: there is no trace".to_owned()],
        Some(Conclusion::Joined(summary)) => {
            let trace = traces::open(&parts.output).ok();
            let mut lines: Vec<String> = trace.iter().map(roll_call).collect();
            let elsewhere = |trace: &Trace| order.expected.is_some_and(|here| here < trace.world_size as usize);
            if trace.is_some_and(|trace| elsewhere(&trace) && (summary.processes < trace.world_size)) {
                lines.push(
                    "what other hosts have recorded lies there, in files of the same name; mpitrace join puts all together"
                        .into(),
                );
            }
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
    let endings = info::endings(trace, false);
    let (first, rest) = endings.split_at(endings.len().min(GROUPS_MAX));
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
