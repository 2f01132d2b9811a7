//! One-sided accesses to the same bytes that nothing orders, where one of them writes: `rma/race`.
//!
//! Between two fences, and in one exposure epoch, all accesses are at once: none is complete at the target before the epoch ends, whatever the
//! ranks tell each other. Under shared locks it takes an order of calls to be apart (`order`). Ranks may also tell each other something by the
//! very memory of windows, which a flag and a loop that reads it show: where that could be, nothing is said. Exclusive locks keep apart.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use traces::Call;
use traces::function::mpi;

use super::clashes::{clash, is_shared};
use super::race_findings::{Clash, Party, Races};
use super::{Evidence, Report};
use crate::accesses::{Access, Epoch, Kind, Session, Shape, Walk};
use crate::finding::{Finding, Place};
use crate::footprint::Overlap;
use crate::order::Order;
use crate::program::{ContextId, Thing};
use crate::uses::{self, Use};

/// So many pairs of accesses to one rank's part of a window are compared in an epoch, or of its own calls and accesses to it.
const PAIRS_MAX: u32 = 1 << 18;

/// One rank's part of a window.
type Part = (ContextId, u32);
/// The accesses to each, by their number in the walk.
type Parts = BTreeMap<Part, Vec<u32>>;

/// One finding for each pair of lines.
pub(super) fn check(evidence: Evidence, walk: &Walk, report: &Report) -> Vec<Finding> {
    let parts = parts(walk);
    if parts.is_empty() {
        return Vec::new();
    }
    let mut search = Search::new(evidence, walk);
    // Most often nothing can clash, whatever is ordered.
    let parts: Parts = parts.into_iter().filter(|(part, numbers)| search.may_clash(*part, numbers)).collect();
    if parts.is_empty() && search.own.is_empty() {
        return Vec::new();
    }
    search.asked.extend(search.own.iter().map(|own| walk.accesses[own.access as usize].place));
    let asked = std::mem::take(&mut search.asked);
    let order = Some(asked).filter(|asked| !asked.is_empty());
    let order = order.and_then(|asked| Order::of(evidence.program, &report.messages, &report.collectives, asked.into_iter()));
    let mut races = Races::default();
    for (part, numbers) in &parts {
        search.clashes(*part, numbers, order.as_ref(), &mut races);
    }
    search.own.sort_by_key(|own| (own.place, own.key.0, own.key.2));
    for own in &search.own {
        own.race(evidence, walk, order.as_ref(), &mut races);
    }
    races.into_findings(evidence)
}

/// The accesses that may be at once with others, by the memory that they go to.
fn parts(walk: &Walk) -> Parts {
    let is_told = |shape: &Shape| shape.bytes.as_ref().is_some_and(|bytes| !bytes.is_empty());
    let mut numbers: FxHashMap<Part, usize> = FxHashMap::default();
    let part_of = |shape: &Rc<Shape>| {
        let part = shape.target.filter(|_| is_told(shape)).map(|target| (shape.window, target))?;
        let next = numbers.len();
        Some(*numbers.entry(part).or_insert(next))
    };
    let part_of: Vec<Option<usize>> = walk.shapes.iter().map(part_of).collect();
    let mut lists: Vec<Vec<u32>> = vec![Vec::new(); numbers.len()];
    let mut any_writes = false;
    for (number, access) in (0..).zip(&walk.accesses) {
        if let Some(part) = part_of[access.number].filter(|_| keeps_nobody_out(access)) {
            lists[part].push(number);
            any_writes |= access.writes();
        }
    }
    if !any_writes {
        // Nobody writes but the ranks themselves.
        lists.iter_mut().for_each(|list| list.retain(|number| walk.accesses[*number as usize].session != Session::Passive));
    }
    let named = numbers.into_iter().map(|(part, at)| (part, std::mem::take(&mut lists[at])));
    named.filter(|(_, list)| !list.is_empty()).collect()
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
        let mut is_noted = vec![false; walk.shapes.len()];
        for access in walk.accesses.iter().filter(|access| !matches!(access.session, Session::Fence(_) | Session::Exposure(_))) {
            secrets.are_any = true;
            if access.reads {
                secrets.reads[access.place.lane as usize].push(access.place.event);
            }
            let is_new = !std::mem::replace(&mut is_noted[access.number], true);
            let others = access.target.filter(|target| is_new && access.writes() && *target != evidence.rank(access.place));
            let lanes = others.map(|target| evidence.trace.lanes_of(target)).unwrap_or_default();
            secrets.is_written[lanes].fill(true);
        }
        secrets
    }

    /// Whether what is known after one access may have come to the rank of another one before it, by way of windows.
    fn may_tell(&self, order: &Order, one: Place, other: Place) -> bool {
        let (Some(before), Some(after)) = (order.before(one), order.before(other)) else { return true };
        (0..self.reads.len()).filter(|lane| *lane != one.lane as usize).any(|lane| {
            let is_own = lane == other.lane as usize;
            let (from, to) = (before.of(lane), if is_own { other.event } else { after.of(lane) });
            let reads = &self.reads[lane];
            let first = reads.partition_point(|event| *event < from);
            reads.get(first).is_some_and(|event| *event < to) || (self.is_written[lane] && (is_own || to > from))
        })
    }
}

