//! The recording of this process: whether it is on, where it goes, and how it ends.
//!
//! It begins at the first MPI call of a process that `mpitrace record` started, and stops for good when something goes wrong.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering};

use recorder::settings::Settings;
use traces::constant::{COMM_WORLD, TAG_UB};
use traces::record::{Clock, ProcessRecord};
use traces::segment::Stop;
use traces::{Kind, mpi};

use crate::abi::abi;
use crate::gather::{Gathered, Share};
use crate::output::without_signals;
use crate::{following, guard, loader, python, readable, real, stacks, turns, weak};

const UNDECIDED: u8 = 0;
const ON: u8 = 1;
const OFF: u8 = 2;

/// Whether MPI_Pcontrol has switched the recording off.
static PAUSED: AtomicBool = AtomicBool::new(false);
/// Calls that were not recorded because it is.
static SKIPPED: AtomicU64 = AtomicU64::new(0);
static STATE: AtomicU8 = AtomicU8::new(UNDECIDED);
static THREADS: AtomicU32 = AtomicU32::new(0);
static PROCESS: OnceLock<Process> = OnceLock::new();

/// Where the trace has why recording stopped: a word in a mapping of its own of the first thread's segment.
static STOP_WORD: AtomicPtr<AtomicU64> = AtomicPtr::new(std::ptr::null_mut());

/// Where to note why recording stops, if that is not known yet.
pub fn note_stops_at(word: impl FnOnce() -> Option<*mut AtomicU64>) {
    if STOP_WORD.load(Ordering::Relaxed).is_null()
        && let Some(word) = word()
    {
        STOP_WORD.store(word, Ordering::Relaxed);
    }
}

/// What is known of this process when its recording begins.
#[derive(Debug)]
pub struct Process {
    /// What it was told.
    pub settings: Settings,
    /// Its record, without rank and size, which MPI_Init brings.
    pub record: ProcessRecord,
}

/// Whether the process is being recorded.
#[inline]
pub fn is_on() -> bool {
    STATE.load(Ordering::Relaxed) == ON
}

/// Whether only what has to be known later is recorded, because the program has called MPI_Pcontrol with level 0.
#[inline]
pub fn is_paused() -> bool {
    PAUSED.load(Ordering::Relaxed)
}

/// MPI_Pcontrol switches the recording off or on. Gives whether it was the other way before.
pub fn pause(off: bool) -> bool {
    PAUSED.swap(off, Ordering::Relaxed) != off
}

/// A call is not recorded, because recording is off.
pub fn skip() {
    SKIPPED.fetch_add(1, Ordering::Relaxed);
}

/// How many those are, since this was asked the last time.
pub fn take_skipped() -> u64 {
    SKIPPED.swap(0, Ordering::Relaxed)
}

/// The recording, if it is on. The first to ask begins it.
pub fn recording() -> Option<&'static Process> {
    match STATE.load(Ordering::Relaxed) {
        ON => PROCESS.get(),
        OFF => None,
        _ => begin(),
    }
}

/// The recording, also if it has stopped.
pub fn begun() -> Option<&'static Process> {
    PROCESS.get()
}

/// How many frames of a stack are wanted.
pub fn depth() -> usize {
    PROCESS.get().map_or(1, |process| process.settings.stack.max(1))
}

/// Records no more, in any thread.
pub fn stop() {
    STATE.store(OFF, Ordering::Relaxed);
}

/// Records no more, and says why, once: in the trace, and to the user.
pub fn stop_because(why: Stop, what: &str) {
    if STATE.swap(OFF, Ordering::Relaxed) == OFF {
        return;
    }
    // SAFETY: null, or a word of a mapping that stays, and that this alone uses.
    if let Some(word) = unsafe { STOP_WORD.load(Ordering::Relaxed).as_ref() } {
        word.store(why as u64, Ordering::Relaxed);
    }
    without_signals(|| tell_end(what));
}

fn tell_end(what: &str) {
    // One process says it for all. Where not even this file can be made, each does.
    let told = PROCESS.get().map(|p| OpenOptions::new().create_new(true).write(true).open(p.settings.parts.join("stopped")));
    if !told.is_some_and(|told| told.is_err_and(|e| e.kind() == std::io::ErrorKind::AlreadyExists)) {
        say(&format!("recording stops in process {}: {what}; the program goes on", std::process::id()));
    }
}

