//! The cut encoding: a formula whose models are the places where a program can get stuck.
//!
//! A variable a step says whether it has returned; a variable a pair says whether a send was taken by a receive. Sends wait, collectives
//! synchronise and ranks are stuck by assumption, so one formula serves every library and every question. What the formula does
//! not say is that causes come before effects: `order` finds the models in which they do not, and `search` excludes them.

use rustc_hash::FxHashMap;

use super::candidates::Candidates;
use super::cnf::{Cnf, Lit};
use super::library::{Library, Members, Sends};
use super::model::{At, Awaited, Model, PartNo, ReceiveNo, SendNo};
use crate::program::{Flow, Mode, SetId};

/// A send that a receive may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) send: SendNo,
    pub(crate) receive: ReceiveNo,
    pub(crate) lit: Lit,
}

/// What is assumed of the library.
#[derive(Debug)]
pub(crate) struct Switches {
    /// Standard sends wait for their receives.
    sends_wait: Lit,
    /// Standard sends return.
    sends_return: Lit,
    /// Those of some length and more wait, shorter ones return.
    eager: Vec<(u64, Lit)>,
    /// Members of collectives wait for all.
    members_wait: Lit,
    /// They go on as soon as they can.
    members_go: Lit,
    /// Somebody is stuck.
    pub(crate) is_stuck: Lit,
    /// Everybody has come to the end, and a message is left.
    pub(crate) is_orphaned: Lit,
}

/// The formula.
pub(crate) struct Formula<'m, 'b> {
    pub(crate) model: &'m Model,
    pub(crate) cnf: Cnf<'b>,
    pub(crate) switches: Switches,
    /// By lane and step: whether it has returned.
    pub(crate) returned: Vec<Vec<Lit>>,
    pub(crate) pairs: Vec<Pair>,
    /// By send: its pairs.
    pub(crate) of_send: Vec<Vec<u32>>,
    /// By receive: its pairs.
    pub(crate) of_receive: Vec<Vec<u32>>,
    /// By send: whether it was received.
    pub(crate) matched: Vec<Lit>,
    /// By standard send that somebody waits for: whether it is over as far as its sender goes.
    pub(crate) must_return: Vec<Option<Lit>>,
    /// By receive: whether it has got all its messages.
    pub(crate) full: Vec<Lit>,
    /// By round: whether all members have come.
    gathered: Vec<Lit>,
    /// By round: whether the members up to one have come, as far as that was asked.
    prefixes: Vec<Vec<Lit>>,
    /// By round and set: whether its members have come, as far as that was asked.
    sets: FxHashMap<(u32, SetId), Lit>,
}

impl<'m, 'b> Formula<'m, 'b> {
    /// Writes the formula down. `eager` are the limits that will be asked for.
    pub(crate) fn new(model: &'m Model, candidates: &Candidates, mut cnf: Cnf<'b>, eager: &[u64]) -> Formula<'m, 'b> {
        let switches = Switches {
            sends_wait: cnf.fresh(),
            sends_return: cnf.fresh(),
            eager: eager.iter().map(|bytes| (*bytes, cnf.fresh())).collect(),
            members_wait: cnf.fresh(),
            members_go: cnf.fresh(),
            is_stuck: cnf.fresh(),
            is_orphaned: cnf.fresh(),
        };
        let mut formula = Formula {
            model,
            cnf,
            switches,
            returned: Vec::new(),
            pairs: Vec::new(),
            of_send: vec![Vec::new(); model.sends.len()],
            of_receive: vec![Vec::new(); model.receives.len()],
            matched: Vec::new(),
            must_return: vec![None; model.sends.len()],
            full: Vec::new(),
            gathered: Vec::new(),
            prefixes: vec![Vec::new(); model.rounds.len()],
            sets: FxHashMap::default(),
        };
        formula.steps();
        formula.matches(candidates);
        formula.sends_in_order(candidates);
        formula.collectives();
        formula.completions();
        formula.nothing_moves(candidates);
        formula.questions();
        formula
    }

    /// Whether what a step posts is posted.
    pub(crate) fn posted(&self, at: At) -> Lit {
        let before = at.step.checked_sub(1).map(|step| self.returned[at.lane as usize][step as usize]);
        before.unwrap_or(self.cnf.truth())
    }

    /// A rank makes its steps one after the other. One that waits for nothing returns at once.
    fn steps(&mut self) {
        for lane in &self.model.lanes {
            let mut before = self.cnf.truth();
            let mut list = Vec::with_capacity(lane.len());
            for step in lane {
                if !step.waits.is_empty() {
                    let returned = self.cnf.fresh();
                    self.cnf.imply(&[returned], &[before]);
                    before = returned;
                }
                list.push(before);
            }
            self.returned.push(list);
        }
    }

