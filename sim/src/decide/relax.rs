//! Relaxed reachability: how far ranks may come if only the numbers of messages counted, not which receive takes which.
//!
//! It lets through more than any run does, whatever the library. So what it says cannot be posted while a rank has not gone on, is
//! never there for that rank's receives to take.

use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::model::{Awaited, Model, PartNo, ReceiveNo, ReceivePost, SendNo};
use crate::program::{Flow, MailboxId};

/// The messages that a receive asks for, among those of a mailbox.
type Filter = (Option<u32>, Option<i64>);

/// What does not change from run to run.
pub(crate) struct Relaxed<'m> {
    model: &'m Model,
    /// How many kinds of receives there are.
    kinds: usize,
    /// By send: the kinds that it fits.
    fits: Vec<Vec<u32>>,
    /// By receive: its kind, and how many messages of that kind there must be before it is complete.
    needs: Vec<(u32, u32)>,
    /// By mailbox: the lane that receives.
    owners: Vec<Option<u32>>,
}

impl<'m> Relaxed<'m> {
    /// Prepares runs of a model.
    pub(crate) fn new(model: &'m Model) -> Relaxed<'m> {
        let mut kinds: FxHashMap<(MailboxId, Filter), u32> = FxHashMap::default();
        let mut needs = vec![(0, 0); model.receives.len()];
        let mut owners = vec![None; model.postings.len()];
        for (mailbox, list) in (0..).zip(&model.postings) {
            let mut tally = Tally::default();
            for &number in list {
                let receive = &model.receives[number as usize];
                owners[mailbox as usize] = Some(receive.at.lane);
                let filter = (receive.channel, receive.tag);
                let next = u32::try_from(kinds.len()).unwrap_or(u32::MAX);
                let kind = *kinds.entry((mailbox, filter)).or_insert(next);
                needs[number as usize] = (kind, tally.before(receive, number) + capacity(receive));
            }
        }
        let fitting = |send: &super::model::SendPost| {
            let filters =
                [(Some(send.channel), Some(send.tag)), (Some(send.channel), None), (None, Some(send.tag)), (None, None)];
            filters.iter().filter_map(|filter| kinds.get(&(send.mailbox, *filter)).copied()).collect()
        };
        let fits = model.sends.iter().map(fitting).collect();
        Relaxed { model, kinds: kinds.len(), fits, needs, owners }
    }

    /// For each send, the first step of a lane that need not have returned for the send to be posted; None if it never is. `steps` are the
    /// steps of the lane that matter, in order.
    pub(crate) fn levels(&self, lane: u32, steps: &[u32]) -> Vec<Option<u32>> {
        let mut run = Run {
            relaxed: self,
            at: vec![0; self.model.lanes.len()],
            is_in: vec![false; self.model.lanes.len()],
            counts: vec![0; self.kinds],
            arrived: vec![0; self.model.rounds.len()],
            posted: vec![None; self.model.sends.len()],
            has_come: vec![false; self.model.parts.len()],
            frozen: (lane, 0),
            waiting: (0..u32::try_from(self.model.lanes.len()).unwrap_or(0)).rev().collect(),
            is_waiting: vec![true; self.model.lanes.len()],
        };
        for step in steps {
            run.frozen.1 = *step;
            run.wake(lane);
            run.saturate();
        }
        run.posted
    }

    /// The lane that receives from a mailbox.
    pub(crate) fn owner(&self, mailbox: MailboxId) -> Option<u32> {
        self.owners[mailbox as usize]
    }
}

fn capacity(receive: &ReceivePost) -> u32 {
    u32::try_from(receive.capacity()).unwrap_or(u32::MAX)
}

/// Counts the receives of a mailbox, from the first to the last.
#[derive(Default)]
struct Tally {
    /// Those that are complete, by what they may have taken.
    done: FxHashMap<Filter, u32>,
    /// Those that perhaps are not: how many of each kind, and when they are.
    pending: FxHashMap<Filter, u32>,
    ends: BinaryHeap<Reverse<(u32, ReceiveNo, Filter, u32)>>,
}

impl Tally {
    /// How many messages that a receive asks for are certainly taken by others before. Counts the receive.
    fn before(&mut self, receive: &ReceivePost, number: ReceiveNo) -> u32 {
        while let Some(Reverse((done, _, filter, count))) = self.ends.peek().copied() {
            if done >= receive.at.step {
                break;
            }
            self.ends.pop();
            *self.pending.entry(filter).or_default() -= count;
            let (channel, tag) = filter;
            // Whoever asks for more, asks for these, too.
            let mut wider = vec![(channel, tag), (None, tag), (channel, None), (None, None)];
            wider.sort_unstable();
            wider.dedup();
            for filter in wider {
                *self.done.entry(filter).or_default() += count;
            }
        }
        let filter = (receive.channel, receive.tag);
        let count = capacity(receive);
        let before = self.done.get(&filter).copied().unwrap_or(0) + self.pending.get(&filter).copied().unwrap_or(0);
        *self.pending.entry(filter).or_default() += count;
        self.ends.push(Reverse((receive.done.unwrap_or(u32::MAX), number, filter, count)));
        before
    }
}

/// A run under way.
struct Run<'r, 'm> {
    relaxed: &'r Relaxed<'m>,
    /// By lane: the step that it is in or comes to next.
    at: Vec<u32>,
    is_in: Vec<bool>,
    /// By kind of receive: how many messages were posted that fit.
    counts: Vec<u32>,
    /// By round: how many members have come.
    arrived: Vec<u32>,
    /// By send: where the frozen lane was when it was posted.
    posted: Vec<Option<u32>>,
    has_come: Vec<bool>,
    /// A lane, and the step that it does not return from.
    frozen: (u32, u32),
    waiting: Vec<u32>,
    is_waiting: Vec<bool>,
}

impl Run<'_, '_> {
    fn wake(&mut self, lane: u32) {
        if !std::mem::replace(&mut self.is_waiting[lane as usize], true) {
            self.waiting.push(lane);
        }
    }

