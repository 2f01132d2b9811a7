//! `--landing` and `--guard`: what the library works on while an operation is under way is not the program's memory, but a copy of it.
//!
//! What is received lands in memory of ours and is copied when the operation is complete, so that whatever has changed in the program's buffer
//! before was changed by the program. With `--guard` what is sent is copied, too, and the pages of the program's buffers are closed as long
//! as the operation is under way (`guard`): neither the library, nor the kernel on its behalf, nor a peer ever touches them.
//!
//! Lent are the buffers of nonblocking and persistent messages and collectives. Whatever is not certain is left as it is, and counted: buffers
//! in windows, at MPI_BOTTOM, with MPI_IN_PLACE, of partitioned, one-sided and file operations, or while a CUDA driver is loaded.
//! Everything here happens before the library is entered, or after it was left; nothing of it depends on the recording, which may stop.

mod loan;
mod outcome;
mod room;
mod span;
mod table;

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use traces::constant::{IN_PLACE, PROC_NULL};
use traces::{Class, Direction, Function, Kind, Length, mpi};

use crate::abi::abi;
use crate::contents::Content;
use crate::guard;
use crate::lane::Thread;
use crate::shape::{self, Role, Shape};
use crate::{handles, payload, process, real, record};

use loan::{Loan, Side};
pub use span::Span;
use table::Lent;

const UNKNOWN: u8 = 0;
const OFF: u8 = 1;
const ON: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);
static LENT: LazyLock<Mutex<Lent>> = LazyLock::new(Mutex::default);

/// How many buffers were landed and guarded, and how many were not though it was asked for.
static COUNTS: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

/// What [`COUNTS`] counts.
#[derive(Clone, Copy, Debug)]
enum Count {
    Landed,
    Guarded,
    NotLanded,
    NotGuarded,
}

fn count(what: Count) {
    COUNTS[what as usize].fetch_add(1, Ordering::Relaxed);
}

fn lent() -> MutexGuard<'static, Lent> {
    LENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether anything is lent in this process.
#[inline]
pub fn is_on() -> bool {
    match STATE.load(Ordering::Relaxed) {
        OFF => false,
        ON => true,
        _ => begin(),
    }
}

/// Finds out what is wanted, once the recording has begun.
#[cold]
fn begin() -> bool {
    let Some(process) = process::begun() else { return false };
    // Where a run is repeated, what comes of a call is decided elsewhere.
    let is_free = process.settings.on_divergence.is_none();
    let is_wanted = is_free && (process.settings.landing || process.settings.guard);
    if is_wanted && process.settings.guard {
        guard::begin();
    }
    STATE.store(if is_wanted { ON } else { OFF }, Ordering::Relaxed);
    is_wanted
}

/// What a call does with what is lent.
#[derive(Default)]
pub struct Call {
    /// The requests that it names: handles, and the variables that they are in.
    named: Vec<(u64, usize)>,
    /// The buffers of the operation that it makes, and which argument each replaces.
    made: Vec<(Loan, usize)>,
    /// Arguments to be put back.
    replaced: Vec<(usize, usize)>,
    /// Pages that it works on itself are open until it returns.
    visit: Option<guard::Visit>,
}

/// Before a call: puts on record what the program did since the last one, and lends what the call is to work on. May replace addresses of buffers in
/// the arguments, until [`after`]. Gives the code of a call that is not to be made.
///
/// # Safety
/// The arguments are those of the function, and what is recorded of it is of this very call, if `is_recorded`.
#[cold]
pub unsafe fn before(thread: &Thread, function: Function, a: &mut [usize], is_recorded: bool) -> (Call, Option<usize>) {
    let shape = shape::of(function);
    let mut call = Call::default();
    if function == mpi::FINALIZE {
        finalize();
        return (call, None);
    }
    // SAFETY: as the caller's.
    call.named = unsafe { named(shape, a) };
    match shape.role {
        Role::Frees => {
            // SAFETY: as the caller's.
            let code = unsafe { keep_freed(&call.named, a) };
            return (call, code);
        }
        Role::Starts => begin_named(&call.named),
        Role::Looks | Role::CompletesAll | Role::CompletesAny(_) | Role::CompletesSome(..) => {}
        _ if is_recorded => {
            let Some((sent, received)) = contents(thread) else { return (call, None) };
            match shape.role {
                Role::Makes(..) if lends(shape, a) => make(shape, a, &sent, &received, &mut call),
                _ => touch(shape, &sent, &received, &mut call),
            }
        }
        _ => {}
    }
    (call, None)
}

/// What the call at hand sends and receives.
fn contents(thread: &Thread) -> Option<(Content, Content)> {
    let lane = thread.lane()?;
    Some((lane.arguments.sent.clone(), lane.arguments.received.clone()))
}