/// Says a line to the user, in one piece, so that it is not torn by what other ranks say.
pub fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("mpitrace: {line}\n").as_bytes());
}

#[cold]
fn begin() -> Option<&'static Process> {
    if !real::is_loaded() {
        return None;
    }
    let Some(settings) = Settings::from_environment().filter(|s| s.parts.is_dir()) else {
        stop();
        return None;
    };
    // A panic is ours, never the program's: it ends the recording, quietly.
    std::panic::set_hook(Box::new(|_| stop_because(Stop::Mistake, "an error of the recorder")));
    // SAFETY: the handler touches an atomic only.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    look_at_objects();
    let process = PROCESS.get_or_init(|| {
        turns::begin();
        let record = ProcessRecord { payload: settings.payload, ..describe(&settings) };
        Process { settings, record }
    });
    let _ = STATE.compare_exchange(UNDECIDED, ON, Ordering::Relaxed, Ordering::Relaxed);
    (STATE.load(Ordering::Relaxed) == ON).then_some(process)
}

/// What has to be known of the program's objects, and set right in them, before its first call.
fn look_at_objects() {
    let is_programs =
        |o: &loader::Object| !o.name.to_bytes().starts_with(b"linux-vdso") && !o.contains(look_at_objects as *const () as usize);
    let objects: Vec<loader::Object> = loader::objects().into_iter().filter(is_programs).collect();
    weak::hide_missing_functions(&objects);
    stacks::look_at(&objects);
    readable::look_at(&objects);
    python::look_at(&objects);
}

/// A forked child shares the parent's segments and must not write to them.
unsafe extern "C" fn in_child() {
    guard::end_in_child();
    stop();
}

fn describe(settings: &Settings) -> ProcessRecord {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let command = fs::read("/proc/self/cmdline").unwrap_or_default();
    let words = command.split(|&b| b == 0).filter(|w| !w.is_empty()).map(|w| String::from_utf8_lossy(w).into_owned());
    let (first_ticks, first_ns) = (clock::ticks(), clock::monotonic_ns());
    let realtime_ns = clock::realtime_ns();
    let clock = Clock { first_ticks, first_ns, last_ticks: first_ticks, last_ns: first_ns, realtime_ns };
    ProcessRecord {
        host,
        pid: std::process::id(),
        library: library(),
        command: words.collect(),
        clock,
        job: settings.job.clone(),
        ..ProcessRecord::default()
    }
}

