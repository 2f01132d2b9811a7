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
use crate::trace::{Ending, Lane, Process, Trace};

/// The first bytes of every trace file: a map of one entry with the key "mpitrace".
const MAGIC: &[u8] = b"\x81\xa8mpitrace";

/// Reads the trace at `path`.
///
/// # Errors
/// If there is no trace, or none that this program can read; the message says where and what to do.
pub fn open(path: &Path) -> Result<Trace, Error> {
    if path.is_dir() {
        let parts = part::in_directory(path)?;
        // Whoever reads the segments finds a time of the end only for a process that is there.
        let is_alive = |part: &Part| part.process.ended_ns > 0 && part.process.ending == Ending::Unfinished;
        let alive: Vec<bool> = parts.iter().map(is_alive).collect();
        let mut trace = assemble(path, parts, Vec::new())?;
        for (process, is_running) in trace.processes.iter_mut().zip(alive) {
            process.is_running = is_running;
        }
        return Ok(trace);
    }
    let (parts, damage) = parts_of_file(path)?;
    assemble(path, parts, damage)
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

fn assemble(path: &Path, parts: Vec<Part>, damage: Vec<String>) -> Result<Trace, Error> {
    let mut builder = TraceBuilder::new();
    damage.into_iter().for_each(|d| builder.damage(d));
    let first_of = |p: &Part| p.chunks.iter().map(|c| p.process.clock.shared_ns(c.first)).min();
    let origin_ns = parts.iter().filter_map(first_of).min().unwrap_or(0);
    builder.world_size(parts.iter().map(|p| p.process.world_size).max().unwrap_or(0));
    let mut ends_ns = Vec::new();
    for part in parts {
        let clock = part.process.clock;
        if part.process.ended_ns > 0 {
            ends_ns.push((clock.realtime_ns + part.process.ended_ns).saturating_sub(origin_ns));
        }
        let (rank, ended_threads) = (part.process.rank, part.process.ended_threads.clone());
        let number = builder.process(process_of(part.process));
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
        trace
            .damage
            .push(format!("the program switched the recording of {} off for a time, by MPI_Pcontrol", rank_list(&paused)));
    }
    incomplete_ranks(path, &mut trace);
    close_open_calls(&mut trace, ends_ns.into_iter().max().unwrap_or(0));
    Ok(trace)
}

fn process_of(record: ProcessRecord) -> Process {
    let ProcessRecord { rank, host, pid, library, command, ending, stopped, payload, .. } = record;
    Process { rank, host, pid, library, command, ending, stopped, is_running: false, payload }
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
