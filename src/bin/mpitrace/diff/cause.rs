//! Why two runs part: the last outcome before it that MPI was free to choose, and that was another one.
//!
//! It is looked for on the rank that parts and on all from which it has heard, by messages and collectives. What cannot matter, because the messages
//! were alike and no status was asked for, is no reason. Where MPI chose alike, other data are told of; they came from outside.

use std::collections::HashMap;

use replay::comparison::{self, Difference, Parting, Side, Thread};
use sim::Place;
use traces::Event;

use super::Parted;

/// The reason of a parting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What MPI made of this call: the thread, and which of its outcomes.
    Outcome {
        /// The thread, by number.
        thread: usize,
        /// What differs.
        difference: Difference,
    },
    /// A poll found nothing in one run, and something in the other.
    Poll {
        /// The thread, by number.
        thread: usize,
        /// The polls, or what came in their place.
        events: [Option<usize>; 2],
        /// How often nothing was found.
        times: [u64; 2],
    },
    /// Another thread had parted before, and it has heard from that.
    Parting {
        /// The thread, by number.
        thread: usize,
    },
    /// MPI chose alike; the first data that differ.
    Data {
        /// The thread, by number.
        thread: usize,
        /// The calls that sent or received them.
        events: [usize; 2],
    },
    /// Nothing differs before.
    Unknown,
}

/// Every parting with its reason, the first in time first.
pub fn find(sides: [Side; 2], threads: &[Thread]) -> Vec<Parted> {
    let mut parted: Vec<(usize, &Parting)> =
        threads.iter().enumerate().filter_map(|(number, thread)| Some((number, thread.parting.as_ref()?))).collect();
    parted.sort_by_key(|(number, parting)| begin_ns(sides, &threads[*number], parting));
    let pasts = pasts(sides, threads, &parted);
    let cause = |(thread, parting): (usize, &Parting)| {
        let past = pasts.get(&thread);
        let finder = Finder { sides, threads, thread, past };
        let cause = finder.poll(parting).or_else(|| finder.parting()).or_else(|| finder.outcome()).or_else(|| finder.data());
        Parted { thread, cause: cause.unwrap_or(Cause::Unknown) }
    };
    let mut list: Vec<Parted> = parted.into_iter().map(cause).collect();
    // Where it began comes first, though clocks may differ.
    list.sort_by_key(|parted| matches!(parted.cause, Cause::Parting { .. }));
    list
}

/// When a thread parts, in the first run as far as it has that call.
fn begin_ns(sides: [Side; 2], thread: &Thread, parting: &Parting) -> u64 {
    let start = |side: usize| Some(sides[side].trace.lanes[thread.lanes[side]].events[parting.events[side]?].start_ns);
    start(0).or_else(|| start(1)).unwrap_or(u64::MAX)
}

/// For each thread that parts: how many calls of each lane it has heard of till then. It is told by the run that goes on there.
fn pasts(sides: [Side; 2], threads: &[Thread], parted: &[(usize, &Parting)]) -> HashMap<usize, (usize, Vec<u32>)> {
    let mut pasts = HashMap::new();
    for (side, of) in sides.into_iter().enumerate() {
        let asked: Vec<(usize, Place)> = parted
            .iter()
            .filter_map(|&(thread, parting)| {
                // The first run tells, where it can.
                let event = parting.events[side].filter(|_| side == 0 || parting.events[0].is_none())?;
                let lane = u32::try_from(threads[thread].lanes[side]).ok()?;
                Some((thread, Place { lane, event: u32::try_from(event).ok()? }))
            })
            .collect();
        let places: Vec<Place> = asked.iter().map(|(_, place)| *place).collect();
        let found = if places.is_empty() { None } else { sim::pasts(of.trace, &places) };
        for ((thread, _), past) in asked.iter().zip(found.unwrap_or_default()) {
            pasts.extend(past.map(|past| (*thread, (side, past))));
        }
    }
    pasts
}

