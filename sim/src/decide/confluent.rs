//! The run of a program in which nothing is left to choose: every receive is closed, so that all schedules come to the same end.
//!
//! The least that a library may do is the worst: if the program gets through when sends wait and members of collectives wait, it gets
//! through whatever is buffered.

use super::candidates::Candidates;
use super::library::{Library, Members, Sends};
use super::model::{Awaited, Model, PartNo, ReceiveNo, SendNo};
use crate::program::{Flow, Mode};

/// How a run ended.
pub(crate) struct End {
    /// By lane: how many steps returned.
    pub(crate) returned: Vec<u32>,
    /// By receive: what it took, in order.
    pub(crate) taken: Vec<Vec<SendNo>>,
    /// By send: whether it was taken.
    pub(crate) matched: Vec<bool>,
}

impl End {
    /// Whether somebody is stuck.
    pub(crate) fn is_stuck(&self, model: &Model) -> bool {
        self.returned.iter().zip(&model.lanes).any(|(returned, steps)| (*returned as usize) < steps.len())
    }
}

/// Runs a closed model with the worst library of a kind.
pub(crate) fn run(model: &Model, candidates: &Candidates, library: Library) -> End {
    run_buffered(model, candidates, library, &[])
}

/// Runs a closed model with the worst library of a kind that buffers certain sends.
pub(crate) fn run_buffered(model: &Model, candidates: &Candidates, library: Library, buffered: &[bool]) -> End {
    let lanes = model.lanes.len();
    let mut run = Run {
        model,
        candidates,
        library,
        buffered,
        end: End {
            returned: vec![0; lanes],
            taken: vec![Vec::new(); model.receives.len()],
            matched: vec![false; model.sends.len()],
        },
        is_in: vec![false; lanes],
        is_sent: vec![false; model.sends.len()],
        is_posted: vec![false; model.receives.len()],
        has_come: vec![false; model.parts.len()],
        arrived: vec![0; model.rounds.len()],
        runnable: (0..u32::try_from(lanes).unwrap_or(0)).rev().collect(),
    };
    while let Some(lane) = run.runnable.pop() {
        run.advance(lane);
    }
    run.end
}

struct Run<'m> {
    model: &'m Model,
    candidates: &'m Candidates,
    library: Library,
    /// By send; those beyond its end are not.
    buffered: &'m [bool],
    end: End,
    is_in: Vec<bool>,
    is_sent: Vec<bool>,
    is_posted: Vec<bool>,
    has_come: Vec<bool>,
    arrived: Vec<u32>,
    runnable: Vec<u32>,
}

impl Run<'_> {
    fn advance(&mut self, lane: u32) {
        let model = self.model;
        while let Some(step) = model.lanes[lane as usize].get(self.end.returned[lane as usize] as usize) {
            if !std::mem::replace(&mut self.is_in[lane as usize], true) {
                step.receives.iter().for_each(|receive| self.post(*receive));
                step.sends.iter().for_each(|send| self.send(*send));
                step.parts.iter().for_each(|part| self.arrive(*part));
            }
            if !step.waits.iter().all(|awaited| self.is_complete(*awaited)) {
                return;
            }
            self.end.returned[lane as usize] += 1;
            self.is_in[lane as usize] = false;
        }
    }

    fn post(&mut self, receive: ReceiveNo) {
        self.is_posted[receive as usize] = true;
        for &send in self.candidates.of(receive) {
            if self.is_sent[send as usize] {
                self.take(send, receive);
            }
        }
    }

    fn send(&mut self, send: SendNo) {
        self.is_sent[send as usize] = true;
        let taker = self.candidates.closed_by[send as usize];
        if let Some(receive) = taker.filter(|receive| self.is_posted[*receive as usize]) {
            self.take(send, receive);
        }
    }

    fn take(&mut self, send: SendNo, receive: ReceiveNo) {
        self.end.matched[send as usize] = true;
        self.end.taken[receive as usize].push(send);
        self.runnable.push(self.model.sends[send as usize].at.lane);
        self.runnable.push(self.model.receives[receive as usize].at.lane);
    }

    fn arrive(&mut self, part: PartNo) {
        let post = &self.model.parts[part as usize];
        let round = &self.model.rounds[post.round as usize];
        self.has_come[part as usize] = true;
        self.arrived[post.round as usize] += 1;
        let is_over = self.arrived[post.round as usize] as usize == round.parts.len();
        if is_over || self.model.sets_others_free(post) {
            self.runnable.extend(round.parts.iter().map(|other| self.model.parts[*other as usize].at.lane));
        } else if round.has_sets {
            let is_awaited = |other: &&PartNo| self.model.is_in_set_of(post.member, **other);
            let waiting = round.parts.iter().filter(is_awaited);
            self.runnable.extend(waiting.map(|other| self.model.parts[*other as usize].at.lane));
        }
    }

    fn is_complete(&self, awaited: Awaited) -> bool {
        match awaited {
            Awaited::Receive(receive) => {
                self.end.taken[receive as usize].len() >= self.model.receives[receive as usize].capacity()
            }
            Awaited::Send(send) => {
                let post = &self.model.sends[send as usize];
                let is_buffered = self.buffered.get(send as usize).copied().unwrap_or(false);
                let may_wait = self.library.sends == Sends::Free && post.mode == Mode::Standard && !is_buffered;
                self.end.matched[send as usize] || !(may_wait || self.library.holds(post.mode, post.bytes))
            }
            Awaited::Part(part) => self.has_enough(part),
        }
    }

    fn has_enough(&self, part: PartNo) -> bool {
        let post = &self.model.parts[part as usize];
        let parts = &self.model.rounds[post.round as usize].parts;
        let flow = if self.library.members == Members::Go { post.flow } else { Flow::All };
        match flow {
            Flow::Nobody => true,
            Flow::All => self.arrived[post.round as usize] as usize == parts.len(),
            Flow::Root(root) => parts.get(root as usize).is_none_or(|root| self.has_come[*root as usize]),
            Flow::Each(set) => {
                let mut parts = self.model.sets[set as usize].iter().filter_map(|n| parts.get(*n as usize));
                parts.all(|part| self.has_come[*part as usize])
            }
            Flow::Before => parts[..post.member as usize].iter().all(|part| self.has_come[*part as usize]),
        }
    }
}
