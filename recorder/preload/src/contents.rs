//! What a call sends and receives on this process: its buffers, found from the arguments.
//!
//! Where an argument means nothing on this process it is not looked at: it may be anything.

use traces::buffers::{Places, Times, Whose, blocks};
use traces::constant::{IN_PLACE, PROC_NULL};
use traces::{Class, Kind, Length};

use crate::abi::{Abi, abi};
use crate::communicators::Communicator;
use crate::handles::{Handles, UNKNOWN};
use crate::payload::{Arrangement, Payload};
use crate::shape::Shape;

/// One side of a call: a buffer, or several that follow each other.
#[derive(Clone, Debug, Default)]
pub struct Content {
    one: Option<Payload>,
    several: Vec<Payload>,
}

impl Content {
    /// That of one buffer.
    pub fn of(one: Payload) -> Content {
        Content { one: Some(one), several: Vec::new() }
    }

    /// That of one buffer, or of none.
    #[inline]
    pub fn set(&mut self, one: Option<Payload>) {
        self.one = one;
        self.several.clear();
    }

    /// The buffer, if it is one.
    #[inline]
    pub fn one(&self) -> Option<Payload> {
        self.one
    }

    /// The buffers; none if there is no data.
    #[inline]
    pub fn blocks(&self) -> &[Payload] {
        if self.several.is_empty() { self.one.as_slice() } else { &self.several }
    }

    /// Finds it.
    ///
    /// # Safety
    /// The arguments are what the program passes to the function of this shape, and `known` is of its communicator, if it has one.
    pub unsafe fn find(
        &mut self,
        places: Option<Places>,
        shape: &Shape,
        a: &[usize],
        known: &Communicator,
        handles: &mut Handles,
    ) {
        self.set(None);
        let finder = Finder { abi: abi(), shape, a, known };
        if let Some(places) = places.filter(|places| finder.is_significant(places)) {
            finder.find(places, handles, self);
        }
    }
}

struct Finder<'a> {
    abi: &'static Abi,
    shape: &'a Shape,
    a: &'a [usize],
    known: &'a Communicator,
}

