//! What the program gives to the kernel while pages are closed.
//!
//! The kernel refuses a system call that is given an address in a closed page, and the program would be told so.

use std::arch::{asm, naked_asm};

/// Makes a system call. It gives −errno if it fails.
///
/// # Safety
/// As that of the system call.
#[inline(always)]
pub unsafe fn system_call(number: libc::c_long, a: [usize; 6]) -> isize {
    let result;
    // SAFETY: as the caller's; these are the registers of the kernel's interface.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a[0],
            in("rsi") a[1],
            in("rdx") a[2],
            in("r10") a[3],
            in("r8") a[4],
            in("r9") a[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Where our handlers return to: it has the kernel go on with what was interrupted.
///
/// # Safety
/// Only the kernel comes here.
#[unsafe(naked)]
pub unsafe extern "C" fn restorer() {
    naked_asm!("mov eax, 15", "syscall")
}

/// Guarding begins.
pub fn begin() {}

/// Whether the system calls of all threads are seen, so that pages can be closed that the program uses for something else, too.
pub fn watches_all_threads() -> bool {
    false
}

/// Pages are going to be closed, and this thread's system calls are to be seen.
pub fn watch_this_thread() {}

/// A single instruction was let through.
pub fn step_is_over() {}
