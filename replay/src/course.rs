//! What the threads of one rank have to do again, call by call: made of a trace before the program starts, and followed while it runs.
//!
//! Only choices are ordered. A receive from anybody is told when it is posted whose message it takes, though its status comes later;
//! which of several equal messages that is follows from the order of messages that MPI keeps.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use traces::{Call, Class, Function, Lane, Outcome, Trace, mpi};

use crate::choice::{Choice, choices, completions, is_poll, is_wildcard};
use crate::likeness::{is_followed, key, text};

/// The course of a rank.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// How many ranks there are.
    pub world_size: u32,
    /// The fingerprint of the recorded run.
    pub recorded: u64,
    /// Every distinct call.
    pub calls: Vec<Expected>,
    /// Whether it is of a schedule that never was: what comes of its calls is known, and not what they send.
    pub is_forced: bool,
    /// The threads, the first that called MPI first.
    pub threads: Vec<Thread>,
}

/// A call that is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// What it has in common with every call that is taken for it.
    pub key: u64,
    /// The call, as a person reads it.
    pub text: String,
    /// Where it was made.
    pub place: String,
}

/// What one thread has to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// Every distinct step.
    pub steps: Vec<Step>,
    /// The steps in their order, each the number of one.
    pub order: Vec<u32>,
    /// The digests of all steps, side by side.
    pub digests: Vec<u64>,
    /// Whether it was recorded to its end.
    pub is_whole: bool,
}

/// One call, and what MPI has to make of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step {
    /// The call, among [`Course::calls`].
    pub call: u32,
    /// What has to come of it.
    pub order: Order,
    /// What MPI was free to choose, and has chosen.
    pub choices: Vec<Choice>,
    /// How many digests it has.
    pub digests: u32,
}

/// What has to come of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Order {
    /// There was nothing to choose.
    #[default]
    AsItIs,
    /// It takes a message of this source and tag, sooner or later; a probe finds it.
    Take {
        /// The rank in the communicator of the call.
        source: i32,
        /// The tag.
        tag: i32,
    },
    /// It takes no message at all, as it was cancelled before one came.
    TakeNothing,
    /// The poll finds nothing, so many times.
    FindNothing(u64),
    /// The poll finds what it asks for.
    Find,
    /// The requests at these positions complete, and no others.
    Complete(Vec<u32>),
    /// The send waits until its message is received.
    Synchronous,
}

/// What has to come of calls under a schedule that never was, by the number of their lane and of their event in it.
pub type Orders = HashMap<(usize, usize), Order>;

/// Where a call is in the lanes of its rank.
type Place = (usize, usize);

impl Course {
    /// The course of a rank. `place` says where a call was made.
    #[must_use]
    pub fn of(trace: &Trace, rank: u32, place: impl Fn(&Call) -> String) -> Course {
        Course::under(trace, rank, place, None)
    }

    /// The same under a schedule that never was.
    #[must_use]
    pub fn under(trace: &Trace, rank: u32, place: impl Fn(&Call) -> String, orders: Option<&Orders>) -> Course {
        let first = trace.lanes_of(rank).start;
        let lanes = &trace.lanes[trace.lanes_of(rank)];
        let posted = Posted::of(trace, lanes);
        let begin_ns = begin_ns(trace, lanes);
        let mut course = Course { world_size: trace.world_size, is_forced: orders.is_some(), ..Course::default() };
        let mut calls = HashMap::new();
        for (number, lane) in lanes.iter().enumerate() {
            let mut chosen: HashMap<usize, Vec<Choice>> = HashMap::new();
            choices(trace, lane).for_each(|(event, choice)| chosen.entry(event).or_default().push(choice));
            let mut thread = Thread { is_whole: lane.events.last().is_none_or(|e| e.outcome.is_some()), ..Thread::default() };
            let mut steps = HashMap::new();
            for (at, event) in lane.events.iter().enumerate().filter(|(_, event)| event.start_ns >= begin_ns) {
                let call = trace.call(event.call);
                if !is_followed(call.function) {
                    continue;
                }
                let expected = *calls.entry(event.call).or_insert_with(|| {
                    let (key, text) = (key(call.function, &call.arguments), text(call.function, &call.arguments));
                    course.calls.push(Expected { key, text, place: place(call) });
                    course.calls.len() - 1
                });
                let words = lane.words_of(event);
                let outcome = event.outcome.map(|o| trace.outcome(o)).filter(|o| o.code == 0);
                let later = posted.orders.get(&(number, at)).cloned();
                let order = later.or_else(|| Some(order(call, outcome?, words))).unwrap_or_default();
                let order = match orders {
                    Some(orders) => forced(call, order, orders.get(&(first + number, at))),
                    None => order,
                };
                let digests = if matches!(order, Order::FindNothing(_)) { &[] } else { words };
                let choices = chosen.remove(&at).unwrap_or_default();
                let step = Step { call: as_u32(expected), order, choices, digests: as_u32(digests.len()) };
                let number = *steps.entry(step).or_insert_with_key(|step| {
                    thread.steps.push(step.clone());
                    as_u32(thread.steps.len() - 1)
                });
                thread.order.push(number);
                thread.digests.extend(digests);
            }
            course.threads.push(thread);
        }
        course
    }

