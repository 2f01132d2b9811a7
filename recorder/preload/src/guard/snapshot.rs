//! What is kept of an access while it happens: registers, and a piece of the stack, from which is found out later where the program was.
//!
//! A signal handler may neither ask for memory nor read tables of the dynamic linker. The places for what it keeps are here from the beginning;
//! those who put it on record, at the next call of MPI, walk the stack as it was.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::kernel::system_call;
use super::pages::{PAGE, Region};
use crate::record::Access;
use crate::unwinding::Registers;

/// So many accesses are kept between two calls.
const PLACES: usize = 64;
/// So much of the stack.
const STACK: usize = 32 << 10;

/// Where a thread was, and its stack.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its registers; the place is that of the instruction.
    pub registers: Registers,
    stack: Vec<u8>,
}

impl Snapshot {
    /// A word of the stack.
    pub fn word(&self, address: usize) -> Option<usize> {
        let at = address.checked_sub(self.registers.stack)?;
        self.stack.get(at..at + 8)?.try_into().ok().map(usize::from_ne_bytes)
    }
}

/// An access to a buffer under way.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Whose buffer it is.
    pub loan: u64,
    /// What is told of it.
    pub told: Access,
    /// Where the program was.
    pub snapshot: Snapshot,
}

/// What an access is: its first byte, how many, and whether it writes.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    pub begin: usize,
    pub bytes: usize,
    pub is_store: bool,
}

struct Place {
    state: AtomicU8,
    kept: UnsafeCell<Kept>,
}

struct Kept {
    loan: u64,
    told: Access,
    registers: Registers,
    len: usize,
    stack: [u8; STACK],
}

// SAFETY: the state says who uses the cell: whoever has changed it from free to taken, and then, once it is full, the one that empties it.
unsafe impl Sync for Place {}

const FREE: u8 = 0;
const TAKEN: u8 = 1;
const FULL: u8 = 2;

static KEPT: [Place; PLACES] = [const {
    Place {
        state: AtomicU8::new(FREE),
        kept: UnsafeCell::new(Kept {
            loan: 0,
            told: Access { request: 0, is_sent: false, is_store: false, address: 0, offset: 0, bytes: 0 },
            registers: Registers { place: 0, stack: 0, base: 0, base_at: 0 },
            len: 0,
            stack: [0; STACK],
        }),
    }
}; PLACES];
static IS_ANY: AtomicBool = AtomicBool::new(false);

/// Keeps an access to a buffer, in a signal handler. What there is no place for is not kept.
pub fn keep(region: &Region, touch: Touch, registers: Registers) {
    let take = |place: &&Place| place.state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok();
    let Some(place) = KEPT.iter().find(take) else { return };
    // SAFETY: the place was taken above.
    let kept = unsafe { &mut *place.kept.get() };
    kept.loan = region.loan;
    kept.told = Access {
        request: region.request,
        is_sent: region.is_sent,
        is_store: touch.is_store,
        address: region.low,
        offset: touch.begin.saturating_sub(region.low),
        bytes: touch.bytes,
    };
    kept.registers = registers;
    kept.len = copy_stack(registers.stack, &mut kept.stack);
    place.state.store(FULL, Ordering::Release);
    IS_ANY.store(true, Ordering::Release);
}

/// Copies what there is of a stack from an address on. The kernel knows where it ends.
fn copy_stack(from: usize, into: &mut [u8; STACK]) -> usize {
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: STACK };
    let over = (from + STACK) & !(PAGE - 1);
    // One piece a page: what is copied are whole pieces.
    let mut pieces = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; STACK / PAGE + 1];
    let (mut at, mut count) = (from, 0);
    while at < over && count < pieces.len() {
        let end = (at & !(PAGE - 1)) + PAGE;
        pieces[count] = libc::iovec { iov_base: at as *mut libc::c_void, iov_len: end - at };
        (at, count) = (end, count + 1);
    }
    // SAFETY: the kernel checks what is read; as much as is written there is room for.
    let copied = unsafe {
        let own = system_call(libc::SYS_getpid, [0; 6]) as usize;
        let (local, pieces) = ((&raw const local) as usize, pieces.as_ptr() as usize);
        system_call(libc::SYS_process_vm_readv, [own, local, 1, pieces, count, 0])
    };
    usize::try_from(copied).unwrap_or(0)
}

/// Takes all that was kept.
pub fn take() -> Vec<Violation> {
    if !IS_ANY.swap(false, Ordering::Acquire) {
        return Vec::new();
    }
    let take = |place: &Place| {
        if place.state.compare_exchange(FULL, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return None;
        }
        // SAFETY: the place was taken above.
        let kept = unsafe { &*place.kept.get() };
        let snapshot = Snapshot { registers: kept.registers, stack: kept.stack[..kept.len].to_vec() };
        let violation = Violation { loan: kept.loan, told: kept.told, snapshot };
        place.state.store(FREE, Ordering::Release);
        Some(violation)
    };
    KEPT.iter().filter_map(take).collect()
}
