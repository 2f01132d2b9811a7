//! Gathering the members of collectives.
//!
//! The n-th collective call of one member meets the n-th of each other one, whatever functions they are (section 6.14 of the standard). A
//! member may go when those are there whose data it needs; the collective is over when all are.

use std::collections::VecDeque;

use super::operations::{Kind, Level};
use super::{Clock, Machine, Record};
use crate::finding::Place;
use crate::program::{CollectiveId, ContextId, Flow};

/// The members of a context on their way through its collectives.
#[derive(Debug)]
pub(crate) struct Gathering<M> {
    /// Which collective each member comes to next.
    next: Vec<u64>,
    /// Collectives that are over.
    over: u64,
    /// Those that some members have come to, the oldest first.
    open: VecDeque<Round<M>>,
    /// Rounds to be used again.
    spare: Vec<Round<M>>,
}

/// One collective operation.
#[derive(Debug, Default)]
pub(crate) struct Round<M> {
    /// The call and the operation of each member; None of one that has not come.
    pub(super) parts: Vec<Option<Part<M>>>,
    arrived: usize,
    /// So many members have come without a gap from the first on.
    prefix: usize,
    /// The moment when the last of them came, so far.
    latest: M,
    /// A member that others wait for, as for the root of a broadcast.
    awaited: Option<u32>,
    /// Whether members wait for all that are before them.
    has_prefix_waiters: bool,
    /// Whether members wait for some others.
    has_set_waiters: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<M> {
    pub(super) place: Place,
    pub(super) collective: CollectiveId,
    operation: u32,
    came: M,
}

/// In place of a collective's number: MPI_Finalize.
pub(super) const FINALIZE: CollectiveId = CollectiveId::MAX;

impl<M: Default + Copy + Ord> Gathering<M> {
    pub(crate) fn new(members: usize) -> Gathering<M> {
        Gathering { next: vec![0; members], over: 0, open: VecDeque::new(), spare: Vec::new() }
    }

    /// The open rounds with their numbers.
    pub(super) fn rounds(&self) -> impl Iterator<Item = (u64, &Round<M>)> {
        (self.over..).zip(&self.open)
    }

    /// The number of the next round of a member.
    pub(super) fn number_of(&self, member: u32) -> u64 {
        self.next[member as usize]
    }

    /// Notes that a member has come to its next round, and gives where that is in `open`.
    fn arrive(&mut self, member: u32, part: Part<M>) -> usize {
        let number = self.next[member as usize];
        self.next[member as usize] += 1;
        let at = usize::try_from(number - self.over).unwrap_or(0);
        while self.open.len() <= at {
            // The array of parts is used again.
            let mut parts = self.spare.pop().unwrap_or_default().parts;
            parts.clear();
            parts.resize(self.next.len(), None);
            let round = Round { parts, ..Round::default() };
            self.open.push_back(round);
        }
        let round = &mut self.open[at];
        round.latest = round.latest.max(part.came);
        round.parts[member as usize] = Some(part);
        round.arrived += 1;
        while round.parts.get(round.prefix).is_some_and(Option::is_some) {
            round.prefix += 1;
        }
        at
    }
}

impl<M: Copy + Ord + Default> Round<M> {
    /// Whether a member has what it needs, and since when.
    fn is_enough(&self, member: u32, flow: Flow, sets: &[Vec<u32>]) -> Option<M> {
        let own = self.parts[member as usize].map(|p| p.came).unwrap_or_default();
        match flow {
            Flow::Nobody => Some(own),
            Flow::All => (self.arrived == self.parts.len()).then_some(self.latest),
            Flow::Root(root) => self.parts.get(root as usize).copied().flatten().map(|root| own.max(root.came)),
            Flow::Each(set) => {
                let mut parts = sets[set as usize].iter().map(|other| self.parts[*other as usize]);
                parts.try_fold(own, |latest, part| part.map(|part| latest.max(part.came)))
            }
            Flow::Before => (self.prefix >= member as usize)
                .then(|| self.parts[..member as usize].iter().flatten().map(|p| p.came).fold(own, M::max)),
        }
    }
}

impl<C: Clock> Machine<'_, C> {
    /// A member comes to its next collective in a context.
    pub(super) fn gather(&mut self, context: ContextId, member: u32, collective: CollectiveId, operation: u32, place: Place) {
        let came = self.clock.post(place);
        let part = Part { place, collective, operation, came };
        let at = self.gatherings[context as usize].arrive(member, part);
        let round = &self.gatherings[context as usize].open[at];
        if round.arrived == round.parts.len() {
            self.finish_round(context);
            return;
        }
        if self.assume.full_collectives {
            return;
        }
        let is_before_others = round.has_prefix_waiters && round.prefix > member as usize;
        let is_awaited = round.awaited == Some(member) || round.has_set_waiters || is_before_others;
        self.let_go(context, at, member);
        if is_awaited {
            for other in 0..self.gatherings[context as usize].next.len() {
                self.let_go(context, at, u32::try_from(other).unwrap_or(u32::MAX));
            }
        }
    }

