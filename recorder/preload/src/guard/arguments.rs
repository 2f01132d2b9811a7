//! Which memory a system call of the program is given. It need not be all that the kernel touches where nobody closes pages: what shares a page
//! with a buffer.

/// What is taken for the length of what an argument points to, if it is nothing that is known.
const SMALL: usize = 1024;
/// So many pieces of a vector are looked at.
const PIECES_MAX: usize = 1024;

/// Whether the kernel only reads memory.
type Reads = bool;

/// Tells `each` of the memory that a system call may touch: from, to.
///
/// # Safety
/// The arguments are what the program gives the kernel in this system call.
pub unsafe fn ranges(number: libc::c_long, a: [usize; 6], each: &mut dyn FnMut(usize, usize, Reads)) {
    let mut range = |begin: usize, bytes: usize, reads: Reads| {
        if begin != 0 && bytes != 0 {
            each(begin, begin.saturating_add(bytes), reads);
        }
    };
    match number {
        libc::SYS_write | libc::SYS_pwrite64 | libc::SYS_sendto => range(a[1], a[2], true),
        libc::SYS_read | libc::SYS_pread64 | libc::SYS_recvfrom | libc::SYS_getdents64 => range(a[1], a[2], false),
        libc::SYS_getrandom | libc::SYS_getcwd => range(a[0], a[1], false),
        // It is not read or written, but may be gone, or be somebody else's, or have another protection.
        libc::SYS_munmap | libc::SYS_mprotect | libc::SYS_madvise | libc::SYS_mremap | libc::SYS_mmap => range(a[0], a[1], false),
        libc::SYS_poll | libc::SYS_ppoll => range(a[0], a[1].saturating_mul(size_of::<libc::pollfd>()), false),
        libc::SYS_epoll_wait | libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => {
            range(a[1], a[2].saturating_mul(size_of::<libc::epoll_event>()), false);
        }
        libc::SYS_readv | libc::SYS_preadv | libc::SYS_preadv2 | libc::SYS_process_vm_readv => {
            // SAFETY: as the caller's.
            unsafe { pieces(a[1], a[2], false, &mut range) };
        }
        libc::SYS_writev | libc::SYS_pwritev | libc::SYS_pwritev2 | libc::SYS_process_vm_writev => {
            // SAFETY: as the caller's.
            unsafe { pieces(a[1], a[2], true, &mut range) };
        }
        // SAFETY: as the caller's.
        libc::SYS_sendmsg | libc::SYS_recvmsg => unsafe { message(a[1], number == libc::SYS_sendmsg, &mut range) },
        libc::SYS_sendmmsg | libc::SYS_recvmmsg | libc::SYS_io_submit | IO_URING_ENTER => range(1, usize::MAX, false),
        _ => {}
    }
    let is_mapping =
        matches!(number, libc::SYS_munmap | libc::SYS_mprotect | libc::SYS_madvise | libc::SYS_mremap | libc::SYS_mmap);
    if !is_mapping {
        a.into_iter()
            .filter(|&address| address > u32::MAX as usize || address > FIRST_ADDRESS)
            .for_each(|address| range(address, SMALL, false));
    }
}

/// No program has memory below this, and what is less is a number.
const FIRST_ADDRESS: usize = 1 << 16;
const IO_URING_ENTER: libc::c_long = 426;

/// # Safety
/// So many pieces of a vector lie there.
unsafe fn pieces(at: usize, count: usize, reads: Reads, range: &mut impl FnMut(usize, usize, Reads)) {
    let count = count.min(PIECES_MAX);
    range(at, count * size_of::<libc::iovec>(), true);
    for i in 0..count {
        // SAFETY: as the caller's.
        let piece = unsafe { (at as *const libc::iovec).add(i).read_unaligned() };
        range(piece.iov_base as usize, piece.iov_len, reads);
    }
}

/// # Safety
/// A message lies there, as sockets send and receive it.
unsafe fn message(at: usize, reads: Reads, range: &mut impl FnMut(usize, usize, Reads)) {
    range(at, size_of::<libc::msghdr>(), false);
    // SAFETY: as the caller's.
    let message = unsafe { (at as *const libc::msghdr).read_unaligned() };
    range(message.msg_name as usize, message.msg_namelen as usize, reads);
    range(message.msg_control as usize, message.msg_controllen, reads);
    // SAFETY: as the caller's.
    unsafe { pieces(message.msg_iov as usize, message.msg_iovlen, reads, range) };
}
