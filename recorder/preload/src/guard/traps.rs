//! The signals that an access to a closed page brings: SIGSEGV before it, and SIGTRAP after a single instruction was let through.
//!
//! Whatever is not ours goes to whom the program has set for it (`actions`). In here nothing asks for memory, and nothing waits but for
//! those who work on the table of pages, which they do with all signals blocked.

use std::cell::Cell;

use iced_x86::Register;

use super::actions;
use super::instruction;
use super::pages::{PAGE, Pages, with_signals_blocked};
use super::snapshot::{Touch, keep};
use super::{kernel, memory};
use crate::lane::THREAD;
use crate::unwinding::Registers;

/// The flag in the saved flags by which a processor stops after one instruction.
pub const TRAP_FLAG: i64 = 0x100;
/// The code of SIGSEGV where a page is there, and closed.
const ACCESS_REFUSED: i32 = 2;
/// The code of SIGTRAP after a single instruction.
const AFTER_ONE_INSTRUCTION: i32 = 2;
/// The bit of the error code that says that the access was a store.
const IS_STORE: i64 = 2;
/// So many pages can one instruction need that are closed: two operands, each across an edge.
const PAGES_MAX: usize = 8;

/// What a thread has opened for the instruction at hand.
struct Step {
    pages: Cell<[usize; PAGES_MAX]>,
    len: Cell<usize>,
    /// Pages that it has opened for a system call.
    given: Cell<[usize; PAGES_MAX]>,
    given_len: Cell<usize>,
    /// Whether it is being stopped after the instruction, and whether the program had itself stopped anyway.
    is_on: Cell<bool>,
    was_stopped: Cell<bool>,
    /// The last refused access of which nobody knew why: place, address, and what was opened by then.
    unexplained: Cell<(usize, usize, u64)>,
}

thread_local! {
    static STEP: Step = const { Step {
        pages: Cell::new([0; PAGES_MAX]),
        len: Cell::new(0),
        given: Cell::new([0; PAGES_MAX]),
        given_len: Cell::new(0),
        is_on: Cell::new(false),
        was_stopped: Cell::new(false),
        unexplained: Cell::new((0, 0, 0)),
    } };
}

/// Sets the handlers.
pub fn install() {
    actions::take(libc::SIGSEGV, refused);
    actions::take(libc::SIGTRAP, stopped);
}

/// What the kernel has saved of a thread.
pub type Context = libc::ucontext_t;

pub fn saved(context: &Context, register: libc::c_int) -> i64 {
    context.uc_mcontext.gregs[register as usize]
}

fn register_of(context: &Context, name: Register) -> Option<usize> {
    let at = match name {
        Register::RAX => libc::REG_RAX,
        Register::RBX => libc::REG_RBX,
        Register::RCX => libc::REG_RCX,
        Register::RDX => libc::REG_RDX,
        Register::RSI => libc::REG_RSI,
        Register::RDI => libc::REG_RDI,
        Register::RBP => libc::REG_RBP,
        Register::RSP => libc::REG_RSP,
        Register::R8 => libc::REG_R8,
        Register::R9 => libc::REG_R9,
        Register::R10 => libc::REG_R10,
        Register::R11 => libc::REG_R11,
        Register::R12 => libc::REG_R12,
        Register::R13 => libc::REG_R13,
        Register::R14 => libc::REG_R14,
        Register::R15 => libc::REG_R15,
        Register::DS | Register::ES | Register::SS | Register::CS => return Some(0),
        Register::FS => return Some(memory::thread_pointer()),
        _ => return None,
    };
    Some(saved(context, at) as usize)
}

/// SIGSEGV.
unsafe extern "C" fn refused(signal: libc::c_int, information: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes both.
    let (address, code) = unsafe { ((*information).si_addr() as usize, (*information).si_code) };
    // SAFETY: as above; it is this handler's alone.
    let saved_context = unsafe { &mut *context.cast::<Context>() };
    if code != ACCESS_REFUSED || !explain(address, saved_context) {
        // SAFETY: these are what the kernel has passed.
        unsafe { actions::pass_on(signal, information, context) };
    }
}

