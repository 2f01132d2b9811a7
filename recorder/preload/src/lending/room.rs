//! Memory that the library gets in place of the program's, on pages that nothing else lies on.
//!
//! What the program has beside its buffers may be on pages that are closed (`guard`); what is here never is, so that a signal handler may
//! read it.

use std::ptr;
use std::sync::{LazyLock, Mutex, PoisonError};

/// The smallest room.
const LEAST: usize = 128;
/// Rooms up to this are cut from larger pieces,
const SMALL: usize = 64 << 10;
/// which have so many bytes.
const SLAB: usize = 1 << 20;
/// Larger ones are given back to the system, and not kept to be used again.
const KEPT: usize = 16 << 20;
/// Rooms begin as far from a multiple of this as what they stand for: libraries choose their way to copy by it.
const ALIGNMENT: usize = 64;

/// A piece of memory.
#[derive(Debug)]
pub struct Room {
    begin: usize,
    bytes: usize,
    /// Where what it stands for begins.
    at: usize,
    len: usize,
}

/// Rooms that are not in use.
#[derive(Default)]
struct Pool {
    /// By the binary logarithm of their size.
    free: [Vec<usize>; KEPT.ilog2() as usize + 1],
    slab: usize,
    left: usize,
}

static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);

impl Room {
    /// Room for `len` bytes that stand for those at `address`; None if there is no memory. It holds whatever was there before.
    pub fn new(address: usize, len: usize) -> Option<Room> {
        let bytes = len.checked_add(ALIGNMENT)?.checked_next_power_of_two()?.max(LEAST);
        let begin = if bytes <= KEPT { POOL.lock().unwrap_or_else(PoisonError::into_inner).take(bytes)? } else { map(bytes)? };
        Some(Room { begin, bytes, at: begin + address % ALIGNMENT, len })
    }

    /// Its address.
    pub fn address(&self) -> usize {
        self.at
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `new` has made sure that there are so many, and zero or written before.
        unsafe { std::slice::from_raw_parts(self.at as *const u8, self.len) }
    }

    /// Its bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and it is borrowed by nobody else of ours.
        unsafe { std::slice::from_raw_parts_mut(self.at as *mut u8, self.len) }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.bytes <= KEPT {
            POOL.lock().unwrap_or_else(PoisonError::into_inner).free[self.bytes.ilog2() as usize].push(self.begin);
        } else {
            // SAFETY: `new` has mapped it, and nobody uses it any more.
            unsafe { libc::munmap(self.begin as *mut libc::c_void, self.bytes) };
        }
    }
}

impl Pool {
    fn take(&mut self, bytes: usize) -> Option<usize> {
        if let Some(begin) = self.free[bytes.ilog2() as usize].pop() {
            return Some(begin);
        }
        if bytes > SMALL {
            return map(bytes);
        }
        if self.left < bytes {
            (self.slab, self.left) = (map(SLAB)?, SLAB);
        }
        self.left -= bytes;
        Some(self.slab + self.left)
    }
}

/// Fresh memory, all zero.
fn map(bytes: usize) -> Option<usize> {
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the kernel chooses the place.
    let address = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) };
    (address != libc::MAP_FAILED).then_some(address as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_in_use_are_apart_and_as_aligned_as_what_they_stand_for() {
        let lengths = [1usize, 60, 64, 100, 5000, 70_000, 1 << 20, 20 << 20];
        for round in 0..3 {
            let mut rooms: Vec<(usize, Room)> =
                lengths.iter().map(|&len| (len, Room::new(0x1008 + len, len).expect("there is memory"))).collect();
            for (i, (len, room)) in rooms.iter_mut().enumerate() {
                assert_eq!((room.address() % ALIGNMENT, room.bytes().len()), ((0x1008 + *len) % ALIGNMENT, *len));
                room.bytes_mut().fill(i as u8 + round);
            }
            for (i, (_, room)) in rooms.iter().enumerate() {
                assert!(room.bytes().iter().all(|&byte| byte == i as u8 + round));
            }
        }
    }
}
