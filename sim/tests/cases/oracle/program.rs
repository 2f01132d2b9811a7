//! Small programs to try the machine on: what they are made of, how proptest makes them, and how a run of one becomes a trace.
//!
//! These are the oracle's own types. They share nothing with the crate but the trace that they are turned into.

use proptest::prelude::*;
use traces::constant::{ANY_SOURCE, ANY_TAG, COMM_WORLD, PROC_NULL, ROOT};
use traces::{Ending, Function, Trace, TraceBuilder, Value, mpi};

use crate::job::{comm, int, ints, no_status, request, status};
use crate::oracle::model::Run;

/// How large messages of the two sizes are, in bytes.
pub const SIZES: [i64; 2] = [4, 4000];

/// A step of a rank.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// To whom, tag, size, whether it is synchronous; the request if it is nonblocking.
    Send { to: usize, tag: i64, bytes: i64, is_synchronous: bool, request: Option<usize> },
    /// From whom and with which tag, None for any; the request if it is nonblocking.
    Recv { from: Option<usize>, tag: Option<i64>, request: Option<usize> },
    /// Completes these requests.
    Wait(Vec<usize>),
    /// A collective of all ranks.
    Collective(Gathering),
}

/// What a collective is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gathering {
    Barrier,
    /// From this rank.
    Bcast(usize),
    /// An exchange of neighbours in a ring, in which each rank sends to the next.
    Ring,
    /// A barrier between the even and the odd ranks.
    Across,
    /// A broadcast from this rank to those of the other parity.
    AcrossFrom(usize),
}

/// How many communicators there are.
pub const COMMUNICATORS: usize = 3;

impl Gathering {
    /// Which of the communicators it is on.
    pub fn communicator(self) -> usize {
        match self {
            Gathering::Barrier | Gathering::Bcast(_) => 0,
            Gathering::Ring => 1,
            Gathering::Across | Gathering::AcrossFrom(_) => 2,
        }
    }

    /// Whether a rank needs what another one of so many gives.
    pub fn needs(self, rank: usize, other: usize, ranks: usize) -> bool {
        match self {
            Gathering::Barrier => true,
            Gathering::Bcast(root) => other == root,
            Gathering::Ring => (other + 1) % ranks == rank,
            Gathering::Across => other % 2 != rank % 2,
            Gathering::AcrossFrom(root) => other == root && rank % 2 != root % 2,
        }
    }
}

/// The steps of each rank.
pub type Program = Vec<Vec<Step>>;

/// What proptest chooses: one message or one collective, and how it is spoilt.
#[derive(Clone, Debug)]
struct Move {
    from: usize,
    to: usize,
    tag: i64,
    size: usize,
    is_synchronous: bool,
    nonblocking: (bool, bool),
    wild: (bool, bool),
    is_collective: bool,
    /// How far each side is moved forward in its rank.
    early: (usize, usize),
    /// How many of a rank's steps lie between a nonblocking call and its wait.
    late: usize,
    /// Which side is left out, or has another tag: mostly none.
    fault: u8,
}

fn moves(wildcards: bool) -> impl Strategy<Value = Vec<Move>> {
    let one = (
        (0..4usize, 0..4usize, 0..2i64, 0..2usize, prop::bool::weighted(0.2)),
        (any::<bool>(), any::<bool>()),
        (prop::bool::weighted(if wildcards { 0.5 } else { 0.0 }), prop::bool::weighted(0.2)),
        (prop::bool::weighted(0.2), (0..3usize, 0..3usize), 0..4usize, 0..40u8),
    );
    let one = one.prop_map(|((from, to, tag, size, is_synchronous), nonblocking, wild, (is_collective, early, late, fault))| {
        Move { from, to, tag, size, is_synchronous, nonblocking, wild, is_collective, early, late, fault }
    });
    prop::collection::vec(one, 1..8)
}