/// The version of MPICH, if this is the name of one and no library that was made from it.
pub fn mpich_version(library: &str) -> Option<(u32, u32)> {
    let mut numbers = library.strip_prefix("MPICH Version:")?.trim().split('.').map(|n| n.parse::<u32>().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// The first line of what the library says of itself.
fn library() -> String {
    // MPICH writes up to 8 KiB.
    let mut text = vec![0u8; 16 << 10];
    let mut len = 0i32;
    // SAFETY: the buffer is longer than MPI_MAX_LIBRARY_VERSION_STRING of any library; the call is allowed before MPI_Init.
    let code = unsafe { real::pmpi(mpi::GET_LIBRARY_VERSION, [text.as_mut_ptr() as usize, (&raw mut len) as usize]) };
    if code != Some(0) {
        return String::new();
    }
    let text = String::from_utf8_lossy(&text);
    text.split(['\n', '\0']).next().unwrap_or_default().trim().to_owned()
}

/// The attribute MPI_TAG_UB of MPI_COMM_WORLD. MPI_Init has returned.
pub fn largest_tag() -> Option<i64> {
    let (world, key) = (abi().native(Kind::Comm, COMM_WORLD)?, abi().native_word(Kind::Keyval, TAG_UB)?);
    let (mut value, mut flag) = (std::ptr::null::<i32>(), 0i32);
    // SAFETY: MPI_COMM_WORLD exists; the value of this attribute is the address of an int.
    unsafe {
        let code = real::pmpi(mpi::COMM_GET_ATTR, [world, key as usize, (&raw mut value) as usize, (&raw mut flag) as usize]);
        (code == Some(0) && flag != 0 && !value.is_null()).then(|| i64::from(value.read()))
    }
}

impl Process {
    /// What the names of its segments have in common.
    pub fn name(&self) -> String {
        format!("{}-{}", self.record.host, self.record.pid)
    }

    /// The stem of the files of the next thread's segment, and the thread's number.
    pub fn next_segment(&self) -> (PathBuf, u32) {
        let thread = THREADS.fetch_add(1, Ordering::Relaxed);
        if thread > 0 {
            turns::join();
        }
        (self.settings.parts.join(format!("{}-{thread}", self.name())), thread)
    }

    /// This process has finalized MPI. The last one makes the trace of all segments: nobody has to talk to anybody, so nobody can wait for
    /// a process that is not recorded. If a program of another job wrote here too, started by this one, it is left to the watcher.
    pub fn finish(&self, gathered: Gathered) {
        stop();
        if let Gathered::Here(share) = gathered {
            without_signals(|| self.join(share));
        }
    }

    fn join(&self, share: Share) {
        let parts = &self.settings.parts;
        if self.count_finished().is_none_or(|n| n < u64::from(share.finishers)) {
            return;
        }
        match traces::join_finished(parts, &self.settings.output, share.processes as usize) {
            Ok(Some(summary)) => {
                let followed = following::report(parts);
                remove_segments(parts);
                self.report(&summary);
                followed.filter(|_| !self.settings.quiet).inspect(|line| say(line));
            }
            Ok(None) => {}
            Err(error) => {
                say(&format!("the trace stays in pieces, which `mpisim check {}` can read: {error}", parts.display()));
            }
        }
    }

    /// How many processes of the job have finished, this one included. The lock makes it exact.
    pub fn count_finished(&self) -> Option<u64> {
        let mut file = OpenOptions::new().create(true).append(true).open(self.settings.parts.join("finished")).ok()?;
        lock(&file);
        file.write_all(b"x").ok()?;
        Some(file.metadata().ok()?.len())
    }

    fn report(&self, summary: &traces::writer::Summary) {
        if !self.settings.quiet {
            say(&summary.to_text(&relative(&self.settings.output)));
        }
    }
}

fn lock(file: &File) {
    // SAFETY: the descriptor is open. The lock goes with it.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) };
}

fn relative(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}

/// What the files of a segment are called.
const SEGMENT_FILES: [&str; 7] = ["ring", "chunks", "older", "cut", "part", "course", "followed"];

fn remove_segments(parts: &Path) {
    for entry in fs::read_dir(parts).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|e| SEGMENT_FILES.iter().any(|ours| e == *ours)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Time as a recording tells it.
pub mod clock {
    use std::time::{SystemTime, UNIX_EPOCH};

    /// Bits of the counter that are not kept: reading it takes far longer than eight of its ticks, and what is shorter packs better.
    #[cfg(target_arch = "x86_64")]
    const COARSE: u32 = 3;

    /// The tick counter: cheap, and the same on all cores of a machine. A tick is a few nanoseconds.
    #[inline]
    pub fn ticks() -> u64 {
        // SAFETY: rdtsc reads a counter that every x86-64 processor has.
        #[cfg(target_arch = "x86_64")]
        return unsafe { std::arch::x86_64::_rdtsc() } >> COARSE;
        #[cfg(target_arch = "aarch64")]
        {
            let ticks: u64;
            // SAFETY: reads the virtual counter, which Linux lets every process do.
            unsafe { std::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack)) };
            return ticks;
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        return monotonic_ns();
    }

    /// The real-time clock less the monotonic clock, in ns, read several times: what comes between two readings makes the processes of
    /// a host disagree.
    pub fn realtime_ns() -> u64 {
        let read = |_| {
            let before = monotonic_ns();
            let realtime = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
            let between = monotonic_ns() - before;
            (between, realtime.saturating_sub(before + between / 2))
        };
        (0..8).map(read).min().map_or(0, |(_, difference)| difference)
    }

    /// CLOCK_MONOTONIC, in ns.
    pub fn monotonic_ns() -> u64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the address is that of a timespec.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    }
}