    /// Only what is posted matches; a send once, a receive as often as it has members.
    fn matches(&mut self, candidates: &Candidates) {
        let model = self.model;
        for (number, receive) in (0..).zip(&model.receives) {
            for &send in candidates.of(number) {
                let post = &model.sends[send as usize];
                if !receive.allows(post) {
                    continue;
                }
                let pair = Pair { send, receive: number, lit: self.cnf.fresh() };
                self.cnf.imply(&[pair.lit], &[self.posted(post.at)]);
                self.cnf.imply(&[pair.lit], &[self.posted(receive.at)]);
                let at = u32::try_from(self.pairs.len()).unwrap_or(u32::MAX);
                self.of_send[send as usize].push(at);
                self.of_receive[number as usize].push(at);
                self.pairs.push(pair);
            }
        }
        for pairs in &self.of_send {
            let list: Vec<Lit> = pairs.iter().map(|at| self.pairs[*at as usize].lit).collect();
            self.cnf.at_most_one(&list);
            self.matched.push(self.cnf.any(&list));
        }
        for (receive, pairs) in model.receives.iter().zip(&self.of_receive) {
            let list: Vec<Lit> = pairs.iter().map(|at| self.pairs[*at as usize].lit).collect();
            let full = fill(&mut self.cnf, &list, receive.capacity());
            self.full.push(full);
        }
    }

    /// Messages do not overtake each other, and receives do not either.
    fn sends_in_order(&mut self, candidates: &Candidates) {
        let model = self.model;
        for at in 0..self.pairs.len() {
            let Pair { send, receive, lit } = self.pairs[at];
            let taker = &model.receives[receive as usize];
            for earlier in model.overtaken(send, taker) {
                let taken_by = candidates.closed_by[earlier as usize].and_then(|other| model.receives[other as usize].done);
                if taken_by.is_some_and(|done| done < taker.at.step) {
                    continue;
                }
                // Whatever took the earlier message was posted by the time that this receive was over.
                let in_time = |pair: &&Pair| {
                    let at = model.receives[pair.receive as usize].at.step;
                    taker.done.is_none_or(|done| at <= done)
                };
                let pairs = self.of_send[earlier as usize].iter().map(|at| &self.pairs[*at as usize]);
                let takers: Vec<Lit> = pairs.filter(in_time).map(|pair| pair.lit).collect();
                self.cnf.imply(&[lit], &takers);
            }
            for earlier in model.preceding(receive, &model.sends[send as usize]) {
                self.cnf.imply(&[lit], &[self.full[earlier as usize]]);
            }
        }
    }

    fn collectives(&mut self) {
        for round in &self.model.rounds {
            let posted: Vec<Lit> = round.parts.iter().map(|part| self.posted(self.model.parts[*part as usize].at)).collect();
            let all = self.cnf.all(&posted);
            self.gathered.push(all);
        }
    }

    /// Whether a member has the data that it needs.
    fn has_data(&mut self, part: PartNo) -> Lit {
        let post = &self.model.parts[part as usize];
        let round = &self.model.rounds[post.round as usize];
        match post.flow {
            Flow::Nobody => self.cnf.truth(),
            Flow::All => self.gathered[post.round as usize],
            Flow::Root(root) => {
                let root = round.parts.get(root as usize).map(|part| self.model.parts[*part as usize].at);
                root.map_or(self.cnf.truth(), |at| self.posted(at))
            }
            Flow::Each(set) => {
                if let Some(known) = self.sets.get(&(post.round, set)) {
                    return *known;
                }
                let parts = self.model.sets[set as usize].iter().filter_map(|member| round.parts.get(*member as usize));
                let posted: Vec<Lit> = parts.map(|part| self.posted(self.model.parts[*part as usize].at)).collect();
                let all = self.cnf.all(&posted);
                self.sets.insert((post.round, set), all);
                all
            }
            Flow::Before => {
                let known = self.prefixes[post.round as usize].len();
                for member in known..=post.member as usize {
                    let before = self.prefixes[post.round as usize].last().copied().unwrap_or(self.cnf.truth());
                    let own = round.parts.get(member.wrapping_sub(1)).map(|part| self.model.parts[*part as usize].at);
                    let own = own.map_or(self.cnf.truth(), |at| self.posted(at));
                    let both = self.cnf.all(&[before, own]);
                    self.prefixes[post.round as usize].push(both);
                }
                self.prefixes[post.round as usize][post.member as usize]
            }
        }
    }

    /// A step returns only if it may, and does if it must.
    fn completions(&mut self) {
        let model = self.model;
        for (lane, steps) in (0..).zip(&model.lanes) {
            for (number, step) in (0..).zip(steps) {
                if step.waits.is_empty() {
                    continue;
                }
                let at = At { lane, step: number };
                let returned = self.returned[lane as usize][number as usize];
                let mut must: Vec<Lit> = step.waits.iter().map(|awaited| self.completes(*awaited, Some(returned))).collect();
                must.push(self.posted(at));
                self.cnf.imply(&must, &[returned]);
                self.other_ways(at, returned);
            }
        }
    }

