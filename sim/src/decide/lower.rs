//! Makes the decision problem of a program: requests are followed, calls become steps, what cannot be stated exactly is refused.
//!
//! A refusal is no failure: it says which feature of the program makes the answer unknown. What is only decided for the outcome
//! that the run had, such as that of MPI_Waitany, is noted.

use rustc_hash::{FxHashMap, FxHashSet};

use super::model::{At, Awaited, Member, Model, PartPost, ReceivePost, Round, SendPost, Step};
use crate::finding::Place;
use crate::program::{
    CollectiveId, Completion, ContextId, Mode, Op, Peer, Program, ReceiveId, SendId, Slot, Span, SyncKind, Then,
};

/// Something that is not decided, and the first call that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) what: &'static str,
    pub(crate) place: Place,
}

/// The model of a program, or what cannot be modelled.
#[derive(Default)]
pub(crate) struct Lowered {
    pub(crate) model: Model,
    /// What is decided only for the outcomes that the run had.
    pub(crate) assumed: Vec<Open>,
    /// What makes the model wrong; empty if it is right.
    pub(crate) refused: Vec<Open>,
}

/// What a request stands for.
#[derive(Clone, Debug, Default)]
struct Request {
    active: Vec<Awaited>,
    template: Option<(Option<SendId>, Option<ReceiveId>)>,
}

struct Lowering<'p> {
    program: &'p Program,
    /// The wildcards, by lane and number, that must take what they took.
    answered: &'p FxHashSet<(u32, u32)>,
    model: Model,
    assumed: Vec<Open>,
    refused: Vec<Open>,
    rounds: FxHashMap<(ContextId, u32), u32>,
    /// The lane in work.
    lane: u32,
    requests: FxHashMap<Slot, Request>,
    wildcards: u32,
    collectives: FxHashMap<ContextId, u32>,
    /// The step in work.
    step: Step,
}

/// Makes the model of a program whose lanes all came to their end. Receives that are `answered` keep their match.
pub(crate) fn lower(program: &Program, answered: &FxHashSet<(u32, u32)>) -> Lowered {
    let mut work = Lowering {
        program,
        answered,
        model: Model::default(),
        assumed: Vec::new(),
        refused: Vec::new(),
        rounds: FxHashMap::default(),
        lane: 0,
        requests: FxHashMap::default(),
        wildcards: 0,
        collectives: FxHashMap::default(),
        step: Step::default(),
    };
    for lane in 0..u32::try_from(program.lanes.len()).unwrap_or(0) {
        work.lower_lane(lane);
    }
    work.check_rounds();
    work.index();
    Lowered { model: work.model, assumed: work.assumed, refused: work.refused }
}

