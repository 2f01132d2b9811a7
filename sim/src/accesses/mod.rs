//! One-sided accesses: who touches which bytes of whose memory, with which of its own, and in which epoch.
//!
//! This is the one place where calls such as MPI_Put become accesses. Bytes are addresses, in the origin's memory as in the target's, and
//! as compact as the datatypes that say which. What is not known is None.

mod epochs;

use traces::constant::{NO_OP, OP_NULL};
use traces::function::{Class, Function, mpi};
use traces::{Call, Trace};

use crate::finding::Place;
use crate::footprint::Footprint;
use crate::lift::{Arguments, Datatypes, Lifted, Memory, Shared};
use crate::program::{ContextId, Thing};
pub(crate) use epochs::{Epoch, Epochs, Fault};

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
    #[expect(dead_code, reason = "accumulates with the same operation do not race, which a rule of races wants to know")]
    pub(crate) operation: Option<i64>,
    /// The bytes of the origin that are sent, or filled by a get.
    pub(crate) origin: Option<Footprint>,
    /// The bytes of the origin that are filled with what was there before.
    pub(crate) result: Option<Footprint>,
    /// The bytes of the target.
    pub(crate) bytes: Option<Footprint>,
    /// The memory that the target gave to the window.
    pub(crate) memory: Option<Memory>,
    /// What allows it; None if nothing does.
    pub(crate) epoch: Option<Epoch>,
}

/// What a walk over the calls on windows comes to.
pub(crate) struct Walk {
    /// The accesses, by lane.
    pub(crate) accesses: Vec<Access>,
    /// The calls that do not fit their epoch.
    pub(crate) faults: Vec<(Place, ContextId, Fault)>,
}

/// Follows every rank that calls MPI from one thread through its epochs.
pub(crate) fn walk(trace: &Trace, lifted: &Lifted) -> Walk {
    let mut walk = Walk { accesses: Vec::new(), faults: Vec::new() };
    let is_on_window: Vec<bool> = trace.calls.iter().map(is_on_window).collect();
    if !is_on_window.contains(&true) {
        return walk;
    }
    for (number, lane) in (0..).zip(&trace.lanes) {
        // The calls of several threads have an order that nobody promised.
        let Some(rank) = lane.rank.filter(|rank| !lifted.program.has_threads(*rank)) else { continue };
        let mut epochs = Epochs::default();
        let process = (lane.process as usize).min(lifted.datatypes.len() - 1);
        for (at, event) in (0..).zip(&lane.events).filter(|(_, event)| is_on_window[event.call.0 as usize]) {
            let place = Place { lane: number, event: at };
            let a = Arguments { call: trace.call(event.call), outcome: event.outcome.map(|o| trace.outcome(o)) };
            let Some(shared) = a.call.int("win").and_then(|win| lifted.shared.get(rank, Thing::Window(win))) else { continue };
            if let Some(kind) = kind(a.function()) {
                let reader = Reader { lifted, datatypes: &lifted.datatypes[process], a: &a, rank, shared };
                walk.accesses.push(reader.access(place, kind, &epochs));
            }
            let fault = epochs.call(&a, shared.context);
            walk.faults.extend(fault.map(|fault| (place, shared.context, fault)));
        }
    }
    walk
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
            epoch: epochs.allowing(self.shared.context, a.call.int("target_rank")),
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
