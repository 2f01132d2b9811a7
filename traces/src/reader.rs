//! Opens a trace: a file, or the directory of segments of a run that has not ended well.
//!
//! What is cut or damaged is read as far as it goes; [`Trace::damage`] says what is missing. Only what holds no call at all is an error.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::builder::TraceBuilder;
use crate::chunk::{Timeline, unpack};
use crate::error::Error;
use crate::part::{self, Part};
use crate::record::{Chunk, ProcessRecord, Record, VERSION, records};
use crate::trace::{Ending, Lane, Process, Trace, World};

/// The first bytes of every trace file: a map of one entry with the key "mpitrace".
const MAGIC: &[u8] = b"\x81\xa8mpitrace";

/// Reads the trace at `path`.
///
/// # Errors
/// If there is no trace, or none that this program can read; the message says where and what to do.
pub fn open(path: &Path) -> Result<Trace, Error> {
    let (parts, damage) = parts(path)?;
    // Whoever reads the segments finds a time of the end only for a process that is there.
    let is_alive = |part: &Part| path.is_dir() && part.process.ended_ns > 0 && part.process.ending == Ending::Unfinished;
    let alive: Vec<bool> = parts.iter().map(is_alive).collect();
    let mut trace = assemble(path, parts, damage)?;
    for (process, is_running) in trace.processes.iter_mut().zip(alive) {
        process.is_running = is_running;
    }
    Ok(trace)
}

/// The parts of the trace at `path`, a file or a directory, and what is missing of it.
///
/// # Errors
/// As [`open`].
pub fn parts(path: &Path) -> Result<(Vec<Part>, Vec<String>), Error> {
    if path.is_dir() {
        return Ok((part::in_directory(path)?, Vec::new()));
    }
    parts_of_file(path)
}

fn foreign(path: &Path, offset: u64, what: impl Into<String>) -> Error {
    Error::Foreign { path: path.to_owned(), offset, what: what.into() }
}

fn parts_of_file(path: &Path) -> Result<(Vec<Part>, Vec<String>), Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    let bytes = file.metadata().map_err(Error::io(path))?.len();
    let mut file = BufReader::with_capacity(1 << 20, file);
    let begin = file.fill_buf().map_err(Error::io(path))?;
    if begin.is_empty() {
        return Err(Error::Empty { path: path.to_owned() });
    }
    if !begin.starts_with(MAGIC) {
        let what = if MAGIC.starts_with(begin) {
            "it ends within its first ten bytes"
        } else {
            "it does not begin with the map {\"mpitrace\": …}"
        };
        return Err(foreign(path, 0, what));
    }
    let (mut parts, mut damage, mut whole): (Vec<Part>, Vec<String>, bool) = (Vec::new(), Vec::new(), false);
    for found in records(file) {
        match found.map(|found| (found.offset, found.record)) {
            Ok((offset, Record::Mpitrace(header))) if header.version > VERSION => {
                return Err(Error::TooNew { path: path.to_owned(), offset, found: header.version, known: VERSION });
            }
            Ok((_, Record::Mpitrace(_))) => {}
            Ok((_, Record::Process(process))) => parts.push(Part { process, ..Part::default() }),
            Ok((offset, Record::Chunk(chunk))) => match parts.get_mut(chunk.process as usize) {
                Some(part) => part.chunks.push(Chunk { offset, ..chunk }),
                None => {
                    damage.push(format!("{}: at byte {offset}: a chunk of a process that is not in the file", path.display()))
                }
            },
            Ok((_, Record::Payload(_))) => {}
            Ok((_, Record::Index(_))) => whole = true,
            Err((offset, what)) if offset == 0 => return Err(foreign(path, offset, format!("its header is damaged: {what}"))),
            Err((offset, _)) => {
                damage.push(format!("{}: at byte {offset}: cut or damaged; what follows is lost", path.display()))
            }
        }
    }
    if !whole && damage.is_empty() {
        damage.push(format!("{}: at byte {}: cut: the index that ends a trace is missing", path.display(), bytes));
    }
    if parts.is_empty() {
        return Err(foreign(path, bytes, "it is cut before the first process"));
    }
    Ok((parts, damage))
}

