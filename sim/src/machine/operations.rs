//! Operations under way: a send, a receive or a part in a collective, from its call to its completion.

use super::chain::NONE;
use super::{Clock, Machine};
use crate::finding::Place;
use crate::program::{CollectiveId, ReceiveId, SendId, SyncId};

/// How far an operation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Its caller has to wait.
    Pending,
    /// Its caller may go, though others have not done their part: a buffered send, the root of a broadcast.
    Early,
    /// It is over.
    Done,
}

/// What an operation is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Send(SendId),
    Receive(ReceiveId),
    Probe(ReceiveId),
    Part(CollectiveId, u64),
    /// In MPI_Finalize.
    Finalize(u64),
    /// On a window.
    Sync(SyncId),
    /// Something that is not modelled.
    Other,
}

/// An operation under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<M> {
    pub(crate) kind: Kind,
    pub(crate) level: Level,
    /// The call that posted it.
    pub(crate) place: Place,
    /// The lane that waits for it, or [`NONE`].
    pub(crate) waiter: u32,
    /// Whether a call or a request still refers to it.
    pub(crate) is_held: bool,
    /// Whether the program asked to cancel it.
    pub(crate) is_cancelled: bool,
    /// Its message in the log of its lane, for a receive.
    pub(crate) record: u32,
    /// When it is done.
    pub(crate) when: M,
}

impl<C: Clock> Machine<'_, C> {
    /// A new operation.
    pub(super) fn operation(&mut self, kind: Kind, level: Level, place: Place) -> u32 {
        let record = if matches!(kind, Kind::Receive(_)) { self.log.expect(place) } else { NONE };
        self.operations.insert(Operation {
            kind,
            level,
            place,
            waiter: NONE,
            is_held: true,
            is_cancelled: false,
            record,
            when: C::Moment::default(),
        })
    }

    /// An operation has come further.
    pub(super) fn raise(&mut self, operation: u32, level: Level, when: C::Moment) {
        if operation == NONE {
            return;
        }
        let state = &mut self.operations[operation];
        if state.level >= level {
            return;
        }
        // Whoever was free to go early is not held up by what comes later.
        if state.level == Level::Pending || state.waiter != NONE {
            state.when = when;
        }
        state.level = level;
        let waiter = state.waiter;
        if waiter != NONE {
            if level >= self.lanes[waiter as usize].demand {
                state.waiter = NONE;
                let lane = &mut self.lanes[waiter as usize];
                lane.needed = lane.needed.saturating_sub(1);
                if lane.needed == 0 {
                    self.runnable.push(waiter);
                }
            }
        } else if !state.is_held && level == Level::Done {
            self.operations.remove(operation);
        }
    }

    /// A lane waits for an operation, if it has not come far enough. Gives whether it must.
    pub(super) fn await_operation(&mut self, lane: u32, operation: u32) -> bool {
        if operation == NONE {
            return false;
        }
        let demand = self.lanes[lane as usize].demand;
        let state = &mut self.operations[operation];
        let must = state.level < demand;
        if must {
            state.waiter = lane;
            self.lanes[lane as usize].needed += 1;
        }
        must
    }

    /// The call that completes an operation returns.
    pub(super) fn release(&mut self, operation: u32, place: Place) {
        if operation == NONE {
            return;
        }
        let state = &mut self.operations[operation];
        state.waiter = NONE;
        state.is_held = false;
        let Operation { record, level, when, place: posted, .. } = *state;
        self.clock.wait(place.lane, when);
        if record != NONE && posted != place {
            self.log.received(posted.lane, record, place);
        }
        if level == Level::Done {
            self.operations.remove(operation);
        }
    }
}
