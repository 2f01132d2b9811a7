//! Which memory may be closed: private data that can be read and written, and on which neither the kernel nor a signal depends.
//!
//! Never closed are stacks, where the kernel puts down what a signal interrupts, and where the thread has its own things: the kernel
//! writes to these whenever it takes the processor away.

use std::sync::{Mutex, PoisonError};

use super::pages::PAGE;
use crate::process::clock;
use crate::readable;

/// So far around the thread's own control block nothing is closed.
const AROUND_THREAD: usize = 4 * PAGE;

/// Whether all of these pages may be closed.
pub fn may_be_closed(first: usize, over: usize) -> bool {
    let thread = thread_pointer();
    if first < thread + AROUND_THREAD && thread - AROUND_THREAD < over || is_signal_stack(first, over) {
        return false;
    }
    readable::is_heap_or_variable(first, over) || is_private_data(first, over)
}

/// Where the thread has its control block: what it holds first is its own address.
pub fn thread_pointer() -> usize {
    let address;
    // SAFETY: on this platform the first word of every thread's block can be read, and is its address.
    unsafe { std::arch::asm!("mov {}, fs:[0]", out(reg) address, options(nostack, readonly, preserves_flags)) };
    address
}

/// Whether signals of this thread are handled there.
fn is_signal_stack(first: usize, over: usize) -> bool {
    let mut stack = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: nothing is changed, and the address is that of a stack_t.
    let code = unsafe { libc::sigaltstack(std::ptr::null(), &raw mut stack) };
    let begin = stack.ss_sp as usize;
    code == 0 && stack.ss_flags & libc::SS_DISABLE == 0 && begin < over && first < begin + stack.ss_size
}

/// What the kernel has said of memory, for a short while: to ask takes it a tenth of a millisecond.
#[derive(Default)]
struct Known {
    /// Memory that may be closed: begin and end.
    ranges: Vec<(usize, usize)>,
    /// When that was so, in ticks.
    at: u64,
    /// How often it was used since.
    uses: u32,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { ranges: Vec::new(), at: 0, uses: 0 });
/// So long, in ticks, and so many times an answer is used: some hundredths of a second. What is mapped anew meanwhile, in the same place, is mostly the same kind of
/// memory; the stack of a new thread is not, and what is known is forgotten when there is one.
const TICKS_MAX: u64 = 1 << 24;
const USES_MAX: u32 = 256;

/// Memory may have become something else.
pub fn forget() {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).ranges.clear();
}

/// Whether the kernel says that all of this is such memory.
fn is_private_data(first: usize, over: usize) -> bool {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let now = clock::ticks();
    known.uses += 1;
    let is_fresh = now.wrapping_sub(known.at) < TICKS_MAX && known.uses < USES_MAX;
    if is_fresh && known.ranges.iter().any(|&(begin, end)| begin <= first && over <= end) {
        return true;
    }
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let is_one = may_be_closed_by(&maps, first, over);
    if !is_fresh || known.ranges.len() > RANGES_MAX {
        *known = Known { ranges: Vec::new(), at: now, uses: 0 };
    }
    if is_one {
        known.ranges.push((first, over));
    }
    is_one
}

/// So many ranges are remembered.
const RANGES_MAX: usize = 256;

/// A stack of a thread lies right above pages that nobody may touch.
fn may_be_closed_by(maps: &str, first: usize, over: usize) -> bool {
    let mut at = first;
    let mut below: Option<(usize, bool)> = None;
    for line in maps.lines() {
        let Some((begin, end, rest)) = parsed(line) else { continue };
        let is_above_closed = below.is_some_and(|(end, is_closed)| end == begin && is_closed);
        // Pages of ours are closed, too, and are no end of a stack.
        below = Some((end, rest.starts_with("---p")));
        if end <= at {
            continue;
        }
        let is_data = rest.starts_with("rw-p") && !rest.contains("[stack") && !rest.contains("[vvar");
        if begin > at || !is_data || is_above_closed {
            return false;
        }
        at = end;
        if at >= over {
            return true;
        }
    }
    false
}

/// Begin, end, and what else there is in a line.
fn parsed(line: &str) -> Option<(usize, usize, &str)> {
    let (range, rest) = line.split_once(' ')?;
    let (begin, end) = range.split_once('-')?;
    Some((usize::from_str_radix(begin, 16).ok()?, usize::from_str_radix(end, 16).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
10000-20000 r--p 00000000 08:01 1 /bin/program
20000-30000 rw-p 00010000 08:01 1 /bin/program
30000-50000 rw-p 00000000 00:00 0
60000-70000 ---p 00000000 00:00 0
70000-90000 rw-p 00000000 00:00 0
a0000-b0000 rw-s 00000000 00:01 7 /dev/shm/segment
c0000-e0000 rw-p 00000000 00:00 0 [stack]
";

    #[test]
    fn private_data_may_be_closed_and_nothing_else() {
        for (first, over, expected) in [
            (0x2f000, 0x31000, true),
            (0x1f000, 0x21000, false),
            (0x4f000, 0x51000, false),
            (0x80000, 0x81000, false),
            (0xa1000, 0xa2000, false),
            (0xd0000, 0xd1000, false),
            (0xf0000, 0xf1000, false),
        ] {
            assert_eq!(may_be_closed_by(MAPS, first, over), expected, "{first:x}");
        }
    }

    #[test]
    fn a_thread_keeps_its_own() {
        let block = thread_pointer() & !(PAGE - 1);
        let on_stack = 0u8;
        let stack = (&raw const on_stack) as usize & !(PAGE - 1);
        assert!(!may_be_closed(block, block + PAGE) && !may_be_closed(stack, stack + PAGE));
        let large = vec![0u8; 4 << 20];
        let begin = (large.as_ptr() as usize).next_multiple_of(PAGE);
        assert!(may_be_closed(begin, begin + (3 << 20)));
    }
}