    fn saturate(&mut self) {
        while let Some(lane) = self.waiting.pop() {
            self.is_waiting[lane as usize] = false;
            self.advance(lane);
        }
    }

    fn advance(&mut self, lane: u32) {
        let model = self.relaxed.model;
        while let Some(step) = model.lanes[lane as usize].get(self.at[lane as usize] as usize) {
            if !std::mem::replace(&mut self.is_in[lane as usize], true) {
                step.sends.iter().for_each(|send| self.post(*send));
                step.parts.iter().for_each(|part| self.arrive(*part));
            }
            let is_frozen = self.frozen == (lane, self.at[lane as usize]);
            if is_frozen || !step.waits.iter().all(|awaited| self.may_complete(*awaited)) {
                return;
            }
            self.at[lane as usize] += 1;
            self.is_in[lane as usize] = false;
        }
    }

    fn post(&mut self, send: SendNo) {
        self.posted[send as usize] = Some(self.frozen.1);
        for kind in &self.relaxed.fits[send as usize] {
            self.counts[*kind as usize] += 1;
        }
        if let Some(owner) = self.relaxed.owners[self.relaxed.model.sends[send as usize].mailbox as usize] {
            self.wake(owner);
        }
    }

    fn arrive(&mut self, part: PartNo) {
        let model = self.relaxed.model;
        let post = &model.parts[part as usize];
        let round = &model.rounds[post.round as usize];
        self.has_come[part as usize] = true;
        self.arrived[post.round as usize] += 1;
        let is_over = self.arrived[post.round as usize] as usize == round.parts.len();
        if is_over || model.sets_others_free(post) {
            for other in &round.parts {
                self.wake(model.parts[*other as usize].at.lane);
            }
        } else if round.has_sets {
            for other in round.parts.iter().filter(|other| model.is_in_set_of(post.member, **other)) {
                self.wake(model.parts[*other as usize].at.lane);
            }
        }
    }

    fn may_complete(&self, awaited: Awaited) -> bool {
        let model = self.relaxed.model;
        match awaited {
            Awaited::Send(_) => true,
            Awaited::Receive(receive) => {
                let (kind, need) = self.relaxed.needs[receive as usize];
                self.counts[kind as usize] >= need
            }
            Awaited::Part(part) => {
                let post = &model.parts[part as usize];
                let parts = &model.rounds[post.round as usize].parts;
                match post.flow {
                    Flow::Nobody => true,
                    Flow::All => self.arrived[post.round as usize] as usize == parts.len(),
                    Flow::Root(root) => parts.get(root as usize).is_none_or(|root| self.has_come[*root as usize]),
                    Flow::Each(set) => {
                        let mut parts = model.sets[set as usize].iter().filter_map(|n| parts.get(*n as usize));
                        parts.all(|part| self.has_come[*part as usize])
                    }
                    Flow::Before => parts[..post.member as usize].iter().all(|part| self.has_come[*part as usize]),
                }
            }
        }
    }
}
