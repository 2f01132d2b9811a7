//! The ways in which MPI libraries differ, seen from outside: handles, special values, the layout of a status.
//!
//! Three families cover them: Open MPI, MPICH (with Intel MPI, MVAPICH and others of its ABI), and the standard ABI of MPI 5.0. Which
//! one it is, is found at the first call.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use traces::constant::{self, Native, UNDEFINED};
use traces::{Kind, Status, mpi};

use crate::real;

/// A family of MPI libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyAbi {
    /// Handles are pointers to variables of the library.
    Openmpi,
    /// Handles are C ints; MPI_File is a pointer.
    Mpich,
    /// Handles are pointers; predefined ones are small numbers.
    Standard,
}

/// What there is to know of the library at hand.
#[derive(Debug)]
pub struct Abi {
    family: FamilyAbi,
    /// Bytes of a status.
    pub status_bytes: usize,
    /// MPI_STATUS_IGNORE, and MPI_STATUSES_IGNORE, which is the same in all.
    pub status_ignore: usize,
    /// MPI_REQUEST_NULL.
    pub request_null: u64,
    in_place: usize,
    ranks: Vec<(i32, i64)>,
    any_tag: i32,
    /// Integers that stand for something else than a number.
    words: Vec<(Kind, i32, i64)>,
    /// Constants that are added up.
    flags: Vec<(Kind, i32, i64)>,
    predefined: FxHashMap<(u8, u64), i64>,
    natives: FxHashMap<(u8, i64), u64>,
}

/// The kinds of such integers.
const WORDS: [Kind; 9] = [
    Kind::Level,
    Kind::Split,
    Kind::Order,
    Kind::Lock,
    Kind::Whence,
    Kind::Distribution,
    Kind::Darg,
    Kind::Typeclass,
    Kind::Keyval,
];
/// The kinds of those that are added up.
const FLAGS: [Kind; 2] = [Kind::Assert, Kind::Amode];

static ABI: OnceLock<Abi> = OnceLock::new();

/// The ABI of the library that is loaded. Ask only when there is one.
#[inline]
pub fn abi() -> &'static Abi {
    ABI.get_or_init(Abi::detect)
}

impl Abi {
    /// The order of the questions matters: Open MPI has its own variables under the standard ABI too, and libraries with older ABIs
    /// answer the version query with −1.
    fn detect() -> Abi {
        let mut version = [-1i32; 2];
        if let Some(query) = real::symbol(c"MPI_Abi_get_version") {
            let arguments = [(&raw mut version[0]) as usize, (&raw mut version[1]) as usize];
            // SAFETY: MPI_Abi_get_version takes two addresses of ints, at any time.
            unsafe { real::invoke(query, &arguments) };
        }
        let family = if version[0] > 0 {
            FamilyAbi::Standard
        } else if real::variable(c"ompi_mpi_comm_world").is_some() {
            FamilyAbi::Openmpi
        } else {
            FamilyAbi::Mpich
        };
        Abi::of(family)
    }

    fn of(family: FamilyAbi) -> Abi {
        let native = |c: &constant::Constant| match family {
            FamilyAbi::Openmpi => c.openmpi,
            FamilyAbi::Mpich => c.mpich,
            FamilyAbi::Standard => Native::Value(c.value),
        };
        let value = |c: &constant::Constant| match native(c) {
            Native::Absent => None,
            Native::Symbol(name) => real::variable(name).map(|a| a as i64),
            Native::Value(value) => Some(value),
        };
        let all = |kind: Kind| constant::all().iter().filter(move |c| c.kind == kind);
        let small = |kind: Kind| all(kind).filter_map(|c| Some((value(c)? as i32, c.value))).collect::<Vec<_>>();
        let is_handle =
            |kind| !WORDS.contains(&kind) && !FLAGS.contains(&kind) && !matches!(kind, Kind::Rank | Kind::Tag | Kind::Buffer);
        let all_of = |kinds: &[Kind]| {
            let small = |&kind: &Kind| small(kind).into_iter().map(move |(native, value)| (kind, native, value));
            kinds.iter().flat_map(small).collect::<Vec<_>>()
        };
        let handles = constant::all().iter().filter(|c| is_handle(c.kind));
        let raw: Vec<_> = handles.filter_map(|c| Some((c.kind as u8, value(c)? as u64, c.value))).collect();
        Abi {
            family,
            status_bytes: match family {
                FamilyAbi::Openmpi => 24,
                FamilyAbi::Mpich => 20,
                FamilyAbi::Standard => 32,
            },
            status_ignore: usize::from(family == FamilyAbi::Mpich),
            request_null: all(Kind::Request).find_map(value).unwrap_or(0) as u64,
            in_place: all(Kind::Buffer).find_map(value).unwrap_or(1) as usize,
            any_tag: all(Kind::Tag).find_map(value).unwrap_or(-1) as i32,
            ranks: small(Kind::Rank),
            words: all_of(&WORDS),
            flags: all_of(&FLAGS),
            predefined: raw.iter().map(|&(kind, raw, value)| ((kind, raw), value)).collect(),
            natives: raw.iter().map(|&(kind, raw, value)| ((kind, value), raw)).collect(),
        }
    }

    /// Whether handles of this kind are C ints.
    #[inline]
    fn is_int(&self, kind: Kind) -> bool {
        self.family == FamilyAbi::Mpich && kind != Kind::File
    }

