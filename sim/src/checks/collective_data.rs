//! What the members of a collective give each other, pair by pair: counts and types have to agree to the last element.
//!
//! A member gives something to another one, which expects something from it; in a reduction all give the same. What is not known
//! (a datatype whose constructor is not followed) agrees with everything.

use rustc_hash::FxHashMap;
use traces::constant::{IN_PLACE, PROC_NULL, ROOT};
use traces::function::{Function, mpi};
use traces::{Call, Value};

use super::Evidence;
use super::collectives::{Meeting, data_finding};
use super::wording::count;
use crate::finding::{Finding, Place};
use crate::layout::Content;
use crate::lift::{Inflow, Pattern, blocking_form};

/// Comparing every member with every other one is for communicators of at most this size; in larger ones each is compared with the
/// first.
const MEMBERS_MAX: usize = 1024;

/// One member's call.
struct Member<'a> {
    place: Place,
    call: &'a Call,
    process: usize,
    /// Its rank in the communicator, or in its group of an intercommunicator.
    rank: usize,
    /// The first rank of its group, where there are two.
    group: Option<i64>,
    is_root: bool,
}

/// The first pair that disagrees, and how many more.
pub(super) fn check(evidence: Evidence, meeting: Meeting, function: Function) -> Option<Finding> {
    let (blocking, pattern) = blocking_form(function)?;
    let members: Vec<Member> = meeting.calls.iter().filter_map(|(place, _)| member(evidence, *place)).collect();
    let is_inter = members.first()?.group.is_some();
    let exchange = Exchange { evidence, function: blocking };
    // Of an intercommunicator, one group gives and the other takes.
    let meets = |giver: &Member, taker: &Member| !is_inter || giver.group != taker.group;
    let mut faults = Vec::new();
    if is_uniform(blocking) {
        if is_inter && !matches!(blocking, mpi::BCAST | mpi::REDUCE) {
            return None;
        }
        let first = members.iter().find(|m| m.is_root).or(members.first())?;
        let others = members.iter().filter(|m| m.place != first.place && meets(first, m));
        faults.extend(others.filter_map(|other| exchange.uniform_fault(first, other)));
    } else if pattern == Pattern::Neighbours {
        let by_rank: FxHashMap<usize, &Member> = members.iter().map(|member| (member.rank, member)).collect();
        faults.extend(members.iter().flat_map(|taker| exchange.neighbour_faults(&by_rank, taker)));
    } else {
        if !is_inter && exchange.is_even(&members) {
            return None;
        }
        let pairs = members.iter().flat_map(|giver| members.iter().map(move |taker| (giver, taker)));
        let is_pair = |giver: &Member, taker: &Member| match pattern {
            _ if !meets(giver, taker) => false,
            Pattern::ToRoot => taker.is_root,
            Pattern::FromRoot => giver.is_root,
            Pattern::AllToAll => members.len() <= MEMBERS_MAX || giver.rank == 0 || taker.rank == 0,
            Pattern::Prefix | Pattern::Neighbours => false,
        };
        faults.extend(pairs.filter(|(g, t)| is_pair(g, t)).filter_map(|(g, t)| exchange.pair_fault(g, t)));
    }
    let others = faults.len().saturating_sub(1) as u64;
    faults.into_iter().next().map(|texts| data_finding(evidence, texts, others))
}

fn member(evidence: Evidence, place: Place) -> Option<Member> {
    let call = evidence.call(place);
    let process = evidence.trace.lanes[place.lane as usize].process as usize;
    let view = evidence.lifted.communicators.view(call.int("comm")?, evidence.rank(place))?;
    let rank = view.local.position(evidence.rank(place))? as usize;
    let (root, group) = (call.int("root"), view.is_inter.then(|| view.local.ranks.first().copied()).flatten());
    // What a member says that takes no part is ignored.
    let is_idle = view.is_inter && root == Some(PROC_NULL);
    let is_root = if view.is_inter { root == Some(ROOT) } else { root.is_some_and(|root| usize::try_from(root) == Ok(rank)) };
    (!is_idle).then_some(Member { place, call, process, rank, group, is_root })
}

/// Whether all members give the same count and type.
fn is_uniform(blocking: Function) -> bool {
    matches!(
        blocking,
        mpi::BCAST | mpi::REDUCE | mpi::ALLREDUCE | mpi::SCAN | mpi::EXSCAN | mpi::REDUCE_SCATTER | mpi::REDUCE_SCATTER_BLOCK
    )
}

/// What the parameters of one side are called: one count or several, one datatype or several.
fn names(side: &str) -> [&'static str; 4] {
    match side {
        "send" => ["sendcount", "sendcounts", "sendtype", "sendtypes"],
        _ => ["recvcount", "recvcounts", "recvtype", "recvtypes"],
    }
}

struct Exchange<'a> {
    evidence: Evidence<'a>,
    function: Function,
}

