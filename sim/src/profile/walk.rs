//! Adds up the events of a trace: lane by lane, a counter a distinct call, and those once a lane into the sums.

use rustc_hash::FxHashMap;
use traces::constant::COMM_NULL;
use traces::function::{Class, Function, mpi};
use traces::{Event, Frame, Lane, Trace};

use super::volume::{Caller, Volume, Way};
use super::{Messages, Profile, RankSum, SIZES, Sum, bucket, by_time};
use crate::layout::Layouts;
use crate::lift::{Arguments, Communicators, Datatypes};

/// What is counted of a distinct call in one lane.
#[derive(Default)]
struct Counter {
    call: u32,
    volume: Option<Volume>,
    /// Whether every event of it has to be looked at: it makes a datatype or a persistent request, or starts or frees one.
    is_special: bool,
    sum: Sum,
    /// How often it returned without an error.
    succeeded: u64,
}

/// The profile of a trace, of all ranks or of those that `wanted` says.
#[must_use]
pub fn profile(trace: &Trace, wanted: impl Fn(u32) -> bool) -> Profile {
    let mut walk = Walk::new(trace);
    for (number, lane) in trace.lanes.iter().enumerate() {
        match lane.rank {
            Some(rank) if wanted(rank) => walk.lane(number, rank, lane),
            Some(_) => {}
            None => walk.without_rank += lane.events.len() as u64,
        }
    }
    walk.finish()
}

/// The sums in the making.
struct Walk<'t> {
    trace: &'t Trace,
    communicators: Communicators,
    layouts: Layouts,
    datatypes: Vec<Datatypes>,
    /// The persistent requests of the process in work.
    persistent: FxHashMap<i64, Volume>,
    process: Option<u32>,
    /// For each call of the trace, the lane that met it last, and its counter there.
    known: Vec<(u32, u32)>,
    has_failed: Vec<bool>,
    ranks: Vec<RankSum>,
    functions: FxHashMap<Function, Sum>,
    sites: FxHashMap<(Option<Frame>, Function), Sum>,
    pairs: FxHashMap<(u32, u32), Messages>,
    sizes: [Messages; SIZES],
    unknown: u64,
    without_rank: u64,
}

impl<'t> Walk<'t> {
    fn new(trace: &'t Trace) -> Walk<'t> {
        // Members count whether they were recorded or not.
        let present = vec![true; trace.world_size as usize];
        Walk {
            trace,
            communicators: Communicators::of(trace, &present, &mut Vec::new()),
            layouts: Layouts::default(),
            datatypes: (0..trace.processes.len().max(1)).map(|_| Datatypes::default()).collect(),
            persistent: FxHashMap::default(),
            process: None,
            known: vec![(u32::MAX, 0); trace.calls.len()],
            has_failed: trace.outcomes.iter().map(|outcome| outcome.code != 0).collect(),
            ranks: Vec::new(),
            functions: FxHashMap::default(),
            sites: FxHashMap::default(),
            pairs: FxHashMap::default(),
            sizes: [Messages::default(); SIZES],
            unknown: 0,
            without_rank: 0,
        }
    }

    fn lane(&mut self, number: usize, rank: u32, lane: &Lane) {
        if self.process != Some(lane.process) {
            self.process = Some(lane.process);
            self.persistent.clear();
        }
        if self.ranks.last().is_none_or(|last| last.rank != rank) {
            self.ranks.push(RankSum { rank, ..RankSum::default() });
        }
        let stamp = u32::try_from(number).unwrap_or(u32::MAX - 1);
        let mut counters: Vec<Counter> = Vec::new();
        for event in &lane.events {
            let slot = self.known[event.call.0 as usize];
            let at = if slot.0 == stamp {
                slot.1 as usize
            } else {
                counters.push(self.counter(event, rank, lane.process));
                let at = counters.len() - 1;
                self.known[event.call.0 as usize] = (stamp, u32::try_from(at).unwrap_or(u32::MAX));
                at
            };
            let counter = &mut counters[at];
            counter.sum.calls += 1;
            counter.sum.time_ns += event.duration_ns;
            counter.sum.max_ns = counter.sum.max_ns.max(event.duration_ns);
            let has_succeeded = event.outcome.is_some_and(|o| !self.has_failed[o.0 as usize]);
            counter.succeeded += u64::from(has_succeeded);
            if counter.is_special && has_succeeded {
                self.special(event, rank, lane.process, counter);
            }
        }
        let first = lane.events.first().map_or(0, |event| event.start_ns);
        let run_ns = lane.events.last().map_or(0, |event| event.end_ns().saturating_sub(first));
        if let Some(last) = self.ranks.last_mut() {
            last.run_ns += run_ns;
        }
        for counter in counters {
            self.flush(counter, rank);
        }
    }

    fn arguments(&self, event: &Event) -> Arguments<'t> {
        Arguments { call: self.trace.call(event.call), outcome: event.outcome.map(|o| self.trace.outcome(o)) }
    }

