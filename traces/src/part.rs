//! What one process recorded: its record and its chunks, on the way from segments to a trace file.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustc_hash::FxHashMap;

use crate::cut::Cut;
use crate::error::Error;
use crate::record::{Chunk, PayloadRecord, ProcessRecord, Record, records};
use crate::segment::Ring;
use crate::store::Piece;
use crate::trace::Ending;

/// What one process recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// The process.
    pub process: ProcessRecord,
    /// Its calls; the chunks of a thread in their order.
    pub chunks: Vec<Chunk>,
    /// What it has received, if that was kept: where it lies.
    pub payloads: Vec<Piece>,
}

impl Part {
    /// The part as a row of records, to be sent to who writes the file. `number` is the process's in that file.
    #[must_use]
    pub fn to_bytes(&self, number: u32) -> Vec<u8> {
        let mut bytes = Record::Process(self.process.clone()).to_bytes();
        for payload in self.payloads.iter().filter_map(|piece| piece.read().ok()) {
            bytes.extend(Record::Payload(PayloadRecord { process: number, ..payload }).to_bytes());
        }
        for chunk in &self.chunks {
            bytes.extend(Record::Chunk(Chunk { process: number, ..chunk.clone() }).to_bytes());
        }
        bytes
    }

    /// The part that a file holds which has what [`Part::to_bytes`] gave, as far as it can be read.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn in_file(path: &Path) -> Result<Part, Error> {
        let file = File::open(path).map_err(Error::io(path))?;
        let path = Arc::new(path.to_owned());
        let mut part = Part::default();
        for found in records(BufReader::with_capacity(1 << 20, file)).map_while(Result::ok) {
            match found.record {
                Record::Process(process) => part.process = process,
                Record::Chunk(chunk) => part.chunks.push(chunk),
                Record::Payload(payload) => part.payloads.push(Piece::new(&path, (found.offset, found.bytes), &payload)),
                Record::Mpitrace(_) | Record::Index(_) => {}
            }
        }
        Ok(part)
    }

    /// Adds the calls of a thread: what its `*.cut` says of those that were dropped, those in its `*.older` and `*.chunks`, which need not
    /// exist, and those still in its ring.
    pub fn add_thread(&mut self, ring: &Ring<impl std::ops::Deref<Target = [u8]>>, files: &Path) {
        let mut dropped_until = None;
        let cut = fs::read(files.with_extension("cut")).unwrap_or_default();
        if let Some((cut, kept)) = Cut::from_bytes(&cut) {
            dropped_until = Some(cut.until);
            self.process.cuts.push(cut);
            self.chunks.extend(kept);
        }
        // A process that is killed between noting what it drops and dropping it has left both.
        let is_kept = |chunk: &Chunk| dropped_until.is_none_or(|until| chunk.first > until);
        for extension in ["older", "chunks"] {
            let path = Arc::new(files.with_extension(extension));
            let file = File::open(&*path).map(|file| BufReader::with_capacity(1 << 20, file));
            for found in file.into_iter().flat_map(records).map_while(Result::ok) {
                match found.record {
                    Record::Chunk(chunk) if is_kept(&chunk) => self.chunks.push(Chunk { thread: ring.thread(), ..chunk }),
                    Record::Payload(payload) => self.payloads.push(Piece::new(&path, (found.offset, found.bytes), &payload)),
                    _ => {}
                }
            }
        }
        if ring.has_ended() {
            self.process.ended_threads.push(ring.thread());
        }
        // A process that is killed between saving its ring and emptying it leaves the same calls twice.
        let saved = self.chunks.last().filter(|c| c.thread == ring.thread()).map(|c| c.first);
        self.chunks.extend(ring.chunk(0).filter(|c| saved != Some(c.first)));
    }
}

/// The parts that lie in a directory, as segments or as other hosts have sent them, by rank.
///
/// # Errors
/// If the directory cannot be read or holds no part.
pub fn in_directory(directory: &Path) -> Result<Vec<Part>, Error> {
    let mut parts = of_rings(&files(directory, "ring")?)?;
    for path in files(directory, "part")? {
        parts.push(Part::in_file(&path)?);
    }
    if parts.is_empty() {
        return Err(Error::NoSegments { path: directory.to_owned() });
    }
    sort(&mut parts);
    Ok(parts)
}

/// Brings parts into the order of a file: by world, in the order that the worlds came to be, and by rank.
pub fn sort(parts: &mut [Part]) {
    let mut births: FxHashMap<u32, u64> = FxHashMap::default();
    for process in parts.iter().map(|part| &part.process).filter(|process| process.world != 0) {
        let born = process.clock.realtime_ns + process.clock.first_ns;
        births.entry(process.world).and_modify(|first| *first = born.min(*first)).or_insert(born);
    }
    let birth = |p: &ProcessRecord| (births.get(&p.world).copied().unwrap_or(0), p.world);
    parts.sort_by_key(|Part { process: p, .. }| (p.rank.is_none(), birth(p), p.rank, p.pid));
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
        let process = ring.process();
        let same = |p: &Part| p.process.pid == process.pid && p.process.host == process.host;
        match parts.iter_mut().find(|p| same(p)) {
            Some(part) => {
                part.process.ending = part.process.ending.max(process.ending);
                // Only the thread that initialized MPI knows it, which need not be the first that called it.
                if part.process.rank.is_none() {
                    (part.process.rank, part.process.world_size) = (process.rank, process.world_size);
                    (part.process.world, part.process.tag_ub) = (process.world, process.tag_ub);
                }
                if part.process.stopped.is_empty() {
                    part.process.stopped = process.stopped;
                }
                part.add_thread(&ring, path);
            }
            None => {
                let ended_ns = ended_ns(&process);
                let mut part = Part { process: ProcessRecord { ended_ns, ..process }, ..Part::default() };
                part.add_thread(&ring, path);
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
