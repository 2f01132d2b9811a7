//! The real MPI functions: where they are, whatever way the library was loaded.
//!
//! A library linked to the program is found behind us in the search order (RTLD_NEXT). One that Python or Julia loaded privately is
//! not; then the loaded objects are asked one by one. Two MPI libraries in one process are not told apart.

use std::ffi::CString;
use std::sync::atomic::{AtomicUsize, Ordering};

use traces::Function;

use crate::loader;
use crate::wrapper::Family;

/// More than the table has functions.
const FUNCTIONS: usize = 1024;

static MPI: [AtomicUsize; FUNCTIONS] = [const { AtomicUsize::new(0) }; FUNCTIONS];
static PMPI: [AtomicUsize; FUNCTIONS] = [const { AtomicUsize::new(0) }; FUNCTIONS];
/// The handle of the MPI library, once it was found by search; 0 before.
static PROVIDER: AtomicUsize = AtomicUsize::new(0);

/// The real function behind a wrapper: `MPI_x` for `MPI_x`, so that another tool loaded after us still works. None if there is none.
#[inline]
pub fn function(function: Function, family: Family) -> Option<usize> {
    let table = match family {
        Family::Mpi => &MPI,
        Family::Pmpi => &PMPI,
    };
    let cell = table.get(usize::from(function.0))?;
    match cell.load(Ordering::Relaxed) {
        0 => find(function, family).inspect(|&a| cell.store(a, Ordering::Relaxed)),
        address => Some(address),
    }
}

#[cold]
fn find(function: Function, family: Family) -> Option<usize> {
    let pmpi = CString::new(format!("P{}", function.name())).ok()?;
    let mpi = CString::new(function.name()).ok()?;
    match family {
        Family::Mpi => symbol(&mpi).or_else(|| symbol(&pmpi)),
        Family::Pmpi => symbol(&pmpi).or_else(|| symbol(&mpi)),
    }
}

/// The address of a function of the MPI library.
pub fn symbol(name: &std::ffi::CStr) -> Option<usize> {
    loader::next_symbol(name).or_else(|| loader::symbol_in(provider()?, name))
}

/// The address of a variable of the MPI library. The program's own copy of it, where there is one, is the true one.
pub fn variable(name: &std::ffi::CStr) -> Option<usize> {
    loader::program_symbol(name).or_else(|| symbol(name))
}

/// Whether an MPI library is there at all.
pub fn is_loaded() -> bool {
    symbol(c"PMPI_Init").is_some()
}

/// The program has asked this library for an MPI function: it will be the one in use.
pub fn remember_provider(handle: usize) {
    let _ = PROVIDER.compare_exchange(0, handle, Ordering::Relaxed, Ordering::Relaxed);
}

fn provider() -> Option<usize> {
    let known = PROVIDER.load(Ordering::Relaxed);
    if known != 0 {
        return Some(known);
    }
    let named = loader::objects().into_iter().filter(|o| !o.name.is_empty());
    let handles = named.filter_map(|o| loader::handle_of(&o.name));
    let found = handles.into_iter().find(|&h| loader::symbol_in(h, c"PMPI_Init").is_some())?;
    PROVIDER.store(found, Ordering::Relaxed);
    Some(found)
}

/// Calls a function of any arity with machine words.
///
/// # Safety
/// `address` is a C function that takes these arguments.
#[inline(always)]
pub unsafe fn invoke<const N: usize>(address: usize, a: &[usize; N]) -> usize {
    type W = usize;
    macro_rules! arity {
        ($($i:literal)*) => {{
            // SAFETY: the caller vouches for the signature.
            let f: unsafe extern "C-unwind" fn($(arity!(@word $i)),*) -> W = unsafe { std::mem::transmute(address) };
            // SAFETY: as above.
            unsafe { f($(a[$i]),*) }
        }};
        (@word $i:literal) => { W };
    }
    match N {
        0 => arity!(),
        1 => arity!(0),
        2 => arity!(0 1),
        3 => arity!(0 1 2),
        4 => arity!(0 1 2 3),
        5 => arity!(0 1 2 3 4),
        6 => arity!(0 1 2 3 4 5),
        7 => arity!(0 1 2 3 4 5 6),
        8 => arity!(0 1 2 3 4 5 6 7),
        9 => arity!(0 1 2 3 4 5 6 7 8),
        10 => arity!(0 1 2 3 4 5 6 7 8 9),
        11 => arity!(0 1 2 3 4 5 6 7 8 9 10),
        12 => arity!(0 1 2 3 4 5 6 7 8 9 10 11),
        13 => arity!(0 1 2 3 4 5 6 7 8 9 10 11 12),
        _ => unreachable!("no function of MPI has more than 13 parameters"),
    }
}

/// Calls a function of the MPI library from inside a wrapper, as a tool does; the error code, or None if the library lacks it.
///
/// # Safety
/// The arguments are those of the function, and valid.
pub unsafe fn pmpi<const N: usize>(name: Function, a: [usize; N]) -> Option<i32> {
    let address = function(name, Family::Pmpi)?;
    // SAFETY: the caller vouches for the arguments.
    Some(unsafe { invoke(address, &a) } as i32)
}
