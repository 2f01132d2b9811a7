//! What each call does to the machine: when it is entered, and when it returns.

use super::chain::NONE;
use super::log::Mismark;
use super::mail::Intent;
use super::operations::{Kind, Level, Operation};
use super::requests::{NULL, Request};
use super::{Clock, Machine};
use crate::finding::Place;
use crate::program::{CollectiveId, Mode, Op, OpId, Peer, ReceiveId, SendId, Slot, Span, Then, Until};

impl<C: Clock> Machine<'_, C> {
    /// A lane makes a call. Gives whether it returns at once.
    pub(super) fn enter(&mut self, place: Place, step: OpId) -> bool {
        match self.program.ops[step as usize] {
            Op::Local | Op::Abort => true,
            Op::Opaque => {
                self.lanes[place.lane as usize].is_opaque = true;
                false
            }
            Op::Transfer { then: Then::Return, send, receive } => {
                let own = [self.post_send(send, place, false, true), self.post_receive(receive, Intent::Receive, place, false)];
                self.wait_for_own(place, own)
            }
            Op::Collective { collective, then: Then::Return } => {
                let operation = self.post_part(collective, None, place);
                self.wait_for_own(place, [operation, NONE])
            }
            Op::Finalize => {
                let operation = self.finalize(place);
                self.wait_for_own(place, [operation, NONE])
            }
            Op::Probe { receive, take, .. } => {
                let intent = take.map_or(Intent::Look, Intent::Take);
                let operation = self.post_receive(Some(receive), intent, place, false);
                self.wait_for_own(place, [operation, NONE])
            }
            Op::Deliver { message, receive, then } => {
                let operation = self.operation(Kind::Receive(receive), Level::Pending, place);
                self.receive_taken(message, receive, operation, place);
                match then {
                    Then::Request(slot) | Then::Persistent(slot) => {
                        self.make_request(slot, [operation, NONE], place);
                        true
                    }
                    Then::Return => self.wait_for_own(place, [operation, NONE]),
                }
            }
            Op::Complete { requests, until, .. } => self.wait_for_requests(place, requests, until),
            Op::Sync { sync } => self.synchronise(place, sync),
            _ => {
                self.enter_request(place, step);
                true
            }
        }
    }

    /// A lane makes a call on requests, which never waits.
    fn enter_request(&mut self, place: Place, step: OpId) {
        match self.program.ops[step as usize] {
            Op::Transfer { then: Then::Request(slot), send, receive } => {
                let cancelled = self.is_cancelled_post(place.lane);
                let send = self.post_send(send, place, cancelled, false);
                let receive = self.post_receive(receive, Intent::Receive, place, cancelled);
                self.make_request(slot, [send, receive], place);
            }
            Op::Collective { collective, then: Then::Request(slot) } => {
                let operation = self.post_part(collective, None, place);
                self.make_request(slot, [operation, NONE], place);
            }
            Op::Transfer { then: Then::Persistent(slot), .. } => self.make_persistent(slot, step, NONE, place),
            Op::Collective { collective, then: Then::Persistent(slot) } => {
                let plan = &self.program.collectives[collective as usize];
                let number = self.gatherings[plan.context as usize].number_of(plan.member);
                let context = self.context_of_request(plan.context, number);
                let operation = self.post_part(collective, None, place);
                self.release(operation, place);
                self.make_persistent(slot, step, context, place);
            }
            Op::Request { slot } => {
                let operation = self.operation(Kind::Other, Level::Done, place);
                self.make_request(slot, [operation, NONE], place);
            }
            Op::Start { requests, has_failed } => {
                for at in requests.range() {
                    let slot = self.program.completions[at].slot;
                    self.note_restart(slot, place);
                    if !has_failed {
                        self.start(slot, place);
                    }
                }
            }
            Op::Cancel { slot } => {
                for operation in self.process(place).request(slot).operations {
                    if operation != NONE {
                        self.operations[operation].is_cancelled = true;
                        // To wait for a send that is to be cancelled is a local matter, whatever becomes of its message.
                        if matches!(self.operations[operation].kind, Kind::Send(_)) {
                            let now = self.clock.post(place);
                            self.raise(operation, Level::Early, now);
                        }
                    }
                }
            }
            Op::Free { slot } => self.free(slot, place),
            Op::Ready { slot, partitions } => self.mark_ready(slot, partitions, place),
            Op::GiveUp { requests } => {
                for at in requests.range() {
                    self.give_up(self.program.completions[at].slot, place);
                }
            }
            Op::GiveUpAll => {
                let slots = u32::try_from(self.process(place).requests.len()).unwrap_or(u32::MAX);
                (0..slots).for_each(|slot| self.give_up(slot, place));
            }
            _ => {}
        }
    }

    /// The call that a lane was in returns.
    pub(super) fn leave(&mut self, lane: u32, step: OpId) {
        let place = Place { lane, event: self.lanes[lane as usize].at };
        match self.program.ops[step as usize] {
            Op::Complete { requests, .. } => self.complete_requests(place, requests),
            _ => self.release_own(place),
        }
        self.clock.end(place);
        self.lanes[lane as usize].at += 1;
    }

    /// The call of a lane waits for its own operations. Gives whether it returns at once.
    pub(super) fn wait_for_own(&mut self, place: Place, own: [u32; 2]) -> bool {
        let demand = self.demand(place);
        let state = &mut self.lanes[place.lane as usize];
        state.demand = demand;
        state.needed = 0;
        state.own = own;
        let mut must_wait = false;
        for operation in own {
            must_wait |= self.await_operation(place.lane, operation);
        }
        if !must_wait {
            self.release_own(place);
        }
        !must_wait
    }

    fn release_own(&mut self, place: Place) {
        let own = std::mem::replace(&mut self.lanes[place.lane as usize].own, [NONE; 2]);
        for operation in own {
            self.release(operation, place);
        }
    }

    /// A completion call. Gives whether it returns at once.
    fn wait_for_requests(&mut self, place: Place, requests: Span, until: Until) -> bool {
        let demand = self.demand(place);
        let state = &mut self.lanes[place.lane as usize];
        state.demand = demand;
        state.needed = 0;
        let (mut active, mut waiting) = (0, 0);
        for at in requests.range() {
            let completion = self.program.completions[at];
            for operation in self.process(place).request(completion.slot).operations {
                if operation != NONE {
                    if completion.cancelled {
                        self.cancel(operation);
                    }
                    active += 1;
                    waiting += u32::from(self.await_operation(place.lane, operation));
                }
            }
        }
        let must_wait = match until {
            Until::All => waiting > 0,
            Until::Any => active > 0 && waiting == active,
        };
        if until == Until::Any && must_wait {
            self.lanes[place.lane as usize].needed = 1;
        }
        if !must_wait {
            self.complete_requests(place, requests);
        }
        !must_wait
    }

    /// A completion call returns.
    fn complete_requests(&mut self, place: Place, requests: Span) {
        // The one that completes is not known of a call that never returned: nothing comes after it.
        let keeps = matches!(self.op_at(place), Op::Complete { until: Until::Any, .. } | Op::Complete { keep: true, .. });
        for at in requests.range() {
            let slot = self.program.completions[at].slot;
            let operations = self.process(place).request(slot).operations;
            if keeps {
                self.forget_waiter(operations);
                continue;
            }
            for operation in operations {
                self.release(operation, place);
            }
            if let Some(request) = self.process(place).request_mut(slot) {
                *request = if request.template.is_some() { Request { operations: [NONE; 2], ..*request } } else { NULL };
            }
        }
    }

    fn forget_waiter(&mut self, operations: [u32; 2]) {
        for operation in operations.into_iter().filter(|o| *o != NONE) {
            self.operations[operation].waiter = NONE;
        }
    }

    /// A send; [`NONE`] if there is none.
    fn post_send(&mut self, send: Option<SendId>, place: Place, is_cancelled: bool, is_blocking: bool) -> u32 {
        let Some(send) = send else { return NONE };
        let plan = &self.program.sends[send as usize];
        let Peer::Channel(channel) = plan.to else {
            return self.operation(Kind::Other, Level::Done, place);
        };
        if is_cancelled {
            return self.operation(Kind::Other, Level::Done, place);
        }
        if plan.partitions > 0 {
            let operation = self.operation(Kind::Send(send), Level::Pending, place);
            self.operations[operation].is_unready = true;
            return operation;
        }
        let bytes = plan.content.bytes.unwrap_or(0);
        let level = match plan.mode {
            Mode::Standard if self.is_eager(bytes) && !self.is_held(place) => Level::Early,
            Mode::Standard | Mode::Synchronous => Level::Pending,
            Mode::Buffered => Level::Done,
        };
        // Wherever the message is, the call is over: there is nothing to keep track of.
        if level == Level::Done || (level == Level::Early && is_blocking && self.demand(place) == Level::Early) {
            self.send(channel, send, NONE, place);
            return if is_blocking { NONE } else { self.operation(Kind::Send(send), Level::Done, place) };
        }
        let operation = self.operation(Kind::Send(send), level, place);
        self.send(channel, send, operation, place);
        operation
    }

    /// A receive or a probe; [`NONE`] if there is none.
    fn post_receive(&mut self, receive: Option<ReceiveId>, intent: Intent, place: Place, is_cancelled: bool) -> u32 {
        let Some(receive) = receive else { return NONE };
        let from = self.program.receives[receive as usize].from;
        let pin = if matches!(from, Peer::Any(_)) { self.next_pin(place.lane, receive) } else { None };
        if is_cancelled || from == Peer::Nobody {
            return self.operation(Kind::Other, Level::Done, place);
        }
        let kind = if intent == Intent::Receive { Kind::Receive(receive) } else { Kind::Probe(receive) };
        let operation = self.operation(kind, Level::Pending, place);
        self.post(receive, operation, intent, pin, place);
        operation
    }

    /// Whether the next operation of a lane by request ended by being cancelled.
    fn is_cancelled_post(&mut self, lane: u32) -> bool {
        let state = &mut self.lanes[lane as usize];
        let list = &self.program.lanes[lane as usize].cancelled;
        let number = state.posts;
        state.posts += 1;
        let is_cancelled = list.get(state.cancelled) == Some(&number);
        state.cancelled += usize::from(is_cancelled);
        is_cancelled
    }

    /// A part in a collective: of its own context, or of that of a persistent request.
    fn post_part(&mut self, collective: CollectiveId, request_context: Option<u32>, place: Place) -> u32 {
        let plan = self.program.collectives[collective as usize];
        let context = request_context.unwrap_or(plan.context);
        let number = self.gatherings[context as usize].number_of(plan.member);
        let operation = self.operation(Kind::Part(collective, context, number), Level::Pending, place);
        self.gather(context, plan.member, collective, operation, place);
        operation
    }

    fn make_request(&mut self, slot: Slot, operations: [u32; 2], place: Place) {
        match self.process(place).request_mut(slot) {
            Some(request) => *request = Request { operations, made: place, ..NULL },
            // Nobody can complete it.
            None => {
                for operation in operations {
                    self.release(operation, place);
                }
            }
        }
    }

    fn make_persistent(&mut self, slot: Slot, template: OpId, context: u32, place: Place) {
        if let Some(request) = self.process(place).request_mut(slot) {
            *request = Request { template: Some(template), made: place, context, ..NULL };
        }
    }

    /// Takes note of a request that is started while it is active.
    fn note_restart(&mut self, slot: Slot, place: Place) {
        let request = self.process(place).request(slot);
        // Some libraries take a transfer with MPI_PROC_NULL for complete without being asked.
        let is_active = |o: &u32| *o != NONE && request.template.is_some() && !matches!(self.operations[*o].kind, Kind::Other);
        if let Some(active) = request.operations.into_iter().find(is_active) {
            self.log.restarted.push((place, self.operations[active].place));
        }
    }

    /// Starts a persistent request.
    fn start(&mut self, slot: Slot, place: Place) {
        let request = self.process(place).request(slot);
        let cancelled = self.is_cancelled_post(place.lane);
        let operations = match request.template.map(|op| self.program.ops[op as usize]) {
            Some(Op::Transfer { send, receive, .. }) => {
                let partitions = send.map_or(0, |send| self.program.sends[send as usize].partitions);
                if partitions > 0 {
                    self.process(place).unready.insert(slot, vec![true; partitions as usize]);
                }
                let send = self.post_send(send, place, cancelled, false);
                [send, self.post_receive(receive, Intent::Receive, place, cancelled)]
            }
            Some(Op::Collective { collective, .. }) => [self.post_part(collective, Some(request.context), place), NONE],
            _ => return,
        };
        if let Some(request) = self.process(place).request_mut(slot) {
            request.operations = operations;
            request.starts += 1;
        }
    }

    /// Parts of a send are ready. When all are, it is a message like any other.
    fn mark_ready(&mut self, slot: Slot, partitions: Span, place: Place) {
        let program = self.program;
        self.note_mismarked(slot, partitions, place);
        let Some(unready) = self.process(place).unready.get_mut(&slot) else { return };
        for &(first, last) in &program.partitions[partitions.range()] {
            let end = unready.len().min(last as usize + 1);
            if let Some(marked) = unready.get_mut(first as usize..end) {
                marked.fill(false);
            }
        }
        if unready.contains(&true) {
            return;
        }
        self.process(place).unready.remove(&slot);
        let operation = self.process(place).request(slot).operations[0];
        if operation == NONE || !self.operations[operation].is_unready {
            return;
        }
        let Operation { kind: Kind::Send(send), place: started, .. } = self.operations[operation] else { return };
        self.operations[operation].is_unready = false;
        let plan = &program.sends[send as usize];
        let Peer::Channel(channel) = plan.to else { return };
        self.send(channel, send, operation, started);
        if self.is_eager(plan.content.bytes.unwrap_or(0)) && !self.is_held(started) {
            self.raise(operation, Level::Early, C::Moment::default());
        }
    }

    /// Takes note of partitions that cannot be marked as ready.
    fn note_mismarked(&mut self, slot: Slot, partitions: Span, place: Place) {
        let program = self.program;
        let request = self.process(place).request(slot);
        let Some(Op::Transfer { send: Some(send), .. }) = request.template.map(|op| program.ops[op as usize]) else { return };
        let total = program.sends[send as usize].partitions;
        let unready = self.process(place).unready.get(&slot);
        let why = |partition: u32| match unready {
            _ if partition >= total => Some(Mismark::Beyond(total)),
            _ if request.operations[0] == NONE => Some(Mismark::Inactive),
            Some(unready) if unready.get(partition as usize) == Some(&true) => None,
            _ => Some(Mismark::Again),
        };
        // A range that is far too long is as wrong at its first place beyond.
        let marked = |&(first, last): &(u32, u32)| first..=last.min(total.max(first));
        let all = program.partitions[partitions.range()].iter().flat_map(marked);
        let wrong: Vec<(u32, Mismark)> = all.filter_map(|partition| Some((partition, why(partition)?))).take(1).collect();
        self.log.mismarked.extend(wrong.into_iter().map(|(partition, why)| (place, partition, why)));
    }

    /// MPI_Request_free: the operation goes on without it.
    fn free(&mut self, slot: Slot, place: Place) {
        let request = self.process(place).request(slot);
        // A cancelled operation may be completed in this way, and what is not modelled may be complete.
        let is_active =
            |o: &u32| *o != NONE && !self.operations[*o].is_cancelled && !matches!(self.operations[*o].kind, Kind::Other);
        if let Some(active) = request.operations.into_iter().find(is_active) {
            self.log.freed.push((place, self.operations[active].place));
        }
        for operation in request.operations {
            self.release(operation, place);
        }
        if let Some(request) = self.process(place).request_mut(slot) {
            let freed = std::mem::replace(request, NULL);
            if freed.template.is_some() && freed.starts == 0 {
                self.process(place).unstarted.push(freed.made);
            }
        }
    }

    /// A request that may or may not be complete is left to itself; a persistent one may be started again.
    fn give_up(&mut self, slot: Slot, place: Place) {
        let request = self.process(place).request(slot);
        for operation in request.operations {
            self.release(operation, place);
        }
        if let Some(request) = self.process(place).request_mut(slot) {
            *request = if request.template.is_some() { Request { operations: [NONE; 2], ..*request } } else { NULL };
        }
    }

    /// An operation that is known to have been cancelled is over.
    fn cancel(&mut self, operation: u32) {
        if let Kind::Receive(receive) = self.operations[operation].kind {
            self.withdraw(operation, receive);
        }
        self.raise(operation, Level::Done, C::Moment::default());
    }

    /// What a lane waits for is taken as done, because it was in the recorded run.
    pub(super) fn abandon(&mut self, lane: u32) {
        let place = Place { lane, event: self.lanes[lane as usize].at };
        let mut operations = self.lanes[lane as usize].own.to_vec();
        if let Op::Complete { requests, .. } = self.op_at(place) {
            let slots = requests.range().map(|at| self.program.completions[at].slot);
            let process = &self.processes[self.program.lanes[lane as usize].rank as usize];
            operations.extend(slots.flat_map(|slot| process.request(slot).operations));
        }
        for operation in operations.into_iter().filter(|o| *o != NONE) {
            let state = &mut self.operations[operation];
            if state.waiter != lane {
                continue;
            }
            state.waiter = NONE;
            // Others still refer to it.
            state.level = Level::Early;
            match state.kind {
                Kind::Receive(receive) => self.take_overdue(operation, receive),
                Kind::Probe(receive) => {
                    state.level = Level::Done;
                    self.withdraw(operation, receive);
                }
                Kind::Send(send) => self.doubt_channel_of(send),
                _ => {}
            }
        }
        self.lanes[lane as usize].needed = 0;
    }

    pub(super) fn op_at(&self, place: Place) -> Op {
        let step = self.program.lanes[place.lane as usize].steps[place.event as usize];
        self.program.ops[step as usize]
    }

    fn process(&mut self, place: Place) -> &mut super::requests::Process {
        let rank = self.program.lanes[place.lane as usize].rank;
        &mut self.processes[rank as usize]
    }
}
