//! The functions of MPI, as the table `mpi-functions` lists them: names, classes, parameters.
//!
//! The wrappers of the recorder, the vocabulary of the trace and the names in every report come from here. What a call *means*
//! is not said here: that is the simulator's business.

use std::fmt;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

include!(concat!(env!("OUT_DIR"), "/functions.rs"));

/// One function of MPI. Its number is private to this build; in a file a function goes by its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Function(pub u16);

/// What a function is for, the coarse division that the standard's chapters make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is a chapter of the standard, named as there")]
pub enum Class {
    Environment,
    PointToPoint,
    Probe,
    Partitioned,
    Completion,
    Collective,
    Communicator,
    Topology,
    Group,
    Datatype,
    Operation,
    OneSided,
    Io,
    Process,
    Session,
    Info,
    Errhandler,
    Attribute,
    Memory,
    /// MPI_T: not wrapped, it observes the library and communicates nothing.
    Tools,
    /// Handle conversions between languages: not wrapped, they are noise and may be given null handles.
    Convert,
    /// Version queries: not wrapped, programs use them to find out which library is loaded.
    Version,
    /// What the recorder saw the program do beside calling MPI: not wrapped, nobody can call it.
    Program,
}

impl Class {
    /// Whether the recorder wraps the functions of this class.
    #[must_use]
    pub fn is_recorded(self) -> bool {
        !matches!(self, Class::Tools | Class::Convert | Class::Version | Class::Program)
    }
}

/// What an argument is, which decides how it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A C `int` with no special values of its own.
    Int,
    /// A 64-bit integer: MPI_Aint, MPI_Count or MPI_Offset.
    Long,
    /// A number of elements, a C `int`.
    Count,
    /// A number of elements in a large-count function, an MPI_Count.
    Lcount,
    /// A rank of the call's communicator; a source, destination or root.
    Rank,
    /// A message tag.
    Tag,
    /// A level of thread support.
    Level,
    /// By what MPI_Comm_split_type splits.
    Split,
    /// How the elements of an array follow each other.
    Order,
    /// How a window is locked.
    Lock,
    /// What a call on a window asserts: a sum of constants.
    Assert,
    /// How a file is opened: a sum of constants.
    Amode,
    /// What an offset in a file is counted from.
    Whence,
    /// How an array is distributed along a dimension.
    Distribution,
    /// The argument of a distribution, a size.
    Darg,
    /// A class of numbers.
    Typeclass,
    /// The key of an attribute.
    Keyval,
    /// The value of an attribute: a pointer, or what a predefined one points to.
    Attribute,
    /// The address of memory that MPI gives: the address of a variable in the call, the memory's in the result.
    Base,
    /// The address of a buffer.
    Buffer,
    /// A pointer that is no message buffer: callbacks, attribute values, argument lists.
    Pointer,
    /// A C string.
    String,
    /// MPI_Comm.
    Comm,
    /// MPI_Datatype.
    Type,
    /// MPI_Op.
    Op,
    /// MPI_Group.
    Group,
    /// MPI_Request.
    Request,
    /// MPI_Message.
    Message,
    /// MPI_Win.
    Win,
    /// MPI_File.
    File,
    /// MPI_Info.
    Info,
    /// MPI_Errhandler.
    Errhandler,
    /// MPI_Session.
    Session,
    /// MPI_Status.
    Status,
}

/// Who writes an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The caller.
    In,
    /// MPI.
    Out,
    /// Both.
    InOut,
}

/// How many elements an argument has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// One, not an array.
    Scalar,
    /// As many as the parameter of this index says.
    Parameter(usize),
    /// Three for each of what the parameter of this index says (MPI_Group_range_incl).
    Triples(usize),
    /// A fixed number.
    Fixed(u32),
    /// What the last element of the array at this index says (MPI_Graph_create).
    Last(usize),
    /// The sum of the array at this index (MPI_Dist_graph_create).
    Sum(usize),
    /// The size of the communicator; of its remote group on an intercommunicator.
    CommSize,
    /// The number of neighbours that send to the caller.
    InDegree,
    /// The number of neighbours that the caller sends to.
    OutDegree,
    /// The number of dimensions of the communicator's grid.
    Dimensions,
    /// Not to be had from the arguments.
    Unknown,
}

