//! Who is in which communicator, as ranks of MPI_COMM_WORLD.
//!
//! A communicator has the same number on all its members, and each of them recorded the members when it was made; one is enough.

use rustc_hash::FxHashMap;
use traces::constant::{COMM_SELF, COMM_WORLD};
use traces::function::{Direction, Kind};
use traces::{Function, Trace, Value};

use crate::program::{Context, ContextId};

/// A list of ranks; −1 stands for a process that is not known.
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
    /// By number; MPI_COMM_SELF by rank, too, and MPI_COMM_WORLD by the rank that is its first.
    list: FxHashMap<(i64, Option<u32>), Communicator>,
    /// The first ranks of the worlds.
    worlds: Vec<u32>,
    /// Those groups that make a communicator on their own (MPI_Comm_create_group), by parent, tag and members.
    partial: FxHashMap<(i64, Value, Vec<u32>), ContextId>,
}

impl Communicators {
    /// Finds them all. Each gets a context in `contexts`; the first contexts are those of MPI_Finalize, one for each world.
    pub(crate) fn of(trace: &Trace, present: &[bool], contexts: &mut Vec<Context>) -> Communicators {
        let firsts = std::iter::once(0).chain(trace.spawned.iter().map(|world| world.first));
        let mut all = Communicators { worlds: firsts.collect(), ..Communicators::default() };
        let members = |first: u32| trace.world_of(first).map(i64::from).collect::<Vec<i64>>();
        let worlds: Vec<(u32, Vec<i64>)> = all.worlds.iter().map(|first| (*first, members(*first))).collect();
        contexts.extend(worlds.iter().map(|(_, world)| context(COMM_WORLD, present, &[world])));
        for (first, world) in &worlds {
            all.add((COMM_WORLD, Some(*first)), [world, &[]], present, contexts);
        }
        for rank in trace.lanes.iter().filter_map(|l| l.rank) {
            all.add((COMM_SELF, Some(rank)), [&[i64::from(rank)], &[]], present, contexts);
        }
        let makes: Vec<bool> = trace.calls.iter().map(|call| makes_communicator(call.function)).collect();
        for event in trace.lanes.iter().flat_map(|lane| &lane.events).filter(|e| makes[e.call.0 as usize]) {
            let made = event.outcome.and_then(|o| trace.outcome(o).new_communicator(trace.call(event.call).function));
            if let Some((id, local, remote)) = made.filter(|(id, ..)| traces::trace::is_made(*id)) {
                let ranks = |members: &[i64]| members.iter().map(|member| trace.rank_of(*member)).collect::<Vec<i64>>();
                all.add((id, None), [&ranks(local), &ranks(remote)], present, contexts);
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
        let owner = match comm {
            COMM_SELF => Some(rank),
            COMM_WORLD => self.worlds.iter().rfind(|first| **first <= rank).copied(),
            _ => None,
        };
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
        (parent, tag): (i64, Value),
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