/// The trace that these parts are. The path is for messages.
///
/// # Errors
/// As [`open`].
pub fn assemble(path: &Path, parts: Vec<Part>, damage: Vec<String>) -> Result<Trace, Error> {
    let mut builder = TraceBuilder::new();
    damage.into_iter().for_each(|d| builder.damage(d));
    let origin_ns = origin_ns(&parts);
    let (size, spawned) = worlds(&parts);
    builder.world_size(size);
    builder.spawned(spawned.clone());
    let mut ends_ns = Vec::new();
    for mut part in parts {
        let clock = part.process.clock;
        if part.process.ended_ns > 0 {
            ends_ns.push((clock.realtime_ns + part.process.ended_ns).saturating_sub(origin_ns));
        }
        let first = spawned.iter().find(|world| world.number == part.process.world).map_or(0, |world| world.first);
        let rank = part.process.rank.map(|rank| first.saturating_add(rank));
        let ended_threads = part.process.ended_threads.clone();
        let cuts = std::mem::take(&mut part.process.cuts);
        let number = builder.process(process_of(part.process, rank));
        let timeline = Timeline::new(&clock, origin_ns);
        let mut lanes: Vec<(u32, usize)> = Vec::new();
        for chunk in &part.chunks {
            let lane = match lanes.iter().find(|(thread, _)| *thread == chunk.thread) {
                Some(&(_, lane)) => lane,
                None => {
                    let lane = builder.lane(Lane {
                        process: number,
                        rank,
                        thread: chunk.thread,
                        ended: ended_threads.contains(&chunk.thread),
                        cut: cuts.iter().find(|cut| cut.thread == chunk.thread).map(|cut| Box::new(cut.clone())),
                        ..Lane::default()
                    });
                    lanes.push((chunk.thread, lane));
                    lane
                }
            };
            if let Err(flaw) = unpack(chunk, &mut builder, lane, &timeline) {
                let (path, offset) = (path.display(), chunk.offset);
                let place = if offset > 0 { format!("{path}: at byte {offset}") } else { path.to_string() };
                builder.damage(format!("{place}: a chunk of process {number} is damaged, what follows of it is lost: {flaw}"));
                break;
            }
        }
    }
    let mut trace = builder.finish();
    missing_ranks(path, &mut trace);
    let paused = trace.paused_ranks();
    if !paused.is_empty() {
        let skipped = trace.skipped_calls().map(|count| format!(": {count} calls are missing")).unwrap_or_default();
        trace.damage.push(format!(
            "the program switched the recording of {} off for a time, by MPI_Pcontrol{skipped}",
            rank_list(&paused)
        ));
    }
    incomplete_ranks(path, &mut trace);
    dropped_calls(path, &mut trace);
    close_open_calls(&mut trace, ends_ns.into_iter().max().unwrap_or(0));
    Ok(trace)
}

/// Time 0 of the trace that these parts are, in ns of the real-time clock: its first call.
#[must_use]
pub fn origin_ns(parts: &[Part]) -> u64 {
    let first_of = |p: &Part| p.chunks.iter().map(|c| p.process.clock.shared_ns(c.first)).min();
    parts.iter().filter_map(first_of).min().unwrap_or(0)
}

/// The number of ranks of all worlds together, and the worlds that were started by others, as they stand in the file.
fn worlds(parts: &[Part]) -> (u32, Vec<World>) {
    let size_of = |world: u32| {
        let sizes = parts.iter().filter(|part| part.process.world == world).map(|part| part.process.world_size);
        sizes.max().unwrap_or(0)
    };
    let mut end = size_of(0);
    let mut spawned: Vec<World> = Vec::new();
    for number in parts.iter().map(|part| part.process.world).filter(|number| *number != 0) {
        if !spawned.iter().any(|world| world.number == number) {
            let size = size_of(number);
            spawned.push(World { number, first: end, size });
            end = end.saturating_add(size);
        }
    }
    (end, spawned)
}

