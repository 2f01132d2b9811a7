//! A small language for traces: who calls what, call by call.

use sim::{Finding, Options, Report};
use traces::constant::{ANY_SOURCE, ANY_TAG, COMM_WORLD, FIRST_MADE, UNDEFINED};
use traces::trace::OutcomeId;
use traces::{Ending, Function, Outcome, Trace, TraceBuilder, Value, mpi};

pub const INT: i64 = 0x209;
pub const FLOAT: i64 = 0x210;
pub const DOUBLE: i64 = 0x214;
pub const BYTE: i64 = 0x247;
pub const SUM: i64 = 0x21;
pub const MAX: i64 = 0x23;

/// Shorthand for a number.
pub fn int(value: i64) -> Value {
    Value::Int(value)
}

/// Shorthand for an array.
pub fn ints(values: &[i64]) -> Value {
    Value::Ints(values.into())
}

/// The number of the n-th request that is in use.
pub fn request(n: i64) -> i64 {
    FIRST_MADE + n
}

/// A status of a received message.
pub fn status(source: i64, tag: i64, bytes: i64) -> Value {
    ints(&[source, tag, bytes, 0])
}

/// The status of a request that was no receive.
pub fn no_status() -> Value {
    ints(&[UNDEFINED, UNDEFINED, 0, 0])
}

/// What a constructor of a communicator returns.
pub fn comm(id: i64, members: &[i64]) -> Value {
    let mut numbers = vec![id, members.len() as i64];
    numbers.extend(members);
    ints(&numbers)
}

/// A recorded run in the making.
pub struct Job {
    builder: TraceBuilder,
    unfinished: Vec<usize>,
    /// How many calls each rank has made.
    counts: Vec<usize>,
    /// Calls that returned an error.
    failed: Vec<(usize, usize)>,
    /// Polls that found nothing so many times.
    polls: Vec<(usize, usize, u64)>,
}

impl Job {
    pub fn new(ranks: usize) -> Job {
        Job {
            builder: TraceBuilder::with_ranks(u32::try_from(ranks).unwrap()),
            unfinished: Vec::new(),
            counts: vec![0; ranks],
            failed: Vec::new(),
            polls: Vec::new(),
        }
    }

    /// Any call.
    pub fn call(&mut self, rank: usize, line: u64, function: Function, arguments: &[(&str, Value)], results: &[(&str, Value)]) {
        self.builder.push(rank, function, line, arguments, Some(results));
        self.counts[rank] += 1;
    }

    /// A call that returned an error, and with it nothing else.
    pub fn fails(&mut self, rank: usize, line: u64, function: Function, arguments: &[(&str, Value)]) {
        self.failed.push((rank, self.counts[rank]));
        self.call(rank, line, function, arguments, &[]);
    }

    /// A poll that found nothing so many times, until the run was stopped.
    pub fn polls(&mut self, rank: usize, line: u64, function: Function, arguments: &[(&str, Value)], times: u64) {
        self.polls.push((rank, self.counts[rank], times));
        self.call(rank, line, function, arguments, &[("flag", int(0))]);
        self.unfinished.push(rank);
    }

    /// A call that never returned.
    pub fn stuck(&mut self, rank: usize, line: u64, function: Function, arguments: &[(&str, Value)]) {
        self.builder.push(rank, function, line, arguments, None);
        self.counts[rank] += 1;
        self.unfinished.push(rank);
    }

    /// The process was ended from outside after its last call.
    pub fn killed(&mut self, rank: usize) {
        self.unfinished.push(rank);
    }

    /// A blocking or nonblocking send of one int.
    pub fn send(&mut self, function: Function, rank: usize, line: u64, to: i64, tag: i64) {
        self.call(rank, line, function, &message("dest", to, tag, 1, INT), &[]);
    }

    pub fn isend(&mut self, rank: usize, line: u64, to: i64, tag: i64, slot: i64) {
        self.call(rank, line, mpi::ISEND, &message("dest", to, tag, 1, INT), &[("request", int(request(slot)))]);
    }

    /// A receive of one int.
    pub fn recv(&mut self, rank: usize, line: u64, from: i64, tag: i64) {
        self.call(rank, line, mpi::RECV, &message("source", from, tag, 1, INT), &[("status", status(from, tag, 4))]);
    }

    /// A receive from any source that got its message from `from`.
    pub fn recv_any(&mut self, rank: usize, line: u64, from: i64, tag: i64) {
        let arguments = message("source", ANY_SOURCE, ANY_TAG, 1, INT);
        self.call(rank, line, mpi::RECV, &arguments, &[("status", status(from, tag, 4))]);
    }

    pub fn irecv(&mut self, rank: usize, line: u64, from: i64, tag: i64, slot: i64) {
        self.call(rank, line, mpi::IRECV, &message("source", from, tag, 1, INT), &[("request", int(request(slot)))]);
    }

    /// MPI_Wait for a request of a send, or of a receive that was told where from.
    pub fn wait(&mut self, rank: usize, line: u64, slot: i64) {
        self.call(rank, line, mpi::WAIT, &[("request", int(request(slot)))], &[("status", no_status())]);
    }

    pub fn barrier(&mut self, rank: usize, line: u64) {
        self.call(rank, line, mpi::BARRIER, &[("comm", int(COMM_WORLD))], &[]);
    }

    pub fn finalize(&mut self, rank: usize) {
        self.call(rank, 900, mpi::FINALIZE, &[], &[]);
    }

    /// All ranks come to MPI_Finalize and return from it.
    pub fn finalize_all(&mut self) {
        for rank in 0..self.counts.len() {
            self.finalize(rank);
        }
    }

    pub fn trace(self) -> Trace {
        let mut trace = self.builder.finish();
        for rank in self.unfinished {
            trace.processes[rank].ending = Ending::Unfinished;
        }
        for (rank, event) in self.failed {
            let results = vec![Value::Nil; trace.call(trace.lanes[rank].events[event].call).arguments.len()];
            trace.outcomes.push(Outcome { code: 13, results: results.into() });
            trace.lanes[rank].events[event].outcome = Some(OutcomeId::new(u32::try_from(trace.outcomes.len() - 1).unwrap()));
        }
        for (rank, event, times) in self.polls {
            let lane = &mut trace.lanes[rank];
            let event = &mut lane.events[event];
            (event.words_at, event.words_len) = (u32::try_from(lane.words.len()).unwrap(), 1);
            event.duration_ns = times * 1000;
            lane.words.push(times);
        }
        trace
    }

    pub fn check(self) -> Report {
        sim::check(&self.trace(), &Options::default())
    }
}

/// The arguments of a send or a receive.
pub fn message(peer: &'static str, rank: i64, tag: i64, count: i64, datatype: i64) -> Vec<(&'static str, Value)> {
    vec![("count", int(count)), ("datatype", int(datatype)), (peer, int(rank)), ("tag", int(tag)), ("comm", int(COMM_WORLD))]
}

/// The findings that count as `rule: title`, one a line.
pub fn told(report: &Report) -> Vec<String> {
    report.findings.iter().filter(|f| f.dismissed.is_none()).map(|f| format!("{}: {}", f.rule.name, f.title)).collect()
}

/// The labels of a finding as `rank/event text`.
pub fn labels(finding: &Finding) -> Vec<String> {
    finding.labels.iter().map(|l| format!("{}/{} {}", l.place.lane, l.place.event, l.text)).collect()
}
