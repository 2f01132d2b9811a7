//! Traces of made-up runs, call by call: blocking and nonblocking messages of one integer, and barriers.

use traces::constant::{ANY_SOURCE, ANY_TAG, COMM_WORLD, FIRST_MADE};
use traces::{Function, Trace, TraceBuilder, Value, mpi};

const INT: i64 = 0x209;

/// A run in the making.
pub struct Job {
    builder: TraceBuilder,
    ranks: usize,
}

impl Job {
    pub fn new(ranks: usize) -> Job {
        Job { builder: TraceBuilder::with_ranks(u32::try_from(ranks).expect("few ranks")), ranks }
    }

    fn push(&mut self, rank: usize, function: Function, arguments: &[(&str, Value)], results: &[(&str, Value)]) {
        self.builder.push(rank, function, 1, arguments, Some(results));
    }

    fn transfer(&mut self, rank: usize, function: Function, peer: (&str, i64), tag: i64, results: &[(&str, Value)]) {
        let numbers = [("count", 1), ("datatype", INT), peer, ("tag", tag), ("comm", COMM_WORLD)];
        let arguments = numbers.map(|(name, number)| (name, Value::Int(number)));
        self.push(rank, function, &arguments, results);
    }

    pub fn send(&mut self, rank: usize, to: usize, tag: i64) {
        self.transfer(rank, mpi::SEND, ("dest", to as i64), tag, &[]);
    }

    pub fn ssend(&mut self, rank: usize, to: usize, tag: i64) {
        self.transfer(rank, mpi::SSEND, ("dest", to as i64), tag, &[]);
    }

    pub fn isend(&mut self, rank: usize, to: usize, tag: i64, slot: i64) {
        self.transfer(rank, mpi::ISEND, ("dest", to as i64), tag, &[("request", Value::Int(FIRST_MADE + slot))]);
    }

    pub fn recv(&mut self, rank: usize, from: usize, tag: i64) {
        self.transfer(rank, mpi::RECV, ("source", from as i64), tag, &[("status", status(from, tag))]);
    }

    /// A receive from any source, and with any tag if `tag` is None; `took` is whose message it took, with its tag.
    pub fn recv_any(&mut self, rank: usize, tag: Option<i64>, took: Option<(usize, i64)>) {
        let results: Vec<(&str, Value)> = took.map(|(from, tag)| ("status", status(from, tag))).into_iter().collect();
        self.transfer(rank, mpi::RECV, ("source", ANY_SOURCE), tag.unwrap_or(ANY_TAG), &results);
    }

    pub fn waitall(&mut self, rank: usize, slots: std::ops::Range<i64>) {
        let requests: Vec<i64> = slots.map(|slot| FIRST_MADE + slot).collect();
        let count = ("count", Value::Int(requests.len() as i64));
        self.push(rank, mpi::WAITALL, &[count, ("array_of_requests", Value::Ints(requests.into()))], &[]);
    }

    pub fn barrier(&mut self) {
        for rank in 0..self.ranks {
            self.push(rank, mpi::BARRIER, &[("comm", Value::Int(COMM_WORLD))], &[]);
        }
    }

    pub fn finish(mut self) -> Trace {
        for rank in 0..self.ranks {
            self.push(rank, mpi::FINALIZE, &[], &[]);
        }
        self.builder.finish()
    }
}

fn status(source: usize, tag: i64) -> Value {
    Value::Ints([source as i64, tag, 4, 0].into())
}
