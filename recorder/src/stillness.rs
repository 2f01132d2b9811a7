//! Whether a run still gets on: seen from outside, from the segments that its processes write.
//!
//! A call that begins, and one that ends with something new, makes a segment longer; polls that find nothing do not. A run of which no
//! segment has grown for long hangs, or computes: which of the two, is in the segments.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use traces::segment;

/// How far each segment has come: what its ring holds, and the bytes that have left it.
type Progress = BTreeMap<PathBuf, (u64, u64)>;

/// Watches over the segments of a run.
#[derive(Debug)]
pub struct Stillness {
    directory: PathBuf,
    /// After how long it is worth a word.
    after: Duration,
    last: Progress,
    since: Instant,
    is_told: bool,
}

impl Stillness {
    /// Over the segments in a directory.
    #[must_use]
    pub fn new(directory: &Path, after: Duration) -> Stillness {
        let directory = directory.to_owned();
        Stillness { directory, after, last: Progress::new(), since: Instant::now(), is_told: false }
    }

    /// How often to look, so that it is not noticed much too late.
    #[must_use]
    pub fn pace(&self) -> Duration {
        (self.after / 4).clamp(Duration::from_millis(50), Duration::from_secs(5))
    }

    /// Looks. Gives whether nothing has moved for the time that was set: once, until something moves again.
    pub fn begins(&mut self) -> bool {
        let now = progress(&self.directory);
        if now != self.last || now.is_empty() {
            (self.last, self.since, self.is_told) = (now, Instant::now(), false);
        }
        let begins = !self.is_told && self.since.elapsed() >= self.after;
        self.is_told |= begins;
        begins
    }
}

fn progress(directory: &Path) -> Progress {
    let paths = fs::read_dir(directory).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let rings = paths.filter(|path| path.extension().is_some_and(|e| e == "ring"));
    let come = |path: PathBuf| {
        let mut head = [0; 128];
        File::open(&path).ok()?.read_exact(&mut head).ok()?;
        let saved = fs::metadata(path.with_extension("chunks")).map_or(0, |m| m.len());
        Some((path, (segment::progress(&head)?, saved)))
    };
    rings.filter_map(come).collect()
}

#[cfg(test)]
mod tests {
    use traces::chunk::{Entry, write_call, write_outcome};
    use traces::mpi;
    use traces::record::ProcessRecord;
    use traces::segment::{RING_BYTES, Recording};

    use super::*;

    #[test]
    fn polls_that_find_nothing_are_no_progress_and_calls_are() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut recording =
            Recording::begin_in(vec![0; RING_BYTES], 0, &ProcessRecord::default()).expect("the memory is a ring's");
        let call = recording.intern(Entry::Call, &[1], |out| write_call(out, mpi::TEST, None, &[])).expect("there is room");
        let outcome = recording.intern(Entry::Outcome, &[2], |out| write_outcome(out, 0, &[])).expect("there is room");
        let mut poll = |at| {
            let open = recording.begin(call, at);
            recording.finish_poll(open, outcome, at + 1);
            // The recording goes on in a copy of its memory.
            fs::write(home.path().join("a.ring"), copy(&recording)).expect("a new file");
            progress(home.path())
        };
        let first = poll(10);
        assert_eq!(first.len(), 1);
        assert_eq!(poll(20), first);
        let open = recording.begin(call, 30);
        recording.finish(open, outcome, 31, &[]);
        fs::write(home.path().join("a.ring"), copy(&recording)).expect("our own file");
        assert_ne!(progress(home.path()), first);
    }

    fn copy(recording: &Recording<Vec<u8>>) -> Vec<u8> {
        recording.ring().memory().to_vec()
    }

    #[test]
    fn a_run_that_does_not_move_is_told_once() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let recording = Recording::begin_in(vec![0; RING_BYTES], 0, &ProcessRecord::default()).expect("the memory is a ring's");
        let mut stillness = Stillness::new(home.path(), Duration::ZERO);
        fs::write(home.path().join("a.ring"), copy(&recording)).expect("a new file");
        assert!(stillness.begins());
        assert!(!stillness.begins(), "told already");
        fs::write(home.path().join("b.ring"), copy(&recording)).expect("a new file");
        assert!(stillness.begins(), "it has moved in between");
    }
}
