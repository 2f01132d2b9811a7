//! Checks the claim that a program cannot get stuck because nothing is left to choose, from the rules alone.
//!
//! The claim is a list of messages for each receive. It holds if (1) each receive has as many as it takes, and no message is in two lists;
//! (2) no message can go to a receive that it fits and that does not list it; (3) with these lists, everybody comes to the end even if
//! the library lets nobody go who may have to wait. How the lists were found does not matter here: this is
//! plain and slow, so that it can be believed.

use rustc_hash::FxHashMap;

use super::candidates::Candidates;
use super::confluent::End;
use super::library::{Library, Members, Sends};
use super::model::{Awaited, Model, ReceiveNo, ReceivePost, SendNo, Step};
use crate::program::Flow;

/// Whether the claim holds. `end` is the run that shows it, of which only the end is believed.
pub(crate) fn is_valid(model: &Model, candidates: &Candidates, end: &End, library: Library) -> bool {
    let Some(takers) = takers(model, candidates) else { return false };
    let checker = Checker::new(model, candidates, takers);
    let is_alone = |receive: ReceiveNo| checker.has_no_other(receive);
    !end.is_stuck(model) && (0..).take(model.receives.len()).all(is_alone) && checker.comes_to_the_end(library)
}

/// (1): by send, the receive that lists it.
fn takers(model: &Model, candidates: &Candidates) -> Option<Vec<Option<ReceiveNo>>> {
    let mut takers = vec![None; model.sends.len()];
    for (number, receive) in (0..).zip(&model.receives) {
        let list = candidates.of(number);
        if list.len() != receive.capacity() {
            return None;
        }
        for send in list {
            let is_new = takers[*send as usize].replace(number).is_none();
            if !is_new || !receive.fits(&model.sends[*send as usize]) {
                return None;
            }
        }
    }
    Some(takers)
}

struct Checker<'m> {
    model: &'m Model,
    candidates: &'m Candidates,
    takers: Vec<Option<ReceiveNo>>,
    /// By receive: the first one that is like it.
    kinds: Vec<ReceiveNo>,
    /// By send: the first receive of each kind that it fits.
    fits: Vec<Vec<ReceiveNo>>,
    /// By receive: how many messages that it fits must be there before it is complete.
    needed: Vec<usize>,
}

