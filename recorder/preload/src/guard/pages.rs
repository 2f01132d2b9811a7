//! Which pages are closed, and for whom: a table that signal handlers may ask.
//!
//! It lies in memory of this library, which the program has nothing on, and is worked on with all signals blocked and nobody else at it.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use super::kernel::system_call;

/// Bytes of a page.
pub const PAGE: usize = 4096;
/// So many buffers are guarded at a time.
const REGIONS_MAX: usize = 4096;
/// So many pages are known that others use, too. A power of two.
const WORN_MAX: usize = 8192;
/// So often an access to a neighbour of a buffer is let through; then its page is given up.
const BUDGET: u32 = 256;
/// So many pieces of memory are opened for a while at a time.
const VISITS_MAX: usize = 64;

/// Ranges of so many pages are looked at page by page, and longer ones buffer by buffer.
const FEW: usize = 64;
/// So many pages are open at a time because the library uses something on them.
const CALLED_MAX: usize = 64;

/// Whether there are any of those.
static IS_ANY_CALLED: AtomicBool = AtomicBool::new(false);

/// A buffer that is guarded.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// What tells it from others.
    pub loan: u64,
    /// The number of its request.
    pub request: i64,
    /// Whether it is sent, so that it may be read.
    pub is_sent: bool,
    /// Its bytes: the first, and the one behind the last.
    pub low: usize,
    /// See `low`.
    pub high: usize,
    /// The address of a byte for each of them, not zero where it is used; 0 if all are.
    pub mask: usize,
    /// Its pages that are closed: the first, and the one behind the last.
    pub first: usize,
    /// See `first`.
    pub over: usize,
}

impl Region {
    const NONE: Region = Region { loan: 0, request: 0, is_sent: false, low: 0, high: 0, mask: 0, first: 0, over: 0 };

    /// Whether an address is one of its bytes.
    pub fn uses(&self, address: usize) -> bool {
        // SAFETY: the mask has a byte for each address from `low` to `high`, and lives as long as the region is in the table.
        (self.low..self.high).contains(&address)
            && (self.mask == 0 || unsafe { ((self.mask + address - self.low) as *const u8).read() } != 0)
    }

    fn meets(&self, first: usize, over: usize) -> bool {
        self.first < over && first < self.over
    }
}

/// What may be done with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Protection {
    None,
    Read,
    All,
}

/// The pages that are closed.
pub struct Pages {
    regions: [Region; REGIONS_MAX],
    /// No region is at this place or behind it.
    end: usize,
    /// Pages that others use, too, and how often they did; by their number, in open addressing. 0 is none.
    worn: [(usize, u32); WORN_MAX],
    worn_len: usize,
    visits: [(usize, usize); VISITS_MAX],
    /// Pages that are open until the call of MPI returns that somebody is in.
    called: [usize; CALLED_MAX],
    called_len: usize,
    /// Grows whenever a page is opened.
    pub openings: u64,
}

struct Shared(UnsafeCell<Pages>);

// SAFETY: whoever uses the cell holds the lock.
unsafe impl Sync for Shared {}

static PAGES: Shared = Shared(UnsafeCell::new(Pages {
    regions: [Region::NONE; REGIONS_MAX],
    end: 0,
    worn: [(0, 0); WORN_MAX],
    worn_len: 0,
    visits: [(0, 0); VISITS_MAX],
    called: [0; CALLED_MAX],
    called_len: 0,
    openings: 0,
}));
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Works on the table. No signal comes meanwhile: its handler might want it, too.
pub fn with<R>(work: impl FnOnce(&mut Pages) -> R) -> R {
    let (mut all, mut before) = (MaybeUninit::<libc::sigset_t>::uninit(), MaybeUninit::<libc::sigset_t>::uninit());
    // SAFETY: the addresses are those of sets, of which the kernel reads and writes eight bytes.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        mask_signals(libc::SIG_SETMASK, all.as_ptr() as usize, before.as_mut_ptr() as usize);
    }
    let result = with_signals_blocked(work);
    // SAFETY: as above.
    unsafe { mask_signals(libc::SIG_SETMASK, before.as_ptr() as usize, 0) };
    result
}

/// # Safety
/// The addresses are those of sets of signals, or null.
pub unsafe fn mask_signals(how: libc::c_int, set: usize, before: usize) {
    const BYTES: usize = 8;
    // SAFETY: as the caller's.
    unsafe { system_call(libc::SYS_rt_sigprocmask, [how as usize, set, before, BYTES, 0, 0]) };
}

/// The same, in a signal handler that blocks all others.
pub fn with_signals_blocked<R>(work: impl FnOnce(&mut Pages) -> R) -> R {
    while IS_TAKEN.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
        std::hint::spin_loop();
    }
    // SAFETY: the lock is held.
    let result = work(unsafe { &mut *PAGES.0.get() });
    IS_TAKEN.store(false, Ordering::Release);
    result
}

