//! What the wildcard receives of a lane matched in the recorded run, and which operations were cancelled.
//!
//! A blocking receive has it in its own status, a nonblocking one in the status of the call that completed it: so this follows the
//! requests through the lane. It is done only for lanes that have such calls.

use rustc_hash::FxHashMap;
use traces::Status;

use super::arguments::Arguments;
use super::{Lifter, NO_SLOT};
use crate::program::{Lane, Mailbox, Op, Peer, Pin, ReceiveId, Slot, Then};

/// A request that was posted.
#[derive(Clone, Copy)]
struct Posted {
    /// Which post of the lane it is, counted over those by request.
    number: u64,
    /// Its place in [`Lane::pins`], with the receive, if it is a wildcard.
    pin: Option<(usize, ReceiveId)>,
}

/// What is known while walking through a lane.
#[derive(Default)]
struct Walk {
    posted: FxHashMap<Slot, Posted>,
    templates: FxHashMap<Slot, ReceiveId>,
    posts: u64,
}

impl Lifter<'_> {
    /// Fills [`Lane::pins`] and [`Lane::cancelled`].
    pub(super) fn pin(&mut self, number: usize, program: &mut Lane) {
        let mut walk = Walk::default();
        let trace = self.trace;
        for (at, event) in trace.lanes[number].events.iter().enumerate() {
            let op = self.program.ops[program.steps[at] as usize];
            let outcome = event.outcome.map(|o| trace.outcome(o));
            let a = Arguments { call: trace.call(event.call), outcome };
            match op {
                Op::Transfer { receive, then: Then::Return, .. } => {
                    self.pin_now(receive, &a, program);
                }
                Op::Probe { receive, .. } => self.pin_now(Some(receive), &a, program),
                Op::Transfer { receive, then: Then::Request(slot), .. } => self.post(&mut walk, slot, receive, program),
                Op::Transfer { receive: Some(receive), then: Then::Persistent(slot), .. } => {
                    walk.templates.insert(slot, receive);
                }
                Op::Start { requests, has_failed: false } => {
                    for at in requests.range() {
                        let slot = self.program.completions[at].slot;
                        let receive = walk.templates.get(&slot).copied();
                        self.post(&mut walk, slot, receive, program);
                    }
                }
                Op::Complete { requests, keep, .. } if outcome.is_some() => {
                    let statuses = a.statuses();
                    for (n, at) in requests.range().enumerate() {
                        let slot = self.program.completions[at].slot;
                        // What leaves the request as it is says as much, and is the last word of one that is freed then.
                        let posted = if keep { walk.posted.get(&slot).copied() } else { walk.posted.remove(&slot) };
                        if let (Some(posted), Some(status)) = (posted, statuses.get(n)) {
                            self.complete(posted, *status, program);
                        }
                    }
                }
                Op::Free { slot } => _ = walk.posted.remove(&slot),
                _ => {}
            }
        }
        program.cancelled.sort_unstable();
        program.cancelled.dedup();
    }

    /// A wildcard receive whose own call has the status.
    fn pin_now(&mut self, receive: Option<ReceiveId>, a: &Arguments, program: &mut Lane) {
        if let Some(receive) = receive.filter(|r| self.program.receives[*r as usize].is_wild()) {
            let pin = a.status().and_then(|status| self.pin_of(receive, status));
            program.pins.push(pin);
        }
    }

    /// An operation that a later call completes.
    fn post(&self, walk: &mut Walk, slot: Slot, receive: Option<ReceiveId>, program: &mut Lane) {
        let number = walk.posts;
        walk.posts += 1;
        let wild = receive.filter(|r| self.program.receives[*r as usize].is_wild());
        let pin = wild.map(|receive| {
            program.pins.push(None);
            (program.pins.len() - 1, receive)
        });
        if slot != NO_SLOT {
            walk.posted.insert(slot, Posted { number, pin });
        }
    }

    fn complete(&mut self, posted: Posted, status: Status, program: &mut Lane) {
        if status.cancelled {
            program.cancelled.push(posted.number);
        } else if let Some((at, receive)) = posted.pin {
            program.pins[at] = self.pin_of(receive, status).or(program.pins[at]);
        }
    }

    /// The channel and tag that a status tells of.
    fn pin_of(&mut self, receive: ReceiveId, status: Status) -> Option<Pin> {
        let Peer::Any(mailbox) = self.program.receives[receive as usize].from else { return None };
        let Mailbox { context, rank } = self.program.mailboxes[mailbox as usize];
        let view = self.communicators.view(self.program.contexts[context as usize].comm, rank)?;
        let source = *view.peers.ranks.get(usize::try_from(status.source).ok()?)?;
        let source = u32::try_from(source).ok()?;
        let channel = self.channel(Mailbox { context, rank }, source);
        Some(Pin { channel, tag: status.tag })
    }
}
