//! One-sided accesses: who touches which bytes of whose memory, with which of its own, and in which epoch.
//!
//! This is the one place where calls such as MPI_Put become accesses. Bytes are addresses, in the origin's memory as in the target's, and
//! as compact as the datatypes that say which. What is not known is None.

mod epochs;
mod exposures;

use traces::constant::{NO_OP, OP_NULL};
use traces::function::{Class, Function, mpi};
use traces::{Call, Trace};

use crate::finding::Place;
use crate::footprint::Footprint;
use crate::layout::Content;
use crate::lift::{Arguments, Datatypes, Lifted, Memory, Shared};
use crate::program::{ContextId, Thing};
pub(crate) use epochs::{Epoch, Epochs, Fault};
pub(crate) use exposures::Exposures;
use exposures::Starts;

/// What is done with the target's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is read.
    Get,
    /// It is written.
    Put,
    /// It is changed by an operation, element by element.
    Accumulate,
}

/// An access.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The call.
    pub(crate) place: Place,
    /// The window, by where its collectives go.
    pub(crate) window: ContextId,
    /// Whose memory, as a rank of MPI_COMM_WORLD; None for MPI_PROC_NULL.
    pub(crate) target: Option<u32>,
    pub(crate) kind: Kind,
    /// With which operation, by its number; of MPI_Compare_and_swap None.
    pub(crate) operation: Option<i64>,
    /// The bytes of the origin that are sent, or filled by a get.
    pub(crate) origin: Option<Footprint>,
    /// The bytes of the origin that are filled with what was there before.
    pub(crate) result: Option<Footprint>,
    /// The bytes of the target.
    pub(crate) bytes: Option<Footprint>,
    /// The memory that the target gave to the window.
    pub(crate) memory: Option<Memory>,
    /// What an accumulate combines, element by element.
    pub(crate) content: Content,
    /// What allows it; None if nothing does.
    pub(crate) epoch: Option<Epoch>,
    /// Which epoch of that kind it is.
    pub(crate) session: Session,
    /// Whether a request tells when it is complete.
    pub(crate) has_request: bool,
    /// The event of its lane that completes it at the target, if it comes to one.
    pub(crate) done: Option<u32>,
}

/// Which epoch an access is in, as its target can tell it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Session {
    /// After so many fences.
    Fence(u32),
    /// So many MPI_Win_post of the target came before it.
    Exposure(u32),
    /// Any time, as far as the target knows.
    Passive,
    /// It is not known.
    Unknown,
}

impl Access {
    /// Whether it changes the target's memory.
    pub(crate) fn writes(&self) -> bool {
        self.kind == Kind::Put || (self.kind == Kind::Accumulate && self.operation != Some(NO_OP))
    }
}

/// What a walk over the calls on windows comes to.
pub(crate) struct Walk {
    /// The accesses, by lane.
    pub(crate) accesses: Vec<Access>,
    /// The calls that do not fit their epoch.
    pub(crate) faults: Vec<(Place, ContextId, Fault)>,
    /// What the targets let others do.
    pub(crate) exposures: Exposures,
}

/// Follows every rank that calls MPI from one thread through its epochs.
pub(crate) fn walk(trace: &Trace, lifted: &Lifted) -> Walk {
    let mut walk = Walk { accesses: Vec::new(), faults: Vec::new(), exposures: Exposures::default() };
    let is_on_window: Vec<bool> = trace.calls.iter().map(is_on_window).collect();
    if !is_on_window.contains(&true) {
        return walk;
    }
    walk.exposures = Exposures::of(trace, lifted);
    for (number, lane) in (0..).zip(&trace.lanes) {
        // The calls of several threads have an order that nobody promised.
        let Some(rank) = lane.rank.filter(|rank| !lifted.program.has_threads(*rank)) else { continue };
        let mut epochs = Epochs::default();
        let mut starts = Starts::default();
        let mut open: Vec<usize> = Vec::new();
        let process = (lane.process as usize).min(lifted.datatypes.len() - 1);
        for (at, event) in (0..).zip(&lane.events).filter(|(_, event)| is_on_window[event.call.0 as usize]) {
            let place = Place { lane: number, event: at };
            let a = Arguments { call: trace.call(event.call), outcome: event.outcome.map(|o| trace.outcome(o)) };
            let Some(shared) = a.call.int("win").and_then(|win| lifted.shared.get(rank, Thing::Window(win))) else { continue };
            if let Some(kind) = kind(a.function()) {
                let reader = Reader { lifted, datatypes: &lifted.datatypes[process], a: &a, rank, shared };
                let mut access = reader.access(place, kind, &epochs);
                if access.epoch == Some(Epoch::Start) {
                    let exposure =
                        access.target.and_then(|target| starts.exposure(&walk.exposures, shared.context, target, rank));
                    access.session = exposure.map_or(Session::Unknown, Session::Exposure);
                }
                if !a.failed() {
                    open.push(walk.accesses.len());
                }
                walk.accesses.push(access);
            } else if !open.is_empty() && completes_at_target(a.function()) {
                let target = target_of(lifted, &a, shared, rank);
                open.retain(|&at| {
                    let access = &mut walk.accesses[at];
                    let is_done = access.window == shared.context && target.is_none_or(|target| access.target == target);
                    if is_done {
                        access.done = Some(place.event);
                    }
                    !is_done
                });
            }
            if a.function() == mpi::WIN_START && !a.failed() {
                starts.begin(&lifted.program, lifted.program.lanes[number as usize].steps[at as usize], shared.context);
            }
            let fault = epochs.call(&a, shared.context);
            walk.faults.extend(fault.map(|fault| (place, shared.context, fault)));
        }
    }
    walk
}

