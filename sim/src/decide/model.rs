//! The decision problem: what each rank posts and waits for, without anything that cannot matter to whether the program gets stuck.
//!
//! A rank makes steps. When a step begins, it posts sends, receives and its parts in collectives; it returns when everything that it
//! waits for is complete. Calls that never wait have no step of their own: what they post, the next step posts. A run of receives
//! that take the same messages, one after the other with nothing between, is one receive that takes several. How it all may
//! match is said nowhere here: see `encode` for the formula, and the oracle of the tests for the rules in plain words.

use crate::finding::Place;
use crate::program::{ChannelId, CollectiveId, Flow, MailboxId, Mode, Pin, SendId};

/// The number of a send in [`Model::sends`].
pub(crate) type SendNo = u32;
/// The number of a receive in [`Model::receives`].
pub(crate) type ReceiveNo = u32;
/// The number of a part in [`Model::parts`].
pub(crate) type PartNo = u32;

/// A program as far as matching goes.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// The steps of each lane.
    pub(crate) lanes: Vec<Vec<Step>>,
    pub(crate) sends: Vec<SendPost>,
    pub(crate) receives: Vec<ReceivePost>,
    pub(crate) parts: Vec<PartPost>,
    pub(crate) rounds: Vec<Round>,
    /// The sets of members that others wait for, in order.
    pub(crate) sets: Vec<Vec<u32>>,
    /// The sends to each mailbox, by channel and then in the order that they are posted.
    pub(crate) arrivals: Vec<Vec<SendNo>>,
    /// The receives of each mailbox, in the order that they are posted.
    pub(crate) postings: Vec<Vec<ReceiveNo>>,
}

/// What a rank does before it goes on.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// The call that waits.
    pub(crate) event: u32,
    pub(crate) sends: Vec<SendNo>,
    pub(crate) receives: Vec<ReceiveNo>,
    pub(crate) parts: Vec<PartNo>,
    /// All that has to be complete for it to return.
    pub(crate) waits: Vec<Awaited>,
    /// What could end it in another way than it did (MPI_Waitany).
    pub(crate) or: Vec<Awaited>,
    /// Whether the program would go on with other things rather than wait (MPI_Test).
    pub(crate) is_poll: bool,
}

/// Something that a step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    Send(SendNo),
    Receive(ReceiveNo),
    Part(PartNo),
}

/// Where in the model something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) lane: u32,
    pub(crate) step: u32,
}

/// A message.
#[derive(Debug)]
pub(crate) struct SendPost {
    /// The step that posts it.
    pub(crate) at: At,
    /// The step of the lane that waits for it, if one does.
    pub(crate) done: Option<u32>,
    pub(crate) channel: ChannelId,
    pub(crate) mailbox: MailboxId,
    pub(crate) tag: i64,
    pub(crate) bytes: u64,
    pub(crate) mode: Mode,
    /// What it is in the program.
    pub(crate) send: SendId,
    /// The call that posts it.
    pub(crate) place: Place,
}

/// One or more receives that take the same messages.
#[derive(Debug)]
pub(crate) struct ReceivePost {
    /// The step that posts it.
    pub(crate) at: At,
    /// The step of the lane that waits for it, if one does.
    pub(crate) done: Option<u32>,
    pub(crate) mailbox: MailboxId,
    /// The only channel that it takes messages from; None for any.
    pub(crate) channel: Option<ChannelId>,
    /// The only tag that it takes; None for any.
    pub(crate) tag: Option<i64>,
    /// What it must have taken for the rank to go on as it did: other messages would lead to other calls.
    pub(crate) pin: Option<Pin>,
    /// The receives of the program, in their order.
    pub(crate) members: Vec<Member>,
}

/// A receive of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    /// The call that posts it.
    pub(crate) place: Place,
    /// What it is in the program.
    pub(crate) receive: crate::program::ReceiveId,
    /// Which wildcard of its lane it is, if it is one.
    pub(crate) wildcard: Option<u32>,
}

/// A rank's part in a collective.
#[derive(Debug)]
pub(crate) struct PartPost {
    /// The step that posts it.
    pub(crate) at: At,
    /// The step that waits for it, if one does.
    pub(crate) done: Option<u32>,
    pub(crate) round: u32,
    pub(crate) member: u32,
    pub(crate) flow: Flow,
    pub(crate) collective: CollectiveId,
    /// The call that posts it.
    pub(crate) place: Place,
}

