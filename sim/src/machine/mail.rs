//! Matching messages and receives.
//!
//! Two rules of the standard (section 3.5) are all there is to it. A receive takes the first message of a channel that it fits; a
//! message goes to the first posted receive that it fits. A wildcard is known to have taken a certain message (its pin): until it has
//! that one, other messages that it would take according to the rules are held, and no later receive gets them. A wildcard of which
//! nothing is known, because it was never completed, gets what is left when nothing else moves.

use super::chain::{Chains, Found, NONE, Queue};
use super::operations::Level;
use super::{Clock, Machine, Record, Travel};
use crate::finding::Place;
use crate::program::{ChannelId, MailboxId, Mode, Peer, Pin, Program, ReceiveId, SendId};

/// A message that no receive has taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<M> {
    pub(crate) send: SendId,
    pub(crate) channel: ChannelId,
    tag: i64,
    pub(crate) operation: u32,
    pub(crate) place: Place,
    sent: M,
}

/// What a posted receive does with its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Receives it.
    Receive,
    /// Looks at it (MPI_Probe).
    Look,
    /// Takes it for a later receive (MPI_Mprobe), under this handle.
    Take(i64),
}

/// A receive that has no message yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posted<M> {
    pub(crate) receive: ReceiveId,
    pub(crate) operation: u32,
    pub(crate) intent: Intent,
    /// What it took in the recorded run, if that is known of a wildcard.
    pub(crate) pin: Option<Pin>,
    /// Whether its call returned before its message came: it still takes that one, and keeps nothing else from anybody.
    is_overdue: bool,
    /// Receives are posted in this order.
    order: u64,
    place: Place,
    when: M,
}

impl<M> Posted<M> {
    /// Whether a wildcard took a message like this one in the recorded run.
    fn wants(&self, letter: &Letter<M>) -> bool {
        self.pin.is_some_and(|pin| pin.channel == letter.channel && pin.tag == letter.tag)
    }

    /// Whether a wildcard keeps messages that it fits from later receives.
    fn claims(&self) -> bool {
        self.pin.is_some() && self.intent != Intent::Look && !self.is_overdue
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct ChannelState {
    letters: Queue,
    posted: Queue,
}

#[derive(Debug, Default)]
struct MailboxState {
    /// Wildcards.
    posted: Queue,
    /// Every channel that ends here.
    channels: Vec<ChannelId>,
    /// Receives posted here and in its channels.
    waiting: u32,
    /// Whether a message is held for the sake of a wildcard.
    holds: bool,
    /// Whether a message may have gone to another receive than in the recorded run, which does not tell.
    is_doubtful: bool,
}

/// All messages and receives that wait for each other.
#[derive(Debug)]
pub(crate) struct Mail<M> {
    letters: Chains<Letter<M>>,
    posted: Chains<Posted<M>>,
    channels: Vec<ChannelState>,
    mailboxes: Vec<MailboxState>,
    /// How many receives were posted.
    count: u64,
    /// Mailboxes with wildcards of which nothing is known.
    unsettled: Vec<MailboxId>,
    /// How many such wildcards were posted.
    unknown: u64,
}

impl<M> Mail<M> {
    pub(crate) fn new(program: &Program) -> Mail<M> {
        let mut mailboxes: Vec<MailboxState> = program.mailboxes.iter().map(|_| MailboxState::default()).collect();
        for (channel, number) in program.channels.iter().zip(0..) {
            mailboxes[channel.mailbox as usize].channels.push(number);
        }
        let channels = vec![ChannelState::default(); program.channels.len()];
        Mail {
            letters: Chains::default(),
            posted: Chains::default(),
            channels,
            mailboxes,
            count: 0,
            unsettled: Vec::new(),
            unknown: 0,
        }
    }

    /// Every channel that ends in a mailbox.
    pub(crate) fn channels_of(&self, mailbox: MailboxId) -> &[ChannelId] {
        &self.mailboxes[mailbox as usize].channels
    }

    /// Whether a wildcard of a mailbox could take a message that waits there, other than the one that it is known to have taken.
    pub(crate) fn has_alternative(&self, mailbox: MailboxId, program: &Program) -> bool {
        let state = &self.mailboxes[mailbox as usize];
        self.posted.iter(&state.posted).any(|posted| {
            let receive = &program.receives[posted.receive as usize];
            let letters = state.channels.iter().map(|channel| &self.channels[*channel as usize].letters);
            letters.into_iter().any(|queue| self.letters.find(queue, |letter| receive.takes(letter.tag)).is_some())
        })
    }

    /// Whether which receive of a mailbox took which message is a guess.
    pub(crate) fn is_doubtful(&self, mailbox: MailboxId) -> bool {
        self.mailboxes[mailbox as usize].is_doubtful
    }

    /// The messages that nobody received, by channel.
    pub(crate) fn letters(&self) -> impl Iterator<Item = &Letter<M>> {
        self.channels.iter().flat_map(|channel| self.letters.iter(&channel.letters))
    }

    /// The receives that got no message.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Posted<M>> {
        let queues = self.channels.iter().map(|c| &c.posted).chain(self.mailboxes.iter().map(|m| &m.posted));
        queues.flat_map(|queue| self.posted.iter(queue))
    }
}

impl<C: Clock> Machine<'_, C> {
    /// A message is sent.
    pub(super) fn send(&mut self, channel: ChannelId, send: SendId, operation: u32, place: Place) {
        let sent = self.clock.post(place);
        let tag = self.program.sends[send as usize].tag;
        let letter = Letter { send, channel, tag, operation, place, sent };
        if let Some(taker) = self.taker(&letter) {
            self.hand_over(&letter, taker);
        } else {
            self.mail.letters.push(&mut self.mail.channels[channel as usize].letters, letter);
        }
    }

