//! `--guard`: closes the pages of buffers under way, so that an access of the program to one of them is seen where it happens.
//!
//! A send's pages can be read and not written, a receive's neither. `lending` has seen to it that neither the library nor the kernel needs them. An access
//! brings a signal (`traps`): if it is one to a buffer under way, it is noted, and the buffer is open until its operation is complete; any
//! other one, to what shares a page with a buffer, is let through, and the page is closed again after it. Memory that the
//! kernel itself writes to, or that a signal needs, is never closed (`memory`); what the program gives to the kernel is opened
//! before (`kernel`).
//!
//! While one thread is let through, others are, too. This works on x86-64 only, where a process can have itself stopped after a single
//! instruction; elsewhere nothing is ever closed.

pub mod actions;
mod arguments;
mod instruction;
mod kernel;
mod memory;
mod pages;
mod snapshot;
pub mod threads;
mod traps;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::lending::Span;
use pages::{PAGE, Region};
pub use snapshot::{Snapshot, Violation};

static IS_ON: AtomicBool = AtomicBool::new(false);

/// Whether buffers are guarded.
#[inline]
pub fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// Buffers are to be guarded from now on.
pub fn begin() {
    instruction::warm_up();
    traps::install();
    kernel::begin();
    IS_ON.store(true, Ordering::Relaxed);
}

/// Nothing is guarded any more.
pub fn end() {
    if IS_ON.swap(false, Ordering::Relaxed) {
        pages::with(pages::Pages::open_all);
    }
}

/// In a child of a fork: nothing is under way there.
pub fn end_in_child() {
    if is_on() {
        end();
    }
}

/// Closes the pages of a buffer that an operation uses which the program has just begun. Whether all of them are.
pub fn close(loan: u64, request: i64, is_sent: bool, span: &Span) -> bool {
    let (low, high) = (span.low, span.low + span.len);
    let mask = span.mask.as_ref().map_or(0, |mask| mask.address());
    let whole = (low.next_multiple_of(PAGE), high & !(PAGE - 1));
    let shared = (low & !(PAGE - 1), high.next_multiple_of(PAGE));
    let shares = kernel::watches_all_threads();
    // Without holes the pages that lie within the buffer are nobody else's.
    let (first, over) = match () {
        () if shares => shared,
        () if mask == 0 && whole.0 < whole.1 => whole,
        () => return false,
    };
    if !memory::may_be_closed(first, over) {
        return false;
    }
    let region = Region { loan, request, is_sent, low, high, mask, first, over };
    let is_whole = pages::with(|pages| pages.close(region));
    kernel::watch();
    is_whole && (first, over) == shared
}

/// Opens the pages of a buffer.
pub fn open(loan: u64) {
    pages::with(|pages| pages.open(loan));
}

/// A call of MPI returns: what was opened for the library is closed again.
pub fn end_call() {
    pages::end_call();
}

/// Opens pages for good.
pub fn give_up(low: usize, high: usize) {
    pages::with(|pages| pages.give_up(low, high));
}

/// Whether a page is closed, though it can be read otherwise.
pub fn is_closed(page: usize) -> bool {
    is_on() && pages::with(|pages| pages.is_closed(page))
}

/// The accesses that were seen since this was asked the last time.
pub fn take_violations() -> Vec<Violation> {
    if is_on() { snapshot::take() } else { Vec::new() }
}

/// Pages that are open as long as this lives.
#[must_use]
#[derive(Debug)]
pub struct Visit(Vec<(usize, usize)>);

impl Visit {
    /// These, too.
    pub fn and(mut self, low: usize, high: usize) -> Visit {
        self.0.extend(begin_visit(low, high));
        self
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        for (low, high) in self.0.drain(..) {
            pages::with(|pages| pages.end_visit(low, high));
        }
    }
}

/// Opens pages for a while.
pub fn visit(low: usize, high: usize) -> Visit {
    Visit(begin_visit(low, high).into_iter().collect())
}

fn begin_visit(low: usize, high: usize) -> Option<(usize, usize)> {
    (is_on() && pages::with(|pages| pages.begin_visit(low, high))).then_some((low, high))
}
