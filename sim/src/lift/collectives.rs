//! Collective calls, and the constructors of communicators, which are collective, too.
//!
//! The flow of a call is what its data demands: the least that a member must wait for. A library may make it wait for more.

use traces::Value;
use traces::constant::{COMM_NULL, COMM_WORLD, PROC_NULL, ROOT, UNKNOWN_HANDLE};
use traces::function::{Function, mpi};

use super::arguments::Arguments;
use super::{Lifter, NO_SLOT, index_of_last, request_made};
use crate::program::{Collective, ContextId, Flow, Op, SetId, Then};

/// Who needs whose data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Everyone that of everyone.
    AllToAll,
    /// The root that of everyone.
    ToRoot,
    /// Everyone that of the root.
    FromRoot,
    /// Everyone that of those before it.
    Prefix,
    /// Each that of its neighbours.
    Neighbours,
}

use Pattern::{AllToAll, FromRoot, Neighbours, Prefix, ToRoot};

/// A collective in its three forms.
struct Row(Function, Function, Function, Pattern);

const ROWS: [Row; 22] = [
    Row(mpi::BARRIER, mpi::IBARRIER, mpi::BARRIER_INIT, AllToAll),
    Row(mpi::BCAST, mpi::IBCAST, mpi::BCAST_INIT, FromRoot),
    Row(mpi::GATHER, mpi::IGATHER, mpi::GATHER_INIT, ToRoot),
    Row(mpi::GATHERV, mpi::IGATHERV, mpi::GATHERV_INIT, ToRoot),
    Row(mpi::SCATTER, mpi::ISCATTER, mpi::SCATTER_INIT, FromRoot),
    Row(mpi::SCATTERV, mpi::ISCATTERV, mpi::SCATTERV_INIT, FromRoot),
    Row(mpi::ALLGATHER, mpi::IALLGATHER, mpi::ALLGATHER_INIT, AllToAll),
    Row(mpi::ALLGATHERV, mpi::IALLGATHERV, mpi::ALLGATHERV_INIT, AllToAll),
    Row(mpi::ALLTOALL, mpi::IALLTOALL, mpi::ALLTOALL_INIT, AllToAll),
    Row(mpi::ALLTOALLV, mpi::IALLTOALLV, mpi::ALLTOALLV_INIT, AllToAll),
    Row(mpi::ALLTOALLW, mpi::IALLTOALLW, mpi::ALLTOALLW_INIT, AllToAll),
    Row(mpi::REDUCE, mpi::IREDUCE, mpi::REDUCE_INIT, ToRoot),
    Row(mpi::ALLREDUCE, mpi::IALLREDUCE, mpi::ALLREDUCE_INIT, AllToAll),
    Row(mpi::REDUCE_SCATTER, mpi::IREDUCE_SCATTER, mpi::REDUCE_SCATTER_INIT, AllToAll),
    Row(mpi::REDUCE_SCATTER_BLOCK, mpi::IREDUCE_SCATTER_BLOCK, mpi::REDUCE_SCATTER_BLOCK_INIT, AllToAll),
    Row(mpi::SCAN, mpi::ISCAN, mpi::SCAN_INIT, Prefix),
    Row(mpi::EXSCAN, mpi::IEXSCAN, mpi::EXSCAN_INIT, Prefix),
    Row(mpi::NEIGHBOR_ALLGATHER, mpi::INEIGHBOR_ALLGATHER, mpi::NEIGHBOR_ALLGATHER_INIT, Neighbours),
    Row(mpi::NEIGHBOR_ALLGATHERV, mpi::INEIGHBOR_ALLGATHERV, mpi::NEIGHBOR_ALLGATHERV_INIT, Neighbours),
    Row(mpi::NEIGHBOR_ALLTOALL, mpi::INEIGHBOR_ALLTOALL, mpi::NEIGHBOR_ALLTOALL_INIT, Neighbours),
    Row(mpi::NEIGHBOR_ALLTOALLV, mpi::INEIGHBOR_ALLTOALLV, mpi::NEIGHBOR_ALLTOALLV_INIT, Neighbours),
    Row(mpi::NEIGHBOR_ALLTOALLW, mpi::INEIGHBOR_ALLTOALLW, mpi::NEIGHBOR_ALLTOALLW_INIT, Neighbours),
];

