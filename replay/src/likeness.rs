//! Which calls are taken for the same in two runs: those of one function whose arguments agree in all that is the program's own.
//!
//! Addresses differ from run to run, requests have numbers by how a library completes them, and other handles by what was made before.

use std::sync::OnceLock;

use traces::call::{Value, value_text};
use traces::constant::FIRST_MADE;
use traces::{Class, Direction, Function, Kind, mpi};
use xxhash_rust::xxh3::Xxh3;

/// Whether a function is on the course: those that talk to other ranks, or complete what does. What a program asks about itself, and makes for
/// itself, is its own affair, and differs between the versions of a binding.
#[must_use]
pub fn is_followed(function: Function) -> bool {
    static FOLLOWED: OnceLock<Vec<bool>> = OnceLock::new();
    FOLLOWED.get_or_init(|| Function::all().map(concerns_others).collect())[usize::from(function.0)]
}

fn concerns_others(function: Function) -> bool {
    let name = function.name();
    let parameters = function.parameters();
    match function.class() {
        Class::PointToPoint | Class::Probe | Class::Partitioned | Class::Completion | Class::Collective => {
            let is_object = |kind| matches!(kind, Kind::Comm | Kind::Request | Kind::Message);
            parameters.iter().any(|p| is_object(p.kind))
        }
        Class::OneSided | Class::Io => {
            let is_question = ["_get_", "_set_"].iter().any(|part| name.contains(part)) && function.small() != mpi::FILE_SET_VIEW;
            !is_question && parameters.iter().any(|p| matches!(p.kind, Kind::Win | Kind::File | Kind::Comm | Kind::Request))
        }
        Class::Communicator | Class::Topology | Class::Process => {
            let makes = parameters.iter().any(|p| p.kind == Kind::Comm && p.direction != Direction::In);
            makes && function != mpi::COMM_GET_PARENT
        }
        _ => matches!(function, mpi::FINALIZE | mpi::ABORT),
    }
}

/// What a call has in common with all that are like it.
#[must_use]
pub fn key(function: Function, arguments: &[Value]) -> u64 {
    let mut hash = Xxh3::new();
    // Bindings call the functions with large counts where the library has them.
    hash.update(function.small().name().as_bytes());
    for (at, value) in compared(function, arguments) {
        hash.update(&[0xff, at]);
        match value {
            Value::Int(i) => hash.update(&i.to_le_bytes()),
            Value::Ints(list) => list.iter().for_each(|i| hash.update(&i.to_le_bytes())),
            Value::Nil | Value::Text(_) => {}
        }
    }
    hash.digest()
}

/// The call as a person would write it, with all that is compared.
#[must_use]
pub fn text(function: Function, arguments: &[Value]) -> String {
    let one = |(at, value): (u8, &Value)| {
        let parameter = &function.parameters()[usize::from(at)];
        format!("{}={}", parameter.name, value_text(parameter.kind, value))
    };
    let list: Vec<String> = compared(function, arguments).filter(|(_, value)| **value != Value::Nil).map(one).collect();
    format!("{function}({})", list.join(", "))
}

/// The arguments that are the program's own, with their positions.
fn compared(function: Function, arguments: &[Value]) -> impl Iterator<Item = (u8, &Value)> {
    let list = (0u8..).zip(function.parameters().iter().zip(arguments));
    list.filter(|(_, (p, value))| is_compared(p.kind, value)).map(|(at, (_, value))| (at, value))
}

fn is_compared(kind: Kind, value: &Value) -> bool {
    let is_made = || value.int().is_some_and(|i| i >= FIRST_MADE) || value.ints().iter().any(|&i| i >= FIRST_MADE);
    match kind {
        Kind::Int
        | Kind::Count
        | Kind::Lcount
        | Kind::Rank
        | Kind::Tag
        | Kind::Split
        | Kind::Order
        | Kind::Lock
        | Kind::Assert
        | Kind::Amode
        | Kind::Whence
        | Kind::Comm
        | Kind::Win
        | Kind::File => true,
        // Those that the program makes are counted as it makes them.
        Kind::Type | Kind::Op => !is_made(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traces::constant::{ANY_SOURCE, COMM_WORLD};

    fn receive(buffer: i64, source: i64) -> Vec<Value> {
        [buffer, 1, 0x209, source, 7, COMM_WORLD].map(Value::Int).into_iter().chain([Value::Nil]).collect()
    }

    #[test]
    fn addresses_do_not_count_and_peers_do() {
        let key = |arguments: &[Value]| key(mpi::RECV, arguments);
        assert_eq!(key(&receive(0x1000, ANY_SOURCE)), key(&receive(0x2000, ANY_SOURCE)));
        assert_ne!(key(&receive(0x1000, ANY_SOURCE)), key(&receive(0x1000, 1)));
        let text = text(mpi::RECV, &receive(0x1000, 1));
        assert_eq!(text, "MPI_Recv(count=1, datatype=MPI_INT, source=1, tag=7, comm=MPI_COMM_WORLD)");
    }

    #[test]
    fn what_talks_to_others_is_followed_and_what_is_local_is_not() {
        let on =
            [mpi::SEND, mpi::WAITALL, mpi::REQUEST_GET_STATUS, mpi::IALLREDUCE, mpi::COMM_SPLIT, mpi::WIN_FENCE, mpi::FINALIZE];
        let off = [mpi::COMM_RANK, mpi::GET_COUNT, mpi::TYPE_VECTOR, mpi::INITIALIZED, mpi::WTIME, mpi::COMM_SET_ERRHANDLER];
        assert_eq!(on.into_iter().find(|&function| !is_followed(function)), None);
        assert_eq!(off.into_iter().find(|&function| is_followed(function)), None);
    }
}