    /// A receive or a probe is posted. `pin` is what it took in the recorded run.
    pub(super) fn post(&mut self, receive: ReceiveId, operation: u32, intent: Intent, pin: Option<Pin>, place: Place) {
        let when = self.clock.post(place);
        self.mail.count += 1;
        let posted = Posted { receive, operation, intent, pin, is_overdue: false, order: self.mail.count, place, when };
        let plan = &self.program.receives[receive as usize];
        let (channel, mailbox) = match (plan.from, pin) {
            (Peer::Channel(channel), _) => (Some(channel), self.program.channels[channel as usize].mailbox),
            (Peer::Any(mailbox), pin) => (pin.map(|pin| pin.channel), mailbox),
            (Peer::Nobody, _) => return,
        };
        if let Some(found) = channel.and_then(|channel| self.letter_for(channel, mailbox, &posted)) {
            let channel = channel.unwrap_or_default();
            let letter = self.mail.letters[found.at];
            if intent == Intent::Look {
                self.look(&letter, &posted);
            } else {
                self.mail.letters.remove(&mut self.mail.channels[channel as usize].letters, found);
                self.deliver(&letter, &posted);
            }
            return;
        }
        let state = &mut self.mail.mailboxes[mailbox as usize];
        state.waiting += 1;
        match plan.from {
            Peer::Channel(channel) => {
                self.mail.posted.push(&mut self.mail.channels[channel as usize].posted, posted);
            }
            _ => {
                self.mail.posted.push(&mut state.posted, posted);
                if pin.is_none() {
                    self.mail.unknown += 1;
                    self.mail.unsettled.push(mailbox);
                }
            }
        }
    }

    /// The first message of a channel that a new receive fits, unless an earlier wildcard has a claim on it.
    fn letter_for(&mut self, channel: ChannelId, mailbox: MailboxId, posted: &Posted<C::Moment>) -> Option<Found> {
        let mail = &self.mail;
        let (_, found) = self.letter_of(channel, posted)?;
        let state = &mail.mailboxes[mailbox as usize];
        if state.posted.is_empty() {
            return Some(found);
        }
        let tag = mail.letters[found.at].tag;
        let claims = |other: &Posted<_>| other.claims() && self.program.receives[other.receive as usize].takes(tag);
        // One that was posted before may wait only because its message is held; then this one may be its, when that has gone elsewhere.
        let is_before =
            |other: &Posted<_>| other.intent != Intent::Look && self.program.receives[other.receive as usize].takes(tag);
        let is_claimed = mail.posted.find(&state.posted, claims).is_some()
            || (state.holds && mail.posted.find(&mail.channels[channel as usize].posted, is_before).is_some());
        if !is_claimed {
            return Some(found);
        }
        self.mail.mailboxes[mailbox as usize].holds = true;
        None
    }

