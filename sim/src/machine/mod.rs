//! The machine that runs programs as MPI would: it matches messages, gathers collectives, and lets each lane go on as far as it can.
//!
//! It is deterministic and knows nothing of time but what a [`Clock`] tells it. Where the standard leaves freedom, the recorded run has
//! chosen; where the recorded run is silent, whatever comes first in the order of lanes. It judges nothing: see `checks`.

mod chain;
mod choices;
pub(crate) mod clock;
mod collectives;
mod log;
mod mail;
mod operations;
mod remains;
mod requests;
mod steps;
mod windows;

use rustc_hash::FxHashMap;

use crate::finding::Place;
use crate::program::{ContextId, End, Op, Program};
use chain::{NONE, Pool};
pub(crate) use choices::Choices;
pub(crate) use clock::{Clock, Timeless, Travel};
use collectives::Gathering;
pub(crate) use log::{Log, Misfit, Mismark, Record};
use mail::Mail;
use operations::{Level, Operation};
pub(crate) use remains::{
    Awaited, Fate, LeftCollective, LeftReceive, LeftRequest, LeftSend, Need, Remains, RequestState, Wait, What,
};
use requests::Process;

/// What the machine may assume of the library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assumptions {
    /// Standard sends of at most so many bytes complete before they are received; None: not even empty ones.
    pub(crate) eager_bytes: Option<u64>,
    /// Whether collectives wait for all members even where the data does not demand it.
    pub(crate) full_collectives: bool,
    /// Whether the recorded run is a fact: calls that returned did return, and those that did not were waiting for something.
    pub(crate) facts: bool,
}

impl Assumptions {
    /// The run as it was recorded.
    pub(crate) const RECORDED: Assumptions = Assumptions { eager_bytes: Some(u64::MAX), full_collectives: false, facts: true };
    /// A library that buffers no send, and whose collectives wait only for the data that they need: what gets stuck then, needs buffering
    /// and nothing else.
    pub(crate) const UNBUFFERED: Assumptions = Assumptions { eager_bytes: None, full_collectives: false, facts: false };
    /// A library that buffers everything, and whose collectives wait for all their members: what gets stuck then, needs collectives that do not.
    pub(crate) const SYNCHRONISING: Assumptions =
        Assumptions { eager_bytes: Some(u64::MAX), full_collectives: true, facts: false };
    /// A library that never lets anybody go early.
    pub(crate) const STRICT: Assumptions = Assumptions { eager_bytes: None, full_collectives: true, facts: false };
}

/// Where a lane stands.
#[derive(Debug)]
struct LaneState {
    /// The event that it is in, or comes to next.
    at: u32,
    /// How many operations it waits for.
    needed: u32,
    /// How far these must have come.
    demand: Level,
    /// The operations of the call that it is in.
    own: [u32; 2],
    /// How many wildcards it has posted.
    wildcards: usize,
    /// How many operations it has posted by request.
    posts: u64,
    /// How many of them were cancelled.
    cancelled: usize,
    /// Whether it is in a call that nobody knows what it waits for.
    is_opaque: bool,
    /// Whether it waits at all.
    is_blocked: bool,
}

/// Whether the message of a send and a receive has to be looked into.
pub(crate) type Watch<'p> = dyn Fn(Place, Place) -> bool + 'p;

/// Programs in execution.
pub(crate) struct Machine<'p, C: Clock> {
    program: &'p Program,
    assume: Assumptions,
    /// A schedule that is followed in place of the recorded one.
    choices: Option<&'p Choices>,
    /// Asked of the send and the receive of each message.
    watch: Option<&'p Watch<'p>>,
    clock: C,
    lanes: Vec<LaneState>,
    processes: Vec<Process>,
    operations: Pool<Operation<C::Moment>>,
    mail: Mail<C::Moment>,
    /// By context; those behind the program's contexts belong to persistent collectives.
    gatherings: Vec<Gathering<C::Moment>>,
    /// The contexts of persistent collectives, by that of their communicator and which of its calls made them.
    persistent: FxHashMap<(ContextId, u64), ContextId>,
    windows: windows::Windows,
    runnable: Vec<u32>,
    log: Log,
}

impl<'p, C: Clock> Machine<'p, C> {
    /// A machine that has not begun.
    pub(crate) fn new(program: &'p Program, assume: Assumptions, clock: C, record: Record) -> Machine<'p, C> {
        let lane = || LaneState {
            at: 0,
            needed: 0,
            demand: Level::Early,
            own: [NONE; 2],
            wildcards: 0,
            posts: 0,
            cancelled: 0,
            is_opaque: false,
            is_blocked: false,
        };
        Machine {
            program,
            assume,
            choices: None,
            watch: None,
            clock,
            lanes: program.lanes.iter().map(|_| lane()).collect(),
            processes: (0..program.world_size).map(|_| Process::default()).collect(),
            operations: Pool::default(),
            mail: Mail::new(program),
            gatherings: program.contexts.iter().map(|c| Gathering::new(c.members.len())).collect(),
            persistent: FxHashMap::default(),
            windows: windows::Windows::default(),
            // The last is taken first, so that lanes begin in their order.
            runnable: (0..u32::try_from(program.lanes.len()).unwrap_or(u32::MAX)).rev().collect(),
            log: Log::new(program.lanes.len(), record),
        }
    }

    /// It, with an alarm in the log if a message is to be looked into.
    pub(crate) fn with_watch(self, watch: &'p Watch<'p>) -> Machine<'p, C> {
        Machine { watch: Some(watch), ..self }
    }

