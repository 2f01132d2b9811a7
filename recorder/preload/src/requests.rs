//! Requests: their numbers in the trace, and what they will have done when they complete.
//!
//! A request's number is the lowest that is free, so that a loop that makes and completes the same requests makes the same calls.
//! A library may give one handle to several operations that are complete at once; those are told apart by the variable that the
//! program keeps the handle in.

use rustc_hash::FxHashMap;
use traces::constant::{FIRST_MADE, REQUEST_NULL};

use crate::abi::abi;
use crate::by_handle::ByHandle;
use crate::contents::Content;
use crate::handles::UNKNOWN;
use crate::payload::Payload;

/// What an operation does with its buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operation {
    /// It sends it.
    Send,
    /// It receives into it.
    Receive,
    /// It fetches data in another way than by a message, and its status means nothing to a receiver: a collective, MPI_Rget.
    Fetch,
    /// Something else: its status means nothing to a receiver.
    #[default]
    Other,
}

/// What is known of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What it does.
    pub operation: Operation,
    /// Whether it lives on when it completes.
    pub persistent: bool,
    /// Its buffer, if it sends or receives a message.
    pub payload: Payload,
    /// The digest of what it sends, when it was started; 0 if it was not taken, or need not be compared.
    pub started: u64,
}

/// What a [`Operation::Fetch`] contributes, and what it gets.
#[derive(Clone, Debug, Default)]
pub struct Fetch {
    /// What it contributes.
    pub sent: Content,
    /// What it gets.
    pub received: Content,
    /// Whether its status tells how much it got: that of a file does.
    pub is_counted: bool,
}

/// A request that a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its handle.
    handle: u64,
    /// Its number in the trace.
    pub number: i64,
    /// Where it is in the table; [`NOWHERE`] for null and unknown ones.
    at: u32,
    /// Whether it is this one for certain, though others may have the same handle.
    is_certain: bool,
}

impl Named {
    /// Whether it is a request that the program made.
    #[inline]
    pub fn is_known(&self) -> bool {
        self.at != NOWHERE
    }
}

/// No place in the table.
const NOWHERE: u32 = u32::MAX;

/// A place for a request; its position is the request's number, less the first.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    request: Request,
    handle: u64,
    /// The address of the variable that the handle was given in.
    variable: usize,
    /// The last call that named it.
    named_by: u64,
    /// The place of the next younger request with the same handle.
    next: Option<u32>,
}

/// The requests of the process.
#[derive(Debug, Default)]
pub struct Requests {
    slots: Vec<Slot>,
    /// By handle: the place of the oldest request that has it.
    oldest: ByHandle,
    /// One bit a number: set if it is taken.
    taken: Vec<u64>,
    /// No word of `taken` before this one has a number that is free.
    free_from: usize,
    /// Counts the calls that name requests.
    calls: u64,
    /// By place: what the requests move that fetch.
    fetches: FxHashMap<u32, Box<Fetch>>,
    /// Whether a call has failed of which nobody knows what it completed: its requests may stay in the table for ever.
    is_in_doubt: bool,
}

impl Requests {
    /// Begins a call that names requests: each is named once in it.
    pub fn begin_call(&mut self) {
        self.calls += 1;
    }

    /// The request that the program means by the handle in this variable.
    #[inline]
    pub fn name(&mut self, handle: u64, variable: usize) -> Named {
        let Some(oldest) = self.oldest.get(handle) else {
            let number = if handle == abi().request_null { REQUEST_NULL } else { UNKNOWN };
            return Named { handle, number, at: NOWHERE, is_certain: false };
        };
        let is_only = self.slots[oldest as usize].next.is_none();
        let (at, is_certain) = if is_only { (oldest, true) } else { self.choose(oldest, variable) };
        self.slots[at as usize].named_by = self.calls;
        Named { handle, number: FIRST_MADE + i64::from(at), at, is_certain }
    }

    /// Among requests that share a handle: the one of this variable, or else the oldest, that this call has not named yet; and whether it is
    /// certain, because no other one was given in this variable.
    #[cold]
    fn choose(&self, oldest: u32, variable: usize) -> (u32, bool) {
        let sharers = || std::iter::successors(Some(oldest), |&at| self.slots[at as usize].next);
        let free = sharers().filter(|&at| self.slots[at as usize].named_by != self.calls);
        let first_free = free.clone().next();
        let mut own = free.filter(|&at| self.slots[at as usize].variable == variable);
        match (own.next(), own.next()) {
            (Some(at), other) => (at, other.is_none()),
            (None, _) => (first_free.unwrap_or(oldest), false),
        }
    }

    /// What is known of a request that a call named; None if it is gone.
    #[inline]
    pub fn get(&self, named: &Named) -> Option<&Request> {
        let slot = self.slots.get(named.at as usize)?;
        (slot.handle == named.handle).then_some(&slot.request)
    }

