//! `mpitrace record`: gets everything ready, and becomes the program.
//!
//! The program replaces this process, so its exit status, its signals, its number and what its launcher told it are its own. This
//! file says in which order things happen; each of them is at home in a file of its own.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use traces::payload::Keep;

use crate::detach;
use crate::error::Error;
use crate::job::Job;
use crate::library;
use crate::parts::{Parts, Turn};
use crate::process::{ProcessId, host_name};
use crate::program::{self, Kind};
use crate::refuge;
use crate::settings::{self, JOB, LD_PRELOAD, OUTPUT, OnDivergence, Settings};
use crate::voice;

/// What to record, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The program, as it was given.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The trace, as it was given.
    pub output: PathBuf,
    /// What is kept of the data that is sent and received.
    pub payload: Keep,
    /// See [`STACK`](crate::settings::STACK).
    pub stack: usize,
    /// Keep the newest calls of each thread, in so many bytes; 0 is all.
    pub last: u64,
    /// Print nothing.
    pub quiet: bool,
    /// Whether the program is to begin with SIGPIPE ignored, as this process did.
    pub ignores_broken_pipes: bool,
    /// MPI_Pcontrol switches nothing.
    pub ignores_pcontrol: bool,
    /// See [`LANDING`](crate::settings::LANDING).
    pub landing: bool,
    /// See [`GUARD`](crate::settings::GUARD).
    pub guard: bool,
    /// After how many seconds without progress a run is looked at; 0 is never.
    pub hang_after_s: u64,
    /// What is done about a run that hangs.
    pub on_hang: OnHang,
    /// So many seconds ranks of hosts without a common file system wait for each other in MPI_Finalize.
    pub gather_patience_s: u64,
    /// The library to preload, if the user names one.
    pub preload: Option<PathBuf>,
    /// The library that the command carries.
    pub embedded: &'static [u8],
    /// The run that this one is to repeat, if it is a replay.
    pub replay: Option<Replay>,
}

/// A run that is to be repeated.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// What is done when the program leaves its course.
    pub on_divergence: OnDivergence,
    /// Files to lie beside the segments, by name: the courses of the ranks that this process may become or start.
    pub courses: Vec<(String, Vec<u8>)>,
}

/// What is done about a run in which every rank waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnHang {
    /// It is told where the ranks are.
    #[default]
    Report,
    /// And the run is ended, so that there is a trace.
    Stop,
    /// And the trace is checked.
    Check,
}

/// What the watcher is to be told.
#[derive(Clone, Debug)]
pub struct WatchOrder {
    /// Over what it watches.
    pub parts: Parts,
    /// How many processes are started on this machine, if that is known.
    pub expected: Option<usize>,
    /// Where it can say how the run ended, if anywhere.
    pub voice: Option<voice::Place>,
    /// After how many seconds without progress it looks where the ranks are; 0 is never. One watcher of a job does.
    pub hang_after_s: u64,
    /// What it does about a run that hangs.
    pub on_hang: OnHang,
}

/// Becomes the program. `watcher` makes the command that starts the watcher; it is called for one process a machine.
///
/// Returns only if the program could not be started. What keeps the recording from beginning does not keep the program from running,
/// unless the command line itself makes no sense.
pub fn launch(request: &Request, watcher: impl FnOnce(&WatchOrder) -> Command) -> Error {
    match prepare(request, watcher) {
        Ok(variables) => become_program(request, variables),
        Err(error) if error.spares_the_program() && request.replay.is_none() => {
            if Job::of_this_process().speaks_for_its_machine {
                // Also if it is to be quiet: whoever expects a trace has to know.
                write_line(&format!("{error}; the program runs, and is not recorded"));
            }
            become_program(request, Vec::new())
        }
        Err(error) => error,
    }
}

/// The variables that the program gets.
fn prepare(request: &Request, watcher: impl FnOnce(&WatchOrder) -> Command) -> Result<Vec<(&'static str, OsString)>, Error> {
    let program = program::resolve(&request.program, env::var_os("PATH").as_deref())?;
    let is_launcher = program::is_launcher(&request.program);
    let found = Job::of_this_process();
    let kind = program::kind(&program);
    if kind != Kind::Dynamic {
        if request.replay.is_some() {
            return Err(Error::NotReplayable { program, why: why_not_loaded(kind) });
        }
        if found.speaks_for_its_machine {
            say(request, &why_not(&program, kind));
        }
        return Ok(Vec::new());
    }
    let job = if is_launcher { Job::alone(ProcessId::own()) } else { found };
    let library = library::locate(request.preload.as_deref(), request.embedded)?;
    let output = std::path::absolute(&request.output).map_err(Error::io("find", &request.output))?;
    let job = outer_job(&output).unwrap_or(job);
    // What started this process is no rank, and knows nothing of how many there will be.
    let local_ranks = job.rank.as_ref().and(job.local_size).and_then(|ranks| u32::try_from(ranks).ok());
    let Request { payload, stack, last, quiet, ignores_pcontrol, landing, guard, gather_patience_s, .. } = *request;
    let settings = Settings {
        payload,
        stack,
        last,
        quiet,
        ignores_pcontrol,
        landing,
        guard,
        gather_patience_s,
        local_ranks,
        on_divergence: request.replay.as_ref().map(|replay| replay.on_divergence),
        ..Settings::new(output, job.token.clone())
    };
    let asked = Parts { output: settings.output.clone(), directory: settings.parts.clone(), job: job.token.clone() };
    let Turn { parts, first_of_job, first_of_node } = match enter(request, &asked) {
        Err(error @ Error::Io { .. }) if job.spans_machines() => {
            let turn = enter(request, &refuge::of(&asked)?)?;
            if turn.first_of_node {
                say(request, &format!("{}: {error}; this host's part is put elsewhere until MPI_Finalize", host_name()));
            }
            turn
        }
        entered => entered?,
    };
    let settings = Settings { output: parts.output.clone(), parts: parts.directory.clone(), ..settings };
    for (name, bytes) in request.replay.iter().flat_map(|replay| &replay.courses) {
        let path = settings.parts.join(name);
        fs::write(&path, bytes).map_err(Error::io("write", &path))?;
    }
    if first_of_job {
        let is_as_asked = parts.output.parent() == asked.output.parent();
        let named = parts.output.file_name().unwrap_or_default();
        let output = if is_as_asked { request.output.with_file_name(named) } else { parts.output.clone() };
        let host = if job.spans_machines() { format!("{}:", host_name()) } else { String::new() };
        say(request, &beginning(request, is_launcher, &format!("{host}{}", output.display())));
    }
    if first_of_node {
        let voice = if request.quiet { None } else { voice::find() };
        let hang_after_s = if first_of_job { request.hang_after_s } else { 0 };
        let order = WatchOrder { parts, expected: job.local_size, voice, hang_after_s, on_hang: request.on_hang };
        // The program can do without: what is not joined can be read as it is.
        if let Err(error) = detach::run_first_step(&mut watcher(&order)) {
            let directory = order.parts.directory.display();
            say(request, &format!("{error}; should the program not end well, its trace is the directory {directory}"));
        }
    }
    let preload = settings::with_preload(env::var_os(LD_PRELOAD).as_deref(), &library);
    let mut variables = settings.to_environment();
    variables.push((LD_PRELOAD, preload));
    Ok(variables)
}

