//! Turns a trace into programs: every handle is resolved and every argument understood, once for each distinct call.
//!
//! A call that is not modelled or that concerns nobody else becomes [`Op::Local`], and its request, if it makes one, completes
//! at once. Nothing here judges a call; the checks read the arguments again where they need more than the machine does.

mod align;
mod arguments;
mod arrays;
mod bridges;
mod collectives;
mod communicators;
mod completions;
mod datatypes;
pub(crate) mod faults;
mod files;
mod groups;
mod partitioned;
mod pins;
mod polls;
mod shared;
mod threads;
mod topologies;
mod transfers;
mod windows;

use rustc_hash::FxHashMap;
use traces::function::{Class, Kind, mpi};
use traces::{Ending, Trace, World};

use crate::program::{
    Channel, ChannelId, Completion, End, Lane, Mailbox, MailboxId, Op, OpId, Program, SetId, Slot, Span, Thing,
};
pub(crate) use arguments::Arguments;
pub(crate) use collectives::{Pattern, blocking_form};
pub(crate) use communicators::{Communicators, View};
pub(crate) use completions::completed_requests;
pub(crate) use datatypes::Datatypes;
use faults::Known;
pub(crate) use files::is_collective_on_file;
use groups::Groups;
use partitioned::Pairs;
pub(crate) use shared::{Memory, Shared, SharedThings};
pub(crate) use topologies::Inflow;
use topologies::Topologies;
use windows::Windows;

/// The slot of a request that is null or unknown.
pub(crate) const NO_SLOT: Slot = Slot::MAX;
/// More requests than this at a time are not followed: a program that has them is broken, or its trace is.
const SLOTS_MAX: i64 = 1 << 24;
/// The operation of every call that does nothing.
pub(crate) const LOCAL: OpId = 0;

/// The programs of a trace, and what the checks want to know of it beside.
pub(crate) struct Lifted {
    pub(crate) program: Program,
    /// The datatypes of each process of the trace.
    pub(crate) datatypes: Vec<Datatypes>,
    pub(crate) communicators: Communicators,
    /// The windows and files.
    pub(crate) shared: SharedThings,
    /// The groups of each process.
    pub(crate) groups: Vec<Groups>,
    /// Who is whose neighbour.
    pub(crate) topologies: Topologies,
    /// The largest tag of each process, if it is known.
    largest_tags: Vec<Option<i64>>,
}

impl Lifted {
    /// What is known where a process of the trace, which is this rank, makes a call.
    pub(crate) fn known(&self, rank: u32, process: u32) -> Known<'_> {
        let process = (process as usize).min(self.datatypes.len() - 1);
        Known {
            rank,
            communicators: &self.communicators,
            shared: &self.shared,
            datatypes: &self.datatypes[process],
            groups: &self.groups[process],
            tag_ub: self.largest_tags.get(process).copied().flatten(),
        }
    }
}

/// Makes programs of a trace.
pub(crate) fn lift(trace: &Trace) -> Lifted {
    let mut lifter = Lifter::new(trace);
    for number in 0..trace.lanes.len() {
        lifter.lane(number);
    }
    lifter.align();
    for number in 0..trace.lanes.len() {
        lifter.pin_if_needed(number);
    }
    lifter.program.turns = threads::turns(trace);
    if !lifter.program.turns.is_empty() {
        let number = lifter.program.turns.len();
        let ranks = if number == 1 { "1 rank calls".into() } else { format!("{number} ranks call") };
        let caveat = format!("{ranks} MPI from several threads, whose calls are taken in the order of the recorded run");
        lifter.program.caveats.push(caveat);
    }
    let Lifter { mut program, datatypes, communicators, shared, groups, topologies, .. } = lifter;
    program.caveats.extend(trace.spawned.iter().map(spawned_text));
    let largest_tags = trace.processes.iter().map(|process| process.tag_ub).collect();
    Lifted { program, datatypes, communicators, shared, groups, topologies, largest_tags }
}

/// Who the ranks of a world are that others started.
fn spawned_text(world: &World) -> String {
    match world.size {
        1 => format!("rank {} is the only one of an MPI_COMM_WORLD of its own, which others started", world.first),
        size => {
            let (first, last) = (world.first, world.first + size - 1);
            format!("ranks {first}-{last} are 0-{} of an MPI_COMM_WORLD of their own, which others started", size - 1)
        }
    }
}

/// The work in progress.
struct Lifter<'t> {
    trace: &'t Trace,
    program: Program,
    communicators: Communicators,
    datatypes: Vec<Datatypes>,
    groups: Vec<Groups>,
    topologies: Topologies,
    pairs: Pairs,
    /// The sets of members that others wait for.
    sets: FxHashMap<Vec<u32>, SetId>,
    shared: SharedThings,
    windows: Windows,
    /// By rank: the leader of the other group, which a call of MPI_Intercomm_create waits for that never returned.
    bridges: FxHashMap<u32, u32>,
    mailboxes: FxHashMap<Mailbox, MailboxId>,
    channels: FxHashMap<Channel, ChannelId>,
    /// Which ranks have a lane.
    present: Vec<bool>,
    /// The lane in work.
    rank: u32,
    process: usize,
    /// Whether the call in work is a fence that ends an epoch.
    is_ending_epoch: bool,
    /// Whether it has calls whose requests have to be followed through the lane.
    needs_pins: bool,
    /// The same of each lane.
    needing_pins: Vec<bool>,
}