    /// Nobody is stuck who could go on another way than the recorded one.
    fn other_ways(&mut self, at: At, returned: Lit) {
        let step = self.model.step(at);
        let (is_stuck, posted) = (self.switches.is_stuck, self.posted(at));
        if step.is_poll {
            self.cnf.imply(&[is_stuck, posted], &[returned]);
        }
        for other in &step.or {
            let completes = self.completes(*other, None);
            self.cnf.imply(&[is_stuck, posted, completes], &[returned]);
        }
    }

    /// Says what must be true if a step that waits for this has returned; gives what is true if it has to be complete.
    fn completes(&mut self, awaited: Awaited, returned: Option<Lit>) -> Lit {
        match awaited {
            Awaited::Receive(receive) => {
                let full = self.full[receive as usize];
                if let Some(returned) = returned {
                    self.cnf.imply(&[returned], &[full]);
                }
                full
            }
            Awaited::Send(send) => self.send_completes(send, returned),
            Awaited::Part(part) => self.part_completes(part, returned),
        }
    }

    fn send_completes(&mut self, send: SendNo, returned: Option<Lit>) -> Lit {
        let (post, matched) = (&self.model.sends[send as usize], self.matched[send as usize]);
        if post.mode == Mode::Synchronous {
            if let Some(returned) = returned {
                self.cnf.imply(&[returned], &[matched]);
            }
            return matched;
        }
        let known = self.must_return[send as usize];
        let must = known.unwrap_or_else(|| self.cnf.fresh());
        self.must_return[send as usize] = Some(must);
        self.cnf.imply(&[matched], &[must]);
        self.cnf.imply(&[self.switches.sends_return], &[must]);
        let mut waits = vec![self.switches.sends_wait];
        for (limit, switch) in &self.switches.eager {
            if post.bytes > *limit {
                waits.push(*switch);
            } else {
                self.cnf.imply(&[*switch], &[must]);
            }
        }
        if let Some(returned) = returned {
            for switch in waits {
                self.cnf.imply(&[switch, returned], &[matched]);
            }
        }
        must
    }

    fn part_completes(&mut self, part: PartNo, returned: Option<Lit>) -> Lit {
        let all = self.gathered[self.model.parts[part as usize].round as usize];
        let data = self.has_data(part);
        if let Some(returned) = returned {
            self.cnf.imply(&[returned], &[data]);
            self.cnf.imply(&[self.switches.members_wait, returned], &[all]);
        }
        if data == all {
            return all;
        }
        let must = self.cnf.fresh();
        self.cnf.imply(&[all], &[must]);
        self.cnf.imply(&[self.switches.members_go, data], &[must]);
        must
    }

    /// Where a message and a receive wait for each other, one of them has found another.
    fn nothing_moves(&mut self, candidates: &Candidates) {
        for (number, receive) in (0..).zip(&self.model.receives) {
            let (posted, full) = (self.posted(receive.at), self.full[number as usize]);
            for &send in candidates.of(number) {
                let sent = self.posted(self.model.sends[send as usize].at);
                self.cnf.imply(&[sent, posted], &[self.matched[send as usize], full]);
            }
        }
    }

    fn questions(&mut self) {
        let truth = self.cnf.truth();
        let ends: Vec<Lit> = self.returned.iter().map(|steps| steps.last().copied().unwrap_or(truth)).collect();
        let is_missing: Vec<Lit> = ends.iter().map(|end| !*end).collect();
        let Switches { is_stuck, is_orphaned, .. } = self.switches;
        self.cnf.imply(&[is_stuck], &is_missing);
        for end in ends {
            self.cnf.imply(&[is_orphaned], &[end]);
        }
        let left: Vec<Lit> = self.matched.iter().map(|matched| !*matched).collect();
        self.cnf.imply(&[is_orphaned], &left);
    }

    /// The assumptions that stand for a library.
    pub(crate) fn assume(&self, library: Library) -> Vec<Lit> {
        let s = &self.switches;
        let turn = |switch: Lit, is_on: bool| if is_on { switch } else { !switch };
        let mut list = vec![
            turn(s.sends_wait, library.sends == Sends::Wait),
            turn(s.sends_return, library.sends == Sends::Return),
            turn(s.members_wait, library.members == Members::Wait),
            turn(s.members_go, library.members == Members::Go),
        ];
        list.extend(s.eager.iter().map(|(limit, switch)| turn(*switch, library.sends == Sends::Eager(*limit))));
        list
    }

    /// What of these assumptions a library adds to what any library does.
    pub(crate) fn guards(&self, library: Library) -> Vec<Lit> {
        self.assume(library).into_iter().filter(|lit| lit.sign()).collect()
    }
}

/// A receive gets at most as many messages as it has members. Gives whether it has got all.
fn fill(cnf: &mut Cnf, list: &[Lit], capacity: usize) -> Lit {
    if list.len() < capacity {
        return !cnf.truth();
    }
    if list.len() == capacity {
        return cnf.all(list);
    }
    if capacity == 1 {
        cnf.at_most_one(list);
        return cnf.any(list);
    }
    let counts = cnf.count(list, capacity);
    cnf.add(&[!counts[capacity]]);
    counts[capacity - 1]
}