/// An access in an epoch of its target: which, its bytes from the first to behind the last, its shape and its number.
type Item = (Session, (i64, i64), usize, u32);

/// The accesses of a part by epoch, then by their bytes.
fn items(walk: &Walk, numbers: &[u32]) -> Vec<Item> {
    let item = |number: &u32| {
        let access = &walk.accesses[*number as usize];
        let bounds = access.bytes.as_ref().and_then(|bytes| bytes.bounds()).unwrap_or_default();
        (access.session, bounds, access.number, *number)
    };
    let mut items: Vec<Item> = numbers.iter().map(item).collect();
    items.sort_unstable();
    items
}

/// The items of each epoch.
fn groups(items: &[Item]) -> impl Iterator<Item = &[Item]> {
    items.chunk_by(|one, other| one.0 == other.0)
}

/// Two sets of accesses, each of one shape and in the order of the calls, that must not be at once.
struct Rivals<'g> {
    one: &'g [Item],
    other: &'g [Item],
    clash: Clash,
}

/// A call of a rank that touches what others access in the same epoch.
struct OwnCall {
    key: (ContextId, u32, Session),
    place: Place,
    /// What it uses, and which of that.
    used: Rc<[Use]>,
    at: usize,
    /// The number of the access.
    access: u32,
}

impl OwnCall {
    /// Adds it, unless the call was over before the access began.
    fn race(&self, evidence: Evidence, walk: &Walk, order: Option<&Order>, races: &mut Races) {
        let access = &walk.accesses[self.access as usize];
        if order.is_some_and(|order| order.is_before(self.place, access.place) == Some(false)) {
            let parties = [Party::Own(self.place, self.used[self.at].clone()), Party::Access(access.clone())];
            races.add(evidence, self.key, Clash::Writes, parties);
        }
    }
}

struct Search<'a> {
    evidence: Evidence<'a>,
    walk: &'a Walk,
    secrets: Secrets,
    /// The calls that have buffers, by number.
    has_buffers: Vec<bool>,
    /// The places whose order matters, and the shapes whose places are among them.
    asked: Vec<Place>,
    is_asked: Vec<bool>,
    own: Vec<OwnCall>,
}

