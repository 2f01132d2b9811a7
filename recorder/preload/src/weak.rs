//! Functions that the library at hand lacks must stay absent for the program.
//!
//! A program that can do without a newer function refers to it weakly and tests the reference. Our library has all functions, so the
//! linker filled such references with ours. Where the real library has none, they are set back to null: when the program is loaded, for it
//! may test them before it calls anything, and again at its first call, for what it has loaded by then. In a process without MPI none is left.

use std::ffi::CStr;
use std::panic::catch_unwind;

use traces::Function;

use crate::loader::{self, Object};
use crate::real;
use crate::relocations::{each_import, read_slot, write_slot};
use crate::wrapper::Family;

/// Called by the linker when this library has been loaded, before anything of the program runs.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = at_load;

extern "C" fn at_load() {
    // A panic is ours, never the program's.
    let _ = catch_unwind(|| hide_missing_functions(&loader::objects()));
}

/// Sets the weak references of these objects right.
pub fn hide_missing_functions(objects: &[Object]) {
    for object in objects {
        each_import(object, |import| {
            if import.is_weak && is_missing(import.name) && loader::is_ours(read_slot(import.slot)) {
                write_slot(import.slot, 0);
            }
        });
    }
}

fn is_missing(name: &CStr) -> bool {
    let name = name.to_str().unwrap_or_default();
    let Some(function) = Function::named(name.strip_prefix('P').unwrap_or(name)) else { return false };
    function.class().is_recorded() && real::function(function, Family::Pmpi).is_none()
}