    /// The posted receive that a message goes to; it is no longer posted. Probes that see the message are told on the way.
    fn taker(&mut self, letter: &Letter<C::Moment>) -> Option<Posted<C::Moment>> {
        let channel = letter.channel as usize;
        let mailbox = self.program.channels[channel].mailbox as usize;
        if self.mail.mailboxes[mailbox].waiting == 0 {
            return None;
        }
        loop {
            let (named, wild) = self.first_fitting(letter);
            let order = |found: Option<Found>| found.map_or(u64::MAX, |f| self.mail.posted[f.at].order);
            let is_wild = order(wild) < order(named);
            let found = if is_wild { wild } else { named }?;
            let posted = self.mail.posted[found.at];
            let is_held = is_wild && !posted.wants(letter);
            if is_held || (self.mail.mailboxes[mailbox].holds && self.overtakes(letter, posted.receive)) {
                self.mail.mailboxes[mailbox].holds = true;
                return None;
            }
            let queue = if is_wild { &mut self.mail.mailboxes[mailbox].posted } else { &mut self.mail.channels[channel].posted };
            self.mail.posted.remove(queue, found);
            self.mail.mailboxes[mailbox].waiting -= 1;
            if posted.intent != Intent::Look {
                return Some(posted);
            }
            self.look(letter, &posted);
        }
    }

    /// Whether a message that is held was sent before this one, and fits the receive as well.
    fn overtakes(&self, letter: &Letter<C::Moment>, receive: ReceiveId) -> bool {
        let receive = &self.program.receives[receive as usize];
        let letters = &self.mail.channels[letter.channel as usize].letters;
        let first = self.mail.letters.find(letters, |other| receive.takes(other.tag));
        first.is_some_and(|found| {
            let first = &self.mail.letters[found.at];
            (first.place, first.send) != (letter.place, letter.send)
        })
    }

    /// The first posted receive of the channel, and the first wildcard, that a message fits. A probe that wants another message is
    /// passed over, since it claims nothing.
    fn first_fitting(&self, letter: &Letter<C::Moment>) -> (Option<Found>, Option<Found>) {
        let mail = &self.mail;
        let mailbox = self.program.channels[letter.channel as usize].mailbox as usize;
        let takes = |posted: &Posted<_>| self.program.receives[posted.receive as usize].takes(letter.tag);
        let named = mail.posted.find(&mail.channels[letter.channel as usize].posted, takes);
        let fits = |posted: &Posted<_>| (posted.claims() || posted.wants(letter)) && takes(posted);
        let wild = mail.posted.find(&mail.mailboxes[mailbox].posted, fits);
        (named, wild)
    }

    /// A message and a receive that was waiting for it: others may have been held back by it.
    fn hand_over(&mut self, letter: &Letter<C::Moment>, posted: Posted<C::Moment>) {
        self.deliver(letter, &posted);
        let mailbox = self.program.channels[letter.channel as usize].mailbox;
        if self.mail.mailboxes[mailbox as usize].holds {
            self.rematch(mailbox);
        }
    }

    /// Gives the messages of a mailbox to the receives that wait, after a wildcard has got its message. That may let go of a message that was
    /// looked at before it, so that it goes on until nothing moves.
    fn rematch(&mut self, mailbox: MailboxId) {
        let mut has_moved = true;
        while has_moved {
            self.mail.mailboxes[mailbox as usize].holds = false;
            has_moved = self.rematch_once(mailbox) && self.mail.mailboxes[mailbox as usize].holds;
        }
    }

