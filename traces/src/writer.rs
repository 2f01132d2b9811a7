//! Writes trace files: from a [`Trace`] in memory, or from what processes recorded.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::chunk::body_of;
use crate::error::Error;
use crate::part::{self, Part};
use crate::record::{Chunk, Clock, Header, Index, PayloadRecord, ProcessRecord, Record};
use crate::trace::{Ending, Trace, World};

/// Calls of a chunk that is made from a trace in memory.
const CHUNK_EVENTS: usize = 16 << 10;

/// A trace file being written. It takes its name only when it is whole: [`Writer::finish`].
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    unfinished: PathBuf,
    file: BufWriter<File>,
    offset: u64,
    processes: u32,
    index: Index,
}

/// What a finished file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Processes.
    pub processes: u32,
    /// Calls.
    pub calls: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Summary {
    /// What is said of a trace when it has been made.
    #[must_use]
    pub fn to_text(&self, path: &str) -> String {
        let Summary { processes, calls, bytes } = self;
        let kib = bytes.div_ceil(1024);
        let noun = if *processes == 1 { "rank" } else { "ranks" };
        format!("{path}: {processes} {noun}, {calls} calls, {kib} KiB. Next: mpisim check {path}")
    }
}

impl Writer {
    /// Begins a file at `path`, under another name until it is finished.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(path: &Path) -> Result<Writer, Error> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".unfinished-{}", std::process::id()));
        let unfinished = PathBuf::from(name);
        let file = File::create(&unfinished).map_err(Error::io(&unfinished))?;
        let mut writer = Writer {
            path: path.to_owned(),
            unfinished,
            file: BufWriter::with_capacity(1 << 20, file),
            offset: 0,
            processes: 0,
            index: Index::default(),
        };
        writer.record(&Record::Mpitrace(Header::default()))?;
        Ok(writer)
    }

    fn record(&mut self, record: &Record) -> Result<(), Error> {
        let bytes = record.to_bytes();
        self.file.write_all(&bytes).map_err(Error::io(&self.path))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Adds a process and its calls.
    ///
    /// # Errors
    /// If the file cannot take them.
    pub fn part(&mut self, part: Part) -> Result<(), Error> {
        let process = self.processes;
        self.processes += 1;
        self.record(&Record::Process(part.process))?;
        for piece in part.payloads {
            // What cannot be read any more is missing, which is no reason to lose the calls.
            if let Ok(payload) = piece.read() {
                self.record(&Record::Payload(PayloadRecord { process, ..payload }))?;
            }
        }
        for chunk in part.chunks {
            self.index.chunks.push((self.offset, process, chunk.thread, chunk.calls));
            self.record(&Record::Chunk(Chunk { process, ..chunk }))?;
        }
        Ok(())
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn finish(mut self) -> Result<Summary, Error> {
        let at = self.offset;
        let calls = self.index.chunks.iter().map(|c| u64::from(c.3)).sum();
        let index = std::mem::take(&mut self.index);
        self.record(&Record::Index(index))?;
        let mut last = Vec::with_capacity(9);
        rmp::encode::write_u64(&mut last, at).expect("writing to a Vec succeeds");
        self.file.write_all(&last).and_then(|()| self.file.flush()).map_err(Error::io(&self.path))?;
        fs::rename(&self.unfinished, &self.path).map_err(Error::io(&self.path))?;
        Ok(Summary { processes: self.processes, calls, bytes: self.offset + 9 })
    }
}

impl Drop for Writer {
    /// A file that was not finished is of no use to anybody; one that was has its name already.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// Merges the segments in `directory` into one file at `path`. The segments stay.
///
/// # Errors
/// If there are none, or the file cannot be written.
pub fn join(directory: &Path, path: &Path) -> Result<Summary, Error> {
    write_parts(path, part::in_directory(directory)?)
}

/// The same, if the segments are those of `processes` processes that all have finalized MPI: else something still runs, or another job
/// writes there too, and nothing is done.
///
/// # Errors
/// As [`join`].
pub fn join_finished(directory: &Path, path: &Path, processes: usize) -> Result<Option<Summary>, Error> {
    let parts = part::in_directory(directory)?;
    let finished = parts.len() == processes && parts.iter().all(|p| p.process.ending == Ending::Finalized);
    if finished { write_parts(path, parts).map(Some) } else { Ok(None) }
}

/// Writes a trace of these parts.
///
/// # Errors
/// If the file cannot be written.
pub fn write_parts(path: &Path, parts: Vec<Part>) -> Result<Summary, Error> {
    let mut writer = Writer::create(path)?;
    for part in parts {
        writer.part(part)?;
    }
    writer.finish()
}

/// Writes a trace.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, trace: &Trace) -> Result<Summary, Error> {
    let mut writer = Writer::create(path)?;
    for (number, process) in trace.processes.iter().enumerate() {
        let own = process.rank.map_or(0..trace.world_size, |rank| trace.world_of(rank));
        let number_of = |world: &World| (world.first == own.start).then_some(world.number);
        let record = ProcessRecord {
            rank: process.rank.map(|rank| rank - own.start),
            world_size: own.end - own.start,
            world: trace.spawned.iter().find_map(number_of).unwrap_or(0),
            host: process.host.clone(),
            pid: process.pid,
            library: process.library.clone(),
            command: process.command.clone(),
            ending: process.ending,
            clock: Clock::NANOSECONDS,
            ended_ns: trace.end_ns(),
            stopped: process.stopped.clone(),
            cuts: trace
                .lanes
                .iter()
                .filter(|l| l.process as usize == number)
                .filter_map(|l| Some((**l.cut.as_ref()?).clone()))
                .collect(),
            ended_threads: trace.lanes.iter().filter(|l| l.process as usize == number && l.ended).map(|l| l.thread).collect(),
            payload: process.payload,
            job: String::new(),
            tag_ub: process.tag_ub,
        };
        let mut chunks = Vec::new();
        for lane in trace.lanes.iter().filter(|l| l.process as usize == number) {
            for start in (0..lane.events.len()).step_by(CHUNK_EVENTS) {
                let events = start..lane.events.len().min(start + CHUNK_EVENTS);
                chunks.extend(body_of(trace, lane, events).pack(0, lane.thread));
            }
        }
        writer.part(Part { process: record, chunks, payloads: Vec::new() })?;
    }
    writer.finish()
}
