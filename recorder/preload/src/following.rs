//! Replaying: before each call it is asked what came of it in the recorded run, and after it whether that came again.
//!
//! A replay is a recording in which the choices of MPI are given. Each thread follows the course that lies beside the segments; what
//! has to happen is decided by the crate `replay`, and done by `forcing`. A program that leaves its course is told of, once a job.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use recorder::settings::{OnDivergence, course_of};
use replay::follower::{Counts, Divergence};
use replay::likeness::is_followed;
use replay::{Course, Follower, Order, fingerprint};
use traces::constant::COMM_WORLD;
use traces::record::ProcessRecord;
use traces::{Call, Function, Kind, Outcome, mpi};

use crate::abi::abi;
use crate::lane::{Lane, Thread};
use crate::output::without_signals;
use crate::process::{self, Process};
use crate::{forcing, real, shape};

/// What a run that is ended gives as its status: that of the command where something is wrong that is not the program's.
const STOPPED: usize = 125;
/// So many divergences are told of in a process that goes on.
const TOLD_MAX: usize = 10;

static ON: AtomicBool = AtomicBool::new(false);
static TOLD: AtomicUsize = AtomicUsize::new(0);
static DATA_TOLD: AtomicBool = AtomicBool::new(false);
static COURSE: OnceLock<(u32, Arc<Course>)> = OnceLock::new();
/// By the number of its course: the fingerprint of each thread, and what it has done.
static DONE: Mutex<Vec<(usize, u64, Counts)>> = Mutex::new(Vec::new());

/// Whether the process follows a course.
#[inline]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// A thread of a process that is replayed.
#[derive(Debug)]
pub struct Following {
    thread: usize,
    on_divergence: OnDivergence,
    /// None before the rank is known, and where the recorded run had no such thread.
    follower: Option<Follower>,
    /// It has left the course, and goes its own way.
    is_free: bool,
}

impl Following {
    /// The course of a thread of this process, if it has one.
    pub fn of_thread(process: &Process, thread: u32) -> Option<Box<Following>> {
        let on_divergence = process.settings.on_divergence?;
        Some(Box::new(Following { thread: thread as usize, on_divergence, follower: None, is_free: false }))
    }

    /// Who follows; the first call after MPI_Init decides it.
    fn follower(&mut self, call: &Call) -> Option<&mut Follower> {
        if self.follower.is_none() {
            let (_, course) = COURSE.get()?;
            let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
            let is_free = |thread: usize| !done.iter().any(|(taken, ..)| *taken == thread);
            self.follower = Follower::new(course, self.thread, call, is_free);
            done.extend(self.follower.as_ref().map(|follower| (follower.thread(), 0, Counts::default())));
        }
        self.follower.as_mut()
    }
}

/// The rank of this process is known: reads its course, if it is to follow one.
#[cold]
pub fn begin(process: &Process, record: &ProcessRecord) {
    let (Some(_), Some(rank)) = (process.settings.on_divergence, record.rank) else { return };
    if process.settings.origin.is_some() {
        return;
    }
    let path = process.settings.parts.join(course_of(rank));
    let course = without_signals(|| fs::read(&path)).ok().and_then(|bytes| Course::from_bytes(&bytes));
    match course {
        Some(course) if course.world_size == record.world_size => {
            let _ = COURSE.set((rank, Arc::new(course)));
            ON.store(true, Ordering::Relaxed);
        }
        Some(course) => fail(
            process,
            rank,
            &format!("the recorded run had {} ranks, and this one has {}", course.world_size, record.world_size),
        ),
        None => fail(process, rank, &format!("{} is not there, or cannot be read", path.display())),
    }
}

/// There is no course to follow.
fn fail(process: &Process, rank: u32, why: &str) {
    let stops = process.settings.on_divergence == Some(OnDivergence::Stop);
    if is_first(process, "diverged") {
        let what = if stops { "the run is ended" } else { "it runs as it will" };
        process::say(&format!("rank {rank} has no course to follow, and {what}: {why}"));
    }
    if stops {
        abort();
    }
}

