//! Two runs of one program side by side: up to where each thread makes the same calls, and in what their outcomes differ till then.
//!
//! Calls are the same that `likeness` takes for the same, of the same place in the program, with the same handles as the program has made them
//! one after the other. Times, addresses, and how often a poll finds nothing are not compared; nor is what asks about the environment, such as
//! MPI_Wtime. What could be the reason for a difference is not said here: that takes more than one thread.

use std::collections::{HashMap, HashSet};

use traces::constant::FIRST_MADE;
use traces::{Call, Class, Event, Function, Kind, Lane, SiteId, Trace, Value, mpi, words};

use crate::choice::{Choice, Wildcards, is_poll};
use crate::likeness;

/// One of the two runs.
#[derive(Clone, Copy, Debug)]
pub struct Side<'t> {
    /// Its trace.
    pub trace: &'t Trace,
    /// By site: its place in the program, as a number that both runs have in common. None where it is not known: then it is not compared.
    pub places: &'t [Option<u32>],
}

/// A thread in both runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// Its rank.
    pub rank: u32,
    /// Its number in its process.
    pub thread: u32,
    /// Its lane in either trace.
    pub lanes: [usize; 2],
    /// How many calls were compared and are the same.
    pub calls: u64,
    /// Where the calls differ.
    pub parting: Option<Parting>,
    /// Calls till then of which MPI made something else.
    pub outcomes: Vec<Difference>,
    /// The first call till then that sent or received other data.
    pub data: Option<[usize; 2]>,
    /// The polls till then that found nothing another number of times.
    pub polls: Vec<Polled>,
}

/// Where the calls of a thread begin to differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The events in either lane; None where it makes no further call.
    pub events: [Option<usize>; 2],
    /// The polls just before that found nothing.
    pub polls: [Vec<usize>; 2],
}

/// The same call in both runs, of which MPI made something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The events in either lane.
    pub events: [usize; 2],
    /// What it was.
    pub choices: [Vec<Choice>; 2],
    /// Whether it cannot matter: the same data came with the same tag, and the program does not look at the status.
    pub is_alike: bool,
}

/// Polls between two calls that found nothing another number of times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// The first such poll in either lane, if there was any.
    pub events: [Option<usize>; 2],
    /// How often they found nothing.
    pub times: [u64; 2],
}

/// Compares the threads that are in both runs, in the order of ranks.
#[must_use]
pub fn compare(sides: [Side; 2]) -> Vec<Thread> {
    let numbered = sides[1].trace.lanes.iter().enumerate().map(|(number, lane)| ((lane.rank, lane.thread), number));
    let others: HashMap<(Option<u32>, u32), usize> = numbered.collect();
    let threads = sides.map(|side| {
        let mut threads: HashMap<u32, usize> = HashMap::new();
        side.trace.lanes.iter().for_each(|lane| *threads.entry(lane.process).or_default() += 1);
        threads
    });
    let lanes = sides[0].trace.lanes.iter().enumerate().filter(|(_, lane)| lane.rank.is_some());
    let pairs = lanes.filter_map(|(number, lane)| Some([number, *others.get(&(lane.rank, lane.thread))?]));
    pairs
        .map(|lanes| {
            let is_alone = |at: usize| threads[at].get(&sides[at].trace.lanes[lanes[at]].process) == Some(&1);
            thread(sides, lanes, is_alone(0) && is_alone(1))
        })
        .collect()
}

/// The threads of ranks that only one of the runs has, by side: rank and thread.
#[must_use]
pub fn alone(sides: [Side; 2]) -> [Vec<(u32, u32)>; 2] {
    let of = |side: Side| -> Vec<(u32, u32)> {
        let compared = side.trace.lanes.iter().filter(|lane| lane.events.iter().any(|event| is_compared(side.trace, event)));
        compared.filter_map(|lane| Some((lane.rank?, lane.thread))).collect()
    };
    let [one, two] = sides.map(of);
    let missing = |list: &[(u32, u32)], other: &[(u32, u32)]| {
        let known: HashSet<&(u32, u32)> = other.iter().collect();
        list.iter().filter(|key| !known.contains(key)).copied().collect()
    };
    [missing(&one, &two), missing(&two, &one)]
}

