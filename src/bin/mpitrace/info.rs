//! `mpitrace info`: what a trace holds, on one screen.
//!
//! It says who ran and how they ended, not what is wrong with it: that is `mpisim check`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use mpitrace::number::{count, duration};
use mpitrace::{exit, opening, terminal};
use sim::report::ranks;
use traces::payload::Keep;
use traces::store::Contents;
use traces::symbols::Resolver;
use traces::{Ending, Function, Lane, Trace, mpi};

/// The functions that are listed.
const FUNCTIONS_MAX: usize = 10;
/// The lines of a kind, such as hosts: thousands of ranks fit on the screen of four.
const LINES_MAX: usize = 8;

/// Say what a trace holds: ranks, calls, duration, how each rank ended
#[derive(Debug, Args)]
pub struct Arguments {
    /// The trace, or the directory of segments of a run that has not ended; trace.msgpack if nothing is said
    trace: Option<PathBuf>,
    /// Show every program, host and way to end, with all its ranks, not only those that come first
    #[arg(long)]
    all: bool,
}

/// Prints it.
pub fn run(arguments: &Arguments) -> ExitCode {
    match opening::open(arguments.trace.as_deref()) {
        Ok((path, trace)) => match terminal::write(&text(&path, &trace, arguments.all), None) {
            Ok(()) => ExitCode::from(exit::SUCCESS),
            Err(error) => {
                eprintln!("mpitrace: standard output: {error}");
                ExitCode::from(exit::USAGE)
            }
        },
        Err(error) => {
            eprintln!("mpitrace: {error}");
            ExitCode::from(exit::UNREADABLE)
        }
    }
}

fn text(path: &Path, trace: &Trace, shows_all: bool) -> String {
    let mut out = String::new();
    let mut lines = |head: &str, all: Vec<String>| {
        let shown = if shows_all { all.len() } else { all.len().min(LINES_MAX) };
        let more = (shown < all.len()).then(|| format!("and {} more: --all shows them", all.len() - shown));
        for line in all[..shown].iter().chain(&more) {
            writeln!(out, "{head:10}{line}").expect("writing to a string succeeds");
        }
    };
    lines("trace", vec![path.display().to_string()]);
    lines("ranks", vec![ranks_text(trace)]);
    lines("calls", vec![format!("{} in {}", count(trace.event_count()), duration(trace.end_ns()))]);
    lines("program", distinct(trace, |p| p.command.join(" ")));
    lines("library", distinct(trace, |p| p.library.split_whitespace().collect::<Vec<_>>().join(" ")));
    lines("host", hosts(trace, shows_all));
    lines("ended", endings(trace, shows_all));
    lines("payload", vec![payload(path, trace)]);
    lines("choices", vec![choices(trace)]);
    lines("missing", trace.damage.clone());
    out + &functions(trace)
}

/// What is kept of the data that was sent and received.
fn payload(path: &Path, trace: &Trace) -> String {
    let keeps = |keep: Keep| trace.processes.iter().any(|process| process.payload == keep);
    if keeps(Keep::Full) {
        let (contents, bytes) = Contents::open(path).map(|contents| contents.volume()).unwrap_or_default();
        return format!(
            "all that was received: {} contents of {} bytes together, and digests",
            count(contents as u64),
            count(bytes)
        );
    }
    if keeps(Keep::Digest) { "digests" } else { "none" }.to_owned()
}

/// What MPI chose, and the fingerprint of it, by which two runs can be compared that had a choice.
fn choices(trace: &Trace) -> String {
    match trace.lanes.iter().map(|l| replay::choices(trace, l).count()).sum::<usize>() {
        0 => "none: MPI had nothing to choose, such as which message a wildcard receives".to_owned(),
        choices => {
            let fingerprint = replay::fingerprint(trace);
            format!("{} that MPI was free to make; fingerprint of the run: {fingerprint:016x}", count(choices as u64))
        }
    }
}

fn ranks_text(trace: &Trace) -> String {
    let recorded = trace.processes.iter().filter_map(|p| p.rank).collect::<BTreeSet<_>>().len();
    let number = match trace.world_size as usize {
        0 => format!("no process came to the end of MPI_Init ({} began)", trace.processes.len()),
        all if all == recorded => all.to_string(),
        all => format!("{recorded} of {all}"),
    };
    let spawned: Vec<u32> = trace.spawned.first().map_or_else(Vec::new, |world| (world.first..trace.world_size).collect());
    if spawned.is_empty() { number } else { format!("{number}; {} by MPI_Comm_spawn", ranks::list(&spawned)) }
}

