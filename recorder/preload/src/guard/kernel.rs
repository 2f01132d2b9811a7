//! What the program gives to the kernel while pages are closed.
//!
//! The kernel refuses a system call that is given an address in a closed page, and the program would be told so. So every system call
//! of every thread is stopped before it is made (syscall user dispatch, since Linux 5.11): pages that it may need are opened for it,
//! and it is made where it stands. Where that cannot be had for all threads, only pages are closed that are a buffer's alone.
//!
//! A thread that blocks our signals would be ended by the first of them. It is let believe that it does.

use std::arch::{asm, naked_asm};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicUsize, Ordering};

use super::actions::{self, SIGNALS};
use super::arguments::ranges;
use super::pages::{self, Pages, mask_signals, with_signals_blocked};
use super::traps::{Context, TRAP_FLAG, give, is_in_call, saved, stop_after_one};
use crate::loader;

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

/// The most threads whose system calls are seen.
const THREADS_MAX: usize = 2048;
/// Every so many buffers it is looked whether there are threads that nobody told us of.
const LOOK_EVERY: usize = 64;
/// What a selector says: system calls are made, or stopped.
const MAKE: u8 = 0;
const STOP: u8 = 1;

/// For each thread, what is done about its system calls. The kernel reads it in each.
static SELECTORS: [AtomicU8; THREADS_MAX] = [const { AtomicU8::new(MAKE) }; THREADS_MAX];
/// And which thread it is.
static NUMBERS: [AtomicI32; THREADS_MAX] = [const { AtomicI32::new(0) }; THREADS_MAX];
static THREADS: AtomicUsize = AtomicUsize::new(0);
/// Whether a thread could not be had.
static IS_ANY_UNSEEN: AtomicBool = AtomicBool::new(false);

const NO_THREAD: usize = usize::MAX;

thread_local! {
    /// The place of this thread.
    static OWN: Cell<usize> = const { Cell::new(NO_THREAD) };
}

/// Guarding begins.
pub fn begin() {
    actions::let_through_in_handlers();
    actions::take(libc::SIGSYS, asked);
    see_this_thread();
}

/// The system calls of this thread are seen from now on; none is stopped before pages are closed.
pub fn see_this_thread() {
    const DISPATCH: usize = 59;
    const ON: usize = 1;
    if OWN.get() != NO_THREAD || IS_ANY_UNSEEN.load(Ordering::Relaxed) {
        return;
    }
    let place = THREADS.fetch_add(1, Ordering::Relaxed);
    let own = loader::object_of(see_this_thread as *const () as usize).and_then(|object| object.code());
    let (Some(selector), Some((begin, bytes))) = (SELECTORS.get(place), own) else {
        return IS_ANY_UNSEEN.store(true, Ordering::Relaxed);
    };
    // SAFETY: the selector is there as long as the process; what is stopped is handled by `asked`. Our own code is let through.
    unsafe {
        let set = signals();
        mask_signals(libc::SIG_UNBLOCK, (&raw const set) as usize, 0);
        let address = std::ptr::from_ref(selector) as usize;
        if system_call(libc::SYS_prctl, [DISPATCH, ON, begin, bytes, address, 0]) != 0 {
            return IS_ANY_UNSEEN.store(true, Ordering::Relaxed);
        }
        NUMBERS[place].store(system_call(libc::SYS_gettid, [0; 6]) as i32, Ordering::Relaxed);
    }
    OWN.set(place);
}

/// The signals that are ours, as the kernel has sets.
fn signals() -> u64 {
    SIGNALS.iter().fold(0, |set, signal| set | 1 << (signal - 1))
}

/// Whether the system calls of all threads are seen, so that pages can be closed that the program uses for something else, too.
pub fn watches_all_threads() -> bool {
    static LOOKS: AtomicUsize = AtomicUsize::new(0);
    see_this_thread();
    if IS_ANY_UNSEEN.load(Ordering::Relaxed) {
        return false;
    }
    if LOOKS.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOK_EVERY) && !knows_all_threads() {
        IS_ANY_UNSEEN.store(true, Ordering::Relaxed);
        // Whose pages are closed by now might be needed by such a thread.
        pages::with(pages::Pages::open_all);
        return false;
    }
    true
}

fn knows_all_threads() -> bool {
    let known = &NUMBERS[..THREADS.load(Ordering::Relaxed).min(THREADS_MAX)];
    let Ok(entries) = std::fs::read_dir("/proc/self/task") else { return false };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers.into_iter().all(|number| known.iter().any(|thread| thread.load(Ordering::Relaxed) == number))
}

/// Pages are closed: system calls are stopped from now on.
pub fn watch() {
    let threads = THREADS.load(Ordering::Relaxed).min(THREADS_MAX);
    SELECTORS[..threads].iter().for_each(|selector| selector.store(STOP, Ordering::Relaxed));
}