impl<'t> Lifter<'t> {
    fn new(trace: &'t Trace) -> Lifter<'t> {
        let mut present = vec![false; trace.world_size as usize];
        for rank in trace.lanes.iter().filter_map(|l| l.rank) {
            if let Some(slot) = present.get_mut(rank as usize) {
                *slot = true;
            }
        }
        let worlds = std::iter::once(0).chain(trace.spawned.iter().map(|world| world.first)).collect();
        let mut program = Program { world_size: trace.world_size, worlds, ops: vec![Op::Local], ..Program::default() };
        let communicators = Communicators::of(trace, &present, &mut program.contexts);
        let shared = SharedThings::of(trace, &communicators, &mut program.contexts);
        let bridges = bridges::find(trace, &communicators);
        let processes = trace.processes.len().max(1);
        Lifter {
            trace,
            program,
            datatypes: (0..processes).map(|_| Datatypes::default()).collect(),
            groups: (0..processes).map(|_| Groups::default()).collect(),
            topologies: Topologies::of(trace, &communicators),
            communicators,
            pairs: Pairs::default(),
            sets: FxHashMap::default(),
            shared,
            windows: Windows::of(trace),
            bridges,
            mailboxes: FxHashMap::default(),
            channels: FxHashMap::default(),
            present,
            rank: 0,
            process: 0,
            is_ending_epoch: false,
            needs_pins: false,
            needing_pins: Vec::new(),
        }
    }

    /// Adds the program of a lane. A lane without a rank makes no calls that matter.
    fn lane(&mut self, number: usize) {
        let trace = self.trace;
        let lane = &trace.lanes[number];
        self.rank = lane.rank.unwrap_or(u32::MAX);
        self.process = (lane.process as usize).min(self.datatypes.len() - 1);
        self.needs_pins = false;
        let mut steps = Vec::with_capacity(lane.events.len());
        if lane.rank.is_some() {
            let mut known: FxHashMap<(u32, u32, bool), OpId> = FxHashMap::default();
            for event in &lane.events {
                self.is_ending_epoch = self.ends_epoch(event);
                let key = (event.call.0, event.outcome.map_or(u32::MAX, |o| o.number()), self.is_ending_epoch);
                let mut translate = || {
                    let call = trace.call(event.call);
                    let outcome = event.outcome.map(|o| trace.outcome(o));
                    let op = self.translate(&Arguments { call, outcome });
                    self.op(op)
                };
                let is_counted = partitioned::counts(trace.call(event.call).function);
                steps.push(if is_counted { translate() } else { *known.entry(key).or_insert_with(translate) });
            }
        }
        let end = self.end_of(number, &steps);
        let in_flight = self.polls_at_end(lane, &mut steps) || lane.events.last().is_some_and(|e| e.outcome.is_none());
        self.program.lanes.push(Lane { rank: self.rank, steps, end, in_flight, has_ended: lane.ended, ..Lane::default() });
        self.needing_pins.push(self.needs_pins);
    }

    /// Follows the requests of a lane that has calls which need it.
    fn pin_if_needed(&mut self, number: usize) {
        if self.needing_pins[number] {
            let mut program = std::mem::take(&mut self.program.lanes[number]);
            self.pin(number, &mut program);
            self.program.lanes[number] = program;
        }
    }

    fn end_of(&self, number: usize, steps: &[OpId]) -> End {
        let lane = &self.trace.lanes[number];
        let ending = self.trace.processes.get(lane.process as usize).map(|p| p.ending).unwrap_or_default();
        let last = steps.iter().rev().map(|&op| self.program.ops[op as usize]);
        match ending {
            Ending::Finalized => End::Finalized,
            Ending::Aborted => End::Aborted,
            Ending::Unfinished => match last.clone().find(|op| matches!(op, Op::Finalize | Op::Abort)) {
                Some(Op::Abort) => End::Aborted,
                // A call that never returned is not the end of anything.
                Some(Op::Finalize) if lane.events.last().is_some_and(|e| e.outcome.is_some()) => End::Finalized,
                _ => End::Unknown,
            },
        }
    }

    /// What is known where the call in work is made.
    fn known(&self) -> Known<'_> {
        Known {
            rank: self.rank,
            communicators: &self.communicators,
            shared: &self.shared,
            datatypes: &self.datatypes[self.process],
            groups: &self.groups[self.process],
            tag_ub: self.trace.processes.get(self.process).and_then(|process| process.tag_ub),
        }
    }