impl Finder<'_> {
    /// Whether the buffer means something on this process.
    fn is_significant(&self, places: &Places) -> bool {
        let is_collective = self.shape.function.class() == Class::Collective;
        if is_collective && (self.known.id == UNKNOWN || self.abi.buffer(self.a[places.buffer]) == IN_PLACE) {
            return false;
        }
        if self.shape.function.class() == Class::OneSided && self.is_no_op() && self.shape.sends == Some(*places) {
            return false;
        }
        match (self.shape.root.filter(|_| is_collective), places.whose) {
            (None, Whose::NotFirst) => self.known.rank != 0,
            (None, _) => true,
            (Some(at), whose) => self.has_part(self.abi.rank(self.a[at] as i32), whose),
        }
    }

    /// Whether a process has this part in a collective with a root. In an intercommunicator the root says that it is the root, the rest of
    /// its group take no part, and the other group do what members do.
    fn has_part(&self, root: i64, whose: Whose) -> bool {
        let is_inter = self.known.is_inter;
        let is_root = self.known.is_root(root);
        let is_member = root != PROC_NULL && !(is_inter && is_root);
        match whose {
            Whose::Root => is_root,
            Whose::Others => is_member && !is_root,
            Whose::All | Whose::NotFirst => is_member,
        }
    }

    /// Whether the operation is MPI_NO_OP: then the origin is not read.
    fn is_no_op(&self) -> bool {
        let op = self.shape.function.parameter("op").map(|at| self.abi.handle(Kind::Op, self.a[at]));
        op.is_some_and(|op| self.abi.predefined(Kind::Op, op) == Some(traces::constant::NO_OP))
    }

    fn find(&self, places: Places, handles: &mut Handles, into: &mut Content) {
        let several = places.count.and_then(|at| blocks(self.shape.parameters[at].length));
        match several {
            Some(each) => self.find_blocks(places, each, handles, into),
            None => {
                let count = places.count.map_or(1, |at| self.count(at)).saturating_mul(self.times(places.times));
                into.one =
                    self.datatype(places.datatype, 0, handles).map(|d| Payload { address: self.a[places.buffer], count, ..d });
            }
        }
    }

    /// A block for each count.
    fn find_blocks(&self, places: Places, each: Times, handles: &mut Handles, into: &mut Content) {
        let Some(counts) = places.count.filter(|at| self.a[*at] != 0) else { return };
        let one_behind_the_other = places.displacements.is_none();
        let types = self.shape.parameters[places.datatype].length != Length::Scalar;
        let range = match places.times {
            // Only the size of the other group is known, and the counts are for this one.
            Times::Sum if self.known.is_inter => return,
            Times::Own => {
                let own = usize::try_from(self.known.rank).unwrap_or(0);
                own..own + 1
            }
            _ => 0..usize::try_from(self.times(each)).unwrap_or(0),
        };
        let mut sum = 0;
        for i in range {
            let count = self.element(counts, i);
            sum += count;
            if one_behind_the_other || count <= 0 {
                continue;
            }
            let Some(datatype) = self.datatype(places.datatype, if types { i } else { 0 }, handles) else { continue };
            let (handle, _) = datatype.datatype;
            let extent = if types { 1 } else { handles.datatype(handle as u64).map_or(0, |d| d.layout.extent) };
            let offset = places.displacements.map_or(0, |at| self.element(at, i)).wrapping_mul(extent);
            into.several.push(Payload { address: self.a[places.buffer].wrapping_add_signed(offset as isize), count, ..datatype });
        }
        if one_behind_the_other {
            let datatype = self.datatype(places.datatype, 0, handles);
            into.one = datatype.map(|d| Payload { address: self.a[places.buffer], count: sum, ..d });
        }
    }

    fn times(&self, times: Times) -> i64 {
        let peers = |n: usize| i64::try_from(n).unwrap_or(0);
        match times {
            Times::Once | Times::Sum | Times::Own => 1,
            // The sides of an intercommunicator may differ in size, and this is about the own one.
            Times::Peers if self.shape.function.small().name().ends_with("educe_scatter_block") && self.known.is_inter => 0,
            Times::Peers => peers(self.known.peers),
            Times::InDegree => peers(self.known.degrees.0),
            Times::OutDegree => peers(self.known.degrees.1),
            Times::Parameter(at) => i64::from(self.a[at] as i32),
        }
    }

    /// A number of elements that is passed by value.
    fn count(&self, at: usize) -> i64 {
        let is_int = matches!(self.shape.parameters[at].kind, Kind::Count | Kind::Int);
        if is_int { i64::from(self.a[at] as i32) } else { self.a[at] as i64 }
    }

    /// The `i`th number in an array.
    fn element(&self, at: usize, i: usize) -> i64 {
        let address = self.a[at];
        // SAFETY: the array is significant on this process, and has a number for each peer.
        unsafe {
            match self.shape.parameters[at].kind {
                Kind::Count | Kind::Int => i64::from((address as *const i32).add(i).read_unaligned()),
                _ => (address as *const i64).add(i).read_unaligned(),
            }
        }
    }

    /// What is known of a buffer by its datatype.
    fn datatype(&self, at: usize, i: usize, handles: &mut Handles) -> Option<Payload> {
        let handle = match self.shape.parameters[at].length {
            Length::Scalar => self.abi.handle(Kind::Type, self.a[at]),
            // SAFETY: as in `element`, of handles.
            _ => unsafe { self.abi.handle_at(Kind::Type, self.a[at], i) },
        };
        let datatype = handles.datatype(handle)?;
        Some(Payload {
            bytes: datatype.bytes,
            arrangement: if datatype.contiguous { Arrangement::Contiguous } else { Arrangement::Scattered },
            datatype: (handle as usize, datatype.id),
            ..Payload::default()
        })
    }
}