    /// The course as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        rmp_serde::to_vec(self).expect("a course has nothing that MessagePack lacks")
    }

    /// The course that these bytes are.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Course> {
        rmp_serde::from_slice(bytes).ok()
    }
}

/// When the rank of a process is known, and so its course can be followed: after MPI_Init. What came before had no choice.
fn begin_ns(trace: &Trace, lanes: &[Lane]) -> u64 {
    let begins = |call: &Call| matches!(call.function, mpi::INIT | mpi::INIT_THREAD | mpi::SESSION_INIT);
    let events = lanes.iter().flat_map(|lane| &lane.events);
    events.filter(|e| e.outcome.is_some() && begins(trace.call(e.call))).map(|e| e.end_ns()).min().unwrap_or(0)
}

/// Receives that were posted, by where; what came of each is known where it completed.
#[derive(Default)]
struct Posted {
    orders: HashMap<Place, Order>,
}

impl Posted {
    fn of(trace: &Trace, lanes: &[Lane]) -> Posted {
        // Requests may be completed by another thread than made them.
        let mut events: Vec<(u64, Place)> = Vec::new();
        for (number, lane) in lanes.iter().enumerate() {
            events.extend(lane.events.iter().enumerate().map(|(at, event)| (event.end_ns(), (number, at))));
        }
        if lanes.len() > 1 {
            events.sort();
        }
        let mut posted = Posted::default();
        let mut under_way: HashMap<i64, Place> = HashMap::new();
        for (_, place) in events {
            let event = &lanes[place.0].events[place.1];
            let call = trace.call(event.call);
            let Some(outcome) = event.outcome.map(|o| trace.outcome(o)).filter(|o| o.code == 0) else { continue };
            for (request, status) in completions(call, outcome) {
                let Some(place) = under_way.remove(&request) else { continue };
                if status.cancelled {
                    posted.orders.insert(place, Order::TakeNothing);
                } else if status.bytes >= 0 {
                    posted.orders.insert(place, take(status.source, status.tag));
                }
            }
            if let Some(request) = outcome.result(call.function, "request").int() {
                // A persistent one takes a message each time that it is started, which a word at its making cannot say.
                if is_wildcard(call) && !is_persistent(call.function) {
                    under_way.insert(request, place);
                } else {
                    under_way.remove(&request);
                }
            }
        }
        posted
    }
}

/// Whether a function makes a request that is started again and again.
#[must_use]
pub fn is_persistent(function: Function) -> bool {
    function.small().name().ends_with("_init")
}

/// What has to come of a call that came to this.
fn order(call: &Call, outcome: &Outcome, words: &[u64]) -> Order {
    let result = |name: &str| outcome.result(call.function, name);
    let flag = result("flag").int();
    let status = || outcome.statuses(call.function).next();
    let positions = |list: &[i64]| list.iter().map(|&i| u32::try_from(i)).collect::<Result<_, _>>().map(Order::Complete);
    match call.function {
        mpi::IPROBE | mpi::IMPROBE if flag == Some(0) => Order::FindNothing(words.first().copied().unwrap_or(1)),
        mpi::IPROBE | mpi::IMPROBE => status().map_or(Order::AsItIs, |s| take(s.source, s.tag)),
        function if is_poll(function) && flag == Some(0) => Order::FindNothing(words.first().copied().unwrap_or(1)),
        mpi::WAITANY | mpi::TESTANY => result("index").int().and_then(|i| positions(&[i]).ok()).unwrap_or_default(),
        mpi::TESTSOME if result("outcount").int() == Some(0) => Order::FindNothing(words.first().copied().unwrap_or(1)),
        mpi::WAITSOME | mpi::TESTSOME => match result("array_of_indices").ints() {
            [] => Order::AsItIs,
            list => positions(list).unwrap_or_default(),
        },
        function if is_poll(function) => Order::Find,
        _ if is_wildcard(call) && result("request").int().is_none() => {
            status().filter(|s| s.bytes >= 0).map_or(Order::AsItIs, |s| take(s.source, s.tag))
        }
        _ => Order::AsItIs,
    }
}

/// The order under a schedule, of a call that came to something else in the recorded run. A receive that gets nothing under it is left as it is.
fn forced(call: &Call, recorded: Order, ordered: Option<&Order>) -> Order {
    let receives = call.function.class() == Class::PointToPoint && is_wildcard(call);
    match ordered {
        Some(order) if receives || *order == Order::Synchronous => order.clone(),
        _ if receives => Order::AsItIs,
        _ => recorded,
    }
}

/// The order to take a message. A source that is no rank of the communicator's is MPI_PROC_NULL, which is nobody's choice.
#[must_use]
pub fn take(source: i64, tag: i64) -> Order {
    match (u32::try_from(source), u32::try_from(tag)) {
        (Ok(source), Ok(tag)) => Order::Take { source: source.cast_signed(), tag: tag.cast_signed() },
        _ => Order::AsItIs,
    }
}

fn as_u32(number: usize) -> u32 {
    u32::try_from(number).expect("fewer than 2^32 distinct calls")
}
