//! One call, before and after: on record before the library is entered, so that a call that never returns is in the trace.

use traces::chunk::{Entry, write_call, write_outcome};
use traces::payload::Keep;
use traces::record::ProcessRecord;
use traces::segment::{Full, Open};
use traces::{Ending, Function, Kind, Length, mpi};

use crate::abi::abi;
use crate::following;
use crate::gather::{self, Gathered, Share};
use crate::handles;
use crate::lane::{Lane, Thread};
use crate::payload::Taking;
use crate::process::{self, clock};
use crate::python;
use crate::recent::{Found, Key};
use crate::requests::Named;
use crate::shape::{self, Role, Shape};
use crate::spawn;

/// A call that is on record and has not returned.
pub struct Pending {
    /// Which call of the lane it is.
    call: u64,
    shape: &'static Shape,
    open: Open,
    /// Its place among the recent calls, if it has one.
    place: Option<usize>,
}

/// Puts a call on record, of the wrapper with this frame. May replace MPI_STATUS_IGNORE in the arguments. None is pending if nothing is
/// recorded.
///
/// What is pending is written where it stays until the call returns: moving it from one place to another soon after makes a processor wait.
///
/// # Safety
/// The arguments are those of the function.
pub unsafe fn enter(thread: &Thread, function: Function, a: &mut [usize], frame: usize, pending: &mut Option<Pending>) {
    // SAFETY: as the caller's.
    *pending = unsafe { begin(thread, function, a, frame) };
}

/// # Safety
/// As [`enter`].
#[inline(always)]
unsafe fn begin(thread: &Thread, function: Function, a: &mut [usize], frame: usize) -> Option<Pending> {
    let lane = &mut *thread.lane()?;
    lane.calls += 1;
    let caller = python::stack(thread, &mut lane.methods, lane.stacks.of(frame));
    if !lane.recording.has_room() && !lane.flush() {
        return None;
    }
    let shape = shape::of(function);
    // SAFETY: as the caller's.
    unsafe { lane.arguments.name_requests(shape, a) };
    // What completes a request that is on record is recorded, or it would seem lost.
    if process::is_paused() && !shape.is_kept && !lane.arguments.requests.iter().any(Named::is_known) {
        process::skip();
        return None;
    }
    let epoch = handles::epoch();
    let key = Key { function, caller, epoch, arguments: a, requests: &lane.arguments.requests };
    let recent = if shape.by_value { lane.recent.find(key) } else { None };
    let (call, place) = match recent.and_then(|place| Some((lane.recent.found(place)?, place))) {
        Some((found, place)) => {
            lane.arguments.recall(found);
            (found.call, Some(place))
        }
        // SAFETY: as the caller's.
        None => unsafe { read_call(lane, shape, a, caller, epoch)? },
    };
    keep_statuses(lane, shape, a);
    match function {
        mpi::ABORT => lane.recording.end(Ending::Aborted),
        // SAFETY: as the caller's.
        mpi::COMM_SPAWN | mpi::COMM_SPAWN_MULTIPLE => lane.spawn = unsafe { spawn::record_too(lane.process, function, a) },
        _ => {}
    }
    if shape.replaces {
        let taking = Taking { keep: lane.process.settings.payload, now: clock::ticks() };
        lane.results.take_before(&lane.arguments, taking);
    }
    let open = lane.recording.begin(call, clock::ticks());
    Some(Pending { call: lane.calls, shape, open, place })
}

/// Reads a call that is not one of the recent. Gives its number, and its place among the recent from now on.
///
/// # Safety
/// As [`enter`].
unsafe fn read_call(lane: &mut Lane, shape: &Shape, a: &[usize], caller: usize, epoch: u64) -> Option<(u32, Option<usize>)> {
    // SAFETY: as the caller's.
    unsafe { lane.arguments.read(shape, a, caller) };
    let call = number_of_call(lane, shape.function, caller)?;
    if !shape.by_value {
        return Some((call, None));
    }
    let Lane { recent, arguments, .. } = lane;
    let key = Key { function: shape.function, caller, epoch, arguments: a, requests: &arguments.requests };
    let found = Found { call, sent: arguments.sent.one(), received: arguments.received.one() };
    Some((call, recent.keep(key, found)))
}

/// Where the program ignores statuses, the library gets memory of ours: the source of a wildcard receive is worth knowing.
#[inline]
fn keep_statuses(lane: &mut Lane, shape: &Shape, a: &mut [usize]) {
    let Some(at) = shape.statuses else { return };
    let abi = abi();
    if a[at] != abi.status_ignore {
        return;
    }
    let parameter = &shape.parameters[at];
    let count = if parameter.length == Length::Scalar { 1 } else { lane.arguments.requests.len() };
    let wanted = match shape.role {
        Role::None | Role::Makes(..) => {
            shape.receives.is_some() || shape.found.is_some() || shape.function.class() == traces::Class::Probe
        }
        Role::CompletesFetches(_) => true,
        _ => lane.arguments.requests.iter().any(Named::is_known),
    };
    if wanted && count > 0 {
        a[at] = lane.results.room_for_statuses(count, abi.status_bytes);
    }
}

