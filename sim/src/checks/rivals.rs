//! Which calls of a rank can be in each other's way at all, by the memory that they use: only those are followed through the run (`in_flight`).
//!
//! Most programs use each buffer by one call, or read it only, so that next to nothing is left. It is found once for each distinct call, and may
//! take too many for rivals, never too few.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use traces::Event;

use super::Evidence;
use super::in_flight::{Kind, then};
use crate::footprint::Overlap;
use crate::lift::NO_SLOT;
use crate::program::{Op, OpId, Slot, Then};
use crate::uses::{self, Use};

/// So many buffers that lie among each other are compared with each other.
const NEIGHBOURS_MAX: usize = 64;

/// How closely a call has to be followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Care {
    /// Nothing can be in its way.
    #[default]
    Free,
    /// Nothing but the same call, made again.
    Alone,
    /// Another call of the rank uses the same memory, and one of them writes.
    Followed,
}

/// The calls of one rank that have buffers.
pub(super) struct Rivals {
    /// By number of the call.
    care: Vec<Care>,
    /// The calls that the rank makes, and whether it does.
    made: Vec<u32>,
    is_made: Vec<bool>,
    /// What each uses.
    pub(super) used: FxHashMap<u32, Rc<[Use]>>,
}

/// A buffer: from its first byte to behind the last one, the number of its call, and which of that call's it is.
type Buffer = ((i64, i64), u32, usize);

impl Rivals {
    /// For a trace of so many distinct calls.
    pub(super) fn new(calls: usize) -> Rivals {
        Rivals { care: vec![Care::Free; calls], made: Vec::new(), is_made: vec![false; calls], used: FxHashMap::default() }
    }

    /// How closely a call has to be followed.
    pub(super) fn care(&self, call: u32) -> Care {
        self.care[call as usize]
    }

    /// Looks at the calls of a lane.
    pub(super) fn find(&mut self, evidence: Evidence, number: u32, rank: u32, kinds: &[Kind]) {
        for call in self.made.drain(..) {
            (self.care[call as usize], self.is_made[call as usize]) = (Care::Free, false);
        }
        self.used.clear();
        let (trace, lifted) = (evidence.trace, evidence.lifted);
        let lane = &trace.lanes[number as usize];
        for event in &lane.events {
            if !std::mem::replace(&mut self.is_made[event.call.0 as usize], true) {
                self.made.push(event.call.0);
            }
        }
        let datatypes = &lifted.datatypes[(lane.process as usize).min(lifted.datatypes.len() - 1)];
        for call in self.made.iter().filter(|call| kinds[**call as usize].has_buffers) {
            let used = uses::of(&trace.calls[*call as usize], rank, datatypes, &lifted.communicators);
            if used.iter().any(|one| one.writes) {
                self.care[*call as usize] = Care::Alone;
            }
            self.used.insert(*call, used.into());
        }
        self.compare();
        let steps = &evidence.program.lanes[number as usize].steps;
        if self.has(Care::Alone) && UnderWay::new(evidence, self, kinds).meets_itself(&lane.events, steps) {
            self.made.iter().for_each(|call| {
                let care = &mut self.care[*call as usize];
                *care = if *care == Care::Alone { Care::Followed } else { *care };
            });
        }
    }

    /// Whether the rank makes calls that have to be followed like this.
    pub(super) fn has(&self, care: Care) -> bool {
        self.made.iter().any(|call| self.care[*call as usize] == care)
    }

    /// Finds the calls that use the same memory as others.
    fn compare(&mut self) {
        let all = self.used.iter().flat_map(|(call, used)| used.iter().enumerate().map(move |(at, one)| (*call, at, one)));
        let mut buffers: Vec<Buffer> = all.filter_map(|(call, at, one)| Some((one.bytes.bounds()?, call, at))).collect();
        buffers.sort_unstable();
        let mut end = i64::MIN;
        let mut rest = &buffers[..];
        while let [first, ..] = rest {
            end = end.max(first.0.1);
            let len = 1 + rest[1..]
                .iter()
                .take_while(|next| {
                    next.0.0 < end && {
                        end = end.max(next.0.1);
                        true
                    }
                })
                .count();
            let (neighbours, others) = rest.split_at(len);
            self.compare_among(neighbours);
            rest = others;
        }
    }

    /// Finds those among buffers that lie among each other.
    fn compare_among(&mut self, buffers: &[Buffer]) {
        let of = |buffer: &Buffer| &self.used[&buffer.1][buffer.2];
        if buffers.iter().all(|buffer| buffer.1 == buffers[0].1) || !buffers.iter().any(|buffer| of(buffer).writes) {
            return;
        }
        let is_rival = |one: &&Buffer| {
            let is_in_the_way = |other: &Buffer| {
                let is_conflict = other.1 != one.1 && (of(one).writes || of(other).writes);
                is_conflict && of(one).bytes.overlaps(&of(other).bytes) != Overlap::No
            };
            buffers.len() > NEIGHBOURS_MAX || buffers.iter().any(is_in_the_way)
        };
        let rivals: Vec<u32> = buffers.iter().filter(is_rival).map(|buffer| buffer.1).collect();
        rivals.iter().for_each(|call| self.care[*call as usize] = Care::Followed);
    }
}

