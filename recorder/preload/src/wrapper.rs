//! What every exported function does: record, forward, record.
//!
//! Libraries call their own functions through the same names; only the outermost call of a thread is the program's. MPI_Abort is
//! recorded at any depth: programs call it from callbacks.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use traces::function::Direction;
use traces::{Class, Function, Kind, mpi};

use crate::abi::abi;
use crate::lane::{THREAD, Thread};
use crate::record::Pending;
use crate::{following, gather, handles, lending, process, real, record};

/// Which of a function's two names was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `MPI_x`.
    Mpi,
    /// `PMPI_x`: Fortran layers, and tools.
    Pmpi,
}

/// What a call returns when no MPI library is there: MPI_ERR_OTHER in the standard ABI.
const NO_LIBRARY: usize = 16;

/// Being inside a call. It ends with the call, also by an exception or a cancelled thread.
struct Inside<'a> {
    depth: &'a Cell<u32>,
    before: u32,
}

impl Inside<'_> {
    #[inline]
    fn enter(thread: &Thread) -> Inside<'_> {
        let before = thread.depth.get();
        thread.depth.set(before + 1);
        Inside { depth: &thread.depth, before }
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        self.depth.set(self.before);
    }
}

/// A call of a function that returns an error code.
///
/// # Safety
/// The arguments are those of the function.
#[inline(never)]
pub unsafe fn call<const N: usize>(function: Function, family: Family, mut a: [usize; N], frame: usize) -> usize {
    let Some(address) = real::function(function, family) else {
        // SAFETY: as the caller's.
        return unsafe { without_library(function, &a) };
    };
    // What is given to a closure goes through memory, in every call.
    let thread = THREAD.with(std::ptr::from_ref);
    // SAFETY: as the caller's; what a thread has of its own needs no destructor, and so is there as long as the thread.
    unsafe { call_in(&*thread, address, function, &mut a, frame) }
}

/// A call of the function at this address, in this thread.
///
/// # Safety
/// As [`call`].
#[inline(always)]
unsafe fn call_in<const N: usize>(
    thread: &Thread,
    address: usize,
    function: Function,
    a: &mut [usize; N],
    frame: usize,
) -> usize {
    let inside = Inside::enter(thread);
    if inside.before > 0 && function != mpi::ABORT {
        // SAFETY: as the caller's.
        return unsafe { nested(thread, address, function, a) };
    }
    thread.outermost.set(function);
    if lending::is_on() {
        // What the program has done comes before what it does now.
        _ = catch_unwind(AssertUnwindSafe(|| lending::tell_before(thread, function)));
    }
    let mut pending = None;
    // SAFETY: as the caller's.
    let entered = catch_unwind(AssertUnwindSafe(|| unsafe { record::enter(thread, function, a, frame, &mut pending) }));
    if N == 0 && function == mpi::FINALIZE && entered.is_ok() {
        gather(thread, pending.as_ref());
    }
    if lending::is_on() {
        // SAFETY: as the caller's.
        return unsafe { call_lending(thread, address, function, a, pending.as_ref()) };
    }
    // What is not on record is on no course.
    let is_followed = following::is_on() && pending.is_some();
    // SAFETY: as the caller's.
    let made = if is_followed { unsafe { following::make(thread, function, a) } } else { None };
    let result = match made {
        Some(result) => result,
        // SAFETY: as the caller's; `enter` replaced an ignored status by memory for it, at most.
        None => unsafe { real::invoke(address, a) },
    };
    // SAFETY: the call has returned.
    unsafe { leave(thread, function, a, pending.as_ref(), result) };
    result
}

/// # Safety
/// The call of this function with these arguments has returned this.
#[inline(always)]
unsafe fn leave<const N: usize>(thread: &Thread, function: Function, a: &[usize; N], pending: Option<&Pending>, result: usize) {
    let Some(pending) = pending else { return };
    // SAFETY: as the caller's.
    if catch_unwind(AssertUnwindSafe(|| unsafe { record::leave(thread, pending, a, result as i32) })).is_err() {
        process::stop();
    }
    if following::is_on() {
        following::compare(thread, function, result as i32);
    }
}

/// A call that is on record, in a program whose buffers are lent to the library.
///
/// # Safety
/// As [`call`].
#[cold]
#[inline(never)]
unsafe fn call_lending<const N: usize>(
    thread: &Thread,
    address: usize,
    function: Function,
    a: &mut [usize; N],
    pending: Option<&Pending>,
) -> usize {
    // SAFETY: as the caller's.
    let (mut call, made) = unsafe { lending::before(thread, function, a, pending.is_some()) };
    // SAFETY: as the caller's; in place of the program's buffers there is as much memory.
    let result = made.unwrap_or_else(|| unsafe { real::invoke(address, a) });
    // SAFETY: as the caller's.
    unsafe { lending::after(function, a, result as i32, &mut call) };
    // SAFETY: as the caller's.
    unsafe { leave(thread, function, a, pending, result) };
    lending::finish(thread, function, result as i32, call);
    result
}