    /// The number of an operation. Equal ones of different calls may have different numbers.
    fn op(&mut self, op: Op) -> OpId {
        if op == Op::Local {
            return LOCAL;
        }
        self.program.ops.push(op);
        index_of_last(&self.program.ops)
    }

    /// What a call does.
    fn translate(&mut self, a: &Arguments) -> Op {
        let function = a.function();
        self.define(a);
        // It is no part of any communication, and who knows what the library does with it.
        if a.outcome.is_none() && faults::find(a.call, &self.known()).is_some() {
            return Op::Opaque;
        }
        let op = self.transfer(a).or_else(|| self.partitioned(a)).or_else(|| self.completion(a));
        if let Some(op) = op.or_else(|| self.collective(a)) {
            return op;
        }
        if let Some(op) = self.window(a).or_else(|| self.file(a)) {
            return op;
        }
        match function {
            mpi::FINALIZE => Op::Finalize,
            mpi::ABORT => Op::Abort,
            mpi::CANCEL => Op::Cancel { slot: slot_of(a.call.int("request")) },
            mpi::REQUEST_FREE if !a.failed() => Op::Free { slot: slot_of(a.call.int("request")) },
            // Init waits for the launcher as well as for the other ranks: what it waits for cannot be known.
            _ if a.outcome.is_none() => Op::Opaque,
            _ => match request_made(a) {
                NO_SLOT => Op::Local,
                slot => Op::Request { slot },
            },
        }
    }

    /// Takes note of the datatypes and groups that a call makes.
    fn define(&mut self, a: &Arguments) {
        match a.function().class() {
            Class::Datatype => self.datatypes[self.process].define(a, &mut self.program.layouts),
            Class::Group | Class::Communicator => {
                self.groups[self.process].define(a, self.rank, &self.communicators);
            }
            Class::OneSided | Class::Io if a.function().parameter("group").is_some() => self.define_group(a),
            _ => {}
        }
    }

    /// Takes note of the group of a window or a file, which is that of its communicator.
    fn define_group(&mut self, a: &Arguments) {
        let thing = a.call.int("win").map(Thing::Window).or(a.call.int("fh").map(Thing::File));
        let shared = thing.and_then(|thing| self.shared.get(self.rank, thing));
        let view = shared.and_then(|shared| self.communicators.view(shared.comm, self.rank));
        if let (Some(view), Some(number)) = (view, a.result("group").int()) {
            self.groups[self.process].add(number, view.local.ranks.clone());
        }
    }

    /// The way of messages from `source` to `destination` (ranks of MPI_COMM_WORLD) in the context of a mailbox.
    fn channel(&mut self, mailbox: Mailbox, source: u32) -> ChannelId {
        let mailbox = self.mailbox(mailbox);
        let channel = Channel { mailbox, source };
        *self.channels.entry(channel).or_insert_with(|| {
            self.program.channels.push(channel);
            index_of_last(&self.program.channels)
        })
    }

    fn mailbox(&mut self, mailbox: Mailbox) -> MailboxId {
        *self.mailboxes.entry(mailbox).or_insert_with(|| {
            self.program.mailboxes.push(mailbox);
            index_of_last(&self.program.mailboxes)
        })
    }

    /// Whether the trace has calls of this rank of MPI_COMM_WORLD (−1 is a process of another world).
    fn is_present(&self, rank: i64) -> bool {
        usize::try_from(rank).is_ok_and(|rank| self.present.get(rank) == Some(&true))
    }

    /// The number of a set of members.
    fn set(&mut self, mut members: Vec<u32>) -> SetId {
        members.sort_unstable();
        members.dedup();
        if let Some(number) = self.sets.get(&members) {
            return *number;
        }
        self.program.sets.push(members.clone());
        let number = index_of_last(&self.program.sets);
        self.sets.insert(members, number);
        number
    }

    /// Stores requests side by side.
    fn span(&mut self, list: impl IntoIterator<Item = Completion>) -> Span {
        let at = self.program.completions.len();
        self.program.completions.extend(list);
        let len = self.program.completions.len() - at;
        Span { at: u32::try_from(at).unwrap_or(0), len: u32::try_from(len).unwrap_or(0) }
    }
}

/// The number of the last element of a table.
fn index_of_last<T>(list: &[T]) -> u32 {
    u32::try_from(list.len() - 1).expect("fewer than 2^32 distinct operations")
}

/// The slot of a request's number.
fn slot_of(request: Option<i64>) -> Slot {
    match request.map(|r| r - traces::constant::FIRST_MADE) {
        Some(slot) if (0..SLOTS_MAX).contains(&slot) => Slot::try_from(slot).unwrap_or(NO_SLOT),
        _ => NO_SLOT,
    }
}

/// The slot of the request that a call made; [`NO_SLOT`] if it made none.
fn request_made(a: &Arguments) -> Slot {
    let made = a.function().parameters().iter().any(|p| p.kind == Kind::Request && p.name == "request");
    if made && matches!(a.call.argument("request"), traces::Value::Nil) { slot_of(a.result("request").int()) } else { NO_SLOT }
}