/// The job of the recording that this process is in already, if it goes to the same trace: `mpitrace record mpiexec mpitrace record app`.
fn outer_job(output: &Path) -> Option<Job> {
    let same_trace = env::var_os(OUTPUT.variable).is_some_and(|outer| Path::new(&outer) == output);
    let token = env::var(JOB.variable).ok().filter(|_| same_trace)?;
    let outer = Parts { output: output.to_owned(), directory: settings::with_suffix(output, ".parts"), job: token };
    outer.is_ours().then_some(Job { local_size: None, token: outer.job, ..Job::alone(ProcessId::own()) })
}

fn become_program(request: &Request, variables: Vec<(&'static str, OsString)>) -> Error {
    let program = PathBuf::from(&request.program);
    let is_recorded = !variables.is_empty();
    let source = execute(request, variables);
    match source.kind() {
        // Its environment is so large that what a recording adds to it is too much.
        ErrorKind::ArgumentListTooLong if is_recorded => {
            write_line(&format!("cannot execute {} with a larger environment; it runs, and is not recorded", program.display()));
            become_program(request, Vec::new())
        }
        // The program was there a moment ago: it is its interpreter that is missing.
        ErrorKind::NotFound => Error::NoInterpreter { program },
        _ => Error::Exec { program, source },
    }
}

/// Gives why it could not be done.
fn execute(request: &Request, variables: Vec<(&'static str, OsString)>) -> io::Error {
    if !request.ignores_broken_pipes {
        return Command::new(&request.program).args(&request.arguments).envs(variables).exec();
    }
    // That sets SIGPIPE to its default. In this process it is ignored, by the runtime, and stays so.
    let mut environment: BTreeMap<OsString, OsString> = env::vars_os().collect();
    environment.extend(variables.into_iter().map(|(name, value)| (name.into(), value)));
    let string = |text: &OsStr| CString::new(text.as_bytes());
    let setting = |(name, value): (&OsString, &OsString)| string(&[name.as_os_str(), value].join(OsStr::new("=")));
    let words = iter::once(&request.program).chain(&request.arguments).map(|word| string(word)).collect::<Result<Vec<_>, _>>();
    let settings = environment.iter().map(setting).collect::<Result<Vec<_>, _>>();
    match (words, settings) {
        (Ok(words), Ok(settings)) => match nix::unistd::execvpe(&words[0], &words, &settings) {
            Err(error) => error.into(),
        },
        (Err(error), _) | (_, Err(error)) => error.into(),
    }
}

/// Takes part in the recording of these parts.
fn enter(request: &Request, parts: &Parts) -> Result<Turn, Error> {
    parts.enter(ProcessId::own(), || say(request, &format!("{}: waiting for the end of another run", parts.output.display())))
}

fn beginning(request: &Request, is_launcher: bool, output: &str) -> String {
    if is_launcher {
        let launcher = request.program.display();
        return format!(
            "recording what {launcher} starts on this machine to {output} (for several machines: {launcher} … mpitrace record APP)"
        );
    }
    match request.replay {
        Some(_) => format!("replaying, and recording that to {output}"),
        None => format!("recording to {output}"),
    }
}

fn why_not(program: &Path, kind: Kind) -> String {
    format!("{} is {}: it runs, but is not recorded", program.display(), why_not_loaded(kind))
}

fn why_not_loaded(kind: Kind) -> &'static str {
    match kind {
        Kind::Foreign => "of another architecture than mpitrace",
        _ => "linked statically, so no library can be loaded into it",
    }
}

/// Says a line to the user.
fn say(request: &Request, line: &str) {
    if !request.quiet {
        write_line(line);
    }
}

/// In one piece, so that it is not torn by what other ranks say. Whether anybody can hear it does not matter to the program.
fn write_line(line: &str) {
    _ = std::io::stderr().write_all(format!("mpitrace: {line}\n").as_bytes());
}
