//! The kinds of call that the timeline tells apart: coarser than the classes of the standard, with sends and receives apart.
//!
//! Only names and letters stand here; colours and patterns are the view's.

use traces::{Class, Direction, Function};

/// What a call does, as far as a timeline shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Sends a message, or begins to.
    Send,
    /// Receives a message, or begins to.
    Receive,
    /// Does both, or starts what was prepared.
    Exchange,
    /// Waits or looks for something to complete or to arrive.
    Wait,
    /// Takes part in a collective operation, the making of a communicator included.
    Collective,
    /// Reaches into the memory of others.
    OneSided,
    /// Reads or writes files.
    File,
    /// Anything else: local, or setting up.
    Other,
}

impl Kind {
    /// Every kind, in the order of the legend.
    pub const ALL: [Kind; 8] =
        [Kind::Send, Kind::Receive, Kind::Exchange, Kind::Wait, Kind::Collective, Kind::OneSided, Kind::File, Kind::Other];

    /// The kind of the calls of a function.
    pub fn of(function: Function) -> Kind {
        match function.class() {
            Class::PointToPoint | Class::Partitioned => point_to_point(function.name()),
            Class::Completion | Class::Probe => Kind::Wait,
            Class::Collective => Kind::Collective,
            Class::OneSided => Kind::OneSided,
            Class::Io => Kind::File,
            Class::Communicator | Class::Topology if makes_communicator(function) => Kind::Collective,
            _ => Kind::Other,
        }
    }

    /// Its letter in the timeline and the legend.
    pub fn letter(self) -> char {
        match self {
            Kind::Send => 'S',
            Kind::Receive => 'R',
            Kind::Exchange => 'X',
            Kind::Wait => 'W',
            Kind::Collective => 'C',
            Kind::OneSided => 'O',
            Kind::File => 'F',
            Kind::Other => '-',
        }
    }

    /// Its name in the legend.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Send => "send",
            Kind::Receive => "receive",
            Kind::Exchange => "exchange",
            Kind::Wait => "wait",
            Kind::Collective => "collective",
            Kind::OneSided => "one-sided",
            Kind::File => "file",
            Kind::Other => "other",
        }
    }
}

fn point_to_point(name: &str) -> Kind {
    let name = name.to_ascii_lowercase();
    match (name.contains("send"), name.contains("recv")) {
        (true, false) => Kind::Send,
        (false, true) => Kind::Receive,
        _ if name.contains("buffer") || name.contains("cancel") => Kind::Other,
        _ => Kind::Exchange,
    }
}

/// Such a call returns when the other members have come, like a collective operation.
fn makes_communicator(function: Function) -> bool {
    function.parameters().iter().any(|p| p.kind == traces::Kind::Comm && p.direction == Direction::Out)
        && function.parameters().iter().any(|p| p.kind == traces::Kind::Comm && p.direction == Direction::In)
}

#[cfg(test)]
mod tests {
    use traces::mpi;

    use super::*;

    #[test]
    fn functions_have_the_kind_a_reader_expects() {
        let expected = [
            (mpi::ISEND, Kind::Send),
            (mpi::MRECV, Kind::Receive),
            (mpi::SENDRECV, Kind::Exchange),
            (mpi::STARTALL, Kind::Exchange),
            (mpi::PROBE, Kind::Wait),
            (mpi::WAITSOME, Kind::Wait),
            (mpi::COMM_SPLIT, Kind::Collective),
            (mpi::COMM_RANK, Kind::Other),
            (mpi::BUFFER_ATTACH, Kind::Other),
            (mpi::WIN_FENCE, Kind::OneSided),
        ];
        for (function, kind) in expected {
            assert_eq!(Kind::of(function), kind, "{function}");
        }
    }

    #[test]
    fn letters_differ() {
        let mut letters: Vec<char> = Kind::ALL.iter().map(|k| k.letter()).collect();
        letters.dedup();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), Kind::ALL.len());
    }
}
