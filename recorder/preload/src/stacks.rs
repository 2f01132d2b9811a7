//! Where in the program a call comes from: the place that called, and who had called that function, so many frames far.
//!
//! For C the first place is where the wrapper returns to. Fortran and C++ come by a layer of the MPI library, which is not where a user
//! looks: the stack begins where it leaves the layer. Python comes by an extension module; there the stack is Python's, and of the
//! module's own frames the outermost says which of its methods was called.
//!
//! Walking a stack takes a look at the tables of each function, so what was found is kept: by the place and the address of its frame, together
//! with every word of the stack that it depended on. If these still hold what they held, the stack is the same one. Nothing else than
//! the thread's own stack is read, above the frame at hand; on another stack, such as a coroutine's, no more than the page of that frame.

use rustc_hash::FxHashMap;

use crate::guard::Snapshot;
use crate::loader::{self, Object};
use crate::ranges::Ranges;
use crate::unwinding::{Function, Registers, function_at};
use crate::{frames, python};

/// The code of what MPI libraries put between programs and their C functions.
static LAYERS: Ranges = Ranges::new();
/// The code that calls programs, threads and callbacks: who has called it says nothing.
static ENDS: Ranges = Ranges::new();

/// How the files of such layers are called.
const LAYER_NAMES: [&str; 11] = [
    "libmpi_mpifh",
    "libmpi_usempi",
    "libmpi_usempif08",
    "libmpi_cxx",
    "libmpichfort",
    "libmpifort",
    "libmpicxx",
    "libmpichcxx",
    "libfmpich",
    "libmpi_abi",
    "libmpifortran",
];

/// How the files of the C library are called.
const END_NAMES: [&str; 3] = ["libc.", "libpthread.", "ld-linux"];

/// Notes which of these objects are layers, and which are ends.
pub fn look_at(objects: &[Object]) {
    for object in objects {
        let path = object.name.to_string_lossy();
        let file = path.rsplit('/').next().unwrap_or_default();
        let is_one_of = |names: &[&str]| names.iter().any(|name| file.starts_with(name));
        if is_one_of(&LAYER_NAMES) {
            LAYERS.add(object);
        }
        if is_one_of(&END_NAMES) {
            ENDS.add(object);
        }
    }
}

/// The most frames of layers and modules that are walked to get to the program.
const LAYERS_MAX: usize = 64;
/// Stacks that are remembered, a power of two.
const KNOWN: usize = 256;
/// What a page of memory has at least.
const PAGE: usize = 4096;

/// What a walk has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The word for the stack.
    pub stack: usize,
    /// Of an extension module: where the function begins that Python has called.
    pub method: usize,
}

/// A stack that was walked.
#[derive(Debug, Default)]
struct Known {
    place: usize,
    frame: usize,
    found: Found,
    /// The words of the stack that led there: how far above the frame, and what they held.
    depends: Vec<(usize, usize)>,
}

/// What is known of the stacks of a thread.
#[derive(Debug)]
pub struct Stacks {
    /// How many frames are wanted.
    depth: usize,
    /// Where the thread's stack ends, and where it begins: addresses, the lower one first.
    low: usize,
    high: usize,
    known: Box<[Known]>,
    /// By return address.
    functions: FxHashMap<usize, Option<Function>>,
    /// The stack being walked.
    addresses: Vec<usize>,
}

impl Stacks {
    /// Of the thread at hand, `depth` frames far.
    pub fn of_thread(depth: usize) -> Stacks {
        let (low, high) = bounds().unwrap_or((0, 0));
        Stacks {
            depth: depth.max(1),
            low,
            high,
            known: (0..KNOWN).map(|_| Known::default()).collect(),
            functions: FxHashMap::default(),
            addresses: Vec::new(),
        }
    }

    /// The stack of the call of the wrapper with this frame.
    #[inline]
    pub fn of(&mut self, frame: usize) -> Found {
        let place = Registers::of_caller(frame).place;
        if self.depth == 1 && !LAYERS.contain(place) && !python::is_module(place) {
            return Found { stack: place, method: 0 };
        }
        let known = &self.known[at(place, frame)];
        // SAFETY: the words lie on this thread's stack above a frame that is there now, or with the frame in one page.
        let holds = |&(above, word): &(usize, usize)| unsafe { ((frame + above) as *const usize).read() } == word;
        if known.place == place && known.frame == frame && known.depends.iter().all(holds) {
            return known.found;
        }
        self.walk(frame, place)
    }

