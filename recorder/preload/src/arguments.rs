//! The arguments of a call, read before the library sees them: as words that tell calls apart, and as values for the trace.
//!
//! Only memory that the standard lets the library read is read, and only where the argument is significant on this rank.

use traces::call::Value;
use traces::constant::{IN_PLACE, STATUS_IGNORE};
use traces::{Direction, Kind, Length};

use crate::abi::{Abi, abi};
use crate::communicators::Communicator;
use crate::contents::Content;
use crate::handles::{self, Handles};
use crate::recent::Found;
use crate::requests::Named;
use crate::shape::{Shape, Step};

/// The most elements of an array that are kept; of longer ones nothing is.
const ARRAY_MAX: usize = 8192;
/// The most bytes of a string that are kept.
const TEXT_MAX: usize = 1024;

/// A row of values as words: compared in a moment, decoded only when they are new. The first words are the owner's.
#[derive(Debug)]
pub struct Words {
    words: Vec<u64>,
    len: usize,
    /// Two bits a value: what it is.
    kinds: u64,
    values: u32,
}

/// Words before the values: two of the owner's, then the kinds.
const HEAD: usize = 3;
const INT: u64 = 1;
const INTS: u64 = 2;
const TEXT: u64 = 3;
/// Room for the values of a call without arrays, and for where they begin.
const ROOM: usize = 64;

impl Default for Words {
    fn default() -> Words {
        Words { words: vec![0; ROOM], len: HEAD, kinds: 0, values: 0 }
    }
}

impl Words {
    /// Begins anew, for an owner with these two words.
    #[inline]
    pub fn begin(&mut self, owner: [u64; 2]) {
        self.words[..2].copy_from_slice(&owner);
        (self.len, self.kinds, self.values) = (HEAD, 0, 0);
    }

    #[inline]
    fn push(&mut self, word: u64) {
        match self.words.get_mut(self.len) {
            Some(place) => *place = word,
            None => self.words.push(word),
        }
        self.len += 1;
    }

    #[inline]
    fn kind(&mut self, kind: u64) {
        self.kinds |= kind << (2 * self.values);
        self.values += 1;
    }

    /// Adds nothing, as a value.
    #[inline]
    pub fn nil(&mut self) {
        self.values += 1;
    }

    /// Adds nothing as often as it takes to make `len` values.
    #[inline]
    pub fn nil_until(&mut self, len: usize) {
        self.values = len as u32;
    }

    /// Adds a number.
    #[inline]
    pub fn int(&mut self, value: i64) {
        self.kind(INT);
        self.push(value as u64);
    }

    /// Adds an array of `len` numbers.
    #[inline]
    pub fn ints(&mut self, len: usize, values: impl Iterator<Item = i64>) {
        if len > ARRAY_MAX {
            return self.nil();
        }
        self.kind(INTS);
        self.push(len as u64);
        values.for_each(|v| self.push(v as u64));
    }

    /// Adds an array of numbers, four in a row. Gives where the first lies; None if they are too many.
    #[inline]
    pub fn rows(&mut self, rows: impl ExactSizeIterator<Item = [i64; 4]>) -> Option<usize> {
        let len = 4 * rows.len();
        if len > ARRAY_MAX {
            self.nil();
            return None;
        }
        self.kind(INTS);
        self.push(len as u64);
        for row in rows {
            row.into_iter().for_each(|value| self.push(value as u64));
        }
        Some(self.len - len)
    }

    /// Changes a number of an array.
    pub fn set(&mut self, at: usize, value: i64) {
        self.words[at] = value as u64;
    }

    /// Adds a string.
    pub fn text(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(TEXT_MAX)];
        self.kind(TEXT);
        self.push(text.len() as u64);
        text.chunks(8).for_each(|c| self.push(c.iter().rev().fold(0, |word, &b| word << 8 | u64::from(b))));
    }

    /// The words, which are equal if owner and values are.
    #[inline]
    pub fn key(&mut self) -> &[u64] {
        self.words[2] = self.kinds;
        &self.words[..self.len]
    }

    /// The values. Without arrays if `arrays` is false.
    pub fn values(&self, arrays: bool) -> Vec<Value> {
        let mut rest = &self.words[HEAD..self.len];
        let mut take = |n: usize| {
            let (head, tail) = rest.split_at(n.min(rest.len()));
            rest = tail;
            head
        };
        let value = |i: u32| match self.kinds >> (2 * i) & 3 {
            INT => Value::Int(take(1)[0] as i64),
            INTS => {
                let len = take(1)[0] as usize;
                let list = take(len).iter().map(|&w| w as i64).collect();
                if arrays { Value::Ints(list) } else { Value::Nil }
            }
            TEXT => {
                let len = take(1)[0] as usize;
                let bytes: Vec<u8> = take(len.div_ceil(8)).iter().flat_map(|w| w.to_le_bytes()).take(len).collect();
                Value::Text(String::from_utf8_lossy(&bytes).into())
            }
            _ => Value::Nil,
        };
        (0..self.values).map(value).collect()
    }
}

