//! Windows and files: what the members of a communicator make together, and use together. Each has its own order of collective calls.
//!
//! A window and a file have the same number on all members, so that the sides can be joined. In traces of the first recorders each process
//! counted its own: those are not joined, and their calls are no part of any communication.

use rustc_hash::FxHashMap;
use traces::constant::COMM_WORLD;
use traces::function::{Direction, Kind, mpi};
use traces::{Function, Trace, Value};

use super::arguments::Arguments;
use super::communicators::Communicators;
use super::index_of_last;
use crate::program::{Context, ContextId, Thing};

/// Numbers below this were counted by one process.
const JOINED_MIN: i64 = 1 << 32;

/// A window or a file as one process knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared {
    /// Where its collectives go.
    pub(crate) context: ContextId,
    /// The communicator that it was made of.
    pub(crate) comm: i64,
    /// What this process gives to others, if it is a window.
    pub(crate) memory: Option<Memory>,
}

/// Memory that a process gives to a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Its first address; 0 for a window whose displacements are addresses.
    pub(crate) base: i64,
    /// Its bytes.
    pub(crate) size: i64,
    /// What displacements are multiplied by.
    pub(crate) unit: i64,
    /// Whether it is all that may be accessed: not in a window to which memory is attached, and the ranks of a shared one may reach into
    /// each other's.
    pub(crate) is_bounded: bool,
}

impl Memory {
    /// What a call that makes a window gives to it.
    fn of(a: &Arguments) -> Option<Memory> {
        if a.function() == mpi::WIN_CREATE_DYNAMIC {
            return Some(Memory { base: 0, size: i64::MAX, unit: 1, is_bounded: false });
        }
        let size = a.call.int("size")?;
        // Nobody can have an address of no memory.
        let base = a.call.int("base").or(a.result("baseptr").int()).or((size == 0).then_some(0))?;
        Some(Memory { base, size, unit: a.call.int("disp_unit")?, is_bounded: a.function() != mpi::WIN_ALLOCATE_SHARED })
    }
}

/// Every window and file of a trace.
#[derive(Debug, Default)]
pub(crate) struct SharedThings {
    /// By rank and thing.
    list: FxHashMap<(u32, Thing), Shared>,
    /// What files are called.
    names: FxHashMap<Thing, Box<str>>,
}

impl SharedThings {
    /// Finds them all, and gives each a context of its own.
    pub(crate) fn of(trace: &Trace, communicators: &Communicators, contexts: &mut Vec<Context>) -> SharedThings {
        let mut all = SharedThings::default();
        let made: Vec<Option<Kind>> = trace.calls.iter().map(|call| makes(call.function)).collect();
        if made.iter().all(Option::is_none) {
            return all;
        }
        let mut known: FxHashMap<(ContextId, Thing), ContextId> = FxHashMap::default();
        for lane in &trace.lanes {
            let Some(rank) = lane.rank else { continue };
            for event in &lane.events {
                let (Some(kind), Some(outcome)) = (made[event.call.0 as usize], event.outcome) else { continue };
                let (call, outcome) = (trace.call(event.call), trace.outcome(outcome));
                let name = if kind == Kind::Win { "win" } else { "fh" };
                let number = outcome.result(call.function, name).int().filter(|number| *number >= JOINED_MIN);
                let Some(thing) = number.map(|number| Thing::of(kind, number)) else { continue };
                if let Value::Text(name) = call.argument("filename") {
                    all.names.entry(thing).or_insert_with(|| name.clone());
                }
                let comm = call.int("comm").unwrap_or(COMM_WORLD);
                let Some(view) = communicators.view(comm, rank).filter(|view| !view.is_inter) else { continue };
                let context = *known.entry((view.context, thing)).or_insert_with(|| {
                    let members = contexts[view.context as usize].members.clone();
                    contexts.push(Context { comm, members, is_inter: false, thing: Some(thing) });
                    index_of_last(contexts)
                });
                let memory = Memory::of(&Arguments { call, outcome: Some(outcome) }).filter(|_| kind == Kind::Win);
                all.list.insert((rank, thing), Shared { context, comm, memory });
            }
        }
        all
    }

    /// The name of a file, as one of those who opened it gave it.
    pub(crate) fn name(&self, thing: Thing) -> Option<&str> {
        self.names.get(&thing).map(AsRef::as_ref)
    }

    /// A window or a file, as a rank of MPI_COMM_WORLD knows it.
    pub(crate) fn get(&self, rank: u32, thing: Thing) -> Option<Shared> {
        self.list.get(&(rank, thing)).copied()
    }
}

/// What a function makes, if it is one of these.
fn makes(function: Function) -> Option<Kind> {
    let made = |kind| function.parameters().iter().any(|p| p.kind == kind && p.direction == Direction::Out);
    [Kind::Win, Kind::File].into_iter().find(|kind| made(*kind))
}
