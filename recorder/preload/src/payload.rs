//! The data of a message: where it lies, and its digest.
//!
//! A digest is taken only of memory that the library itself has just read or written, on success, and only while no CUDA driver is
//! loaded: a pointer might be a device's then, and reading it would kill the program.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use traces::constant::COMM_SELF;
use traces::{Function, Kind, mpi};
use xxhash_rust::xxh3::xxh3_64;

use crate::abi::abi;
use crate::{loader, real};

/// A buffer as a call names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// Its address.
    pub address: usize,
    /// How many elements.
    pub count: i64,
    /// Bytes of data in an element.
    pub bytes: u64,
    /// Whether it has no holes.
    pub contiguous: bool,
    /// The native handle of its datatype, for packing.
    pub datatype: usize,
}

/// The digest of a buffer of which `bytes` are data, or all of it; 0 if it is not taken. `now` is in ticks.
pub fn digest(payload: &Payload, bytes: Option<u64>, limit: u64, now: u64) -> u64 {
    let all = u64::try_from(payload.count).unwrap_or(0).saturating_mul(payload.bytes);
    let bytes = bytes.unwrap_or(all).min(all);
    if bytes == 0 || bytes > limit || payload.address < 4096 || !is_host_memory(now) {
        return 0;
    }
    if payload.contiguous {
        // SAFETY: the library has read or written these bytes in the call that has just returned well, and they are host memory.
        let data = unsafe { std::slice::from_raw_parts(payload.address as *const u8, bytes as usize) };
        return xxh3_64(data);
    }
    let elements = bytes.checked_div(payload.bytes).unwrap_or(0);
    packed_digest(payload, elements, bytes)
}

/// MPI_Pack knows every datatype. What it writes is what the peer's MPI_Pack writes, on machines of one kind.
fn packed_digest(payload: &Payload, elements: u64, bytes: u64) -> u64 {
    // Room beyond the data for libraries that pack a header.
    let mut room = vec![0u8; bytes as usize + 64];
    let mut position = 0i32;
    // The communicator matters between machines of different kinds only.
    let Some(comm) = abi().native(Kind::Comm, COMM_SELF) else { return 0 };
    let arguments = [
        payload.address,
        elements as usize,
        payload.datatype,
        room.as_mut_ptr() as usize,
        room.len(),
        (&raw mut position) as usize,
        comm,
    ];
    // SAFETY: buffer and datatype are those of a call that has just returned well; `room` is as long as said.
    let code = unsafe { real::pmpi(mpi::PACK, arguments) };
    match (code, usize::try_from(position)) {
        (Some(0), Ok(len)) if len <= room.len() => xxh3_64(&room[..len]),
        _ => 0,
    }
}

/// Ticks between two looks at what is loaded: less than a millisecond. To load and initialise a CUDA driver takes many.
const LOOK_TICKS: u64 = 1 << 17;

/// Whether all memory is the host's, for all we know: no CUDA driver is loaded.
fn is_host_memory(now: u64) -> bool {
    static LOOKED: AtomicU64 = AtomicU64::new(0);
    static LOADS: AtomicU64 = AtomicU64::new(0);
    static CUDA: AtomicBool = AtomicBool::new(false);
    if now.wrapping_sub(LOOKED.load(Ordering::Relaxed)) > LOOK_TICKS {
        LOOKED.store(now, Ordering::Relaxed);
        let loads = loader::loads();
        if LOADS.swap(loads, Ordering::Relaxed) != loads {
            let cuda = loader::objects().iter().any(|o| o.name.to_bytes().windows(11).any(|w| w == b"libcuda.so."));
            CUDA.store(cuda, Ordering::Relaxed);
        }
    }
    !CUDA.load(Ordering::Relaxed)
}

/// The buffer of a point-to-point call, from its arguments: the parameters `buf`, `count`, `datatype` or those with this prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Position of the buffer.
    pub buffer: usize,
    /// Position of the count.
    pub count: usize,
    /// Position of the datatype.
    pub datatype: usize,
}

impl Places {
    /// Where `function` has its buffer: `side` is "send" or "recv" in calls that have both, else "".
    pub fn of(function: Function, side: &str) -> Option<Places> {
        let at = |name: &str| function.parameter(name);
        match side {
            "" => Some(Places { buffer: at("buf")?, count: at("count")?, datatype: at("datatype")? }),
            _ => Some(Places {
                buffer: at(&format!("{side}buf")).or_else(|| at("buf"))?,
                count: at(&format!("{side}count")).or_else(|| at("count"))?,
                datatype: at(&format!("{side}type")).or_else(|| at("datatype"))?,
            }),
        }
    }
}