/// What there is to do before MPI_Finalize, also on a rank whose recording has stopped: others may rely on it.
#[cold]
fn gather(thread: &Thread, pending: Option<&Pending>) {
    if catch_unwind(AssertUnwindSafe(|| gather::gather(thread, pending))).is_err() {
        process::stop();
    }
}

/// A call from inside another one, which is the library's or that of a callback. It is not recorded. But what a callback frees is gone: its
/// handle may come again, as that of a shorter datatype or a smaller communicator, and what is known of the old one would be believed.
///
/// # Safety
/// As [`call`].
#[inline]
unsafe fn nested<const N: usize>(thread: &Thread, address: usize, function: Function, a: &[usize; N]) -> usize {
    let kind = match function {
        // A file keeps the datatypes of its view, and gives up what is its own.
        mpi::TYPE_FREE if thread.outermost.get().class() != Class::Io => Kind::Type,
        mpi::COMM_FREE | mpi::COMM_DISCONNECT => Kind::Comm,
        // SAFETY: as the caller's.
        _ if makes_handles(function) => return unsafe { nested_make(address, function, a) },
        // SAFETY: as the caller's.
        _ => return unsafe { real::invoke(address, a) },
    };
    // SAFETY: as the caller's; the argument of these three is the address of a handle.
    unsafe { nested_free(address, kind, a) }
}

/// Whether a function is of those that make something a program can have a copy of.
fn makes_handles(function: Function) -> bool {
    matches!(function.class(), Class::Datatype | Class::Communicator | Class::Topology | Class::Group | Class::Operation)
}

/// # Safety
/// As [`call`].
#[cold]
unsafe fn nested_make<const N: usize>(address: usize, function: Function, a: &[usize; N]) -> usize {
    // SAFETY: as the caller's.
    let result = unsafe { real::invoke(address, a) };
    let made = function
        .parameters()
        .iter()
        .position(|p| p.direction == Direction::Out && matches!(p.kind, Kind::Type | Kind::Comm | Kind::Group | Kind::Op));
    if let Some(made) = made.filter(|&made| result as i32 == 0 && process::is_on() && a.get(made).is_some_and(|&at| at != 0)) {
        let kind = function.parameters()[made].kind;
        // SAFETY: the function has just written a handle there.
        handles::make_nested(kind, unsafe { abi().handle_at(kind, a[made], 0) });
    }
    result
}

/// # Safety
/// As [`call`], of a function whose argument is the address of a handle of this kind.
#[cold]
unsafe fn nested_free<const N: usize>(address: usize, kind: Kind, a: &[usize; N]) -> usize {
    let at = a.first().copied().filter(|&at| at != 0 && process::is_on());
    // SAFETY: as the caller's.
    let handle = at.map(|at| unsafe { abi().handle_at(kind, at, 0) });
    // SAFETY: as the caller's.
    let result = unsafe { real::invoke(address, a) };
    if result as i32 == 0 {
        handle.inspect(|&handle| handles::free_nested(kind, handle));
    }
    result
}

/// A call of a function that returns a time.
///
/// # Safety
/// As [`call`].
#[inline(never)]
pub unsafe fn call_double(function: Function, family: Family, mut a: [usize; 0], frame: usize) -> f64 {
    let Some(address) = real::function(function, family) else { return 0.0 };
    // SAFETY: MPI_Wtime and MPI_Wtick have this signature.
    let time: unsafe extern "C-unwind" fn() -> f64 = unsafe { std::mem::transmute(address) };
    THREAD.with(|thread| {
        let inside = Inside::enter(thread);
        if inside.before > 0 {
            // SAFETY: as above.
            return unsafe { time() };
        }
        let mut pending = None;
        // SAFETY: the function has no arguments.
        let _ = catch_unwind(AssertUnwindSafe(|| unsafe { record::enter(thread, function, &mut a, frame, &mut pending) }));
        // SAFETY: as above.
        let result = unsafe { time() };
        if let Some(pending) = &pending {
            // SAFETY: the call has returned.
            let _ = catch_unwind(AssertUnwindSafe(|| unsafe { record::leave(thread, pending, &a, 0) }));
        }
        result
    })
}

/// A program may ask whether MPI is initialized before it loads an MPI library: it is not.
///
/// # Safety
/// As [`call`].
#[cold]
unsafe fn without_library<const N: usize>(function: Function, a: &[usize; N]) -> usize {
    if matches!(function, mpi::INITIALIZED | mpi::FINALIZED) && a.first().is_some_and(|&flag| flag != 0) {
        // SAFETY: the argument is the address of an int.
        unsafe { (a[0] as *mut i32).write(0) };
        return 0;
    }
    NO_LIBRARY
}
