//! Calls of MPI_Intercomm_create that never returned: whose leader they wait for.
//!
//! The members of a group make the call together, and their leaders meet. Where all of a group are in it, and the leader of the other group
//! has not made the call that would meet theirs, it is that one whom they wait for.

use rustc_hash::FxHashMap;
use traces::function::mpi;
use traces::{Call, Trace};

use super::Communicators;

/// What a leader says.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Offer {
    own: u32,
    other: u32,
    tag: i64,
}

impl Offer {
    fn meets(self, other: Offer) -> bool {
        self.own == other.other && self.other == other.own && self.tag == other.tag
    }
}

/// By rank of MPI_COMM_WORLD: the leader of the other group, of those ranks that wait for nobody else.
pub(super) fn find(trace: &Trace, communicators: &Communicators) -> FxHashMap<u32, u32> {
    let mut found = FxHashMap::default();
    if !trace.calls.iter().any(|call| call.function == mpi::INTERCOMM_CREATE) {
        return found;
    }
    let last = |rank: u32| {
        let mut calls = trace.lanes_of(rank).filter_map(|lane| trace.lanes[lane].events.last());
        calls.find(|event| event.outcome.is_none()).map(|event| trace.call(event.call))
    };
    let is_stuck = |call: &&Call| call.function == mpi::INTERCOMM_CREATE;
    let stuck = |rank: u32| last(rank).filter(is_stuck);
    let world = |ranks: &[i64], at: Option<i64>| u32::try_from(*ranks.get(usize::try_from(at?).ok()?)?).ok();
    let offer = |rank: u32, call: &Call| {
        let local = communicators.view(call.int("local_comm")?, rank)?;
        let peers = communicators.view(call.int("peer_comm")?, rank)?;
        let own = world(&local.local.ranks, call.int("local_leader")).filter(|own| *own == rank)?;
        Some(Offer { own, other: world(&peers.peers.ranks, call.int("remote_leader"))?, tag: call.int("tag")? })
    };
    let offers: Vec<(Offer, &Call)> =
        (0..trace.world_size).filter_map(|rank| stuck(rank).and_then(|call| Some((offer(rank, call)?, call)))).collect();
    for (offer, call) in &offers {
        let Some(local) = call.int("local_comm").and_then(|comm| communicators.view(comm, offer.own)) else { continue };
        let members: Option<Vec<u32>> = local.local.ranks.iter().map(|rank| u32::try_from(*rank).ok()).collect();
        let is_same = |rank: &u32| stuck(*rank).is_some_and(|own| own.int("local_comm") == call.int("local_comm"));
        let members = members.filter(|members| members.iter().all(is_same) && !members.contains(&offer.other));
        if !offers.iter().any(|(other, _)| offer.meets(*other)) {
            found.extend(members.into_iter().flatten().map(|rank| (rank, offer.other)));
        }
    }
    found
}
