//! Which method of an extension module a function of machine code is, such as `Comm.bcast`.
//!
//! Python leaves no trace of that in its own stack. But an extension keeps tables of its methods (PyMethodDef, PyGetSetDef) in its data: a
//! name, and then the function. These have been the same in all versions of CPython, and so have the places in a type that refer to
//! them, which bring the name of the class.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use crate::loader::{self, Object};
use crate::{frames, python};

/// The stacks of Python with the methods that they call, by the word for the stack and the address of the method.
#[derive(Debug, Default)]
pub struct Methods {
    known: FxHashMap<(usize, usize), usize>,
}

/// More are not kept at a time.
const KNOWN_MAX: usize = 1 << 14;

impl Methods {
    /// The word for the stack of Python from which the method that begins at this address was called.
    #[inline]
    pub fn of(&mut self, stack: usize, method: usize) -> usize {
        match self.known.get(&(stack, method)) {
            Some(&word) => word,
            None => self.learn(stack, method),
        }
    }

    #[cold]
    fn learn(&mut self, stack: usize, method: usize) -> usize {
        let with_method = frames::at(stack).and_then(|frame| {
            let name = Some(frame).filter(|_| python::is_module(method)).and_then(|_| name_of(method))?;
            frames::frame(frame.place, frame.caller, Some(name)).map(frames::word)
        });
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        *self.known.entry((stack, method)).or_insert(with_method.unwrap_or(stack))
    }
}

/// The name of the method whose function begins at this address.
fn name_of(function: usize) -> Option<&'static str> {
    static NAMES: OnceLock<Mutex<HashMap<usize, Option<&'static str>>>> = OnceLock::new();
    let mut names = NAMES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    *names.entry(function).or_insert_with(|| {
        let name = Tables::of(&loader::object_of(function)?).name_of(function)?;
        Some(Box::leak(name.into_boxed_str()))
    })
}

/// A table of methods or of attributes, and what refers to it.
struct Layout {
    /// Words of an entry: the name, the function, and what else there is.
    entry: usize,
    /// How far behind its name a type refers to the table, in words: see PyTypeObject.
    in_type: usize,
    /// The number of the reference in a list of slots, for types that are made of such: see typeslots.h.
    slot: u32,
}

const LAYOUTS: [Layout; 2] = [
    // PyMethodDef, tp_methods, Py_tp_methods.
    Layout { entry: 4, in_type: 26, slot: 64 },
    // PyGetSetDef, tp_getset, Py_tp_getset.
    Layout { entry: 5, in_type: 28, slot: 73 },
];

/// More slots than any type has.
const SLOTS_MAX: usize = 96;
/// The longest name.
const NAME_MAX: usize = 100;

/// The data of an extension module.
struct Tables<'a> {
    object: &'a Object,
    /// Address and words of each part.
    parts: Vec<(usize, &'a [usize])>,
}

impl<'a> Tables<'a> {
    fn of(object: &'a Object) -> Tables<'a> {
        let data = object.program_headers().iter().filter(|h| h.p_type == libc::PT_LOAD && h.p_flags & libc::PF_W != 0);
        let parts = data.map(|header| {
            let begin = (object.base + header.p_vaddr as usize).next_multiple_of(8);
            let words = (header.p_filesz as usize / 8).saturating_sub(1);
            // SAFETY: the segment is mapped as long as the object is loaded. Its tables are constant; what else changes meanwhile is a word
            // that is not looked at closely.
            (begin, unsafe { std::slice::from_raw_parts(begin as *const usize, words) })
        });
        Tables { object, parts: parts.collect() }
    }

    fn name_of(&self, function: usize) -> Option<String> {
        let mut name = None;
        for (part, at) in self.places_of(function) {
            let Some(method) = at.checked_sub(1).and_then(|at| self.text(self.parts[part].1[at])).filter(|n| is_name(n)) else {
                continue;
            };
            if let Some(class) = LAYOUTS.iter().find_map(|layout| self.class_of(part, at - 1, layout)) {
                return Some(format!("{class}.{method}"));
            }
            name.get_or_insert(method);
        }
        name.map(str::to_owned)
    }

    /// Where a word is: the part, and the position in it.
    fn places_of(&self, word: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let parts = self.parts.iter().enumerate();
        parts.flat_map(move |(part, (_, words))| {
            words.iter().enumerate().filter(move |(_, found)| **found == word).map(move |(at, _)| (part, at))
        })
    }

    /// The class that the entry at this position belongs to.
    fn class_of(&self, part: usize, entry: usize, layout: &Layout) -> Option<&str> {
        let (begin, words) = self.parts[part];
        let is_entry = |at: usize| {
            self.text(words[at]).is_some_and(is_name) && words.get(at + 1).is_some_and(|&function| self.object.contains(function))
        };
        let mut first = entry;
        while let Some(before) = first.checked_sub(layout.entry).filter(|&at| is_entry(at)) {
            first = before;
        }
        let table = begin + 8 * first;
        self.places_of(table).find_map(|(part, at)| {
            let words = self.parts[part].1;
            let in_type = at.checked_sub(layout.in_type).and_then(|at| self.class_name(words[at]));
            let is_slot = at > 0 && words[at - 1] as u32 == layout.slot;
            in_type.or_else(|| if is_slot { self.class_of_slot(self.parts[part].0 + 8 * (at - 1)) } else { None })
        })
    }

    /// The class that has a list of slots with this one: PyType_Spec has its name, three numbers, and the address of the list.
    fn class_of_slot(&self, slot: usize) -> Option<&str> {
        let lists = slot.saturating_sub(16 * SLOTS_MAX)..=slot;
        let specs = self.parts.iter().flat_map(|(_, words)| words.windows(4));
        let named = specs.filter(|spec| lists.contains(&spec[3]) && (slot - spec[3]) % 16 == 0);
        named.filter_map(|spec| Some((spec[3], self.class_name(spec[0])?))).max_by_key(|(list, _)| *list).map(|(_, name)| name)
    }

    /// `Comm`, if this is the address of `mpi4py.MPI.Comm`.
    fn class_name(&self, address: usize) -> Option<&str> {
        let (module, class) = self.text(address)?.rsplit_once('.')?;
        (is_name(class) && module.split('.').all(is_name)).then_some(class)
    }

    /// The text at an address of this object.
    fn text(&self, address: usize) -> Option<&str> {
        let segments = self.object.program_headers().iter().filter(|h| h.p_type == libc::PT_LOAD);
        let end = segments.into_iter().find_map(|header| {
            let begin = self.object.base + header.p_vaddr as usize;
            (begin..begin + header.p_filesz as usize).contains(&address).then_some(begin + header.p_filesz as usize)
        })?;
        // SAFETY: so many bytes of the segment follow, and it is mapped as long as the object is loaded.
        let bytes = unsafe { std::slice::from_raw_parts(address as *const u8, (end - address).min(NAME_MAX)) };
        std::str::from_utf8(&bytes[..bytes.iter().position(|&byte| byte == 0)?]).ok()
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