    /// Looks at every message of a mailbox once. Gives whether any found its receive.
    fn rematch_once(&mut self, mailbox: MailboxId) -> bool {
        let mut has_moved = false;
        for n in 0..self.mail.mailboxes[mailbox as usize].channels.len() {
            if self.mail.mailboxes[mailbox as usize].waiting == 0 {
                break;
            }
            let channel = self.mail.mailboxes[mailbox as usize].channels[n] as usize;
            let mut after = None;
            while let Some(found) = self.mail.letters.find_after(&self.mail.channels[channel].letters, after, |_| true) {
                let letter = self.mail.letters[found.at];
                if let Some(posted) = self.taker(&letter) {
                    self.mail.letters.remove(&mut self.mail.channels[channel].letters, found);
                    self.deliver(&letter, &posted);
                    has_moved = true;
                } else {
                    after = Some(found);
                }
            }
        }
        has_moved
    }

    /// Lets the wildcards of which nothing is known take what is there. Gives whether any did.
    pub(super) fn settle_wildcards(&mut self) -> bool {
        let mailboxes = std::mem::take(&mut self.mail.unsettled);
        let mut has_moved = false;
        for mailbox in mailboxes {
            let mut after = None;
            loop {
                let state = &self.mail.mailboxes[mailbox as usize];
                let unknown = |posted: &Posted<_>| posted.pin.is_none();
                let Some(found) = self.mail.posted.find_after(&state.posted, after, unknown) else { break };
                let posted = self.mail.posted[found.at];
                if let Some((channel, letter, is_only)) = self.any_letter_for(mailbox, &posted) {
                    self.mail.mailboxes[mailbox as usize].is_doubtful |= !is_only && posted.intent != Intent::Look;
                    self.mail.posted.remove(&mut self.mail.mailboxes[mailbox as usize].posted, found);
                    self.mail.mailboxes[mailbox as usize].waiting -= 1;
                    let value = self.mail.letters[letter.at];
                    if posted.intent == Intent::Look {
                        self.look(&value, &posted);
                    } else {
                        self.mail.letters.remove(&mut self.mail.channels[channel as usize].letters, letter);
                        self.deliver(&value, &posted);
                    }
                    self.rematch(mailbox);
                    has_moved = true;
                } else {
                    after = Some(found);
                    if !self.mail.unsettled.contains(&mailbox) {
                        self.mail.unsettled.push(mailbox);
                    }
                }
            }
        }
        has_moved
    }

    /// Some message that a wildcard fits and no earlier wildcard claims: one whose sender is known to have got rid of it, if there is one.
    /// Gives where it is, and whether it is the only one.
    fn any_letter_for(&self, mailbox: MailboxId, posted: &Posted<C::Moment>) -> Option<(ChannelId, Found, bool)> {
        let mail = &self.mail;
        let state = &mail.mailboxes[mailbox as usize];
        let receive = &self.program.receives[posted.receive as usize];
        let candidates = state.channels.iter().filter_map(|&channel| {
            let wanted = |letter: &Letter<_>| receive.takes(letter.tag);
            let found = mail.letters.find(&mail.channels[channel as usize].letters, wanted)?;
            let tag = mail.letters[found.at].tag;
            let claims = |other: &Posted<_>| {
                other.order < posted.order && other.claims() && self.program.receives[other.receive as usize].takes(tag)
            };
            mail.posted.find(&state.posted, claims).is_none().then_some((channel, found))
        });
        let is_due = |(_, found): &(ChannelId, Found)| self.is_due(&mail.letters[found.at]);
        let (channel, found) = candidates.clone().find(is_due).or_else(|| candidates.clone().next())?;
        Some((channel, found, candidates.count() == 1))
    }

    /// Whether a call that returned in the recorded run waits for this message to be received.
    fn is_due(&self, letter: &Letter<C::Moment>) -> bool {
        let operation = Some(letter.operation).filter(|o| *o != NONE).map(|o| &self.operations[o]);
        operation.is_some_and(|o| o.waiter != NONE && self.lanes[o.waiter as usize].demand == Level::Early)
    }

