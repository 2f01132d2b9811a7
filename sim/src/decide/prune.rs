//! Which sends each receive may take: the receives of a mailbox one after the other, each with what is left for it.
//!
//! A receive is closed if there are no more messages for it than it takes, and nobody else could have had them: then it takes them all,
//! in every run, in whatever order they come. Receives that are not closed by themselves may be so together. If all are closed,
//! nothing that matters depends on the schedule.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use rustc_hash::{FxHashMap, FxHashSet};

use super::candidates::Candidates;
use super::model::{Model, ReceiveNo, ReceivePost, SendNo};
use super::relax::Relaxed;
use crate::program::{ChannelId, MailboxId};

/// More steps of relaxed runs than this are not made: what they would exclude then stays in.
const WORK_MAX: usize = 4_000_000_000;

/// Prunes what can match, in several threads. None if more than so many pairs would be left.
pub(crate) fn prune(model: &Model, most: usize, threads: NonZeroUsize) -> Option<Candidates> {
    let relaxed = Relaxed::new(model);
    let mut by_lane: BTreeMap<u32, Vec<MailboxId>> = BTreeMap::new();
    for mailbox in 0..u32::try_from(model.postings.len()).unwrap_or(0) {
        if let Some(owner) = relaxed.owner(mailbox) {
            by_lane.entry(owner).or_default().push(mailbox);
        }
    }
    let lanes: Vec<(u32, Vec<MailboxId>)> = by_lane.into_iter().collect();
    let wild = lanes.iter().filter(|(_, mailboxes)| is_wild(model, mailboxes)).count();
    let is_affordable = wild.saturating_mul(model.sends.len() + model.receives.len()) <= WORK_MAX;
    // Which thread takes which lanes changes nothing: no lane's receives matter to another's.
    let share = |first: usize| {
        let mut work = Pruning { model, found: Vec::new(), count: 0 };
        for (lane, mailboxes) in lanes.iter().skip(first).step_by(threads.get()) {
            let levels = (is_affordable && is_wild(model, mailboxes)).then(|| relaxed.levels(*lane, &ends(model, mailboxes)));
            for mailbox in mailboxes {
                work.mailbox(*mailbox, levels.as_deref(), most)?;
            }
        }
        Some(work.found)
    };
    let shares: Vec<Option<Vec<Found>>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.get()).map(|first| scope.spawn(move || share(first))).collect();
        let own = share(0);
        std::iter::once(own).chain(others.into_iter().map(|thread| thread.join().unwrap_or(None))).collect()
    });
    let mut lists = vec![Vec::new(); model.receives.len()];
    let mut is_closed = vec![false; model.receives.len()];
    for Found { receive, list, closed } in shares.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten() {
        lists[receive as usize] = list;
        is_closed[receive as usize] = closed;
    }
    Some(Candidates::new(lists, is_closed, model.sends.len()))
}

/// Whether one of these mailboxes has a receive from any source.
fn is_wild(model: &Model, mailboxes: &[MailboxId]) -> bool {
    let mut postings = mailboxes.iter().flat_map(|mailbox| &model.postings[*mailbox as usize]);
    postings.any(|receive| model.receives[*receive as usize].channel.is_none())
}

/// The steps of a lane that end receives of its mailboxes, and the end of all.
fn ends(model: &Model, mailboxes: &[MailboxId]) -> Vec<u32> {
    let postings = mailboxes.iter().flat_map(|mailbox| &model.postings[*mailbox as usize]);
    let mut steps: Vec<u32> = postings.filter_map(|receive| model.receives[*receive as usize].done).collect();
    steps.sort_unstable();
    steps.dedup();
    steps.push(u32::MAX);
    steps
}

/// What is known of a receive.
struct Found {
    receive: ReceiveNo,
    list: Vec<SendNo>,
    closed: bool,
}

struct Pruning<'m> {
    model: &'m Model,
    found: Vec<Found>,
    count: usize,
}

