//! The recording of one thread: its segment, and the memory that recording a call works in.
//!
//! A lane is made at the thread's first call and never destroyed: calls come until the last moment of a process.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::OnceLock;

use recorder::settings::with_suffix;
use traces::Function;
use traces::chunk::Body;
use traces::payload::Keep;
use traces::record::{Chunk, Record};
use traces::segment::{RING_BYTES, Recording, STOP_AT, Stop};

use crate::arguments::Arguments;
use crate::following::Following;
use crate::methods::Methods;
use crate::output::{Output, without_signals};
use crate::process::{self, Process, clock};
use crate::recent::Recent;
use crate::results::Results;
use crate::sites::Sites;
use crate::spawn::Spawn;
use crate::stacks::Stacks;
use crate::store::Store;
use crate::tail::Tail;

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
            if address == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            // Once more the first page, for other threads: the memory above is this thread's alone.
            process::note_stops_at(|| {
                let page = libc::mmap(ptr::null_mut(), PAGE, access, flags, file.as_raw_fd(), 0);
                (page != libc::MAP_FAILED).then(|| page.cast::<u8>().add(STOP_AT).cast())
            });
            Ok(Mapping(address.cast()))
        }
    }
}

/// What is mapped of a segment to note that recording stops.
const PAGE: usize = 4096;

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

/// The recording of one thread. Its fields are written in every call, and what lies across the edge of a page is slow to write: it lies in one.
#[repr(align(4096))]
pub struct Lane {
    /// The process that it belongs to.
    pub process: &'static Process,
    /// How many calls were put on record.
    pub calls: u64,
    /// Its segment.
    pub recording: Recording<Mapping>,
    /// Where its calls come from.
    pub stacks: Stacks,
    /// The methods of Python that they come from.
    pub methods: Methods,
    /// The addresses that it was called from.
    pub sites: Sites,
    /// The calls that it made of late.
    pub recent: Recent,
    /// The arguments of the call at hand.
    pub arguments: Arguments,
    /// The results of the call at hand.
    pub results: Results,
    /// The course that the thread follows, if it is replayed.
    pub following: Option<Box<Following>>,
    /// What the library is told to start in place of what the program named.
    pub spawn: Option<Spawn>,
    /// Where the ring's contents are packed.
    body: Body,
    chunks: Output,
    /// Where only the newest calls are kept.
    tail: Option<Tail>,
}

/// What a thread has of its own. A wrapper asks for it once: in a shared library that costs a function call.
pub struct Thread {
    /// How many MPI calls it is in, one within the other.
    pub depth: Cell<u32>,
    /// The outermost of them.
    pub outermost: Cell<Function>,
    /// Null before the first call.
    lane: Cell<*mut Lane>,
    /// Whether the lane is lent. A callback or a signal handler of the program that calls MPI_Abort may find it so.
    is_lent: Cell<bool>,
    /// The stack of Python that is making a call; 0 if it is none, or not known. See `python`.
    pub python_stack: Cell<usize>,
}

thread_local! {
    /// The thread at hand.
    pub static THREAD: Thread = const { Thread {
        depth: Cell::new(0),
        outermost: Cell::new(Function::UNKNOWN),
        lane: Cell::new(ptr::null_mut()),
        is_lent: Cell::new(false),
        python_stack: Cell::new(0),
    } };
}

/// The lane of a thread, lent for a piece of work on one call. While the library works nobody has it.
pub struct Lent<'a> {
    thread: &'a Thread,
    lane: &'a mut Lane,
}

impl Deref for Lent<'_> {
    type Target = Lane;
    #[inline]
    fn deref(&self) -> &Lane {
        self.lane
    }
}

impl DerefMut for Lent<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Lane {
        self.lane
    }
}

impl Drop for Lent<'_> {
    #[inline]
    fn drop(&mut self) {
        self.thread.is_lent.set(false);
    }
}