/// Compares one thread; `is_alone` in its process in both runs.
fn thread(sides: [Side; 2], lanes: [usize; 2], is_alone: bool) -> Thread {
    let lane = &sides[0].trace.lanes[lanes[0]];
    let mut thread = Thread { rank: lane.rank.unwrap_or_default(), thread: lane.thread, lanes, ..Thread::default() };
    let mut walks = [0, 1].map(|at| Walk::new(sides[at], lanes[at], is_alone));
    loop {
        let steps = walks.each_mut().map(Walk::next);
        let [one, two] = &steps;
        if !is_same(one, two) {
            let ends = steps.each_ref().map(|step| step.event);
            let polls = steps.map(|step| step.polls);
            thread.parting = (ends != [None, None]).then_some(Parting { events: ends, polls });
            return thread;
        }
        let [Some(first), Some(second)] = [one.event, two.event] else {
            thread.count_polls(sides, &steps);
            return thread;
        };
        thread.count_polls(sides, &steps);
        thread.calls += 1;
        thread.compare_outcomes(sides, [first, second], [one.choices.clone(), two.choices.clone()]);
    }
}

fn is_same(one: &Step, two: &Step) -> bool {
    let have_one_place = one.place.zip(two.place).is_none_or(|(one, two)| one == two);
    one.key == two.key && have_one_place && one.event.is_some() == two.event.is_some()
}

impl Thread {
    fn count_polls(&mut self, sides: [Side; 2], steps: &[Step; 2]) {
        let times = [0, 1].map(|at| {
            let lane = &sides[at].trace.lanes[self.lanes[at]];
            steps[at].polls.iter().map(|&event| times(lane, &lane.events[event])).sum::<u64>()
        });
        if times[0] != times[1] {
            self.polls.push(Polled { events: steps.each_ref().map(|step| step.polls.first().copied()), times });
        }
    }

    fn compare_outcomes(&mut self, sides: [Side; 2], events: [usize; 2], choices: [Vec<Choice>; 2]) {
        let lane = |at: usize| &sides[at].trace.lanes[self.lanes[at]];
        let event = |at: usize| &lane(at).events[events[at]];
        // Of a call that never returned there is nothing to compare.
        if event(0).outcome.is_none() || event(1).outcome.is_none() {
            return;
        }
        let words = [0, 1].map(|at| lane(at).words_of(event(at)));
        let has_same_data = words[0] == words[1];
        if !has_same_data && self.data.is_none() && words[0].len() == words[1].len() {
            self.data = Some(events);
        }
        if choices[0] != choices[1] {
            let lengths = [0, 1].map(|at| known_lengths(sides[at].trace, event(at), words[at]));
            let is_alike = has_same_data && same_but_for_sources(&choices) && lengths[0].is_some() && lengths[0] == lengths[1];
            self.outcomes.push(Difference { events, choices, is_alike });
        }
    }
}

/// Whether the choices are messages that differ in nothing but who sent them.
fn same_but_for_sources([one, two]: &[Vec<Choice>; 2]) -> bool {
    let tag = |choice: &Choice| if let Choice::Message { tag, .. } = choice { Some(*tag) } else { None };
    one.len() == two.len() && one.iter().zip(two).all(|pair| tag(pair.0).is_some() && tag(pair.0) == tag(pair.1))
}

/// The lengths of all that was received, if digests of it are there that stand for every byte, and the program cannot look at the statuses.
fn known_lengths(trace: &Trace, event: &Event, digests: &[u64]) -> Option<Vec<i64>> {
    let call = trace.call(event.call);
    let outcome = trace.outcome(event.outcome?);
    let received = words::of(call, outcome, digests).into_iter().filter(|word| word.of == words::Of::Received);
    let is_small = |bytes: i64| u64::try_from(bytes).is_ok_and(|bytes| bytes <= traces::payload::WHOLE_MAX);
    let lengths: Vec<i64> = outcome.statuses(call.function).map(|status| status.bytes).collect();
    let is_known = call.ignores_statuses()
        && lengths.iter().all(|bytes| is_small(*bytes))
        && received.filter(|word| word.digest != 0).count() >= lengths.iter().filter(|bytes| **bytes > 0).count();
    is_known.then_some(lengths)
}

/// How often a poll that found nothing was made in a row.
fn times(lane: &Lane, event: &Event) -> u64 {
    lane.words_of(event).first().copied().unwrap_or(1)
}

/// Whether a call is compared at all.
fn is_compared(trace: &Trace, event: &Event) -> bool {
    let function = trace.call(event.call).function;
    match function.class() {
        Class::Environment => matches!(function, mpi::INIT | mpi::INIT_THREAD | mpi::FINALIZE | mpi::ABORT),
        // What a program or a binding asks about itself has no influence on others.
        Class::Attribute | Class::Errhandler | Class::Memory | Class::Info => false,
        _ => true,
    }
}

/// A call of a thread, with the polls before it that found nothing.
struct Step {
    key: Option<u64>,
    place: Option<u32>,
    event: Option<usize>,
    choices: Vec<Choice>,
    polls: Vec<usize>,
}

