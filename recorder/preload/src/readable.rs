//! Whether memory can be read.
//!
//! A program may give back a buffer before the request completes that uses it. That is wrong, and may do no harm: the library has been
//! done with the buffer for long. Looking at it here must do none either. Most buffers lie where memory is never taken away: on the heap below the
//! break, among the program's variables, on the stack in use. Of others the kernel is asked, page by page: 80 ns each.

use std::cell::Cell;
use std::sync::OnceLock;

use crate::{guard, loader};

/// Bytes of the smallest page; the first one is nobody's.
pub const PAGE: usize = 4096;

/// Memory that stays where it is.
struct Lasting {
    /// Where the heap begins; it ends at the break.
    heap: usize,
    /// Where the C library keeps the break; 0 if it is not known. Who asks by sbrk(0) may find a tool of the MPI library that does much more.
    the_break: usize,
    /// The program's variables: begin and end.
    variables: Vec<(usize, usize)>,
    /// Whether the kernel tells what can be read.
    can_ask: bool,
}

static LASTING: OnceLock<Lasting> = OnceLock::new();

thread_local! {
    /// The stack of this thread: begin and end; not known if they are equal.
    static STACK: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// Looks where things are, before the first call is recorded.
pub fn look_at(objects: &[loader::Object]) {
    LASTING.get_or_init(|| {
        // The program itself comes first.
        let program = objects.first();
        let is_variable = |h: &&libc::Elf64_Phdr| h.p_type == libc::PT_LOAD && h.p_flags & libc::PF_W != 0;
        let range = |o: &loader::Object, h: &libc::Elf64_Phdr| {
            let begin = o.base + h.p_vaddr as usize;
            (begin, begin + h.p_memsz as usize)
        };
        let variables = program.iter().flat_map(|o| o.program_headers().iter().filter(is_variable).map(|h| range(o, h)));
        // The first page is nobody's: what is said to be readable there is said without looking.
        let the_break = loader::program_symbol(c"__curbrk").unwrap_or(0);
        Lasting { heap: heap(), the_break, variables: variables.collect(), can_ask: !is_page_readable(16) }
    });
}

/// Where the heap begins.
fn heap() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let line = maps.lines().find(|line| line.ends_with("[heap]"));
    let begin = line.and_then(|line| usize::from_str_radix(line.split('-').next()?, 16).ok());
    // Where there is none yet, memory of it is asked for as any other.
    begin.unwrap_or(usize::MAX)
}

impl Lasting {
    /// Whether these addresses are below the break.
    #[inline]
    fn is_on_heap(&self, address: usize, end: usize) -> bool {
        if address < self.heap || self.the_break == 0 {
            return false;
        }
        // SAFETY: it is the address of a pointer of the C library, which other threads may write to.
        let the_break = unsafe { (self.the_break as *const usize).read_volatile() };
        end <= the_break
    }
}

/// Whether memory is the heap's below the break, or the program's variables.
#[cfg(target_arch = "x86_64")]
pub fn is_heap_or_variable(begin: usize, end: usize) -> bool {
    let within = |&(first, over): &(usize, usize)| begin >= first && end <= over;
    LASTING.get().is_some_and(|lasting| lasting.is_on_heap(begin, end) || lasting.variables.iter().any(within))
}

/// The last page that was found to be readable in the call at hand, so that it need not be looked at again.
#[derive(Debug, Default)]
pub struct Asked(usize);

impl Asked {
    /// A new call begins.
    #[inline]
    pub fn forget(&mut self) {
        self.0 = 0;
    }

    /// Whether the bytes can be read.
    #[inline]
    pub fn is_readable(&mut self, address: usize, len: usize) -> bool {
        let Some(lasting) = LASTING.get() else { return false };
        let Some(end) = address.checked_add(len).filter(|_| address >= PAGE) else { return false };
        let page = address & !(PAGE - 1);
        if page == self.0 && end - page <= PAGE {
            return true;
        }
        let within = |&(begin, over): &(usize, usize)| address >= begin && end <= over;
        let is_lasting = lasting.is_on_heap(address, end) || lasting.variables.iter().any(within) || is_on_stack(address, end);
        let is_readable = is_lasting || (lasting.can_ask && self.ask(page, end));
        // Pages can be read as a whole or not at all.
        if is_readable {
            self.0 = page;
        }
        is_readable
    }

    fn ask(&self, first: usize, end: usize) -> bool {
        (first..end).step_by(PAGE).all(|page| page == self.0 || is_page_readable(page) || guard::is_closed(page))
    }
}

/// Whether memory is on this thread's stack, where it is in use.
fn is_on_stack(address: usize, end: usize) -> bool {
    let marker = 0u8;
    let here = (&raw const marker) as usize;
    let (low, high) = STACK.get().unwrap_or_else(|| {
        let stack = stack_of_this_thread().unwrap_or_default();
        STACK.set(Some(stack));
        stack
    });
    // A coroutine's stack lies elsewhere.
    low <= here && here <= address && end <= high
}

fn stack_of_this_thread() -> Option<(usize, usize)> {
    // SAFETY: the attributes are made by the first call, read by the second, and destroyed by the last.
    unsafe {
        let mut attributes = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return None;
        }
        let (mut begin, mut bytes) = (std::ptr::null_mut(), 0);
        let code = libc::pthread_attr_getstack(&raw const attributes, &raw mut begin, &raw mut bytes);
        libc::pthread_attr_destroy(&raw mut attributes);
        (code == 0).then_some((begin as usize, begin as usize + bytes))
    }
}

/// Asks the kernel to take a set of signals from there, for a purpose that there is not: it refuses the purpose, or finds that it cannot read.
fn is_page_readable(page: usize) -> bool {
    const NO_PURPOSE: libc::c_long = -1;
    const SET_BYTES: libc::c_long = 8;
    // SAFETY: the kernel checks the address, and changes nothing.
    unsafe {
        let code = libc::syscall(libc::SYS_rt_sigprocmask, NO_PURPOSE, page, 0usize, SET_BYTES);
        code == -1 && *libc::__errno_location() == libc::EINVAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_readable(address: usize, len: usize) -> bool {
        look_at(&loader::objects());
        Asked::default().is_readable(address, len)
    }

    #[test]
    fn what_is_there_can_be_read_and_what_is_gone_cannot() {
        static VARIABLE: [u8; 100] = [1; 100];
        let on_stack = [0u8; 100];
        let on_heap = vec![0u8; 100];
        let large = vec![0u8; 64 << 20];
        for bytes in [&VARIABLE[..], &on_stack, &on_heap, &large] {
            assert!(is_readable(bytes.as_ptr() as usize, bytes.len()));
        }
        let (address, len) = (large.as_ptr() as usize, large.len());
        drop(large);
        assert!(!is_readable(address, len), "glibc gives so large a piece back at once");
        assert!(!is_readable(8, 8) && !is_readable(usize::MAX - 8, 16));
    }

    #[test]
    fn every_page_counts() {
        let bytes = 4 * PAGE;
        // SAFETY: a mapping of this test's own, of which it takes away the third page.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let begin = libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ, flags, -1, 0) as usize;
            assert!(is_readable(begin, bytes));
            libc::munmap((begin + 2 * PAGE) as *mut libc::c_void, PAGE);
            assert!(!is_readable(begin, bytes) && is_readable(begin, 2 * PAGE));
            libc::munmap(begin as *mut libc::c_void, bytes);
        }
    }
}
