//! Which calls are taken for the same in two runs: those of one function whose arguments agree in all that is the program's own.
//!
//! Addresses differ from run to run. Requests have numbers by how a library completes them, and where several threads make handles, so
//! have they by who comes first.

use traces::call::{Value, value_text};
use traces::constant::FIRST_MADE;
use traces::{Function, Kind};
use xxhash_rust::xxh3::Xxh3;

/// How calls are compared.
#[derive(Clone, Copy, Debug)]
pub struct Likeness {
    /// Whether several threads make handles that are counted by their process.
    pub shares_numbers: bool,
}

impl Likeness {
    /// What a call has in common with all that are like it.
    #[must_use]
    pub fn key(self, function: Function, arguments: &[Value]) -> u64 {
        let mut hash = Xxh3::new();
        hash.update(function.name().as_bytes());
        for (at, value) in self.compared(function, arguments) {
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
    pub fn text(self, function: Function, arguments: &[Value]) -> String {
        let one = |(at, value): (u8, &Value)| {
            let parameter = &function.parameters()[usize::from(at)];
            format!("{}={}", parameter.name, value_text(parameter.kind, value))
        };
        let list: Vec<String> = self.compared(function, arguments).filter(|(_, value)| **value != Value::Nil).map(one).collect();
        format!("{function}({})", list.join(", "))
    }

    /// The arguments that are the program's own, with their positions.
    fn compared(self, function: Function, arguments: &[Value]) -> impl Iterator<Item = (u8, &Value)> {
        let parameters = function.parameters().iter().zip(arguments);
        let list = (0u8..).zip(parameters).filter(move |(_, (p, value))| self.is_compared(p.kind, value));
        list.map(|(at, (_, value))| (at, value))
    }

    fn is_compared(self, kind: Kind, value: &Value) -> bool {
        let is_made =
            |value: &Value| value.int().is_some_and(|i| i >= FIRST_MADE) || value.ints().iter().any(|&i| i >= FIRST_MADE);
        match kind {
            Kind::Int
            | Kind::Count
            | Kind::Lcount
            | Kind::Rank
            | Kind::Tag
            | Kind::Level
            | Kind::Split
            | Kind::Order
            | Kind::Lock
            | Kind::Assert
            | Kind::Amode
            | Kind::Whence
            | Kind::Comm
            | Kind::Win
            | Kind::File => true,
            Kind::Type | Kind::Op | Kind::Group => !self.shares_numbers || !is_made(value),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traces::constant::{ANY_SOURCE, COMM_WORLD};
    use traces::mpi;

    fn receive(buffer: i64, source: i64) -> Vec<Value> {
        [buffer, 1, 0x209, source, 7, COMM_WORLD].map(Value::Int).into_iter().chain([Value::Nil]).collect()
    }

    #[test]
    fn addresses_do_not_count_and_peers_do() {
        let likeness = Likeness { shares_numbers: false };
        let key = |arguments: &[Value]| likeness.key(mpi::RECV, arguments);
        assert_eq!(key(&receive(0x1000, ANY_SOURCE)), key(&receive(0x2000, ANY_SOURCE)));
        assert_ne!(key(&receive(0x1000, ANY_SOURCE)), key(&receive(0x1000, 1)));
        let text = likeness.text(mpi::RECV, &receive(0x1000, 1));
        assert_eq!(text, "MPI_Recv(count=1, datatype=MPI_INT, source=1, tag=7, comm=MPI_COMM_WORLD)");
    }
}
