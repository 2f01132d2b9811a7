//! Calls that were made before with the very same words: what a loop makes over and over.
//!
//! A call whose arguments are all passed by value, or are requests, is the same call as an earlier one with equal words and requests,
//! as long as no other handle was made or freed in between. It need not be read again, and its outcome is mostly the same one, too.

use traces::Function;

use crate::payload::Payload;
use crate::requests::Named;

/// Entries of the table, a power of two. A call that finds its place taken takes it over.
const PLACES: usize = 256;
/// The most words of a call that is kept: the arguments, and the requests that it names.
const WORDS: usize = 16;
/// The most words of an outcome that is kept.
const OUTCOME_WORDS: usize = 16;

/// A call that was made, and what came of it the last time.
#[derive(Clone, Copy, Debug)]
struct Entry {
    words: [usize; WORDS],
    len: usize,
    owner: (Function, usize, u64),
    found: Found,
    outcome_words: [u64; OUTCOME_WORDS],
    /// 0 if no outcome is known.
    outcome_len: usize,
    outcome: u32,
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

/// A call by all that tells it from others.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// Which function is called.
    pub function: Function,
    /// From which stack: see `frames`.
    pub caller: usize,
    /// While which handles are there.
    pub epoch: u64,
    /// With which arguments.
    pub arguments: &'a [usize],
    /// With which requests.
    pub requests: &'a [Named],
}

impl Key<'_> {
    fn owner(&self) -> (Function, usize, u64) {
        (self.function, self.caller, self.epoch)
    }

    fn words(&self) -> impl Iterator<Item = usize> {
        self.arguments.iter().copied().chain(self.requests.iter().map(|named| named.number as usize))
    }

    /// Its place in the table. A turn and a sum a word are little work, and one multiplication in the end spreads what they give.
    #[inline]
    fn place(&self) -> usize {
        const ODD: usize = 0x9e37_79b9_7f4a_7c15;
        let mix = |sum: usize, word: usize| sum.rotate_left(23).wrapping_add(word);
        let sum = self.arguments.iter().fold(self.caller, |sum, &word| mix(sum, word));
        let sum = self.requests.iter().fold(sum, |sum, named| mix(sum, named.number as usize));
        ((sum ^ sum >> 32).wrapping_mul(ODD) >> 48) & (PLACES - 1)
    }
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

impl Recent {
    /// The place of a call that is known.
    #[inline]
    pub fn find(&self, key: Key<'_>) -> Option<usize> {
        let place = key.place();
        let entry = self.entries[place].as_ref()?;
        let (arguments, requests) = (key.arguments.len(), key.requests.len());
        let same = entry.owner == key.owner()
            && entry.len == arguments + requests
            && key.arguments.iter().zip(&entry.words).all(|(&word, &known)| word == known)
            && key.requests.iter().zip(&entry.words[arguments..]).all(|(named, &known)| named.number as usize == known);
        same.then_some(place)
    }

    /// What is known of the call at this place, if there is one.
    #[inline]
    pub fn found(&self, place: usize) -> Option<&Found> {
        self.entries[place].as_ref().map(|entry| &entry.found)
    }

    /// Remembers a call, and gives its place; None if it has too many words.
    pub fn keep(&mut self, key: Key<'_>, found: Found) -> Option<usize> {
        let len = key.arguments.len() + key.requests.len();
        let mut words = [0; WORDS];
        if len > WORDS {
            return None;
        }
        words.iter_mut().zip(key.words()).for_each(|(place, word)| *place = word);
        let place = key.place();
        let outcome_words = [0; OUTCOME_WORDS];
        self.entries[place] = Some(Entry { words, len, owner: key.owner(), found, outcome_words, outcome_len: 0, outcome: 0 });
        Some(place)
    }

    /// The number of an outcome with these words, if the call at this place had it the last time.
    #[inline]
    pub fn outcome(&self, place: usize, words: &[u64]) -> Option<u32> {
        let entry = self.entries[place].as_ref()?;
        // Word by word: they are few, comparing them as memory is a call, and reading several at once waits until each is in the cache.
        let same = entry.outcome_len == words.len() && entry.outcome_words.iter().zip(words).all(|(known, word)| known == word);
        same.then_some(entry.outcome)
    }

    /// Remembers the outcome of the call at this place.
    pub fn keep_outcome(&mut self, place: usize, words: &[u64], outcome: u32) {
        if let Some(entry) = self.entries[place].as_mut().filter(|_| words.len() <= OUTCOME_WORDS) {
            entry.outcome_words[..words.len()].copy_from_slice(words);
            (entry.outcome_len, entry.outcome) = (words.len(), outcome);
        }
    }

    /// Forgets all: the dictionary has begun anew.
    pub fn clear(&mut self) {
        self.entries.fill(None);
    }
}
