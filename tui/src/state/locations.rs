//! Where calls were made, and what led there, each asked for once: finding one may mean reading debug information.

use std::cell::RefCell;
use std::collections::BTreeMap;

use traces::{Frame, SiteId, Trace};

use crate::{Locate, Located};

/// What is known of the sites of a trace.
pub struct Locations {
    locate: Locate,
    known: RefCell<BTreeMap<Frame, Located>>,
}

impl Locations {
    /// Nothing is known yet.
    pub fn new(locate: Locate) -> Locations {
        Locations { locate, known: RefCell::default() }
    }

    /// `ring.c:41`; where that cannot be had, the file of machine code and the address in it.
    pub fn of(&self, trace: &Trace, frame: Frame) -> Located {
        let by_address = || Located { line: address(trace, frame.site), stack: Vec::new() };
        let mut known = self.known.borrow_mut();
        known.entry(frame).or_insert_with(|| (self.locate)(frame).unwrap_or_else(by_address)).clone()
    }
}

fn address(trace: &Trace, id: SiteId) -> String {
    let site = trace.site(id);
    let object = trace.objects.get(site.object as usize).map_or("?", |object| &object.path);
    format!("{}+{:#x}", object.rsplit('/').next().unwrap_or(object), site.offset)
}
