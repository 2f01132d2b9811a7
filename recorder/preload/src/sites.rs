//! Call sites: which file of machine code an address lies in, as the dictionary of a segment holds it.

use std::ops::DerefMut;

use rustc_hash::FxHashMap;
use traces::chunk::{Entry, write_object, write_site};
use traces::segment::{Full, Recording};
use traces::{Object, Site};

use crate::loader;

/// Keys begin with a word that no call and no outcome has.
const OBJECT_KEY: u64 = u64::MAX;
const SITE_KEY: u64 = u64::MAX - 1;

/// What is known of addresses.
#[derive(Debug, Default)]
pub struct Sites {
    /// By address: base, path and build-id of its object.
    known: FxHashMap<usize, (usize, Object)>,
}

impl Sites {
    /// The number of a call site in the dictionary of this recording; None if no object has the address.
    pub fn number<M: DerefMut<Target = [u8]>>(
        &mut self,
        recording: &mut Recording<M>,
        address: usize,
    ) -> Result<Option<u32>, Full> {
        let (base, object) = self.known.entry(address).or_insert_with(|| match loader::object_of(address) {
            Some(o) => {
                let path = std::fs::canonicalize(o.path()).unwrap_or_else(|_| o.path());
                (o.base, Object { path: path.to_string_lossy().into(), build_id: o.build_id().into() })
            }
            None => (0, Object { path: "".into(), build_id: "".into() }),
        });
        if object.path.is_empty() {
            return Ok(None);
        }
        let number = recording.intern(Entry::Object, &[OBJECT_KEY, *base as u64], |out| write_object(out, object))?;
        let site = Site { object: number, offset: (address - *base) as u64 };
        recording.intern(Entry::Site, &[SITE_KEY, address as u64], |out| write_site(out, &site)).map(Some)
    }
}
