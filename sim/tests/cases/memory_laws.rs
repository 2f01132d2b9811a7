//! Memory that two operations use at once, in random programs whose calls come again: what is found is what counting bytes finds.

use std::collections::BTreeSet;

use crate::job::{self, Job, int, ints, message, no_status, request, status};
use proptest::prelude::*;
use sim::{Options, Place, Report};
use traces::constant::{COMM_WORLD, INFO_NULL, LOCK_SHARED};
use traces::{Trace, Value, mpi};

const WIN: i64 = 0x1234_5678_9abc;
/// Lines of calls that use no memory.
const OTHER: u64 = 9;

/// Two lines that use the same memory at once, the smaller number first.
type Pairs = BTreeSet<(u64, u64)>;

fn pair(one: u64, other: u64) -> (u64, u64) {
    (one.min(other), one.max(other))
}

/// The pairs of lines that a rule names.
fn named(trace: &Trace, report: &Report, rule: &str) -> Pairs {
    let line = |place: Place| {
        let event = &trace.lanes[place.lane as usize].events[place.event as usize];
        trace.site(trace.call(event.call).site.unwrap()).offset
    };
    let found = report.findings.iter().filter(|finding| finding.rule.name == rule);
    found.map(|finding| pair(line(finding.labels[0].place), line(finding.labels[1].place))).collect()
}

/// What both ways of checking name, which is the same.
fn told(trace: &Trace, rule: &str) -> Pairs {
    let full = sim::check(trace, &Options::default());
    let brief = sim::check(trace, &Options { is_brief: true, ..Options::default() });
    assert_eq!(full.findings, brief.findings);
    assert_eq!(full.message_count(), brief.message_count());
    assert_eq!(full.collective_count(), brief.collective_count());
    named(trace, &full, rule)
}

/// What a rank does with a piece of its memory, of whole integers: from which one on, how many.
#[derive(Clone, Copy, Debug)]
struct Piece {
    at: i64,
    count: i64,
}

impl Piece {
    fn touches(self, other: Piece) -> bool {
        self.at < other.at + other.count && other.at < self.at + self.count
    }
}

fn pieces() -> impl Strategy<Value = Piece> {
    (0i64..16, 1i64..4).prop_map(|(at, count)| Piece { at, count })
}