/// Programs of 2 to 4 ranks.
pub fn programs(wildcards: bool) -> impl Strategy<Value = Program> {
    (2..5usize, moves(wildcards)).prop_map(|(ranks, moves)| program(ranks, &moves))
}

fn program(ranks: usize, moves: &[Move]) -> Program {
    let mut program: Program = vec![Vec::new(); ranks];
    let mut requests = vec![0; ranks];
    for m in moves {
        let (from, to) = (m.from % ranks, m.to % ranks);
        if m.is_collective {
            let what = match (m.late % 3, m.size) {
                (0, 0) => Gathering::Bcast(from),
                (0, _) => Gathering::Barrier,
                (1, _) => Gathering::Ring,
                (_, 0) => Gathering::AcrossFrom(from),
                _ => Gathering::Across,
            };
            for (rank, steps) in program.iter_mut().enumerate() {
                if !(m.fault == 0 && rank == to) {
                    steps.push(Step::Collective(what));
                }
            }
            continue;
        }
        let mut request = |rank: usize, wanted: bool| {
            requests[rank] += 1;
            wanted.then_some(requests[rank])
        };
        if m.fault != 1 {
            let request = request(from, m.nonblocking.0);
            let send = Step::Send { to, tag: m.tag, bytes: SIZES[m.size], is_synchronous: m.is_synchronous, request };
            insert(&mut program[from], send, m.early.0, m.late, request);
        }
        if m.fault != 2 {
            let tag = if m.fault == 3 { 1 - m.tag } else { m.tag };
            let request = request(to, m.nonblocking.1);
            let recv = Step::Recv { from: (!m.wild.0).then_some(from), tag: (!m.wild.1).then_some(tag), request };
            insert(&mut program[to], recv, m.early.1, m.late, request);
        }
    }
    program
}

/// What proptest chooses of a message in a crowd: who sends it, its tag, and whether its receive names them.
type Guest = (usize, i64, bool, bool);

/// Programs in which one rank posts many receives at once and completes them together, in one round after the other: who comes first is
/// open, and with receives that name their source between those that do not, so is who is left over.
pub fn crowds() -> impl Strategy<Value = Program> {
    let guest = (0..4usize, 0..2i64, prop::bool::weighted(0.6), prop::bool::weighted(0.2));
    let round = (0..4usize, prop::collection::vec(guest, 1..5), prop::bool::weighted(0.3), any::<bool>());
    (2..5usize, prop::collection::vec(round, 1..3)).prop_map(|(ranks, rounds)| {
        let mut program: Program = vec![Vec::new(); ranks];
        for (number, (host, guests, has_barrier, is_reversed)) in rounds.into_iter().enumerate() {
            crowd(&mut program, (host % ranks, 100 * (number + 1)), &guests, is_reversed);
            if has_barrier {
                program.iter_mut().for_each(|steps| steps.push(Step::Collective(Gathering::Barrier)));
            }
        }
        program
    })
}

/// One round: the host posts the receives, everyone sends, and the host waits for all, in the order of the posts or the other way round.
fn crowd(program: &mut Program, (host, first): (usize, usize), guests: &[Guest], is_reversed: bool) {
    let ranks = program.len();
    let mut requests: Vec<usize> = (first..first + guests.len()).collect();
    for (&(from, tag, is_wild, has_any_tag), &request) in guests.iter().zip(&requests) {
        let recv =
            Step::Recv { from: (!is_wild).then_some(from % ranks), tag: (!has_any_tag).then_some(tag), request: Some(request) };
        program[host].push(recv);
    }
    for &(from, tag, ..) in guests {
        program[from % ranks].push(Step::Send { to: host, tag, bytes: SIZES[0], is_synchronous: false, request: None });
    }
    if is_reversed {
        requests.reverse();
    }
    program[host].push(Step::Wait(requests));
}

