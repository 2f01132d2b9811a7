//! Ranges of addresses that are looked at in every call: the code of a few objects.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::loader::Object;

/// More objects than that are not kept.
const MAX: usize = 16;

/// A few ranges, written before the first call is recorded and read ever after.
pub struct Ranges {
    /// Begin and bytes.
    list: [(AtomicUsize, AtomicUsize); MAX],
    len: AtomicUsize,
}

impl Ranges {
    /// No ranges.
    pub const fn new() -> Ranges {
        Ranges { list: [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; MAX], len: AtomicUsize::new(0) }
    }

    /// Adds the code of an object.
    pub fn add(&self, object: &Object) {
        let code = object.program_headers().iter().filter(|h| h.p_type == libc::PT_LOAD && h.p_flags & libc::PF_X != 0);
        for header in code {
            let len = self.len.load(Ordering::Relaxed);
            let Some((begin, bytes)) = self.list.get(len) else { return };
            begin.store(object.base + header.p_vaddr as usize, Ordering::Relaxed);
            bytes.store(header.p_memsz as usize, Ordering::Relaxed);
            self.len.store(len + 1, Ordering::Release);
        }
    }

    /// Whether an address lies in one of them.
    #[inline]
    pub fn contain(&self, address: usize) -> bool {
        let len = self.len.load(Ordering::Acquire);
        // Most programs have none of them.
        if len == 0 {
            return false;
        }
        let holds = |(begin, bytes): &(AtomicUsize, AtomicUsize)| {
            address.wrapping_sub(begin.load(Ordering::Relaxed)) < bytes.load(Ordering::Relaxed)
        };
        self.list[..len].iter().any(holds)
    }
}
