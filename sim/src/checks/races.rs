//! One-sided accesses to the same bytes that nothing orders, where one of them writes: `rma/race`.
//!
//! Between two fences, and in one exposure epoch, all accesses are at once: none is complete at the target before the epoch ends, whatever the
//! ranks tell each other. Under shared locks it takes an order of calls to be apart (`order`). Ranks may also tell each other something by the
//! very memory of windows, which a flag and a loop that reads it show: where that could be, nothing is said. Exclusive locks keep apart.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use traces::constant::NO_OP;
use traces::function::{Kind as Of, mpi};

use super::race_findings::{Clash, Party, Races};
use super::{Evidence, Report};
use crate::accesses::{Access, Epoch, Kind, Session, Walk};
use crate::finding::{Finding, Place};
use crate::footprint::Overlap;
use crate::order::Order;
use crate::program::ContextId;
use crate::uses::{self, Use};

/// So many pairs of one target's accesses are compared, or of its own calls and accesses to it.
const PAIRS_MAX: u32 = 1 << 18;

/// Accesses to one rank's part of a window that may be at once, by their number in the walk.
type Groups = BTreeMap<(ContextId, u32, Session), Vec<usize>>;

/// One finding for each pair of lines.
pub(super) fn check(evidence: Evidence, walk: &Walk, report: &Report) -> Vec<Finding> {
    let mut groups = Groups::new();
    for (number, access) in walk.accesses.iter().enumerate() {
        let is_told = access.bytes.as_ref().is_some_and(|bytes| !bytes.is_empty());
        if let (true, Some(target)) = (is_told && keeps_nobody_out(access), access.target) {
            groups.entry((access.window, target, access.session)).or_default().push(number);
        }
    }
    if !groups.values().flatten().any(|number| walk.accesses[*number].writes()) {
        // Nobody writes but the ranks themselves.
        groups.retain(|(_, _, session), _| *session != Session::Passive);
    }
    if groups.is_empty() {
        return Vec::new();
    }
    let asked = groups.values().flatten().map(|number| walk.accesses[*number].place);
    let order = Order::of(evidence.program, &report.messages, &report.collectives, asked);
    let secrets = Secrets::of(evidence, walk);
    let mut search = Search { evidence, walk, order, secrets, races: Races::default() };
    for (key, numbers) in &mut groups {
        numbers.sort_by_key(|number| walk.accesses[*number].bytes.as_ref().and_then(|bytes| bytes.bounds()));
        search.among(*key, numbers);
    }
    search.with_own_calls(&groups);
    search.races.into_findings(evidence)
}

/// Whether others may access the same memory at the same time.
fn keeps_nobody_out(access: &Access) -> bool {
    match access.epoch {
        Some(Epoch::Fence | Epoch::Start) => access.session != Session::Unknown,
        Some(Epoch::Lock { is_exclusive }) => !is_exclusive,
        Some(Epoch::LockAll) => true,
        _ => false,
    }
}

/// What ranks may learn from each other by the memory of windows.
struct Secrets {
    /// By lane: the events that read the memory of another rank.
    reads: Vec<Vec<u32>>,
    /// By lane: whether others write to its memory at any time.
    is_written: Vec<bool>,
    /// Whether several ranks have the same memory.
    is_shared: bool,
    /// Whether any of it is possible.
    are_any: bool,
}

impl Secrets {
    fn of(evidence: Evidence, walk: &Walk) -> Secrets {
        let lanes = evidence.program.lanes.len();
        let mut secrets =
            Secrets { reads: vec![Vec::new(); lanes], is_written: vec![false; lanes], is_shared: false, are_any: false };
        let shares = [mpi::WIN_ALLOCATE_SHARED, mpi::WIN_SHARED_QUERY];
        secrets.is_shared = evidence.trace.calls.iter().any(|call| shares.contains(&call.function.small()));
        for access in walk.accesses.iter().filter(|access| !matches!(access.session, Session::Fence(_) | Session::Exposure(_))) {
            secrets.are_any = true;
            let call = evidence.call(access.place);
            if access.kind == Kind::Get
                || call.function.parameters().iter().any(|p| p.kind == Of::Buffer && p.name == "result_addr")
            {
                secrets.reads[access.place.lane as usize].push(access.place.event);
            }
            for (lane, is_written) in evidence.program.lanes.iter().zip(&mut secrets.is_written) {
                *is_written |= access.writes() && access.target == Some(lane.rank) && lane.rank != evidence.rank(access.place);
            }
        }
        secrets
    }