/// One collective operation: the parts of all its members.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) parts: Vec<PartNo>,
    /// Whether some wait for a set of others.
    pub(crate) has_sets: bool,
}

impl ReceivePost {
    /// Whether it may take such a message.
    pub(crate) fn fits(&self, send: &SendPost) -> bool {
        self.mailbox == send.mailbox
            && self.channel.is_none_or(|channel| channel == send.channel)
            && self.tag.is_none_or(|tag| tag == send.tag)
    }

    /// Whether taking this message lets the rank go on as it did.
    pub(crate) fn allows(&self, send: &SendPost) -> bool {
        self.fits(send) && self.pin.is_none_or(|pin| pin.channel == send.channel && pin.tag == send.tag)
    }

    /// How many messages it takes.
    pub(crate) fn capacity(&self) -> usize {
        self.members.len()
    }

    /// Whether another receive takes the same messages.
    pub(crate) fn is_like(&self, other: &ReceivePost) -> bool {
        (self.mailbox, self.channel, self.tag) == (other.mailbox, other.channel, other.tag)
    }
}

impl Model {
    /// The step of a lane.
    pub(crate) fn step(&self, at: At) -> &Step {
        &self.lanes[at.lane as usize][at.step as usize]
    }

    /// Whether a member may set others free by coming to a round in which all wait alike: one is the root, or all wait for those before them.
    pub(crate) fn sets_others_free(&self, part: &PartPost) -> bool {
        let parts = &self.rounds[part.round as usize].parts;
        // One other member tells what kind of collective it is; one at each end, where there are two groups.
        parts.iter().take(2).chain(parts.last()).any(|other| match self.parts[*other as usize].flow {
            Flow::Root(root) => root == part.member,
            Flow::Before => true,
            Flow::All | Flow::Each(_) | Flow::Nobody => false,
        })
    }

    /// Whether a part waits for a set of members that this one is in.
    pub(crate) fn is_in_set_of(&self, member: u32, other: PartNo) -> bool {
        match self.parts[other as usize].flow {
            Flow::Each(set) => self.sets[set as usize].binary_search(&member).is_ok(),
            _ => false,
        }
    }

    /// The messages before this one on its way that a receive takes as well: the last of each tag, which stands for all others of it.
    pub(crate) fn overtaken<'m>(&'m self, send: SendNo, receive: &'m ReceivePost) -> impl Iterator<Item = SendNo> + 'm {
        let own = &self.sends[send as usize];
        let list = &self.arrivals[own.mailbox as usize];
        let at = list.binary_search_by_key(&(own.channel, send), |s| (self.sends[*s as usize].channel, *s)).unwrap_or(0);
        let mut seen: Vec<i64> = Vec::new();
        let before = list[..at].iter().rev().copied().take_while(move |s| self.sends[*s as usize].channel == own.channel);
        before.filter(move |s| {
            let tag = self.sends[*s as usize].tag;
            let is_new = receive.fits(&self.sends[*s as usize]) && !seen.contains(&tag);
            if is_new {
                seen.push(tag);
            }
            is_new
        })
    }

    /// The receives before this one that are perhaps not complete when it is posted, and take this message as well: the last of each
    /// kind, which stands for all others of it.
    pub(crate) fn preceding<'m>(&'m self, receive: ReceiveNo, send: &'m SendPost) -> impl Iterator<Item = ReceiveNo> + 'm {
        let own = &self.receives[receive as usize];
        let list = &self.postings[own.mailbox as usize];
        let at = list.binary_search(&receive).unwrap_or(0);
        let mut seen: Vec<ReceiveNo> = Vec::new();
        list[..at].iter().rev().copied().filter(move |r| {
            let other = &self.receives[*r as usize];
            let is_open = other.done.is_none_or(|done| done >= own.at.step);
            let is_new = is_open && other.fits(send) && !seen.iter().any(|s| self.receives[*s as usize].is_like(other));
            if is_new {
                seen.push(*r);
            }
            is_new
        })
    }
}
