//! Arguments that no call may have, by the standard, whatever happens in the run.
//!
//! Only what is certain: what a library ignores in a call is not looked at, and what is not known of a communicator is no fault.

use traces::constant::{ANY_SOURCE, ANY_TAG, COMM_NULL, COMM_WORLD, DATATYPE_NULL, IN_PLACE, PROC_NULL, UNKNOWN_HANDLE};
use traces::function::{Class, Direction, Kind};
use traces::{Call, Value};

use super::collectives::blocking_form;
use super::communicators::Communicators;

/// What is wrong with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The communicator is MPI_COMM_NULL.
    Communicator,
    /// A rank that the communicator does not have; its size.
    Rank(usize),
    /// A number of elements below zero.
    Count,
    /// A tag below zero that stands for nothing.
    Tag,
    /// MPI_DATATYPE_NULL for some elements.
    Datatype,
    /// A handle that stands for nothing: it was freed, or never made.
    Handle,
}

/// The first argument of a call that is wrong for certain, by name, with its value.
pub(crate) fn find(call: &Call, rank: u32, communicators: &Communicators) -> Option<(&'static str, i64, Fault)> {
    let class = call.function.class();
    let is_collective = blocking_form(call.function.small()).is_some();
    if class == Class::Completion {
        return stale_request(call);
    }
    if !is_collective && !matches!(class, Class::PointToPoint | Class::Probe) {
        return None;
    }
    let comm = call.int("comm");
    if comm == Some(COMM_NULL) {
        return Some(("comm", COMM_NULL, Fault::Communicator));
    }
    if comm == Some(UNKNOWN_HANDLE) {
        return Some(("comm", UNKNOWN_HANDLE, Fault::Handle));
    }
    let view = communicators.view(comm.unwrap_or(COMM_WORLD), rank);
    // In an intercommunicator much is ignored, and what, depends on the root.
    if is_collective && view.is_none_or(|view| view.is_inter) {
        return None;
    }
    let size = view.map(|view| view.peers.ranks.len());
    let parameters = call.function.parameters().iter().filter(|p| p.direction != Direction::Out);
    parameters.into_iter().find_map(|parameter| {
        let value = match call.argument(parameter.name) {
            Value::Int(value) => *value,
            _ => return None,
        };
        fault(call, (parameter.name, parameter.kind, value), size).map(|fault| (parameter.name, value, fault))
    })
}

fn fault(call: &Call, (name, kind, value): (&str, Kind, i64), size: Option<usize>) -> Option<Fault> {
    if is_ignored(call, name) {
        return None;
    }
    match kind {
        Kind::Rank => {
            let is_special = name != "root" && (value == PROC_NULL || (name == "source" && value == ANY_SOURCE));
            let size = size?;
            let is_member = usize::try_from(value).is_ok_and(|value| value < size);
            (!is_special && !is_member).then_some(Fault::Rank(size))
        }
        Kind::Count | Kind::Lcount => (value < 0).then_some(Fault::Count),
        Kind::Tag => {
            let receives = call.function.parameter("source").is_some() && name != "sendtag";
            (value < 0 && !(receives && value == ANY_TAG)).then_some(Fault::Tag)
        }
        Kind::Op => (value == UNKNOWN_HANDLE).then_some(Fault::Handle),
        Kind::Type => {
            let fault = match value {
                DATATYPE_NULL => Some(Fault::Datatype),
                UNKNOWN_HANDLE => Some(Fault::Handle),
                _ => None,
            };
            fault.filter(|_| has_elements(call, name))
        }
        _ => None,
    }
}

/// Whether a datatype is one of some elements for certain: its count, or one of its counts, is above zero.
fn has_elements(call: &Call, datatype: &str) -> bool {
    let counts: &[&str] = match datatype {
        "sendtype" => &["sendcount", "sendcounts"],
        "recvtype" => &["recvcount", "recvcounts"],
        _ => &["count", "recvcount", "recvcounts"],
    };
    counts.iter().any(|counts| match call.argument(counts) {
        Value::Int(count) => *count > 0,
        other => other.ints().iter().any(|count| *count > 0),
    })
}

/// A request of a completion call that is not one any more.
fn stale_request(call: &Call) -> Option<(&'static str, i64, Fault)> {
    let parameter = call.function.parameters().iter().find(|p| p.kind == Kind::Request)?;
    let is_stale = match call.argument(parameter.name) {
        Value::Int(number) => *number == UNKNOWN_HANDLE,
        other => other.ints().contains(&UNKNOWN_HANDLE),
    };
    is_stale.then_some((parameter.name, UNKNOWN_HANDLE, Fault::Handle))
}

/// Whether MPI ignores an argument in this call: what stands beside MPI_IN_PLACE, and everything but the partner of a transfer with nobody.
fn is_ignored(call: &Call, name: &str) -> bool {
    let is_in_place = |buffer: &str, side: &str| call.int(buffer) == Some(IN_PLACE) && name.starts_with(side);
    is_in_place("sendbuf", "send") || is_in_place("recvbuf", "recv") || is_with_nobody(call, name)
}

/// Whether an argument is of a transfer whose partner is MPI_PROC_NULL. A call that sends and receives has two of them.
pub(crate) fn is_with_nobody(call: &Call, name: &str) -> bool {
    let partner = |name| call.int(name);
    let is_nobody = |partner: Option<i64>| partner == Some(PROC_NULL);
    let (dest, source) = (partner("dest"), partner("source"));
    match name {
        "dest" | "source" => false,
        _ if is_nobody(partner("target_rank")) => name != "target_rank",
        _ if dest.is_none() || source.is_none() => is_nobody(dest) || is_nobody(source),
        _ if name.starts_with("send") => is_nobody(dest),
        _ if name.starts_with("recv") => is_nobody(source),
        // What both sides have in common, as of MPI_Sendrecv_replace.
        _ => is_nobody(dest) && is_nobody(source),
    }
}
