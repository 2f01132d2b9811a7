//! The search for calls by a part of their function's name.
//!
//! Names are held against the distinct calls once; finding the next match then compares numbers.

use sim::Place;
use traces::{Event, Trace};

use super::{Step, place};

/// A search.
pub struct Search {
    /// What was searched for.
    pub text: String,
    /// Which of the distinct calls match.
    matching: Vec<bool>,
}

impl Search {
    /// Looks for functions with this in their name, in upper or lower case.
    pub fn new(text: String, trace: &Trace) -> Search {
        let part = text.to_ascii_lowercase();
        let matches = |name: &str| name.to_ascii_lowercase().contains(&part);
        let matching = trace.calls.iter().map(|call| matches(call.function.name())).collect();
        Search { text, matching }
    }

    /// Whether an event is one of those searched for.
    pub fn matches(&self, event: &Event) -> bool {
        self.matching[event.call.0 as usize]
    }

    /// The match before or after a call: in its lane, then in the lanes that follow; round again after the last lane.
    pub fn step(&self, trace: &Trace, from: Place, step: Step) -> Option<Place> {
        let (own, at) = (from.lane as usize, from.event as usize);
        let found = |lane: usize, events: std::ops::Range<usize>| {
            let list = &trace.lanes[lane].events[events.clone()];
            let hit = match step {
                Step::Next => list.iter().position(|e| self.matches(e)),
                Step::Previous => list.iter().rposition(|e| self.matches(e)),
            };
            hit.map(|event| place(lane, events.start + event))
        };
        let whole = |lane: usize| found(lane, 0..trace.lanes[lane].events.len());
        let lanes = trace.lanes.len();
        match step {
            Step::Next => found(own, at + 1..trace.lanes[own].events.len())
                .or_else(|| (own + 1..lanes).chain(0..own).find_map(whole))
                .or_else(|| found(own, 0..at)),
            Step::Previous => found(own, 0..at)
                .or_else(|| (0..own).rev().chain((own + 1..lanes).rev()).find_map(whole))
                .or_else(|| found(own, at + 1..trace.lanes[own].events.len())),
        }
    }

    /// The call itself if it matches, else the next match.
    pub fn at_or_after(&self, trace: &Trace, from: Place) -> Option<Place> {
        let event = &trace.lanes[from.lane as usize].events[from.event as usize];
        if self.matches(event) { Some(from) } else { self.step(trace, from, Step::Next) }
    }
}
