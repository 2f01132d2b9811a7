//! The program's handles and the numbers that they have in the trace.
//!
//! A library gives the same handle again as soon as one is freed, so handles are numbered here: each object that the program makes has
//! a number of its own. A handle that is not known is given number 0, and the library is never asked about it: it might abort.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::{FxHashMap, FxHashSet};
use traces::constant::{self, FIRST_MADE};
use traces::{Kind, mpi};

use crate::abi::abi;
use crate::communicators::Communicators;
use crate::fetches::Fetches;
use crate::payload::Layout;
use crate::real;
use crate::requests::Requests;
use crate::turns::{self, Turn};

/// The number of a handle that is not known.
pub const UNKNOWN: i64 = constant::UNKNOWN_HANDLE;

/// What is known of a datatype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datatype {
    /// Its number in the trace.
    pub id: i64,
    /// Bytes of data in one element.
    pub bytes: u64,
    /// Whether elements lie side by side without holes, so that a buffer can be read as bytes.
    pub contiguous: bool,
    /// Where its bytes lie.
    pub layout: Layout,
}

/// Objects of one kind: their numbers, and how many references the program holds.
#[derive(Debug, Default)]
pub struct Objects {
    numbers: FxHashMap<u64, (i64, u32)>,
    made: i64,
}

impl Objects {
    /// The number of a handle that the program has made and not given up.
    fn number(&self, handle: u64) -> Option<i64> {
        self.numbers.get(&handle).map(|&(number, _)| number)
    }

    /// The program was given this handle: one more reference to an object that is known, or a new object.
    pub fn add(&mut self, kind: Kind, handle: u64) -> i64 {
        if let Some(predefined) = abi().predefined(kind, handle) {
            return predefined;
        }
        let made = &mut self.made;
        let entry = self.numbers.entry(handle).or_insert_with(|| {
            *made += 1;
            (FIRST_MADE + *made - 1, 0)
        });
        entry.1 += 1;
        entry.0
    }

    /// The program was given a handle whose number is known.
    pub fn add_numbered(&mut self, handle: u64, number: i64) -> i64 {
        self.numbers.insert(handle, (number, 1));
        number
    }

    /// The program gave up one reference.
    pub fn remove(&mut self, handle: u64) {
        if let Some(entry) = self.numbers.get_mut(&handle) {
            entry.1 -= 1;
            if entry.1 == 0 {
                self.numbers.remove(&handle);
            }
        }
    }
}

/// All handles of the process.
#[derive(Debug, Default)]
pub struct Handles {
    /// Communicators.
    pub communicators: Communicators,
    /// Requests, and matched messages.
    pub requests: Requests,
    /// What is on its way without a request.
    pub fetches: Fetches,
    /// What is known of datatypes, by handle: predefined ones too, once they were seen.
    datatypes: FxHashMap<u64, Datatype>,
    /// The datatype that was asked for last, which mostly is the next one too.
    last: Option<(u64, Datatype)>,
    objects: [Objects; KINDS],
    /// What the program has made and freed, by kind. What comes again is known again.
    freed: FxHashSet<(u8, u64)>,
}

/// Kinds of handles that are only numbered.
const KINDS: usize = 9;

fn place(kind: Kind) -> usize {
    match kind {
        Kind::Type => 0,
        Kind::Op => 1,
        Kind::Group => 2,
        Kind::Win => 3,
        Kind::File => 4,
        Kind::Info => 5,
        Kind::Errhandler => 6,
        Kind::Session => 7,
        _ => 8,
    }
}

impl Handles {
    /// The objects of a kind that is only numbered.
    pub fn objects(&mut self, kind: Kind) -> &mut Objects {
        &mut self.objects[place(kind)]
    }

    /// The number of a handle of any kind but requests, which `requests` knows by their variables.
    #[inline]
    pub fn number(&mut self, kind: Kind, handle: u64) -> i64 {
        match kind {
            Kind::Comm => match self.communicators.get(handle) {
                Some(communicator) => communicator.id,
                None => self.number_of_unknown(kind, handle),
            },
            Kind::Type => match self.datatype(handle) {
                Some(datatype) => datatype.id,
                None => self.number_of_unknown(kind, handle),
            },
            _ => match self.objects(kind).number(handle) {
                Some(number) => number,
                None => self.number_of_unknown(kind, handle),
            },
        }
    }

    /// The number of a handle that is predefined, or stands for nothing that is known.
    fn number_of_unknown(&self, kind: Kind, handle: u64) -> i64 {
        let unknown = if self.freed.contains(&(kind as u8, handle)) { constant::FREED_HANDLE } else { UNKNOWN };
        abi().predefined(kind, handle).unwrap_or(unknown)
    }

    /// What is known of a datatype.
    #[inline]
    pub fn datatype(&mut self, handle: u64) -> Option<Datatype> {
        match self.last {
            Some((last, datatype)) if last == handle => Some(datatype),
            _ => self.find_datatype(handle),
        }
    }

    fn find_datatype(&mut self, handle: u64) -> Option<Datatype> {
        let known = self.datatypes.get(&handle).copied();
        let datatype = known.or_else(|| predefined_datatype(handle))?;
        if known.is_none() {
            self.datatypes.insert(handle, datatype);
        }
        self.last = Some((handle, datatype));
        Some(datatype)
    }

    /// The program made a datatype. `measure` asks the library what it is like.
    pub fn add_datatype(&mut self, handle: u64, measure: impl FnOnce() -> Datatype) -> i64 {
        let id = self.objects(Kind::Type).add(Kind::Type, handle);
        self.datatypes.entry(handle).or_insert_with(|| Datatype { id, ..measure() });
        id
    }