    #[cold]
    fn walk(&mut self, frame: usize, place: usize) -> Found {
        let mut depends = std::mem::take(&mut self.known[at(place, frame)].depends);
        depends.clear();
        let found = self.found(frame, &mut depends);
        self.known[at(place, frame)] = Known { place, frame, found, depends };
        found
    }

    /// The word for the stack of a thread that was stopped in the midst of a function.
    pub fn of_snapshot(&mut self, snapshot: &Snapshot) -> usize {
        let (registers, place) = (snapshot.registers, snapshot.registers.place);
        self.follow(registers, true, |at| snapshot.word(at), |_, _| {});
        if self.addresses.is_empty() { place } else { frames::of_code(&self.addresses) }
    }

    fn found(&mut self, frame: usize, depends: &mut Vec<(usize, usize)>) -> Found {
        let limit = if (self.low..self.high).contains(&frame) { self.high } else { (frame + PAGE) & !(PAGE - 1) };
        let read = |at: usize| {
            let is_stack = at >= frame && at.is_multiple_of(8) && at.checked_add(8).is_some_and(|end| end <= limit);
            // SAFETY: the word lies on the stack that this frame is on, above it.
            is_stack.then(|| unsafe { (at as *const usize).read() })
        };
        let registers = Registers::of_caller(frame);
        let method = self.follow(registers, false, read, |at, word| depends.push((at - frame, word)));
        let stack = if self.addresses.is_empty() { registers.place } else { frames::of_code(&self.addresses) };
        Found { stack, method }
    }

    /// Goes from a place outwards, and notes the addresses that are the program's. Gives where the function begins that Python has called,
    /// if the place is in an extension module. Who `may_begin_in_ends` was stopped in a function such as `memcpy`.
    fn follow(
        &mut self,
        mut registers: Registers,
        mut may_begin_in_ends: bool,
        read: impl Fn(usize) -> Option<usize>,
        mut depends: impl FnMut(usize, usize),
    ) -> usize {
        let is_module = python::is_module(registers.place);
        let mut method = 0;
        self.addresses.clear();
        for _ in 0..LAYERS_MAX + self.depth {
            let place = registers.place;
            let is_on_the_way = if is_module { python::is_module(place) } else { LAYERS.contain(place) };
            may_begin_in_ends &= ENDS.contain(place);
            let is_end = ENDS.contain(place) && !may_begin_in_ends;
            if !is_on_the_way && (is_module || place < PAGE || is_end || python::is_interpreter(place)) {
                break;
            }
            if !is_on_the_way {
                self.addresses.push(place);
            }
            if self.addresses.len() >= self.depth {
                break;
            }
            let Some(function) = self.function(place) else { break };
            if is_module {
                method = function.code.start;
            }
            let Some(caller) = function.rule.and_then(|rule| registers.caller(rule, &read, &mut depends)) else { break };
            registers = caller;
        }
        method
    }

    /// The function that a return address lies in.
    fn function(&mut self, place: usize) -> Option<Function> {
        if let Some(known) = self.functions.get(&place) {
            return known.clone();
        }
        let function = loader::object_of(place - 1).and_then(|object| function_at(&object, place));
        self.functions.insert(place, function.clone());
        function
    }
}

/// Where a stack is in the table.
#[inline]
fn at(place: usize, frame: usize) -> usize {
    const ODD: usize = 0x9e37_79b9_7f4a_7c15;
    ((place ^ frame << 20).wrapping_mul(ODD) >> 48) & (KNOWN - 1)
}

/// The memory that the stack of this thread may take.
fn bounds() -> Option<(usize, usize)> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut low, mut bytes) = (std::ptr::null_mut(), 0);
    // SAFETY: the attributes are made by the first call, if it succeeds, read by the second, and given back by the third.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let code = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut low, &raw mut bytes);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        (code == 0).then(|| (low as usize, low as usize + bytes))
    }
}