    /// The digest of what a request sent when it was started, if that can be compared with what its buffer holds now.
    #[inline]
    pub fn started(&self, named: &Named) -> Option<u64> {
        let request = self.get(named).filter(|_| named.is_certain && !self.is_in_doubt)?;
        Some(request.started).filter(|&digest| digest != 0)
    }

    /// Notes the digest of what a request sends from now on; 0 if it is not to be compared any more.
    pub fn note_started(&mut self, named: &Named, digest: u64) {
        if let Some(slot) = self.slots.get_mut(named.at as usize).filter(|slot| slot.handle == named.handle) {
            slot.request.started = digest;
        }
    }

    /// A call on requests has failed.
    pub fn doubt(&mut self) {
        self.is_in_doubt = true;
    }

    /// What a request moves that fetches.
    pub fn fetch(&self, named: &Named) -> Option<&Fetch> {
        self.get(named).and_then(|_| self.fetches.get(&named.at)).map(|fetch| &**fetch)
    }

    /// Notes what the request of this number moves.
    pub fn note_fetch(&mut self, number: i64, fetch: Fetch) {
        if let Ok(at) = u32::try_from(number - FIRST_MADE) {
            self.fetches.insert(at, Box::new(fetch));
        }
    }

    /// The program made a request, and its handle lies in this variable. Returns its number.
    #[inline]
    pub fn add(&mut self, handle: u64, variable: usize, request: Request) -> i64 {
        if handle == abi().request_null {
            return REQUEST_NULL;
        }
        if request.persistent {
            self.forget(handle);
        }
        let at = self.lowest_free();
        let slot = Slot { request, handle, variable, named_by: 0, next: None };
        match self.slots.get_mut(at as usize) {
            Some(place) => *place = slot,
            None => self.slots.push(slot),
        }
        if let Some(oldest) = self.oldest.insert(handle, at) {
            self.share(oldest, at, handle);
        }
        FIRST_MADE + i64::from(at)
    }

    /// Only operations that are complete share a handle, and so whatever had that of a persistent request is gone, in a way that was not seen.
    fn forget(&mut self, handle: u64) {
        while let Some(at) = self.oldest.get(handle) {
            self.remove(&Named { handle, number: FIRST_MADE + i64::from(at), at, is_certain: true });
            if self.oldest.get(handle) == Some(at) {
                return;
            }
        }
    }

    /// The handle was taken already: the new request is the last in the row of those that share it.
    #[cold]
    fn share(&mut self, oldest: u32, youngest: u32, handle: u64) {
        self.oldest.insert(handle, oldest);
        let mut last = oldest;
        while let Some(next) = self.slots[last as usize].next {
            last = next;
        }
        self.slots[last as usize].next = Some(youngest);
    }

    /// The number of the youngest request with this handle.
    pub fn youngest(&mut self, handle: u64) -> Option<i64> {
        let sharers = std::iter::successors(self.oldest.get(handle), |&at| self.slots[at as usize].next);
        sharers.last().map(|at| FIRST_MADE + i64::from(at))
    }

    /// Whether there is one that is neither a send nor a receive, and that the program has not completed.
    pub fn has_other(&self) -> bool {
        let is_other =
            |slot: &Slot| matches!(slot.request.operation, Operation::Other | Operation::Fetch) && !slot.request.persistent;
        self.slots.iter().any(|slot| slot.handle != abi().request_null && is_other(slot))
    }

    #[inline]
    fn lowest_free(&mut self) -> u32 {
        let later = self.taken[self.free_from..].iter().position(|&w| w != u64::MAX);
        let word = later.map_or(self.taken.len(), |later| self.free_from + later);
        if word == self.taken.len() {
            self.taken.push(0);
        }
        self.free_from = word;
        let bit = self.taken[word].trailing_ones();
        self.taken[word] |= 1 << bit;
        word as u32 * 64 + bit
    }

    /// A request that a call named is no more.
    #[inline]
    pub fn remove(&mut self, named: &Named) {
        let Some(slot) = self.slots.get_mut(named.at as usize).filter(|slot| slot.handle == named.handle) else { return };
        let next = slot.next.take();
        if slot.request.operation == Operation::Fetch {
            self.fetches.remove(&named.at);
        }
        slot.handle = abi().request_null;
        let word = named.at as usize / 64;
        self.taken[word] &= !(1 << (named.at % 64));
        self.free_from = self.free_from.min(word);
        let was_only = next.is_none() && self.oldest.remove_at(named.handle, named.at);
        if !was_only {
            self.unlink(named, next);
        }
    }

    /// Takes a request out of the row of those that share its handle.
    #[cold]
    fn unlink(&mut self, named: &Named, next: Option<u32>) {
        let Some(oldest) = self.oldest.get(named.handle) else { return };
        if oldest == named.at {
            match next {
                Some(next) => _ = self.oldest.insert(named.handle, next),
                None => self.oldest.remove(named.handle),
            }
            return;
        }
        let mut before = oldest;
        while let Some(at) = self.slots[before as usize].next.filter(|&at| at != named.at) {
            before = at;
        }
        self.slots[before as usize].next = next;
    }
}