/// The calls under way that only the same call can be in the way of.
struct UnderWay<'a> {
    evidence: Evidence<'a>,
    rivals: &'a Rivals,
    kinds: &'a [Kind],
    /// How many there are of each, by number of the call.
    counts: FxHashMap<u32, u32>,
    by_request: FxHashMap<Slot, u32>,
    /// What a persistent request does when it is started.
    templates: FxHashMap<Slot, u32>,
    /// Those without a request, by window and target.
    by_window: Vec<((i64, i64), u32)>,
}

impl<'a> UnderWay<'a> {
    fn new(evidence: Evidence<'a>, rivals: &'a Rivals, kinds: &'a [Kind]) -> UnderWay<'a> {
        let (counts, by_request, templates) = Default::default();
        UnderWay { evidence, rivals, kinds, counts, by_request, templates, by_window: Vec::new() }
    }

    /// Whether a lane makes one of these calls while it is under way, as far as can be told.
    fn meets_itself(mut self, events: &[Event], steps: &[OpId]) -> bool {
        let program = self.evidence.program;
        events.iter().zip(steps).any(|(event, step)| {
            if self.kinds[event.call.0 as usize].completes_fetches {
                self.synchronise(event.call.0);
            }
            match program.ops[*step as usize] {
                Op::Complete { requests, .. } if event.outcome.is_some() => self.give_back(requests.range()),
                Op::GiveUp { requests } => self.give_back(requests.range()),
                Op::GiveUpAll => {
                    (self.counts, self.by_request) = Default::default();
                    self.by_window.clear();
                }
                Op::Free { slot } => self.give_back_one(slot),
                Op::Start { requests, has_failed: false } => {
                    return requests.range().any(|at| {
                        let slot = program.completions[at].slot;
                        self.give_back_one(slot);
                        self.templates.get(&slot).copied().is_some_and(|call| self.lasts(call, slot))
                    });
                }
                op => return self.kinds[event.call.0 as usize].has_buffers && self.begins(event, op),
            }
            false
        })
    }

    /// A call that has buffers. Gives whether it is under way already.
    fn begins(&mut self, event: &Event, op: Op) -> bool {
        let number = event.call.0;
        if event.outcome.is_some_and(|outcome| self.evidence.trace.outcome(outcome).code != 0) {
            return false;
        }
        let care = self.rivals.care(number);
        if let Some(Then::Persistent(slot)) = then(op) {
            if care == Care::Alone {
                self.templates.insert(slot, number)
            } else {
                self.templates.remove(&slot)
            };
            return false;
        }
        if care != Care::Alone {
            return false;
        }
        match (op, then(op)) {
            (Op::Request { slot }, _) | (_, Some(Then::Request(slot))) => self.lasts(number, slot),
            (_, Some(Then::Return)) => self.is_under_way(number),
            _ if self.kinds[number as usize].fetches_later => {
                let call = self.evidence.trace.call(event.call);
                let is_under_way = self.is_under_way(number);
                if let Some(of_window) = call.int("win").zip(call.int("target_rank")) {
                    self.by_window.push((of_window, number));
                    *self.counts.entry(number).or_default() += 1;
                }
                is_under_way
            }
            _ => false,
        }
    }

    fn is_under_way(&self, call: u32) -> bool {
        self.counts.get(&call).is_some_and(|count| *count > 0)
    }

    /// A call lasts until its request is complete. A request that is in use belongs to a program that is looked at more closely.
    fn lasts(&mut self, call: u32, slot: Slot) -> bool {
        let is_under_way = self.is_under_way(call);
        if slot != NO_SLOT {
            *self.counts.entry(call).or_default() += 1;
            return self.by_request.insert(slot, call).is_some() || is_under_way;
        }
        is_under_way
    }

    fn give_back(&mut self, completions: std::ops::Range<usize>) {
        if !self.by_request.is_empty() {
            completions.for_each(|at| self.give_back_one(self.evidence.program.completions[at].slot));
        }
    }

    fn give_back_one(&mut self, slot: Slot) {
        if let Some(count) = self.by_request.remove(&slot).and_then(|call| self.counts.get_mut(&call)) {
            *count -= 1;
        }
    }

    fn synchronise(&mut self, number: u32) {
        if self.by_window.is_empty() {
            return;
        }
        let call = &self.evidence.trace.calls[number as usize];
        let (win, rank) = (call.int("win"), call.int("rank"));
        let counts = &mut self.counts;
        self.by_window.retain(|((window, target), call)| {
            let is_complete = Some(*window) == win && rank.is_none_or(|rank| rank == *target);
            if let Some(count) = counts.get_mut(call).filter(|_| is_complete) {
                *count -= 1;
            }
            !is_complete
        });
    }
}