/// A thread, call by call.
struct Walk<'t> {
    side: Side<'t>,
    lane: &'t Lane,
    at: usize,
    wildcards: Wildcards,
    /// The requests in the order that the program made them; None where other threads make some, too.
    requests: Option<HashMap<i64, u64>>,
    made: u64,
    /// What calls that name no request have in common with those of the other run.
    keys: HashMap<u32, u64>,
}

impl<'t> Walk<'t> {
    fn new(side: Side<'t>, lane: usize, is_alone: bool) -> Walk<'t> {
        let lane = &side.trace.lanes[lane];
        let requests = is_alone.then(HashMap::new);
        Walk { side, lane, at: 0, wildcards: Wildcards::default(), requests, made: 0, keys: HashMap::new() }
    }

    fn next(&mut self) -> Step {
        let mut polls = Vec::new();
        while let Some(event) = self.lane.events.get(self.at) {
            let number = self.at;
            self.at += 1;
            if !is_compared(self.side.trace, event) {
                continue;
            }
            let call = self.side.trace.call(event.call);
            let choices = self.choices(event);
            if matches!(choices[..], [Choice::Nothing(_)]) {
                polls.push(number);
                continue;
            }
            let key = Some(self.key(event, call));
            self.note(event, call);
            let place = call.site.and_then(|site| self.place(site));
            return Step { key, place, event: Some(number), choices, polls };
        }
        Step { key: None, place: None, event: None, choices: Vec::new(), polls }
    }

    fn place(&self, site: SiteId) -> Option<u32> {
        self.side.places.get(site.0 as usize).copied().flatten()
    }

    fn choices(&mut self, event: &Event) -> Vec<Choice> {
        if !likeness::is_followed(self.side.trace.call(event.call).function) {
            return Vec::new();
        }
        let outcome = event.outcome.map(|outcome| self.side.trace.outcome(outcome));
        let call = self.side.trace.call(event.call);
        outcome.map_or_else(Vec::new, |outcome| self.wildcards.of_call(call, outcome, self.lane.words_of(event)))
    }

    /// Takes note of the request that a call makes.
    fn note(&mut self, event: &Event, call: &Call) {
        let Some(outcome) = event.outcome.map(|outcome| self.side.trace.outcome(outcome)) else { return };
        let made = outcome.result(call.function, "request").int();
        if let (Some(request), Some(requests)) = (made, &mut self.requests) {
            requests.insert(request, self.made);
            self.made += 1;
        }
    }

    /// What a call has in common with the same one of another run.
    fn key(&mut self, event: &Event, call: &Call) -> u64 {
        let fixed = *self.keys.entry(event.call.0).or_insert_with(|| {
            let text = format!("{} {:?}", likeness::key(call.function, &call.arguments), made_handles(call));
            xxhash_rust::xxh3::xxh3_64(text.as_bytes())
        });
        let Some(requests) = &self.requests else { return fixed };
        let named = named_requests(call);
        if named.is_empty() {
            return fixed;
        }
        let order: Vec<Option<u64>> = named.iter().map(|request| requests.get(request).copied()).collect();
        xxhash_rust::xxh3::xxh3_64_with_seed(format!("{order:?}").as_bytes(), fixed)
    }
}

/// The requests that a call is given.
fn named_requests(call: &Call) -> Vec<i64> {
    let is_request = |function: Function, at: usize| function.parameters().get(at).is_some_and(|p| p.kind == Kind::Request);
    let named = call.arguments.iter().enumerate().filter(|(at, _)| is_request(call.function, *at));
    named
        .flat_map(|(_, value)| match value {
            Value::Int(request) => vec![*request],
            Value::Ints(list) => list.to_vec(),
            _ => Vec::new(),
        })
        .collect()
}

/// The datatypes, groups and operations of its own that a call names: each process counts them as it makes them.
fn made_handles(call: &Call) -> Vec<i64> {
    let parameters = call.function.parameters().iter().zip(&call.arguments);
    let named = parameters.filter(|(p, _)| matches!(p.kind, Kind::Type | Kind::Op | Kind::Group));
    let numbers = named.flat_map(|(_, value)| value.int().into_iter().chain(value.ints().iter().copied()));
    numbers.filter(|&number| number >= FIRST_MADE).collect()
}

/// Whether a call is a poll of the same kind and place as another one.
#[must_use]
pub fn is_same_poll(one: &Call, two: &Call, places: [Option<u32>; 2]) -> bool {
    let polls = |call: &Call| is_poll(call.function) || call.function.small() == mpi::TESTSOME;
    polls(one) && one.function.small() == two.function.small() && places[0] == places[1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use traces::TraceBuilder;
    use traces::constant::{ANY_SOURCE, COMM_WORLD};

    fn int(value: i64) -> Value {
        Value::Int(value)
    }

    fn status(source: i64) -> Value {
        Value::Ints(Box::new([source, 7, 4, 0]))
    }

    /// One rank that receives from anybody, polls, and sends with a tag; its requests have these numbers.
    fn run(source: i64, polls: usize, tag: i64, request: i64) -> Trace {
        let mut b = TraceBuilder::with_ranks(1);
        let with = |peer, rank, tag| [("count", int(1)), (peer, int(rank)), ("tag", int(tag)), ("comm", int(COMM_WORLD))];
        b.push(0, mpi::RECV, 1, &with("source", ANY_SOURCE, 7), Some(&[("status", status(source))]));
        b.push(0, mpi::IRECV, 2, &with("source", 1, 7), Some(&[("request", int(request))]));
        for _ in 0..polls {
            b.push(0, mpi::WTIME, 8, &[], Some(&[]));
            b.push(0, mpi::TEST, 3, &[("request", int(request))], Some(&[("flag", int(0))]));
        }
        b.push(0, mpi::TEST, 3, &[("request", int(request))], Some(&[("flag", int(1)), ("status", status(1))]));
        b.push(0, mpi::SEND, 4, &with("dest", 1, tag), Some(&[]));
        b.push(0, mpi::FINALIZE, 5, &[], Some(&[]));
        b.finish()
    }

    fn compared(one: &Trace, two: &Trace) -> Thread {
        let places: Vec<Vec<Option<u32>>> =
            [one, two].iter().map(|trace| trace.sites.iter().map(|site| u32::try_from(site.offset).ok()).collect()).collect();
        let sides = [Side { trace: one, places: &places[0] }, Side { trace: two, places: &places[1] }];
        let mut threads = compare(sides);
        assert_eq!(threads.len(), 1);
        threads.remove(0)
    }

    #[test]
    fn requests_are_the_same_in_whatever_slot_they_are_and_polls_are_only_counted() {
        let thread = compared(&run(2, 3, 9, FIRST_MADE), &run(2, 1, 9, FIRST_MADE + 5));
        assert_eq!((thread.calls, thread.parting, thread.outcomes), (5, None, Vec::new()));
        assert_eq!(thread.polls, [Polled { events: [Some(3), Some(3)], times: [3, 1] }]);
    }

    #[test]
    fn another_source_is_an_outcome_and_another_tag_parts_them() {
        let thread = compared(&run(2, 0, 9, FIRST_MADE), &run(3, 1, 8, FIRST_MADE));
        let [Difference { events: [0, 0], choices, is_alike: false }] = &thread.outcomes[..] else { panic!("{thread:?}") };
        assert_eq!(choices.each_ref().map(|list| list[0].clone()), [2, 3].map(|source| Choice::Message { source, tag: 7 }));
        assert_eq!(thread.parting, Some(Parting { events: [Some(3), Some(5)], polls: [vec![], vec![]] }));
    }

    #[test]
    fn one_that_stops_parts_where_the_other_goes_on() {
        let (whole, mut cut) = (run(2, 0, 9, FIRST_MADE), run(2, 0, 9, FIRST_MADE));
        cut.lanes[0].events.truncate(3);
        assert_eq!(compared(&whole, &cut).parting.map(|parting| parting.events), Some([Some(3), None]));
        assert_eq!(compared(&cut, &cut).parting, None);
        cut.lanes[0].events.truncate(1);
        cut.lanes[0].events[0].outcome = None;
        let hung = compared(&whole, &cut);
        assert_eq!(hung.parting.map(|parting| parting.events), Some([Some(1), None]));
        assert_eq!(hung.outcomes, [], "a call that hangs has no outcome to compare");
    }

    #[test]
    fn messages_that_are_alike_and_received_without_a_status_cannot_matter() {
        let run = |source: i64, digest: u64, status_is: Value| {
            let mut b = TraceBuilder::with_ranks(1);
            let arguments = [("source", int(ANY_SOURCE)), ("tag", int(7)), ("status", status_is)];
            b.push(0, mpi::RECV, 1, &arguments, Some(&[("status", status(source))]));
            let mut trace = b.finish();
            trace.lanes[0].words.push(digest);
            trace.lanes[0].events[0].words_len = 1;
            trace
        };
        let ignored = || int(traces::constant::STATUS_IGNORE);
        let is_alike = |one: &Trace, two: &Trace| compared(one, two).outcomes[0].is_alike;
        assert!(is_alike(&run(1, 5, ignored()), &run(2, 5, ignored())));
        assert!(!is_alike(&run(1, 5, ignored()), &run(2, 6, ignored())), "other data");
        assert!(!is_alike(&run(1, 5, Value::Nil), &run(2, 5, Value::Nil)), "the status may be looked at");
    }
}
