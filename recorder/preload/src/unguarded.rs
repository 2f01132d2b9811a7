//! `guard`, on processors on which nothing can be guarded: the command refuses `--guard` there.
//!
//! It has the same functions, which close nothing.

use crate::lending::Span;
use crate::record::Access;
use crate::unwinding::Registers;

/// See `guard`.
pub fn is_on() -> bool {
    false
}

/// See `guard`.
pub fn begin() {}

/// See `guard`.
pub fn end() {}

/// See `guard`.
pub fn end_in_child() {}

/// See `guard`.
pub fn close(_: u64, _: i64, _: bool, _: &Span) -> bool {
    false
}

/// See `guard`.
pub fn open(_: u64) {}

/// See `guard`.
pub fn end_call() {}

/// See `guard`.
pub fn give_up(_: usize, _: usize) {}

/// See `guard`.
pub fn is_closed(_: usize) -> bool {
    false
}

/// See `guard`: there are none.
#[derive(Debug)]
pub struct Violation {
    /// Whose buffer it is.
    pub loan: u64,
    /// What is told of it.
    pub told: Access,
    /// Where the program was.
    pub snapshot: Snapshot,
}

/// See `guard`: there are none.
#[derive(Debug)]
pub struct Snapshot {
    /// The registers.
    pub registers: Registers,
}

impl Snapshot {
    /// A word of the stack.
    pub fn word(&self, _: usize) -> Option<usize> {
        None
    }
}

/// See `guard`.
pub fn take_violations() -> Vec<Violation> {
    Vec::new()
}

/// See `guard`.
#[must_use]
#[derive(Debug)]
pub struct Visit;

impl Visit {
    /// See `guard`.
    pub fn and(self, _: usize, _: usize) -> Visit {
        self
    }
}

/// See `guard`.
pub fn visit(_: usize, _: usize) -> Visit {
    Visit
}
