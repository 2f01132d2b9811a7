//! What a call ignores of its arguments: what stands beside MPI_IN_PLACE, what belongs to a transfer with MPI_PROC_NULL, and the datatypes
//! of no elements.

use traces::Call;
use traces::buffers::Places;
use traces::constant::{IN_PLACE, PROC_NULL};

use crate::uses;

/// Whether MPI ignores an argument in this call: what stands beside MPI_IN_PLACE, and everything but the partner of a transfer with nobody.
pub(super) fn is_ignored(call: &Call, name: &str) -> bool {
    let is_in_place = |buffer: &str, side: &str| call.int(buffer) == Some(IN_PLACE) && name.starts_with(side);
    is_in_place("sendbuf", "send") || is_in_place("recvbuf", "recv") || is_with_nobody(call, name)
}

/// Whether an argument is of a transfer whose partner is MPI_PROC_NULL. A call that sends and receives has two of them.
pub(super) fn is_with_nobody(call: &Call, name: &str) -> bool {
    let partner = |name| call.int(name);
    let is_nobody = |partner: Option<i64>| partner == Some(PROC_NULL);
    let (dest, source) = (partner("dest"), partner("source"));
    match name {
        "dest" | "source" | "comm" | "win" => false,
        _ if is_nobody(partner("target_rank")) => name != "target_rank",
        _ if dest.is_none() || source.is_none() => is_nobody(dest) || is_nobody(source),
        _ if name.starts_with("send") => is_nobody(dest),
        _ if name.starts_with("recv") => is_nobody(source),
        // What both sides have in common, as of MPI_Sendrecv_replace.
        _ => is_nobody(dest) && is_nobody(source),
    }
}

/// Whether a datatype, or the one at this place of an array, is one of some elements for certain.
pub(crate) fn has_elements(call: &Call, name: &str, at: Option<usize>) -> bool {
    if is_ignored(call, name) {
        return false;
    }
    let some = |count: i64| count > 0;
    match name {
        // The elementary type and the view of a file.
        "etype" | "filetype" => return true,
        "target_datatype" => return call.int("target_count").is_some_and(some),
        _ => {}
    }
    let counted = || ["incount", "outcount", "count"].iter().find_map(|count| call.int(count)).is_some_and(some);
    let mut sides = sides(call).filter(|side| call.function.parameters()[side.datatype].name == name).peekable();
    if sides.peek().is_none() {
        return counted();
    }
    sides.any(|side| {
        let Some(count) = side.count else { return true };
        let counts = &call.arguments[count];
        match at {
            Some(at) => counts.ints().get(at).copied().is_some_and(some),
            None => counts.int().is_some_and(some) || counts.ints().iter().copied().any(some),
        }
    })
}

/// What a call sends and receives, less what stands for MPI_IN_PLACE.
fn sides(call: &Call) -> impl Iterator<Item = Places> {
    let (sent, received) = uses::sides(call.function);
    sent.into_iter().chain(received).filter(|side| call.arguments[side.buffer].int() != Some(IN_PLACE))
}