/// Whether nobody else of the job has said this before.
fn is_first(process: &Process, what: &str) -> bool {
    let made = without_signals(|| OpenOptions::new().create_new(true).write(true).open(process.settings.parts.join(what)));
    !made.is_err_and(|e| e.kind() == std::io::ErrorKind::AlreadyExists)
}

fn abort() {
    if let Some(world) = abi().native(Kind::Comm, COMM_WORLD) {
        // SAFETY: MPI is initialized, and the communicator is predefined.
        unsafe { real::pmpi(mpi::ABORT, [world, STOPPED]) };
    }
}

/// Has MPI do in the call at hand, which is on record, what it did in the recorded run. May change the arguments. None if the call is to be
/// made as it is now, or its code if it was made.
///
/// # Safety
/// The arguments are those of the function.
pub unsafe fn make(thread: &Thread, function: Function, a: &mut [usize]) -> Option<usize> {
    // SAFETY: as the caller's.
    let ordered = catch_unwind(AssertUnwindSafe(|| unsafe { order(thread, function, a) }));
    let Ok(order) = ordered else {
        process::stop();
        return None;
    };
    // SAFETY: as the caller's. Nothing of the recorder's is lent while MPI works.
    unsafe { forcing::make(&order, function, a) }
}

/// What has to come of the call at hand.
///
/// # Safety
/// As [`make`].
unsafe fn order(thread: &Thread, function: Function, a: &[usize]) -> Order {
    let Some(mut lent) = thread.lane().filter(|_| is_followed(function)) else { return Order::AsItIs };
    let lane = &mut *lent;
    if lane.following.as_ref().is_none_or(|following| following.is_free) {
        return Order::AsItIs;
    }
    // Of a call that was made before with the same words, the arguments have not been read.
    // SAFETY: as the caller's.
    unsafe { lane.arguments.read(shape::of(function), a, 0) };
    let call = call_at_hand(lane, function);
    let Lane { process, following: Some(following), .. } = lane else { return Order::AsItIs };
    let (mode, thread) = (following.on_divergence, following.thread);
    let Some(follower) = following.follower(&call) else { return Order::AsItIs };
    let order = match follower.next(&call) {
        Ok(order) => order.clone(),
        Err(divergence) => {
            let order = follower.found_again().clone();
            tell(process, thread, mode, &divergence);
            following.is_free = mode == OnDivergence::Free;
            if following.is_free { Order::AsItIs } else { order }
        }
    };
    if function == mpi::FINALIZE {
        leave(lane);
    }
    order
}

fn call_at_hand(lane: &Lane, function: Function) -> Call {
    Call { function, site: None, caller: None, arguments: lane.arguments.words.values(true).into() }
}

/// A call that is on record has returned: compares what came with what was recorded.
#[cold]
pub fn compare(thread: &Thread, function: Function, code: i32) {
    if catch_unwind(AssertUnwindSafe(|| compare_in(thread, function, code))).is_err() {
        process::stop();
    }
}

fn compare_in(thread: &Thread, function: Function, code: i32) {
    let Some(mut lent) = thread.lane().filter(|_| is_followed(function)) else { return };
    let lane = &mut *lent;
    if lane.following.as_ref().is_none_or(|following| following.is_free || following.follower.is_none()) {
        return;
    }
    let call = call_at_hand(lane, function);
    let outcome = Outcome { code, results: lane.results.words.values(true).into() };
    let Lane { process, results, following: Some(following), .. } = lane else { return };
    let (mode, thread) = (following.on_divergence, following.thread);
    let Some(follower) = following.follower.as_mut() else { return };
    if let Err(divergence) = follower.came(&call, &outcome, &results.digests) {
        tell(process, thread, mode, &divergence);
    }
    note(follower);
}

/// Notes what a thread has done.
fn note(follower: &Follower) {
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(entry) = done.iter_mut().find(|(thread, ..)| *thread == follower.thread()) {
        *entry = (follower.thread(), follower.fingerprint(), follower.counts());
    }
}

