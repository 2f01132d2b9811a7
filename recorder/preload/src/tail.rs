//! The newest calls of a thread, where no more than those are kept (`--last`).
//!
//! The saved chunks are in two generations: when the newer one, `*.chunks`, has half of the size that is allowed, it becomes the older one,
//! `*.older`, in the place of the one that was. What has been left of the calls that go by that is written to `*.cut` before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use recorder::settings::with_suffix;
use traces::cut::Keeper;
use traces::record::Chunk;

use crate::output::Output;

/// What is kept of a thread, and what is known of what is not.
#[derive(Debug)]
pub struct Tail {
    stem: PathBuf,
    /// Bytes that a generation may have.
    generation: u64,
    /// Bytes of the newer generation.
    bytes: u64,
    keeper: Keeper,
    /// What would be left of all calls up to the end of the older generation, as `*.cut` has it.
    after_older: Option<Vec<u8>>,
}

impl Tail {
    /// For a thread whose files have this stem, with this much disk for them.
    pub fn new(stem: &Path, thread: u32, last: u64) -> Tail {
        Tail { stem: stem.to_owned(), generation: last / 2, bytes: 0, keeper: Keeper::new(thread), after_older: None }
    }

    /// Makes room for so many bytes more.
    pub fn make_room(&mut self, bytes: u64, chunks: &mut Output) -> io::Result<()> {
        if self.bytes == 0 || self.bytes + bytes <= self.generation {
            return Ok(());
        }
        if let Some(cut) = self.after_older.take() {
            let unfinished = with_suffix(&self.stem, ".cut.unfinished");
            fs::write(&unfinished, cut)?;
            fs::rename(&unfinished, with_suffix(&self.stem, ".cut"))?;
        }
        fs::rename(chunks.path(), with_suffix(&self.stem, ".older"))?;
        chunks.begin_anew()?;
        let (cut, kept) = self.keeper.cut();
        self.after_older = Some(cut.to_bytes(kept));
        self.bytes = 0;
        Ok(())
    }

    /// A chunk was saved, in so many bytes.
    pub fn saved(&mut self, chunk: &Chunk, bytes: u64) {
        self.bytes += bytes;
        self.keeper.see(chunk);
    }
}