fn distinct(trace: &Trace, property: impl Fn(&traces::Process) -> String) -> Vec<String> {
    let all: BTreeSet<String> = trace.processes.iter().map(property).filter(|text| !text.is_empty()).collect();
    all.into_iter().collect()
}

/// The hosts, each with its ranks.
fn hosts(trace: &Trace, shows_all: bool) -> Vec<String> {
    let mut hosts: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for process in trace.processes.iter().filter(|p| !p.host.is_empty()) {
        hosts.entry(&process.host).or_default().extend(process.rank);
    }
    let host = |(host, there): (&str, Vec<u32>)| match there.is_empty() {
        true => host.to_owned(),
        false => format!("{host} ({})", who(&there, shows_all)),
    };
    hosts.into_iter().map(host).collect()
}

fn who(there: &[u32], shows_all: bool) -> String {
    if shows_all { ranks::list(there) } else { ranks::line(there) }
}

/// How the processes ended, those that ended alike on one line: the roll call of a run that hung. Where most have ended comes first.
pub fn endings(trace: &Trace, shows_all: bool) -> Vec<String> {
    // A process has one lane or a few, side by side or not: looked for among all they would take the square of the ranks.
    let mut lanes: Vec<Vec<&Lane>> = vec![Vec::new(); trace.processes.len()];
    for lane in &trace.lanes {
        lanes.get_mut(lane.process as usize).into_iter().for_each(|own| own.push(lane));
    }
    let resolver = Resolver::new(trace);
    let mut groups: BTreeMap<String, (Vec<u32>, usize)> = BTreeMap::new();
    for (number, process) in trace.processes.iter().enumerate() {
        let how = match process.ending {
            Ending::Finalized => "with MPI_Finalize".to_owned(),
            Ending::Aborted => "with MPI_Abort".to_owned(),
            Ending::Unfinished if process.stopped.is_empty() => last_seen(trace, &lanes[number], &resolver),
            Ending::Unfinished => format!("not known, recording stopped: {}", process.stopped),
        };
        let (ranks, others) = groups.entry(how).or_default();
        match process.rank {
            Some(rank) => ranks.push(rank),
            None => *others += 1,
        }
    }
    let who = |ranks: &[u32], others: usize| match (ranks, others) {
        ([], n) => format!("{n} without a rank"),
        (ranks, 0) => who(ranks, shows_all),
        (ranks, n) => format!("{} and {n} without a rank", who(ranks, shows_all)),
    };
    let mut groups: Vec<(String, (Vec<u32>, usize))> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (ranks, others))| std::cmp::Reverse(ranks.len() + others));
    groups.iter().map(|(how, (ranks, others))| format!("{}: {how}", who(ranks, *others))).collect()
}

/// The calls that the threads of a process without an end were in when it was last seen, or what they called last.
fn last_seen(trace: &Trace, lanes: &[&Lane], resolver: &Resolver) -> String {
    let last: Vec<_> = lanes.iter().filter_map(|l| l.events.last()).collect();
    let place = |event: &traces::Event| {
        let call = trace.call(event.call);
        let line = call.frame().map(|frame| format!(" at {}", resolver.line(frame))).unwrap_or_default();
        format!("{}{line}", trace.name_of(call))
    };
    let within: Vec<String> = last.iter().filter(|e| e.outcome.is_none()).map(|e| place(e)).collect();
    let is_finalizing = last.iter().any(|e| e.outcome.is_none() && trace.call(e.call).function == mpi::FINALIZE);
    match (within.is_empty(), last.first()) {
        (false, _) if is_finalizing => format!("before MPI_Finalize returned, in {}", within.join(" and in ")),
        (false, _) => format!("without MPI_Finalize, in {}", within.join(" and in ")),
        (true, Some(event)) => format!("without MPI_Finalize, after {}", place(event)),
        (true, None) => "without MPI_Finalize, before its first call".to_owned(),
    }
}

/// The functions that took most time, over all ranks.
fn functions(trace: &Trace) -> String {
    let mut sums: HashMap<Function, (u64, u64)> = HashMap::new();
    for event in trace.lanes.iter().flat_map(|l| &l.events) {
        let (calls, time_ns) = sums.entry(trace.call(event.call).function).or_default();
        *calls += 1;
        *time_ns += event.duration_ns;
    }
    let all_ns = sums.values().map(|s| s.1).sum::<u64>().max(1);
    let mut rows: Vec<(Function, (u64, u64))> = sums.into_iter().collect();
    rows.sort_by_key(|(function, (_, time_ns))| (std::cmp::Reverse(*time_ns), *function));
    let mut out = format!("\n{:28} {:>12} {:>14} {:>7}\n", "function", "calls", "time, all ranks", "share");
    for (function, (calls, time_ns)) in rows.iter().take(FUNCTIONS_MAX) {
        let share = *time_ns as f64 / all_ns as f64 * 100.0;
        let (calls, time) = (count(*calls), duration(*time_ns));
        writeln!(out, "{:28} {calls:>12} {time:>15} {share:>6.1}%", function.name()).expect("writing to a string succeeds");
    }
    if rows.len() > FUNCTIONS_MAX {
        writeln!(out, "and {} more", rows.len() - FUNCTIONS_MAX).expect("writing to a string succeeds");
    }
    out
}

