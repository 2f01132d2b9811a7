//! Memory for the recorder itself, where the program has none left.
//!
//! A program under a limit (`ulimit -v`, a batch system's) may be told that there is no memory and go on with that. Rust would end the process
//! instead. So what recording the call at hand still needs comes from a reserve, and that call is the last that is recorded.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use traces::segment::Stop;

use crate::process;

/// Bytes of the reserve. They cost no memory as long as they are not used.
const RESERVE: usize = 8 << 20;

#[repr(align(4096))]
struct Reserve(UnsafeCell<[u8; RESERVE]>);

// SAFETY: `take` gives each byte to one caller only.
unsafe impl Sync for Reserve {}

static BYTES: Reserve = Reserve(UnsafeCell::new([0; RESERVE]));
/// How many are in use. They are never given back.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// The system's memory, and the reserve behind it.
struct Memory;

#[global_allocator]
static MEMORY: Memory = Memory;

/// So many bytes of the reserve, all zero; null if it is used up.
#[cold]
fn take(layout: Layout) -> *mut u8 {
    let room = |taken: usize| taken.next_multiple_of(layout.align()).checked_add(layout.size());
    let taken = TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| room(taken).filter(|&end| end <= RESERVE));
    let Ok(taken) = taken else { return std::ptr::null_mut() };
    process::stop_because(Stop::Memory, "no memory is left");
    // SAFETY: `fetch_update` has found the end of what is given here to lie within the reserve.
    unsafe { BYTES.0.get().cast::<u8>().add(taken.next_multiple_of(layout.align())) }
}

fn is_of_reserve(pointer: *mut u8) -> bool {
    (pointer as usize).wrapping_sub(BYTES.0.get() as usize) < RESERVE
}

/// The reserve where the system gave nothing.
fn or_reserve(pointer: *mut u8, layout: Layout) -> *mut u8 {
    if pointer.is_null() { take(layout) } else { pointer }
}

// SAFETY: all is the system's, but for the reserve, of which every byte is given away once and stays as it is.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller's.
        or_reserve(unsafe { System.alloc(layout) }, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller's.
        or_reserve(unsafe { System.alloc_zeroed(layout) }, layout)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if !is_of_reserve(pointer) {
            // SAFETY: as the caller's.
            unsafe { System.dealloc(pointer, layout) };
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_of_reserve(pointer) {
            // SAFETY: as the caller's.
            let moved = unsafe { System.realloc(pointer, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: the size is one that an allocation may have, as the caller vouches.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let place = take(new);
        if !place.is_null() {
            // SAFETY: both are as long as that, and do not overlap: the place was nobody's.
            unsafe { std::ptr::copy_nonoverlapping(pointer, place, layout.size().min(size)) };
            // SAFETY: as the caller's; it is used no more.
            unsafe { self.dealloc(pointer, layout) };
        }
        place
    }
}
