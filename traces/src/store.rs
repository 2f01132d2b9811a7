//! The contents that a run has kept (`--payload full`): found in a trace by process and digest.
//!
//! They may be larger than memory: a list of them says where each piece lies, and the bytes are read when they are asked for.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::chunk::compressor;
use crate::error::Error;
use crate::part;
use crate::payload::whole_digest;
use crate::record::{PayloadRecord, Record, records};

/// The most bytes of a piece.
pub const PIECE_BYTES: usize = 1 << 20;

/// Where a piece of a content lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The file.
    pub file: Arc<PathBuf>,
    /// Where its record begins, and how many bytes that has.
    pub record: (u64, u64),
    /// The digest of the content.
    pub digest: u64,
    /// The bytes of the content, and which of them is the piece's first.
    pub length: u64,
    /// See `length`.
    pub at: u64,
}

impl Piece {
    /// The piece that this record is, which lies there.
    pub(crate) fn new(file: &Arc<PathBuf>, record: (u64, u64), payload: &PayloadRecord) -> Piece {
        Piece { file: Arc::clone(file), record, digest: payload.digest, length: payload.length, at: payload.at }
    }

    /// Reads it.
    pub(crate) fn read(&self) -> Result<PayloadRecord, Error> {
        let error = || Error::io(&self.file);
        let mut file = File::open(&*self.file).map_err(error())?;
        file.seek(SeekFrom::Start(self.record.0)).map_err(error())?;
        let mut bytes = Vec::new();
        file.take(self.record.1).read_to_end(&mut bytes).map_err(error())?;
        match rmp_serde::from_slice(&bytes) {
            Ok(Record::Payload(payload)) => Ok(payload),
            _ => Err(error()(std::io::ErrorKind::InvalidData.into())),
        }
    }
}

/// Makes records of pieces.
#[derive(Default)]
pub struct Packer {
    /// Made at the first piece: that takes longer than to compress a small one.
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

impl Packer {
    /// The record of a piece. An empty body is what zstd gives where it finds no memory.
    #[must_use]
    pub fn pack(&mut self, digest: u64, length: u64, at: u64, bytes: &[u8]) -> PayloadRecord {
        if self.compressor.is_none() {
            self.compressor = compressor().ok();
        }
        let body = self.compressor.as_mut().and_then(|compressor| compressor.compress(bytes).ok()).unwrap_or_default();
        PayloadRecord { process: 0, digest, length, at, body }
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

/// The contents of a trace.
#[derive(Debug, Default)]
pub struct Contents {
    pieces: FxHashMap<(u32, u64), Vec<Piece>>,
}

impl Contents {
    /// Those of a trace file, or of a directory of segments, as far as it can be read.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> Result<Contents, Error> {
        let mut contents = Contents::default();
        if path.is_dir() {
            for (process, part) in (0..).zip(part::in_directory(path)?) {
                part.payloads.into_iter().for_each(|piece| contents.add(process, piece));
            }
            return Ok(contents);
        }
        let file = Arc::new(path.to_owned());
        let reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(Error::io(path))?);
        for found in records(reader).map_while(Result::ok) {
            if let Record::Payload(payload) = &found.record {
                contents.add(payload.process, Piece::new(&file, (found.offset, found.bytes), payload));
            }
        }
        Ok(contents)
    }

    /// A process may have kept a content more than once.
    fn add(&mut self, process: u32, piece: Piece) {
        let pieces = self.pieces.entry((process, piece.digest)).or_default();
        if !pieces.iter().any(|known| known.at == piece.at) {
            pieces.push(piece);
        }
    }

    /// The bytes that a process of the trace has received with this digest; None if they were not kept, or not all of them, or are damaged.
    #[must_use]
    pub fn get(&self, process: u32, digest: u64) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        for piece in self.pieces.get(&(process, digest))? {
            if piece.at != content.len() as u64 {
                return None;
            }
            let body = piece.read().ok()?.body;
            zstd::stream::Decoder::with_buffer(&body[..]).ok()?.take(PIECE_BYTES as u64).read_to_end(&mut content).ok()?;
        }
        (whole_digest(&content) == digest).then_some(content)
    }

    /// How many contents there are, and how many bytes they have.
    #[must_use]
    pub fn volume(&self) -> (usize, u64) {
        (self.pieces.len(), self.pieces.values().filter_map(|pieces| pieces.first()).map(|piece| piece.length).sum())
    }
}