#[cfg(test)]
mod tests {
    use traces::{Process, TraceBuilder};

    use super::*;

    #[test]
    fn a_run_that_hung_shows_who_waits_where() {
        let mut builder = TraceBuilder::new();
        builder.world_size(3);
        for rank in 0..2 {
            let process = builder.process(Process {
                rank: Some(rank),
                host: "node1".to_owned(),
                command: vec!["./ring".to_owned(), "7".to_owned()],
                ..Process::default()
            });
            builder.lane(traces::Lane { process, rank: Some(rank), ..traces::Lane::default() });
        }
        for lane in 0..2 {
            builder.push(lane, mpi::INIT, 3, &[], Some(&[]));
        }
        builder.push(0, mpi::BARRIER, 7, &[], None);
        builder.damage("nothing was recorded of ranks [2] of 3".to_owned());
        let text = text(Path::new("t.msgpack"), &builder.finish(), false);
        for expected in [
            "ranks     2 of 3\n",
            "calls     3 in 3.000 µs\n",
            "program   ./ring 7\n",
            "host      node1 (ranks 0, 1)\n",
            "ended     rank 0: without MPI_Finalize, in MPI_Barrier at program+0x7 (file not found)\n",
            "ended     rank 1: without MPI_Finalize, after MPI_Init at program+0x3 (file not found)\n",
            "payload   digests\n",
            "choices   none: MPI had nothing to choose",
            "missing   nothing was recorded of ranks [2] of 3\n",
        ] {
            assert!(text.contains(expected), "no {expected:?} in:\n{text}");
        }
        let row = text.lines().find(|l| l.starts_with("MPI_Init ")).expect("a row of MPI_Init");
        assert_eq!(row.split_whitespace().collect::<Vec<_>>()[1..], ["2", "2.000", "µs", "66.7%"]);
    }

    #[test]
    fn thousands_of_ranks_fit_the_same_screen() {
        let mut builder = TraceBuilder::new();
        builder.world_size(4096);
        for rank in 0..4096 {
            let (host, command) = (format!("node{:04}", rank % 512), vec![format!("./part{rank}")]);
            let process = builder.process(Process { rank: Some(rank), host, command, ..Process::default() });
            builder.lane(traces::Lane { process, rank: Some(rank), ..traces::Lane::default() });
            builder.push(rank as usize, mpi::BARRIER, 1 + u64::from(rank % 40), &[], None);
        }
        let trace = builder.finish();
        let short = text(Path::new("t.msgpack"), &trace, false);
        let widest = short.lines().map(|line| line.chars().count()).max();
        assert!(short.lines().count() < 40 && widest < Some(160), "{short}");
        assert!(short.contains("host      and 504 more: --all shows them\n"), "{short}");
        assert!(short.contains("(ranks 0, 512, 1024, 1536, 2048, 2560, 3072, 3584)\n"), "{short}");
        assert!(
            short.contains("ended     ranks 0, 40, 80, 120, 160, 200, 240, 280 and 95 more: without MPI_Finalize"),
            "{short}"
        );
        let long = text(Path::new("t.msgpack"), &trace, true);
        assert!(long.lines().count() > 4096 + 512 && !long.contains("more"), "{long}");
    }

    #[test]
    fn who_hangs_in_finalize_did_call_it() {
        let mut builder = TraceBuilder::new();
        builder.world_size(1);
        let library = "MPICH Version:\t4.0.2".to_owned();
        let process = builder.process(Process { rank: Some(0), library, ..Process::default() });
        builder.lane(traces::Lane { process, rank: Some(0), ..traces::Lane::default() });
        builder.push(0, mpi::FINALIZE, 3, &[], None);
        let text = text(Path::new("t.msgpack"), &builder.finish(), false);
        assert!(text.contains("ended     rank 0: before MPI_Finalize returned, in MPI_Finalize at program+0x3"), "{text}");
        assert!(text.contains("library   MPICH Version: 4.0.2\n"), "{text}");
    }
}
