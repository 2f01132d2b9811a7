//! Ranks, tags, counts and places in memory and files that are out of their range.

use traces::Call;
use traces::constant::{ANY_SOURCE, ANY_TAG, PROC_NULL, SEEK_SET};
use traces::function::{Class, Direction, Kind, Parameter, mpi};

use super::significance::is_ignored;
use super::{Fault, Known};
use crate::lift::communicators::View;

/// MPI_DISPLACEMENT_CURRENT, for MPI_File_set_view.
const DISPLACEMENT_CURRENT: i64 = -54_278_278;

/// What is wrong with a number in an argument.
pub(super) fn fault(call: &Call, parameter: &Parameter, value: i64, known: &Known, view: Option<&View>) -> Option<Fault> {
    let name = parameter.name;
    if is_ignored(call, name) {
        return None;
    }
    match parameter.kind {
        Kind::Rank => rank_fault(call, name, value, known, view),
        Kind::Count | Kind::Lcount => (value < 0).then_some(Fault::Count),
        Kind::Int | Kind::Long if is_count(call, name) => (value < 0).then_some(Fault::Count),
        Kind::Int | Kind::Long => displacement_fault(call, name, value),
        // A status may say anything.
        Kind::Tag if view.is_some() => {
            let receives = call.function.parameter("source").is_some() && name != "sendtag";
            let largest = known.tag_ub.filter(|largest| value > *largest).map(Fault::LargeTag);
            largest.or((value < 0 && !(receives && value == ANY_TAG)).then_some(Fault::Tag))
        }
        _ => None,
    }
}

/// Whether a number that has no kind of its own says how many there are of something.
fn is_count(call: &Call, name: &str) -> bool {
    let counts = [
        "count",
        "blocklength",
        "array_of_blocklengths",
        "incount",
        "outcount",
        "partitions",
        "n",
        "ndims",
        "nnodes",
        "indegree",
        "outdegree",
        "degrees",
    ];
    // What is only asked for, or completed, comes back with an error of its own.
    let is_made = matches!(
        call.function.class(),
        Class::Datatype | Class::Topology | Class::Group | Class::Partitioned | Class::Operation | Class::PointToPoint
    );
    is_made && counts.contains(&name)
}

fn rank_fault(call: &Call, name: &str, value: i64, known: &Known, view: Option<&View>) -> Option<Fault> {
    let function = call.function;
    let may_be_nobody = matches!(name, "dest" | "source" | "target_rank") || function.small() == mpi::WIN_SHARED_QUERY;
    if (may_be_nobody && value == PROC_NULL) || (name == "source" && value == ANY_SOURCE) {
        return None;
    }
    let size = match function.class() {
        Class::Group => group_size(call, name, value, known)?,
        // In the communicator of others, which the caller need not have.
        _ if name == "remote_leader" => return None,
        _ if function.small() == mpi::TYPE_CREATE_DARRAY => usize::try_from(call.int("size")?).ok()?,
        // Edges name the nodes of a graph, and the ranks that it does not need have none.
        _ if matches!(name, "edges") => usize::try_from(call.int("nnodes")?).ok()?,
        _ => view?.peers.ranks.len(),
    };
    let is_member = usize::try_from(value).is_ok_and(|value| value < size);
    (!is_member).then_some(Fault::Rank(size))
}

/// The size of the group that a rank is of.
fn group_size(call: &Call, name: &str, value: i64, known: &Known) -> Option<usize> {
    let group = match name {
        "ranks" => "group",
        "ranks1" if value != PROC_NULL => "group1",
        // Triples of first, last and stride.
        _ => return None,
    };
    known.groups.members(call.int(group)?).map(<[i64]>::len)
}

/// What is wrong with an offset, a size or a unit.
fn displacement_fault(call: &Call, name: &str, value: i64) -> Option<Fault> {
    let (class, function) = (call.function.class(), call.function.small());
    let is_input = call.function.parameters().iter().any(|p| p.name == name && p.direction == Direction::In);
    let what = match (class, name) {
        (Class::OneSided | Class::Memory, "size") if value < 0 => "memory has no less than 0 bytes",
        (Class::OneSided, "disp_unit") if value < 1 => "a unit has at least 1 byte",
        (Class::Io, "size") if value < 0 => "a file has no less than 0 bytes",
        (Class::Io, "disp") if value < 0 && value != DISPLACEMENT_CURRENT => "a view begins in the file",
        // To be added to where a pointer is, which may be anywhere.
        (Class::Io, "offset") if call.int("whence").is_some_and(|whence| whence != SEEK_SET) => return None,
        (Class::Io, "offset") if value < 0 && function != mpi::FILE_GET_BYTE_OFFSET => {
            "nothing is before the beginning of a file"
        }
        _ => return None,
    };
    is_input.then_some(Fault::Displacement(what))
}
