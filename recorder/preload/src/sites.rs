//! Call sites: which file of machine code an address lies in, or which line of a script it stands for, as the dictionary of a segment
//! holds it.

use std::ops::DerefMut;

use rustc_hash::FxHashMap;
use traces::chunk::{Entry, write_object, write_site};
use traces::segment::{Full, Recording};
use traces::{Object, Site};
use xxhash_rust::xxh3::xxh3_64;

use crate::{loader, python};

/// Keys begin with a word that no call and no outcome has.
const OBJECT_KEY: u64 = u64::MAX;
const SITE_KEY: u64 = u64::MAX - 1;

/// A place that calls MPI.
#[derive(Debug)]
struct Place {
    object: Object,
    /// What tells the object from others in this process.
    object_key: u64,
    /// Where it is in the object.
    offset: u64,
}

/// What is known of addresses.
#[derive(Debug, Default)]
pub struct Sites {
    /// By address; None is in no object.
    known: FxHashMap<usize, Option<Place>>,
}

impl Sites {
    /// The number of a call site in the dictionary of this recording; None if no object has the address.
    pub fn number<M: DerefMut<Target = [u8]>>(
        &mut self,
        recording: &mut Recording<M>,
        address: usize,
    ) -> Result<Option<u32>, Full> {
        let place = self.known.entry(address).or_insert_with(|| Place::of_script(address).or_else(|| Place::of_code(address)));
        let Some(Place { object, object_key, offset }) = place else { return Ok(None) };
        let number = recording.intern(Entry::Object, &[OBJECT_KEY, *object_key], |out| write_object(out, object))?;
        let site = Site { object: number, offset: *offset };
        recording.intern(Entry::Site, &[SITE_KEY, address as u64], |out| write_site(out, &site)).map(Some)
    }
}

impl Place {
    fn of_script(address: usize) -> Option<Place> {
        let line = python::line_at(address)?;
        let object = Object::script(&line.file, &line.function);
        let object_key = xxh3_64(format!("{}\n{}", line.file, line.function).as_bytes());
        Some(Place { object, object_key, offset: u64::from(line.number) })
    }

    fn of_code(address: usize) -> Option<Place> {
        let found = loader::object_of(address)?;
        let path = std::fs::canonicalize(found.path()).unwrap_or_else(|_| found.path());
        let object = Object { path: path.to_string_lossy().into(), build_id: found.build_id().into() };
        Some(Place { object, object_key: found.base as u64, offset: (address - found.base) as u64 })
    }
}