    /// A probe sees a message.
    fn look(&mut self, letter: &Letter<C::Moment>, posted: &Posted<C::Moment>) {
        let (_, arrived) = self.clock.deliver(letter.sent, posted.when, self.travel(letter));
        self.raise(posted.operation, Level::Done, arrived);
    }

    /// A receive, or a matched probe, takes a message that is in no queue any more.
    fn deliver(&mut self, letter: &Letter<C::Moment>, posted: &Posted<C::Moment>) {
        self.note_doubt(letter, posted);
        match posted.intent {
            Intent::Take(handle) => {
                let (_, arrived) = self.clock.deliver(letter.sent, posted.when, self.travel(letter));
                let kept = self.mail.letters.keep(*letter);
                let rank = self.program.lanes[posted.place.lane as usize].rank;
                self.processes[rank as usize].taken.push((handle, kept));
                self.raise(posted.operation, Level::Done, arrived);
            }
            _ => self.receive(letter, posted.receive, posted.operation, posted.when),
        }
    }

    /// A wildcard of which nothing is known, posted before this receive, may have been what took the message.
    fn note_doubt(&mut self, letter: &Letter<C::Moment>, posted: &Posted<C::Moment>) {
        if self.mail.unknown == 0 {
            return;
        }
        let mailbox = self.program.channels[letter.channel as usize].mailbox as usize;
        let might = |other: &Posted<_>| {
            let receive = &self.program.receives[other.receive as usize];
            other.pin.is_none() && other.order < posted.order && other.intent != Intent::Look && receive.takes(letter.tag)
        };
        if self.mail.posted.find(&self.mail.mailboxes[mailbox].posted, might).is_some() {
            self.mail.mailboxes[mailbox].is_doubtful = true;
        }
    }

    /// A receive gets its message: both sides are done.
    fn receive(&mut self, letter: &Letter<C::Moment>, receive: ReceiveId, operation: u32, when: C::Moment) {
        let program = self.program;
        let (send, plan) = (&program.sends[letter.send as usize], &program.receives[receive as usize]);
        let (offered, room) = (send.content, plan.content);
        let place = self.operations[operation].place;
        let mailbox = program.channels[letter.channel as usize].mailbox;
        let is_too_long = offered.bytes.zip(room.bytes).is_some_and(|(bytes, room)| bytes > room);
        // It failed for another reason, then, and the message was another one's.
        self.mail.mailboxes[mailbox as usize].is_doubtful |= plan.has_failed && !is_too_long;
        let differs = || is_too_long || (offered.layout != room.layout && program.layouts.difference(offered, room).is_some());
        if offered != room && !self.mail.is_doubtful(mailbox) && differs() {
            self.log.misfit((letter.place, letter.send), (place, receive));
        }
        if self.log.record() != Record::Misfits {
            self.log.is_alarmed |= self.watch.is_some_and(|watch| watch(letter.place, place));
            let comm = program.contexts[program.mailboxes[mailbox as usize].context as usize].comm;
            let record = self.operations[operation].record;
            self.log.matched(place.lane, record, letter.place, (offered.bytes.unwrap_or(0), letter.tag, comm));
        }
        let (sent, received) = self.clock.deliver(letter.sent, when, self.travel(letter));
        self.raise(letter.operation, Level::Done, sent);
        self.raise(operation, Level::Done, received);
    }

    /// A message that a matched probe took is received.
    pub(super) fn receive_taken(&mut self, handle: i64, receive: ReceiveId, operation: u32, place: Place) {
        let when = self.clock.post(place);
        let rank = self.program.lanes[place.lane as usize].rank;
        let taken = &mut self.processes[rank as usize].taken;
        match taken.iter().position(|(own, _)| *own == handle) {
            Some(at) => {
                let (_, kept) = taken.swap_remove(at);
                let letter = self.mail.letters[kept];
                self.mail.letters.discard(kept);
                self.receive(&letter, receive, operation, when);
            }
            // The message of a matched probe of MPI_PROC_NULL.
            None => self.raise(operation, Level::Done, when),
        }
    }