/// A call of MPI returns.
pub fn end_call() {
    if IS_ANY_CALLED.swap(false, Ordering::Relaxed) {
        with(Pages::end_call);
    }
}

impl Pages {
    fn regions(&self) -> &[Region] {
        &self.regions[..self.end]
    }

    /// Closes the pages of a buffer; whether all of them are.
    pub fn close(&mut self, region: Region) -> bool {
        let Some(place) = self.regions.iter().position(|r| r.loan == 0) else { return false };
        self.regions[place] = region;
        self.end = self.end.max(place + 1);
        let pages = || (region.first..region.over).step_by(PAGE);
        self.apply(region.first, region.over) && (self.worn_len == 0 || !pages().any(|page| self.is_worn(page)))
    }

    /// Opens the pages of a buffer.
    pub fn open(&mut self, loan: u64) {
        if loan == 0 {
            return;
        }
        if let Some(place) = self.regions().iter().position(|region| region.loan == loan) {
            let Region { first, over, .. } = std::mem::replace(&mut self.regions[place], Region::NONE);
            while self.end > 0 && self.regions[self.end - 1].loan == 0 {
                self.end -= 1;
            }
            self.openings += 1;
            self.apply(first, over);
        }
    }

    /// Opens all pages.
    pub fn open_all(&mut self) {
        // The last place is always one of a buffer.
        while let Some(loan) = self.regions().last().map(|region| region.loan) {
            self.open(loan);
        }
    }

    /// Opens pages for good: somebody else than the program works on them.
    pub fn give_up(&mut self, low: usize, high: usize) {
        self.openings += 1;
        self.each_guarded(low, high, |pages, page| {
            if !pages.wear(page, BUDGET) {
                // There is no room to note it: the buffers on it are open as a whole.
                while let Some(loan) = pages.regions().iter().find(|r| (r.first..r.over).contains(&page)).map(|r| r.loan) {
                    pages.open(loan);
                }
            }
            pages.apply(page, page + PAGE);
        });
    }

    /// Works on each page of a range that is one of a buffer.
    fn each_guarded(&mut self, low: usize, high: usize, mut work: impl FnMut(&mut Pages, usize)) {
        let (first, over) = (low & !(PAGE - 1), high.div_ceil(PAGE).saturating_mul(PAGE));
        if over.saturating_sub(first) <= FEW * PAGE {
            for page in (first..over).step_by(PAGE) {
                if self.is_guarded(page) {
                    work(self, page);
                }
            }
            return;
        }
        for place in 0..self.end {
            let region = self.regions[place];
            if region.meets(first, over) {
                (region.first.max(first)..region.over.min(over)).step_by(PAGE).for_each(|page| work(self, page));
            }
        }
    }

    /// Opens pages for a while, if they are closed and that can be noted; else, for good.
    pub fn begin_visit(&mut self, low: usize, high: usize) -> bool {
        if !self.regions().iter().any(|region| region.meets(low & !(PAGE - 1), high.next_multiple_of(PAGE))) {
            return false;
        }
        let Some(place) = self.visits.iter().position(|visit| *visit == (0, 0)) else {
            self.give_up(low, high);
            return false;
        };
        self.visits[place] = (low, high);
        self.openings += 1;
        self.apply_where_closed(low, high);
        true
    }

    /// Ends what `begin_visit` has begun.
    pub fn end_visit(&mut self, low: usize, high: usize) {
        if let Some(place) = self.visits.iter().position(|visit| *visit == (low, high)) {
            self.visits[place] = (0, 0);
            self.apply_where_closed(low, high);
        }
    }

    /// Whether a page is one of a buffer.
    pub fn is_guarded(&self, page: usize) -> bool {
        self.regions().iter().any(|region| (region.first..region.over).contains(&page))
    }

    /// Whether a page cannot be read or written.
    pub fn is_closed(&self, page: usize) -> bool {
        self.protection(page) != Protection::All
    }

    /// Whether no page is closed.
    pub fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// The kernel is going to read pages, or to write to them, too: tells `each` of those that are closed to it.
    pub fn closed_to_kernel(&mut self, low: usize, high: usize, only_reads: bool, mut each: impl FnMut(&mut Pages, usize)) {
        let least = if only_reads { Protection::Read } else { Protection::All };
        self.each_guarded(low, high, |pages, page| {
            if pages.protection(page) < least {
                each(pages, page);
            }
        });
    }

    /// The library uses something on a page, inside a call: it is open until that returns.
    pub fn open_in_call(&mut self, page: usize) {
        self.openings += 1;
        match self.called.get_mut(self.called_len) {
            Some(place) => {
                *place = page;
                self.called_len += 1;
                IS_ANY_CALLED.store(true, Ordering::Relaxed);
                protect(page, page + PAGE, Protection::All);
            }
            None => self.give_up(page, page + PAGE),
        }
    }