/// Puts a step before some of the last ones, and its wait behind it. Collectives stay in order, and nothing goes before its request.
fn insert(steps: &mut Vec<Step>, step: Step, early: usize, late: usize, request: Option<usize>) {
    let waits = |s: &Step| matches!(s, Step::Wait(_));
    let mut at = steps.len();
    while at > 0 && at + early > steps.len() && !waits(&steps[at - 1]) {
        at -= 1;
    }
    steps.insert(at, step);
    if let Some(request) = request {
        let wait_at = (at + 1 + late).min(steps.len());
        match steps.get_mut(wait_at) {
            Some(Step::Wait(list)) => list.push(request),
            _ => steps.insert(wait_at, Step::Wait(vec![request])),
        }
    }
}

/// The trace of a run: calls that returned, and the one that each rank was stuck in.
pub fn trace(program: &Program, run: &Run) -> Trace {
    trace_after(program, run, |_| {})
}

/// The same, of ranks that had made other calls before.
pub fn trace_after(program: &Program, run: &Run, before: impl Fn(&mut TraceBuilder)) -> Trace {
    let ranks = program.len();
    let mut builder = TraceBuilder::with_ranks(u32::try_from(ranks).unwrap());
    before(&mut builder);
    for (rank, steps) in program.iter().enumerate() {
        make_communicators(&mut builder, rank, ranks);
        let mut slots = Slots::default();
        let made = run.returned[rank];
        for (at, step) in steps.iter().enumerate().take((made + 1).min(steps.len())) {
            push(&mut builder, rank, at, step, run, &mut slots, at < made);
        }
        if made == steps.len() {
            builder.push(rank, mpi::FINALIZE, 1000, &[], Some(&[]));
        }
    }
    let mut trace = builder.finish();
    for (rank, steps) in program.iter().enumerate() {
        if run.returned[rank] < steps.len() {
            trace.processes[rank].ending = Ending::Unfinished;
        }
    }
    trace
}

/// The calls that every rank begins with.
pub const FIRST_CALLS: u32 = 2;
const RING: i64 = 0x1_0000;
const ACROSS: i64 = 0x2_0000;

/// Makes the ring, and the two groups.
fn make_communicators(builder: &mut TraceBuilder, rank: usize, ranks: usize) {
    let world = |wanted: &dyn Fn(usize) -> bool| (0..ranks).filter(|r| wanted(*r)).map(|r| r as i64).collect::<Vec<i64>>();
    let (left, right) = ((rank + ranks - 1) % ranks, (rank + 1) % ranks);
    let edges = [
        ("comm_old", int(COMM_WORLD)),
        ("indegree", int(1)),
        ("sources", ints(&[left as i64])),
        ("outdegree", int(1)),
        ("destinations", ints(&[right as i64])),
    ];
    let ring = [("comm_dist_graph", comm(RING, &world(&|_| true)))];
    builder.push(rank, mpi::DIST_GRAPH_CREATE_ADJACENT, 1, &edges, Some(&ring));
    let (own, others) = (world(&|r| r % 2 == rank % 2), world(&|r| r % 2 != rank % 2));
    let groups = [vec![ACROSS, own.len() as i64], own, others].concat();
    let arguments = [("local_comm", int(COMM_WORLD))];
    builder.push(rank, mpi::INTERCOMM_CREATE, 1, &arguments, Some(&[("newintercomm", ints(&groups))]));
}

