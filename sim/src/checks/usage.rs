//! What the state of a process forbids: calls before MPI_Init, a second MPI_Init, calls from a thread that may make none, buffered sends
//! without a buffer. The rules `usage/…`.

use traces::function::{Class, Function, Kind, mpi};
use traces::{Event, constant};

use super::gathered::Gathered;
use super::wording::{count, ranks};
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Place, Severity};
use crate::rules;

/// Calls of two threads that overlap by less are taken to follow each other: clocks of cores may differ.
const OVERLAP_NS: u64 = 1000;

/// Everything that the state of processes forbids.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let calls = Calls { evidence, functions: evidence.trace.calls.iter().map(|call| call.function.small()).collect() };
    let mut found = initialisation(&calls);
    found.extend(threads(&calls));
    if calls.functions.iter().any(|function| is_buffered(*function)) {
        found.extend(buffered_sends(&calls));
    }
    found
}

/// The calls of a trace, and the function of each distinct one.
struct Calls<'a> {
    evidence: Evidence<'a>,
    functions: Vec<Function>,
}

impl<'a> Calls<'a> {
    /// The calls of a lane with their places.
    fn of(&self, lane: usize) -> impl Iterator<Item = (Place, &'a Event, Function)> {
        let number = u32::try_from(lane).unwrap_or(u32::MAX);
        let events = self.evidence.trace.lanes[lane].events.iter().zip(0..);
        events.map(move |(event, at)| (Place { lane: number, event: at }, event, self.functions[event.call.0 as usize]))
    }
}

fn is_buffered(function: Function) -> bool {
    matches!(function, mpi::BSEND | mpi::IBSEND)
}

fn is_init(function: Function) -> bool {
    matches!(function, mpi::INIT | mpi::INIT_THREAD)
}

/// Whether a function may be called at any time, by any thread (MPI 5.0, 11.4.1 and 11.6.2).
fn is_always_allowed(function: Function) -> bool {
    let always = [
        mpi::INITIALIZED,
        mpi::FINALIZED,
        mpi::QUERY_THREAD,
        mpi::IS_THREAD_MAIN,
        mpi::WTIME,
        mpi::WTICK,
        mpi::ABORT,
        mpi::PCONTROL,
        mpi::ERROR_STRING,
        mpi::ERROR_CLASS,
        mpi::GET_PROCESSOR_NAME,
    ];
    always.contains(&function) || matches!(function.class(), Class::Info | Class::Session | Class::Errhandler | Class::Memory)
}

/// `usage/not-initialized` and `usage/initialized-twice`. Of a process that begins a session nothing is said: it needs no MPI_Init.
fn initialisation(calls: &Calls) -> Vec<Finding> {
    let evidence = calls.evidence;
    let mut early: Gathered<()> = Gathered::default();
    let mut twice: Gathered<()> = Gathered::default();
    if calls.functions.contains(&mpi::SESSION_INIT) {
        return Vec::new();
    }
    for (process, number) in evidence.trace.processes.iter().zip(0..) {
        let rank = process.rank.unwrap_or(u32::MAX);
        let lanes: Vec<usize> = (0..evidence.trace.lanes.len()).filter(|&l| evidence.trace.lanes[l].process == number).collect();
        let mut inits: Vec<(Place, u64)> = Vec::new();
        for &lane in &lanes {
            inits.extend(
                calls.of(lane).filter(|(.., function)| is_init(*function)).map(|(place, event, _)| (place, event.start_ns)),
            );
        }
        inits.sort_by_key(|(_, start)| *start);
        // The calls of a process that has a rank may have been recorded from later on.
        let begun = inits.first().map(|(_, start)| *start).or_else(|| process.rank.is_none().then_some(u64::MAX));
        let begun = begun.unwrap_or(0);
        let before = lanes.iter().flat_map(|&lane| calls.of(lane).take_while(|(_, event, _)| event.start_ns < begun));
        let forbidden = before.filter(|(.., function)| !is_always_allowed(*function));
        if let Some((place, ..)) = forbidden.min_by_key(|(_, event, _)| event.start_ns) {
            early.add(evidence, (), rank, place);
        }
        if let Some((place, _)) = inits.get(1) {
            twice.add(evidence, (), rank, *place);
        }
    }
    let told = |who: &[u32]| if who.contains(&u32::MAX) { "a process".to_owned() } else { ranks(who) };
    let early = early.groups().map(|group| {
        let title = format!("{} called {} before MPI_Init", told(&group.who()), evidence.function(group.first));
        let mut found = Finding::new(&rules::USAGE_NOT_INITIALIZED, Severity::Error, title);
        found.labels.push(primary(group.first, "MPI is not initialized yet".into()));
        found
    });
    let twice = twice.groups().map(|group| {
        let title =
            format!("{} called {} though MPI was initialized already", told(&group.who()), evidence.function(group.first));
        let mut found = Finding::new(&rules::USAGE_INITIALIZED_TWICE, Severity::Error, title);
        found.labels.push(primary(group.first, "initializes MPI once more".into()));
        found
    });
    early.chain(twice).collect()
}

