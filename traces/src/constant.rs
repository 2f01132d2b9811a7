//! The predefined handles and the special integers of MPI, from the table `mpi-constants`.
//!
//! A trace speaks the standard ABI of MPI 5.0 (chapter 20) whatever library was recorded: MPI_INT is 0x209 and MPI_ANY_TAG is -2.
//! Handles that the program made have numbers from [`FIRST_MADE`] on, which no predefined handle has.

use std::ffi::CStr;

use crate::function::Kind;

include!(concat!(env!("OUT_DIR"), "/constants.rs"));

/// A handle that the recorder does not know: never made, or made by a call that is not recorded.
pub const UNKNOWN_HANDLE: i64 = 0;
/// A handle that the recorder does not know any more: the program has freed it.
pub const FREED_HANDLE: i64 = -1;
/// The first number of a handle that the program made.
pub const FIRST_MADE: i64 = 0x1000;
/// MPI_ANY_SOURCE.
pub const ANY_SOURCE: i64 = -1;
/// MPI_PROC_NULL.
pub const PROC_NULL: i64 = -3;
/// MPI_ROOT, the root's own group in a collective on an intercommunicator.
pub const ROOT: i64 = -4;
/// MPI_ANY_TAG.
pub const ANY_TAG: i64 = -2;
/// MPI_TAG_UB, the key of an attribute.
pub const TAG_UB: i64 = 501;
/// MPI_UNDEFINED.
pub const UNDEFINED: i64 = -32766;
/// MPI_STATUS_IGNORE, and MPI_STATUSES_IGNORE.
pub const STATUS_IGNORE: i64 = 0;
/// MPI_IN_PLACE.
pub const IN_PLACE: i64 = 1;
/// MPI_COMM_NULL.
pub const COMM_NULL: i64 = 0x100;
/// MPI_COMM_WORLD.
pub const COMM_WORLD: i64 = 0x101;
/// MPI_COMM_SELF.
pub const COMM_SELF: i64 = 0x102;
/// MPI_GROUP_NULL.
pub const GROUP_NULL: i64 = 0x108;
/// MPI_GROUP_EMPTY.
pub const GROUP_EMPTY: i64 = 0x109;
/// MPI_REQUEST_NULL.
pub const REQUEST_NULL: i64 = 0x180;
/// MPI_MESSAGE_NULL.
pub const MESSAGE_NULL: i64 = 0x128;
/// MPI_MESSAGE_NO_PROC, what a matched probe of MPI_PROC_NULL returns.
pub const MESSAGE_NO_PROC: i64 = 0x129;
/// MPI_DATATYPE_NULL.
pub const DATATYPE_NULL: i64 = 0x200;
/// MPI_PACKED.
pub const PACKED: i64 = 0x207;
/// MPI_BYTE.
pub const BYTE: i64 = 0x247;
/// MPI_ORDER_C.
pub const ORDER_C: i64 = 12;
/// MPI_DISTRIBUTE_NONE.
pub const DISTRIBUTE_NONE: i64 = 16;
/// MPI_DISTRIBUTE_BLOCK.
pub const DISTRIBUTE_BLOCK: i64 = 17;
/// MPI_DISTRIBUTE_CYCLIC.
pub const DISTRIBUTE_CYCLIC: i64 = 18;
/// MPI_DISTRIBUTE_DFLT_DARG.
pub const DISTRIBUTE_DFLT_DARG: i64 = 19;
/// MPI_LOCK_EXCLUSIVE.
pub const LOCK_EXCLUSIVE: i64 = 301;
/// MPI_LOCK_SHARED.
pub const LOCK_SHARED: i64 = 302;
/// MPI_MODE_NOPRECEDE.
pub const MODE_NOPRECEDE: i64 = 2048;
/// MPI_MODE_NOSUCCEED.
pub const MODE_NOSUCCEED: i64 = 16384;
/// MPI_MODE_APPEND.
pub const MODE_APPEND: i64 = 1;
/// MPI_SEEK_SET.
pub const SEEK_SET: i64 = 403;
/// MPI_SEEK_CUR.
pub const SEEK_CUR: i64 = 401;
/// MPI_WIN_NULL.
pub const WIN_NULL: i64 = 0x110;
/// MPI_FILE_NULL.
pub const FILE_NULL: i64 = 0x118;
/// MPI_INFO_NULL.
pub const INFO_NULL: i64 = 0x130;
/// MPI_OP_NULL.
pub const OP_NULL: i64 = 0x20;
/// MPI_NO_OP.
pub const NO_OP: i64 = 0x3d;

