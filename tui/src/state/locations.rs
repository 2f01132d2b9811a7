//! The source lines of call sites, each asked for once: finding one may mean reading debug information.

use std::cell::RefCell;
use std::collections::BTreeMap;

use traces::{SiteId, Trace};

/// Turns a site into `file:line`, where that can be had.
type Locate = Box<dyn Fn(SiteId) -> Option<String>>;

/// What is known of the sites of a trace.
pub struct Locations {
    locate: Locate,
    known: RefCell<BTreeMap<SiteId, String>>,
}

impl Locations {
    /// Nothing is known yet.
    pub fn new(locate: Locate) -> Locations {
        Locations { locate, known: RefCell::default() }
    }

    /// `ring.c:41`; where that cannot be had, the file of machine code and the address in it.
    pub fn of(&self, trace: &Trace, id: SiteId) -> String {
        let mut known = self.known.borrow_mut();
        known.entry(id).or_insert_with(|| (self.locate)(id).unwrap_or_else(|| address(trace, id))).clone()
    }
}

fn address(trace: &Trace, id: SiteId) -> String {
    let site = trace.site(id);
    let object = trace.objects.get(site.object as usize).map_or("?", |object| &object.path);
    format!("{}+{:#x}", object.rsplit('/').next().unwrap_or(object), site.offset)
}
