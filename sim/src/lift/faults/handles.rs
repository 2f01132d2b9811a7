//! Handles that a call may not be given: those that stand for nothing, and null handles.

use traces::Call;
use traces::constant::{self, FREED_HANDLE, REQUEST_NULL, UNKNOWN_HANDLE};
use traces::function::{Class, Kind, Parameter, mpi};

use super::significance::{has_elements, is_ignored};
use super::{Fault, Faulty, elements};

/// What is wrong with a handle in an argument of a call that completes nothing.
pub(super) fn fault(call: &Call, parameter: &Parameter, at: Option<usize>, value: i64) -> Option<Fault> {
    let kind = parameter.kind;
    let is_handle = matches!(
        kind,
        Kind::Comm
            | Kind::Type
            | Kind::Op
            | Kind::Group
            | Kind::Request
            | Kind::Message
            | Kind::Win
            | Kind::File
            | Kind::Info
            | Kind::Errhandler
            | Kind::Session
    );
    if !is_handle || is_ignored(call, parameter.name) || is_looked_at_by_few(call, parameter.name) {
        return None;
    }
    let is_needed = || kind != Kind::Type || is_datatype_needed(call, parameter.name, at);
    match value {
        UNKNOWN_HANDLE => return is_needed().then_some(Fault::Handle(kind)),
        FREED_HANDLE => return is_needed().then_some(Fault::Freed),
        _ => {}
    }
    (is_null(kind, value) && !may_be_null(call, kind) && is_needed()).then_some(Fault::Null(kind))
}

/// Whether a value is the null handle of its kind.
fn is_null(kind: Kind, value: i64) -> bool {
    let name = constant::find(kind, value).map(|constant| constant.name);
    name.is_some_and(|name| name.ends_with("_NULL"))
}

/// Whether a call may be given a null handle of this kind.
fn may_be_null(call: &Call, kind: Kind) -> bool {
    let (function, class) = (call.function.small(), call.function.class());
    let name = function.name();
    // Null handles have names, too, since MPI 4.1 (7.8).
    if function == mpi::ABORT || name.ends_with("_get_name") {
        return true;
    }
    match kind {
        // Nearly every other function takes MPI_INFO_NULL for no hints.
        Kind::Info => class != Class::Info,
        // What belongs to MPI_FILE_NULL is the error handler of files that cannot be opened (14.7).
        Kind::File => name.ends_with("_errhandler"),
        // A process that began no session names none.
        Kind::Session => class != Class::Session,
        _ => false,
    }
}

/// Whether an argument is significant on one process only, which a call does not tell.
fn is_looked_at_by_few(call: &Call, name: &str) -> bool {
    call.function == mpi::INTERCOMM_CREATE && name == "peer_comm"
}

/// Whether a datatype is one that the call looks at for certain.
fn is_datatype_needed(call: &Call, name: &str, at: Option<usize>) -> bool {
    match call.function.class() {
        // That of a block without elements may be anything.
        Class::Datatype if name == "array_of_types" => {
            at.and_then(|at| call.ints("array_of_blocklengths").get(at)).is_some_and(|length| *length > 0)
        }
        // The other functions on datatypes are about this one.
        Class::Datatype if call.int("incount").is_none() && call.int("outcount").is_none() => true,
        _ => has_elements(call, name, at),
    }
}

/// A request that a call of its class may not be given.
pub(super) fn of_completion(call: &Call) -> Option<Faulty> {
    let parameter = call.function.parameters().iter().find(|p| p.kind == Kind::Request)?;
    let wants_one =
        matches!(call.function, mpi::START | mpi::STARTALL | mpi::CANCEL | mpi::REQUEST_FREE | mpi::GREQUEST_COMPLETE);
    elements(call.argument(parameter.name)).find_map(|(at, value)| {
        let fault = match value {
            UNKNOWN_HANDLE => Fault::Handle(Kind::Request),
            REQUEST_NULL if wants_one => Fault::Null(Kind::Request),
            _ => return None,
        };
        Some(Faulty { name: parameter.name, at, fault })
    })
}