/// Tells of a divergence, and ends the run if it is to end then. Other data alone are no other course.
#[cold]
fn tell(process: &Process, thread: usize, mode: OnDivergence, divergence: &Divergence) {
    let rank = COURSE.get().map_or(0, |(rank, _)| *rank);
    let who = if thread == 0 { format!("rank {rank}") } else { format!("thread {thread} of rank {rank}") };
    let at = |place: &str| if place.is_empty() { String::new() } else { format!(" at {place}") };
    match divergence {
        Divergence::Data { call, place } => {
            if !DATA_TOLD.swap(true, Ordering::Relaxed) && is_first(process, "other-data") {
                process::say(&format!("{who} has other data than recorded in {call}{}", at(place)));
            }
            return;
        }
        Divergence::Call { expected, place, found } => {
            say(
                process,
                mode,
                &format!("{who} leaves the recorded course: {expected}{} was expected, and it calls {found}", at(place)),
            );
        }
        Divergence::Choice { call, place, expected, found } => {
            say(
                process,
                mode,
                &format!("{who} leaves the recorded course: {call}{} came to {expected}, and now to {found}", at(place)),
            );
        }
    }
    if mode == OnDivergence::Stop {
        abort();
    }
}

/// Where the run ends with it, one rank speaks for all; else each for itself, for a while.
fn say(process: &Process, mode: OnDivergence, line: &str) {
    let is_told = match mode {
        OnDivergence::Stop => is_first(process, "diverged"),
        OnDivergence::Warn | OnDivergence::Free => TOLD.fetch_add(1, Ordering::Relaxed) < TOLD_MAX,
    };
    if is_told {
        process::say(line);
    }
}

/// The rank comes to its end: what it has done is put where the last one of the job finds it.
fn leave(lane: &Lane) {
    let Some((rank, course)) = COURSE.get() else { return };
    let done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = format!("{:016x}\n", course.recorded);
    for (thread, digest, counts) in done.iter() {
        let Counts { followed, choices, divergences, other_data, beyond } = counts;
        let _ = writeln!(text, "{rank} {thread} {digest} {followed} {choices} {divergences} {other_data} {beyond}");
    }
    let path = lane.process.settings.parts.join(format!("rank-{rank}.followed"));
    // Who does not find it says less.
    let _ = without_signals(|| fs::write(path, text));
}

/// What the ranks have done that left word in this directory, in a line; None if nobody did.
pub fn report(parts: &Path) -> Option<String> {
    ON.load(Ordering::Relaxed).then_some(())?;
    let files = fs::read_dir(parts).ok()?.flatten().map(|entry| entry.path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "followed")).collect();
    let (mut threads, mut sum, mut recorded) = (Vec::new(), Counts::default(), 0);
    for text in files.iter().filter_map(|path| fs::read_to_string(path).ok()) {
        let (head, lines) = text.split_once('\n')?;
        recorded = u64::from_str_radix(head, 16).unwrap_or(0);
        for line in lines.lines() {
            let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
            let &[rank, thread, digest, followed, choices, divergences, other_data, beyond] = &*numbers else { continue };
            threads.push((u32::try_from(rank).ok(), thread as u32, digest));
            sum.followed += followed;
            sum.choices += choices;
            sum.divergences += divergences;
            sum.other_data += other_data;
            sum.beyond += beyond;
        }
    }
    let found = fingerprint::of_run(threads.into_iter());
    let as_recorded = if found == recorded { "as recorded" } else { "not as recorded" };
    let mut line = format!(
        "{} calls came as recorded, with {} choices of MPI; fingerprint {found:016x}, {as_recorded}",
        sum.followed, sum.choices
    );
    if sum.divergences > 0 {
        let _ = write!(line, "; {} were other calls than recorded", sum.divergences);
    }
    if sum.other_data > 0 {
        let _ = write!(line, "; {} had other data", sum.other_data);
    }
    if sum.beyond > 0 {
        let _ = write!(line, "; {} came after the recorded end", sum.beyond);
    }
    Some(line)
}