    /// Runs until nothing moves any more.
    pub(crate) fn run(&mut self) {
        loop {
            while let Some(lane) = self.runnable.pop() {
                self.advance(lane);
            }
            let has_moved = self.settle_wildcards() || (self.assume.facts && self.force());
            if !has_moved {
                return;
            }
        }
    }

    /// Lets a lane go on until it has to wait, or has no more calls.
    fn advance(&mut self, lane: u32) {
        let program = self.program;
        let steps = &program.lanes[lane as usize].steps;
        if self.lanes[lane as usize].is_blocked {
            // A thread may be called to its turn more than once: it goes on when it has what it waits for.
            if self.lanes[lane as usize].needed > 0 || self.lanes[lane as usize].is_opaque {
                return;
            }
            self.lanes[lane as usize].is_blocked = false;
            self.leave(lane, steps[self.lanes[lane as usize].at as usize]);
        }
        while let Some(&step) = steps.get(self.lanes[lane as usize].at as usize) {
            if !program.turns.is_empty() && !self.is_its_turn(lane) {
                return;
            }
            let place = Place { lane, event: self.lanes[lane as usize].at };
            self.clock.begin(place);
            let returns = step == crate::lift::LOCAL || self.enter(place, step);
            self.lanes[lane as usize].is_blocked = !returns;
            if !program.turns.is_empty() {
                self.next_turn(lane);
            }
            if !returns {
                return;
            }
            self.clock.end(place);
            self.lanes[lane as usize].at += 1;
        }
    }

    /// Whether a lane is the one of its process that makes the next call.
    fn is_its_turn(&self, lane: u32) -> bool {
        let rank = self.program.lanes[lane as usize].rank;
        let Some(turns) = self.program.turns.get(&rank) else { return true };
        turns.get(self.processes[rank as usize].turn) == Some(&lane)
    }

    /// A lane has made a call: if another one of its process is next, it may go on.
    fn next_turn(&mut self, lane: u32) {
        let rank = self.program.lanes[lane as usize].rank;
        let Some(turns) = self.program.turns.get(&rank) else { return };
        self.processes[rank as usize].turn += 1;
        let next = turns.get(self.processes[rank as usize].turn);
        if let Some(&next) = next.filter(|next| **next != lane && !self.lanes[**next as usize].is_blocked) {
            self.runnable.push(next);
        }
    }

    /// Calls that returned in the recorded run return here too, even if nothing tells why: a partner's calls may be missing. Collectives come
    /// last, since they may only wait for those that wait for something else. Gives whether there were any.
    fn force(&mut self) -> bool {
        let is_collective = |op: Op| matches!(op, Op::Collective { .. } | Op::Finalize);
        self.force_those(|op| !is_collective(op)) || self.force_those(is_collective)
    }

    fn force_those(&mut self, wanted: impl Fn(Op) -> bool) -> bool {
        let forced_before = self.log.forced.len();
        for (lane, plan) in (0..).zip(&self.program.lanes) {
            let state = &self.lanes[lane as usize];
            let place = Place { lane, event: state.at };
            let is_in_flight = plan.in_flight && state.at as usize + 1 == plan.steps.len();
            if state.is_blocked && !state.is_opaque && !is_in_flight && wanted(self.op_at(place)) {
                self.log.forced.push(place);
                self.abandon(lane);
                self.runnable.push(lane);
            }
        }
        self.log.forced.len() > forced_before
    }

    /// How far an operation must have come for the call of this lane to return. In the recorded run, a call that never returned was
    /// waiting for what others had not done yet.
    fn demand(&self, place: Place) -> Level {
        let plan = &self.program.lanes[place.lane as usize];
        let is_last = place.event as usize + 1 == plan.steps.len();
        if self.assume.facts && plan.in_flight && is_last { Level::Done } else { Level::Early }
    }

    /// What is known of the end of a lane that has made all its calls.
    fn end(&self, lane: usize) -> End {
        self.program.lanes[lane].end
    }

    /// What happened.
    pub(crate) fn log(&mut self) -> &mut Log {
        &mut self.log
    }

    /// The clock, when all is over.
    pub(crate) fn into_clock(self) -> C {
        self.clock
    }
}
