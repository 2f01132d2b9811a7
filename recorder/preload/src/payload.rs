//! The data of messages: where it lies, and its digest.
//!
//! Only memory is read that the library itself has just read or written, on success, or that was looked at whether it can be read; and
//! only while no CUDA driver is loaded: a pointer might be a device's then, and reading it would kill the program.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use traces::constant::COMM_SELF;
use traces::payload::{Keep, WHOLE_MAX, covered, sampled_digest, whole_digest};
use traces::{Kind, mpi};
use xxhash_rust::xxh3::Xxh3;

use crate::abi::abi;
use crate::readable::{Asked, PAGE};
use crate::{handles, loader, process, real};

/// How the data of a buffer lies. This takes a word like all else in a [`Payload`]: where the compiler leaves gaps it copies these too, in pieces
/// that overlap, and a processor waits for each piece that it reads otherwise than it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u64)]
pub enum Arrangement {
    /// With holes in it, or nobody knows.
    #[default]
    Scattered,
    /// Without holes.
    Contiguous,
}

/// A buffer as a call names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// Its address.
    pub address: usize,
    /// How many elements.
    pub count: i64,
    /// Bytes of data in an element.
    pub bytes: u64,
    /// How its data lies.
    pub arrangement: Arrangement,
    /// The native handle of its datatype, for packing, and its number: the handle may be another's when it is needed.
    pub datatype: (usize, i64),
}

impl Payload {
    /// Whether it has no holes.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.arrangement == Arrangement::Contiguous
    }
}

impl Payload {
    /// Bytes of data.
    #[inline]
    pub fn len(&self) -> u64 {
        u64::try_from(self.count).unwrap_or(0).saturating_mul(self.bytes)
    }
}

/// How many bytes of blocks are data, where a status may say so.
#[inline]
pub fn len_of(blocks: &[Payload], bytes: Option<u64>) -> u64 {
    let all = blocks.iter().fold(0, |sum: u64, block| sum.saturating_add(block.len()));
    bytes.unwrap_or(all).min(all)
}

/// Since when the library has been using a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The call that has just returned: the buffer is there.
    Now,
    /// An earlier call, or one that is to come: the buffer may not be there.
    Earlier,
}

/// How much is taken of data, and when.
#[derive(Clone, Copy, Debug)]
pub struct Taking {
    /// How much.
    pub keep: Keep,
    /// The present, in ticks.
    pub now: u64,
}

/// The largest element with holes that is packed for a sample.
const SAMPLED_ELEMENT_MAX: u64 = 256 << 10;
/// The largest element with holes that is packed at all. MPI_Pack counts bytes in an int.
const ELEMENT_MAX: u64 = 1 << 30;
/// So many bytes are packed at a time, or one element.
const PACK: u64 = 1 << 20;

/// Reads contents, and takes their digests.
#[derive(Debug, Default)]
pub struct Digester {
    /// What a digest covers, if it lies in several places.
    sample: Vec<u8>,
    packed: Packed,
    asked: Asked,
}

/// Elements with holes, packed.
#[derive(Debug, Default)]
struct Packed {
    room: Vec<u8>,
    /// Which they are: the address of the first, and how many.
    of: (usize, u64),
}

impl Digester {
    /// A new call begins: what was known of memory may have changed.
    #[inline]
    pub fn begin_call(&mut self) {
        self.asked.forget();
        self.packed.of = (0, 0);
    }

    /// The digest of blocks, one after the other, of which `bytes` are data, or all of it; 0 if it is not taken.
    #[inline]
    pub fn digest(&mut self, blocks: &[Payload], bytes: Option<u64>, since: Since, taking: Taking) -> u64 {
        let len = len_of(blocks, bytes);
        if len == 0 || taking.keep == Keep::None || !is_host_memory(taking.now) {
            return 0;
        }
        match blocks {
            [block] if block.is_contiguous() && (len <= WHOLE_MAX || taking.keep == Keep::Full) => {
                self.bytes_at(block.address, len, since).map_or(0, whole_digest)
            }
            _ if taking.keep == Keep::Full => self.streamed(blocks, len, since).unwrap_or(0),
            _ => self.sampled(blocks, len, since).unwrap_or(0),
        }
    }

    /// Contiguous bytes, if they are there.
    #[inline]
    fn bytes_at<'a>(&mut self, address: usize, len: u64, since: Since) -> Option<&'a [u8]> {
        let len = usize::try_from(len).ok()?;
        if address < PAGE || (since == Since::Earlier && !self.asked.is_readable(address, len)) {
            return None;
        }
        // SAFETY: the library has read or written these bytes in the call that has just returned well, or they can be read.
        Some(unsafe { std::slice::from_raw_parts(address as *const u8, len) })
    }

    #[cold]
    fn sampled(&mut self, blocks: &[Payload], len: u64, since: Since) -> Option<u64> {
        let mut sample = std::mem::take(&mut self.sample);
        sample.clear();
        let parts = covered(len);
        let is_whole = parts.map(|part| self.read(blocks, part, since, &mut |bytes| sample.extend_from_slice(bytes)));
        let digest = is_whole.into_iter().all(|part| part.is_some()).then(|| sampled_digest(&mut sample, len));
        self.sample = sample;
        digest
    }

