//! One buffer that an operation uses, and the memory that the library has in its place.
//!
//! What is received is told from what was there before by comparing: a byte that the library has not changed need not be copied. So nothing has
//! to be known of how much has arrived, nor how a datatype lies, and bytes in holes stay the program's.

use std::ops::Range;

use super::room::Room;
use super::span::Span;
use crate::readable::Asked;

/// What the library does with a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It reads it: the program may, too.
    Send,
    /// It writes to it.
    Receive,
}

/// A buffer that was lent.
#[derive(Debug)]
pub struct Loan {
    /// What tells it from others.
    pub id: u64,
    /// What the library does with it.
    pub side: Side,
    /// The program's bytes.
    pub span: Span,
    /// Whether an operation is under way that uses it.
    pub is_active: bool,
    /// Whether somebody else may rightly change it: another operation, as far as is known.
    pub is_shared: bool,
    /// Whether an access of the program was told already.
    pub is_told: bool,
    /// What the library has.
    private: Room,
    /// Of a receive: what the program's bytes were when it began.
    before: Option<Room>,
}

/// How many bytes are compared at a time.
const PIECE: usize = 4096;

impl Loan {
    /// One of these bytes; None if there is no memory, or they cannot be read.
    pub fn new(id: u64, side: Side, span: Span) -> Option<Loan> {
        if !Asked::default().is_readable(span.low, span.len) {
            return None;
        }
        let room = || Room::new(span.low, span.len);
        let (private, before) = (room()?, if side == Side::Receive { Some(room()?) } else { None });
        Some(Loan { id, side, span, is_active: false, is_shared: false, is_told: false, private, before })
    }

    /// What the library is told in place of this address of the program.
    pub fn in_place_of(&self, address: usize) -> usize {
        address.wrapping_sub(self.span.low).wrapping_add(self.private.address())
    }

    /// An operation is going to begin: the library's bytes become what the program's are.
    pub fn begin(&mut self) {
        (self.is_active, self.is_shared, self.is_told) = (true, false, false);
        if let Some(bytes) = self.program_bytes() {
            self.private.bytes_mut().copy_from_slice(bytes);
            if let Some(before) = &mut self.before {
                before.bytes_mut().copy_from_slice(bytes);
            }
        }
    }

    /// The program's bytes, if they are there.
    fn program_bytes(&self) -> Option<&'static [u8]> {
        let Span { low, len, .. } = self.span;
        // SAFETY: they can be read, and nothing is done with them but to copy and compare them; what other threads write to them meanwhile is a
        // mistake of the program.
        Asked::default().is_readable(low, len).then(|| unsafe { std::slice::from_raw_parts(low as *const u8, len) })
    }

    /// The first of the bytes in use that the program has changed, and the one behind the last, counted from the first byte of the buffer.
    pub fn changed(&self) -> Option<Range<usize>> {
        let own = self.program_bytes()?;
        let was = self.before.as_ref().unwrap_or(&self.private).bytes();
        let is_used = |at: usize| self.span.mask.as_ref().is_none_or(|mask| mask.bytes()[at] != 0);
        let mut found: Option<Range<usize>> = None;
        for begin in (0..own.len()).step_by(PIECE) {
            let end = own.len().min(begin + PIECE);
            if own[begin..end] == was[begin..end] {
                continue;
            }
            for at in (begin..end).filter(|&at| own[at] != was[at] && is_used(at)) {
                found = Some(found.map_or(at, |found| found.start)..at + 1);
            }
        }
        found
    }

    /// Gives the program what has arrived.
    pub fn land(&self) {
        let (Some(before), Some(_)) = (&self.before, self.program_bytes()) else { return };
        let (arrived, before) = (self.private.bytes(), before.bytes());
        for begin in (0..arrived.len()).step_by(PIECE) {
            let end = arrived.len().min(begin + PIECE);
            if arrived[begin..end] == before[begin..end] {
                continue;
            }
            for at in (begin..end).filter(|&at| arrived[at] != before[at]) {
                // SAFETY: the byte can be read, and is one that the program has let the library write to.
                unsafe { ((self.span.low + at) as *mut u8).write(arrived[at]) };
            }
        }
    }
}
