//! What a schedule makes of a run: who receives which message, for those that drive the real program into it.

use traces::Trace;

use crate::checks;
use crate::decide::Schedule;
use crate::finding::{Message, Place};
use crate::lift::lift;

/// What has to come of the calls under a schedule.
#[derive(Clone, Debug, Default)]
pub struct Forced {
    /// The messages, up to where the run ends or gets stuck.
    pub messages: Vec<Message>,
    /// Whether standard sends return only when their messages are received.
    pub sends_wait: bool,
    /// Those that do at any rate.
    pub held: Vec<Place>,
}

/// Follows a schedule on the virtual ranks.
#[must_use]
pub fn follow(trace: &Trace, schedule: &Schedule) -> Forced {
    let messages = checks::messages_under(&lift(trace).program, schedule);
    let held = schedule.held.iter().map(|&(lane, event)| Place { lane, event }).collect();
    Forced { messages, sends_wait: schedule.sends_wait(), held }
}
