//! The recording of one thread: its segment, and the memory that recording a call works in.
//!
//! A lane is made at the thread's first call and never destroyed: calls come until the last moment of a process.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::ptr;
use std::sync::OnceLock;

use recorder::settings::with_suffix;
use traces::chunk::Body;
use traces::payload::Keep;
use traces::record::Record;
use traces::segment::{RING_BYTES, Recording};

use crate::arguments::Arguments;
use crate::callers::Callers;
use crate::process::{self, Process, clock};
use crate::recent::Recent;
use crate::results::Results;
use crate::sites::Sites;
use crate::store::Store;

/// A file mapped into memory.
#[derive(Debug)]
pub struct Mapping(*mut u8);

impl Mapping {
    /// Makes a file of [`RING_BYTES`] zeros and maps it. The blocks are allocated now: a full disk must show here, and not as a
    /// SIGBUS in the middle of the program.
    fn create(path: &std::path::Path) -> io::Result<Mapping> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        // SAFETY: the descriptor is open; the mapping is checked below.
        unsafe {
            match libc::posix_fallocate(file.as_raw_fd(), 0, RING_BYTES as i64) {
                0 => {}
                code => {
                    let _ = std::fs::remove_file(path);
                    return Err(io::Error::from_raw_os_error(code));
                }
            }
            let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
            let address = libc::mmap(ptr::null_mut(), RING_BYTES, access, flags, file.as_raw_fd(), 0);
            if address == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Mapping(address.cast())) }
        }
    }
}

impl Deref for Mapping {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping has this length and lives as long as the process.
        unsafe { std::slice::from_raw_parts(self.0, RING_BYTES) }
    }
}

impl DerefMut for Mapping {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; only the thread that owns the lane writes.
        unsafe { std::slice::from_raw_parts_mut(self.0, RING_BYTES) }
    }
}

/// The recording of one thread.
pub struct Lane {
    /// The process that it belongs to.
    pub process: &'static Process,
    /// Its segment.
    pub recording: Recording<Mapping>,
    /// Where its calls come from.
    pub callers: Callers,
    /// The addresses that it was called from.
    pub sites: Sites,
    /// The calls that it made of late.
    pub recent: Recent,
    /// The arguments of the call at hand.
    pub arguments: Arguments,
    /// The results of the call at hand.
    pub results: Results,
    /// Where the ring's contents are packed.
    body: Body,
    chunks: PathBuf,
    chunks_file: Option<File>,
}

/// What a thread has of its own. A wrapper asks for it once: in a shared library that costs a function call.
pub struct Thread {
    /// How many MPI calls it is in, one within the other.
    pub depth: Cell<u32>,
    lane: Cell<*mut Lane>,
    /// The line of Python that is making a call; 0 if it is none, or not known. See `python`.
    pub python_line: Cell<usize>,
}

thread_local! {
    /// The thread at hand.
    pub static THREAD: Thread = const { Thread {
        depth: Cell::new(0),
        lane: Cell::new(ptr::null_mut()),
        python_line: Cell::new(0),
    } };
}

impl Thread {
    /// The lane of this thread, if the process is recorded. The reference must be gone before the next call of this function.
    #[inline]
    pub fn lane(&self) -> Option<&'static mut Lane> {
        if !process::is_on() || self.lane.get().is_null() {
            self.begin()?;
        }
        // SAFETY: lanes live for ever, belong to one thread, and callers hold one reference at a time.
        unsafe { self.lane.get().as_mut() }
    }

    #[cold]
    fn begin(&self) -> Option<()> {
        let process = process::recording()?;
        if self.lane.get().is_null() {
            self.lane.set(begin(process)?);
        }
        Some(())
    }
}

#[cold]
fn begin(process: &'static Process) -> Option<*mut Lane> {
    let (stem, thread) = process.next_segment();
    let mapping = Mapping::create(&with_suffix(&stem, ".ring"));
    let recording = mapping.map(|m| Recording::begin_in(m, thread, &process.record));
    let recording = match recording {
        Ok(recording) => recording?,
        Err(error) => {
            process::stop_because(&format!("no segment can be made in {}: {error}", process.settings.parts.display()));
            return None;
        }
    };
    let store = (process.settings.payload == Keep::Full).then(|| Store::new(with_suffix(&stem, ".chunks")));
    let lane = Box::new(Lane {
        process,
        recording,
        callers: Callers::default(),
        sites: Sites::default(),
        recent: Recent::default(),
        arguments: Arguments::default(),
        results: Results::keeping(store),
        body: Body::default(),
        chunks: with_suffix(&stem, ".chunks"),
        chunks_file: None,
    });
    let lane = Box::into_raw(lane);
    tell_end_of_thread(lane);
    Some(lane)
}

/// Has it noted in the segment when this thread ends, which the end of the process is not.
fn tell_end_of_thread(lane: *mut Lane) {
    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: the key is written before it is used; the destructor lives as long as the process, like this library.
        (unsafe { libc::pthread_key_create(&raw mut key, Some(thread_ends)) } == 0).then_some(key)
    });
    if let Some(key) = key {
        // SAFETY: the key is valid, and the value is what the destructor expects. If it is not kept the end is not noted.
        unsafe { libc::pthread_setspecific(*key, lane.cast()) };
    }
}

/// A thread that has a lane ends.
unsafe extern "C" fn thread_ends(lane: *mut libc::c_void) {
    if process::is_on() {
        // SAFETY: the value is a lane of this thread, which is in no call any more; lanes live for ever.
        unsafe { (*lane.cast::<Lane>()).recording.end_thread() };
    }
}

impl Lane {
    /// Moves what is in the ring to the file of chunks. If that file cannot take it, recording stops.
    #[cold]
    pub fn flush(&mut self) -> bool {
        self.recording.tell_time(clock::ticks(), clock::monotonic_ns());
        let Some(chunk) = self.recording.ring().chunk_in(&mut self.body, 0) else { return true };
        let bytes = Record::Chunk(chunk).to_bytes();
        match self.append(&bytes) {
            Ok(()) => {
                self.recording.clear();
                self.recent.clear();
                true
            }
            Err(error) => {
                self.recording.stop();
                process::stop_because(&format!("{}: {error}", self.chunks.display()));
                false
            }
        }
    }

    /// Appends all or, as far as the file system lets us, nothing.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.chunks_file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().create(true).append(true).open(&self.chunks)?),
        };
        let before = file.metadata()?.len();
        file.write_all(bytes).inspect_err(|_| drop(file.set_len(before)))
    }
}