/// The requests that a call names.
///
/// # Safety
/// The arguments are those of the function.
unsafe fn named(shape: &Shape, a: &[usize]) -> Vec<(u64, usize)> {
    let Some(at) = shape.names else { return Vec::new() };
    let (step, word) = (&shape.parameters[at], a[at]);
    if step.direction == Direction::In && step.length == Length::Scalar {
        return vec![(abi().handle(Kind::Request, word), 0)];
    }
    let count = match step.length {
        Length::Parameter(count) => usize::try_from(a[count] as i32).unwrap_or(0),
        _ => 1,
    };
    let bytes = abi().handle_bytes(Kind::Request);
    // SAFETY: so many requests lie there, if any.
    let one = |i: usize| unsafe { (abi().handle_at(Kind::Request, word, i), word + i * bytes) };
    if word == 0 { Vec::new() } else { (0..count).map(one).collect() }
}

/// Whether the buffers of an operation may be lent.
fn lends(shape: &Shape, a: &[usize]) -> bool {
    let is_message_or_collective = matches!(shape.function.class(), Class::PointToPoint | Class::Collective);
    let is_in_place = |(at, step): (usize, &shape::Step)| step.kind == Kind::Buffer && abi().buffer(a[at]) == IN_PLACE;
    let is_to_nobody = ["source", "dest"]
        .iter()
        .filter_map(|name| shape.function.parameter(name))
        .all(|at| abi().rank(a[at] as i32) == PROC_NULL)
        && shape.function.class() == Class::PointToPoint
        && ["source", "dest"].iter().any(|name| shape.function.parameter(name).is_some());
    is_message_or_collective
        && !shape.replaces
        && !is_to_nobody
        && !shape.parameters.iter().enumerate().any(is_in_place)
        && payload::is_host_memory(process::clock::ticks())
}

/// Lends the buffers of the operation that a call makes.
fn make(shape: &Shape, a: &mut [usize], sent: &Content, received: &Content, call: &mut Call) {
    let mut lent = lent();
    let sides = [(Side::Send, shape.sends, sent), (Side::Receive, shape.receives, received)];
    for (side, places, content) in sides {
        let Some(places) = places.filter(|_| payload::len_of(content.blocks(), None) > 0) else { continue };
        if side == Side::Send && !guard::is_on() {
            continue;
        }
        let Some(loan) = lend(&mut lent, side, content) else {
            count(if side == Side::Receive { Count::NotLanded } else { Count::NotGuarded });
            give_way(&mut lent, side, content, true);
            continue;
        };
        call.replaced.push((places.buffer, a[places.buffer]));
        a[places.buffer] = loan.in_place_of(a[places.buffer]);
        call.made.push((loan, places.buffer));
    }
    if matches!(shape.role, Role::Makes(_, false)) {
        for (loan, _) in &mut call.made {
            begin_loan(&mut lent, loan);
        }
    }
}

fn lend(lent: &mut Lent, side: Side, content: &Content) -> Option<Loan> {
    let span = Span::of(content.blocks(), &mut lent.elements)?;
    let is_of_window = lent.windows.iter().any(|&(low, high)| span.meets(low, high));
    lent.loans += 1;
    if is_of_window { None } else { Loan::new(lent.loans, side, span) }
}

/// An operation begins that uses a loan.
fn begin_loan(lent: &mut Lent, loan: &mut Loan) {
    let (low, high) = (loan.span.low, loan.span.low + loan.span.len);
    let _open = guard::visit(low, high);
    loan.begin();
    loan.is_shared |= lent.note_sharer(loan.side, &loan.span);
    lent.begins(loan);
}

/// A call works on memory of the program itself: until it returns, or, if it only begins to, for good.
fn touch(shape: &Shape, sent: &Content, received: &Content, call: &mut Call) {
    if sent.blocks().is_empty() && received.blocks().is_empty() {
        return;
    }
    let is_over_when_it_returns = shape.role == Role::None;
    if matches!(shape.role, Role::Makes(..)) && payload::len_of(received.blocks(), None) > 0 {
        count(Count::NotLanded);
    }
    let mut lent = lent();
    if lent.operations.is_empty() && lent.freed.is_empty() {
        return;
    }
    for (side, content) in [(Side::Send, sent), (Side::Receive, received)] {
        if let Some((low, high)) = give_way(&mut lent, side, content, !is_over_when_it_returns)
            && is_over_when_it_returns
        {
            call.visit = Some(match call.visit.take() {
                Some(visit) => visit.and(low, high),
                None => guard::visit(low, high),
            });
        }
    }
}

