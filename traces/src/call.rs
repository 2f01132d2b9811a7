//! One recorded call: its arguments, and what came back.
//!
//! Calls and outcomes repeat, so a trace holds each distinct one once and its events refer to them by number. That keeps a trace
//! small, and lets a reader do its thinking once a shape and not once a call.

use crate::constant;
use crate::function::{Direction, Function, Kind};
use crate::site::{Frame, FrameId, SiteId};

/// An argument, or a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// Nothing: the argument is not significant on this rank, only written by MPI, a null pointer, or could not be known.
    #[default]
    Nil,
    /// A number: an integer, an address, or a handle (its number in the standard ABI, or from
    /// [`FIRST_MADE`](constant::FIRST_MADE) on for handles that the program made).
    Int(i64),
    /// An array.
    Ints(Box<[i64]>),
    /// A string.
    Text(Box<str>),
}

impl Value {
    /// The number, if it is one.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The array; empty if it is none.
    #[must_use]
    pub fn ints(&self) -> &[i64] {
        match self {
            Value::Ints(list) => list,
            _ => &[],
        }
    }
}

/// A call as it was made. Arrays stand as the program passed them; handles as numbers that stay the same over the handle's life:
///
/// * a communicator: the same number on all its members;
/// * a request: the lowest number that is free, so that a loop makes the same calls each time round;
/// * a window, a file: the same number on all its members;
/// * datatypes, groups, operations and all others: counted by each process, never used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Which function.
    pub function: Function,
    /// The place in the program that called it, if it could be had.
    pub site: Option<SiteId>,
    /// Who called the function that this place is in, as far as it was recorded.
    pub caller: Option<FrameId>,
    /// One value a parameter, in the order of the C binding. Nil where MPI only writes, but for a status that the program does not want:
    /// [`STATUS_IGNORE`](constant::STATUS_IGNORE).
    pub arguments: Box<[Value]>,
}

impl Call {
    /// Where it was made, and who had called that function; None if that was not recorded.
    #[must_use]
    pub fn frame(&self) -> Option<Frame> {
        self.site.map(|site| Frame { site, caller: self.caller })
    }

    /// The argument of this name. Nil if the function has none of that name.
    #[must_use]
    pub fn argument(&self, name: &str) -> &Value {
        self.function.parameter(name).and_then(|at| self.arguments.get(at)).unwrap_or(&Value::Nil)
    }

    /// The number that is the argument of this name.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        self.argument(name).int()
    }

    /// The array that is the argument of this name.
    #[must_use]
    pub fn ints(&self, name: &str) -> &[i64] {
        self.argument(name).ints()
    }

    /// Whether the program gave MPI_STATUS_IGNORE or MPI_STATUSES_IGNORE, and so cannot look at the status. Older recorders did not say it: then it is
    /// taken to look.
    #[must_use]
    pub fn ignores_statuses(&self) -> bool {
        let is_status = |p: &crate::function::Parameter| p.kind == Kind::Status && p.direction != Direction::In;
        let at = self.function.parameters().iter().position(is_status);
        at.and_then(|at| self.arguments.get(at)?.int()) == Some(constant::STATUS_IGNORE)
    }

    /// The call as a line of C, with constants by name: `MPI_Recv(0x7ffc…, 1, MPI_INT, 1, 7, MPI_COMM_WORLD, …)`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let arguments = self.function.parameters().iter().zip(&self.arguments);
        let list: Vec<String> = arguments
            .filter(|(p, _)| p.direction != Direction::Out || p.kind == Kind::Buffer)
            .map(|(p, value)| format!("{}={}", p.name, value_text(p.kind, value)))
            .collect();
        format!("{}({})", self.function, list.join(", "))
    }
}

