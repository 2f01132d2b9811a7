//! `mpitrace replay`: runs a program again, with every choice of MPI as it was recorded.
//!
//! A replay is a recording with a course to follow. Here the trace is read, held against what is about to run, and made into the course of
//! this rank; the rest is as in `record`.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use mpitrace::sources::SourceFiles;
use mpitrace::{exit, opening};
use recorder::job::Job;
use recorder::launch::{Replay, Request};
use recorder::program;
use recorder::settings::{
    self, DEFAULT_GATHER_PATIENCE_S, HANG_AFTER, ON_DIVERGENCE, ON_HANG, OnDivergence, PRELOAD, QUIET, STACK,
};
use replay::course::{self, Orders};
use replay::fit::{Wanted, Weight, misfits};
use replay::{Course, Order};
use sim::Schedule;
use sim::finding::{Message, Place};
use sim::report::Sources;
use traces::constant::COMM_WORLD;
use traces::{Call, Trace, mpi};

use crate::broken_pipes;
use crate::record::{self, LIBRARY, WhenHanging};

const ABOUT: &str = "Run a program again, with every choice of MPI as it was recorded";

const EXAMPLES: &str = "\
Examples:
  mpiexec -n 4 mpitrace record ./app                       a run, and
  mpiexec -n 4 mpitrace replay trace.msgpack -- ./app      the same run again
  mpiexec -n 4 mpitrace replay --schedule infinite:0.0=3.0: trace.msgpack -- ./app     a deadlock that mpisim check has found
  mpiexec -n 4 mpitrace replay --on-divergence warn trace.msgpack -- ./app-with-more-prints

Receives and probes with MPI_ANY_SOURCE and MPI_ANY_TAG take the messages that they took, MPI_Waitany, MPI_Waitsome, MPI_Test and \
their like complete what they completed, and polls find nothing as often as they did. The program may run on another MPI than the one \
that was recorded, and may be compiled anew.

Each call is compared with the recorded one: function, counts, datatypes, peers, tags, communicators, and the digests of the data. \
The replay is recorded itself. At the end stands a fingerprint of all choices: two runs that have the same took the same course.

Exit status: APP's own; 125 if the trace does not fit or the run has left its course, 126 if APP cannot be executed, 127 if there is no APP.";

/// The arguments of `mpitrace replay`.
#[derive(Debug, Args)]
#[command(about = ABOUT, after_help = EXAMPLES, override_usage = "mpitrace replay [OPTIONS] TRACE [--] APP [ARG]...")]
pub struct Arguments {
    /// Where the replay is recorded; what exists is kept as FILE.old
    #[arg(short, long, value_name = "FILE", default_value = "replay.msgpack")]
    output: PathBuf,

    #[arg(long = record::long(ON_DIVERGENCE), env = ON_DIVERGENCE.variable, help = ON_DIVERGENCE.meaning, value_name = "WHAT")]
    #[arg(default_value = ON_DIVERGENCE.default, value_enum)]
    on_divergence: WhenDiverging,

    /// Go on though the trace is of another program or of other arguments
    #[arg(long)]
    anyway: bool,

    /// Drive the program into this schedule, a token of `mpisim check`, in place of the recorded one
    #[arg(long, value_name = "TOKEN")]
    schedule: Option<Schedule>,

    #[arg(long = record::long(STACK), env = STACK.variable, help = STACK.meaning, value_name = "FRAMES", default_value = STACK.default)]
    stack: usize,

    #[arg(short = 'q', long = record::long(QUIET), help = QUIET.meaning)]
    quiet: bool,

    #[arg(long = record::long(HANG_AFTER), env = HANG_AFTER.variable, help = HANG_AFTER.meaning, value_name = "SECONDS")]
    #[arg(default_value = HANG_AFTER.default)]
    hang_after: u64,

    #[arg(long = record::long(ON_HANG), env = ON_HANG.variable, help = ON_HANG.meaning, value_name = "WHAT")]
    #[arg(default_value = ON_HANG.default, value_enum)]
    on_hang: WhenHanging,

    #[arg(long = record::long(PRELOAD), env = PRELOAD.variable, help = PRELOAD.meaning, value_name = "FILE")]
    preload: Option<PathBuf>,

    /// The recorded run: a trace, or a directory of segments
    trace: PathBuf,

    /// The program, and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "APP")]
    app: Vec<OsString>,
}

/// What to do when the program leaves the recorded course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum WhenDiverging {
    /// Say where, and what was expected, and end the run
    Stop,
    /// Say it, and follow the course again where the program comes back to it
    Warn,
    /// Say it, and let the rank go on by itself
    Free,
}

impl From<WhenDiverging> for OnDivergence {
    fn from(what: WhenDiverging) -> OnDivergence {
        match what {
            WhenDiverging::Stop => OnDivergence::Stop,
            WhenDiverging::Warn => OnDivergence::Warn,
            WhenDiverging::Free => OnDivergence::Free,
        }
    }
}

/// So long a rank that finds something wrong waits for the one that says it: launchers end all others as soon as one has ended.
const TIME_TO_SPEAK: Duration = Duration::from_secs(1);

/// Becomes the program. Returns if it could not.
pub fn run(arguments: &Arguments) -> ExitCode {
    let job = Job::of_this_process();
    match prepare(arguments, &job) {
        Ok(request) => record::become_program(&request),
        Err(what) => {
            if job.speaks_for_its_machine {
                eprintln!("mpitrace: {what}");
            } else {
                sleep(TIME_TO_SPEAK);
            }
            ExitCode::from(exit::RECORD_FAILED)
        }
    }
}

