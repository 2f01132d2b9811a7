//! Who is in which communicator, as ranks of MPI_COMM_WORLD.
//!
//! A communicator has the same number on all its members, and each of them recorded the members when it was made; one is enough.

use rustc_hash::FxHashMap;
use traces::constant::{COMM_SELF, COMM_WORLD};
use traces::function::{Direction, Kind};
use traces::{Function, Trace};

use crate::program::{Context, ContextId};

/// A list of ranks of MPI_COMM_WORLD; −1 stands for a process of another world.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) ranks: Vec<i64>,
    positions: FxHashMap<i64, u32>,
}

impl Group {
    pub(crate) fn new(ranks: &[i64]) -> Group {
        let positions = ranks.iter().zip(0..).map(|(&rank, at)| (rank, at)).collect();
        Group { ranks: ranks.to_vec(), positions }
    }

    /// The place of a rank of MPI_COMM_WORLD in the group.
    pub(crate) fn position(&self, rank: u32) -> Option<u32> {
        self.positions.get(&i64::from(rank)).copied()
    }
}

/// A communicator: one group, or the two of an intercommunicator.
#[derive(Debug)]
struct Communicator {
    groups: [Group; 2],
    context: ContextId,
}

/// A communicator as one of its members sees it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// The group that the member is in.
    pub(crate) local: &'a Group,
    /// The group that it sends to and receives from.
    pub(crate) peers: &'a Group,
    /// Where its collectives go.
    pub(crate) context: ContextId,
    /// Whether it has two groups.
    pub(crate) is_inter: bool,
}

/// Every communicator of a trace.
#[derive(Debug, Default)]
pub(crate) struct Communicators {
    /// By number, and for MPI_COMM_SELF by rank.
    list: FxHashMap<(i64, Option<u32>), Communicator>,
    /// Those groups that make a communicator on their own (MPI_Comm_create_group), by parent, tag and members.
    partial: FxHashMap<(i64, i64, Vec<u32>), ContextId>,
}

impl Communicators {
    /// Finds them all. Each gets a context in `contexts`; the first context is that of MPI_Finalize.
    pub(crate) fn of(trace: &Trace, present: &[bool], contexts: &mut Vec<Context>) -> Communicators {
        let mut all = Communicators::default();
        let world: Vec<i64> = (0..i64::from(trace.world_size)).collect();
        contexts.push(context(COMM_WORLD, present, &[&world]));
        all.add((COMM_WORLD, None), [&world, &[]], present, contexts);
        for rank in trace.lanes.iter().filter_map(|l| l.rank) {
            all.add((COMM_SELF, Some(rank)), [&[i64::from(rank)], &[]], present, contexts);
        }
        let makes: Vec<bool> = trace.calls.iter().map(|call| makes_communicator(call.function)).collect();
        for event in trace.lanes.iter().flat_map(|lane| &lane.events).filter(|e| makes[e.call.0 as usize]) {
            let made = event.outcome.and_then(|o| trace.outcome(o).new_communicator(trace.call(event.call).function));
            if let Some((id, local, remote)) = made.filter(|(id, ..)| traces::trace::is_made(*id)) {
                all.add((id, None), [local, remote], present, contexts);
            }
        }
        all
    }

    fn add(&mut self, key: (i64, Option<u32>), groups: [&[i64]; 2], present: &[bool], contexts: &mut Vec<Context>) {
        self.list.entry(key).or_insert_with(|| {
            contexts.push(context(key.0, present, &groups));
            Communicator { groups: groups.map(Group::new), context: super::index_of_last(contexts) }
        });
    }

    /// The communicator of this number, as a rank of MPI_COMM_WORLD sees it; None if it is unknown or the rank is no member.
    pub(crate) fn view(&self, comm: i64, rank: u32) -> Option<View<'_>> {
        let owner = (comm == COMM_SELF).then_some(rank);
        let communicator = self.list.get(&(comm, owner))?;
        let [first, second] = &communicator.groups;
        let view = |local, peers, is_inter| View { local, peers, context: communicator.context, is_inter };
        let is_inter = !second.ranks.is_empty();
        match (first.position(rank).is_some(), second.position(rank).is_some()) {
            (true, _) if is_inter => Some(view(first, second, true)),
            (true, _) => Some(view(first, first, false)),
            (_, true) => Some(view(second, first, true)),
            _ => None,
        }
    }

    /// The context of those who make a communicator of a part of another one.
    pub(crate) fn partial(
        &mut self,
        (parent, tag): (i64, i64),
        members: &[i64],
        present: &[bool],
        contexts: &mut Vec<Context>,
    ) -> ContextId {
        let made = context(parent, present, &[members]);
        *self.partial.entry((parent, tag, made.members.clone())).or_insert_with(|| {
            contexts.push(made);
            super::index_of_last(contexts)
        })
    }
}

/// Whether a function returns a new communicator.
fn makes_communicator(function: Function) -> bool {
    function.parameters().iter().any(|p| p.kind == Kind::Comm && p.direction == Direction::Out)
}

/// A context of those members whose calls are in the trace. The others are taken to take part.
fn context(comm: i64, present: &[bool], groups: &[&[i64]]) -> Context {
    let ranks = groups.iter().flat_map(|ranks| ranks.iter());
    let members =
        ranks.filter_map(|&rank| u32::try_from(rank).ok()).filter(|&rank| present.get(rank as usize) == Some(&true)).collect();
    let is_inter = groups.get(1).is_some_and(|ranks| !ranks.is_empty());
    Context { comm, members, is_inter, thing: None }
}