/// A value as a person would write it.
#[must_use]
pub fn value_text(kind: Kind, value: &Value) -> String {
    let one = |i: i64| match (kind, constant::find(kind, i)) {
        (_, Some(constant)) => constant.name.to_owned(),
        (Kind::Comm | Kind::Request | Kind::Type | Kind::Win | Kind::File, None) if i == constant::UNKNOWN_HANDLE => {
            "an unknown handle".to_owned()
        }
        (Kind::Comm | Kind::Type | Kind::Win | Kind::File, None) if i == constant::FREED_HANDLE => "a freed handle".to_owned(),
        (Kind::Buffer | Kind::Pointer | Kind::Attribute | Kind::Base, None) => format!("{i:#x}"),
        (Kind::Assert | Kind::Amode, None) if i > 0 => flags_text(kind, i),
        (Kind::Int, None) if i == constant::UNDEFINED => "MPI_UNDEFINED".to_owned(),
        (Kind::Comm, None) => format!("comm-{:04x}", i & 0xffff),
        (Kind::Request, None) => format!("request-{}", i - constant::FIRST_MADE),
        (Kind::Type, None) => format!("type-{}", i - constant::FIRST_MADE),
        (Kind::Keyval, None) => format!("keyval-{}", i - constant::FIRST_MADE),
        (Kind::Win, None) => format!("win-{:04x}", i & 0xffff),
        (Kind::File, None) => format!("file-{:04x}", i & 0xffff),
        _ => i.to_string(),
    };
    match value {
        Value::Nil => "-".to_owned(),
        Value::Int(i) => one(*i),
        Value::Text(text) => format!("{text:?}"),
        Value::Ints(list) if list.len() > 8 => {
            let head: Vec<String> = list[..8].iter().map(|i| one(*i)).collect();
            format!("[{}, … {} in all]", head.join(", "), list.len())
        }
        Value::Ints(list) => format!("[{}]", list.iter().map(|i| one(*i)).collect::<Vec<_>>().join(", ")),
    }
}

/// A sum of constants as a program writes it: `MPI_MODE_CREATE|MPI_MODE_WRONLY`.
fn flags_text(kind: Kind, sum: i64) -> String {
    let parts = constant::all().iter().filter(|c| c.kind == kind && sum & c.value == c.value);
    let rest = parts.clone().fold(sum, |rest, c| rest & !c.value);
    let names = parts.map(|c| c.name.to_owned()).chain((rest != 0).then(|| rest.to_string()));
    names.collect::<Vec<_>>().join("|")
}

/// What came back from a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// What it returned: 0 is MPI_SUCCESS, the rest is the library's own.
    pub code: i32,
    /// One value a parameter; Nil where MPI only reads.
    ///
    /// * a status: `[source, tag, bytes, cancelled]`, with source [`UNDEFINED`](constant::UNDEFINED) where the standard leaves it
    ///   undefined (a completed send), and bytes −1 where they are not known. An array of statuses: four numbers each, one status for
    ///   each completed request (one for each request where all complete).
    /// * a new communicator: `[id, members of the local group, their ranks in MPI_COMM_WORLD…, those of the remote group…]`; see
    ///   [`Trace::rank_of`](crate::Trace::rank_of) for members of other worlds;
    /// * requests that a completion call has set to null: Nil, the other results say which.
    pub results: Box<[Value]>,
}

/// A status, as [`Outcome::statuses`] reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The rank that sent, in the receive's communicator; MPI_UNDEFINED if the status means nothing.
    pub source: i64,
    /// The tag that it sent.
    pub tag: i64,
    /// The bytes of the message; −1 if not known.
    pub bytes: i64,
    /// Whether the operation was cancelled.
    pub cancelled: bool,
}

impl Status {
    /// In place of bytes, of a request that received no message: it fetched data, and a word is its digest.
    pub const FETCHED: i64 = -2;
    /// In place of bytes, of a send: its buffer is not what it was when the send was started, and a word is the digest of what it is.
    pub const CHANGED: i64 = -3;
}

impl Outcome {
    /// The result of the parameter of this name of `function`.
    #[must_use]
    pub fn result(&self, function: Function, name: &str) -> &Value {
        function.parameter(name).and_then(|at| self.results.get(at)).unwrap_or(&Value::Nil)
    }

    /// The statuses that the call returned, in the order of its array.
    pub fn statuses(&self, function: Function) -> impl Iterator<Item = Status> {
        let at = function.parameters().iter().position(|p| p.kind == Kind::Status && p.direction != Direction::In);
        let numbers = at.and_then(|at| self.results.get(at)).map_or(&[][..], Value::ints);
        numbers.chunks_exact(4).map(|n| Status { source: n[0], tag: n[1], bytes: n[2], cancelled: n[3] != 0 })
    }

    /// The communicator that the call made: its id, and the members of its local and its remote group, as [`Trace::rank_of`](crate::Trace::rank_of)
    /// knows them.
    #[must_use]
    pub fn new_communicator(&self, function: Function) -> Option<(i64, &[i64], &[i64])> {
        let at = function.parameters().iter().position(|p| p.kind == Kind::Comm && p.direction != Direction::In)?;
        let numbers = self.results.get(at)?.ints();
        let (&id, rest) = numbers.split_first()?;
        let (&members, ranks) = rest.split_first()?;
        let (local, remote) = ranks.split_at_checked(usize::try_from(members).ok()?)?;
        Some((id, local, remote))
    }
}