/// Whether a call completes accesses where they go to.
fn completes_at_target(function: Function) -> bool {
    matches!(
        function,
        mpi::WIN_FENCE
            | mpi::WIN_COMPLETE
            | mpi::WIN_UNLOCK
            | mpi::WIN_UNLOCK_ALL
            | mpi::WIN_FLUSH
            | mpi::WIN_FLUSH_ALL
            | mpi::WIN_FREE
    )
}

/// The target that a call is about, as a rank of MPI_COMM_WORLD; None if it is about all.
fn target_of(lifted: &Lifted, a: &Arguments, shared: Shared, rank: u32) -> Option<Option<u32>> {
    let at = a.call.int("rank")?;
    let view = lifted.communicators.view(shared.comm, rank);
    Some(view.and_then(|view| u32::try_from(*view.local.ranks.get(usize::try_from(at).ok()?)?).ok()))
}

fn is_on_window(call: &Call) -> bool {
    call.function.class() == Class::OneSided
}

fn kind(function: Function) -> Option<Kind> {
    Some(match function {
        mpi::PUT | mpi::RPUT => Kind::Put,
        mpi::GET | mpi::RGET => Kind::Get,
        mpi::ACCUMULATE | mpi::RACCUMULATE | mpi::GET_ACCUMULATE | mpi::RGET_ACCUMULATE => Kind::Accumulate,
        mpi::FETCH_AND_OP | mpi::COMPARE_AND_SWAP => Kind::Accumulate,
        _ => return None,
    })
}

/// A call in the way that reading it needs.
struct Reader<'a> {
    lifted: &'a Lifted,
    datatypes: &'a Datatypes,
    a: &'a Arguments<'a>,
    rank: u32,
    shared: Shared,
}

impl Reader<'_> {
    fn access(&self, place: Place, kind: Kind, epochs: &Epochs) -> Access {
        let a = self.a;
        let target = self.target();
        let memory = target.and_then(|target| self.lifted.shared.get(target, self.thing()?)).and_then(|shared| shared.memory);
        let operation = a.call.int("op").filter(|op| *op != OP_NULL);
        let epoch = epochs.allowing(self.shared.context, a.call.int("target_rank"));
        let session = match epoch {
            Some(Epoch::Fence) => Session::Fence(epochs.fences(self.shared.context)),
            Some(Epoch::Lock { .. } | Epoch::LockAll) => Session::Passive,
            _ => Session::Unknown,
        };
        let elements = self.elements("target");
        let content =
            elements.map(|(count, datatype)| self.datatypes.content(Some(count), Some(datatype), &self.lifted.program.layouts));
        Access {
            place,
            window: self.shared.context,
            target,
            kind,
            operation,
            // Where nothing is combined, nothing is sent.
            origin: if operation == Some(NO_OP) { Some(Footprint::default()) } else { self.own("origin") },
            result: if a.call.function.parameter("result_addr").is_some() {
                self.own("result")
            } else {
                Some(Footprint::default())
            },
            bytes: memory.and_then(|memory| self.bytes(memory)),
            memory,
            content: content.unwrap_or_default(),
            epoch: if a.failed() && epoch.is_some() { Some(Epoch::Unknown) } else { epoch },
            session: if a.failed() { Session::Unknown } else { session },
            has_request: a.call.function.parameter("request").is_some(),
            done: None,
        }
    }

    fn thing(&self) -> Option<Thing> {
        self.a.call.int("win").map(Thing::Window)
    }

    fn target(&self) -> Option<u32> {
        let at = usize::try_from(self.a.call.int("target_rank")?).ok()?;
        let view = self.lifted.communicators.view(self.shared.comm, self.rank)?;
        u32::try_from(*view.local.ranks.get(at)?).ok()
    }

    /// So many of a datatype, by the names of the arguments; of MPI_Fetch_and_op and the like, one of the only datatype.
    fn elements(&self, side: &str) -> Option<(i64, i64)> {
        let call = self.a.call;
        match call.int(&format!("{side}_datatype")) {
            Some(datatype) => Some((call.int(&format!("{side}_count"))?, datatype)),
            None => Some((1, call.int("datatype")?)),
        }
    }

    /// Bytes of the origin.
    fn own(&self, side: &str) -> Option<Footprint> {
        let (count, datatype) = self.elements(side)?;
        self.datatypes.footprint(self.a.call.int(&format!("{side}_addr"))?, count, datatype)
    }

    /// Bytes of the target. The datatype is the origin's, and counts in the target's memory.
    fn bytes(&self, memory: Memory) -> Option<Footprint> {
        let (count, datatype) = self.elements("target")?;
        let at = self.a.call.int("target_disp")?.checked_mul(memory.unit)?.checked_add(memory.base)?;
        self.datatypes.footprint(at, count, datatype)
    }
}
