//! Which place in the program a call comes from.
//!
//! For C that is where the wrapper returns to. Fortran and C++ come by a layer of the MPI library, which is not where a user looks: there
//! the stack is unwound until it leaves the library. How far up that is, is the same each time for a place in the layer whose frame
//! has a fixed size, so it is remembered, and the next call costs a look at the stack.

use std::ffi::{c_int, c_void};

use crate::loader::Object;
use crate::ranges::Ranges;

/// The code of what MPI libraries put between programs and their C functions.
static LAYERS: Ranges = Ranges::new();

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

/// Notes which of these objects are layers.
pub fn look_at(objects: &[Object]) {
    for object in objects {
        let path = object.name.to_string_lossy();
        let file = path.rsplit('/').next().unwrap_or_default();
        if LAYER_NAMES.iter().any(|name| file.starts_with(name)) {
            LAYERS.add(object);
        }
    }
}

/// How often a place has to have the same distance to its caller before that is relied on.
const SURE: u32 = 3;
/// Entries of the table, a power of two.
const PLACES: usize = 64;

/// The largest distance that is remembered. Should a frame that had one size have a smaller one now, what is read instead is still on
/// the stack: so much lies above the outermost frame of any thread.
const DISTANCE_MAX: usize = 2048;

/// How far above the wrapper's frame the return address into the program lies, of calls by a place in a layer.
#[derive(Clone, Copy, Debug, Default)]
struct Distance {
    place: usize,
    bytes: usize,
    /// How often it was found to be so in a row.
    seen: u32,
}

/// What is known of the layers' frames.
#[derive(Debug)]
pub struct Callers {
    distances: [Distance; PLACES],
}

impl Default for Callers {
    fn default() -> Callers {
        Callers { distances: [Distance::default(); PLACES] }
    }
}

impl Callers {
    /// The place in the program that called the wrapper with this frame.
    #[inline]
    pub fn of(&mut self, frame: usize) -> usize {
        let place = return_address(frame);
        if LAYERS.contain(place) { self.beyond_layer(frame, place) } else { place }
    }

    fn beyond_layer(&mut self, frame: usize, place: usize) -> usize {
        let known = &mut self.distances[(place >> 2) & (PLACES - 1)];
        if known.place == place && known.seen >= SURE {
            // SAFETY: the frames of a place in the layer have one size, so this is a word of the stack between here and the program.
            return unsafe { ((frame + known.bytes) as *const usize).read() };
        }
        let Some((caller, slot)) = unwind(frame) else { return place };
        let bytes = slot.wrapping_sub(frame);
        // SAFETY: as above; the unwinder has just read it, where return addresses are on the stack.
        let is_there = cfg!(target_arch = "x86_64") && bytes < DISTANCE_MAX && unsafe { (slot as *const usize).read() } == caller;
        let is_same = known.place == place && known.bytes == bytes;
        *known = Distance { place, bytes, seen: if is_there && is_same { known.seen + 1 } else { 0 } };
        caller
    }
}

/// Where the function of a frame returns to.
#[inline]
fn return_address(frame: usize) -> usize {
    // SAFETY: the frame is that of a wrapper, which is built with frame pointers: its caller's frame pointer, then the return address.
    unsafe { (frame as *const usize).add(1).read() }
}

/// What an unwinding looks for, and has found.
struct Search {
    /// The frame of the wrapper.
    frame: usize,
    /// The return address into the program, and where it stands.
    found: Option<(usize, usize)>,
}

unsafe extern "C" {
    fn _Unwind_Backtrace(visit: unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int, search: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
    fn _Unwind_GetCFA(context: *mut c_void) -> usize;
}

const URC_NO_REASON: c_int = 0;
const URC_NORMAL_STOP: c_int = 4;

/// The first return address above the wrapper's frame that is in no layer, and the word of the stack that holds it.
#[cold]
fn unwind(frame: usize) -> Option<(usize, usize)> {
    unsafe extern "C" fn visit(context: *mut c_void, search: *mut c_void) -> c_int {
        // SAFETY: the unwinder passes its context, and what was passed to it below.
        let (address, top, search) = unsafe { (_Unwind_GetIP(context), _Unwind_GetCFA(context), &mut *search.cast::<Search>()) };
        // Frames below the wrapper's caller are ours.
        if top <= search.frame || LAYERS.contain(address) || top == search.frame + 16 {
            return URC_NO_REASON;
        }
        search.found = Some((address, top - 8));
        URC_NORMAL_STOP
    }
    let mut search = Search { frame, found: None };
    // SAFETY: the callback has the unwinder's signature, and `search` outlives the call.
    unsafe { _Unwind_Backtrace(visit, (&raw mut search).cast()) };
    search.found
}
