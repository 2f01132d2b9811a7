//! Call sites: which files of machine code the addresses of a stack lie in, or which lines of scripts they are, as the dictionary of a
//! segment holds it.

use std::ops::DerefMut;

use rustc_hash::FxHashMap;
use traces::chunk::{Entry, write_object, write_site};
use traces::segment::{Full, Recording};
use traces::{Object, Site};
use xxhash_rust::xxh3::xxh3_64;

use crate::frames::{self, Frame, Place};
use crate::loader;
use crate::python::Line;

/// Keys begin with a word that no call and no outcome has.
const OBJECT_KEY: u64 = u64::MAX;
const SITE_KEY: u64 = u64::MAX - 1;

/// Where a place is.
#[derive(Debug)]
struct Spot {
    object: Object,
    /// What tells the object from others in this process.
    object_key: u64,
    /// Where it is in the object.
    offset: u64,
}

/// What is known of places.
#[derive(Debug, Default)]
pub struct Sites {
    /// By key; None is in no object.
    known: FxHashMap<usize, Option<Spot>>,
}

impl Sites {
    /// The number of a call site, with all that led there, in the dictionary of this recording; None if no object has its address.
    /// `stack` is a word of `frames`.
    pub fn number<M: DerefMut<Target = [u8]>>(
        &mut self,
        recording: &mut Recording<M>,
        stack: usize,
    ) -> Result<Option<u32>, Full> {
        let Some(innermost) = frames::at(stack) else {
            return self.number_of(recording, stack, &Frame { place: Place::Code(stack), caller: None, method: None }, None);
        };
        let outwards: Vec<&Frame> = std::iter::successors(Some(innermost), |frame| frame.caller).collect();
        let mut number = None;
        for frame in outwards.into_iter().rev() {
            // The frames of what is in no object are left out.
            number = self.number_of(recording, std::ptr::from_ref(frame) as usize, frame, number)?.or(number);
        }
        Ok(number)
    }

    /// The number of a frame whose caller has a number already.
    fn number_of<M: DerefMut<Target = [u8]>>(
        &mut self,
        recording: &mut Recording<M>,
        key: usize,
        frame: &Frame,
        caller: Option<u32>,
    ) -> Result<Option<u32>, Full> {
        let spot = self.known.entry(frame.place.key()).or_insert_with(|| Spot::of(frame.place));
        let Some(Spot { object, object_key, offset }) = spot else { return Ok(None) };
        let number = recording.intern(Entry::Object, &[OBJECT_KEY, *object_key], |out| write_object(out, object))?;
        let site = Site { object: number, offset: *offset, method: frame.method.map(Into::into) };
        recording.intern(Entry::Site, &[SITE_KEY, key as u64], |out| write_site(out, &site, caller)).map(Some)
    }
}

impl Spot {
    fn of(place: Place) -> Option<Spot> {
        match place {
            Place::Script(line) => Some(Spot::of_script(line)),
            Place::Code(address) => Spot::of_code(address),
        }
    }

    fn of_script(line: &Line) -> Spot {
        let object = Object::script(&line.file, &line.function);
        let object_key = xxh3_64(format!("{}\n{}", line.file, line.function).as_bytes());
        Spot { object, object_key, offset: u64::from(line.number) }
    }

    fn of_code(address: usize) -> Option<Spot> {
        let found = loader::object_of(address)?;
        let path = std::fs::canonicalize(found.path()).unwrap_or_else(|_| found.path());
        let object = Object { path: path.to_string_lossy().into(), build_id: found.build_id().into() };
        Some(Spot { object, object_key: found.base as u64, offset: (address - found.base) as u64 })
    }
}
