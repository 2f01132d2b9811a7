//! Which one-sided accesses can be in conflict at all, by their shapes and by when each was made: only where some can, every access is looked at
//! (`races`).
//!
//! It may take too many for rivals, never too few. That two ranks came through different rounds of the collectives of their MPI_COMM_WORLD keeps
//! their accesses apart; whatever else orders them is not asked here.

use rustc_hash::{FxHashMap, FxHashSet};
use traces::constant::{COMM_WORLD, NO_OP};

use super::Evidence;
use super::race_findings::Clash;
use crate::accesses::{self, Epoch, Kind, Shape, Spans, Walk};
use crate::footprint::Overlap;
use crate::program::{ContextId, Op, OpId};
use crate::uses::{self, Use};

/// So many pairs of shapes are compared.
const PAIRS_MAX: usize = 1 << 18;

/// Pairs of shapes that clash, by their numbers.
type Rivals = Vec<(usize, usize)>;

/// Whether any two accesses clash that may be at once, or one and a call of the rank whose memory it goes to.
pub(super) fn may_be(evidence: Evidence, walk: &Walk) -> bool {
    let mut parts: FxHashMap<(ContextId, u32), Vec<&Shape>> = FxHashMap::default();
    for shape in &walk.shapes {
        let keeps_nobody_out =
            matches!(shape.epoch, Some(Epoch::Fence | Epoch::Start | Epoch::LockAll | Epoch::Lock { is_exclusive: false }));
        if let Some(target) = shape.target.filter(|_| keeps_nobody_out && bounds(shape).is_some()) {
            parts.entry((shape.window, target)).or_default().push(shape);
        }
    }
    let mut rivals = Rivals::new();
    let may_clash = parts.into_iter().any(|((_, target), mut shapes)| {
        shapes.sort_by_key(|shape| bounds(shape));
        let is_told = find_rivals(evidence, walk, &shapes, &mut rivals);
        !is_told || (!walk.has_others && may_clash_with_own(evidence, target, &shapes))
    });
    may_clash || (!rivals.is_empty() && are_any_at_once(evidence, walk, &rivals))
}

/// From the first byte that an access touches to behind the last one.
fn bounds(shape: &Shape) -> Option<(i64, i64)> {
    shape.bytes.as_ref()?.bounds()
}

/// Adds the pairs that clash, of shapes of which those that begin first are ahead. Gives false if they are too many, or a shape that was at once
/// with itself clashes with itself.
fn find_rivals(evidence: Evidence, walk: &Walk, shapes: &[&Shape], rivals: &mut Rivals) -> bool {
    let mut left = PAIRS_MAX;
    let mut open: Vec<&Shape> = Vec::new();
    for one in shapes {
        let first = bounds(one).map(|(first, _)| first);
        open.retain(|other| bounds(other).map(|(_, end)| end) > first);
        if left < open.len() || rivals.len() > PAIRS_MAX || (walk.is_repeated[one.number] && clash(one, one, evidence).is_some())
        {
            return false;
        }
        left -= open.len();
        let clashes =
            |other: &&&Shape| clash(one, other, evidence).is_some() && mode(one) == mode(other) && is_shared(one, other);
        rivals.extend(open.iter().filter(clashes).map(|other| (one.number, other.number)));
        open.push(one);
    }
    true
}

/// The kinds of epochs: accesses in different ones are never told to be at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Fence,
    Exposure,
    Passive,
}

fn mode(shape: &Shape) -> Mode {
    match shape.epoch {
        Some(Epoch::Fence) => Mode::Fence,
        Some(Epoch::Start) => Mode::Exposure,
        _ => Mode::Passive,
    }
}

