//! Buffers that are none: null pointers where data is, and MPI_IN_PLACE where it means nothing.

use traces::Call;
use traces::constant::IN_PLACE;
use traces::function::{Class, Direction, Kind, Parameter, mpi};

use super::significance::is_with_nobody;
use super::{Fault, Faulty, Known};
use crate::lift::collectives::blocking_form;
use crate::lift::communicators::View;
use crate::uses;

/// No memory of a process is below this address.
const FIRST_PAGE: i64 = 4096;

/// What is wrong with the buffers of a call.
pub(super) fn find(call: &Call, known: &Known, view: Option<&View>) -> Option<Faulty> {
    if !uses::has_buffers(call) {
        return None;
    }
    let buffers = || call.function.parameters().iter().filter(|p| p.kind == Kind::Buffer);
    let misplaced = buffers().find(|p| call.int(p.name) == Some(IN_PLACE) && !may_be_in_place(call, p, known, view));
    if let Some(parameter) = misplaced.filter(|p| has_data(call, p.name)) {
        return Some(Faulty { name: parameter.name, at: None, fault: Fault::InPlace });
    }
    // A datatype of absolute addresses begins there, too, but its data does not.
    let at_null = buffers().filter(|p| call.int(p.name) == Some(0)).map(|p| p.name).collect::<Vec<_>>();
    if at_null.is_empty() {
        return None;
    }
    let used = uses::of(call, known.rank, known.datatypes, known.communicators);
    let bad = used.into_iter().find(|used| used.bytes.bounds().is_some_and(|(first, _)| (0..FIRST_PAGE).contains(&first)))?;
    let is_side = |p: &Parameter| (p.direction == Direction::In) != bad.writes;
    let parameter = buffers().find(|p| at_null.contains(&p.name) && (is_side(p) || at_null.len() == 1))?;
    Some(Faulty { name: parameter.name, at: None, fault: Fault::Buffer })
}

/// Whether there is anything that a buffer of this name is for.
fn has_data(call: &Call, buffer: &str) -> bool {
    let (sent, received) = uses::sides(call.function);
    let is_empty = |count: usize| call.arguments[count].int() == Some(0);
    let sides = [sent, received].into_iter().flatten();
    let mut own = sides.filter(|side| call.function.parameters()[side.buffer].name == buffer);
    own.any(|side| !side.count.is_some_and(is_empty)) && !is_with_nobody(call, buffer)
}

/// Whether MPI_IN_PLACE means something in a buffer (MPI 5.0, 6.2.1 and the collectives, one by one).
fn may_be_in_place(call: &Call, parameter: &Parameter, known: &Known, view: Option<&View>) -> bool {
    let Some((function, _)) = blocking_form(call.function.small()).filter(|_| call.function.class() == Class::Collective) else {
        return false;
    };
    let own = view.and_then(|view| view.local.position(known.rank)).map(i64::from);
    let is_root = || own.is_none() || call.int("root") == own;
    match (function, parameter.name) {
        (mpi::GATHER | mpi::GATHERV | mpi::REDUCE, "sendbuf") | (mpi::SCATTER | mpi::SCATTERV, "recvbuf") => is_root(),
        (_, "sendbuf") => !function.name().starts_with("MPI_Neighbor_") && !matches!(function, mpi::SCATTER | mpi::SCATTERV),
        _ => false,
    }
}