/// One parameter of a function, in the order of the C binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The standard's name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Who writes it.
    pub direction: Direction,
    /// How many elements it has.
    pub length: Length,
    /// Whether it is significant at the root only.
    pub root_only: bool,
}

struct Entry {
    name: &'static str,
    class: Class,
    returns_double: bool,
    parameters: &'static [Parameter],
}

impl Function {
    /// A function that this build does not know: the trace was written by a newer one.
    pub const UNKNOWN: Function = Function(u16::MAX);

    /// Every function of the table, in its order.
    pub fn all() -> impl Iterator<Item = Function> {
        (0..TABLE.len()).map(|number| Function(u16::try_from(number).expect("the table has some 700 rows")))
    }

    /// The function of this name, if the table has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Function> {
        static NAMES: OnceLock<FxHashMap<&'static str, Function>> = OnceLock::new();
        NAMES.get_or_init(|| Function::all().map(|f| (f.name(), f)).collect()).get(name).copied()
    }

    fn entry(self) -> Option<&'static Entry> {
        TABLE.get(usize::from(self.0))
    }

    /// The name in the C binding, such as `MPI_Send`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().map_or("MPI_(unknown function)", |e| e.name)
    }

    /// What the function is for.
    #[must_use]
    pub fn class(self) -> Class {
        self.entry().map_or(Class::Environment, |e| e.class)
    }

    /// The parameters, in the order of the C binding.
    #[must_use]
    pub fn parameters(self) -> &'static [Parameter] {
        self.entry().map_or(&[], |e| e.parameters)
    }

    /// The position of the parameter of this name.
    #[must_use]
    pub fn parameter(self, name: &str) -> Option<usize> {
        self.parameters().iter().position(|p| p.name == name)
    }

    /// Whether it returns a time (MPI_Wtime, MPI_Wtick) and no error code.
    #[must_use]
    pub fn returns_double(self) -> bool {
        self.entry().is_some_and(|e| e.returns_double)
    }

    /// The function without large counts: `MPI_Send` for `MPI_Send_c`, itself for all others.
    #[must_use]
    pub fn small(self) -> Function {
        self.name().strip_suffix("_c").and_then(Function::named).unwrap_or(self)
    }

    /// The parameter that names the communicator all of whose members make this call together, in the same order as all others of its kind.
    #[must_use]
    pub fn gathers(self) -> Option<&'static str> {
        Some(match self.small() {
            mpi::COMM_DUP
            | mpi::COMM_DUP_WITH_INFO
            | mpi::COMM_IDUP
            | mpi::COMM_IDUP_WITH_INFO
            | mpi::COMM_SPLIT
            | mpi::COMM_SPLIT_TYPE
            | mpi::COMM_CREATE
            | mpi::COMM_SPAWN
            | mpi::COMM_SPAWN_MULTIPLE
            | mpi::COMM_ACCEPT
            | mpi::COMM_CONNECT
            | mpi::COMM_DISCONNECT
            | mpi::CART_SUB => "comm",
            mpi::CART_CREATE | mpi::GRAPH_CREATE | mpi::DIST_GRAPH_CREATE | mpi::DIST_GRAPH_CREATE_ADJACENT => "comm_old",
            mpi::INTERCOMM_MERGE => "intercomm",
            mpi::INTERCOMM_CREATE => "local_comm",
            _ if self.class() == Class::Collective && self.parameter("comm").is_some() => "comm",
            _ => return None,
        })
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_all_functions_of_mpi_5() {
        // 531 procedures and 159 large-count forms in the standard's own data, and ten of MPI-1.
        assert_eq!(Function::all().filter(|f| f.class() != Class::Program).count(), 700);
    }

    #[test]
    fn a_row_becomes_what_it_says() {
        let f = mpi::IGATHERV;
        assert_eq!((f.name(), f.class()), ("MPI_Igatherv", Class::Collective));
        let counts = f.parameters()[f.parameter("recvcounts").unwrap()];
        assert_eq!((counts.kind, counts.length, counts.root_only), (Kind::Count, Length::CommSize, true));
        assert_eq!(mpi::SEND_C.small(), mpi::SEND);
        assert_eq!([mpi::BCAST_C, mpi::CART_CREATE, mpi::SEND].map(Function::gathers), [Some("comm"), Some("comm_old"), None]);
    }
}