impl<'a> Search<'a> {
    fn new(evidence: Evidence<'a>, walk: &'a Walk) -> Search<'a> {
        Search {
            evidence,
            walk,
            secrets: Secrets::of(evidence, walk),
            has_buffers: evidence.trace.calls.iter().map(uses::has_buffers).collect(),
            asked: Vec::new(),
            is_asked: vec![false; walk.shapes.len()],
            own: Vec::new(),
        }
    }

    fn access(&self, item: &Item) -> &'a Access {
        &self.walk.accesses[item.3 as usize]
    }

    /// Whether accesses to a part clash, if they are at once. Takes note of what has to be known of their order, and of what the rank itself does.
    fn may_clash(&mut self, part: Part, numbers: &[u32]) -> bool {
        let items = items(self.walk, numbers);
        let mut is_any = false;
        for group in groups(&items) {
            for rivals in self.rivals(group) {
                is_any = true;
                let [one, other] = [rivals.one, rivals.other].map(|items| self.access(&items[0]));
                if one.session == Session::Passive && one.place.lane != other.place.lane {
                    self.ask(rivals.one);
                    self.ask(rivals.other);
                }
            }
        }
        if !self.secrets.are_any {
            for lane in self.evidence.trace.lanes_of(part.1) {
                self.own_calls(lane, part, &items);
            }
        }
        is_any
    }

    /// What comes before accesses of one shape has to be known.
    fn ask(&mut self, items: &[Item]) {
        if !std::mem::replace(&mut self.is_asked[items[0].2], true) {
            let walk = self.walk;
            self.asked.extend(items.iter().map(|item| walk.accesses[item.3 as usize].place));
        }
    }

    /// Adds what clashes and is at once, in the order in which it touches the memory.
    fn clashes(&self, (window, target): Part, numbers: &[u32], order: Option<&Order>, races: &mut Races) {
        let items = items(self.walk, numbers);
        for group in groups(&items) {
            let mut pairs = Vec::new();
            self.rivals(group).iter().for_each(|rivals| self.at_once(rivals, order, &mut pairs));
            pairs.sort_by_key(|(one, other, _)| (other.1, other.3, one.1, one.3));
            for (one, other, clash) in pairs {
                let [one, other] = [self.access(&one), self.access(&other)];
                let (one, other) = if other.place < one.place { (other, one) } else { (one, other) };
                let parties = [one, other].map(|access| Party::Access(access.clone()));
                races.add(self.evidence, (window, target, group[0].0), clash, parties);
            }
        }
    }

    /// The shapes of an epoch that touch the same bytes and clash.
    fn rivals<'g>(&self, group: &'g [Item]) -> Vec<Rivals<'g>> {
        let mut found = Vec::new();
        let mut left = PAIRS_MAX;
        let mut open: Vec<&[Item]> = Vec::new();
        for one in group.chunk_by(|a, b| a.2 == b.2) {
            open.retain(|other| other[0].1.1 > one[0].1.0);
            open.push(one);
            for &other in &open {
                let Some(rest) = left.checked_sub(1) else { return found };
                left = rest;
                let [a, b] = [one, other].map(|items| &*self.walk.shapes[items[0].2]);
                let is_alone = a.number == b.number && one.len() == 1;
                if let Some(clash) = clash(a, b, self.evidence).filter(|_| !is_alone && is_shared(a, b)) {
                    found.push(Rivals { one, other, clash });
                }
            }
        }
        found
    }

    /// Adds the pairs of two shapes that are at once, the one ahead whose bytes begin first; so many at most.
    fn at_once(&self, rivals: &Rivals, order: Option<&Order>, pairs: &mut Vec<(Item, Item, Clash)>) {
        let is_same_shape = rivals.one[0].2 == rivals.other[0].2;
        let mut near = 0..0;
        for (number, item) in rivals.one.iter().enumerate() {
            let one = self.access(item);
            if one.session == Session::Passive {
                self.slide(&mut near, one, rivals.other, order);
            } else {
                near = 0..rivals.other.len();
            }
            // Of one shape, each pair is looked at once.
            let behind = if is_same_shape { near.end.min(number) } else { near.end };
            for other_item in rivals.other.get(near.start..behind).unwrap_or_default() {
                if !self.are_at_once(one, self.access(other_item), order) {
                    continue;
                }
                if pairs.len() >= PAIRS_MAX as usize {
                    return;
                }
                let is_ahead = (item.1, item.3) < (other_item.1, other_item.3);
                let (first, second) = if is_ahead { (*item, *other_item) } else { (*other_item, *item) };
                pairs.push((first, second, rivals.clash));
            }
        }
    }

    /// Moves on, from those of one shape that may be at once with one access to those that may be with the next: what is complete when it begins lies
    /// behind, and what begins when it is complete lies ahead.
    fn slide(&self, near: &mut Range<usize>, one: &Access, others: &[Item], order: Option<&Order>) {
        let is_over = |first: &Access, second: &Access| {
            let done = first.done.map(|event| Place { event, ..first.place });
            // Where it is not known, nothing is said.
            done.is_some_and(|done| match order.filter(|_| first.place.lane != second.place.lane) {
                Some(order) => order.is_before(done, second.place) != Some(false),
                None => first.place.lane != second.place.lane || done.event <= second.place.event,
            })
        };
        while others.get(near.start).is_some_and(|other| is_over(self.access(other), one)) {
            near.start += 1;
        }
        while others.get(near.end).is_some_and(|other| !is_over(one, self.access(other))) {
            near.end += 1;
        }
    }

    fn are_at_once(&self, one: &Access, other: &Access, order: Option<&Order>) -> bool {
        let (first, second) = if one.place < other.place { (one, other) } else { (other, one) };
        let is_same_rank = one.place.lane == other.place.lane;
        match (one.session, is_same_rank) {
            // Accumulates of one rank come in order.
            (_, true) if one.kind == Kind::Accumulate && other.kind == Kind::Accumulate => false,
            (Session::Passive, true) => !first.has_request && first.done.is_none_or(|done| done > second.place.event),
            (Session::Passive, false) => self.are_unordered(one, other, order),
            _ => true,
        }
    }

    fn are_unordered(&self, one: &Access, other: &Access, order: Option<&Order>) -> bool {
        let Some(order) = order.filter(|_| !self.secrets.is_shared) else { return false };
        let is_after = |one: &Access, other: &Access| {
            let done = one.done.map(|event| Place { event, ..one.place });
            done.is_none_or(|done| order.is_before(done, other.place) == Some(false))
        };
        let may_tell = |one: &Access, other: &Access| self.secrets.may_tell(order, one.place, other.place);
        is_after(one, other) && is_after(other, one) && !may_tell(one, other) && !may_tell(other, one)
    }

    /// Calls of a rank that use memory which others access in the same epoch.
    fn own_calls(&mut self, number: usize, (window, rank): Part, items: &[Item]) {
        let evidence = self.evidence;
        let Some(lane) = Some(&evidence.trace.lanes[number]).filter(|_| !evidence.program.has_threads(rank)) else { return };
        let bounds = items.iter().map(|item| item.1).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        let Some(bounds) = bounds else { return };
        let mut known: FxHashMap<u32, Option<Rc<[Use]>>> = FxHashMap::default();
        let mut fences = 0;
        let mut left = PAIRS_MAX;
        for (at, event) in (0..).zip(&lane.events) {
            let call = evidence.trace.call(event.call);
            let is_fence = call.function == mpi::WIN_FENCE;
            if !is_fence && !self.has_buffers[event.call.0 as usize] {
                continue;
            }
            if event.outcome.is_none_or(|outcome| evidence.trace.outcome(outcome).code != 0) {
                continue;
            }
            if is_fence {
                let shared = call.int("win").and_then(|win| evidence.lifted.shared.get(rank, Thing::Window(win)));
                fences += u32::from(shared.is_some_and(|shared| shared.context == window));
                continue;
            }
            let used = known.entry(event.call.0).or_insert_with(|| self.used(call, lane.process, rank, bounds));
            let Some(used) = used.clone() else { continue };
            let place = Place { lane: u32::try_from(number).unwrap_or(u32::MAX), event: at };
            let exposure = self.walk.exposures.at(window, rank, at).map(Session::Exposure);
            for session in [Some(Session::Fence(fences)), exposure].into_iter().flatten() {
                let group = &items[items.partition_point(|item| item.0 < session)..];
                let group = &group[..group.partition_point(|item| item.0 == session)];
                let Some(rest) = left.checked_sub(u32::try_from(used.len() * group.len()).unwrap_or(u32::MAX)) else { return };
                left = rest;
                self.own_call((window, rank, session), place, &used, group);
            }
        }
    }

    /// What a call uses; None if all of it lies elsewhere than these bytes.
    fn used(&self, call: &Call, process: u32, rank: u32, (first, end): (i64, i64)) -> Option<Rc<[Use]>> {
        let lifted = self.evidence.lifted;
        let datatypes = &lifted.datatypes[(process as usize).min(lifted.datatypes.len() - 1)];
        let used = uses::of(call, rank, datatypes, &lifted.communicators);
        let is_here = |one: &Use| one.bytes.bounds().is_some_and(|own| own.0 < end && own.1 > first);
        used.iter().any(is_here).then(|| used.into())
    }

    fn own_call(&mut self, key: (ContextId, u32, Session), place: Place, used: &Rc<[Use]>, group: &[Item]) {
        // By their bytes, and then as they were made.
        let mut sorted: Vec<&Item> = group.iter().collect();
        sorted.sort_by_key(|item| (item.1, item.3));
        for (at, item) in (0..used.len()).flat_map(|at| sorted.iter().map(move |item| (at, **item))) {
            let (one, access) = (&used[at], self.access(&item));
            let is_conflict = (one.writes || access.writes()) && access.place != place;
            if is_conflict && access.bytes.as_ref().is_some_and(|bytes| bytes.overlaps(&one.bytes) == Overlap::Yes) {
                self.own.push(OwnCall { key, place, used: Rc::clone(used), at, access: item.3 });
            }
        }
    }
}
