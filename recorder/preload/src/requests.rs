//! Requests: their numbers in the trace, and what they will have done when they complete.
//!
//! A request's number is the lowest that is free, so that a loop that makes and completes the same requests makes the same calls.
//! A library may give one handle to several operations that are complete at once; those are told apart by the variable that the
//! program keeps the handle in.

use rustc_hash::FxHashMap;
use traces::constant::{FIRST_MADE, REQUEST_NULL};

use crate::abi::abi;
use crate::payload::Payload;

/// What an operation does with its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It sends it.
    Send,
    /// It receives into it.
    Receive,
    /// Something else: its status means nothing to a receiver.
    Other,
}

/// What is known of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number in the trace.
    pub id: i64,
    /// What it does.
    pub operation: Operation,
    /// Whether it lives on when it completes.
    pub persistent: bool,
    /// Its buffer.
    pub payload: Payload,
    /// The address of the variable that the handle was given in.
    variable: usize,
    /// The last call that named it.
    named_by: u64,
}

/// The requests of the process.
#[derive(Debug, Default)]
pub struct Requests {
    /// By handle: the first request that has it.
    live: FxHashMap<u64, Request>,
    /// By handle: further requests that share it, the oldest first.
    shared: FxHashMap<u64, Vec<Request>>,
    /// One bit a number: set if it is taken.
    taken: Vec<u64>,
    /// Counts the calls that name requests.
    calls: u64,
}

impl Requests {
    /// Begins a call that names requests: each is named once in it.
    pub fn begin_call(&mut self) {
        self.calls += 1;
    }

    /// The request that the program means by the handle in this variable.
    #[inline]
    pub fn name(&mut self, handle: u64, variable: usize) -> Option<Request> {
        let calls = self.calls;
        let first = self.live.get_mut(&handle)?;
        let none_shared = self.shared.is_empty();
        let shared = if none_shared { None } else { self.shared.get_mut(&handle).filter(|s| !s.is_empty()) };
        let found = match shared {
            None => first,
            Some(shared) => {
                let mut all: Vec<&mut Request> = std::iter::once(first).chain(shared).collect();
                let free = |r: &&mut Request| r.named_by != calls;
                let best = all.iter().position(|r| free(r) && r.variable == variable).or_else(|| all.iter().position(free));
                all.swap_remove(best.unwrap_or(0))
            }
        };
        found.named_by = calls;
        Some(*found)
    }

    /// The program made a request, and its handle lies in this variable. Returns its number.
    pub fn add(&mut self, handle: u64, variable: usize, operation: Operation, persistent: bool, payload: Payload) -> i64 {
        if handle == abi().request_null {
            return REQUEST_NULL;
        }
        let id = self.lowest_free();
        let request = Request { id, operation, persistent, payload, variable, named_by: 0 };
        match self.live.entry(handle) {
            std::collections::hash_map::Entry::Occupied(_) => self.shared.entry(handle).or_default().push(request),
            std::collections::hash_map::Entry::Vacant(entry) => drop(entry.insert(request)),
        }
        id
    }

    fn lowest_free(&mut self) -> i64 {
        let word = self.taken.iter().position(|&w| w != u64::MAX).unwrap_or_else(|| {
            self.taken.push(0);
            self.taken.len() - 1
        });
        let bit = self.taken[word].trailing_ones() as usize;
        self.taken[word] |= 1 << bit;
        FIRST_MADE + (word * 64 + bit) as i64
    }

    /// A request is no more.
    pub fn remove(&mut self, handle: u64, id: i64) {
        let number = usize::try_from(id - FIRST_MADE).unwrap_or(usize::MAX);
        if let Some(word) = self.taken.get_mut(number / 64) {
            *word &= !(1 << (number % 64));
        }
        let none_shared = self.shared.is_empty();
        let shared = if none_shared { None } else { self.shared.get_mut(&handle).filter(|s| !s.is_empty()) };
        if self.live.get(&handle).is_some_and(|r| r.id == id) {
            match shared {
                Some(shared) => drop(self.live.insert(handle, shared.remove(0))),
                None => drop(self.live.remove(&handle)),
            }
        } else if let Some(shared) = shared {
            shared.retain(|r| r.id != id);
        }
    }
}