/// Lists of what is drawn from a few, so that the same comes again and most is in nobody's way.
fn drawn<T: Clone + std::fmt::Debug>(one: impl Strategy<Value = T>, length: usize) -> impl Strategy<Value = Vec<T>> {
    let few = proptest::collection::vec(one, 1..4);
    (few, proptest::collection::vec(any::<proptest::sample::Index>(), 0..length))
        .prop_map(|(few, list)| list.iter().map(|index| index.get(&few).clone()).collect())
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// By the request of this number, if it is not in use.
    Begin {
        receives: bool,
        piece: Piece,
        slot: i64,
    },
    Block {
        receives: bool,
        piece: Piece,
    },
    Wait {
        slot: i64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let transfers = drawn((any::<bool>(), any::<bool>(), pieces()), 30);
    (transfers, proptest::collection::vec((0i64..3, any::<bool>()), 30)).prop_map(|(transfers, slots)| {
        let step = |((is_blocking, receives, piece), (slot, waits)): (&(bool, bool, Piece), &(i64, bool))| {
            let (receives, piece, slot) = (*receives, *piece, *slot);
            let call = if *is_blocking { Step::Block { receives, piece } } else { Step::Begin { receives, piece, slot } };
            [Some(call), waits.then_some(Step::Wait { slot })]
        };
        transfers.iter().zip(&slots).flat_map(step).flatten().collect()
    })
}

/// The line of a call: the same for equal ones.
fn line(is_blocking: bool, receives: bool, piece: Piece) -> u64 {
    let of_kind = 1_000 * (1 + 2 * u64::from(is_blocking) + u64::from(receives));
    of_kind + u64::try_from(10 * piece.at + piece.count).unwrap()
}

/// The run of rank 0, and the pairs that are in each other's way.
fn transfers(steps: &[Step]) -> (Trace, Pairs) {
    let mut job = Job::new(2);
    let mut pairs = Pairs::new();
    let mut open: [Option<(bool, Piece, u64)>; 3] = [None; 3];
    for step in steps {
        let (receives, piece, slot) = match *step {
            Step::Begin { receives, piece, slot } => (receives, piece, Some(slot)),
            Step::Block { receives, piece } => (receives, piece, None),
            Step::Wait { slot } => {
                if open[slot as usize].take().is_some() {
                    job.call(0, OTHER, mpi::WAIT, &[("request", int(request(slot)))], &[("status", no_status())]);
                }
                continue;
            }
        };
        if slot.is_some_and(|slot| open[slot as usize].is_some()) {
            continue;
        }
        let line = line(slot.is_none(), receives, piece);
        let in_the_way = open.iter().flatten().filter(|other| other.1.touches(piece) && (receives || other.0));
        pairs.extend(in_the_way.map(|other| pair(other.2, line)));
        let mut arguments = message(if receives { "source" } else { "dest" }, 1, 1, piece.count, job::INT);
        arguments.push(("buf", int(0x1000 + 4 * piece.at)));
        let function = match (receives, slot) {
            (true, Some(_)) => mpi::IRECV,
            (false, Some(_)) => mpi::ISEND,
            (true, None) => mpi::RECV,
            (false, None) => mpi::SEND,
        };
        let result = match slot {
            Some(slot) => vec![("request", int(request(slot)))],
            None if receives => vec![("status", status(1, 1, 4 * piece.count))],
            None => Vec::new(),
        };
        job.call(0, line, function, &arguments, &result);
        if let Some(slot) = slot {
            open[slot as usize] = Some((receives, piece, line));
        }
    }
    let left: Vec<i64> = (0..3).filter(|slot| open[*slot as usize].is_some()).map(request).collect();
    let arguments = [("count", int(left.len() as i64)), ("array_of_requests", ints(&left))];
    job.call(0, OTHER, mpi::WAITALL, &arguments, &[]);
    job.finalize_all();
    (job.trace(), pairs)
}

/// A one-sided access of a rank.
#[derive(Clone, Copy, Debug)]
struct Touch {
    kind: Kind,
    target: i64,
    piece: Piece,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Put,
    Get,
    Sum,
}

impl Touch {
    fn clashes(self, other: Touch) -> bool {
        let reads = self.kind == Kind::Get && other.kind == Kind::Get;
        let adds = self.kind == Kind::Sum && other.kind == Kind::Sum;
        self.target == other.target && self.piece.touches(other.piece) && !reads && !adds
    }

    /// The line of its call: the same for equal ones of one rank.
    fn line(self, rank: usize) -> u64 {
        let of_rank = 100_000 * (rank as u64 + 1) + 10_000 * (self.kind as u64 + 1);
        of_rank + u64::try_from(1_000 * self.target + 10 * self.piece.at + self.piece.count).unwrap()
    }

    fn call(self, job: &mut Job, rank: usize) {
        let (at, count) = (int(self.piece.at), int(self.piece.count));
        let mut arguments = vec![
            // Each kind has a buffer of its own, far apart from the windows.
            ("origin_addr", int(0x9_0000 + 0x1000 * self.kind as i64 + 64 * self.piece.at)),
            ("origin_count", count.clone()),
            ("origin_datatype", int(job::INT)),
            ("target_rank", int(self.target)),
            ("target_disp", at),
            ("target_count", count),
            ("target_datatype", int(job::INT)),
            ("win", int(WIN)),
        ];
        let function = match self.kind {
            Kind::Put => mpi::PUT,
            Kind::Get => mpi::GET,
            Kind::Sum => mpi::ACCUMULATE,
        };
        if self.kind == Kind::Sum {
            arguments.push(("op", int(job::SUM)));
        }
        job.call(rank, self.line(rank), function, &arguments, &[]);
    }
}

/// By epoch and rank: the accesses.
type Epochs = Vec<[Vec<Touch>; 3]>;

fn epochs(kinds: &'static [Kind], targets: std::ops::Range<i64>) -> impl Strategy<Value = Epochs> {
    let touch = (proptest::sample::select(kinds), targets, pieces());
    let touch = touch.prop_map(|(kind, target, piece)| Touch { kind, target, piece });
    // Six at most in each epoch.
    (drawn(touch, 19), proptest::collection::vec(0usize..3, 18)).prop_map(|(touches, ranks)| {
        let mut epochs = Epochs::new();
        for (touches, ranks) in touches.chunks(6).zip(ranks.chunks(6)) {
            let mut lists: [Vec<Touch>; 3] = Default::default();
            touches.iter().zip(ranks).for_each(|(touch, rank)| lists[*rank].push(*touch));
            epochs.push(lists);
        }
        epochs
    })
}

fn on_window(job: &mut Job, rank: usize, function: traces::Function, arguments: &[(&'static str, Value)]) {
    let arguments: Vec<(&str, Value)> = arguments.iter().cloned().chain([("win", int(WIN))]).collect();
    job.call(rank, OTHER, function, &arguments, &[]);
}

/// Every rank has a window of 64 integers.
fn with_window() -> Job {
    let mut job = Job::new(3);
    for rank in 0..3 {
        let (base, size) = (int(0x10_0000 * (rank as i64 + 1)), int(256));
        let own = [("base", base), ("size", size), ("disp_unit", int(4)), ("info", int(INFO_NULL)), ("comm", int(COMM_WORLD))];
        job.call(rank, OTHER, mpi::WIN_CREATE, &own, &[("win", int(WIN))]);
    }
    job
}

fn finish(mut job: Job) -> Trace {
    for rank in 0..3 {
        on_window(&mut job, rank, mpi::WIN_FREE, &[]);
    }
    job.finalize_all();
    job.trace()
}

/// The pairs among lists of accesses that are at once: `is_at_once` says so of two ranks and of two places in their lists.
fn clashes(lists: &[Vec<Touch>; 3], is_at_once: impl Fn(usize, usize) -> bool) -> Pairs {
    let all: Vec<(usize, Touch)> =
        lists.iter().enumerate().flat_map(|(rank, list)| list.iter().map(move |touch| (rank, *touch))).collect();
    let mut pairs = Pairs::new();
    for (number, (rank, touch)) in all.iter().enumerate() {
        let others = all[..number].iter().filter(|(other, before)| is_at_once(*other, *rank) && before.clashes(*touch));
        pairs.extend(others.map(|(other, before)| pair(before.line(*other), touch.line(*rank))));
    }
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Buffers under way are in each other's way where they share a byte and one is written.
    #[test]
    fn buffers_in_each_others_way_are_found(steps in steps()) {
        let (trace, pairs) = transfers(&steps);
        prop_assert_eq!(told(&trace, "buffer/in-flight"), pairs);
    }

    /// Between two fences all accesses are at once.
    #[test]
    fn accesses_between_fences_race_if_they_clash(epochs in epochs(&[Kind::Put, Kind::Get, Kind::Sum], 0..3)) {
        let mut job = with_window();
        let mut pairs = Pairs::new();
        for lists in &epochs {
            for (rank, list) in lists.iter().enumerate() {
                on_window(&mut job, rank, mpi::WIN_FENCE, &[("assert", int(0))]);
                list.iter().for_each(|touch| touch.call(&mut job, rank));
            }
            pairs.extend(clashes(lists, |_, _| true));
        }
        (0..3).for_each(|rank| on_window(&mut job, rank, mpi::WIN_FENCE, &[("assert", int(0))]));
        prop_assert_eq!(told(&finish(job), "rma/race"), pairs);
    }

    /// Under shared locks those accesses are at once that no barrier keeps apart; of one rank, an unlock does.
    #[test]
    fn accesses_under_shared_locks_race_if_nothing_orders_them(epochs in epochs(&[Kind::Put], 2..3)) {
        let mut job = with_window();
        let mut pairs = Pairs::new();
        for mut lists in epochs {
            // The target itself keeps away.
            lists[2].clear();
            for (rank, list) in lists.iter().enumerate() {
                if rank < 2 {
                    on_window(&mut job, rank, mpi::WIN_LOCK, &[("lock_type", int(LOCK_SHARED)), ("rank", int(2))]);
                    list.iter().for_each(|touch| touch.call(&mut job, rank));
                    on_window(&mut job, rank, mpi::WIN_UNLOCK, &[("rank", int(2))]);
                }
                job.call(rank, OTHER, mpi::BARRIER, &[("comm", int(COMM_WORLD))], &[]);
            }
            pairs.extend(clashes(&lists, |_, _| true));
        }
        prop_assert_eq!(told(&finish(job), "rma/race"), pairs);
    }
}