    /// A receive is taken back.
    pub(super) fn withdraw(&mut self, operation: u32, receive: ReceiveId) {
        let from = self.program.receives[receive as usize].from;
        let own = |posted: &Posted<_>| posted.operation == operation;
        if let (Some((mailbox, _)), Some(found)) = (self.home(from), self.mail.posted.find(self.posted_at(from), own)) {
            self.take_back(from, found);
            self.rematch(mailbox);
        }
    }

    /// The call of a receive returned in the recorded run: it took the message that it fits, if that is there, and will when it comes.
    pub(super) fn take_overdue(&mut self, operation: u32, receive: ReceiveId) {
        let from = self.program.receives[receive as usize].from;
        let Some((mailbox, _)) = self.home(from) else { return };
        self.mail.mailboxes[mailbox as usize].is_doubtful = true;
        let own = |posted: &Posted<_>| posted.operation == operation;
        let Some(found) = self.mail.posted.find(self.posted_at(from), own) else { return };
        self.mail.posted[found.at].is_overdue = true;
        let posted = self.mail.posted[found.at];
        let pinned = posted.pin.map(|pin| pin.channel);
        if let Some((channel, letter)) = self.home(from).and_then(|(_, named)| self.letter_of(named.or(pinned)?, &posted)) {
            let value = self.mail.letters[letter.at];
            self.mail.letters.remove(&mut self.mail.channels[channel as usize].letters, letter);
            self.take_back(from, found);
            self.deliver(&value, &posted);
        }
        self.rematch(mailbox);
    }

    /// The mailbox of a receive, and its channel if it names its source.
    fn home(&self, from: Peer) -> Option<(MailboxId, Option<ChannelId>)> {
        match from {
            Peer::Channel(channel) => Some((self.program.channels[channel as usize].mailbox, Some(channel))),
            Peer::Any(mailbox) => Some((mailbox, None)),
            Peer::Nobody => None,
        }
    }

    /// The queue that receives from there wait in.
    fn posted_at(&self, from: Peer) -> &Queue {
        const NOTHING: &Queue = &Queue::EMPTY;
        match from {
            Peer::Channel(channel) => &self.mail.channels[channel as usize].posted,
            Peer::Any(mailbox) => &self.mail.mailboxes[mailbox as usize].posted,
            Peer::Nobody => NOTHING,
        }
    }

    /// A receive is no longer posted.
    fn take_back(&mut self, from: Peer, found: Found) {
        let Some((mailbox, named)) = self.home(from) else { return };
        let state = &mut self.mail.mailboxes[mailbox as usize];
        state.waiting -= 1;
        let queue = match named {
            Some(channel) => &mut self.mail.channels[channel as usize].posted,
            None => &mut state.posted,
        };
        self.mail.posted.remove(queue, found);
    }

    /// The first message of a channel that a receive could take, whatever wildcards are before it.
    fn letter_of(&self, channel: ChannelId, posted: &Posted<C::Moment>) -> Option<(ChannelId, Found)> {
        let receive = &self.program.receives[posted.receive as usize];
        let wanted = |letter: &Letter<_>| receive.takes(letter.tag) && (posted.pin.is_none() || posted.wants(letter));
        self.mail.letters.find(&self.mail.channels[channel as usize].letters, wanted).map(|found| (channel, found))
    }

    /// The call of a send returned in the recorded run though nobody has taken its message here.
    pub(super) fn doubt_channel_of(&mut self, send: SendId) {
        if let Peer::Channel(channel) = self.program.sends[send as usize].to {
            let mailbox = self.program.channels[channel as usize].mailbox;
            self.mail.mailboxes[mailbox as usize].is_doubtful = true;
        }
    }

    fn travel(&self, letter: &Letter<C::Moment>) -> Travel {
        let send = &self.program.sends[letter.send as usize];
        let bytes = send.content.bytes.unwrap_or(0);
        Travel { bytes, is_buffered: send.mode == Mode::Buffered || (send.mode == Mode::Standard && self.is_eager(bytes)) }
    }

    /// Whether a standard send of this length completes before it is received.
    pub(super) fn is_eager(&self, bytes: u64) -> bool {
        self.assume.eager_bytes.is_some_and(|limit| bytes <= limit)
    }
}
