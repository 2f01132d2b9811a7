//! Which bytes of the program an operation uses: from the first to the last, and, where the datatype has holes, which of those.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use traces::constant::COMM_SELF;
use traces::{Kind, mpi};

use super::room::Room;
use crate::abi::abi;
use crate::handles;
use crate::payload::{Layout, Payload};
use crate::readable::PAGE;
use crate::real;

/// From the first byte to the last: no more than this is lent,
const SPAN_MAX: u64 = 256 << 20;
/// and of this, only if its data is a good part of it:
const SPARSE_MAX: u64 = 16 << 20;
/// one byte of so many.
const SPARSITY_MAX: u64 = 16;
/// The longest element with holes whose bytes are looked up.
const ELEMENT_MAX: u64 = 16 << 20;
/// So many datatypes are remembered.
const ELEMENTS_MAX: usize = 256;

/// The bytes of an operation.
#[derive(Clone, Debug)]
pub struct Span {
    /// The address of the first.
    pub low: usize,
    /// How many, with those in holes.
    pub len: usize,
    /// A byte for each: not zero if it is used. None if all are.
    pub mask: Option<Arc<Room>>,
}

/// Which bytes of an element are data, by handle and number of its datatype; None if that could not be found out.
#[derive(Debug, Default)]
pub struct Elements(FxHashMap<(usize, i64), Option<Vec<bool>>>);

impl Span {
    /// That of blocks; None if it is not certain, or too large.
    pub fn of(blocks: &[Payload], elements: &mut Elements) -> Option<Span> {
        let used: Vec<(Payload, Layout)> = blocks
            .iter()
            .filter(|block| block.len() > 0)
            .map(|block| Some((*block, layout_of(block)?)))
            .collect::<Option<_>>()?;
        let ranges: Vec<(usize, usize)> = used.iter().map(|(block, layout)| range(block, *layout)).collect::<Option<_>>()?;
        let low = ranges.iter().map(|(low, _)| *low).min()?;
        let high = ranges.iter().map(|(_, high)| *high).max()?;
        let len = high - low;
        let data = used.iter().fold(0u64, |sum, (block, _)| sum.saturating_add(block.len()));
        let is_small = len as u64 <= SPAN_MAX && (len as u64 <= SPARSE_MAX || len as u64 / SPARSITY_MAX <= data);
        if low < PAGE || !is_small {
            return None;
        }
        if let [(block, _)] = used[..]
            && block.is_contiguous()
        {
            return Some(Span { low, len, mask: None });
        }
        let mut mask = Room::new(low, len)?;
        mask.bytes_mut().fill(0);
        for (block, layout) in &used {
            elements.mark(block, *layout, low, mask.bytes_mut())?;
        }
        Some(Span { low, len, mask: Some(Arc::new(mask)) })
    }

    /// Whether a byte is used by both.
    pub fn shares(&self, other: &Span) -> bool {
        let (low, high) = (self.low.max(other.low), (self.low + self.len).min(other.low + other.len));
        low < high && (low..high).any(|address| self.uses(address) && other.uses(address))
    }

    /// Whether a byte of it is used.
    fn uses(&self, address: usize) -> bool {
        self.mask.as_ref().is_none_or(|mask| mask.bytes()[address - self.low] != 0)
    }

    /// Whether a range has bytes in common with it, holes or not.
    pub fn meets(&self, low: usize, high: usize) -> bool {
        self.low < high && low < self.low + self.len
    }
}

/// How the elements of a block lie; None if its datatype is gone.
fn layout_of(block: &Payload) -> Option<Layout> {
    let (handle, number) = block.datatype;
    handles::with(|h| h.datatype(handle as u64)).filter(|datatype| datatype.id == number).map(|datatype| datatype.layout)
}

/// The first byte of a block, and the one behind its last.
pub fn range(block: &Payload, layout: Layout) -> Option<(usize, usize)> {
    let rest = usize::try_from(block.count).ok()?.checked_sub(1)?;
    if block.address == 0 || layout.true_extent <= 0 || (rest > 0 && layout.extent <= 0) {
        return None;
    }
    let low = block.address.checked_add_signed(layout.true_low as isize)?;
    let len = rest.checked_mul(layout.extent.max(0) as usize)?.checked_add(layout.true_extent as usize)?;
    Some((low, low.checked_add(len)?))
}

impl Elements {
    /// Marks the bytes of a block in the mask of a span that begins at `low`.
    fn mark(&mut self, block: &Payload, layout: Layout, low: usize, mask: &mut [u8]) -> Option<()> {
        let first = block.address.checked_add_signed(layout.true_low as isize)? - low;
        if block.is_contiguous() {
            mask.get_mut(first..first + block.len() as usize)?.fill(1);
            return Some(());
        }
        let element = self.of(block, layout)?;
        for i in 0..usize::try_from(block.count).ok()? {
            let at = first + i * layout.extent.max(0) as usize;
            let own = mask.get_mut(at..at + element.len())?;
            own.iter_mut().zip(element).filter(|(_, is_used)| **is_used).for_each(|(byte, _)| *byte = 1);
        }
        Some(())
    }

    fn of(&mut self, block: &Payload, layout: Layout) -> Option<&[bool]> {
        if self.0.len() > ELEMENTS_MAX {
            self.0.clear();
        }
        self.0.entry(block.datatype).or_insert_with(|| look_up(block, layout)).as_deref()
    }
}

/// Has the library unpack an element of ones over zeros. It is not certain that the program has committed the datatype, and one that is derived
/// from it can be.
fn look_up(block: &Payload, layout: Layout) -> Option<Vec<bool>> {
    if block.bytes > ELEMENT_MAX || layout.true_extent as u64 > ELEMENT_MAX {
        return None;
    }
    let comm = abi().native(Kind::Comm, COMM_SELF)?;
    let packed = vec![0xffu8; block.bytes as usize];
    let mut element = vec![0u8; layout.true_extent as usize];
    let base = (element.as_mut_ptr() as usize).wrapping_add_signed(-layout.true_low as isize);
    let (mut derived, mut position) = (0usize, 0i32);
    let (derived_at, position_at) = ((&raw mut derived) as usize, (&raw mut position) as usize);
    // SAFETY: the datatype is there, and `element` has room for one, whose first byte comes to lie at its beginning.
    let codes = unsafe {
        let made = real::pmpi(mpi::TYPE_CONTIGUOUS, [1, block.datatype.0, derived_at]);
        if made != Some(0) {
            return None;
        }
        let handle = abi().handle_at(Kind::Type, derived_at, 0) as usize;
        let committed = real::pmpi(mpi::TYPE_COMMIT, [derived_at]);
        let arguments = [packed.as_ptr() as usize, packed.len(), position_at, base, 1, handle, comm];
        let unpacked = if committed == Some(0) { real::pmpi(mpi::UNPACK, arguments) } else { None };
        [unpacked, real::pmpi(mpi::TYPE_FREE, [derived_at])]
    };
    let used: Vec<bool> = element.iter().map(|&byte| byte != 0).collect();
    let is_exact = used.iter().filter(|is_used| **is_used).count() as u64 == block.bytes;
    (codes == [Some(0); 2] && is_exact).then_some(used)
}
