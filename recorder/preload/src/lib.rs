//! libmpitrace_preload.so: the inside half of recording. It lives in the processes of the program that is recorded.
//!
//! Every MPI function of the table comes by here on its way to the library: `wrapper` puts the call on record, calls the real
//! function (`real`) with the arguments untouched, and puts on record what came back. It needs no MPI to build and works with any:
//! `abi` knows the few ways in which they differ.
//!
//! The first law of this crate is not to harm the program. It allocates little, starts no thread, registers nothing that could run
//! after the program has ended, never prints but for one line, and when something goes wrong it stops recording and lets the program
//! go on.

mod abi;
mod arguments;
mod by_handle;
mod communicators;
mod contents;
mod dlsym;
mod fetches;
mod following;
mod forcing;
mod frames;
mod gather;
#[cfg_attr(not(target_arch = "x86_64"), path = "unguarded.rs")]
mod guard;
mod handles;
mod lane;
mod lending;
mod loader;
mod memory;
mod methods;
mod output;
mod payload;
mod pieces;
mod process;
mod python;
mod ranges;
mod readable;
mod real;
mod recent;
mod record;
mod relocations;
mod requests;
mod results;
mod shape;
mod sites;
mod spawn;
mod stacks;
mod store;
mod tail;
mod turns;
mod unwinding;
mod weak;
mod world;
mod wrapper;

use traces::Function;
use wrapper::{Family, call, call_double};

/// The frame of the enclosing function: its caller's frame pointer, and then the address that it returns to. Frame pointers are on in
/// this crate's build.
macro_rules! frame {
    () => {{
        let address: usize;
        // SAFETY: reads a register.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            std::arch::asm!("mov {}, rbp", out(reg) address, options(nomem, nostack, preserves_flags));
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            std::arch::asm!("mov {}, x29", out(reg) address, options(nomem, nostack, preserves_flags));
        }
        address
    }};
}

mod exported {
    use super::*;

    include!(concat!(env!("OUT_DIR"), "/wrappers.rs"));
}