    /// The program freed a handle that is no request.
    pub fn free(&mut self, kind: Kind, handle: u64) {
        match kind {
            Kind::Comm => self.communicators.remove(handle),
            Kind::Session => {
                self.communicators.end_session(handle);
                self.objects(kind).remove(handle);
            }
            _ => self.objects(kind).remove(handle),
        }
        if matches!(kind, Kind::Win | Kind::File) {
            self.fetches.forget((kind, handle));
        }
        let is_known = match kind {
            Kind::Comm => self.communicators.get(handle).is_some(),
            _ => self.objects(kind).number(handle).is_some(),
        };
        // Some functions that are not recorded, as MPI_Abi_get_info, give info objects.
        if !is_known && kind != Kind::Info {
            self.freed.insert((kind as u8, handle));
        }
        if kind == Kind::Type && !is_known {
            self.datatypes.remove(&handle);
            self.last = None;
        }
    }
}

fn predefined_datatype(handle: u64) -> Option<Datatype> {
    let id = abi().predefined(Kind::Type, handle)?;
    let constant = constant::find(Kind::Type, id)?;
    // The pairs of MPI_MINLOC, MPI_DOUBLE_INT and the like, may have holes between value and index.
    if constant.name.strip_suffix("_INT").is_some_and(|value| value != "MPI") {
        return Some(Datatype { id, contiguous: false, ..measure(handle as usize) });
    }
    let bytes = i64::from(constant.bytes);
    let layout = Layout { extent: bytes, true_low: 0, true_extent: bytes };
    Some(Datatype { id, bytes: bytes as u64, contiguous: true, layout })
}

/// What the library says of a datatype, which has no number yet.
pub fn measure(datatype: usize) -> Datatype {
    let mut size = 0i32;
    let (mut low, mut extent, mut true_low, mut true_extent) = (0isize, 0isize, 0isize, 0isize);
    let address = |word: &mut isize| std::ptr::from_mut(word) as usize;
    // SAFETY: the library has just given this datatype, or has it from the beginning; results are an int and four MPI_Aints.
    let codes = unsafe {
        [
            real::pmpi(mpi::TYPE_SIZE, [datatype, (&raw mut size) as usize]),
            real::pmpi(mpi::TYPE_GET_EXTENT, [datatype, address(&mut low), address(&mut extent)]),
            real::pmpi(mpi::TYPE_GET_TRUE_EXTENT, [datatype, address(&mut true_low), address(&mut true_extent)]),
        ]
    };
    let bytes = u64::try_from(size).unwrap_or(0);
    let is_whole = codes == [Some(0); 3] && low == 0 && true_low == 0;
    let contiguous = is_whole && extent as u64 == bytes && true_extent as u64 == bytes;
    let layout = Layout { extent: extent as i64, true_low: true_low as i64, true_extent: true_extent as i64 };
    Datatype { id: UNKNOWN, bytes, contiguous, layout }
}

/// The handles, shared by the threads of the process, which take turns at them.
struct Shared(UnsafeCell<Option<Handles>>);

// SAFETY: whoever uses the cell has the turn.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared(UnsafeCell::new(None));

/// Grows whenever a handle other than a request is made or freed.
static EPOCH: AtomicU64 = AtomicU64::new(0);

/// A number that stays the same as long as no handle other than requests is made or freed.
#[inline]
pub fn epoch() -> u64 {
    EPOCH.load(Ordering::Relaxed)
}

/// A handle other than a request is made or freed. A thread that uses it has been told of it by the one that made it, and so sees
/// the new number.
pub fn change() {
    EPOCH.fetch_add(1, Ordering::Relaxed);
}

/// Works on the handles, one thread at a time. The closure is short and does not call `with` again.
#[inline]
pub fn with<R>(work: impl FnOnce(&mut Handles) -> R) -> R {
    let turn = loop {
        match turns::take() {
            Some(turn) => break turn,
            None => std::thread::yield_now(),
        }
    };
    in_turn(turn, work)
}

/// How often a call inside another one looks whether the handles are free to be worked on.
const TRIES: u32 = 10_000;

/// A callback of the program freed a handle.
pub fn free_nested(kind: Kind, handle: u64) {
    change();
    with_nested(|handles| handles.free(kind, handle));
}

/// A callback of the program made a handle. It is not known, but it may be one that was freed before.
pub fn make_nested(kind: Kind, handle: u64) {
    with_nested(|handles| _ = handles.freed.remove(&(kind as u8, handle)));
}

/// Works on the handles from inside another call. Where the library calls back while this thread works on the handles, as an error handler
/// might be, waiting would be for ever: then it is not done.
fn with_nested(work: impl FnOnce(&mut Handles)) {
    let turn = (0..TRIES).find_map(|_| {
        turns::take().or_else(|| {
            std::thread::yield_now();
            None
        })
    });
    if let Some(turn) = turn {
        in_turn(turn, work);
    }
}

/// The handles before any call.
#[cold]
#[inline(never)]
fn first_handles() -> Handles {
    Handles::default()
}

/// Works on the handles in this turn.
#[inline]
fn in_turn<R>(_turn: Turn, work: impl FnOnce(&mut Handles) -> R) -> R {
    // SAFETY: there is one turn at a time, so this is the only reference.
    let handles = match unsafe { &mut *SHARED.0.get() } {
        Some(handles) => handles,
        none => none.insert(first_handles()),
    };
    work(handles)
}