/// The arguments of the call at hand.
#[derive(Debug, Default)]
pub struct Arguments {
    /// The values.
    pub words: Words,
    /// The requests that it names, in their order.
    pub requests: Vec<Named>,
    /// The other handles that it may free: position, kind, handle.
    pub freed: Vec<(usize, Kind, u64)>,
    /// What it sends.
    pub sent: Content,
    /// What it receives.
    pub received: Content,
}

impl Arguments {
    /// Takes the arguments of a call from what is known of it.
    #[inline]
    pub fn recall(&mut self, found: &Found) {
        self.freed.clear();
        self.sent.set(found.sent);
        self.received.set(found.received);
    }

    /// Finds out which requests a call names; none if it does not take any.
    ///
    /// # Safety
    /// The arguments are what the program passes to the function of this shape.
    #[inline]
    pub unsafe fn name_requests(&mut self, shape: &Shape, a: &[usize]) {
        self.requests.clear();
        if let Some(at) = shape.names {
            handles::with(|handles| {
                let step = &shape.parameters[at];
                let count = match step.length {
                    Length::Parameter(count) => usize::try_from(a[count] as i32).unwrap_or(0),
                    _ => 1,
                };
                name_requests(a[at], count, step, handles, &mut self.requests);
            });
        }
    }

    /// Reads the arguments of a call, after [`Arguments::name_requests`].
    ///
    /// # Safety
    /// They are what the program passes to the function of this shape.
    pub unsafe fn read(&mut self, shape: &Shape, a: &[usize], caller: usize) {
        self.words.begin([1 << 62 | u64::from(shape.function.0), caller as u64]);
        self.freed.clear();
        handles::with(|handles| {
            // SAFETY: as the caller's.
            let reader = unsafe { Reader::new(shape, a, handles) };
            reader.read(self, handles);
            // SAFETY: as the caller's.
            unsafe {
                self.sent.find(shape.sends, shape, a, &reader.known, handles);
                self.received.find(shape.receives, shape, a, &reader.known, handles);
            }
        });
    }
}

/// The arguments in the way that reading them needs.
struct Reader<'a> {
    abi: &'static Abi,
    shape: &'a Shape,
    a: &'a [usize],
    /// Whether this process is the root, or there is none.
    is_root: bool,
    /// The communicator, and what is known of it.
    comm: u64,
    known: Communicator,
}