impl Lowering<'_> {
    fn lower_lane(&mut self, lane: u32) {
        self.lane = lane;
        self.requests.clear();
        self.collectives.clear();
        self.wildcards = 0;
        self.model.lanes.push(Vec::new());
        let steps = &self.program.lanes[lane as usize].steps;
        for (event, op) in (0..).zip(steps) {
            let place = Place { lane, event };
            self.lower_call(place, self.program.ops[*op as usize]);
        }
        let Step { sends, receives, parts, .. } = &self.step;
        if !(sends.is_empty() && receives.is_empty() && parts.is_empty()) {
            self.end_step(Place { lane, event: u32::try_from(steps.len().saturating_sub(1)).unwrap_or(0) }, Vec::new());
        }
    }

    fn lower_call(&mut self, place: Place, op: Op) {
        match op {
            Op::Local | Op::Finalize | Op::Abort | Op::Request { .. } => {}
            Op::Opaque => self.refuse("a call that never returned", place),
            Op::Sync { sync } => match self.program.syncs[sync as usize].kind {
                // A lock may come as late as it is given back: nobody has to wait for one.
                SyncKind::Lock { .. } | SyncKind::Unlock | SyncKind::Access => {}
                _ => self.refuse("a call of MPI_Win_post, MPI_Win_start, MPI_Win_complete or MPI_Win_wait", place),
            },
            Op::GiveUp { .. } => self.refuse("a completion call that failed", place),
            Op::GiveUpAll => self.refuse("a call of more requests than a trace keeps", place),
            Op::Probe { .. } | Op::Deliver { .. } => self.refuse("a probe", place),
            Op::Cancel { .. } => self.refuse("a call of MPI_Cancel", place),
            Op::Transfer { send, receive, then } => self.transfer(place, send, receive, then),
            Op::Collective { then: Then::Persistent(_), .. } => self.refuse("a persistent collective", place),
            Op::Collective { collective, .. } if !self.is_followed(collective) => {
                self.refuse("a collective of neighbours, or between two groups", place);
            }
            Op::Collective { collective, then } => {
                let part = self.post_part(collective, place);
                self.complete_by(place, part.into_iter().collect(), then);
            }
            Op::Start { has_failed: true, .. } => self.refuse("a start of a request that failed", place),
            Op::Start { requests, .. } => {
                for slot in self.slots(requests) {
                    let Some((send, receive)) = self.requests.get(&slot).and_then(|r| r.template) else { continue };
                    let active = self.post(place, send, receive);
                    self.requests.entry(slot).or_default().active = active;
                }
            }
            Op::Complete { requests, given, keep, poll, .. } => self.complete(place, requests, given, keep, poll),
            Op::Free { slot } => {
                self.requests.remove(&slot);
            }
        }
    }

    /// Whether it is known who waits for whom.
    fn is_followed(&self, collective: CollectiveId) -> bool {
        let plan = &self.program.collectives[collective as usize];
        let name = plan.function.name().to_ascii_lowercase();
        !self.program.contexts[plan.context as usize].is_inter && !name.contains("neighbor")
    }

    fn refuse(&mut self, what: &'static str, place: Place) {
        if !self.refused.iter().any(|open| open.what == what) {
            self.refused.push(Open { what, place });
        }
    }

    fn assume(&mut self, what: &'static str, place: Place) {
        if !self.assumed.iter().any(|open| open.what == what) {
            self.assumed.push(Open { what, place });
        }
    }

    fn transfer(&mut self, place: Place, send: Option<SendId>, receive: Option<ReceiveId>, then: Then) {
        if let Then::Persistent(slot) = then {
            self.requests.insert(slot, Request { active: Vec::new(), template: Some((send, receive)) });
            return;
        }
        let posted = self.post(place, send, receive);
        self.complete_by(place, posted, then);
    }

    fn post(&mut self, place: Place, send: Option<SendId>, receive: Option<ReceiveId>) -> Vec<Awaited> {
        let sent = send.and_then(|send| self.post_send(send, place));
        let received = receive.and_then(|receive| self.post_receive(receive, place));
        sent.into_iter().chain(received).collect()
    }

    fn complete_by(&mut self, place: Place, posted: Vec<Awaited>, then: Then) {
        match then {
            Then::Return => {
                if !posted.is_empty() {
                    self.end_step(place, posted);
                }
            }
            Then::Request(slot) | Then::Persistent(slot) => {
                self.requests.insert(slot, Request { active: posted, template: None });
            }
        }
    }

    fn slots(&self, requests: Span) -> Vec<Slot> {
        self.program.completions[requests.range()].iter().map(|c: &Completion| c.slot).collect()
    }

    fn complete(&mut self, place: Place, requests: Span, given: Span, keep: bool, poll: bool) {
        let slots = self.slots(requests);
        let mut waits = Vec::new();
        for slot in &slots {
            let Some(request) = self.requests.get_mut(slot) else { continue };
            waits.extend(request.active.iter().copied());
            if keep {
                continue;
            }
            request.active.clear();
            if request.template.is_none() {
                self.requests.remove(slot);
            }
        }
        let others = if given == requests { Vec::new() } else { self.slots(given) };
        let or = others.iter().filter(|slot| !slots.contains(slot)).filter_map(|slot| self.requests.get(slot));
        self.step.or = or.flat_map(|request| request.active.iter().copied()).collect();
        if !self.step.or.is_empty() {
            self.assume("which requests MPI_Waitany, MPI_Waitsome or a test of several completed", place);
        }
        if poll {
            self.assume("what a test of a request found", place);
        }
        if waits.is_empty() {
            self.step.or.clear();
            return;
        }
        self.step.is_poll = poll;
        self.end_step(place, waits);
    }

    /// The place of what is posted now.
    fn here(&self) -> At {
        At { lane: self.lane, step: u32::try_from(self.model.lanes[self.lane as usize].len()).unwrap_or(u32::MAX) }
    }

    fn post_send(&mut self, send: SendId, place: Place) -> Option<Awaited> {
        let plan = self.program.sends[send as usize];
        let Peer::Channel(channel) = plan.to else { return None };
        let mailbox = self.program.channels[channel as usize].mailbox;
        let number = next(&self.model.sends);
        let bytes = plan.content.bytes.unwrap_or(0);
        let post = SendPost { at: self.here(), done: None, channel, mailbox, tag: plan.tag, bytes, mode: plan.mode, send, place };
        self.model.sends.push(post);
        self.step.sends.push(number);
        // Nobody ever waits for a message that is copied.
        (plan.mode != Mode::Buffered).then_some(Awaited::Send(number))
    }

    fn post_receive(&mut self, receive: ReceiveId, place: Place) -> Option<Awaited> {
        let plan = self.program.receives[receive as usize];
        let (mailbox, channel) = match plan.from {
            Peer::Nobody => return None,
            Peer::Any(mailbox) => (mailbox, None),
            Peer::Channel(channel) => (self.program.channels[channel as usize].mailbox, Some(channel)),
        };
        let wildcard = channel.is_none().then_some(self.wildcards);
        self.wildcards += u32::from(channel.is_none());
        let is_answered = wildcard.is_some_and(|number| self.answered.contains(&(self.lane, number)));
        let pins = &self.program.lanes[self.lane as usize].pins;
        let pin = wildcard.filter(|_| is_answered).and_then(|number| pins.get(number as usize).copied().flatten());
        if is_answered {
            self.assume("from whom it receives, since it answers the sender", place);
        }
        let number = next(&self.model.receives);
        let members = vec![Member { place, receive, wildcard }];
        let post = ReceivePost { at: self.here(), done: None, mailbox, channel, tag: plan.tag, pin, members };
        self.model.receives.push(post);
        self.step.receives.push(number);
        Some(Awaited::Receive(number))
    }

    fn post_part(&mut self, collective: CollectiveId, place: Place) -> Option<Awaited> {
        let plan = self.program.collectives[collective as usize];
        let count = self.collectives.entry(plan.context).or_insert(0);
        let key = (plan.context, *count);
        *count += 1;
        let round = *self.rounds.entry(key).or_insert_with(|| {
            self.model.rounds.push(Round::default());
            next(&self.model.rounds) - 1
        });
        let number = next(&self.model.parts);
        let (member, flow) = (plan.member, plan.flow);
        self.model.parts.push(PartPost { at: self.here(), done: None, round, member, flow, collective, place });
        self.model.rounds[round as usize].parts.push(number);
        self.step.parts.push(number);
        Some(Awaited::Part(number))
    }

    /// The step in work waits for these, and is over.
    fn end_step(&mut self, place: Place, waits: Vec<Awaited>) {
        let mut step = std::mem::take(&mut self.step);
        (step.event, step.waits) = (place.event, waits);
        if self.continues_run(&step) {
            return;
        }
        let number = self.here().step;
        for awaited in &step.waits {
            let done = match awaited {
                Awaited::Send(n) => &mut self.model.sends[*n as usize].done,
                Awaited::Receive(n) => &mut self.model.receives[*n as usize].done,
                Awaited::Part(n) => &mut self.model.parts[*n as usize].done,
            };
            // A request may be looked at before it is completed: the first to see it done counts.
            done.get_or_insert(number);
        }
        self.model.lanes[self.lane as usize].push(step);
    }

    /// Puts a receive to the one before it, if they are alike and nothing lies between. Gives whether it did.
    fn continues_run(&mut self, step: &Step) -> bool {
        let Some(last) = self.model.lanes[self.lane as usize].last_mut() else { return false };
        let (Some(first), Some(own)) = (only_receive(last), only_receive(step)) else { return false };
        let (one, two) = (&self.model.receives[first as usize], &self.model.receives[own as usize]);
        let room = |post: &ReceivePost| self.program.receives[post.members[0].receive as usize].content;
        let is_pinned = one.pin.is_some() || two.pin.is_some();
        // Those that differ in their room take the same messages, but it matters which takes which.
        if is_pinned || !one.is_like(two) || room(one) != room(two) || own + 1 != next(&self.model.receives) {
            return false;
        }
        let Some(post) = self.model.receives.pop() else { return false };
        self.model.receives[first as usize].members.extend(post.members);
        last.event = step.event;
        true
    }

    /// Collectives must be the same on all members, or nothing is known.
    fn check_rounds(&mut self) {
        let program = self.program;
        let mut first_bad = None;
        for round in &mut self.model.rounds {
            round.parts.sort_unstable_by_key(|part| self.model.parts[*part as usize].member);
            let plan = |part: u32| program.collectives[self.model.parts[part as usize].collective as usize];
            let first = plan(round.parts[0]);
            let is_whole = round.parts.len() == program.contexts[first.context as usize].members.len();
            if !is_whole || round.parts.iter().any(|part| plan(*part).function != first.function) {
                first_bad = first_bad.or(Some(self.model.parts[round.parts[0] as usize].place));
            }
        }
        if let Some(place) = first_bad {
            self.refuse("collectives that differ between ranks", place);
        }
    }

    fn index(&mut self) {
        let model = &mut self.model;
        model.arrivals = vec![Vec::new(); self.program.mailboxes.len()];
        model.postings = vec![Vec::new(); self.program.mailboxes.len()];
        for (number, send) in (0..).zip(&model.sends) {
            model.arrivals[send.mailbox as usize].push(number);
        }
        for list in &mut model.arrivals {
            list.sort_unstable_by_key(|send| (model.sends[*send as usize].channel, *send));
        }
        for (number, receive) in (0..).zip(&model.receives) {
            model.postings[receive.mailbox as usize].push(number);
        }
    }
}

/// The receive of a step that posts it, waits for it, and does nothing else.
fn only_receive(step: &Step) -> Option<u32> {
    match (&step.receives[..], &step.waits[..]) {
        ([own], [Awaited::Receive(awaited)])
            if own == awaited && step.sends.is_empty() && step.parts.is_empty() && step.or.is_empty() && !step.is_poll =>
        {
            Some(*own)
        }
        _ => None,
    }
}

fn next<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).expect("fewer than 2^32 operations")
}
