//! Threads that the program starts: each is seen from its first step, if anything is to be guarded.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use recorder::settings::{GUARD, is_true};

use super::{kernel, memory};
use crate::dlsym;

type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(*mut libc::pthread_t, *const libc::pthread_attr_t, Start, *mut c_void) -> libc::c_int;

/// What a thread is to do, until it does.
struct Order {
    start: Start,
    argument: *mut c_void,
}

/// `pthread_create` as the program calls it.
///
/// # Safety
/// As pthread_create.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> libc::c_int {
    let Some(create) = create() else { return libc::EAGAIN };
    if !is_wanted() {
        // SAFETY: as the caller's.
        return unsafe { create(thread, attributes, start, argument) };
    }
    memory::forget();
    let order = Box::into_raw(Box::new(Order { start, argument }));
    // SAFETY: as the caller's; the order is the new thread's.
    let code = unsafe { create(thread, attributes, begin, order.cast()) };
    if code != 0 {
        // SAFETY: there is no thread that has it.
        drop(unsafe { Box::from_raw(order) });
    }
    code
}

/// The first step of a thread.
unsafe extern "C-unwind" fn begin(order: *mut c_void) -> *mut c_void {
    // SAFETY: it was made for this thread.
    let Order { start, argument } = *unsafe { Box::from_raw(order.cast::<Order>()) };
    kernel::see_this_thread();
    // SAFETY: as the caller of pthread_create has it.
    unsafe { start(argument) }
}

/// The C library's own.
fn create() -> Option<Create> {
    static REAL: AtomicUsize = AtomicUsize::new(0);
    let known = match REAL.load(Ordering::Relaxed) {
        0 => dlsym::real(libc::RTLD_NEXT as usize, c"pthread_create"),
        known => known,
    };
    REAL.store(known, Ordering::Relaxed);
    // SAFETY: it is the address of this function.
    (known != 0).then(|| unsafe { std::mem::transmute::<usize, Create>(known) })
}

/// Whether the program was started to be guarded. This may be asked before anything is recorded.
fn is_wanted() -> bool {
    const UNKNOWN: u8 = 0;
    const NO: u8 = 1;
    const YES: u8 = 2;
    static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);
    match ANSWER.load(Ordering::Relaxed) {
        UNKNOWN => {
            let is_wanted = std::env::var(GUARD.variable).is_ok_and(|text| is_true(&text));
            ANSWER.store(if is_wanted { YES } else { NO }, Ordering::Relaxed);
            is_wanted
        }
        answer => answer == YES,
    }
}
