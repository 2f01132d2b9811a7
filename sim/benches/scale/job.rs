//! A run whose calls repeat, made call by call: messages, collectives, windows and files.

use traces::constant::{COMM_WORLD, FIRST_MADE, INFO_NULL};
use traces::{Function, Trace, TraceBuilder, Value, mpi};

/// MPI_INT.
pub const INT: i64 = 0x209;
/// MPI_SUM.
pub const SUM: i64 = 0x21;
/// A window, and a file.
const WIN: i64 = 0x1234_5678_9abc;
const FILE: i64 = 0x7777_0000_1111;

/// A run in the making.
pub struct Job {
    builder: TraceBuilder,
    pub ranks: usize,
}

impl Job {
    pub fn new(ranks: usize) -> Job {
        Job { builder: TraceBuilder::with_ranks(u32::try_from(ranks).expect("few ranks")), ranks }
    }

    pub fn call(&mut self, rank: usize, line: u64, function: Function, arguments: &[(&str, i64)], results: &[(&str, Value)]) {
        let arguments: Vec<(&str, Value)> = arguments.iter().map(|(name, value)| (*name, Value::Int(*value))).collect();
        self.builder.push(rank, function, line, &arguments, Some(results));
    }

    /// A message of one integer, from or to an address.
    pub fn transfer(&mut self, rank: usize, function: Function, buf: i64, peer: (&str, i64), results: &[(&str, Value)]) {
        let arguments = [("buf", buf), ("count", 1), ("datatype", INT), peer, ("tag", 0), ("comm", COMM_WORLD)];
        self.call(rank, 10, function, &arguments, results);
    }

    /// The same by a request.
    pub fn begin(&mut self, rank: usize, function: Function, peer: (&str, i64), slot: i64) {
        let request = ("request", Value::Int(FIRST_MADE + slot));
        self.transfer(rank, function, 0x1000 + 64 * slot, peer, &[request]);
    }

    /// Completes the first so many requests.
    pub fn waitall(&mut self, rank: usize, count: i64) {
        let requests = Value::Ints((FIRST_MADE..FIRST_MADE + count).collect());
        let arguments = [("count", Value::Int(count)), ("array_of_requests", requests)];
        self.builder.push(rank, mpi::WAITALL, 20, &arguments, Some(&[]));
    }

    /// Every rank gives 64 KiB to a window.
    pub fn open_window(&mut self) {
        for rank in 0..self.ranks {
            let base = 0x10_0000 * (rank as i64 + 1);
            let arguments = [("base", base), ("size", 1 << 16), ("disp_unit", 4), ("info", INFO_NULL), ("comm", COMM_WORLD)];
            self.call(rank, 1, mpi::WIN_CREATE, &arguments, &[("win", Value::Int(WIN))]);
        }
    }

    /// An access of one integer, so many integers into the memory of a target.
    pub fn access(&mut self, rank: usize, function: Function, target: usize, at: usize) {
        let mut arguments = vec![
            ("origin_addr", 0x9000 + 8 * at as i64),
            ("origin_count", 1),
            ("origin_datatype", INT),
            ("target_rank", target as i64),
            ("target_disp", at as i64),
            ("target_count", 1),
            ("target_datatype", INT),
            ("win", WIN),
        ];
        if function == mpi::ACCUMULATE {
            arguments.push(("op", SUM));
        }
        self.call(rank, 30, function, &arguments, &[]);
    }

    /// A call on the window, with these arguments beside it.
    pub fn on_window(&mut self, rank: usize, function: Function, arguments: &[(&str, i64)]) {
        let arguments: Vec<(&str, i64)> = arguments.iter().copied().chain([("win", WIN)]).collect();
        self.call(rank, 40, function, &arguments, &[]);
    }

    pub fn open_file(&mut self) {
        let arguments =
            [("comm", Value::Int(COMM_WORLD)), ("filename", Value::Text("out.dat".into())), ("amode", Value::Int(34))];
        for rank in 0..self.ranks {
            self.builder.push(rank, mpi::FILE_OPEN, 2, &arguments, Some(&[("fh", Value::Int(FILE))]));
        }
    }

    /// A call on the file, with these arguments beside it.
    pub fn on_file(&mut self, rank: usize, function: Function, arguments: &[(&str, i64)]) {
        let arguments: Vec<(&str, i64)> = arguments.iter().copied().chain([("fh", FILE)]).collect();
        self.call(rank, 50, function, &arguments, &[]);
    }

    pub fn finish(mut self) -> Trace {
        for rank in 0..self.ranks {
            self.call(rank, 99, mpi::FINALIZE, &[], &[]);
        }
        self.builder.finish()
    }
}

/// The status of a message of one integer.
pub fn status(source: usize) -> Value {
    Value::Ints([source as i64, 0, 4, 0].into())
}