/// Whether the access was refused because of a page that is closed, or was until a moment ago.
fn explain(address: usize, context: &mut Context) -> bool {
    let page = address & !(PAGE - 1);
    let place = saved(context, libc::REG_RIP) as usize;
    let touch = touch(address, context);
    with_signals_blocked(|pages| {
        if !pages.is_guarded(page) {
            let now = (place, address, pages.openings);
            return STEP.with(|step| step.unexplained.replace(now)) != now;
        }
        if is_in_call() {
            pages.open_in_call(page);
            return true;
        }
        let violated = touch.and_then(|touch| Some((touch, pages.violated(touch.begin, touch.bytes, touch.is_store)?)));
        if let Some((touch, region)) = violated {
            let registers = Registers {
                // Readers take a place for where a call returns to, and look before it.
                place: place + 1,
                stack: saved(context, libc::REG_RSP) as usize,
                base: saved(context, libc::REG_RBP) as usize,
                base_at: 0,
            };
            keep(&region, touch, registers);
            pages.open(region.loan);
            return true;
        }
        if pages.let_through(page) {
            step(page, context);
        }
        true
    })
}

/// Whether the thread is inside a call of MPI. What happens there is not the program's doing.
pub fn is_in_call() -> bool {
    THREAD.with(|thread| thread.depth.get() > 0)
}

/// Which bytes the access is to.
fn touch(address: usize, context: &Context) -> Option<Touch> {
    let is_store = saved(context, libc::REG_ERR) & IS_STORE != 0;
    let place = saved(context, libc::REG_RIP) as usize;
    let bytes = instruction::bytes_of(place, address, |name| register_of(context, name));
    bytes.map(|(begin, bytes)| Touch { begin, bytes, is_store })
}

/// The page is to be closed again after the instruction.
fn step(page: usize, context: &mut Context) {
    STEP.with(|step| {
        let len = step.len.get();
        if len < PAGES_MAX {
            let mut pages = step.pages.get();
            pages[len] = page;
            step.pages.set(pages);
            step.len.set(len + 1);
        }
    });
    stop_after_one(context);
}

/// A page is opened for the system call that the thread is going to make.
pub fn give(pages: &mut Pages, page: usize) {
    STEP.with(|step| {
        let len = step.given_len.get();
        if len == PAGES_MAX {
            return pages.give_up(page, page + PAGE);
        }
        if pages.begin_visit(page, page + PAGE) {
            let mut given = step.given.get();
            given[len] = page;
            step.given.set(given);
            step.given_len.set(len + 1);
        }
    });
}

/// Has the thread stopped after the next instruction.
pub fn stop_after_one(context: &mut Context) {
    let flags = &mut context.uc_mcontext.gregs[libc::REG_EFL as usize];
    STEP.with(|step| {
        if !step.is_on.replace(true) {
            step.was_stopped.set(*flags & TRAP_FLAG != 0);
        }
    });
    *flags |= TRAP_FLAG;
}

/// SIGTRAP.
unsafe extern "C" fn stopped(signal: libc::c_int, information: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes it.
    let code = unsafe { (*information).si_code };
    let is_after_one = code == AFTER_ONE_INSTRUCTION;
    let was_on = is_after_one && STEP.with(|step| step.is_on.replace(false));
    // A signal may have come between, whose handler was stopped first: nobody else has this thread stopped, if the program does not handle it.
    let is_ours = is_after_one && (was_on || actions::is_default(signal));
    if !is_ours {
        // SAFETY: these are what the kernel has passed.
        return unsafe { actions::pass_on(signal, information, context) };
    }
    STEP.with(|step| {
        let len = step.len.replace(0);
        let pages = step.pages.get();
        let (given, given_len) = (step.given.get(), step.given_len.replace(0));
        with_signals_blocked(|table| {
            given[..given_len].iter().for_each(|&page| table.end_visit(page, page + PAGE));
            pages[..len].iter().for_each(|&page| table.close_again(page));
        });
        kernel::step_is_over();
        if was_on && step.was_stopped.get() {
            // SAFETY: as above.
            return unsafe { actions::pass_on(signal, information, context) };
        }
        // SAFETY: as above; it is this handler's alone.
        let context = unsafe { &mut *context.cast::<Context>() };
        context.uc_mcontext.gregs[libc::REG_EFL as usize] &= !TRAP_FLAG;
    });
}