impl<'m> Checker<'m> {
    fn new(model: &'m Model, candidates: &'m Candidates, takers: Vec<Option<ReceiveNo>>) -> Checker<'m> {
        let (mut kinds, mut fits) = (Vec::new(), vec![Vec::new(); model.sends.len()]);
        let mut firsts: FxHashMap<_, ReceiveNo> = FxHashMap::default();
        for (number, receive) in (0..).zip(&model.receives) {
            let first = *firsts.entry((receive.mailbox, receive.channel, receive.tag)).or_insert(number);
            kinds.push(first);
            if first == number {
                let arrivals = model.arrivals[receive.mailbox as usize].iter();
                let fitting = arrivals.filter(|send| receive.fits(&model.sends[**send as usize]));
                fitting.for_each(|send| fits[*send as usize].push(number));
            }
        }
        let needed = (0..).take(model.receives.len()).map(|number| needed(model, number)).collect();
        Checker { model, candidates, takers, kinds, fits, needed }
    }

    /// (2) for one receive.
    fn has_no_other(&self, number: ReceiveNo) -> bool {
        let model = self.model;
        let receive = &model.receives[number as usize];
        let arrivals = &model.arrivals[receive.mailbox as usize];
        let fits = |send: &SendNo| receive.fits(&model.sends[*send as usize]);
        let mut others = Vec::new();
        let mut ahead = (None, 0);
        // The messages of a channel stand together, in their order.
        for send in arrivals.iter().copied().filter(fits) {
            let (channel, taker) = (model.sends[send as usize].channel, self.takers[send as usize]);
            if ahead.0 != Some(channel) {
                ahead = (Some(channel), 0);
            }
            // An earlier receive takes it before this one gets a choice, or this one is full before it comes to it.
            let is_earlier = taker.is_some_and(|taker| taker < number);
            if !is_earlier && taker != Some(number) && ahead.1 < receive.capacity() {
                others.push(send);
            }
            ahead.1 += usize::from(!is_earlier);
        }
        others.is_empty() || {
            let posted = self.posted_before(receive);
            others.iter().all(|send| !posted[*send as usize])
        }
    }

    /// The sends that may be posted while a receive is not over: no rank goes on without as many messages as it needs.
    fn posted_before(&self, frozen: &ReceivePost) -> Vec<bool> {
        let may_return = |sweep: &Sweep, lane: u32, step: u32, awaited: Awaited| match awaited {
            _ if frozen.at.lane == lane && frozen.done == Some(step) => false,
            Awaited::Send(_) => true,
            Awaited::Receive(number) => sweep.there[self.kinds[number as usize] as usize] >= self.needed[number as usize],
            Awaited::Part(part) => self.has_data(sweep, part, self.model.parts[part as usize].flow),
        };
        Sweep::run(self, may_return).posted
    }

    fn has_data(&self, sweep: &Sweep, part: u32, flow: Flow) -> bool {
        let post = &self.model.parts[part as usize];
        let parts = &self.model.rounds[post.round as usize].parts;
        let has_come = |part: &u32| sweep.come[*part as usize];
        match flow {
            Flow::Nobody => true,
            Flow::All => parts.iter().all(has_come),
            Flow::Root(root) => parts.get(root as usize).is_none_or(has_come),
            Flow::Each(set) => self.model.sets[set as usize].iter().filter_map(|n| parts.get(*n as usize)).all(has_come),
            Flow::Before => parts[..post.member as usize].iter().all(has_come),
        }
    }

    /// (3).
    fn comes_to_the_end(&self, library: Library) -> bool {
        let may_return = |sweep: &Sweep, _: u32, _: u32, awaited: Awaited| match awaited {
            Awaited::Send(send) => {
                let post = &self.model.sends[send as usize];
                let may_wait = library.holds(post.mode, post.bytes) || library.sends == Sends::Free;
                !may_wait || self.takers[send as usize].is_some_and(|receive| sweep.asked[receive as usize])
            }
            Awaited::Receive(receive) => self.candidates.of(receive).iter().all(|send| sweep.posted[*send as usize]),
            Awaited::Part(part) => {
                let least = self.model.parts[part as usize].flow;
                self.has_data(sweep, part, if library.members == Members::Go { least } else { Flow::All })
            }
        };
        let sweep = Sweep::run(self, may_return);
        sweep.at.iter().zip(&self.model.lanes).all(|(at, steps)| *at == steps.len())
    }
}

/// How many messages that fit a receive have to be there before it is complete: its own, and those of receives that are like it or, being
/// complete before it begins, took nothing but such messages.
fn needed(model: &Model, number: ReceiveNo) -> usize {
    let own = &model.receives[number as usize];
    let is_narrower = |other: &ReceivePost| {
        let has_channel = own.channel.is_none() || own.channel == other.channel;
        has_channel && (own.tag.is_none() || own.tag == other.tag) && other.done.is_some_and(|done| done < own.at.step)
    };
    let postings = model.postings[own.mailbox as usize].iter().take_while(|other| **other < number);
    let before = postings.map(|other| &model.receives[*other as usize]);
    own.capacity() + before.filter(|other| other.is_like(own) || is_narrower(other)).map(ReceivePost::capacity).sum::<usize>()
}

/// Ranks that go on as far as they may, again and again until none does.
struct Sweep {
    /// By lane: how many steps returned.
    at: Vec<usize>,
    /// By lane: how many steps began.
    begun: Vec<usize>,
    posted: Vec<bool>,
    /// By receive that is the first of its kind: how many messages that fit were posted.
    there: Vec<usize>,
    asked: Vec<bool>,
    come: Vec<bool>,
}