    /// The bytes of a handle in memory.
    #[inline]
    pub fn handle_bytes(&self, kind: Kind) -> usize {
        if self.is_int(kind) { 4 } else { 8 }
    }

    /// The handle that an argument is.
    #[inline]
    pub fn handle(&self, kind: Kind, argument: usize) -> u64 {
        if self.is_int(kind) { u64::from(argument as u32) } else { argument as u64 }
    }

    /// The `index`th handle at an address.
    ///
    /// # Safety
    /// So many handles lie there.
    #[inline]
    pub unsafe fn handle_at(&self, kind: Kind, address: usize, index: usize) -> u64 {
        // SAFETY: the caller vouches for the memory.
        unsafe {
            if self.is_int(kind) {
                u64::from((address as *const u32).add(index).read_unaligned())
            } else {
                (address as *const u64).add(index).read_unaligned()
            }
        }
    }

    /// The predefined handle that this is, by its number in the standard ABI.
    pub fn predefined(&self, kind: Kind, handle: u64) -> Option<i64> {
        self.predefined.get(&(kind as u8, handle)).copied()
    }

    /// This library's handle for a predefined one, as an argument.
    pub fn native(&self, kind: Kind, value: i64) -> Option<usize> {
        self.natives.get(&(kind as u8, value)).map(|&raw| raw as usize)
    }

    /// A rank, source, destination or root, special values as in the standard ABI.
    #[inline]
    pub fn rank(&self, rank: i32) -> i64 {
        if rank >= 0 {
            return i64::from(rank);
        }
        self.ranks.iter().find(|(native, _)| *native == rank).map_or(i64::from(rank), |(_, value)| *value)
    }

    /// A tag.
    #[inline]
    pub fn tag(&self, tag: i32) -> i64 {
        if tag == self.any_tag { constant::ANY_TAG } else { i64::from(tag) }
    }

    /// An integer that stands for something else than a number.
    pub fn word(&self, kind: Kind, word: i32) -> i64 {
        let found = self.words.iter().find(|(of, native, _)| *of == kind && *native == word);
        found.map_or(i64::from(word), |(_, _, value)| *value)
    }

    /// What the library calls an integer that stands for something else than a number.
    pub fn native_word(&self, kind: Kind, value: i64) -> Option<i32> {
        self.words.iter().find(|(of, _, known)| *of == kind && *known == value).map(|(_, native, _)| *native)
    }

    /// The key of an attribute, and whether it is a predefined one. Those that the program makes are numbered by the library.
    pub fn keyval(&self, key: i32) -> (i64, bool) {
        let found = self.words.iter().find(|(of, native, _)| *of == Kind::Keyval && *native == key);
        found.map_or((constant::FIRST_MADE + i64::from(key as u32), false), |(_, _, value)| (*value, true))
    }

    /// A sum of constants; what is none of them is left out.
    pub fn flags(&self, kind: Kind, sum: i32) -> i64 {
        let set = self.flags.iter().filter(|(of, native, _)| *of == kind && sum & native == *native);
        set.fold(0, |sum, (_, _, value)| sum | value)
    }

    /// A buffer's address; MPI_IN_PLACE as in the standard ABI.
    #[inline]
    pub fn buffer(&self, address: usize) -> i64 {
        if address == self.in_place { constant::IN_PLACE } else { address as i64 }
    }

    /// Reads the `index`th status at an address.
    ///
    /// # Safety
    /// So many statuses lie there, and the library has filled them.
    pub unsafe fn status_at(&self, address: usize, index: usize) -> Status {
        let at = address + index * self.status_bytes;
        // SAFETY: the caller vouches for the memory; offsets are within a status of this family.
        let word = |offset: usize| unsafe { ((at + offset) as *const i32).read_unaligned() };
        let (source, tag, bytes, cancelled) = match self.family {
            FamilyAbi::Mpich => {
                let (low, high) = (word(0) as u32, word(4) as u32);
                (word(8), word(12), i64::from(low) | i64::from(high >> 1) << 32, high & 1 != 0)
            }
            FamilyAbi::Openmpi => {
                // SAFETY: as above; Open MPI keeps the bytes in a size_t.
                let bytes = unsafe { ((at + 16) as *const u64).read_unaligned() };
                (word(0), word(4), bytes as i64, word(12) != 0)
            }
            FamilyAbi::Standard => (word(0), word(4), standard_bytes(at), is_cancelled(at)),
        };
        Status { source: self.rank(source), tag: self.tag(tag), bytes, cancelled }
    }
}

/// The standard ABI does not say where the bytes of a message stand in a status, so the library is asked.
fn standard_bytes(status: usize) -> i64 {
    let byte = abi().native(Kind::Type, constant::BYTE).unwrap_or(0);
    let mut count = UNDEFINED as i32;
    // SAFETY: status and address are valid, MPI_BYTE is predefined.
    let code = unsafe { real::pmpi(mpi::GET_COUNT, [status, byte, (&raw mut count) as usize]) };
    if code == Some(0) && count >= 0 { i64::from(count) } else { -1 }
}

/// Whether a status of the standard ABI is that of an operation that was cancelled: the library is asked for that, too.
fn is_cancelled(status: usize) -> bool {
    let mut flag = 0i32;
    // SAFETY: status and address are valid.
    let code = unsafe { real::pmpi(mpi::TEST_CANCELLED, [status, (&raw mut flag) as usize]) };
    code == Some(0) && flag != 0
}