/// The number of the call in the dictionary. Where the dictionary is full, its segment is saved first.
#[inline]
fn number_of_call(lane: &mut Lane, function: Function, caller: usize) -> Option<u32> {
    if let Some(number) = lane.recording.known(lane.arguments.words.key()) {
        return Some(number);
    }
    for arrays in [true, true, false] {
        if let Ok(number) = learn_call(lane, function, caller, arrays) {
            return Some(number);
        }
        if !lane.flush() {
            return None;
        }
    }
    None
}

#[cold]
fn learn_call(lane: &mut Lane, function: Function, caller: usize, arrays: bool) -> Result<u32, Full> {
    let site = lane.sites.number(&mut lane.recording, caller)?;
    let values = lane.arguments.words.values(arrays);
    lane.recording.intern(Entry::Call, lane.arguments.words.key(), |out| write_call(out, function, site, &values))
}

/// Puts on record that a call has returned. If MPI_Abort was called in the middle of it, by a callback, and returned, nothing of it is
/// where it was.
///
/// # Safety
/// The arguments are those that the function was called with, and it returned `code`.
#[inline]
pub unsafe fn leave(thread: &Thread, pending: &Pending, a: &[usize], code: i32) {
    let end = clock::ticks();
    let &Pending { call, shape, open, place } = pending;
    let Some(mut lent) = thread.lane().filter(|lane| lane.calls == call) else { return };
    let lane = &mut *lent;
    match shape.function {
        mpi::INIT | mpi::INIT_THREAD if code == 0 => world_begins(lane),
        // SAFETY: the library has just given this session.
        mpi::SESSION_INIT if code == 0 => session_begins(lane, unsafe { abi().handle_at(Kind::Session, a[2], 0) }),
        _ => {}
    }
    let taking = Taking { keep: lane.process.settings.payload, now: end };
    // SAFETY: as the caller's.
    let nothing = unsafe { lane.results.read(shape, a, code, &lane.arguments, taking) };
    match shape.function {
        mpi::PCONTROL => control(lane, a[0] as i32),
        mpi::FINALIZE if process::is_paused() => lane.results.digests.push(process::take_skipped()),
        _ => {}
    }
    match outcome_number(lane, code, place) {
        Some(outcome) if nothing => lane.recording.finish_poll(open, outcome, end),
        Some(outcome) => lane.recording.finish(open, outcome, end, &lane.results.digests),
        None => {}
    }
    match shape.function {
        mpi::FINALIZE if code == 0 => world_ends(lane),
        mpi::SESSION_FINALIZE if code == 0 => session_ends(lane),
        _ => {}
    }
    if shape.function == mpi::PCONTROL && a[0] as i32 == FLUSH {
        lane.flush();
    }
}

/// An access of the program to a buffer that an operation under way uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The number of the operation's request.
    pub request: i64,
    /// Whether the operation sends the buffer; else it receives into it.
    pub is_sent: bool,
    /// Whether the program wrote to it; else it read it.
    pub is_store: bool,
    /// Where the buffer begins.
    pub address: usize,
    /// The first byte that was accessed, from there,
    pub offset: usize,
    /// and how many.
    pub bytes: usize,
}

/// Puts an access on record, as a call that nobody makes. `stack` is a word of `frames`; 0 where nobody knows.
#[cold]
pub fn access(lane: &mut Lane, stack: usize, access: &Access) {
    let words = &mut lane.arguments.words;
    words.begin([1 << 62 | u64::from(mpi::MPITRACE_ACCESS.0), stack as u64]);
    words.int(access.request);
    words.text(if access.is_sent { b"send" } else { b"receive" });
    words.text(if access.is_store { b"store" } else { b"load" });
    [access.address, access.offset, access.bytes].into_iter().for_each(|number| words.int(number as i64));
    happened(lane, mpi::MPITRACE_ACCESS, stack);
}

/// Puts on record how many buffers were landed, guarded, not landed, and not guarded though they were to be.
#[cold]
pub fn lent(lane: &mut Lane, counts: [u64; 4]) {
    let words = &mut lane.arguments.words;
    words.begin([1 << 62 | u64::from(mpi::MPITRACE_LENT.0), 0]);
    counts.into_iter().for_each(|count| words.int(count as i64));
    happened(lane, mpi::MPITRACE_LENT, 0);
}

/// Something that is no call has happened, now: its arguments are those of the lane.
fn happened(lane: &mut Lane, function: Function, stack: usize) {
    if !lane.recording.has_room() && !lane.flush() {
        return;
    }
    let Some(call) = number_of_call(lane, function, stack) else { return };
    lane.calls += 1;
    let open = lane.recording.begin(call, clock::ticks());
    lane.results.words.begin([1 << 61 | u64::from(function.0), 0]);
    lane.results.words.nil_until(function.parameters().len());
    if let Some(outcome) = outcome_number(lane, 0, None) {
        lane.recording.finish(open, outcome, clock::ticks(), &[]);
    }
}