impl Thread {
    /// The lane of this thread, if the process is recorded, and the lane is not lent already.
    #[inline]
    pub fn lane(&self) -> Option<Lent<'_>> {
        if self.is_lent.get() {
            return None;
        }
        if !process::is_on() || self.lane.get().is_null() {
            self.begin()?;
        }
        // SAFETY: lanes live for ever and belong to one thread, in which `is_lent` sees to it that there is one reference at a time.
        let lane = unsafe { self.lane.get().as_mut() }?;
        self.is_lent.set(true);
        Some(Lent { thread: self, lane })
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
    let files = without_signals(|| {
        let mapping = Mapping::create(&with_suffix(&stem, ".ring"))?;
        let chunks = || Output::open(with_suffix(&stem, ".chunks"));
        let store = if process.settings.payload == Keep::Full { Some(Store::new(chunks()?)) } else { None };
        Ok((mapping, chunks()?, store))
    });
    let (mapping, chunks, store) = match files {
        Ok(files) => files,
        Err(error) => {
            let error: io::Error = error;
            process::stop_because(
                Stop::from(&error),
                &format!("no segment can be made in {}: {error}", process.settings.parts.display()),
            );
            return None;
        }
    };
    let recording = Recording::begin_in(mapping, thread, &process.record)?;
    let lane = Box::new(Lane {
        process,
        calls: 0,
        recording,
        stacks: Stacks::of_thread(process.settings.stack),
        methods: Methods::default(),
        sites: Sites::default(),
        recent: Recent::default(),
        arguments: Arguments::default(),
        results: Results::keeping(store),
        following: Following::of_thread(process, thread),
        spawn: None,
        body: Body::default(),
        chunks,
        tail: (process.settings.last > 0).then(|| Tail::new(&stem, thread, process.settings.last)),
    });
    let lane = Box::into_raw(lane);
    tell_end_of_thread(lane);
    Some(lane)
}

/// Has it noted in the segment when this thread ends, which the end of the process is not.
fn tell_end_of_thread(lane: *mut Lane) {
    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    if let Some(key) = KEY.get_or_init(key_apart) {
        // SAFETY: the key is valid, and the value is what the destructor expects. If it is not kept the end is not noted.
        unsafe { libc::pthread_setspecific(*key, lane.cast()) };
    }
}

/// A key for values of threads, far from the first ones. A copy of the C library in a namespace of its own (`dlmopen`) counts its keys from 0, too,
/// and finds their values in the same place of the thread: what lies in there would be its own to it. Intel MPI crashed so.
fn key_apart() -> Option<libc::pthread_key_t> {
    const APART: libc::pthread_key_t = 512;
    let mut keys: Vec<libc::pthread_key_t> = Vec::new();
    while keys.last().is_none_or(|last| *last < APART) {
        let mut key = 0;
        // SAFETY: the key is written before it is used; the destructor lives as long as the process, like this library.
        if unsafe { libc::pthread_key_create(&raw mut key, Some(thread_ends)) } != 0 {
            break;
        }
        keys.push(key);
    }
    let last = keys.pop();
    // SAFETY: they were made above, and have no values.
    keys.into_iter().for_each(|key| unsafe { _ = libc::pthread_key_delete(key) });
    last
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
        // zstd gives nothing where it finds no memory.
        let saved = if chunk.body.is_empty() { Err(io::ErrorKind::OutOfMemory.into()) } else { self.save(chunk) };
        match saved {
            Ok(()) => {
                self.recording.clear();
                self.recent.clear();
                true
            }
            Err(error) => {
                process::stop_because(Stop::from(&error), &format!("{}: {error}", self.chunks.path().display()));
                false
            }
        }
    }

    fn save(&mut self, chunk: Chunk) -> io::Result<()> {
        let record = Record::Chunk(chunk);
        let bytes = record.to_bytes();
        let Lane { tail, chunks, .. } = self;
        without_signals(|| {
            tail.as_mut().map_or(Ok(()), |tail| tail.make_room(bytes.len() as u64, chunks))?;
            chunks.append(&bytes)
        })?;
        if let (Some(tail), Record::Chunk(chunk)) = (tail, &record) {
            tail.saved(chunk, bytes.len() as u64);
        }
        Ok(())
    }
}
