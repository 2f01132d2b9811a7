//! Traces that keep the newest calls only (`--last`): each rank has lost its first calls, up to a moment of its own.
//!
//! A message is the n-th from a rank to another one with a tag in a communicator, and a collective the n-th in its communicator; the trace has
//! how many of each were dropped, so it is known of each call whether its counterpart is still there. One whose counterpart was dropped
//! has happened as it was recorded: nothing is left of it but its request. What never returned, and may have met something that was dropped,
//! waits for nobody knows what.

use rustc_hash::{FxHashMap, FxHashSet};
use traces::Status;

use super::arguments::Arguments;
use super::{LOCAL, Lifter, index_of_last};
use crate::program::{ChannelId, ContextId, Mailbox, Op, OpId, Peer, ReceiveId, Slot, Then};

/// Messages of one rank to another one with one tag.
type Stream = (ChannelId, i64);

/// Something that a call begins.
#[derive(Clone, Copy, Debug)]
struct Post {
    /// The step.
    at: usize,
    /// Of MPI_Start and the like: the request.
    slot: Option<Slot>,
    what: What,
    /// Of a receive: whether it is known to be complete.
    is_complete: bool,
    /// Of what was begun before the cut: which one it is of its kind.
    number: Option<u64>,
    /// Whether it is over since before the cut.
    is_over: bool,
}

impl Post {
    fn new(at: usize, slot: Option<Slot>, what: What) -> Post {
        Post { at, slot, what, is_complete: false, number: None, is_over: false }
    }
}

#[derive(Clone, Copy, Debug)]
enum What {
    Send(Stream),
    /// A receive, or a probe that takes its message; None if it is not known from whom.
    Receive(Option<Stream>),
    /// A probe that takes nothing.
    Look(Option<Stream>),
    Collective(ContextId),
    /// A collective of which nothing is counted.
    Uncounted,
}

/// How far things had come where the trace begins.
#[derive(Default)]
struct Dropped {
    sent: FxHashMap<Stream, u64>,
    received: FxHashMap<Stream, u64>,
    /// The most calls that any member has lost.
    collectives: FxHashMap<ContextId, u64>,
    /// By communicator and rank: how many that rank has lost.
    own: FxHashMap<(ContextId, u32), u64>,
    /// Messages and collectives among those above whose beginning was kept.
    kept: FxHashSet<Kept>,
    /// By rank: whether the numbers cannot be relied on.
    unsure: Vec<bool>,
}

/// Something that was begun before the cut, and is under way after it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kept {
    Sent(Stream, u64),
    Received(Stream, u64),
    /// Some member's part in a collective.
    Gathered(ContextId, u64),
    /// That of this one.
    Part(ContextId, u64, u32),
}

/// What is known while walking through a lane.
#[derive(Default)]
struct Walk {
    posts: Vec<Post>,
    /// By request: the post of its receive, if it has one.
    active: FxHashMap<Slot, Option<(usize, ReceiveId)>>,
    /// Requests from before, with the communicator.
    pending: FxHashMap<Slot, i64>,
    templates: FxHashMap<Slot, (Option<Stream>, Option<ReceiveId>)>,
}