/// A single instruction was let through.
pub fn step_is_over() {
    set(STOP);
}

fn set(what: u8) {
    if let Some(selector) = SELECTORS.get(OWN.get()) {
        selector.store(what, Ordering::Relaxed);
    }
}

/// The code of SIGSYS for a system call that was stopped so.
const DISPATCHED: i32 = 2;
/// Bytes of the instruction.
const INSTRUCTION: i64 = 2;

/// SIGSYS.
unsafe extern "C" fn asked(signal: libc::c_int, information: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes it.
    if unsafe { (*information).si_code } != DISPATCHED {
        // SAFETY: these are what the kernel has passed.
        return unsafe { actions::pass_on(signal, information, context) };
    }
    // SAFETY: as above; it is this handler's alone.
    let context = unsafe { &mut *context.cast::<Context>() };
    let number = saved(context, libc::REG_RAX) as libc::c_long;
    let a = [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_R10, libc::REG_R8, libc::REG_R9]
        .map(|register| saved(context, register) as usize);
    let changes_mask = [libc::SIG_BLOCK, libc::SIG_UNBLOCK, libc::SIG_SETMASK].contains(&(a[0] as libc::c_int));
    if number == libc::SYS_rt_sigprocmask && a[1] != 0 && changes_mask {
        // SAFETY: the program gives the kernel these sets.
        return unsafe { block(context, a) };
    }
    context.uc_mcontext.gregs[libc::REG_RIP as usize] -= INSTRUCTION;
    set(MAKE);
    if with_signals_blocked(|pages| pages.is_empty()) {
        return;
    }
    match number {
        // SAFETY: what is to be restored lies where the stack pointer is.
        libc::SYS_rt_sigreturn => unsafe {
            stop_after_one(context);
            context.uc_mcontext.gregs[libc::REG_EFL as usize] &= !TRAP_FLAG;
            let interrupted = &mut *(saved(context, libc::REG_RSP) as *mut Context);
            interrupted.uc_mcontext.gregs[libc::REG_EFL as usize] |= TRAP_FLAG;
        },
        libc::SYS_clone | libc::SYS_clone3 | libc::SYS_fork | libc::SYS_vfork | libc::SYS_execve | libc::SYS_execveat => {
            // SAFETY: the program gives the kernel its arguments.
            if !unsafe { makes_thread(number, a) } {
                with_signals_blocked(|pages| pages.open_all());
            }
            // The child would be stopped, too: this thread is watched again when more pages are closed.
        }
        _ => {
            with_signals_blocked(|pages| {
                // SAFETY: the program gives the kernel these arguments.
                unsafe { ranges(number, a, &mut |low, high, reads| open(pages, low, high, reads)) };
            });
            stop_after_one(context);
        }
    }
}

/// Opens pages for a system call.
fn open(pages: &mut Pages, low: usize, high: usize, only_reads: bool) {
    let is_in_call = is_in_call();
    pages.closed_to_kernel(
        low,
        high,
        only_reads,
        |pages, page| {
            if is_in_call { pages.open_in_call(page) } else { give(pages, page) }
        },
    );
}

/// Whether a system call makes a thread of this process.
///
/// # Safety
/// The arguments are those of this system call.
unsafe fn makes_thread(number: libc::c_long, a: [usize; 6]) -> bool {
    let flags = match number {
        libc::SYS_clone => a[0] as u64,
        // SAFETY: the first word of what it is given is flags.
        libc::SYS_clone3 => unsafe { (a[0] as *const u64).read_unaligned() },
        _ => 0,
    };
    flags & libc::CLONE_THREAD as u64 != 0
}

/// Blocks and unblocks signals as the kernel would, but for those that are ours.
///
/// # Safety
/// The arguments are those of the system call.
unsafe fn block(context: &mut Context, a: [usize; 6]) {
    with_signals_blocked(|pages| {
        let sets = [a[1], a[2]].into_iter().filter(|at| *at != 0);
        sets.for_each(|at| pages.closed_to_kernel(at, at + size_of::<u64>(), false, |pages, page| pages.give_up(page, page + 1)));
    });
    // SAFETY: the saved mask has at least eight bytes, which are what the kernel restores; the sets are the program's.
    unsafe {
        let mask = (&raw mut context.uc_sigmask).cast::<u64>();
        let (before, set) = (mask.read(), (a[1] as *const u64).read_unaligned());
        let after = match a[0] as libc::c_int {
            libc::SIG_BLOCK => before | set,
            libc::SIG_UNBLOCK => before & !set,
            _ => set,
        };
        mask.write(after & !signals());
        if a[2] != 0 {
            (a[2] as *mut u64).write_unaligned(before);
        }
        context.uc_mcontext.gregs[libc::REG_RAX as usize] = 0;
    }
}
