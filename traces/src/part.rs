//! What one process recorded: its record and its chunks, on the way from segments to a trace file.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Error;
use crate::record::{Chunk, ProcessRecord, Record};
use crate::segment::Ring;
use crate::trace::Ending;

/// What one process recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// The process.
    pub process: ProcessRecord,
    /// Its calls; the chunks of a thread in their order.
    pub chunks: Vec<Chunk>,
}

impl Part {
    /// The part as a row of records, to be sent to who writes the file. `number` is the process's in that file.
    #[must_use]
    pub fn to_bytes(&self, number: u32) -> Vec<u8> {
        let mut bytes = Record::Process(self.process.clone()).to_bytes();
        for chunk in &self.chunks {
            bytes.extend(Record::Chunk(Chunk { process: number, ..chunk.clone() }).to_bytes());
        }
        bytes
    }

    /// The part that [`Part::to_bytes`] made, as far as it can be read.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Part {
        let mut part = Part::default();
        for record in records(bytes).map_while(Result::ok) {
            match record.1 {
                Record::Process(process) => part.process = process,
                Record::Chunk(chunk) => part.chunks.push(chunk),
                Record::Mpitrace(_) | Record::Index(_) => {}
            }
        }
        part
    }

    /// Adds the calls of a thread: those in its `*.chunks`, and those still in its ring.
    pub fn add_thread(&mut self, ring: &Ring<impl std::ops::Deref<Target = [u8]>>, chunks: &[u8]) {
        let found = records(chunks).map_while(Result::ok).filter_map(|(_, record)| match record {
            Record::Chunk(chunk) => Some(Chunk { thread: ring.thread(), ..chunk }),
            _ => None,
        });
        self.chunks.extend(found);
        if ring.has_ended() {
            self.process.ended_threads.push(ring.thread());
        }
        // A process that is killed between saving its ring and emptying it leaves the same calls twice.
        let saved = self.chunks.last().filter(|c| c.thread == ring.thread()).map(|c| c.first);
        self.chunks.extend(ring.chunk(0).filter(|c| saved != Some(c.first)));
    }
}

/// The records in these bytes, each with its offset. The first that cannot be read is an error, with its offset, and the last.
pub(crate) fn records(bytes: &[u8]) -> impl Iterator<Item = Result<(u64, Record), (u64, String)>> + '_ {
    let mut at = 0;
    let mut broken = false;
    std::iter::from_fn(move || {
        let rest = &bytes[at..];
        // The index is followed by a plain number, its offset, which ends the file.
        if broken || rest.is_empty() || rest[0] == rmp::Marker::U64.to_u8() {
            return None;
        }
        let mut cursor = Cursor::new(rest);
        let record = rmp_serde::from_read::<_, Record>(&mut cursor);
        let offset = at as u64;
        at += usize::try_from(cursor.position()).unwrap_or(rest.len()).min(rest.len());
        broken = record.is_err();
        Some(record.map(|r| (offset, r)).map_err(|e| (offset, e.to_string())))
    })
}

/// The parts that lie in a directory, as segments or as other hosts have sent them, by rank.
///
/// # Errors
/// If the directory cannot be read or holds no part.
pub fn in_directory(directory: &Path) -> Result<Vec<Part>, Error> {
    let mut parts = of_rings(&files(directory, "ring")?)?;
    for path in files(directory, "part")? {
        parts.push(Part::from_bytes(&fs::read(&path).map_err(Error::io(&path))?));
    }
    if parts.is_empty() {
        return Err(Error::NoSegments { path: directory.to_owned() });
    }
    parts.sort_by_key(|p| (p.process.rank.is_none(), p.process.rank, p.process.pid));
    Ok(parts)
}

/// The part of one process, whose segments in a directory are named so; None if there is none.
///
/// # Errors
/// If a segment cannot be read.
pub fn of_process(directory: &Path, name: &str) -> Result<Option<Part>, Error> {
    let mut rings = files(directory, "ring")?;
    rings.retain(|path| process_name(path) == Some(name));
    Ok(of_rings(&rings)?.pop())
}

/// What the names of a process's segments have in common: `HOST-PID` of `HOST-PID-THREAD.ring`.
#[must_use]
pub fn process_name(segment: &Path) -> Option<&str> {
    Some(segment.file_stem()?.to_str()?.rsplit_once('-')?.0)
}

/// The files of a directory with this extension, in the order of their names.
///
/// # Errors
/// If the directory cannot be read.
pub fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(directory).map_err(Error::io(directory))?;
    let paths = entries.filter_map(|e| Some(e.ok()?.path()));
    let mut files: Vec<PathBuf> = paths.filter(|p| p.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    Ok(files)
}

fn of_rings(rings: &[PathBuf]) -> Result<Vec<Part>, Error> {
    let mut parts: Vec<Part> = Vec::new();
    for path in rings {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let Some(ring) = Ring::open(&bytes[..]) else { continue };
        let chunks = fs::read(path.with_extension("chunks")).unwrap_or_default();
        let process = ring.process();
        let same = |p: &Part| p.process.pid == process.pid && p.process.host == process.host;
        match parts.iter_mut().find(|p| same(p)) {
            Some(part) => {
                part.process.ending = part.process.ending.max(process.ending);
                if part.process.stopped.is_empty() {
                    part.process.stopped = process.stopped;
                }
                part.add_thread(&ring, &chunks);
            }
            None => {
                let ended_ns = ended_ns(&process);
                let mut part = Part { process: ProcessRecord { ended_ns, ..process }, chunks: Vec::new() };
                part.add_thread(&ring, &chunks);
                parts.push(part);
            }
        }
    }
    Ok(parts)
}

/// When a process was last known to be alive: now, if it is or has just been; 0 if that cannot be said.
fn ended_ns(process: &ProcessRecord) -> u64 {
    if process.ending == Ending::Finalized {
        return 0;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    let here = fs::read_to_string("/proc/sys/kernel/hostname").is_ok_and(|h| h.trim() == process.host);
    if here && Path::new(&format!("/proc/{}", process.pid)).exists() { now.saturating_sub(process.clock.realtime_ns) } else { 0 }
}