/// `usage/thread-level`.
fn threads(calls: &Calls) -> Vec<Finding> {
    let evidence = calls.evidence;
    let mut found: Gathered<&'static str> = Gathered::default();
    for rank in 0..evidence.program.world_size {
        let lanes: Vec<usize> = evidence.trace.lanes_of(rank).filter(|&l| !evidence.trace.lanes[l].events.is_empty()).collect();
        if lanes.len() < 2 {
            continue;
        }
        let Some((main, level)) = lanes.iter().find_map(|&lane| Some((lane, level_of(calls, lane)?))) else { continue };
        let misuse = match level {
            "MPI_THREAD_MULTIPLE" => None,
            "MPI_THREAD_SERIALIZED" => overlap(calls, &lanes),
            _ => foreign_call(calls, &lanes, main),
        };
        if let Some(place) = misuse {
            found.add(evidence, level, rank, place);
        }
    }
    found.groups().map(|group| thread_finding(evidence, group.key, &group.who(), group.first)).collect()
}

/// The level of thread support that a lane's MPI_Init came back with, by name.
fn level_of(calls: &Calls, lane: usize) -> Option<&'static str> {
    let (_, event, function) = calls.of(lane).find(|(_, _, function)| is_init(*function))?;
    if function == mpi::INIT {
        return Some("MPI_THREAD_SINGLE");
    }
    let provided = calls.evidence.trace.outcome(event.outcome?).result(function, "provided").int()?;
    constant::find(Kind::Level, provided).map(|level| level.name)
}

/// The first call of another thread than the main one that only the main thread may make.
fn foreign_call(calls: &Calls, lanes: &[usize], main: usize) -> Option<Place> {
    let others = lanes.iter().filter(|&&lane| lane != main).flat_map(|&lane| calls.of(lane));
    let forbidden = others.filter(|(_, _, function)| !is_always_allowed(*function));
    forbidden.min_by_key(|(_, event, _)| event.start_ns).map(|(place, ..)| place)
}

/// The first call that was made while another thread was in one.
fn overlap(calls: &Calls, lanes: &[usize]) -> Option<Place> {
    let mut all: Vec<(Place, &Event, Function)> = lanes.iter().flat_map(|&lane| calls.of(lane)).collect();
    all.sort_by_key(|(_, event, _)| event.start_ns);
    // Polls that found nothing are one event, and between two of them other threads may call.
    let is_whole = |(_, _, function): &(Place, &Event, Function)| {
        let name = function.name();
        !is_always_allowed(*function)
            && !["MPI_Test", "MPI_Iprobe", "MPI_Improbe", "MPI_Parrived"].iter().any(|poll| name.starts_with(poll))
    };
    let mut latest: Option<(Place, u64)> = None;
    for (place, event, _) in all.into_iter().filter(is_whole) {
        if let Some((before, end)) = latest
            && before.lane != place.lane
            && event.start_ns + OVERLAP_NS < end
        {
            return Some(place);
        }
        if latest.is_none_or(|(_, end)| event.end_ns() > end) {
            latest = Some((place, event.end_ns()));
        }
    }
    None
}