/// The blocking form of a collective, and who needs whose data in it.
pub(crate) fn blocking_form(function: Function) -> Option<(Function, Pattern)> {
    let row = ROWS.iter().find(|row| [row.0, row.1, row.2].contains(&function))?;
    Some((row.0, row.3))
}

impl Lifter<'_> {
    /// What a collective call does; None if it is none, or none that can be followed.
    pub(super) fn collective(&mut self, a: &Arguments) -> Option<Op> {
        let function = a.function();
        let pattern = blocking_form(function).map(|(_, pattern)| pattern);
        if matches!(function, mpi::COMM_CREATE_GROUP | mpi::COMM_CREATE_FROM_GROUP | mpi::INTERCOMM_CREATE_FROM_GROUPS) {
            return self.create_group(a);
        }
        let name = function.gathers()?;
        if a.failed() {
            return Some(Op::Local);
        }
        let comm = a.int_or(name, COMM_WORLD);
        let mut context = self.communicators.view(comm, self.rank)?.context;
        if function == mpi::INTERCOMM_CREATE && a.outcome.is_none() {
            context = self.bridge(comm).unwrap_or(context);
        }
        let flow = match pattern {
            Some(pattern) => self.flow(a, pattern, comm).unwrap_or(Flow::Nobody),
            None if function == mpi::COMM_DISCONNECT => Flow::Nobody,
            None => Flow::All,
        };
        let is_persistent = blocking_form(function).is_some() && function.name().ends_with("_init");
        let then = match (request_made(a), a.outcome) {
            (NO_SLOT, None) if function.parameter("request").is_some() => return Some(Op::Opaque),
            (NO_SLOT, _) => Then::Return,
            (slot, _) if is_persistent => Then::Persistent(slot),
            (slot, _) => Then::Request(slot),
        };
        Some(self.part(a, context, flow, then))
    }

    /// The group of this rank and the leader of the other group, if that is whom they wait for.
    fn bridge(&mut self, comm: i64) -> Option<ContextId> {
        let leader = *self.bridges.get(&self.rank)?;
        let members = [&self.communicators.view(comm, self.rank)?.local.ranks[..], &[i64::from(leader)]].concat();
        let key = (comm, Value::Text("the leader of the other group".into()));
        Some(self.communicators.partial(key, &members, &self.present, &mut self.program.contexts))
    }

    /// A part of this rank in a collective.
    pub(super) fn part(&mut self, a: &Arguments, context: ContextId, flow: Flow, then: Then) -> Op {
        let Some(member) = self.member(context, self.rank) else { return Op::Local };
        let (function, bytes) = (a.function(), self.bytes(a));
        self.program.collectives.push(Collective { context, member, function, flow, bytes });
        Op::Collective { collective: index_of_last(&self.program.collectives), then }
    }

    /// About how much goes to or comes from each other member.
    fn bytes(&self, a: &Arguments) -> u64 {
        let datatypes = &self.datatypes[self.process];
        let content = |count: &str, datatype: &str| {
            let counts = a.call.ints(&format!("{count}s"));
            let mean = (!counts.is_empty()).then(|| counts.iter().sum::<i64>() / counts.len() as i64);
            datatypes.content(a.call.int(count).or(mean), a.call.int(datatype), &self.program.layouts).bytes
        };
        let names = [("count", "datatype"), ("recvcount", "datatype"), ("recvcount", "recvtype"), ("sendcount", "sendtype")];
        names.iter().find_map(|(count, datatype)| content(count, datatype)).unwrap_or(0)
    }

    /// The place of a rank of MPI_COMM_WORLD among the members of a context.
    fn member(&self, context: ContextId, rank: u32) -> Option<u32> {
        let members = &self.program.contexts[context as usize].members;
        // In most communicators a rank stands where it stands in the order of ranks.
        let at = match members.binary_search(&rank) {
            Ok(at) if members[at] == rank => Some(at),
            _ => members.iter().position(|member| *member == rank),
        };
        at.and_then(|at| u32::try_from(at).ok())
    }

    /// Whose data this rank needs before it can return; None is nobody's, or not known.
    fn flow(&mut self, a: &Arguments, pattern: Pattern, comm: i64) -> Option<Flow> {
        let view = self.communicators.view(comm, self.rank)?;
        let (context, is_inter) = (view.context, view.is_inter);
        let gets_data = matches!(blocking_form(a.function()), Some((mpi::BARRIER, _))) || receives_from_all(a);
        let root = a.call.int("root");
        let root_rank = root.and_then(|root| view.peers.ranks.get(usize::try_from(root).ok()?).copied());
        let is_root = if is_inter { root == Some(ROOT) } else { root_rank == Some(i64::from(self.rank)) };
        let is_idle = is_inter && root == Some(PROC_NULL);
        match pattern {
            Neighbours => self.neighbours(a, comm),
            _ if !gets_data || is_idle => None,
            AllToAll | ToRoot if pattern == AllToAll || is_root => {
                if !is_inter {
                    return Some(Flow::All);
                }
                let remote = view.peers.ranks.clone();
                Some(Flow::Each(self.set_of(context, &remote)))
            }
            Prefix => Some(Flow::Before),
            FromRoot if !is_root => self.member(context, u32::try_from(root_rank?).ok()?).map(Flow::Root),
            _ => None,
        }
    }

    /// The neighbours that this rank gets something from.
    fn neighbours(&mut self, a: &Arguments, comm: i64) -> Option<Flow> {
        let view = self.communicators.view(comm, self.rank)?;
        let sources = self.topologies.sources(comm, view.local.position(self.rank)?)?;
        let (one, counts) = (a.call.int("recvcount"), a.call.ints("recvcounts"));
        let gets = |(nth, _): &(usize, &i64)| one.or_else(|| counts.get(*nth).copied()).is_some_and(|count| count > 0);
        let sources = sources.iter().enumerate().filter(gets).map(|(_, source)| *source);
        let ranks: Vec<i64> = sources.filter_map(|at| view.local.ranks.get(usize::try_from(at).ok()?).copied()).collect();
        let context = view.context;
        Some(Flow::Each(self.set_of(context, &ranks)))
    }

    /// The members of a context that these ranks are.
    fn set_of(&mut self, context: ContextId, ranks: &[i64]) -> SetId {
        let members = ranks.iter().filter_map(|rank| self.member(context, u32::try_from(*rank).ok()?)).collect();
        self.set(members)
    }

    /// MPI_Comm_create_group and its like are collective over their groups only.
    fn create_group(&mut self, a: &Arguments) -> Option<Op> {
        if a.failed() {
            return Some(Op::Local);
        }
        let made = a.outcome.and_then(|o| o.new_communicator(a.call.function));
        let groups = ["group", "local_group", "remote_group"].iter().filter_map(|name| a.call.int(name));
        let groups: Option<Vec<&[i64]>> = groups.map(|group| self.groups[self.process].members(group)).collect();
        let mut members = match made {
            Some((COMM_NULL, ..)) => return Some(Op::Local),
            Some((_, local, remote)) => [local, remote].concat().into_iter().map(|member| self.trace.rank_of(member)).collect(),
            None => groups?.concat(),
        };
        // The two groups of an intercommunicator see each other the other way round.
        members.sort_unstable();
        let tag = ["tag", "stringtag"].iter().map(|name| a.call.argument(name)).find(|tag| **tag != Value::Nil);
        let key = (a.int_or("comm", UNKNOWN_HANDLE), tag.cloned().unwrap_or(Value::Nil));
        let context = self.communicators.partial(key, &members, &self.present, &mut self.program.contexts);
        Some(self.part(a, context, Flow::All, Then::Return))
    }
}

/// Whether a call receives something from every one of those that it receives from.
fn receives_from_all(a: &Arguments) -> bool {
    let counts = a.call.ints("recvcounts");
    let one = ["recvcount", "count"].iter().find_map(|name| a.call.int(name));
    if counts.is_empty() { one.is_some_and(|count| count > 0) } else { counts.iter().all(|count| *count > 0) }
}
