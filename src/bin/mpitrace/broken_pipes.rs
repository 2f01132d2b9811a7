//! Whether this process was started with SIGPIPE ignored, as by `trap '' PIPE` in a job's script.
//!
//! The program that is recorded has to be started likewise: it must neither die of a broken pipe that it would survive, nor the other way
//! round. But the runtime of Rust ignores the signal before `main` begins, and says nothing of what was before. So this looks earlier.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

static IS_IGNORED: AtomicBool = AtomicBool::new(false);

/// Whether SIGPIPE was ignored when the process began.
pub fn were_ignored() -> bool {
    IS_IGNORED.load(Ordering::Relaxed)
}

/// What the dynamic linker calls before the runtime begins.
#[expect(unsafe_code, reason = "there is no other way to do something before the runtime of Rust does")]
#[used]
// SAFETY: the section holds addresses of functions without arguments that matter, which are called once, in a process that is whole: glibc
// is initialised, and reading a file needs nothing of Rust's runtime.
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    const SIGPIPE: u32 = 13;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    IS_IGNORED.store(mask >> (SIGPIPE - 1) & 1 == 1, Ordering::Relaxed);
}
