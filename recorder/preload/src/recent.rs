//! Calls that were made before with the very same words: what a loop makes over and over.
//!
//! A call whose arguments are all passed by value is the same call as an earlier one with equal words, as long as no handle was made
//! or freed in between. It need not be read again.

use traces::Function;

use crate::payload::Payload;

/// Entries of the table, a power of two. A call that finds its place taken takes it over.
const PLACES: usize = 256;
/// The most parameters that a function has.
const WORDS: usize = 13;

/// What a call with these words was found to be.
#[derive(Clone, Copy, Debug)]
struct Entry {
    words: [usize; WORDS],
    len: usize,
    owner: (Function, usize, u64),
    found: Found,
}

/// What there is to know of a call beyond its words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// Its number in the dictionary.
    pub call: u32,
    /// What it sends.
    pub sent: Option<Payload>,
    /// What it receives.
    pub received: Option<Payload>,
}

/// The calls that were made of late.
#[derive(Debug)]
pub struct Recent {
    entries: Box<[Option<Entry>]>,
}

impl Default for Recent {
    fn default() -> Recent {
        Recent { entries: vec![None; PLACES].into_boxed_slice() }
    }
}

#[inline]
fn place(function: Function, a: &[usize], caller: usize) -> usize {
    const ODD: usize = 0x9e37_79b9_7f4a_7c15;
    let mixed = a.iter().fold(caller ^ usize::from(function.0), |hash, &word| (hash ^ word).wrapping_mul(ODD).rotate_left(29));
    (mixed.wrapping_mul(ODD) >> 48) & (PLACES - 1)
}

impl Recent {
    /// What is known of a call with these words, made from this address while no handle changes (`epoch`).
    #[inline]
    pub fn find(&self, function: Function, a: &[usize], caller: usize, epoch: u64) -> Option<Found> {
        let entry = self.entries[place(function, a, caller)].as_ref()?;
        let same = entry.owner == (function, caller, epoch) && entry.words[..entry.len] == *a;
        same.then_some(entry.found)
    }

    /// Remembers a call.
    pub fn keep(&mut self, function: Function, a: &[usize], caller: usize, epoch: u64, found: Found) {
        let mut words = [0; WORDS];
        words[..a.len()].copy_from_slice(a);
        self.entries[place(function, a, caller)] = Some(Entry { words, len: a.len(), owner: (function, caller, epoch), found });
    }

    /// Forgets all: the dictionary has begun anew.
    pub fn clear(&mut self) {
        self.entries.fill(None);
    }
}
