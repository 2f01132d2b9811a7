//! What is left when nothing moves any more: who waits for whom, and the messages, receives and requests that nobody completed.
//!
//! This only describes. Whether a lane that waits is stuck for ever is decided by who it waits for, in `checks`.

use super::chain::NONE;
use super::collectives::FINALIZE;
use super::operations::{Kind, Level};
use super::requests::Request;
use super::windows::Held;
use super::{Clock, Machine};
use crate::finding::Place;
use crate::program::{CollectiveId, ContextId, End, Flow, Op, Peer, ReceiveId, SendId, SyncId, SyncKind, Until};

/// The end of a run.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    /// By lane.
    pub(crate) fates: Vec<Fate>,
    /// The messages and receives that are certainly left: not those where a receive may have taken another message than it did here.
    pub(crate) sends: Vec<LeftSend>,
    pub(crate) receives: Vec<LeftReceive>,
    pub(crate) requests: Vec<LeftRequest>,
    pub(crate) collectives: Vec<LeftCollective>,
    /// The calls that lanes could not get through, those that wait first.
    pub(crate) stopped: Vec<Place>,
}

/// How a lane ended.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It made all its calls. What comes after them is in the [`End`].
    Through(End),
    /// It is in a call that cannot be followed, or would have gone another way than recorded: it may still do anything.
    Unknown,
    /// It waits.
    Waits(Wait),
}

/// What a lane waits for.
#[derive(Debug)]
pub(crate) struct Wait {
    /// The call that it is in.
    pub(crate) place: Place,
    /// Whether it needs all or one of what follows.
    pub(crate) until: Until,
    pub(crate) needs: Vec<Need>,
}

/// One thing that a lane waits for.
#[derive(Debug)]
pub(crate) struct Need {
    /// The call that posted it: that of the wait, or an earlier one that made the request.
    pub(crate) posted: Place,
    pub(crate) what: What,
    /// The ranks of MPI_COMM_WORLD that could bring it about.
    pub(crate) from: Awaited,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A receive for this send.
    Send(SendId),
    /// A message for this receive.
    Receive(ReceiveId),
    /// A message to be seen.
    Probe(ReceiveId),
    /// The other members of a collective.
    Collective(CollectiveId),
    /// All ranks, in MPI_Finalize.
    Finalize,
    /// What others have to do on a window.
    Sync(SyncId),
}

/// Whom something waits for.
#[derive(Debug)]
pub(crate) enum Awaited {
    /// This rank.
    One(u32),
    /// One of the members of a context.
    AnyOf(ContextId),
    /// All ranks that are missing in one of [`Remains::collectives`].
    Missing(usize),
    /// All of these.
    Each(Vec<u32>),
    /// Those who have asked for locks that exclude the caller's: one that gives it back may be enough, if the memory's owner helps.
    Locks {
        /// Whose memory.
        targets: Vec<u32>,
        /// The locks.
        held: Vec<Held>,
    },
}

/// A message that nobody received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftSend {
    pub(crate) place: Place,
    pub(crate) send: SendId,
}

/// A receive that got no message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftReceive {
    pub(crate) place: Place,
    pub(crate) receive: ReceiveId,
    /// Whether the program asked to cancel it.
    pub(crate) is_cancelled: bool,
}

/// A request that was not given back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftRequest {
    /// The call that made it.
    pub(crate) made: Place,
    pub(crate) state: RequestState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestState {
    /// Its operation was posted by this call and never completed by the program.
    Active(Place),
    /// Persistent, and started at least once.
    Inactive,
    /// Persistent, and never started.
    NeverStarted,
}

/// A collective that not all members came to.
#[derive(Debug)]
pub(crate) struct LeftCollective {
    pub(crate) context: ContextId,
    /// Whether it is MPI_Finalize.
    pub(crate) is_finalize: bool,
    /// Those that came.
    pub(crate) calls: Vec<(Place, CollectiveId)>,
    /// The ranks that did not.
    pub(crate) missing: Vec<u32>,
    /// Which collective of which gathering, from 0.
    pub(crate) number: (usize, u64),
}