/// The receives of a mailbox, as far as they were looked at.
#[derive(Default)]
struct Mailbox {
    /// The messages that nobody certainly takes, by channel.
    left: FxHashMap<ChannelId, Vec<SendNo>>,
    channels: Vec<ChannelId>,
    /// Receives that are not closed, since everything before was.
    open: Vec<ReceiveNo>,
    /// What they may take.
    contested: FxHashSet<SendNo>,
    /// How many messages they take together.
    capacity: usize,
}

impl Pruning<'_> {
    fn mailbox(&mut self, mailbox: MailboxId, levels: Option<&[Option<u32>]>, most: usize) -> Option<()> {
        let mut state = Mailbox::default();
        for &send in self.model.arrivals[mailbox as usize].iter() {
            let channel = self.model.sends[send as usize].channel;
            let list = state.left.entry(channel).or_default();
            if list.is_empty() {
                state.channels.push(channel);
            }
            list.push(send);
        }
        for list in state.left.values_mut() {
            list.reverse();
        }
        for &number in &self.model.postings[mailbox as usize] {
            self.close_group(&mut state, number);
            let list = self.candidates(&state, number, levels);
            let receive = &self.model.receives[number as usize];
            let is_free = !list.iter().any(|send| state.contested.contains(send));
            let closed = list.len() <= receive.capacity() && is_free;
            if closed {
                take(&mut state, self.model, &list);
            } else {
                state.open.push(number);
                state.capacity += receive.capacity();
                state.contested.extend(&list);
            }
            self.count += list.len();
            self.found.push(Found { receive: number, list, closed });
            if self.count > most {
                return None;
            }
        }
        Some(())
    }

    /// What a receive may take: of each channel no more than it can reach, and nothing that needs it to be over first.
    fn candidates(&self, state: &Mailbox, number: ReceiveNo, levels: Option<&[Option<u32>]>) -> Vec<SendNo> {
        let receive = &self.model.receives[number as usize];
        let reach = receive.capacity() + state.capacity;
        let own = [receive.channel.unwrap_or_default()];
        let channels = if receive.channel.is_some() { &own[..] } else { &state.channels[..] };
        let mut list = Vec::new();
        for channel in channels {
            let Some(left) = state.left.get(channel) else { continue };
            let fitting = left.iter().rev().copied().filter(|send| receive.fits(&self.model.sends[*send as usize]));
            let is_there = |send: &SendNo| levels.is_none_or(|levels| is_in_time(levels[*send as usize], receive));
            list.extend(fitting.take_while(is_there).take(reach));
        }
        list.sort_unstable();
        list
    }

    /// If open receives together have no more messages than they take, and are over before this one, what they take is settled.
    fn close_group(&self, state: &mut Mailbox, next: ReceiveNo) {
        let begin = self.model.receives[next as usize].at.step;
        let is_over = |receive: &ReceiveNo| self.model.receives[*receive as usize].done.is_some_and(|done| done < begin);
        if state.open.is_empty() || state.contested.len() > state.capacity || !state.open.iter().all(is_over) {
            return;
        }
        let mut list: Vec<SendNo> = state.contested.drain().collect();
        list.sort_unstable();
        take(state, self.model, &list);
        state.open.clear();
        state.capacity = 0;
    }
}

/// Whether a send can be posted before a receive is over.
fn is_in_time(level: Option<u32>, receive: &ReceivePost) -> bool {
    level.is_some_and(|level| receive.done.is_none_or(|done| level <= done))
}

/// Takes messages, sorted, out of what is left.
fn take(state: &mut Mailbox, model: &Model, sends: &[SendNo]) {
    for sends in sends.chunk_by(|a, b| model.sends[*a as usize].channel == model.sends[*b as usize].channel) {
        let channel = model.sends[sends[0] as usize].channel;
        if let Some(left) = state.left.get_mut(&channel) {
            // The first are at the end.
            let from = left.partition_point(|send| *send > sends[sends.len() - 1]);
            let kept: Vec<SendNo> = left.drain(from..).filter(|send| sends.binary_search(send).is_err()).collect();
            left.extend(kept);
        }
    }
}
