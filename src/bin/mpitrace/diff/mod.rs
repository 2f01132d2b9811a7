//! `mpitrace diff`: where the control flow of two runs of a program parts, why, and what MPI made otherwise without any consequence.
//!
//! The threads are compared by `replay::comparison`; which calls can have had a part in what, is `sim`'s to say. Here the reason of each parting is
//! looked for (`cause`), and all of it becomes text (`text`) or JSON (`json`).

mod cause;
mod json;
mod text;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ColorChoice, ValueEnum};
use mpitrace::{exit, opening, terminal};
use replay::comparison::{self, Difference, Polled, Side, Thread};
use replay::fit::{self, Wanted, Weight};
use traces::symbols::Resolver;
use traces::{Call, Ending, Event, SiteId, Trace};

use cause::Cause;

const EXAMPLES: &str = "\
Examples:
  mpitrace diff good.msgpack bad.msgpack            where two runs of the same program part, and why
  mpitrace diff --polls a.msgpack b.msgpack         polls that found nothing another number of times count, too
  mpitrace diff --format json a.msgpack b.msgpack | jq '.partings[0]'

What is compared:
  Of each rank the calls one after the other: function, arguments, and the line that made them. Handles are compared by the order in which
  the program made them, addresses and times not at all. What MPI was free to choose is told apart: whose message a wildcard took,
  which requests completed first, and, with --polls, how often a poll found nothing.

Fields of the JSON (schema 1):
  schema, traces[], ranks, calls, same, notes[]
  partings[]  rank, thread, calls[] (of either run: index, text, location; null where it makes no further call), cause
  cause       kind (message, completion, poll, parting, data, unknown), text, rank, calls[], outcomes[]
  outcomes[]  rank, thread, times, matters, calls[], outcomes[]: the first of each line and rank
  polls[]     rank, thread, calls[], times[]

Exit codes:
  0  the runs are the same
  1  they differ
  2  the command line makes no sense, or the runs cannot be compared
  3  a trace cannot be read";

/// Say where the control flow of two runs of a program parts, and why
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The trace of one run, or the directory of its segments
    one: PathBuf,
    /// That of the other
    other: PathBuf,
    /// Let it count how often polls found nothing
    #[arg(long)]
    polls: bool,
    /// Show every parting and every outcome that differs, not only those that come first
    #[arg(long)]
    all: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Whether to colour the text
    #[arg(long, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Prints it.
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut opened = Vec::new();
    for path in [&arguments.one, &arguments.other] {
        match opening::open(Some(path)) {
            Ok((path, trace)) => opened.push((path, trace)),
            Err(error) => {
                eprintln!("mpitrace: {error}");
                return ExitCode::from(exit::UNREADABLE);
            }
        }
    }
    let [(one, a), (other, b)] = &opened[..] else { return ExitCode::from(exit::USAGE) };
    if let Some(reason) = misfit([(one, a), (other, b)]) {
        eprintln!("mpitrace: {reason}");
        return ExitCode::from(exit::USAGE);
    }
    let names = [one, other].map(|path| path.display().to_string());
    let comparison = Comparison::new(names, [a, b], arguments.polls);
    let out = match arguments.format {
        Format::Text => text::render(&comparison, &terminal::style(arguments.color, false), arguments.all),
        Format::Json => json::render(&comparison),
    };
    match terminal::write(&out, None) {
        Ok(()) if comparison.is_same() => ExitCode::from(exit::SUCCESS),
        Ok(()) => ExitCode::from(exit::FINDINGS),
        Err(error) => {
            eprintln!("mpitrace: standard output: {error}");
            ExitCode::from(exit::USAGE)
        }
    }
}

/// Why two traces cannot be compared.
fn misfit(traces: [(&Path, &Trace); 2]) -> Option<String> {
    let [(one, a), (other, b)] = traces;
    if a.world_size != b.world_size {
        let (one, other) = (one.display(), other.display());
        return Some(format!(
            "{one} is of {} ranks and {other} of {}: only runs of as many ranks can be compared",
            a.world_size, b.world_size
        ));
    }
    let cut = traces.iter().find(|(_, trace)| trace.lanes.iter().any(|lane| lane.cut.is_some()));
    cut.map(|(path, _)| {
        format!("{}: the first calls are not in it (--last), and with them begins the comparison", path.display())
    })
}

/// Two runs, compared.
struct Comparison<'t> {
    names: [String; 2],
    traces: [&'t Trace; 2],
    lines: [Vec<Line>; 2],
    threads: Vec<Thread>,
    partings: Vec<Parted>,
    /// What could not be compared, and why.
    notes: Vec<String>,
    /// Whether it counts how often polls found nothing.
    counts_polls: bool,
}

