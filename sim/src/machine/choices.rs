//! A schedule forced upon a machine: what its wildcards take, and which calls the library holds back.
//!
//! This is how a run that somebody thought of, a solver or a person, is tried out by one that only knows the rules of matching.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Clock, Machine};
use crate::finding::Place;
use crate::program::{MailboxId, Peer, Pin, ReceiveId};

/// What is chosen in place of what the recorded run chose.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    /// By lane and wildcard: the rank that its message comes from, and the tag.
    pub(crate) pins: FxHashMap<(u32, u32), (u32, i64)>,
    /// Standard sends that are not buffered, and members of collectives that wait for all others.
    pub(crate) holds: FxHashSet<Place>,
}

impl<'p, C: Clock> Machine<'p, C> {
    /// The same machine, which follows a schedule.
    pub(crate) fn with_choices(self, choices: &'p Choices) -> Machine<'p, C> {
        Machine { choices: Some(choices), ..self }
    }

    /// Whether a call must wait though the library might let it go.
    pub(super) fn is_held(&self, place: Place) -> bool {
        self.choices.is_some_and(|choices| choices.holds.contains(&place))
    }

    /// What a wildcard is to take: by the schedule, or else as in the recorded run.
    pub(super) fn next_pin(&mut self, lane: u32, receive: ReceiveId) -> Option<Pin> {
        let state = &mut self.lanes[lane as usize];
        let number = state.wildcards;
        state.wildcards += 1;
        let recorded = self.program.lanes[lane as usize].pins.get(number).copied().flatten();
        let Some(choices) = self.choices else { return recorded };
        let key = (lane, u32::try_from(number).unwrap_or(u32::MAX));
        let Some((source, tag)) = choices.pins.get(&key).copied() else { return recorded };
        let Peer::Any(mailbox) = self.program.receives[receive as usize].from else { return recorded };
        self.channel_from(mailbox, source).map(|channel| Pin { channel, tag })
    }

    fn channel_from(&self, mailbox: MailboxId, source: u32) -> Option<u32> {
        let channels = &self.mail.channels_of(mailbox);
        channels.iter().copied().find(|channel| self.program.channels[*channel as usize].source == source)
    }
}