/// What a family of MPI libraries calls a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    /// It has none.
    Absent,
    /// The address of this symbol (Open MPI).
    Symbol(&'static CStr),
    /// This number.
    Value(i64),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Which arguments it may stand in.
    pub kind: Kind,
    /// The standard's name.
    pub name: &'static str,
    /// The standard ABI's value, which is the trace's.
    pub value: i64,
    /// The bytes of an element, for a datatype on the 64-bit Linux ABIs; else 0.
    pub bytes: u32,
    /// Open MPI's.
    pub openmpi: Native,
    /// MPICH's, and that of its ABI family.
    pub mpich: Native,
}

/// Every row of the table.
#[must_use]
pub fn all() -> &'static [Constant] {
    &CONSTANTS
}

/// The constant that `value` is in an argument of this kind.
#[must_use]
pub fn find(kind: Kind, value: i64) -> Option<&'static Constant> {
    CONSTANTS.iter().find(|c| c.kind == kind && c.value == value)
}

/// The bytes of one element of a predefined datatype.
#[must_use]
pub fn type_bytes(datatype: i64) -> Option<u32> {
    find(Kind::Type, datatype).map(|c| c.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_values_are_the_tables() {
        let value = |kind, name| CONSTANTS.iter().find(|c| c.kind == kind && c.name == name).map(|c| c.value);
        for (kind, name, expected) in [
            (Kind::Rank, "MPI_ANY_SOURCE", ANY_SOURCE),
            (Kind::Rank, "MPI_PROC_NULL", PROC_NULL),
            (Kind::Rank, "MPI_ROOT", ROOT),
            (Kind::Tag, "MPI_ANY_TAG", ANY_TAG),
            (Kind::Buffer, "MPI_IN_PLACE", IN_PLACE),
            (Kind::Comm, "MPI_COMM_NULL", COMM_NULL),
            (Kind::Comm, "MPI_COMM_WORLD", COMM_WORLD),
            (Kind::Comm, "MPI_COMM_SELF", COMM_SELF),
            (Kind::Group, "MPI_GROUP_NULL", GROUP_NULL),
            (Kind::Group, "MPI_GROUP_EMPTY", GROUP_EMPTY),
            (Kind::Request, "MPI_REQUEST_NULL", REQUEST_NULL),
            (Kind::Message, "MPI_MESSAGE_NULL", MESSAGE_NULL),
            (Kind::Message, "MPI_MESSAGE_NO_PROC", MESSAGE_NO_PROC),
            (Kind::Type, "MPI_DATATYPE_NULL", DATATYPE_NULL),
            (Kind::Type, "MPI_PACKED", PACKED),
            (Kind::Type, "MPI_BYTE", BYTE),
            (Kind::Order, "MPI_ORDER_C", ORDER_C),
            (Kind::Distribution, "MPI_DISTRIBUTE_NONE", DISTRIBUTE_NONE),
            (Kind::Distribution, "MPI_DISTRIBUTE_BLOCK", DISTRIBUTE_BLOCK),
            (Kind::Distribution, "MPI_DISTRIBUTE_CYCLIC", DISTRIBUTE_CYCLIC),
            (Kind::Darg, "MPI_DISTRIBUTE_DFLT_DARG", DISTRIBUTE_DFLT_DARG),
            (Kind::Lock, "MPI_LOCK_EXCLUSIVE", LOCK_EXCLUSIVE),
            (Kind::Lock, "MPI_LOCK_SHARED", LOCK_SHARED),
            (Kind::Assert, "MPI_MODE_NOPRECEDE", MODE_NOPRECEDE),
            (Kind::Assert, "MPI_MODE_NOSUCCEED", MODE_NOSUCCEED),
            (Kind::Amode, "MPI_MODE_APPEND", MODE_APPEND),
            (Kind::Whence, "MPI_SEEK_SET", SEEK_SET),
            (Kind::Whence, "MPI_SEEK_CUR", SEEK_CUR),
            (Kind::Win, "MPI_WIN_NULL", WIN_NULL),
            (Kind::File, "MPI_FILE_NULL", FILE_NULL),
            (Kind::Info, "MPI_INFO_NULL", INFO_NULL),
            (Kind::Op, "MPI_NO_OP", NO_OP),
            (Kind::Op, "MPI_OP_NULL", OP_NULL),
        ] {
            assert_eq!(value(kind, name), Some(expected), "{name}");
        }
        assert_eq!(type_bytes(0x209), Some(4), "MPI_INT");
    }
}