/// Looks for the reason of one thread's parting.
struct Finder<'a> {
    sides: [Side<'a>; 2],
    threads: &'a [Thread],
    thread: usize,
    /// How many calls of each lane of one of the runs it has heard of.
    past: Option<&'a (usize, Vec<u32>)>,
}

impl<'a> Finder<'a> {
    fn event(&self, side: usize, thread: usize, event: usize) -> &'a Event {
        &self.sides[side].trace.lanes[self.threads[thread].lanes[side]].events[event]
    }

    /// Whether the thread that parts has heard of a call of another one, or made it itself before.
    fn has_heard_of(&self, thread: usize, events: [usize; 2]) -> bool {
        // What a thread of its own has done till it parts, it has done before.
        thread == self.thread
            || self.past.is_some_and(|(side, known)| {
                let lane = self.threads[thread].lanes[*side];
                known.get(lane).is_some_and(|calls| u64::from(*calls) > events[*side] as u64)
            })
    }

    /// When a call of both runs returned in the first.
    fn end_ns(&self, thread: usize, event: usize) -> u64 {
        self.event(0, thread, event).end_ns()
    }

    /// A poll that is found on one side where on the other polls of the same line found nothing, and other calls follow.
    fn poll(&self, parting: &Parting) -> Option<Cause> {
        let thread = &self.threads[self.thread];
        let call = |side: usize, event: usize| {
            let call = self.sides[side].trace.call(self.event(side, self.thread, event).call);
            let place = call.site.and_then(|site| self.sides[side].places.get(site.0 as usize).copied().flatten());
            (call, place)
        };
        let times = [0, 1].map(|side| {
            let lane = &self.sides[side].trace.lanes[thread.lanes[side]];
            let polls = parting.polls[side].iter().map(|event| lane.words_of(&lane.events[*event]).first().copied().unwrap_or(1));
            polls.sum::<u64>()
        });
        // It found something here, and nothing there before the other call.
        for side in [0, 1] {
            let Some(found) = parting.events[side] else { continue };
            let (found_call, found_at) = call(side, found);
            let is_same = |event: &&usize| {
                let (other, at) = call(1 - side, **event);
                comparison::is_same_poll(found_call, other, [found_at, at])
            };
            if let Some(nothing) = parting.polls[1 - side].iter().rev().find(is_same) {
                let events = if side == 0 { [Some(found), Some(*nothing)] } else { [Some(*nothing), Some(found)] };
                return Some(Cause::Poll { thread: self.thread, events, times });
            }
        }
        None
    }

    /// The last thread that had parted before, of which this one has heard.
    fn parting(&self) -> Option<Cause> {
        let others = self.threads.iter().enumerate().filter(|(number, _)| *number != self.thread);
        let heard = others.filter_map(|(number, thread)| {
            let (side, known) = self.past?;
            let event = thread.parting.as_ref()?.events[*side]?;
            let is_heard = known.get(thread.lanes[*side]).is_some_and(|calls| u64::from(*calls) > event as u64);
            is_heard.then_some((self.event(*side, number, event).start_ns, number))
        });
        // The first to part is where it began.
        heard.min().map(|(_, thread)| Cause::Parting { thread })
    }

    /// The last outcome that was another one and can matter.
    fn outcome(&self) -> Option<Cause> {
        let all =
            self.threads.iter().enumerate().flat_map(|(number, thread)| thread.outcomes.iter().map(move |one| (number, one)));
        let heard = all.filter(|(thread, one)| !one.is_alike && self.has_heard_of(*thread, one.events));
        let last = heard.max_by_key(|(thread, one)| (self.end_ns(*thread, one.events[0]), *thread == self.thread));
        last.map(|(thread, difference)| Cause::Outcome { thread, difference: difference.clone() })
    }

    /// The first data that were others.
    fn data(&self) -> Option<Cause> {
        let all = self.threads.iter().enumerate().filter_map(|(number, thread)| Some((number, thread.data?)));
        let heard = all.filter(|(thread, events)| self.has_heard_of(*thread, *events));
        let first = heard.min_by_key(|(thread, events)| self.event(0, *thread, events[0]).start_ns);
        first.map(|(thread, events)| Cause::Data { thread, events })
    }
}