impl<'a> Reader<'a> {
    unsafe fn new(shape: &'a Shape, a: &'a [usize], handles: &Handles) -> Reader<'a> {
        let abi = abi();
        let comm = shape.comm.map_or(0, |at| abi.handle(Kind::Comm, a[at]));
        let known = handles.communicators.get(comm).copied().unwrap_or_default();
        let is_root = shape.root.is_none_or(|at| known.is_root(abi.rank(a[at] as i32)));
        Reader { abi, shape, a, is_root, comm, known }
    }

    fn read(&self, into: &mut Arguments, handles: &mut Handles) {
        for (at, step) in self.shape.parameters.iter().enumerate() {
            if step.always || self.is_significant(step) { self.argument(at, step, into, handles) } else { into.words.nil() }
        }
    }

    fn is_significant(&self, step: &Step) -> bool {
        let in_place = step.in_place.is_some_and(|at| self.abi.buffer(self.a[at]) == IN_PLACE);
        (self.is_root || !step.root_only) && !in_place
    }

    fn argument(&self, at: usize, step: &Step, into: &mut Arguments, handles: &mut Handles) {
        let word = self.a[at];
        let words = &mut into.words;
        if step.kind == Kind::Buffer {
            return words.int(self.abi.buffer(word));
        }
        if step.kind == Kind::Status && step.direction == Direction::Out && word == self.abi.status_ignore {
            return words.int(STATUS_IGNORE);
        }
        if step.direction == Direction::Out || matches!(step.kind, Kind::Status | Kind::Pointer) {
            return words.nil();
        }
        if step.kind == Kind::Request {
            return Self::requests(step, into);
        }
        if step.length != Length::Scalar {
            return match self.length(step.length) {
                Some(len) if word != 0 => words.ints(len, (0..len).map(|i| self.element(step.kind, word, i, handles))),
                _ => words.nil(),
            };
        }
        match (step.kind, step.direction) {
            (Kind::String, _) if word != 0 => {
                // SAFETY: a string argument is a C string.
                words.text(unsafe { std::ffi::CStr::from_ptr(word as *const libc::c_char) }.to_bytes());
            }
            (Kind::String, _) => words.nil(),
            (_, Direction::InOut) if word == 0 => words.nil(),
            (kind, Direction::InOut) if is_handle(kind) => {
                // SAFETY: the argument is the address of a handle.
                let handle = unsafe { self.abi.handle_at(kind, word, 0) };
                into.freed.push((at, kind, handle));
                words.int(handles.number(kind, handle));
            }
            (kind, Direction::InOut) => words.int(self.element(kind, word, 0, handles)),
            (kind, _) => words.int(self.scalar(kind, word, handles)),
        }
    }

    fn requests(step: &Step, into: &mut Arguments) {
        match (step.length, into.requests.first()) {
            (Length::Scalar, Some(first)) => into.words.int(first.number),
            (Length::Scalar, None) => into.words.nil(),
            _ => into.words.ints(into.requests.len(), into.requests.iter().map(|named| named.number)),
        }
    }

    fn scalar(&self, kind: Kind, word: usize, handles: &mut Handles) -> i64 {
        match kind {
            Kind::Int | Kind::Count => i64::from(word as i32),
            Kind::Rank => self.abi.rank(word as i32),
            Kind::Tag => self.abi.tag(word as i32),
            Kind::Level
            | Kind::Split
            | Kind::Order
            | Kind::Lock
            | Kind::Whence
            | Kind::Distribution
            | Kind::Darg
            | Kind::Typeclass => self.abi.word(kind, word as i32),
            Kind::Keyval => self.abi.keyval(word as i32).0,
            Kind::Assert | Kind::Amode => self.abi.flags(kind, word as i32),
            Kind::Comm if self.known.id != handles::UNKNOWN && self.abi.handle(kind, word) == self.comm => self.known.id,
            kind if is_handle(kind) => handles.number(kind, self.abi.handle(kind, word)),
            _ => word as i64,
        }
    }

    /// The `i`th element at an address.
    fn element(&self, kind: Kind, address: usize, i: usize, handles: &mut Handles) -> i64 {
        // SAFETY: an array argument has the elements that its length says, of the size of its kind.
        unsafe {
            match kind {
                Kind::Long | Kind::Lcount => (address as *const i64).add(i).read_unaligned(),
                kind if is_handle(kind) => {
                    let handle = self.abi.handle_at(kind, address, i);
                    handles.number(kind, handle)
                }
                kind => self.scalar(kind, (address as *const i32).add(i).read_unaligned() as usize, handles),
            }
        }
    }

    fn length(&self, length: Length) -> Option<usize> {
        let parameter = |at: usize| usize::try_from(self.a[at] as i32).ok();
        match length {
            Length::Scalar => Some(1),
            Length::Parameter(at) => parameter(at),
            Length::Triples(at) => parameter(at).map(|n| 3 * n),
            Length::Last(at) => self.ints(at).next_back().and_then(|n| usize::try_from(n).ok()),
            Length::Sum(at) => usize::try_from(self.ints(at).sum::<i64>()).ok(),
            Length::Fixed(n) => Some(n as usize),
            Length::CommSize => Some(self.known.peers),
            Length::InDegree => Some(self.known.degrees.0),
            Length::OutDegree => Some(self.known.degrees.1),
            // A grid has two neighbours a dimension.
            Length::Dimensions => Some(self.known.degrees.0 / 2),
            Length::Unknown => None,
        }
    }

    /// The numbers of an array of ints.
    fn ints(&self, at: usize) -> impl DoubleEndedIterator<Item = i64> {
        let address = self.a[at];
        let len = if address == 0 { 0 } else { self.length(self.shape.parameters[at].length).unwrap_or(0) };
        // SAFETY: an array argument has the elements that its length says.
        (0..len).map(move |i| i64::from(unsafe { (address as *const i32).add(i).read_unaligned() }))
    }
}

/// Names the `count` requests that lie at an address, or the one that `word` is.
fn name_requests(word: usize, count: usize, step: &Step, handles: &mut Handles, into: &mut Vec<Named>) {
    let abi = abi();
    let by_address = step.direction != Direction::In || step.length != Length::Scalar;
    if by_address && word == 0 {
        return;
    }
    handles.requests.begin_call();
    let bytes = abi.handle_bytes(Kind::Request);
    for i in 0..count {
        let (handle, variable) = match by_address {
            // SAFETY: so many requests lie there.
            true => (unsafe { abi.handle_at(Kind::Request, word, i) }, word + i * bytes),
            false => (abi.handle(Kind::Request, word), 0),
        };
        into.push(handles.requests.name(handle, variable));
    }
}

/// Whether values of this kind are handles.
pub fn is_handle(kind: Kind) -> bool {
    use Kind as K;
    matches!(
        kind,
        K::Comm | K::Type | K::Op | K::Group | K::Request | K::Message | K::Win | K::File | K::Info | K::Errhandler | K::Session
    )
}
