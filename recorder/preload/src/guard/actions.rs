//! Who handles the signals that guarding needs: this library before the program, which does not notice.
//!
//! What the program sets with `sigaction` or `signal` for one of them is noted here, and told when it asks; the kernel knows our handlers. What is
//! not ours happens as the program has it. As long as nothing is guarded both functions are those of the C library.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use super::kernel::{self, system_call};
use super::pages::mask_signals;

/// The signals that are taken.
pub const SIGNALS: [libc::c_int; 3] = [libc::SIGSEGV, libc::SIGTRAP, libc::SIGSYS];

/// A handler that is told all.
pub type Handler = unsafe extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// What the program wants done about a signal.
struct Wanted {
    is_taken: AtomicBool,
    is_in_use: AtomicBool,
    action: UnsafeCell<MaybeUninit<libc::sigaction>>,
}

// SAFETY: whoever uses the cell has set `is_in_use`.
unsafe impl Sync for Wanted {}

static WANTED: [Wanted; SIGNALS.len()] = [const {
    Wanted { is_taken: AtomicBool::new(false), is_in_use: AtomicBool::new(false), action: UnsafeCell::new(MaybeUninit::zeroed()) }
}; SIGNALS.len()];

unsafe extern "C" {
    /// The C library's own, under the name that nobody interposes.
    fn __sigaction(signal: libc::c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> libc::c_int;
    /// The C library's `signal`, likewise.
    fn ssignal(signal: libc::c_int, handler: libc::sighandler_t) -> libc::sighandler_t;
}

impl Wanted {
    fn of(signal: libc::c_int) -> Option<&'static Wanted> {
        let at = SIGNALS.iter().position(|taken| *taken == signal)?;
        WANTED.get(at).filter(|wanted| wanted.is_taken.load(Ordering::Acquire))
    }

    /// Puts an action in its place, if there is one, and gives what was there.
    fn exchange(&self, new: Option<libc::sigaction>) -> libc::sigaction {
        while self.is_in_use.swap(true, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        // SAFETY: nobody else uses it, and all zero is an action: the default.
        let old = unsafe { (*self.action.get()).assume_init() };
        if let Some(new) = new {
            // SAFETY: as above.
            unsafe { (*self.action.get()).write(new) };
        }
        self.is_in_use.store(false, Ordering::Release);
        old
    }
}

/// An action as the kernel has it.
#[repr(C)]
struct KernelAction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

/// The flag that says that there is a restorer.
const HAS_RESTORER: u64 = 0x0400_0000;

/// Sets the handler of a signal. It is called with all signals blocked, on the stack that the program has for signals, if it has.
pub fn take(signal: libc::c_int, handler: Handler) {
    let Some(at) = SIGNALS.iter().position(|taken| *taken == signal) else { return };
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the address is that of an action.
    let code = unsafe { __sigaction(signal, std::ptr::null(), old.as_mut_ptr()) };
    if code == 0 {
        // SAFETY: it was filled, and was zero before.
        WANTED[at].exchange(Some(unsafe { old.assume_init() }));
    }
    WANTED[at].is_taken.store(true, Ordering::Release);
    let flags = (libc::SA_SIGINFO | libc::SA_ONSTACK) as u64 | HAS_RESTORER;
    let action =
        KernelAction { handler: handler as usize, flags, restorer: kernel::restorer as *const () as usize, mask: u64::MAX };
    set(signal, &action);
}

fn set(signal: libc::c_int, action: &KernelAction) {
    // SAFETY: the action is as the kernel wants it, with a mask of eight bytes.
    unsafe {
        system_call(libc::SYS_rt_sigaction, [signal as usize, std::ptr::from_ref(action) as usize, 0, 8, 0, 0]);
    }
}

/// Sees to it that the handlers that the program has set block none of our signals.
pub fn let_through_in_handlers() {
    for signal in (1..=libc::SIGRTMAX()).filter(|signal| !SIGNALS.contains(signal)) {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: the address is that of an action, which is filled if there is such a signal, and was zero before.
        unsafe {
            if __sigaction(signal, std::ptr::null(), action.as_mut_ptr()) != 0 {
                continue;
            }
            let action = action.assume_init();
            let changed = without_ours(&action);
            if action.sa_sigaction > libc::SIG_IGN && blocks_ours(&action) {
                __sigaction(signal, &raw const changed, std::ptr::null_mut());
            }
        }
    }
}

fn blocks_ours(action: &libc::sigaction) -> bool {
    // SAFETY: it is the action's own set.
    SIGNALS.iter().any(|&ours| unsafe { libc::sigismember(&raw const action.sa_mask, ours) } == 1)
}

fn without_ours(action: &libc::sigaction) -> libc::sigaction {
    let mut changed = *action;
    // SAFETY: it is the action's own set.
    SIGNALS.iter().for_each(|&ours| unsafe { _ = libc::sigdelset(&raw mut changed.sa_mask, ours) });
    changed
}

/// Whether the program has no handler for a signal.
pub fn is_default(signal: libc::c_int) -> bool {
    Wanted::of(signal).is_some_and(|wanted| wanted.exchange(None).sa_sigaction == libc::SIG_DFL)
}

/// A signal that is not ours: what the program wants is done.
///
/// # Safety
/// The arguments are what the kernel has passed to the handler of this signal.
pub unsafe fn pass_on(signal: libc::c_int, information: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(wanted) = Wanted::of(signal) else { return };
    let action = wanted.exchange(None);
    // SAFETY: as the caller's.
    let was_sent = unsafe { (*information).si_code } <= 0;
    match action.sa_sigaction {
        libc::SIG_IGN if was_sent => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // The instruction is made again, and has the effect that it has without us.
            set(signal, &KernelAction { handler: libc::SIG_DFL, flags: 0, restorer: 0, mask: 0 });
            if was_sent || signal == libc::SIGTRAP {
                // SAFETY: the signal is blocked until this handler returns.
                unsafe {
                    let process = system_call(libc::SYS_getpid, [0; 6]) as usize;
                    let thread = system_call(libc::SYS_gettid, [0; 6]) as usize;
                    system_call(libc::SYS_tgkill, [process, thread, signal as usize, 0, 0, 0]);
                }
            }
        }
        // SAFETY: as the caller's, and the action is the program's.
        _ => unsafe { call(signal, &action, wanted, information, context) },
    }
}