    fn process(&self, process: u32) -> usize {
        (process as usize).min(self.datatypes.len() - 1)
    }

    fn counter(&self, event: &Event, rank: u32, process: u32) -> Counter {
        let a = self.arguments(event);
        let datatypes = &self.datatypes[self.process(process)];
        let caller = Caller { rank, datatypes, layouts: &self.layouts, communicators: &self.communicators };
        let volume = if a.call.int("comm") == Some(COMM_NULL) { None } else { caller.volume(&a) };
        let starts = matches!(a.function(), mpi::START | mpi::STARTALL);
        let is_special = starts || a.function().class() == Class::Datatype || volume.is_some_and(|v| v.is_persistent);
        Counter { call: event.call.0, volume, is_special, sum: Sum { max_rank: rank, ..Sum::default() }, succeeded: 0 }
    }

    /// What an event does that later ones of other calls depend on, and what it sends by persistent requests.
    fn special(&mut self, event: &Event, rank: u32, process: u32, counter: &mut Counter) {
        let a = self.arguments(event);
        match (a.function(), counter.volume) {
            (mpi::START | mpi::STARTALL, _) => {
                let requests = a.call.int("request").into_iter().chain(a.call.ints("array_of_requests").iter().copied());
                for volume in requests.filter_map(|request| self.persistent.get(&request).copied()).collect::<Vec<_>>() {
                    self.send(volume, 1, rank, &mut counter.sum);
                }
            }
            (_, Some(volume)) => {
                if let Some(request) = a.result("request").int() {
                    self.persistent.insert(request, volume);
                }
            }
            _ => {
                let at = self.process(process);
                self.datatypes[at].define(&a, &mut self.layouts);
            }
        }
    }

    /// The same thing sent so many times.
    fn send(&mut self, volume: Volume, times: u64, rank: u32, sum: &mut Sum) {
        let bytes = volume.bytes.unwrap_or(0);
        let messages = Messages { count: times, bytes: bytes.saturating_mul(times) };
        self.unknown += if volume.bytes.is_none() { times } else { 0 };
        let add = |to: &mut u64| *to = to.saturating_add(messages.bytes);
        match volume.way {
            Way::Message(Some(to)) => {
                sum.sent.add(messages);
                self.pairs.entry((rank, to)).or_default().add(messages);
                self.sizes[bucket(bytes)].add(messages);
            }
            Way::Message(None) | Way::Handed => add(&mut sum.handed_bytes),
            Way::Got => add(&mut sum.got_bytes),
            Way::Exchanged => {
                add(&mut sum.handed_bytes);
                add(&mut sum.got_bytes);
            }
            Way::Read => add(&mut sum.read_bytes),
            Way::Written => add(&mut sum.written_bytes),
        }
    }

    fn flush(&mut self, mut counter: Counter, rank: u32) {
        let mut sum = counter.sum;
        if let Some(volume) = counter.volume.take().filter(|v| !v.is_persistent && counter.succeeded > 0) {
            self.send(volume, counter.succeeded, rank, &mut sum);
        }
        let call = &self.trace.calls[counter.call as usize];
        self.functions.entry(call.function).or_default().add(&sum);
        self.sites.entry((call.frame(), call.function)).or_default().add(&sum);
        if let Some(last) = self.ranks.last_mut() {
            last.sum.add(&sum);
        }
    }

    fn finish(mut self) -> Profile {
        for (&(_, to), messages) in &self.pairs {
            if let Ok(at) = self.ranks.binary_search_by_key(&to, |r| r.rank) {
                self.ranks[at].received.add(*messages);
            }
        }
        let mut pairs: Vec<_> = self.pairs.into_iter().collect();
        pairs.sort_unstable_by_key(|(pair, _)| *pair);
        Profile {
            ranks: self.ranks,
            functions: by_time(self.functions),
            sites: by_time(self.sites),
            pairs,
            sizes: self.sizes,
            unknown: self.unknown,
            without_rank: self.without_rank,
        }
    }
}