impl Exchange<'_> {
    fn content(&self, member: &Member, count: Option<i64>, datatype: Option<i64>) -> Content {
        let datatypes = &self.evidence.lifted.datatypes[member.process.min(self.evidence.lifted.datatypes.len() - 1)];
        datatypes.content(count, datatype, &self.evidence.program.layouts)
    }

    /// What a member of a reduction or a broadcast contributes.
    fn uniform(&self, member: &Member) -> Content {
        let sum = member.call.ints("recvcounts").iter().try_fold(0i64, |sum, n| sum.checked_add(*n));
        let count = match self.function {
            mpi::REDUCE_SCATTER => sum,
            mpi::REDUCE_SCATTER_BLOCK => member.call.int("recvcount"),
            _ => member.call.int("count"),
        };
        self.content(member, count, member.call.int("datatype"))
    }

    fn uniform_fault(&self, first: &Member, other: &Member) -> Option<[(Place, String); 2]> {
        let counts = |m: &Member| m.call.ints("recvcounts").to_vec();
        if self.function == mpi::REDUCE_SCATTER && counts(first) != counts(other) {
            let text = |m: &Member| format!("gives the counts {:?}", counts(m));
            return Some([(first.place, text(first)), (other.place, text(other))]);
        }
        let verb = if self.function == mpi::BCAST { ("sends", "expects") } else { ("reduces", "reduces") };
        self.fault((first, self.uniform(first), verb.0), (other, self.uniform(other), verb.1))
    }

    fn pair_fault(&self, giver: &Member, taker: &Member) -> Option<[(Place, String); 2]> {
        let gives = self.side(giver, taker.rank, "send")?;
        let takes = self.side(taker, giver.rank, "recv")?;
        self.fault((giver, gives, "sends"), (taker, takes, "expects"))
    }

    /// What comes from a member's neighbours and is not what it expects.
    fn neighbour_faults(&self, by_rank: &FxHashMap<usize, &Member>, taker: &Member) -> Vec<[(Place, String); 2]> {
        let (comm, rank) = (taker.call.int("comm"), u32::try_from(taker.rank).ok());
        let inflows = comm.zip(rank).and_then(|(comm, rank)| self.evidence.lifted.topologies.inflows(comm, rank));
        let fault = |inflow: &Inflow| {
            let giver = by_rank.get(&usize::try_from(inflow.source).ok()?)?;
            let gives = self.block(giver, inflow.from, "send")?;
            let takes = self.block(taker, inflow.into, "recv")?;
            self.fault((giver, gives, "sends"), (taker, takes, "expects"))
        };
        inflows.unwrap_or_default().iter().filter_map(fault).collect()
    }

    /// A block of one side's buffer; any of them, if they are all alike. None if it is not known which.
    fn block(&self, member: &Member, block: Option<usize>, side: &str) -> Option<Content> {
        let one = |name: &str| member.call.int(&format!("{side}{name}"));
        let many = |name: &str| member.call.ints(&format!("{side}{name}s")).get(block?).copied();
        let count = one("count").or_else(|| many("count"))?;
        let datatype = one("type").or_else(|| many("type"))?;
        Some(self.content(member, Some(count), Some(datatype)))
    }

    /// Whether all members give each other the same, so that one pair is like all others.
    fn is_even(&self, members: &[Member]) -> bool {
        let Some(first) = members.first() else { return true };
        let side = |member: &Member, side: &str| {
            let [_, counts, ..] = names(side);
            let is_list = member.call.function.parameter(counts).is_some();
            if is_list { Err(member.place) } else { Ok(self.side(member, 0, side)) }
        };
        let sides = |member: &Member| ["send", "recv"].map(|which| side(member, which));
        let own = sides(first);
        members.iter().all(|member| sides(member) == own) && self.pair_fault(first, first).is_none()
    }

    /// What one side of a pair names for the other one; None if it leaves it where it is (MPI_IN_PLACE).
    fn side(&self, member: &Member, other: usize, side: &str) -> Option<Content> {
        let call = member.call;
        let in_place = |name| call.argument(name) == &Value::Int(IN_PLACE);
        let is_rooted = call.function.parameter("root").is_some();
        // At a root, and where all exchange, data that lies in its place is not described on this side.
        if (side == "send" && in_place("sendbuf")) || (side == "recv" && is_rooted && in_place("recvbuf")) {
            return None;
        }
        let [count, counts, datatype, datatypes] = names(side);
        let many = |name: &str| call.ints(name).get(other).copied();
        let count = call.int(count).or_else(|| many(counts))?;
        let datatype = call.int(datatype).or_else(|| many(datatypes));
        Some(self.content(member, Some(count), datatype))
    }

    fn fault(
        &self,
        (a, gives, verb_a): (&Member, Content, &str),
        (b, takes, verb_b): (&Member, Content, &str),
    ) -> Option<[(Place, String); 2]> {
        let (sent, expected) = (gives.bytes?, takes.bytes?);
        if sent != expected {
            let text = |verb: &str, bytes| format!("{verb} {}", count(bytes, "byte"));
            return Some([(a.place, text(verb_a, sent)), (b.place, text(verb_b, expected))]);
        }
        let (sent, expected) = self.evidence.program.layouts.difference(gives, takes)?;
        Some([(a.place, format!("{verb_a} {}", sent.name())), (b.place, format!("{verb_b} {}", expected.name()))])
    }
}