impl Sweep {
    fn run(checker: &Checker, may_return: impl Fn(&Sweep, u32, u32, Awaited) -> bool) -> Sweep {
        let model = checker.model;
        let mut sweep = Sweep {
            at: vec![0; model.lanes.len()],
            begun: vec![0; model.lanes.len()],
            posted: vec![false; model.sends.len()],
            there: vec![0; model.receives.len()],
            asked: vec![false; model.receives.len()],
            come: vec![false; model.parts.len()],
        };
        let mut has_moved = true;
        while has_moved {
            has_moved = false;
            for (lane, steps) in (0..).zip(&model.lanes) {
                while let Some(step) = steps.get(sweep.at[lane as usize]) {
                    if sweep.begun[lane as usize] == sweep.at[lane as usize] {
                        sweep.begin(checker, lane, step);
                        has_moved = true;
                    }
                    let at = u32::try_from(sweep.at[lane as usize]).unwrap_or(u32::MAX);
                    if !step.waits.iter().all(|awaited| may_return(&sweep, lane, at, *awaited)) {
                        break;
                    }
                    sweep.at[lane as usize] += 1;
                    has_moved = true;
                }
            }
        }
        sweep
    }

    fn begin(&mut self, checker: &Checker, lane: u32, step: &Step) {
        self.begun[lane as usize] += 1;
        for send in &step.sends {
            self.posted[*send as usize] = true;
            checker.fits[*send as usize].iter().for_each(|kind| self.there[*kind as usize] += 1);
        }
        step.receives.iter().for_each(|receive| self.asked[*receive as usize] = true);
        step.parts.iter().for_each(|part| self.come[*part as usize] = true);
    }
}

#[cfg(test)]
mod tests {
    use traces::constant::{ANY_SOURCE, COMM_WORLD};
    use traces::{TraceBuilder, Value, mpi};

    use super::*;
    use crate::decide::{confluent, lower};

    /// Rank 0 takes as many messages from anybody as there are other ranks, and one more of `last` if that is given.
    fn model(ranks: u32, last: Option<i64>) -> Model {
        let mut builder = TraceBuilder::with_ranks(ranks);
        let message = |peer, rank| [("count", 1), ("datatype", 0x209), (peer, rank), ("tag", 0), ("comm", COMM_WORLD)];
        let mut call = |rank: usize, function, peer, other: i64| {
            let arguments: Vec<(&str, Value)> = message(peer, other).iter().map(|(n, v)| (*n, Value::Int(*v))).collect();
            builder.push(rank, function, 1, &arguments, Some(&[]));
        };
        let wild = ranks as usize - 1 - usize::from(last.is_some());
        (0..wild).for_each(|_| call(0, mpi::RECV, "source", ANY_SOURCE));
        last.into_iter().for_each(|last| call(0, mpi::RECV, "source", last));
        (1..ranks as usize).for_each(|rank| call(rank, mpi::SEND, "dest", 0));
        lower::lower(&crate::lift::lift(&builder.finish()).program, &Default::default()).model
    }

    fn holds(model: &Model, lists: Vec<Vec<SendNo>>) -> bool {
        let closed = vec![true; lists.len()];
        let candidates = Candidates::new(lists, closed, model.sends.len());
        let end = confluent::run(model, &candidates, Library::ZERO);
        is_valid(model, &candidates, &end, Library::ZERO)
    }

    #[test]
    fn only_a_claim_that_holds_is_believed() {
        let all = model(4, None);
        assert!(holds(&all, vec![vec![0, 1, 2]]));
        assert!(!holds(&all, vec![vec![0, 1]]), "one is missing");
        let last = model(4, Some(3));
        assert!(!holds(&last, vec![vec![0, 1], vec![2]]), "the last message may come first");
        assert!(!holds(&last, vec![vec![0, 2], vec![1]]), "that is not from rank 3");
        assert!(!holds(&last, vec![vec![0, 2], vec![2]]), "one message is in two lists");
    }
}