fn thread_finding(evidence: Evidence, level: &str, who: &[u32], place: Place) -> Finding {
    let call = if who.len() == 1 { "calls" } else { "call" };
    let function = evidence.function(place);
    let (title, text) = if level == "MPI_THREAD_SERIALIZED" {
        (format!("{} {call} {function} while another thread is in MPI", ranks(who)), "is called while another thread is in MPI")
    } else {
        (
            format!("{} {call} {function} from a thread that must not call MPI", ranks(who)),
            "is called by another thread than the main one",
        )
    };
    let mut found = Finding::new(&rules::USAGE_THREAD_LEVEL, Severity::Error, title);
    found.labels.push(primary(place, text.into()));
    found.notes.push(format!("MPI was initialized with {level}"));
    found
}

/// `usage/bsend-buffer`.
fn buffered_sends(calls: &Calls) -> Vec<Finding> {
    let evidence = calls.evidence;
    let mut found: Gathered<(Option<i64>, Place, u64)> = Gathered::default();
    for rank in (0..evidence.program.world_size).filter(|&rank| !evidence.program.has_threads(rank)) {
        for lane in evidence.trace.lanes_of(rank) {
            if let Some((attached, sent, place)) = unbuffered(calls, lane) {
                found.add(evidence, (attached.map(|(size, _)| size), attached.map_or(place, |(_, at)| at), sent), rank, place);
            }
        }
    }
    found
        .groups()
        .map(|group| {
            let (size, attached, sent) = group.key;
            let calls = if group.who().len() == 1 { "calls" } else { "call" };
            let what = match size {
                None => "without an attached buffer".to_owned(),
                Some(size) => {
                    format!("for {} with a buffer of {}", count(sent, "byte"), count(u64::try_from(size).unwrap_or(0), "byte"))
                }
            };
            let title = format!("{} {calls} {} {what}", ranks(&group.who()), evidence.function(group.first));
            let mut found = Finding::new(&rules::USAGE_BSEND_BUFFER, Severity::Error, title);
            found.labels.push(primary(group.first, format!("needs room for {}", count(sent, "byte"))));
            if size.is_some() {
                found.labels.push(secondary(attached, "attached the buffer".into()));
            }
            found
        })
        .collect()
}

/// A buffer that is attached: its size, and where that was done.
type Attached = Option<(i64, Place)>;

/// The first buffered send of a lane that cannot have room: what was attached, its bytes, and where.
fn unbuffered(calls: &Calls, lane: usize) -> Option<(Attached, u64, Place)> {
    let evidence = calls.evidence;
    let process = evidence.trace.lanes[lane].process as usize;
    let mut attached: Attached = None;
    for (place, event, function) in calls.of(lane) {
        let call = evidence.trace.call(event.call);
        let failed = event.outcome.is_some_and(|outcome| evidence.trace.outcome(outcome).code != 0);
        match function {
            // A size of zero stands for a buffer that MPI makes itself (MPI_BUFFER_AUTOMATIC).
            mpi::BUFFER_ATTACH if call.int("size").is_none_or(|size| size <= 0) => return None,
            mpi::BUFFER_ATTACH if !failed => attached = call.int("size").map(|size| (size, place)),
            mpi::BUFFER_DETACH if !failed => attached = None,
            mpi::COMM_ATTACH_BUFFER | mpi::SESSION_ATTACH_BUFFER => return None,
            _ if is_buffered(function) && !failed && call.int("dest") != Some(constant::PROC_NULL) => {
                let datatypes = &evidence.lifted.datatypes[process.min(evidence.lifted.datatypes.len() - 1)];
                let bytes = datatypes.content(call.int("count"), call.int("datatype"), &evidence.program.layouts).bytes?;
                if attached.is_none_or(|(size, _)| u64::try_from(size).is_ok_and(|size| size < bytes)) {
                    return Some((attached, bytes, place));
                }
            }
            _ => {}
        }
    }
    None
}