fn prepare(arguments: &Arguments, job: &Job) -> Result<Request, String> {
    let (path, trace) = opening::open(Some(&arguments.trace)).map_err(|error| error.to_string())?;
    if std::path::absolute(&path).ok() == std::path::absolute(&arguments.output).ok() {
        return Err(format!("{}: is the trace that is replayed: give another place with --output", path.display()));
    }
    let Some((program, words)) = arguments.app.split_first() else { return Err("there is no program".to_owned()) };
    let is_launcher = program::is_launcher(program);
    // A program that is not there needs no trace that fits.
    let is_there = program::resolve(program, std::env::var_os("PATH").as_deref()).is_ok();
    let command: Vec<String> = arguments.app.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let wanted = Wanted {
        ranks: if is_launcher { None } else { job.size },
        command: if is_launcher || !is_there { None } else { Some(&command) },
    };
    fits(arguments, &trace, wanted, job)?;
    let ranks = trace.world_of(0);
    let own = job.rank.as_ref().filter(|_| !is_launcher).map_or(Some(0), |rank| rank.parse().ok());
    let own = own.filter(|rank| !is_launcher && ranks.contains(rank));
    let orders = arguments.schedule.as_ref().map(|schedule| orders(&trace, schedule));
    let courses = courses(&trace, own.map_or(ranks, |rank| rank..rank + 1), orders.as_ref());
    Ok(Request {
        program: program.clone(),
        arguments: words.to_vec(),
        output: arguments.output.clone(),
        // Digests are compared, so they have to be taken in the same way.
        payload: trace.processes.iter().find(|p| p.rank == Some(0)).map(|p| p.payload).unwrap_or_default(),
        stack: arguments.stack,
        last: 0,
        quiet: arguments.quiet,
        ignores_broken_pipes: broken_pipes::were_ignored(),
        ignores_pcontrol: false,
        landing: false,
        guard: false,
        hang_after_s: arguments.hang_after,
        on_hang: arguments.on_hang.into(),
        gather_patience_s: DEFAULT_GATHER_PATIENCE_S,
        preload: arguments.preload.clone(),
        embedded: LIBRARY,
        replay: Some(Replay { on_divergence: arguments.on_divergence.into(), courses }),
    })
}

/// Says what does not fit, and gives the first that forbids to go on.
fn fits(arguments: &Arguments, trace: &Trace, wanted: Wanted, job: &Job) -> Result<(), String> {
    let path = arguments.trace.display();
    for misfit in misfits(trace, wanted) {
        match misfit.weight {
            Weight::Error => return Err(format!("{path}: {}", misfit.text)),
            Weight::Doubt if !arguments.anyway => return Err(format!("{path}: {} (--anyway goes on)", misfit.text)),
            Weight::Doubt | Weight::Note if job.speaks_for_its_machine && !arguments.quiet => {
                eprintln!("mpitrace: {}", misfit.text);
            }
            Weight::Doubt | Weight::Note => {}
        }
    }
    Ok(())
}

/// The courses of these ranks, each with the name of its file.
fn courses(trace: &Trace, ranks: std::ops::Range<u32>, orders: Option<&Orders>) -> Vec<(String, Vec<u8>)> {
    let sources = SourceFiles::new(trace, None);
    let place = |call: &Call| call.frame().map_or_else(String::new, |frame| sources.stack(frame).line().to_string());
    let recorded = replay::fingerprint(trace);
    let course = |rank| Course { recorded, ..Course::under(trace, rank, place, orders) };
    ranks.map(|rank| (settings::course_of(rank), course(rank).to_bytes())).collect()
}

/// What a schedule makes of the recorded calls.
fn orders(trace: &Trace, schedule: &Schedule) -> Orders {
    let forced = sim::forced::follow(trace, schedule);
    let members = members(trace);
    let rank_in = |comm: i64, rank: u32| match members.get(&comm) {
        Some(members) => members.iter().position(|&member| member == i64::from(rank)).and_then(|at| i64::try_from(at).ok()),
        None => (comm == COMM_WORLD).then(|| i64::from(rank)),
    };
    let key = |place: Place| (place.lane as usize, place.event as usize);
    let message = |message: &Message| {
        let sender = trace.lanes.get(message.send.lane as usize)?.rank?;
        Some((key(message.receive), course::take(rank_in(message.comm, sender)?, message.tag)))
    };
    let mut orders: Orders = forced.messages.iter().filter_map(message).collect();
    orders.extend(forced.held.iter().map(|place| (key(*place), Order::Synchronous)));
    if forced.sends_wait {
        let calls = trace.lanes.iter().enumerate();
        let calls = calls.flat_map(|(lane, l)| l.events.iter().enumerate().map(move |(at, event)| ((lane, at), event.call)));
        let sends = calls.filter(|(_, call)| matches!(trace.call(*call).function, mpi::SEND | mpi::ISEND));
        orders.extend(sends.map(|(place, _)| (place, Order::Synchronous)));
    }
    orders
}

/// The members of each communicator that the program made, as a receiver names them.
fn members(trace: &Trace) -> HashMap<i64, Vec<i64>> {
    let events = trace.lanes.iter().flat_map(|lane| &lane.events);
    let made = events.filter_map(|event| {
        let outcome = trace.outcome(event.outcome?);
        let (id, local, remote) = outcome.new_communicator(trace.call(event.call).function)?;
        let members = if remote.is_empty() { local } else { remote };
        Some((id, members.iter().map(|&member| trace.rank_of(member)).collect()))
    });
    made.collect()
}