    fn flow(&self, collective: CollectiveId) -> Flow {
        if collective == FINALIZE { Flow::Nobody } else { self.program.collectives[collective as usize].flow }
    }

    fn bytes(&self, collective: CollectiveId) -> u64 {
        if collective == FINALIZE { 0 } else { self.program.collectives[collective as usize].bytes }
    }

    /// A member may go on if it has what it needs.
    fn let_go(&mut self, context: ContextId, at: usize, member: u32) {
        let round = &self.gatherings[context as usize].open[at];
        let Some(part) = round.parts[member as usize].filter(|part| !self.is_held(part.place)) else { return };
        let flow = self.flow(part.collective);
        if let Some(latest) = round.is_enough(member, flow, &self.program.sets) {
            let members = round.parts.len();
            let when = self.clock.gather(part.came, latest, members, self.bytes(part.collective));
            self.raise(part.operation, Level::Early, when);
            return;
        }
        let round = &mut self.gatherings[context as usize].open[at];
        match flow {
            Flow::Root(root) => round.awaited = Some(root),
            Flow::Each(_) => round.has_set_waiters = true,
            Flow::Before => round.has_prefix_waiters = true,
            Flow::All | Flow::Nobody => {}
        }
    }

    /// All have come to the oldest open round.
    fn finish_round(&mut self, context: ContextId) {
        let gathering = &mut self.gatherings[context as usize];
        let Some(round) = gathering.open.pop_front() else { return };
        let number = gathering.over;
        gathering.over += 1;
        for part in round.parts.iter().flatten() {
            let when = self.clock.gather(part.came, round.latest, round.parts.len(), self.bytes(part.collective));
            self.raise(part.operation, Level::Done, when);
        }
        if self.log.record() != Record::Misfits && round.parts.iter().flatten().all(|part| part.collective != FINALIZE) {
            let first = round.parts.iter().flatten().next().map_or(0, |part| part.collective);
            let home = self.program.collectives[first as usize].context;
            let comm = self.program.contexts[home as usize].comm;
            self.log.gathered(comm, (home, number), round.parts.iter().flatten().map(|p| (p.place, p.collective)));
        }
        self.gatherings[context as usize].spare.push(round);
    }

    /// A context of its own for the operations of a persistent collective request.
    pub(super) fn context_of_request(&mut self, context: ContextId, number: u64) -> ContextId {
        let members = self.gatherings[context as usize].next.len();
        let next = u32::try_from(self.gatherings.len()).expect("fewer than 2^32 persistent requests");
        let made = *self.persistent.entry((context, number)).or_insert(next);
        if made == next {
            self.gatherings.push(Gathering::new(members));
        }
        made
    }

    /// An operation of MPI_Finalize.
    pub(super) fn finalize(&mut self, place: Place) -> u32 {
        let rank = self.program.lanes[place.lane as usize].rank;
        let home = self.program.home_of(rank);
        let member = self.program.contexts[home as usize].members.binary_search(&rank);
        let Some(member) = member.ok().and_then(|m| u32::try_from(m).ok()) else { return super::chain::NONE };
        let number = self.gatherings[home as usize].number_of(member);
        let operation = self.operation(Kind::Finalize(home, number), Level::Pending, place);
        self.gather(home, member, FINALIZE, operation, place);
        operation
    }
}
