//! The stacks that calls come from: each distinct one is kept once, and a word stands for it.
//!
//! A word is the address of code, where nothing more is known than that, or stands for a [`Frame`]: a place, and the frame of the caller.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use crate::python::Line;

/// A place in a function that is being executed.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// An address after a call instruction.
    Code(usize),
    /// A line of a script.
    Script(&'static Line),
}

impl Place {
    /// What tells it from others.
    pub fn key(&self) -> usize {
        match self {
            Place::Code(address) => *address,
            Place::Script(line) => std::ptr::from_ref(*line) as usize,
        }
    }
}

/// A place, and how the program got there.
#[derive(Debug)]
pub struct Frame {
    /// The place.
    pub place: Place,
    /// Who called the function that it is in, if that is known.
    pub caller: Option<&'static Frame>,
    /// The method of a binding that is called there.
    pub method: Option<&'static str>,
}

/// Set in words that stand for a frame: no address of a program has it.
const IS_FRAME: usize = 1 << 63;
/// The most frames that are kept, of all threads together; of stacks beyond, the innermost place is.
const MAX: usize = 1 << 17;

type Key = (usize, usize, usize);

fn known() -> MutexGuard<'static, FxHashMap<Key, &'static Frame>> {
    static KNOWN: OnceLock<Mutex<FxHashMap<Key, &'static Frame>>> = OnceLock::new();
    KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The frame of a place that these led to; None if there are too many.
pub fn frame(place: Place, caller: Option<&'static Frame>, method: Option<&'static str>) -> Option<&'static Frame> {
    let mut known = known();
    let address = |frame: &'static Frame| std::ptr::from_ref(frame) as usize;
    let key = (place.key(), caller.map_or(0, address), method.map_or(0, |name| name.as_ptr() as usize));
    if known.len() >= MAX && !known.contains_key(&key) {
        return None;
    }
    Some(known.entry(key).or_insert_with(|| Box::leak(Box::new(Frame { place, caller, method }))))
}

/// The word for a stack of code, the innermost address first.
pub fn of_code(addresses: &[usize]) -> usize {
    let mut outwards = addresses.iter().rev();
    let innermost = outwards.try_fold(None, |caller, &address| frame(Place::Code(address), caller, None).map(Some));
    match innermost {
        Some(Some(frame)) if addresses.len() > 1 => word(frame),
        _ => addresses.first().copied().unwrap_or(0),
    }
}

/// The word for a frame.
pub fn word(frame: &'static Frame) -> usize {
    std::ptr::from_ref(frame) as usize | IS_FRAME
}

/// The frame that a word stands for; None if it is an address of code.
pub fn at(word: usize) -> Option<&'static Frame> {
    // SAFETY: only `word` makes words with this bit, of frames, which live for ever.
    (word & IS_FRAME != 0).then(|| unsafe { &*((word & !IS_FRAME) as *const Frame) })
}