fn process_of(record: ProcessRecord, rank: Option<u32>) -> Process {
    let ProcessRecord { host, pid, library, command, ending, stopped, payload, tag_ub, .. } = record;
    Process { rank, host, pid, library, command, ending, stopped, is_running: false, payload, tag_ub }
}

/// A process that ended within MPI_Init has no rank: it is one of the missing.
fn missing_ranks(path: &Path, trace: &mut Trace) {
    let missing: Vec<u32> = (0..trace.world_size).filter(|r| !trace.processes.iter().any(|p| p.rank == Some(*r))).collect();
    let early = trace.processes.iter().filter(|p| p.rank.is_none()).count();
    if !missing.is_empty() {
        let early = if early > 0 { format!(" ({early} ended before MPI_Init had returned)") } else { String::new() };
        trace.damage.push(format!(
            "{}: nothing was recorded of {} of {}{early}",
            path.display(),
            rank_list(&missing),
            trace.world_size
        ));
    }
}

/// Those whose recording stopped before they did, by the reason.
fn incomplete_ranks(path: &Path, trace: &mut Trace) {
    let mut reasons: BTreeMap<&str, Vec<&Process>> = BTreeMap::new();
    for process in trace.processes.iter().filter(|p| !p.stopped.is_empty()) {
        reasons.entry(&process.stopped).or_default().push(process);
    }
    let told = reasons.iter().map(|(reason, processes)| {
        let ranks: Vec<u32> = processes.iter().filter_map(|p| p.rank).collect();
        let who = if ranks.is_empty() { format!("process {}", processes[0].pid) } else { rank_list(&ranks) };
        format!("{}: the calls of {who} are not complete: {reason}", path.display())
    });
    let told: Vec<String> = told.collect();
    trace.damage.extend(told);
}

/// The calls that a recording dropped which keeps the newest.
fn dropped_calls(path: &Path, trace: &mut Trace) {
    let cuts = || trace.lanes.iter().filter_map(|lane| Some((lane.rank, lane.cut.as_ref()?.calls)));
    let mut ranks: Vec<u32> = cuts().filter_map(|(rank, _)| rank).collect();
    ranks.dedup();
    if cuts().next().is_some() {
        let calls: u64 = cuts().map(|(_, calls)| calls).sum();
        trace.damage.push(format!(
            "{}: the first {calls} calls of {} were dropped, as only the newest are kept (--last)",
            path.display(),
            rank_list(&ranks)
        ));
    }
}

/// `rank 3`, or `ranks 1, 4, 5 …`.
fn rank_list(ranks: &[u32]) -> String {
    const NAMED_MAX: usize = 8;
    let named: Vec<String> = ranks.iter().take(NAMED_MAX).map(u32::to_string).collect();
    let noun = if ranks.len() == 1 { "rank" } else { "ranks" };
    let more = if ranks.len() > NAMED_MAX { format!(" and {} more", ranks.len() - NAMED_MAX) } else { String::new() };
    format!("{noun} {}{more}", named.join(", "))
}

/// A call that never returned lasts until the last that is known of the run. Only the last calls of a lane can be such: MPI_Abort in
/// a callback leaves two.
fn close_open_calls(trace: &mut Trace, ended_ns: u64) {
    let end_ns = trace.end_ns().max(ended_ns);
    for lane in &mut trace.lanes {
        let finalized = trace.processes[lane.process as usize].ending == Ending::Finalized;
        for event in lane.events.iter_mut().rev().take(2).filter(|e| e.outcome.is_none() && !finalized) {
            event.duration_ns = end_ns.saturating_sub(event.start_ns);
        }
    }
}