impl<C: Clock> Machine<'_, C> {
    /// Describes the end.
    pub(crate) fn remains(&self) -> Remains {
        let mut remains = Remains { collectives: self.left_collectives(), ..Remains::default() };
        let is_certain = |channel: u32| !self.mail.is_doubtful(self.program.channels[channel as usize].mailbox);
        let letters = self.mail.letters().filter(|letter| is_certain(letter.channel));
        remains.sends = letters.map(|l| LeftSend { place: l.place, send: l.send }).collect();
        remains.receives = self
            .mail
            .waiting()
            .filter(|posted| matches!(self.operations[posted.operation].kind, Kind::Receive(_)))
            .filter(|posted| match self.program.receives[posted.receive as usize].from {
                Peer::Channel(channel) => is_certain(channel),
                Peer::Any(mailbox) => !self.mail.is_doubtful(mailbox),
                Peer::Nobody => true,
            })
            .map(|posted| {
                let operation = &self.operations[posted.operation];
                LeftReceive { place: operation.place, receive: posted.receive, is_cancelled: operation.is_cancelled }
            })
            .collect();
        remains.sends.sort_unstable_by_key(|left| left.place);
        remains.receives.sort_unstable_by_key(|left| left.place);
        remains.requests = self.left_requests();
        remains.stopped = self.stopped();
        remains.fates = (0..self.lanes.len()).map(|lane| self.fate(lane, &remains)).collect();
        remains
    }

    fn stopped(&self) -> Vec<Place> {
        let lanes = (0..).zip(&self.lanes).zip(&self.program.lanes);
        let stopped = lanes.filter(|((_, state), plan)| (state.at as usize) < plan.steps.len());
        let mut list: Vec<(bool, Place)> =
            stopped.map(|((lane, state), _)| (!state.is_blocked, Place { lane, event: state.at })).collect();
        list.sort_unstable();
        list.into_iter().map(|(_, place)| place).collect()
    }

    fn left_collectives(&self) -> Vec<LeftCollective> {
        let mut list = Vec::new();
        for (context, gathering) in self.gatherings.iter().enumerate() {
            for (number, round) in gathering.rounds() {
                let Some(first) = round.parts.iter().flatten().next() else { continue };
                let is_finalize = first.collective == FINALIZE;
                let home = if is_finalize { 0 } else { self.program.collectives[first.collective as usize].context };
                let members = &self.program.contexts[home as usize].members;
                let absent = round.parts.iter().zip(members).filter(|(part, _)| part.is_none());
                list.push(LeftCollective {
                    context: home,
                    is_finalize,
                    calls: round.parts.iter().flatten().map(|part| (part.place, part.collective)).collect(),
                    missing: absent.map(|(_, rank)| *rank).collect(),
                    number: (context, number),
                });
            }
        }
        list
    }

    fn left_requests(&self) -> Vec<LeftRequest> {
        let mut list = Vec::new();
        for process in &self.processes {
            let left = process.requests.iter().filter(|request| !request.is_null());
            list.extend(left.map(|request| LeftRequest { made: request.made, state: self.state_of(request) }));
            let never = process.unstarted.iter();
            list.extend(never.map(|made| LeftRequest { made: *made, state: RequestState::NeverStarted }));
        }
        list
    }

    fn state_of(&self, request: &Request) -> RequestState {
        match request.operations.iter().find(|o| **o != NONE) {
            Some(operation) => RequestState::Active(self.operations[*operation].place),
            None if request.starts == 0 => RequestState::NeverStarted,
            None => RequestState::Inactive,
        }
    }

    fn fate(&self, lane: usize, remains: &Remains) -> Fate {
        let state = &self.lanes[lane];
        let has_more = (state.at as usize) < self.program.lanes[lane].steps.len();
        // Another thread of its process would have to go first.
        if state.is_opaque || (has_more && !state.is_blocked) {
            return Fate::Unknown;
        }
        if !state.is_blocked {
            return Fate::Through(self.end(lane));
        }
        let place = Place { lane: u32::try_from(lane).unwrap_or(NONE), event: state.at };
        if !self.assume.facts && self.may_go_another_way(place) {
            return Fate::Unknown;
        }
        let (until, operations) = match self.op_at(place) {
            Op::Complete { requests, until, .. } => (until, self.operations_of(place, requests)),
            _ => (Until::All, state.own.to_vec()),
        };
        let pending = operations.into_iter().filter(|o| *o != NONE && self.operations[*o].level < state.demand);
        Fate::Waits(Wait { place, until, needs: pending.map(|o| self.need(o, remains)).collect() })
    }

    fn operations_of(&self, place: Place, requests: crate::program::Span) -> Vec<u32> {
        let process = &self.processes[self.program.lanes[place.lane as usize].rank as usize];
        let slots = requests.range().map(|at| self.program.completions[at].slot);
        slots.flat_map(|slot| process.request(slot).operations).collect()
    }

    /// Whether a lane that waits could have taken another path than the recorded one, so that its waiting proves nothing: a test that
    /// found something then finds nothing now, another request completes first, or a wildcard takes another message.
    fn may_go_another_way(&self, place: Place) -> bool {
        let lane = &self.program.lanes[place.lane as usize];
        let is_open = match self.op_at(place) {
            Op::Probe { poll, .. } => poll,
            Op::Complete { poll: true, .. } => true,
            Op::Sync { sync } => self.program.syncs[sync as usize].kind == SyncKind::Wait { poll: true },
            Op::Transfer { receive: Some(receive), .. } => self.program.receives[receive as usize].has_failed,
            Op::Complete { given, requests, .. } if given != requests => {
                let done = |o: &u32| *o != NONE && self.operations[*o].level >= Level::Early;
                self.operations_of(place, given).iter().any(done)
            }
            _ => false,
        };
        let mut mailboxes = self.program.mailboxes.iter().zip(0..).filter(|(mailbox, _)| mailbox.rank == lane.rank);
        is_open || mailboxes.any(|(_, number)| self.mail.is_doubtful(number) || self.mail.has_alternative(number, self.program))
    }

    fn need(&self, number: u32, remains: &Remains) -> Need {
        let operation = &self.operations[number];
        let (what, from) = match operation.kind {
            Kind::Send(send) => (What::Send(send), self.receiver(send).map_or(Awaited::Each(Vec::new()), Awaited::One)),
            Kind::Receive(receive) => (What::Receive(receive), self.sender(receive)),
            Kind::Probe(receive) => (What::Probe(receive), self.sender(receive)),
            Kind::Part(collective, number) => (What::Collective(collective), self.members(collective, number, remains)),
            Kind::Finalize(number) => (What::Finalize, missing(remains, 0, number)),
            Kind::Sync(sync) => (What::Sync(sync), self.awaited_on_window(number, sync)),
            Kind::Other => (What::Finalize, Awaited::Each(Vec::new())),
        };
        Need { posted: operation.place, what, from }
    }

    fn receiver(&self, send: SendId) -> Option<u32> {
        match self.program.sends[send as usize].to {
            Peer::Channel(channel) => {
                let mailbox = self.program.channels[channel as usize].mailbox;
                Some(self.program.mailboxes[mailbox as usize].rank)
            }
            Peer::Any(_) | Peer::Nobody => None,
        }
    }

    fn sender(&self, receive: ReceiveId) -> Awaited {
        match self.program.receives[receive as usize].from {
            Peer::Channel(channel) => Awaited::One(self.program.channels[channel as usize].source),
            Peer::Any(mailbox) => Awaited::AnyOf(self.program.mailboxes[mailbox as usize].context),
            Peer::Nobody => Awaited::Each(Vec::new()),
        }
    }

    /// The members that a part in a collective waits for.
    fn members(&self, collective: CollectiveId, number: u64, remains: &Remains) -> Awaited {
        let plan = &self.program.collectives[collective as usize];
        let members = &self.program.contexts[plan.context as usize].members;
        match plan.flow {
            Flow::Root(root) if !self.assume.full_collectives && !self.assume.facts => Awaited::One(members[root as usize]),
            Flow::Before if !self.assume.full_collectives && !self.assume.facts => {
                let left = remains.collectives.iter().find(|left| left.number == (plan.context as usize, number));
                let absent = |rank: &&u32| left.is_some_and(|left| left.missing.contains(rank));
                Awaited::Each(members[..plan.member as usize].iter().filter(absent).copied().collect())
            }
            _ => missing(remains, plan.context as usize, number),
        }
    }
}

/// Those that are missing in a round of a context.
fn missing(remains: &Remains, context: usize, number: u64) -> Awaited {
    let at = remains.collectives.iter().position(|left| left.number == (context, number));
    at.map_or(Awaited::Each(Vec::new()), Awaited::Missing)
}