/// A thread whose calls part.
struct Parted {
    /// Its number in [`Comparison::threads`].
    thread: usize,
    /// Why, as far as it is known.
    cause: Cause,
}

/// A place in the program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Line {
    text: String,
    /// Whether it is a line of a source file; else it is an address.
    is_source: bool,
}

/// The places of a trace, by site.
fn lines(trace: &Trace) -> Vec<Line> {
    let resolver = Resolver::new(trace);
    let sites = 0..u32::try_from(trace.sites.len()).unwrap_or(0);
    let line = |site| {
        let location = resolver.resolve(SiteId(site));
        match location.file.as_deref().zip(location.line) {
            Some((file, line)) => Line { text: format!("{file}:{line}"), is_source: true },
            None => Line { text: format!("{}+{:#x}", location.object, location.offset), is_source: false },
        }
    };
    sites.map(line).collect()
}

/// The places of both traces as numbers that they have in common: by line where there is one on both sides, else by the address in the same file of
/// machine code. Of a program that was built anew without lines, nothing is known.
fn common(traces: [&Trace; 2], lines: &[Vec<Line>; 2]) -> [Vec<Option<u32>>; 2] {
    let builds = traces.map(|trace| trace.objects.iter().map(|object| object.build_id.as_ref()).collect::<Vec<_>>());
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut places = [0, 1].map(|at| {
        let sites = traces[at].sites.iter().zip(&lines[at]);
        let place = |(site, line): (&traces::Site, &Line)| {
            let build = builds[at].get(site.object as usize).copied().filter(|build| !build.is_empty());
            let is_common = build.is_some_and(|build| builds[1 - at].contains(&build));
            let key = match (line.is_source, is_common) {
                (true, _) => line.text.clone(),
                (false, true) => format!("{}+{}", build.unwrap_or_default(), site.offset),
                (false, false) => return None,
            };
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            Some(*numbers.entry(key).or_insert(next))
        };
        sites.map(place).collect::<Vec<Option<u32>>>()
    });
    // A place that one side only knows by line, and the other only by address, is not comparable: neither side of such a build is.
    let has_lines = lines.each_ref().map(|lines| lines.iter().any(|line| line.is_source));
    if has_lines[0] != has_lines[1] && !builds[0].iter().any(|build| !build.is_empty() && builds[1].contains(build)) {
        places.iter_mut().for_each(|list| list.fill(None));
    }
    places
}

impl<'t> Comparison<'t> {
    fn new(names: [String; 2], traces: [&'t Trace; 2], counts_polls: bool) -> Comparison<'t> {
        let lines = traces.map(lines);
        let places = common(traces, &lines);
        let sides = [0, 1].map(|at| Side { trace: traces[at], places: &places[at] });
        let mut threads = comparison::compare(sides);
        let mut notes = Vec::new();
        for thread in &mut threads {
            notes.extend(without_end(&names, traces, thread));
        }
        notes.extend(only_one(&names, sides));
        notes.extend(other_program(&names[0], traces));
        for (name, trace) in names.iter().zip(traces) {
            notes.extend(trace.damage.iter().map(|damage| format!("{name}: {damage}")));
        }
        let partings = cause::find(sides, &threads);
        Comparison { names, traces, lines, threads, partings, notes, counts_polls }
    }

    /// Whether nothing differs that counts.
    fn is_same(&self) -> bool {
        let has_none = |thread: &Thread| thread.outcomes.is_empty() && (thread.polls.is_empty() || !self.counts_polls);
        self.partings.is_empty() && self.threads.iter().all(has_none)
    }

    /// How many calls were compared and are the same.
    fn calls(&self) -> u64 {
        self.threads.iter().map(|thread| thread.calls).sum()
    }

    fn event(&self, side: usize, thread: &Thread, event: usize) -> &'t Event {
        &self.traces[side].lanes[thread.lanes[side]].events[event]
    }

    fn call(&self, side: usize, thread: &Thread, event: usize) -> &'t Call {
        self.traces[side].call(self.event(side, thread, event).call)
    }

    /// `halo.c:12`.
    fn line(&self, side: usize, call: &Call) -> Option<&str> {
        call.site.and_then(|site| self.lines[side].get(site.0 as usize)).map(|line| line.text.as_str())
    }

