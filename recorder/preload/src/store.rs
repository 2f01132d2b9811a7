//! Keeps the bytes of what is received (`--payload full`): each distinct content once, in the thread's file of chunks, before the call that
//! refers to it is on record.

use std::io;

use rustc_hash::FxHashSet;
use traces::record::Record;
use traces::segment::Stop;
use traces::store::{PIECE_BYTES, Packer};

use crate::output::{Output, without_signals};
use crate::payload::{Digester, Payload, Since};
use crate::process;

/// So many digests are remembered; then it begins anew, and keeps what it has kept already.
const KNOWN_MAX: usize = 1 << 16;

/// The contents that a thread has kept.
#[derive(Debug)]
pub struct Store {
    file: Output,
    known: FxHashSet<u64>,
    piece: Vec<u8>,
    packer: Packer,
    has_failed: bool,
}

impl Store {
    /// One that appends to this file.
    pub fn new(file: Output) -> Store {
        Store { file, known: FxHashSet::default(), piece: Vec::new(), packer: Packer::default(), has_failed: false }
    }

    /// Keeps a content, whose digest was taken.
    pub fn keep(&mut self, digest: u64, blocks: &[Payload], len: u64, since: Since, digester: &mut Digester) {
        if digest == 0 || self.has_failed || self.known.contains(&digest) {
            return;
        }
        if let Err(error) = self.append(digest, blocks, len, since, digester) {
            self.has_failed = true;
            return process::stop_because(Stop::from(&error), &format!("{}: {error}", self.file.path().display()));
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
            let record = self.packer.pack(digest, len, at, &self.piece);
            if record.body.is_empty() {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            let bytes = Record::Payload(record).to_bytes();
            without_signals(|| self.file.append(&bytes))?;
            at = end;
        }
        Ok(())
    }
}