impl Lifter<'_> {
    /// Takes away what has no counterpart any more. Of a whole trace that is nothing.
    pub(super) fn align(&mut self) {
        if self.trace.lanes.iter().all(|lane| lane.cut.is_none()) {
            return;
        }
        let mut dropped = self.dropped();
        let lanes: Vec<Vec<Post>> = (0..self.trace.lanes.len()).map(|lane| self.posts(lane, &mut dropped)).collect();
        for (lane, posts) in lanes.iter().enumerate() {
            self.doubt(lane, posts, &mut dropped);
        }
        for (lane, posts) in lanes.into_iter().enumerate() {
            self.settle(lane, &posts, &dropped);
        }
    }

    /// A receive of which is not known what it has taken may have taken one of the dropped messages that nobody else is known to have taken.
    /// Then it is not known either what comes after it.
    fn doubt(&self, number: usize, posts: &[Post], dropped: &mut Dropped) {
        let Some(rank) = self.trace.lanes[number].rank else { return };
        if !posts.iter().any(|post| matches!(post.what, What::Receive(None))) {
            return;
        }
        let mut open: FxHashMap<Stream, u64> = FxHashMap::default();
        for (&stream, &sent) in &dropped.sent {
            let channel = self.program.channels[stream.0 as usize];
            if self.program.mailboxes[channel.mailbox as usize].rank == rank {
                open.insert(stream, sent.saturating_sub(dropped.received.get(&stream).copied().unwrap_or(0)));
            }
        }
        for post in posts.iter().filter(|post| post.is_complete && post.number.is_none()) {
            if let What::Receive(Some(stream)) = post.what {
                open.entry(stream).and_modify(|left| *left = left.saturating_sub(1));
            }
        }
        if open.values().any(|left| *left > 0)
            && let Some(unsure) = dropped.unsure.get_mut(rank as usize)
        {
            *unsure = true;
        }
    }

    /// What the cuts tell.
    fn dropped(&mut self) -> Dropped {
        let mut dropped = Dropped { unsure: vec![false; self.program.world_size as usize], ..Dropped::default() };
        let trace = self.trace;
        for lane in &trace.lanes {
            let (Some(rank), Some(cut)) = (lane.rank, lane.cut.as_ref()) else { continue };
            // Which thread has completed what another one began is not counted.
            let is_alone = trace.lanes_of(rank).len() == 1;
            if let Some(unsure) = dropped.unsure.get_mut(rank as usize) {
                *unsure |= cut.unsure || !is_alone;
            }
            for &(comm, peer, tag, count) in &cut.sent {
                if let Some(channel) = self.channel_of(comm, rank, peer, true) {
                    *dropped.sent.entry((channel, tag)).or_default() += count;
                }
            }
            for &(comm, peer, tag, count) in &cut.received {
                if let Some(channel) = self.channel_of(comm, rank, peer, false) {
                    *dropped.received.entry((channel, tag)).or_default() += count;
                }
            }
            for &(comm, count) in &cut.collectives {
                let Some(context) = self.communicators.view(comm, rank).map(|view| view.context) else { continue };
                let most = dropped.collectives.entry(context).or_default();
                *most = (*most).max(count);
                *dropped.own.entry((context, rank)).or_default() += count;
            }
        }
        dropped
    }

    /// The channel between a rank of MPI_COMM_WORLD and a rank of a communicator.
    fn channel_of(&mut self, comm: i64, rank: u32, peer: i64, outgoing: bool) -> Option<ChannelId> {
        let view = self.communicators.view(comm, rank)?;
        let other = view.peers.ranks.get(usize::try_from(peer).ok()?).copied()?;
        let (context, other) = (view.context, u32::try_from(other).ok().filter(|_| self.is_present(other))?);
        let (to, from) = if outgoing { (other, rank) } else { (rank, other) };
        Some(self.channel(Mailbox { context, rank: to }, from))
    }

    /// What the calls of a lane begin, in their order. Adds to what was dropped the receives that were under way.
    fn posts(&mut self, number: usize, dropped: &mut Dropped) -> Vec<Post> {
        let lane = &self.trace.lanes[number];
        let Some(rank) = lane.rank else { return Vec::new() };
        let mut walk = Walk::default();
        let kept = lane.cut.as_ref().map_or(0, |cut| cut.kept as usize);
        for &(request, comm) in lane.cut.iter().flat_map(|cut| &cut.pending) {
            walk.pending.insert(super::slot_of(Some(request)), comm);
        }
        let begun = self.begun_before(number);
        for (at, event) in lane.events.iter().enumerate() {
            let op = self.program.ops[self.program.lanes[number].steps[at] as usize];
            let outcome = event.outcome.map(|o| self.trace.outcome(o));
            let a = Arguments { call: self.trace.call(event.call), outcome };
            if at < kept && !matches!(op, Op::Transfer { then: Then::Persistent(_), .. }) {
                if self.slots_begun(op).iter().any(|slot| begun.get(slot).is_some_and(|(last, _)| *last == at)) {
                    self.begin_before(&mut walk, at, op, &a, &begun);
                }
                continue;
            }
            self.begin(&mut walk, at, op, &a);
            if let Op::Complete { requests, keep: false, .. } = op {
                let statuses = a.statuses();
                for (n, completion) in requests.range().enumerate() {
                    let slot = self.program.completions[completion].slot;
                    self.has_completed(&mut walk, slot, statuses.get(n), (rank, dropped));
                }
            }
        }
        for post in &walk.posts {
            let Some(number) = post.number.filter(|_| !post.is_over) else { continue };
            match post.what {
                What::Send(stream) => _ = dropped.kept.insert(Kept::Sent(stream, number)),
                What::Receive(Some(stream)) => _ = dropped.kept.insert(Kept::Received(stream, number)),
                What::Collective(context) => {
                    dropped.kept.extend([Kept::Gathered(context, number), Kept::Part(context, number, rank)]);
                }
                What::Receive(None) | What::Look(_) | What::Uncounted => {}
            }
        }
        // Nobody knows what they have taken.
        if !walk.pending.is_empty()
            && let Some(unsure) = dropped.unsure.get_mut(rank as usize)
        {
            *unsure = true;
        }
        walk.posts
    }

    /// Of the requests that a lane has from before its cut: which of the calls that were kept has begun each, and its numbers.
    fn begun_before(&self, number: usize) -> FxHashMap<Slot, (usize, [u64; 2])> {
        let Some(cut) = &self.trace.lanes[number].cut else { return FxHashMap::default() };
        let row = |&(request, sent, received): &(i64, u64, u64)| (super::slot_of(Some(request)), (usize::MAX, [sent, received]));
        let mut begun: FxHashMap<Slot, (usize, [u64; 2])> = cut.under_way.iter().map(row).collect();
        for (at, step) in self.program.lanes[number].steps.iter().enumerate().take(cut.kept as usize) {
            for slot in self.slots_begun(self.program.ops[*step as usize]) {
                // A persistent one is begun again and again: the last time counts.
                begun.entry(slot).and_modify(|(last, _)| *last = at);
            }
        }
        begun
    }

    /// The requests that an operation begins.
    fn slots_begun(&self, op: Op) -> Vec<Slot> {
        match op {
            Op::Transfer { then: Then::Request(slot), .. } | Op::Collective { then: Then::Request(slot), .. } => vec![slot],
            Op::Start { requests, has_failed: false } => {
                requests.range().map(|completion| self.program.completions[completion].slot).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What a call from before the cut began, and what of it is still under way.
    fn begin_before(&mut self, walk: &mut Walk, at: usize, op: Op, a: &Arguments, begun: &FxHashMap<Slot, (usize, [u64; 2])>) {
        let own = self.slots_begun(op).first().copied();
        let first = walk.posts.len();
        self.begin(walk, at, op, a);
        for post in &mut walk.posts[first..] {
            let slot = post.slot.or(own).unwrap_or(super::NO_SLOT);
            let numbers = begun.get(&slot).filter(|(last, _)| *last == at);
            post.is_over = numbers.is_none();
            post.number =
                Some(numbers.map_or(0, |(_, [sent, other])| if matches!(post.what, What::Send(_)) { *sent } else { *other }));
            if post.is_over {
                walk.active.remove(&slot);
            }
        }
    }

    fn begin(&mut self, walk: &mut Walk, at: usize, op: Op, a: &Arguments) {
        let returned = a.outcome.is_some();
        let post = |what| Post::new(at, None, what);
        match op {
            Op::Transfer { send, receive, then } => {
                let sent = send.and_then(|send| self.stream_sent(send));
                match then {
                    Then::Persistent(slot) => {
                        walk.templates.insert(slot, (sent, receive));
                    }
                    Then::Return | Then::Request(_) => {
                        walk.posts.extend(sent.map(|stream| post(What::Send(stream))));
                        if let Some(receive) = receive {
                            let status = if then == Then::Return { a.status() } else { None };
                            let stream = self.stream_received(receive, status);
                            let is_complete = returned && then == Then::Return;
                            walk.posts.push(Post { is_complete, ..post(What::Receive(stream)) });
                        }
                    }
                }
                if let Then::Request(slot) = then {
                    walk.pending.remove(&slot);
                    walk.active.insert(slot, receive.map(|receive| (walk.posts.len() - 1, receive)));
                }
            }
            Op::Start { requests, has_failed: false } => {
                for completion in requests.range() {
                    let slot = self.program.completions[completion].slot;
                    let Some(&(sent, receive)) = walk.templates.get(&slot) else { continue };
                    let post = |what| Post::new(at, Some(slot), what);
                    walk.posts.extend(sent.map(|stream| post(What::Send(stream))));
                    if let Some(receive) = receive {
                        let stream = self.stream_received(receive, None);
                        walk.posts.push(post(What::Receive(stream)));
                    }
                    walk.pending.remove(&slot);
                    walk.active.insert(slot, receive.map(|receive| (walk.posts.len() - 1, receive)));
                }
            }
            Op::Probe { receive, take, .. } => {
                let stream = self.stream_received(receive, a.status());
                walk.posts.push(post(if take.is_some() { What::Receive(stream) } else { What::Look(stream) }));
            }
            Op::Collective { collective, then } => {
                let plan = self.program.collectives[collective as usize];
                let is_counted = !matches!(then, Then::Persistent(_)) && plan.function.gathers().is_some();
                walk.posts.push(post(if is_counted { What::Collective(plan.context) } else { What::Uncounted }));
            }
            _ => {}
        }
    }

    /// A request is complete: now it is known what a receive has taken.
    fn has_completed(&mut self, walk: &mut Walk, slot: Slot, status: Option<&Status>, (rank, dropped): (u32, &mut Dropped)) {
        if let Some(comm) = walk.pending.remove(&slot) {
            let from = status.filter(|status| !status.cancelled);
            let channel = from.and_then(|status| self.channel_of(comm, rank, status.source, false).zip(Some(status.tag)));
            if let Some(stream) = channel {
                *dropped.received.entry(stream).or_default() += 1;
            }
        } else if let Some(Some((at, receive))) = walk.active.remove(&slot) {
            walk.posts[at].is_complete = true;
            if let Some(status) = status.filter(|status| status.source >= 0)
                && let What::Receive(None) = walk.posts[at].what
            {
                walk.posts[at].what = What::Receive(self.stream_received(receive, Some(*status)));
            }
        }
    }

    fn stream_sent(&self, send: crate::program::SendId) -> Option<Stream> {
        let send = self.program.sends[send as usize];
        match send.to {
            Peer::Channel(channel) => Some((channel, send.tag)),
            _ => None,
        }
    }

    /// The stream of what a receive takes, or has taken.
    fn stream_received(&mut self, receive: ReceiveId, status: Option<Status>) -> Option<Stream> {
        let receive = self.program.receives[receive as usize];
        let tag = receive.tag.or(status.map(|status| status.tag));
        let channel = match receive.from {
            Peer::Channel(channel) => Some(channel),
            Peer::Any(mailbox) => {
                let Mailbox { context, rank } = self.program.mailboxes[mailbox as usize];
                let comm = self.program.contexts[context as usize].comm;
                self.channel_of(comm, rank, status?.source, false)
            }
            Peer::Nobody => None,
        };
        channel.zip(tag)
    }

    /// Takes away what has no counterpart any more.
    fn settle(&mut self, number: usize, posts: &[Post], dropped: &Dropped) {
        let Some(rank) = self.trace.lanes[number].rank else { return };
        let kept = self.trace.lanes[number].cut.as_ref().map_or(0, |cut| cut.kept as usize);
        let begins: FxHashSet<usize> = posts.iter().map(|post| post.at).collect();
        for at in (0..kept).filter(|at| !begins.contains(at)) {
            let step = &mut self.program.lanes[number].steps[at];
            if !matches!(self.program.ops[*step as usize], Op::Transfer { then: Then::Persistent(_), .. }) {
                *step = LOCAL;
            }
        }
        let settled = self.settled(rank, posts, dropped);
        let mut taken: FxHashSet<i64> = FxHashSet::default();
        let mut by_step: FxHashMap<usize, Vec<&Post>> = FxHashMap::default();
        for (post, _) in posts.iter().zip(settled).filter(|(_, is_settled)| *is_settled) {
            by_step.entry(post.at).or_default().push(post);
        }
        for at in 0..self.program.lanes[number].steps.len() {
            let op = self.program.ops[self.program.lanes[number].steps[at] as usize];
            let gone = by_step.get(&at).map_or(&[][..], Vec::as_slice);
            let returned = self.trace.lanes[number].events[at].outcome.is_some();
            if let Some(op) = self.without(op, gone, returned, &mut taken) {
                let step = self.op_number(op);
                self.program.lanes[number].steps[at] = step;
            }
        }
    }

    fn op_number(&mut self, op: Op) -> OpId {
        if op == Op::Local {
            return LOCAL;
        }
        self.program.ops.push(op);
        index_of_last(&self.program.ops)
    }

    /// Whether the counterpart of each post was dropped.
    fn settled(&self, rank: u32, posts: &[Post], dropped: &Dropped) -> Vec<bool> {
        let unsure = |rank: u32| dropped.unsure.get(rank as usize).copied().unwrap_or(true);
        let [mut sent, mut received] = [dropped.sent.clone(), dropped.received.clone()];
        let mut collectives: FxHashMap<ContextId, u64> = FxHashMap::default();
        let ends = |stream: &Stream| {
            let channel = self.program.channels[stream.0 as usize];
            unsure(channel.source) || unsure(self.program.mailboxes[channel.mailbox as usize].rank)
        };
        let next = |numbers: &mut FxHashMap<Stream, u64>, stream: Stream| {
            let number = numbers.entry(stream).or_default();
            *number += 1;
            *number - 1
        };
        let has_lost = |numbers: &FxHashMap<Stream, u64>, stream: &Stream| numbers.get(stream).copied().unwrap_or(0);
        let is_kept = |kept: Kept| dropped.kept.contains(&kept);
        let mut is_settled = |post: &Post| match post.what {
            _ if post.is_over => true,
            What::Send(stream) => {
                let number = post.number.unwrap_or_else(|| next(&mut sent, stream));
                number < has_lost(&dropped.received, &stream) && !is_kept(Kept::Received(stream, number)) || ends(&stream)
            }
            What::Receive(Some(stream)) => {
                let number = post.number.unwrap_or_else(|| next(&mut received, stream));
                number < has_lost(&dropped.sent, &stream) && !is_kept(Kept::Sent(stream, number)) || ends(&stream)
            }
            What::Look(Some(stream)) => {
                let number = has_lost(&received, &stream);
                number < has_lost(&dropped.sent, &stream) && !is_kept(Kept::Sent(stream, number)) || ends(&stream)
            }
            What::Receive(None) | What::Look(None) => unsure(rank),
            What::Collective(context) => {
                let own = dropped.own.get(&(context, rank)).copied().unwrap_or(0);
                let number = post.number.unwrap_or_else(|| {
                    let number = collectives.entry(context).or_default();
                    *number += 1;
                    own + *number - 1
                });
                let lost_by = |member: &u32| {
                    let lost = dropped.own.get(&(context, *member)).copied().unwrap_or(0);
                    number < lost && !is_kept(Kept::Part(context, number, *member))
                };
                let members = &self.program.contexts[context as usize].members;
                let is_lost = match number < dropped.collectives.get(&context).copied().unwrap_or(0) {
                    true if is_kept(Kept::Gathered(context, number)) => members.iter().any(lost_by),
                    is_lost => is_lost,
                };
                is_lost || members.iter().any(|member| unsure(*member))
            }
            What::Uncounted => true,
        };
        posts.iter().map(&mut is_settled).collect()
    }

    /// What is left of an operation without these parts; None if nothing changes.
    fn without(&mut self, op: Op, gone: &[&Post], returned: bool, taken: &mut FxHashSet<i64>) -> Option<Op> {
        let nothing = |then| match then {
            Then::Request(slot) => Op::Request { slot },
            Then::Return | Then::Persistent(_) => Op::Local,
        };
        if let Op::Deliver { message, then, .. } = op
            && taken.remove(&message)
        {
            return Some(nothing(then));
        }
        if gone.is_empty() {
            return None;
        }
        if !returned {
            return Some(Op::Opaque);
        }
        Some(match op {
            Op::Transfer { send, receive, then } => {
                let has_gone = |is: fn(&What) -> bool| gone.iter().any(|post| is(&post.what));
                let send = send.filter(|_| !has_gone(|what| matches!(what, What::Send(_))));
                let receive = receive.filter(|_| !has_gone(|what| matches!(what, What::Receive(_))));
                if send.is_none() && receive.is_none() { nothing(then) } else { Op::Transfer { send, receive, then } }
            }
            Op::Start { requests, has_failed } => {
                let left = requests.range().map(|at| self.program.completions[at]);
                let left: Vec<_> = left.filter(|c| !gone.iter().any(|post| post.slot == Some(c.slot))).collect();
                Op::Start { requests: self.span(left), has_failed }
            }
            Op::Probe { take, .. } => {
                taken.extend(take);
                Op::Local
            }
            Op::Collective { then, .. } => nothing(then),
            other => other,
        })
    }
}
