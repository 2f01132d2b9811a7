//! Keeps the bytes of what is received (`--payload full`): each distinct content once, in the thread's file of chunks, before the call that
//! refers to it is on record.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use rustc_hash::FxHashSet;
use traces::record::Record;
use traces::store::{PIECE_BYTES, pack};

use crate::payload::{Digester, Payload, Since};
use crate::process;

/// So many digests are remembered; then it begins anew, and keeps what it has kept already.
const KNOWN_MAX: usize = 1 << 16;

/// The contents that a thread has kept.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    file: Option<File>,
    known: FxHashSet<u64>,
    piece: Vec<u8>,
    has_failed: bool,
}

impl Store {
    /// One that appends to this file.
    pub fn new(path: PathBuf) -> Store {
        Store { path, file: None, known: FxHashSet::default(), piece: Vec::new(), has_failed: false }
    }

    /// Whether the file could not take a content, so that recording has stopped.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Keeps a content, whose digest was taken.
    pub fn keep(&mut self, digest: u64, blocks: &[Payload], len: u64, since: Since, digester: &mut Digester) {
        if digest == 0 || self.has_failed || self.known.contains(&digest) {
            return;
        }
        if let Err(error) = self.append(digest, blocks, len, since, digester) {
            self.has_failed = true;
            return process::stop_because(&format!("{}: {error}", self.path.display()));
        }
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(digest);
    }

    fn append(&mut self, digest: u64, blocks: &[Payload], len: u64, since: Since, digester: &mut Digester) -> io::Result<()> {
        let mut at = 0;
        while at < len {
            let end = len.min(at + PIECE_BYTES as u64);
            self.piece.clear();
            let piece = &mut self.piece;
            // Gone since its digest was taken: a reader sees that the content is not whole.
            if digester.read(blocks, at..end, since, &mut |bytes| piece.extend_from_slice(bytes)).is_none() {
                return Ok(());
            }
            let record = pack(digest, len, at, &self.piece);
            if record.body.is_empty() {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            self.append_all(&Record::Payload(record).to_bytes())?;
            at = end;
        }
        Ok(())
    }

    /// Appends all or, as far as the file system lets us, nothing.
    fn append_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().create(true).append(true).open(&self.path)?),
        };
        let before = file.metadata()?.len();
        file.write_all(bytes).inspect_err(|_| drop(file.set_len(before)))
    }
}