    /// Whether what is known after one access may have come to the rank of another one before it, by way of windows.
    fn may_tell(&self, order: &Order, one: Place, other: Place) -> bool {
        let (Some(before), Some(after)) = (order.before(one), order.before(other)) else { return true };
        (0..self.reads.len()).filter(|lane| *lane != one.lane as usize).any(|lane| {
            let is_own = lane == other.lane as usize;
            let (from, to) = (before[lane], if is_own { other.event } else { after[lane] });
            let reads = &self.reads[lane];
            let first = reads.partition_point(|event| *event < from);
            reads.get(first).is_some_and(|event| *event < to) || (self.is_written[lane] && (is_own || to > from))
        })
    }
}

struct Search<'a> {
    evidence: Evidence<'a>,
    walk: &'a Walk,
    /// None if it cannot be told.
    order: Option<Order>,
    secrets: Secrets,
    races: Races,
}

impl Search<'_> {
    /// Accesses to one rank's memory that meet, those that begin first ahead.
    fn among(&mut self, (window, target, session): (ContextId, u32, Session), numbers: &[usize]) {
        let mut left = PAIRS_MAX;
        let mut open: Vec<(i64, usize)> = Vec::new();
        for &number in numbers {
            let access = &self.walk.accesses[number];
            let Some((first, end)) = access.bytes.as_ref().and_then(|bytes| bytes.bounds()) else { continue };
            open.retain(|(end, _)| *end > first);
            for &(_, other) in &open {
                let Some(rest) = left.checked_sub(1) else { return };
                left = rest;
                let other = &self.walk.accesses[other];
                if let Some(clash) = clash(access, other, self.evidence)
                    && self.are_at_once(access, other)
                    && is_shared(access, other)
                {
                    let (one, other) = if other.place < access.place { (other, access) } else { (access, other) };
                    let parties = [one, other].map(|access| Party::Access(access.clone()));
                    self.races.add(self.evidence, (window, target, session), clash, parties);
                }
            }
            open.push((end, number));
        }
    }

    fn are_at_once(&self, one: &Access, other: &Access) -> bool {
        let (first, second) = if one.place < other.place { (one, other) } else { (other, one) };
        let is_same_rank = one.place.lane == other.place.lane;
        match (one.session, is_same_rank) {
            // Accumulates of one rank come in order.
            (_, true) if one.kind == Kind::Accumulate && other.kind == Kind::Accumulate => false,
            (Session::Passive, true) => !first.has_request && first.done.is_none_or(|done| done > second.place.event),
            (Session::Passive, false) => self.are_unordered(one, other),
            _ => true,
        }
    }

    fn are_unordered(&self, one: &Access, other: &Access) -> bool {
        let Some(order) = self.order.as_ref().filter(|_| !self.secrets.is_shared) else { return false };
        let is_after = |one: &Access, other: &Access| {
            let done = one.done.map(|event| Place { event, ..one.place });
            done.is_none_or(|done| order.is_before(done, other.place) == Some(false))
        };
        let may_tell = |one: &Access, other: &Access| self.secrets.may_tell(order, one.place, other.place);
        is_after(one, other) && is_after(other, one) && !may_tell(one, other) && !may_tell(other, one)
    }

    /// Accesses to the memory of a rank while its own calls use it.
    fn with_own_calls(&mut self, groups: &Groups) {
        let has_buffers: Vec<bool> = self.evidence.trace.calls.iter().map(uses::has_buffers).collect();
        for number in 0..self.evidence.trace.lanes.len() {
            let lane = &self.evidence.trace.lanes[number];
            let Some(rank) = lane.rank.filter(|rank| !self.evidence.program.has_threads(*rank)) else { continue };
            let mut windows: Vec<ContextId> = groups.keys().filter(|key| key.1 == rank).map(|key| key.0).collect();
            windows.dedup();
            if !windows.is_empty() && !self.secrets.are_any {
                self.own_calls(number, rank, &windows, groups, &has_buffers);
            }
        }
    }

    fn own_calls(&mut self, number: usize, rank: u32, windows: &[ContextId], groups: &Groups, has_buffers: &[bool]) {
        let lane = &self.evidence.trace.lanes[number];
        let lifted = self.evidence.lifted;
        let datatypes = &lifted.datatypes[(lane.process as usize).min(lifted.datatypes.len() - 1)];
        let mut known: FxHashMap<u32, Rc<[Use]>> = FxHashMap::default();
        let mut fences: FxHashMap<ContextId, u32> = FxHashMap::default();
        let mut left = PAIRS_MAX;
        for (at, event) in (0..).zip(&lane.events) {
            let call = self.evidence.trace.call(event.call);
            if event.outcome.is_none_or(|outcome| self.evidence.trace.outcome(outcome).code != 0) {
                continue;
            }
            if call.function == mpi::WIN_FENCE {
                let shared = call.int("win").and_then(|win| lifted.shared.get(rank, crate::program::Thing::Window(win)));
                shared.iter().for_each(|shared| *fences.entry(shared.context).or_default() += 1);
            }
            if !has_buffers[event.call.0 as usize] {
                continue;
            }
            let place = Place { lane: u32::try_from(number).unwrap_or(u32::MAX), event: at };
            for &window in windows {
                let fence = Session::Fence(fences.get(&window).copied().unwrap_or(0));
                let exposure = self.walk.exposures.at(window, rank, at).map(Session::Exposure);
                for session in [Some(fence), exposure].into_iter().flatten() {
                    let Some(group) = groups.get(&(window, rank, session)) else { continue };
                    let used = known
                        .entry(event.call.0)
                        .or_insert_with(|| uses::of(call, rank, datatypes, &lifted.communicators).into())
                        .clone();
                    let Some(rest) = left.checked_sub(u32::try_from(used.len() * group.len()).unwrap_or(u32::MAX)) else {
                        return;
                    };
                    left = rest;
                    for (one, access) in used.iter().flat_map(|one| group.iter().map(move |access| (one, *access))) {
                        self.own_call((window, rank, session), (place, one), access);
                    }
                }
            }
        }
    }

    fn own_call(&mut self, key: (ContextId, u32, Session), (place, own): (Place, &Use), access: usize) {
        let access = &self.walk.accesses[access];
        let is_conflict = (own.writes || access.writes()) && access.place != place;
        let touches = || access.bytes.as_ref().is_some_and(|bytes| bytes.overlaps(&own.bytes) == Overlap::Yes);
        // What a rank did before the access began is done.
        let is_before = || self.order.as_ref().is_none_or(|order| order.is_before(place, access.place) != Some(false));
        if is_conflict && touches() && !is_before() {
            let parties = [Party::Own(place, own.clone()), Party::Access(access.clone())];
            self.races.add(self.evidence, key, Clash::Writes, parties);
        }
    }
}

fn is_shared(one: &Access, other: &Access) -> bool {
    let both = one.bytes.as_ref().zip(other.bytes.as_ref());
    both.is_some_and(|(one, other)| one.overlaps(other) == Overlap::Yes)
}

/// Why two accesses must not be at once, if they must not.
fn clash(one: &Access, other: &Access, evidence: Evidence) -> Option<Clash> {
    if !one.writes() && !other.writes() {
        return None;
    }
    if one.kind != Kind::Accumulate || other.kind != Kind::Accumulate {
        return Some(Clash::Writes);
    }
    let operations = [one.operation, other.operation];
    // MPI_Compare_and_swap has none, and is atomic with all.
    let is_same = operations.contains(&None) || operations.contains(&Some(NO_OP)) || operations[0] == operations[1];
    if !is_same {
        return Some(Clash::Operations);
    }
    evidence.program.layouts.difference(one.content, other.content).map(|_| Clash::Types)
}