/// The library gets memory of the program: gives its range, and opens its pages for good, if it is to be `for_good`.
fn give_way(lent: &mut Lent, side: Side, content: &Content, for_good: bool) -> Option<(usize, usize)> {
    let ranges = content.blocks().iter().filter_map(|block| {
        let layout = handles::with(|h| h.datatype(block.datatype.0 as u64))?.layout;
        span::range(block, layout)
    });
    let (low, high) = ranges.fold(None, |all: Option<(usize, usize)>, (low, high)| {
        Some(all.map_or((low, high), |(first, last)| (first.min(low), last.max(high))))
    })?;
    if side == Side::Receive {
        lent.note_writer(low, high);
    }
    if for_good {
        guard::give_up(low, high);
    }
    Some((low, high))
}

/// A call starts persistent operations.
fn begin_named(named: &[(u64, usize)]) {
    let mut lent = lent();
    for &(handle, variable) in named {
        let Some(position) = lent.position(handle, variable) else { continue };
        let Some(mut operation) = lent.remove(handle, position) else { continue };
        if !operation.is_active() {
            operation.loans.iter_mut().for_each(|loan| begin_loan(&mut lent, loan));
        }
        lent.operations.entry(handle).or_default().push(operation);
    }
}

/// A request is freed whose operation is under way: nobody will say when its data has come. It is kept, and looked after.
///
/// # Safety
/// The first argument is the address of the request that is named.
unsafe fn keep_freed(named: &[(u64, usize)], a: &[usize]) -> Option<usize> {
    let &(handle, variable) = named.first()?;
    let mut lent = lent();
    let position = lent.position(handle, variable)?;
    let is_active = lent.operations.get(&handle)?.get(position)?.is_active();
    let operation = lent.remove(handle, position)?;
    if !is_active {
        // It can be given back only when the library has been told.
        lent.operations.entry(handle).or_default().push(operation);
        return None;
    }
    operation.loans.iter().for_each(|loan| guard::open(loan.id));
    lent.freed.push((handle, operation));
    let null = abi().request_null;
    // SAFETY: as the caller's; handles of requests have four bytes, or eight.
    unsafe {
        match abi().handle_bytes(Kind::Request) {
            4 => (a[0] as *mut u32).write_unaligned(null as u32),
            _ => (a[0] as *mut u64).write_unaligned(null),
        }
    }
    Some(0)
}

/// MPI_Finalize: from here on the program's memory is the library's, as without us.
fn finalize() {
    guard::end();
    let mut lent = lent();
    let complete: Vec<u64> = lent.operations.keys().copied().filter(|&handle| outcome::is_complete(handle)).collect();
    for handle in complete {
        let mut all = lent.remove_all(handle);
        all.iter_mut().flat_map(|operation| &mut operation.loans).for_each(|loan| outcome::give_back(&mut lent, loan));
    }
    outcome::look_after_freed(&mut lent);
    lent.is_over = true;
    for (handle, _) in &lent.freed {
        let mut handle = *handle;
        // SAFETY: the request is there, and its handle lies in this variable, on a machine whose lower bytes come first.
        unsafe { real::pmpi(mpi::REQUEST_FREE, [(&raw mut handle) as usize]) };
    }
}

/// Puts on record what came of it, before MPI_Finalize is.
fn tell_counts(thread: &Thread) {
    if let Some(mut lane) = thread.lane() {
        record::lent(&mut lane, [0, 1, 2, 3].map(|what: usize| COUNTS[what].load(Ordering::Relaxed)));
    }
}

/// After a call, which has returned `code`: gives back what it has completed.
///
/// # Safety
/// The arguments are those that [`before`] has left.
#[cold]
pub unsafe fn after(function: Function, a: &mut [usize], code: i32, call: &mut Call) {
    let shape = shape::of(function);
    for (at, address) in call.replaced.drain(..) {
        a[at] = address;
    }
    // SAFETY: as the caller's.
    unsafe { outcome::take(shape, a, code, call) };
}

/// After a call was put on record: closes the pages of what has begun, and puts on record what was found.
#[cold]
pub fn finish(thread: &Thread, function: Function, code: i32, call: Call) {
    drop(call.visit);
    guard::end_call();
    outcome::close(shape::of(function), code, &call.named);
    tell(thread);
    if function == mpi::FINALIZE {
        lent().active().for_each(|loan| loan.land());
    }
}

/// Puts on record what the program did before a call; of its last one, also what came of all others.
pub fn tell_before(thread: &Thread, function: Function) {
    tell(thread);
    if function == mpi::FINALIZE {
        tell_counts(thread);
    }
}

/// Puts on record what the program did.
fn tell(thread: &Thread) {
    let found = guard::take_violations();
    if found.is_empty() && !outcome::has_changes() {
        return;
    }
    let Some(mut lane) = thread.lane() else { return };
    for access in found {
        let stack = lane.stacks.of_snapshot(&access.snapshot);
        if let Some(loan) = lent().active().find(|loan| loan.id == access.loan) {
            loan.is_told = true;
        }
        record::access(&mut lane, stack, &access.told);
    }
    for told in outcome::take_changes() {
        record::access(&mut lane, 0, &told);
    }
}
