//! Places of a table by handle, of which few are in use at a time, and come and go with every call.
//!
//! A handle has a home that it is put into if that is free, which costs a multiplication; what finds its home taken goes into a hash table.

use rustc_hash::FxHashMap;

/// Homes, a power of two.
const HOMES: usize = 256;
/// In a home: nobody lives there.
const FREE: u32 = u32::MAX;

/// A place for each handle.
#[derive(Debug)]
pub struct ByHandle {
    homes: Box<[(u64, u32)]>,
    /// Those whose home was taken. No handle is here and at home.
    rest: FxHashMap<u64, u32>,
}

impl Default for ByHandle {
    fn default() -> ByHandle {
        ByHandle { homes: vec![(0, FREE); HOMES].into_boxed_slice(), rest: FxHashMap::default() }
    }
}

impl ByHandle {
    #[inline]
    fn home(&mut self, handle: u64) -> &mut (u64, u32) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        &mut self.homes[(handle.wrapping_mul(ODD) >> 56) as usize & (HOMES - 1)]
    }

    /// The place of a handle.
    #[inline]
    pub fn get(&mut self, handle: u64) -> Option<u32> {
        let home = *self.home(handle);
        match home {
            (known, place) if known == handle && place != FREE => Some(place),
            _ if self.rest.is_empty() => None,
            _ => self.rest.get(&handle).copied(),
        }
    }

    /// Gives a handle a place, and returns the one that it had.
    #[inline]
    pub fn insert(&mut self, handle: u64, place: u32) -> Option<u32> {
        let home = self.home(handle);
        let (known, before) = *home;
        if before != FREE && known != handle {
            return self.rest.insert(handle, place);
        }
        *home = (handle, place);
        if before != FREE {
            return Some(before);
        }
        if self.rest.is_empty() { None } else { self.rest.remove(&handle) }
    }

    /// Forgets a handle if it has this place. Gives whether it had.
    #[inline]
    pub fn remove_at(&mut self, handle: u64, place: u32) -> bool {
        let home = self.home(handle);
        if *home == (handle, place) {
            home.1 = FREE;
            return true;
        }
        let is_there = !self.rest.is_empty() && self.rest.get(&handle) == Some(&place);
        if is_there {
            self.rest.remove(&handle);
        }
        is_there
    }

    /// Forgets a handle.
    #[inline]
    pub fn remove(&mut self, handle: u64) {
        let home = self.home(handle);
        if home.0 == handle && home.1 != FREE {
            home.1 = FREE;
        } else {
            self.rest.remove(&handle);
        }
    }
}