/// Calls the handler of the program, with the signals blocked that it wants blocked. It may never return.
///
/// # Safety
/// As [`pass_on`].
unsafe fn call(
    signal: libc::c_int,
    action: &libc::sigaction,
    wanted: &Wanted,
    information: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let has = |flag: libc::c_int| action.sa_flags & flag != 0;
    if has(libc::SA_RESETHAND) {
        // SAFETY: all zero is an action: the default.
        wanted.exchange(Some(unsafe { std::mem::zeroed() }));
    }
    // SAFETY: the saved mask is a set; what is blocked in the handler is that, what the action says, and the signal itself.
    unsafe {
        let mut mask = (*context.cast::<libc::ucontext_t>()).uc_sigmask;
        let own = (&raw mut mask).cast::<u64>();
        own.write(own.read() | (&raw const action.sa_mask).cast::<u64>().read());
        if !has(libc::SA_NODEFER) {
            libc::sigaddset(&raw mut mask, signal);
        }
        // The others are ours as before.
        SIGNALS.iter().filter(|ours| **ours != signal).for_each(|&ours| _ = libc::sigdelset(&raw mut mask, ours));
        mask_signals(libc::SIG_SETMASK, own as usize, 0);
    }
    let handler = action.sa_sigaction;
    // SAFETY: it is the program's handler of this signal, with the arguments that its flags ask for.
    unsafe {
        if has(libc::SA_SIGINFO) {
            let handler: Handler = std::mem::transmute(handler);
            handler(signal, information, context);
        } else {
            let handler: unsafe extern "C" fn(libc::c_int) = std::mem::transmute(handler);
            handler(signal);
        }
    }
}

/// `sigaction` as the program calls it.
///
/// # Safety
/// As sigaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigaction(signal: libc::c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> libc::c_int {
    let Some(wanted) = Wanted::of(signal) else {
        // SAFETY: as the caller's.
        return unsafe {
            match new.as_ref().filter(|_| super::is_on()).map(without_ours) {
                Some(changed) => __sigaction(signal, &raw const changed, old),
                None => __sigaction(signal, new, old),
            }
        };
    };
    // SAFETY: as the caller's: each is null, or the address of an action.
    unsafe {
        let before = wanted.exchange(new.as_ref().copied());
        if let Some(old) = old.as_mut() {
            *old = before;
        }
    }
    0
}

/// `signal` as the program calls it: as BSD has it, which the C library follows.
///
/// # Safety
/// As signal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn signal(signal: libc::c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    let Some(wanted) = Wanted::of(signal) else {
        // SAFETY: as the caller's.
        return unsafe { ssignal(signal, handler) };
    };
    // SAFETY: all zero is an action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: it is the action's own set.
    unsafe { libc::sigaddset(&raw mut action.sa_mask, signal) };
    wanted.exchange(Some(action)).sa_sigaction
}