/// The levels of MPI_Pcontrol that the standard speaks of: recording is off, is on, and what was recorded is saved.
const OFF: i32 = 0;
const ON: i32 = 1;
const FLUSH: i32 = 2;

/// The program says what is to be recorded. What it switches by that stands as a word beside the call.
#[cold]
fn control(lane: &mut Lane, level: i32) {
    let off = match level {
        OFF => true,
        ON => false,
        _ => return,
    };
    if !lane.process.settings.ignores_pcontrol && process::pause(off) {
        let skipped = (!off).then(process::take_skipped);
        lane.results.digests.push(u64::from(off));
        lane.results.digests.extend(skipped);
    }
}

/// Lets `look` see this process's segments as they will be when MPI_Finalize has returned.
pub fn foresee<T>(thread: &Thread, pending: &Pending, look: impl FnOnce() -> T) -> T {
    let end = clock::ticks();
    let Pending { call, shape, open, place } = pending;
    let Some(mut lent) = thread.lane().filter(|lane| lane.calls == *call) else { return look() };
    let lane = &mut *lent;
    lane.recording.tell_time(end, clock::monotonic_ns());
    let taking = Taking { keep: Keep::None, now: end };
    // SAFETY: MPI_Finalize has no arguments.
    unsafe { lane.results.read(shape, &[], 0, &lane.arguments, taking) };
    match outcome_number(lane, 0, *place) {
        Some(outcome) => lane.recording.foresee(open, outcome, end, look),
        None => look(),
    }
}

/// The number of the outcome in the dictionary. `has_room` has seen to it that it fits, unless it is larger than any entry may be.
#[inline]
fn outcome_number(lane: &mut Lane, code: i32, place: Option<usize>) -> Option<u32> {
    let Lane { recording, results, recent, .. } = lane;
    let key = results.words.key();
    if let Some(number) = place.and_then(|place| recent.outcome(place, key)) {
        return Some(number);
    }
    let number = recording.known(key).or_else(|| learn_outcome(lane, code))?;
    if let Some(place) = place {
        lane.recent.keep_outcome(place, lane.results.words.key(), number);
    }
    Some(number)
}

#[cold]
fn learn_outcome(lane: &mut Lane, code: i32) -> Option<u32> {
    let Lane { recording, results, .. } = lane;
    [true, false].into_iter().find_map(|arrays| {
        let values = results.words.values(arrays);
        recording.intern(Entry::Outcome, results.words.key(), |out| write_outcome(out, code, &values)).ok()
    })
}

#[cold]
fn world_begins(lane: &mut Lane) {
    handles::change();
    let origin = lane.process.settings.origin.as_ref();
    let place = handles::with(|h| h.communicators.begin_world(origin));
    describe(lane, place, process::largest_tag());
}

/// Programs that have sessions only are told their rank by the set of all processes.
#[cold]
fn session_begins(lane: &mut Lane, session: u64) {
    if let Some(place) = handles::with(|h| h.communicators.begin_session(session)) {
        describe(lane, Some(place), None);
        lane.recording.end(Ending::Unfinished);
    }
}

/// Notes rank and size of this process, and the largest tag.
fn describe(lane: &mut Lane, place: Option<(u32, u32)>, tag_ub: Option<i64>) {
    let mut record = ProcessRecord { tag_ub, ..lane.process.record.clone() };
    if let Some((rank, size)) = place {
        (record.rank, record.world_size) = (Some(rank), size);
        record.world = lane.process.settings.origin.as_ref().map_or(0, |origin| origin.world);
    }
    (record.clock.last_ticks, record.clock.last_ns) = (clock::ticks(), clock::monotonic_ns());
    lane.recording.describe(&record);
    following::begin(lane.process, &record);
}

#[cold]
fn world_ends(lane: &mut Lane) {
    lane.recording.tell_time(clock::ticks(), clock::monotonic_ns());
    lane.recording.end(Ending::Finalized);
    let world = abi().native(Kind::Comm, traces::constant::COMM_WORLD);
    let size = handles::with(|h| world.and_then(|w| h.communicators.get(w as u64)).map_or(0, |c| c.peers));
    let size = u32::try_from(size).unwrap_or(0);
    let all = Gathered::Here(Share { finishers: size, processes: size });
    process::recording().inspect(|p| p.finish(gather::result().unwrap_or(all)));
}

/// A program without MPI_COMM_WORLD may open another session after its last, so its recording goes on; its watcher makes the trace.
#[cold]
fn session_ends(lane: &mut Lane) {
    if handles::with(|h| h.communicators.are_over()) {
        lane.recording.tell_time(clock::ticks(), clock::monotonic_ns());
        lane.recording.end(Ending::Finalized);
    }
}
