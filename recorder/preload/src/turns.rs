//! Taking turns at what the threads of the process share.
//!
//! Most processes call MPI from one thread only, and there the atomic exchange of a lock would cost more than all that is done under it. As
//! long as there is one such thread, it only notes that it is at work. Another one, before its first turn, ends that for good: it has the
//! kernel pass a memory barrier to all running threads, and waits until the lone one is not at work. After the barrier each sees what
//! the other has written, so that from then on all of them exchange.

use std::sync::atomic::{AtomicBool, Ordering, compiler_fence};

/// Whether only one thread takes turns.
static IS_ALONE: AtomicBool = AtomicBool::new(false);
/// Whether that thread is at work.
static AT_WORK: AtomicBool = AtomicBool::new(false);
/// Whether one of several threads is at work.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// A turn: as long as it lives no other thread has one.
pub struct Turn {
    of: &'static AtomicBool,
}

impl Drop for Turn {
    #[inline]
    fn drop(&mut self) {
        self.of.store(false, Ordering::Release);
    }
}

/// The process begins to be recorded: no thread has taken a turn yet.
pub fn begin() {
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
    IS_ALONE.store(barrier(REGISTER_PRIVATE_EXPEDITED), Ordering::SeqCst);
}

/// A second thread, or a further one, is going to take turns.
pub fn join() {
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    IS_ALONE.store(false, Ordering::SeqCst);
    // Where there is no such call no thread was ever alone.
    barrier(PRIVATE_EXPEDITED);
    while AT_WORK.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
}

/// The system call `membarrier`; false if the kernel does not have it, or does not let us.
fn barrier(command: libc::c_int) -> bool {
    // SAFETY: the call touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// A turn, if nobody has one, this thread included.
#[inline]
pub fn take() -> Option<Turn> {
    if IS_ALONE.load(Ordering::Relaxed) {
        if AT_WORK.load(Ordering::Relaxed) {
            return None;
        }
        AT_WORK.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        let turn = Turn { of: &AT_WORK };
        if IS_ALONE.load(Ordering::Acquire) {
            return Some(turn);
        }
    }
    let is_free = TAKEN.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
    is_free.then_some(Turn { of: &TAKEN })
}