/// The call of a rank in a collective.
fn gathering(what: Gathering, rank: usize) -> (Function, Vec<(&'static str, Value)>) {
    let one = [("count", int(1)), ("datatype", int(crate::job::INT))];
    match what {
        Gathering::Barrier => (mpi::BARRIER, vec![("comm", int(COMM_WORLD))]),
        Gathering::Bcast(root) => (mpi::BCAST, [&one[..], &[("root", int(root as i64)), ("comm", int(COMM_WORLD))]].concat()),
        Gathering::Ring => {
            let (send, receive) = (("sendcount", int(1)), ("recvcount", int(1)));
            let types = [("sendtype", int(crate::job::INT)), ("recvtype", int(crate::job::INT))];
            (mpi::NEIGHBOR_ALLGATHER, [&types[..], &[send, receive, ("comm", int(RING))]].concat())
        }
        Gathering::Across => (mpi::BARRIER, vec![("comm", int(ACROSS))]),
        Gathering::AcrossFrom(root) => {
            let named = if rank == root {
                ROOT
            } else if rank % 2 == root % 2 {
                PROC_NULL
            } else {
                root as i64 / 2
            };
            (mpi::BCAST, [&one[..], &[("root", int(named)), ("comm", int(ACROSS))]].concat())
        }
    }
}

/// Request numbers as a recorder gives them: the lowest that is free.
#[derive(Default)]
struct Slots(Vec<Option<usize>>);

impl Slots {
    fn take(&mut self, request: usize) -> i64 {
        let free = self.0.iter().position(Option::is_none).unwrap_or_else(|| {
            self.0.push(None);
            self.0.len() - 1
        });
        self.0[free] = Some(request);
        free as i64
    }

    fn find(&self, request: usize) -> i64 {
        self.0.iter().position(|r| *r == Some(request)).unwrap() as i64
    }

    fn free(&mut self, request: usize) {
        let at = usize::try_from(self.find(request)).unwrap();
        self.0[at] = None;
    }
}

fn push(builder: &mut TraceBuilder, rank: usize, at: usize, step: &Step, run: &Run, slots: &mut Slots, has_returned: bool) {
    let line = at as u64;
    let comm = ("comm", int(COMM_WORLD));
    let status_of = |at: usize| match run.taken.get(&(rank, at)) {
        Some(&(source, tag, bytes, _)) => status(source as i64, tag, bytes),
        None => no_status(),
    };
    let (function, mut arguments, mut results) = match step {
        Step::Send { to, tag, bytes, is_synchronous, request } => {
            let function = match (is_synchronous, request) {
                (false, None) => mpi::SEND,
                (false, Some(_)) => mpi::ISEND,
                (true, None) => mpi::SSEND,
                (true, Some(_)) => mpi::ISSEND,
            };
            let peer = ("dest", int(*to as i64));
            (function, vec![peer, ("tag", int(*tag)), ("count", int(*bytes)), ("datatype", int(crate::job::BYTE)), comm], vec![])
        }
        Step::Recv { from, tag, request } => {
            let function = if request.is_some() { mpi::IRECV } else { mpi::RECV };
            let peer = ("source", int(from.map_or(ANY_SOURCE, |f| f as i64)));
            let tag = ("tag", int(tag.unwrap_or(ANY_TAG)));
            let results = if request.is_none() { vec![("status", status_of(at))] } else { vec![] };
            (function, vec![peer, tag, ("count", int(SIZES[1])), ("datatype", int(crate::job::BYTE)), comm], results)
        }
        Step::Wait(requests) => {
            let numbers: Vec<i64> = requests.iter().map(|r| request(slots.find(*r))).collect();
            let mut statuses = Vec::new();
            for r in requests {
                statuses.extend(status_of(run.posted[&(rank, *r)]).ints());
                if has_returned {
                    slots.free(*r);
                }
            }
            let count = ("count", int(numbers.len() as i64));
            let arguments = vec![count, ("array_of_requests", ints(&numbers))];
            (mpi::WAITALL, arguments, vec![("array_of_statuses", ints(&statuses))])
        }
        Step::Collective(what) => {
            let (function, arguments) = gathering(*what, rank);
            (function, arguments, vec![])
        }
    };
    if let Step::Send { request: Some(r), .. } | Step::Recv { request: Some(r), .. } = step {
        results.push(("request", int(request(slots.take(*r)))));
    }
    arguments.retain(|(name, _)| function.parameter(name).is_some());
    builder.push(rank, function, line, &arguments, has_returned.then_some(&results[..]));
}
