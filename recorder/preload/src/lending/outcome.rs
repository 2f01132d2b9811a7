//! What a call has made, started, completed or freed, and what follows for what is lent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use traces::{Kind, mpi};

use super::loan::{Loan, Side};
use super::table::{Lent, Operation};
use super::{Call, Count, count, lent};
use crate::abi::abi;
use crate::guard;
use crate::handles;
use crate::real;
use crate::record::Access;
use crate::shape::{Role, Shape};

/// Changes of buffers that were found, to be put on record.
static CHANGES: Mutex<Vec<Access>> = Mutex::new(Vec::new());
static HAS_CHANGES: AtomicBool = AtomicBool::new(false);

/// So many windows' memory is remembered.
const WINDOWS_MAX: usize = 1024;

/// Whether changes wait to be put on record.
pub fn has_changes() -> bool {
    HAS_CHANGES.load(Ordering::Relaxed)
}

/// Those changes.
pub fn take_changes() -> Vec<Access> {
    HAS_CHANGES.store(false, Ordering::Relaxed);
    std::mem::take(&mut *CHANGES.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Takes what a call has brought.
///
/// # Safety
/// The arguments are those of the function of this shape, which has returned `code`.
pub unsafe fn take(shape: &Shape, a: &[usize], code: i32, call: &mut Call) {
    let mut lent = lent();
    if !lent.freed.is_empty() && !lent.is_over {
        look_after_freed(&mut lent);
    }
    match shape.role {
        // SAFETY: as the caller's.
        Role::Makes(_, is_persistent) => unsafe { note_made(&mut lent, shape, a, code, is_persistent, call) },
        Role::Starts if code != 0 => end_failed_start(&mut lent, &call.named),
        Role::Starts => {}
        Role::Frees if code == 0 => {
            for &(handle, variable) in &call.named {
                let position = lent.position(handle, variable);
                _ = position.and_then(|position| lent.remove(handle, position));
            }
        }
        Role::CompletesAll | Role::CompletesAny(_) | Role::CompletesSome(..) => {
            // SAFETY: as the caller's.
            let completed = unsafe { completed(&lent, shape, a, code, &call.named) };
            completed.into_iter().for_each(|(handle, variable)| complete(&mut lent, handle, variable));
        }
        Role::Looks => look(&mut lent, &call.named),
        // SAFETY: as the caller's.
        _ if code == 0 => unsafe { note_window(&mut lent, shape, a) },
        _ => {}
    }
}

/// # Safety
/// As [`take`].
unsafe fn note_made(lent: &mut Lent, shape: &Shape, a: &[usize], code: i32, is_persistent: bool, call: &mut Call) {
    let loans: Vec<Loan> = call.made.drain(..).map(|(loan, _)| loan).collect();
    let Some(at) = shape.parameters.iter().position(|step| step.kind == Kind::Request).filter(|&at| code == 0 && a[at] != 0)
    else {
        return;
    };
    // SAFETY: the library has just written this request.
    let handle = unsafe { abi().handle_at(Kind::Request, a[at], 0) };
    // What has this handle already is complete: in a way that was not seen, or at once. A persistent request shares its handle with nobody.
    if is_persistent || loans.is_empty() {
        let stale = lent.operations.get(&handle).is_some_and(|sharers| is_persistent || sharers.iter().any(|o| o.is_persistent));
        if stale {
            lent.remove_all(handle)
                .into_iter()
                .flat_map(|operation| operation.loans)
                .for_each(|mut loan| take_back(lent, &mut loan));
        }
    }
    if loans.is_empty() {
        return;
    }
    let mut operation = Operation { variable: a[at], is_persistent, request: handles::UNKNOWN, loans };
    if handle == abi().request_null {
        operation.loans.iter_mut().for_each(|loan| give_back(lent, loan));
        return;
    }
    call.named.push((handle, a[at]));
    lent.operations.entry(handle).or_default().push(operation);
}

/// What could not be started is not under way.
fn end_failed_start(lent: &mut Lent, named: &[(u64, usize)]) {
    for &(handle, variable) in named {
        if let Some(position) = lent.position(handle, variable)
            && let Some(operation) = lent.operations.get_mut(&handle).and_then(|sharers| sharers.get_mut(position))
        {
            // One that was under way before goes on, and nobody looks at it any more.
            operation.loans.iter_mut().for_each(|loan| loan.is_shared = true);
        }
    }
}

/// The requests that a call has completed.
///
/// # Safety
/// As [`take`].
unsafe fn completed(lent: &Lent, shape: &Shape, a: &[usize], code: i32, named: &[(u64, usize)]) -> Vec<(u64, usize)> {
    // SAFETY: out parameters of this kind are addresses of ints, which the library has written.
    let int = |at: usize| unsafe { (a[at] as *const i32).read_unaligned() };
    if code != 0 {
        // Which of them are complete is not said, but by what has become of the handles.
        // SAFETY: they lie where they were found.
        let now = |variable: usize| unsafe { abi().handle_at(Kind::Request, variable, 0) };
        let is_over = |handle: u64, variable: usize| now(variable) == abi().request_null || is_complete(handle);
        // Of others the library is not asked: it may not know them.
        let known = named.iter().filter(|(handle, variable)| *variable != 0 && lent.operations.contains_key(handle));
        return known.filter(|&&(handle, variable)| is_over(handle, variable)).copied().collect();
    }
    if shape.found.is_some_and(|at| int(at) == 0) {
        return Vec::new();
    }
    let one = |position: i32| usize::try_from(position).ok().and_then(|position| named.get(position)).copied();
    match shape.role {
        Role::CompletesAll => named.to_vec(),
        Role::CompletesAny(at) => one(int(at)).into_iter().collect(),
        Role::CompletesSome(count, indices) => {
            let count = usize::try_from(int(count)).unwrap_or(0);
            // SAFETY: `outcount` indices were written.
            (0..count).filter_map(|i| one(unsafe { (a[indices] as *const i32).add(i).read_unaligned() })).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the operation of a request is complete, which lives on.
pub fn is_complete(handle: u64) -> bool {
    let mut flag = 0i32;
    let arguments = [handle as usize, (&raw mut flag) as usize, abi().status_ignore];
    // SAFETY: the request is there: the program has not completed it.
    let code = unsafe { real::pmpi(mpi::REQUEST_GET_STATUS, arguments) };
    code == Some(0) && flag != 0
}

/// An operation is complete.
fn complete(lent: &mut Lent, handle: u64, variable: usize) {
    if !lent.operations.contains_key(&handle) {
        return;
    }
    let Some(position) = lent.position(handle, variable) else {
        // Any of these, and all of them are complete.
        let mut all = lent.remove_all(handle);
        all.iter_mut().flat_map(|operation| &mut operation.loans).for_each(|loan| take_back(lent, loan));
        return;
    };
    let Some(mut operation) = lent.remove(handle, position) else { return };
    let request = operation.request;
    operation.loans.iter_mut().for_each(|loan| end(lent, loan, request));
    if operation.is_persistent {
        lent.operations.entry(handle).or_default().push(operation);
    }
}

/// A call has looked at requests: those that are complete are the program's, though they live on.
fn look(lent: &mut Lent, named: &[(u64, usize)]) {
    for &(handle, variable) in named {
        let Some(position) = lent.position(handle, variable) else { continue };
        let Some(mut operation) = lent.remove(handle, position) else { continue };
        if operation.is_active() && is_complete(handle) {
            let request = operation.request;
            operation.loans.iter_mut().for_each(|loan| end(lent, loan, request));
        }
        lent.operations.entry(handle).or_default().push(operation);
    }
}

/// Looks whether operations that the program has freed have come to their end.
pub fn look_after_freed(lent: &mut Lent) {
    for (handle, mut operation) in std::mem::take(&mut lent.freed) {
        let (mut flag, mut variable) = (0i32, handle);
        let variable_at = (&raw mut variable) as usize;
        // SAFETY: the request is there, as only this completes it; its handle lies in the variable, whose lower bytes come first.
        let code = unsafe { real::pmpi(mpi::TEST, [variable_at, (&raw mut flag) as usize, abi().status_ignore]) };
        if code == Some(0) && flag == 0 {
            lent.freed.push((handle, operation));
            continue;
        }
        operation.loans.iter_mut().for_each(|loan| give_back(lent, loan));
        if operation.is_persistent {
            // SAFETY: as above.
            unsafe { real::pmpi(mpi::REQUEST_FREE, [variable_at]) };
        }
    }
}

/// The operation of a loan is complete: what has changed meanwhile is noted, and what has arrived is the program's.
fn end(lent: &mut Lent, loan: &mut Loan, request: i64) {
    if !loan.is_active {
        return;
    }
    guard::open(loan.id);
    if loan.side == Side::Receive {
        count(Count::Landed);
    }
    let _open = guard::visit(loan.span.low, loan.span.low + loan.span.len);
    let is_in_question = !loan.is_shared && !loan.is_told && request != handles::UNKNOWN;
    if let Some(changed) = loan.changed().filter(|_| is_in_question) {
        let access = Access {
            request,
            is_sent: loan.side == Side::Send,
            is_store: true,
            address: loan.span.low,
            offset: changed.start,
            bytes: changed.len(),
        };
        CHANGES.lock().unwrap_or_else(PoisonError::into_inner).push(access);
        HAS_CHANGES.store(true, Ordering::Relaxed);
    }
    loan.land();
    loan.is_active = false;
    lent.ends(loan);
}

/// The operation of a loan is complete, and nobody knows since when.
pub fn give_back(lent: &mut Lent, loan: &mut Loan) {
    if loan.is_active {
        guard::open(loan.id);
        let _open = guard::visit(loan.span.low, loan.span.low + loan.span.len);
        loan.land();
        loan.is_active = false;
        lent.ends(loan);
    }
}

/// The same, of one that was to be watched.
fn take_back(lent: &mut Lent, loan: &mut Loan) {
    if loan.is_active {
        count(if loan.side == Side::Receive { Count::NotLanded } else { Count::NotGuarded });
    }
    give_back(lent, loan);
}

/// Closes the pages of the operations that a call has begun, now that it is on record.
pub fn close(shape: &Shape, code: i32, named: &[(u64, usize)]) {
    let begins = matches!(shape.role, Role::Makes(..) | Role::Starts) && code == 0;
    if !begins || named.is_empty() {
        return;
    }
    let mut lent = lent();
    for &(handle, variable) in named {
        let Some(position) = lent.position(handle, variable) else { continue };
        let Some(operation) = lent.operations.get_mut(&handle).and_then(|sharers| sharers.get_mut(position)) else { continue };
        if matches!(shape.role, Role::Makes(..)) {
            operation.request = handles::with(|h| h.requests.youngest(handle)).unwrap_or(handles::UNKNOWN);
        }
        let request = operation.request;
        for loan in operation.loans.iter().filter(|loan| loan.is_active && guard::is_on()) {
            let is_closed = !loan.is_shared && guard::close(loan.id, request, loan.side == Side::Send, &loan.span);
            count(if is_closed { Count::Guarded } else { Count::NotGuarded });
        }
    }
}

/// Memory of a window is what others reach into.
///
/// # Safety
/// As [`take`], of a call that has succeeded.
unsafe fn note_window(lent: &mut Lent, shape: &Shape, a: &[usize]) {
    let function = shape.function;
    let is_given = matches!(function.small(), mpi::WIN_ALLOCATE | mpi::WIN_ALLOCATE_SHARED | mpi::WIN_SHARED_QUERY);
    if !is_given && !matches!(function.small(), mpi::WIN_CREATE | mpi::WIN_ATTACH) {
        return;
    }
    let at = |name: &str| function.parameter(name).map_or(0, |at| a[at]);
    // SAFETY: results of these calls are an address and, of a query, a size.
    let (base, bytes) = unsafe {
        let read = |address: usize| if address == 0 { 0 } else { (address as *const usize).read_unaligned() };
        match function.small() {
            mpi::WIN_SHARED_QUERY => (read(at("baseptr")), read(at("size"))),
            _ if is_given => (read(at("baseptr")), at("size")),
            _ => (at("base"), at("size")),
        }
    };
    if base != 0 && bytes as isize > 0 && lent.windows.len() < WINDOWS_MAX {
        lent.windows.push((base, base.saturating_add(bytes)));
    }
}