    /// A call of MPI returns.
    fn end_call(&mut self) {
        let (called, len) = (self.called, std::mem::take(&mut self.called_len));
        called[..len].iter().for_each(|&page| self.apply_where_closed(page, page + PAGE));
    }

    /// The buffer to which an access is a violation: a store to any of its bytes, or a load of nothing else than bytes that are received. Who
    /// loads more than that may well mean the rest.
    pub fn violated(&self, begin: usize, bytes: usize, is_store: bool) -> Option<Region> {
        let mut regions = self.regions().iter().filter(|region| region.loan != 0);
        let found = regions.find(|region| {
            let mut range = begin..begin + bytes;
            if is_store { range.any(|at| region.uses(at)) } else { !region.is_sent && range.all(|at| region.uses(at)) }
        });
        found.copied()
    }

    /// Lets one access to a page through: whether it is to be closed again.
    pub fn let_through(&mut self, page: usize) -> bool {
        if !self.wear(page, 1) {
            self.give_up(page, page + PAGE);
        }
        self.openings += 1;
        protect(page, page + PAGE, Protection::All);
        self.is_guarded(page) && !self.is_worn(page)
    }

    /// Closes a page again, if it is still one of a buffer.
    pub fn close_again(&mut self, page: usize) {
        self.apply(page, page + PAGE);
    }

    fn protection(&self, page: usize) -> Protection {
        let is_visited = |&(low, high): &(usize, usize)| low < page + PAGE && page < high;
        let is_called = self.called[..self.called_len].contains(&page);
        if is_called || self.is_worn(page) || self.visits.iter().any(is_visited) {
            return Protection::All;
        }
        let own = self.regions().iter().filter(|region| (region.first..region.over).contains(&page));
        own.map(|region| if region.is_sent { Protection::Read } else { Protection::None }).min().unwrap_or(Protection::All)
    }

    /// Gives the pages of guarded buffers in a range the protection that they are to have.
    fn apply_where_closed(&mut self, low: usize, high: usize) {
        self.each_guarded(low, high, |pages, page| _ = pages.apply(page, page + PAGE));
    }

    /// Gives pages the protection that they are to have; false if the kernel refuses that.
    fn apply(&self, first: usize, over: usize) -> bool {
        let mut begin = first;
        let mut is_done = true;
        let is_simple = self.is_simple(first, over);
        while begin < over {
            let protection = self.protection(begin);
            let mut end = if is_simple { over } else { begin + PAGE };
            while end < over && self.protection(end) == protection {
                end += PAGE;
            }
            is_done &= protect(begin, end, protection);
            begin = end;
        }
        is_done
    }

    /// Whether all pages of a range are to have the same protection: one buffer at most has a part in it, and that all of it.
    fn is_simple(&self, first: usize, over: usize) -> bool {
        let mut own = self.regions().iter().filter(|region| region.meets(first, over));
        let is_whole = own.next().is_none_or(|region| region.first <= first && over <= region.over) && own.next().is_none();
        let is_visited = self.visits.iter().any(|&(low, high)| low < over && first < high);
        is_whole
            && !is_visited
            && self.called_len == 0
            && !(self.worn_len > 0 && (first..over).step_by(PAGE).any(|page| self.is_worn(page)))
    }

    /// The place of a page among those that others use, or where it would be; None if there is no room.
    fn worn_at(&self, page: usize) -> Option<usize> {
        const ODD: usize = 0x9e37_79b9_7f4a_7c15;
        let first = (page / PAGE).wrapping_mul(ODD) >> (usize::BITS - WORN_MAX.ilog2());
        let row = (0..WORN_MAX / 2).map(|i| (first + i) % WORN_MAX);
        row.into_iter().find(|&at| self.worn[at].0 == page || self.worn[at].0 == 0)
    }

    fn is_worn(&self, page: usize) -> bool {
        self.worn_len > 0 && self.worn_at(page).is_some_and(|at| self.worn[at].0 == page && self.worn[at].1 >= BUDGET)
    }

    /// Notes that others use a page, too; false if there is no room for that.
    fn wear(&mut self, page: usize, times: u32) -> bool {
        let Some(at) = self.worn_at(page) else { return false };
        if self.worn[at].0 == 0 {
            if self.worn_len >= WORN_MAX / 2 {
                return false;
            }
            self.worn_len += 1;
        }
        self.worn[at] = (page, self.worn[at].1.saturating_add(times));
        true
    }
}

fn protect(first: usize, over: usize, protection: Protection) -> bool {
    let access = match protection {
        Protection::None => libc::PROT_NONE,
        Protection::Read => libc::PROT_READ,
        Protection::All => libc::PROT_READ | libc::PROT_WRITE,
    };
    // SAFETY: these are pages of the program's that it could read and write when they were closed first.
    unsafe { system_call(libc::SYS_mprotect, [first, over - first, access as usize, 0, 0, 0]) == 0 }
}