    #[cold]
    fn streamed(&mut self, blocks: &[Payload], len: u64, since: Since) -> Option<u64> {
        let mut hasher = Xxh3::new();
        self.read(blocks, 0..len, since, &mut |bytes| hasher.update(bytes))?;
        Some(hasher.digest())
    }

    /// Gives `each` the bytes of a part of a content, in their order; None if they are not there.
    pub fn read(&mut self, blocks: &[Payload], part: Range<u64>, since: Since, each: &mut dyn FnMut(&[u8])) -> Option<()> {
        let mut begin = 0;
        for block in blocks {
            let end = begin + block.len();
            let own = part.start.clamp(begin, end) - begin..part.end.clamp(begin, end) - begin;
            begin = end;
            if own.is_empty() {
                continue;
            }
            if block.is_contiguous() {
                each(self.bytes_at(block.address + own.start as usize, own.end - own.start, since)?);
            } else {
                self.read_packed(block, own, since, part.end - part.start <= WHOLE_MAX, each)?;
            }
        }
        Some(())
    }

    fn read_packed(
        &mut self,
        block: &Payload,
        part: Range<u64>,
        since: Since,
        is_sample: bool,
        each: &mut dyn FnMut(&[u8]),
    ) -> Option<()> {
        if block.bytes > if is_sample { SAMPLED_ELEMENT_MAX } else { ELEMENT_MAX } {
            return None;
        }
        if block.address == 0 && !packs_from_bottom() {
            return None;
        }
        let (handle, number) = block.datatype;
        // A datatype may be freed while operations go on that use it, and its handle be another's then.
        let layout = handles::with(|h| h.datatype(handle as u64)).filter(|datatype| datatype.id == number)?.layout;
        let step = (PACK / block.bytes).max(1);
        let mut at = part.start;
        while at < part.end {
            let first = at / block.bytes;
            let elements = step.min(part.end.div_ceil(block.bytes) - first);
            let address = block.address.wrapping_add_signed(first as isize * layout.extent as isize);
            if since == Since::Earlier && !self.spans_memory(address, elements, layout) {
                return None;
            }
            let packed = self.packed.pack(address, elements, block)?;
            let over = part.end.min((first + elements) * block.bytes);
            each(&packed[(at - first * block.bytes) as usize..(over - first * block.bytes) as usize]);
            at = over;
        }
        Some(())
    }

    /// Whether elements with holes lie in memory that can be read. Of many pages, the first and the last are looked at.
    fn spans_memory(&mut self, address: usize, elements: u64, layout: Layout) -> bool {
        const LOOKED_AT: usize = 64 << 10;
        let begin = address.wrapping_add_signed(layout.true_low as isize);
        let last = (elements as isize - 1) * layout.extent as isize;
        let (begin, len) = (begin.min(begin.wrapping_add_signed(last)), last.unsigned_abs() + layout.true_extent as usize);
        if len <= LOOKED_AT {
            return self.asked.is_readable(begin, len);
        }
        self.asked.is_readable(begin, 1) && self.asked.is_readable(begin.wrapping_add(len - 1), 1)
    }
}

/// Whether the library packs what a datatype says where it is (MPI_BOTTOM). Old ones of MPICH take that for an error, which ends the program, and
/// so may those that were made from them.
fn packs_from_bottom() -> bool {
    static DOES: OnceLock<bool> = OnceLock::new();
    let known = |library: &str| {
        let is_known = ["Open MPI", "Intel(R) MPI"].iter().any(|name| library.starts_with(name));
        is_known || process::mpich_version(library).is_some_and(|version| version >= (4, 1))
    };
    *DOES.get_or_init(|| process::recording().is_some_and(|process| known(&process.record.library)))
}

/// Where the bytes of an element lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// From one element to the next.
    pub extent: i64,
    /// Where the first byte of data is.
    pub true_low: i64,
    /// How far the last one is from it.
    pub true_extent: i64,
}

impl Packed {
    /// MPI_Pack knows every datatype. What it writes is what the peer's MPI_Pack writes, on machines of one kind.
    fn pack(&mut self, address: usize, elements: u64, block: &Payload) -> Option<&[u8]> {
        let len = usize::try_from(elements * block.bytes).ok()?;
        if self.of == (address, elements) {
            return self.room.get(..len);
        }
        // Room beyond the data for libraries that pack a header; of those, no digest is taken.
        self.room.resize(len + 64, 0);
        let mut position = 0i32;
        // The communicator matters between machines of different kinds only.
        let comm = abi().native(Kind::Comm, COMM_SELF)?;
        let position_at = (&raw mut position) as usize;
        let room = self.room.as_mut_ptr() as usize;
        let arguments = [address, elements as usize, block.datatype.0, room, self.room.len(), position_at, comm];
        // SAFETY: buffer and datatype are those of a call that has returned well; `room` is as long as said.
        let code = unsafe { real::pmpi(mpi::PACK, arguments) };
        let is_packed = code == Some(0) && usize::try_from(position) == Ok(len);
        self.of = if is_packed { (address, elements) } else { (0, 0) };
        is_packed.then(|| &self.room[..len])
    }
}

/// Ticks between two looks at what is loaded: less than a millisecond. To load and initialise a CUDA driver takes many.
const LOOK_TICKS: u64 = 1 << 17;

/// Whether all memory is the host's, for all we know: no CUDA driver is loaded.
pub fn is_host_memory(now: u64) -> bool {
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
