//! Makes a [`Trace`] call by call: what reads segments, simulates, imports or tests goes through here.
//!
//! It keeps the dictionaries of distinct calls, outcomes and sites. It does not check that the calls make sense.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::call::{Call, Outcome, Value};
use crate::function::Function;
use crate::site::{Frame, FrameId, Object, Site, SiteId};
use crate::trace::{CallId, Event, Lane, OutcomeId, Process, Trace};

/// A trace in the making.
#[derive(Debug, Default)]
pub struct TraceBuilder {
    trace: Trace,
    calls: FxHashMap<Call, u32>,
    outcomes: FxHashMap<Outcome, u32>,
    sites: FxHashMap<Site, u32>,
    frames: FxHashMap<Frame, u32>,
    objects: FxHashMap<Object, u32>,
}

/// The number of `value` in `list`, where it is put if it is new.
fn intern<T: Clone + Eq + Hash>(list: &mut Vec<T>, numbers: &mut FxHashMap<T, u32>, value: T) -> u32 {
    if let Some(&number) = numbers.get(&value) {
        return number;
    }
    let number = u32::try_from(list.len()).expect("fewer than 2^32 distinct calls");
    list.push(value.clone());
    numbers.insert(value, number);
    number
}

impl TraceBuilder {
    /// An empty trace.
    #[must_use]
    pub fn new() -> TraceBuilder {
        TraceBuilder::default()
    }

    /// A trace of `ranks` processes with one lane each, finalized, as tests and simulations want it.
    #[must_use]
    pub fn with_ranks(ranks: u32) -> TraceBuilder {
        let mut builder = TraceBuilder::new();
        builder.trace.world_size = ranks;
        for rank in 0..ranks {
            builder.process(Process { rank: Some(rank), ending: crate::Ending::Finalized, ..Process::default() });
            builder.lane(Lane { process: rank, rank: Some(rank), ..Lane::default() });
        }
        builder
    }

    /// Sets how many ranks MPI_COMM_WORLD has.
    pub fn world_size(&mut self, ranks: u32) {
        self.trace.world_size = ranks;
    }

    /// Says that something is missing.
    pub fn damage(&mut self, what: String) {
        self.trace.damage.push(what);
    }

    /// Adds a process and gives its number.
    pub fn process(&mut self, process: Process) -> u32 {
        self.trace.processes.push(process);
        u32::try_from(self.trace.processes.len() - 1).expect("fewer than 2^32 processes")
    }

    /// Adds a lane and gives its number.
    pub fn lane(&mut self, lane: Lane) -> usize {
        self.trace.lanes.push(lane);
        self.trace.lanes.len() - 1
    }

    /// The number of this object.
    pub fn object(&mut self, object: Object) -> u32 {
        intern(&mut self.trace.objects, &mut self.objects, object)
    }

    /// The number of this site.
    pub fn site(&mut self, site: Site) -> SiteId {
        SiteId(intern(&mut self.trace.sites, &mut self.sites, site))
    }

    /// The number of this frame.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        FrameId(intern(&mut self.trace.frames, &mut self.frames, frame))
    }

    /// The number of this call.
    pub fn call(&mut self, call: Call) -> CallId {
        CallId(intern(&mut self.trace.calls, &mut self.calls, call))
    }

    /// The number of this outcome.
    pub fn outcome(&mut self, outcome: Outcome) -> OutcomeId {
        OutcomeId(intern(&mut self.trace.outcomes, &mut self.outcomes, outcome))
    }

    /// Makes room for this many more events in a lane.
    pub fn reserve(&mut self, lane: usize, events: usize) {
        self.trace.lanes[lane].events.reserve(events.min(1 << 24));
    }

    /// Adds an event to a lane; `words_at` and `words_len` are set from `words`.
    pub fn event(&mut self, lane: usize, mut event: Event, words: &[u64]) {
        let lane = &mut self.trace.lanes[lane];
        event.words_at = u32::try_from(lane.words.len()).unwrap_or(u32::MAX);
        event.words_len = u16::try_from(words.len()).unwrap_or(0);
        lane.words.extend_from_slice(words);
        lane.events.push(event);
    }

    /// Adds a call by name, for tests and samples: arguments and results as `(parameter, value)`, a microsecond after the last one.
    /// `results` of None is a call that never returned. `line` becomes the site, in an object called `program`.
    pub fn push(
        &mut self,
        lane: usize,
        function: Function,
        line: u64,
        arguments: &[(&str, Value)],
        results: Option<&[(&str, Value)]>,
    ) {
        let place = |pairs: &[(&str, Value)]| {
            let mut values = vec![Value::Nil; function.parameters().len()];
            for (name, value) in pairs {
                values[function.parameter(name).unwrap_or_else(|| panic!("{function} has no {name}"))] = value.clone();
            }
            values.into_boxed_slice()
        };
        let object = self.object(Object { path: "program".into(), build_id: "".into() });
        let site = self.site(Site { object, offset: line, method: None });
        let call = self.call(Call { function, site: Some(site), caller: None, arguments: place(arguments) });
        let outcome = results.map(|r| self.outcome(Outcome { code: 0, results: place(r) }));
        let start_ns = self.trace.lanes[lane].events.last().map_or(0, |e| e.end_ns() + 1000);
        let event = Event { call, outcome, start_ns, duration_ns: 1000, words_at: 0, words_len: 0 };
        self.event(lane, event, &[]);
    }

    /// The trace, its lanes by rank and thread.
    #[must_use]
    pub fn finish(mut self) -> Trace {
        self.trace.lanes.sort_by_key(|l| (l.rank.is_none(), l.rank, l.process, l.thread));
        self.trace
    }
}