    /// The partings, those together that part at the same lines for the same reason: the first, and the threads that do likewise.
    fn partings(&self) -> Vec<(&Parted, Vec<usize>)> {
        let key = |parted: &Parted| {
            let thread = &self.threads[parted.thread];
            let events = thread.parting.as_ref().map(|parting| parting.events).unwrap_or_default();
            let lines = [0, 1].map(|side| events[side].map(|event| self.named(side, self.call(side, thread, event))));
            let cause = match &parted.cause {
                Cause::Parting { thread } => Some(*thread),
                _ => None,
            };
            (lines, std::mem::discriminant(&parted.cause), cause)
        };
        let mut list: Vec<(&Parted, Vec<usize>)> = Vec::new();
        let mut known = HashMap::new();
        for parted in &self.partings {
            let at = *known.entry(key(parted)).or_insert(list.len());
            match list.get_mut(at) {
                Some((_, others)) => others.push(parted.thread),
                None => list.push((parted, Vec::new())),
            }
        }
        list
    }

    /// `MPI_Recv at halo.c:12`.
    fn named(&self, side: usize, call: &Call) -> String {
        let name = self.traces[side].name_of(call);
        self.line(side, call).map_or_else(|| name.clone(), |line| format!("{name} at {line}"))
    }

    /// The outcomes that differ, without a repeated line and rank: the first of each, and how often.
    fn outcomes(&self) -> Vec<Repeated<'_, Difference>> {
        let all =
            self.threads.iter().flat_map(|thread| thread.outcomes.iter().map(move |one| (thread, one, one.events.map(Some))));
        self.gather(all, |one, other| one.is_alike == other.is_alike)
    }

    /// Likewise the polls.
    fn polls(&self) -> Vec<Repeated<'_, Polled>> {
        let all = self.threads.iter().flat_map(|thread| thread.polls.iter().map(move |one| (thread, one, one.events)));
        self.gather(all, |_, _| true)
    }

    fn gather<'c, T>(
        &'c self,
        all: impl Iterator<Item = (&'c Thread, &'c T, [Option<usize>; 2])>,
        is_like: impl Fn(&T, &T) -> bool,
    ) -> Vec<Repeated<'c, T>> {
        let mut list: Vec<Repeated<T>> = Vec::new();
        let mut known: HashMap<Key, Vec<usize>> = HashMap::new();
        for (thread, what, events) in all {
            let site = |side: usize| self.call(side, thread, events[side]?).site;
            let of_line = known.entry((thread.rank, thread.thread, [site(0), site(1)])).or_default();
            match of_line.iter().find(|at| is_like(list[**at].what, what)) {
                Some(at) => list[*at].times += 1,
                None => {
                    of_line.push(list.len());
                    list.push(Repeated { thread, what, times: 1 });
                }
            }
        }
        list
    }
}

/// A thread, and a line of it in either run.
type Key = (u32, u32, [Option<SiteId>; 2]);

/// Something that differs at one line of one thread.
struct Repeated<'c, T> {
    thread: &'c Thread,
    /// The first time.
    what: &'c T,
    times: u64,
}

/// A thread that only parts because the recording of one run ends there, which is no difference between the programs; or that both end before
/// their end. Gives what is to be said of it.
fn without_end(names: &[String; 2], traces: [&Trace; 2], thread: &mut Thread) -> Option<String> {
    let parting = thread.parting.as_ref()?;
    let side = parting.events.iter().position(Option::is_none)?;
    let lane = &traces[side].lanes[thread.lanes[side]];
    let process = traces[side].processes.get(lane.process as usize)?;
    let is_cut = !traces[side].damage.is_empty() || !process.stopped.is_empty() || process.is_running;
    if !is_cut || process.ending != Ending::Unfinished {
        return None;
    }
    thread.parting = None;
    let (name, rank, calls) = (&names[side], thread.rank, thread.calls);
    Some(format!("{name} has no more of rank {rank} than its first {calls} calls that are compared: what comes then is not"))
}

/// That the runs are of different programs, or of other arguments, if they are.
fn other_program(name: &str, [one, other]: [&Trace; 2]) -> Option<String> {
    let command = other.processes.iter().find(|process| process.rank == Some(0)).map(|process| process.command.as_slice());
    let misfits = fit::misfits(one, Wanted { ranks: None, command });
    let doubt = misfits.into_iter().find(|misfit| misfit.weight == Weight::Doubt)?;
    let is = command.map(|command| format!(", the other of {}", command.join(" "))).unwrap_or_default();
    Some(format!("{name}: {}{is}", doubt.text))
}

/// Threads that only one run has.
fn only_one(names: &[String; 2], sides: [Side; 2]) -> Vec<String> {
    let lists = comparison::alone(sides);
    let text = |(name, list): (&String, Vec<(u32, u32)>)| {
        let who: Vec<String> = list.iter().map(|(rank, thread)| format!("rank {rank}, thread {thread}")).collect();
        (!who.is_empty()).then(|| format!("only {name} has calls of {}", who.join("; ")))
    };
    names.iter().zip(lists).filter_map(text).collect()
}