/// Whether any of these pairs is at once at some time.
fn are_any_at_once(evidence: Evidence, walk: &Walk, rivals: &Rivals) -> bool {
    let mut is_wanted = vec![false; walk.shapes.len()];
    rivals.iter().for_each(|(one, other)| (is_wanted[*one], is_wanted[*other]) = (true, true));
    let spans = accesses::spans(evidence.trace, evidence.lifted, is_wanted);
    let mut rounds: FxHashMap<usize, Spans> = FxHashMap::default();
    let mut meetings: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    rivals.iter().any(|(one, other)| {
        let lanes = [one, other].map(|number| walk.shapes[*number].lane);
        if mode(&walk.shapes[*one]) != Mode::Passive || lanes[0] == lanes[1] {
            return have_common(&spans[*one], &spans[*other]);
        }
        for (number, lane) in [one, other].into_iter().zip(lanes) {
            let meetings = meetings.entry(lane).or_insert_with(|| meetings_of(evidence, lane));
            rounds.entry(*number).or_insert_with(|| in_rounds(&spans[*number], meetings));
        }
        let worlds = lanes.map(|lane| world_of(evidence, lane));
        worlds[0] != worlds[1] || have_common(&rounds[one], &rounds[other])
    })
}

/// Whether a span of one list and one of another have something in common; both are in order.
fn have_common(one: &Spans, other: &Spans) -> bool {
    let (mut one, mut other) = (&one[..], &other[..]);
    while let ([a, behind_a @ ..], [b, behind_b @ ..]) = (one, other) {
        if a.1 < b.0 {
            one = behind_a;
        } else if b.1 < a.0 {
            other = behind_b;
        } else {
            return true;
        }
    }
    false
}

/// Where the collectives of a lane's MPI_COMM_WORLD go.
fn world_of(evidence: Evidence, lane: u32) -> Option<ContextId> {
    let rank = evidence.program.lanes[lane as usize].rank;
    evidence.lifted.communicators.view(COMM_WORLD, rank).map(|world| world.context)
}

/// The events of a lane that are its parts in the collectives of its MPI_COMM_WORLD.
fn meetings_of(evidence: Evidence, lane: u32) -> Vec<u32> {
    let program = evidence.program;
    let world = world_of(evidence, lane);
    let is_meeting = |op: OpId| match program.ops[op as usize] {
        Op::Collective { collective, .. } => Some(program.collectives[collective as usize].context) == world,
        _ => false,
    };
    (0..).zip(&program.lanes[lane as usize].steps).filter(|(_, step)| is_meeting(**step)).map(|(event, _)| event).collect()
}

/// Spans of events as spans of rounds: how many collectives came before each end.
fn in_rounds(spans: &Spans, meetings: &[u32]) -> Spans {
    let round = |event: u32| u32::try_from(meetings.partition_point(|meeting| *meeting < event)).unwrap_or(u32::MAX);
    spans.iter().map(|(first, last)| (round(*first), if *last == u32::MAX { u32::MAX } else { round(*last) })).collect()
}

/// Whether a call of a rank uses memory that accesses of these shapes go to.
fn may_clash_with_own(evidence: Evidence, rank: u32, shapes: &[&Shape]) -> bool {
    let (trace, lifted) = (evidence.trace, evidence.lifted);
    let all = shapes.iter().filter_map(|shape| bounds(shape));
    let Some(all) = all.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))) else { return false };
    let touches = |own: &Use, shape: &Shape| {
        (own.writes || shape.writes()) && shape.bytes.as_ref().is_some_and(|bytes| bytes.overlaps(&own.bytes) == Overlap::Yes)
    };
    trace.lanes[trace.lanes_of(rank)].iter().any(|lane| {
        let datatypes = &lifted.datatypes[(lane.process as usize).min(lifted.datatypes.len() - 1)];
        let mut known = FxHashSet::default();
        let new = lane.events.iter().filter(|event| known.insert(event.call.0)).map(|event| trace.call(event.call));
        let used = new.filter(|call| uses::has_buffers(call));
        used.flat_map(|call| uses::of(call, rank, datatypes, &lifted.communicators)).any(|own| {
            let is_near = own.bytes.bounds().is_some_and(|(first, end)| first < all.1 && end > all.0);
            is_near && shapes.iter().any(|shape| touches(&own, shape))
        })
    })
}

/// Whether two accesses have a byte of the target in common.
pub(super) fn is_shared(one: &Shape, other: &Shape) -> bool {
    let both = one.bytes.as_ref().zip(other.bytes.as_ref());
    both.is_some_and(|(one, other)| one.overlaps(other) == Overlap::Yes)
}

/// Why two accesses must not be at once, if they must not.
pub(super) fn clash(one: &Shape, other: &Shape, evidence: Evidence) -> Option<Clash> {
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
