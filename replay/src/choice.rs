//! Choices: the results that the standard leaves to chance, and that decide how the program goes on.
//!
//! Those are the sender of a wildcard receive or probe, which request of several completes first, and whether a poll finds something.
//! All other results follow from them (section 3.5 of the standard).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use traces::call::Status;
use traces::constant::{ANY_SOURCE, ANY_TAG};
use traces::{Call, Class, Function, Lane, Outcome, Trace, Value, mpi};

use crate::fingerprint::Fingerprint;
use crate::likeness::{self, is_followed};

/// One outcome that could have been another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Choice {
    /// A receive or a probe with MPI_ANY_SOURCE or MPI_ANY_TAG took this message.
    Message {
        /// Who sent it, as a rank of the receive's communicator.
        source: i64,
        /// Its tag.
        tag: i64,
    },
    /// Of several requests, those at these positions were found complete.
    Completed(Vec<i64>),
    /// A poll found nothing, so many times in a row.
    Nothing(u64),
    /// A poll found what it asked for.
    Something,
}

/// The choices of a thread, each with the number of its event in the lane.
pub fn choices<'t>(trace: &'t Trace, lane: &'t Lane) -> impl Iterator<Item = (usize, Choice)> + 't {
    let mut wildcards = Wildcards::default();
    let followed = lane.events.iter().enumerate().filter(|(_, event)| is_followed(trace.call(event.call).function));
    followed.flat_map(move |(number, event)| {
        let made = event.outcome.map(|o| wildcards.of_call(trace.call(event.call), trace.outcome(o), lane.words_of(event)));
        made.into_iter().flatten().map(move |choice| (number, choice))
    })
}

/// The fingerprint of a run: equal for two runs that took the same course.
#[must_use]
pub fn fingerprint(trace: &Trace) -> u64 {
    let of_lane = |lane: &Lane| {
        let mut fingerprint = Fingerprint::default();
        for (event, choice) in choices(trace, lane) {
            let call = trace.call(lane.events[event].call);
            fingerprint.add(likeness::key(call.function, &call.arguments), &choice);
        }
        (lane.rank, lane.thread, fingerprint.digest())
    };
    crate::fingerprint::of_run(trace.lanes.iter().map(of_lane))
}

/// Whether the receive behind each request takes messages from anybody, or with any tag.
#[derive(Debug, Default)]
pub struct Wildcards(HashMap<i64, bool>);

impl Wildcards {
    /// The choices that were made in a call; the calls of a thread come one after the other.
    pub fn of_call(&mut self, call: &Call, outcome: &Outcome, words: &[u64]) -> Vec<Choice> {
        let result = |name: &str| outcome.result(call.function, name);
        if let Some(request) = result("request").int() {
            self.0.insert(request, is_wildcard(call));
        }
        let flag = result("flag").int();
        let nothing = || Choice::Nothing(words.first().copied().unwrap_or(1));
        let mut found = Vec::new();
        match flag.filter(|_| is_poll(call.function)) {
            Some(0) => return vec![nothing()],
            Some(_) => found.push(Choice::Something),
            None => {}
        }
        match call.function {
            mpi::WAITANY | mpi::TESTANY => found.extend(result("index").int().map(|i| Choice::Completed(vec![i]))),
            mpi::WAITSOME | mpi::TESTSOME if result("outcount").int() == Some(0) => found.push(nothing()),
            mpi::WAITSOME | mpi::TESTSOME => found.push(Choice::Completed(result("array_of_indices").ints().to_vec())),
            _ => {}
        }
        let messages = outcome.statuses(call.function).enumerate().filter(|(_, s)| s.bytes >= 0 && !s.cancelled);
        let free = messages.filter(|&(nth, _)| self.was_free(call, outcome, nth));
        found.extend(free.map(|(_, Status { source, tag, .. })| Choice::Message { source, tag }));
        found
    }

    /// Whether the message of the `nth` status could have been another. That of a nonblocking receive is known when it completes.
    fn was_free(&self, call: &Call, outcome: &Outcome, nth: usize) -> bool {
        if call.function.class() != Class::Completion {
            return is_wildcard(call);
        }
        request_at(call, outcome, nth).and_then(|r| self.0.get(&r)).copied().unwrap_or(false)
    }
}

/// The requests that a call completed whose statuses are there, with those.
pub fn completions(call: &Call, outcome: &Outcome) -> impl Iterator<Item = (i64, Status)> {
    let completes = call.function.class() == Class::Completion;
    let statuses = outcome.statuses(call.function).enumerate().filter(move |_| completes);
    statuses.filter_map(move |(nth, status)| Some((request_at(call, outcome, nth)?, status)))
}

/// The request that the `nth` status is of.
fn request_at(call: &Call, outcome: &Outcome, nth: usize) -> Option<i64> {
    let result = |name: &str| outcome.result(call.function, name);
    let position = match result("array_of_indices").ints().get(nth).copied().or_else(|| result("index").int()) {
        Some(position) => usize::try_from(position).unwrap_or(usize::MAX),
        None => nth,
    };
    match call.argument("array_of_requests") {
        Value::Ints(requests) => requests.get(position).copied(),
        _ => call.int("request"),
    }
}

/// Whether a call receives or probes with MPI_ANY_SOURCE or MPI_ANY_TAG.
#[must_use]
pub fn is_wildcard(call: &Call) -> bool {
    let is = |name: &str, any: i64| call.int(name) == Some(any);
    is("source", ANY_SOURCE) || is("tag", ANY_TAG) || is("recvtag", ANY_TAG)
}

/// Whether a function asks whether something has come, and says so in a flag.
#[must_use]
pub fn is_poll(function: Function) -> bool {
    matches!(
        function,
        mpi::TEST
            | mpi::TESTALL
            | mpi::TESTANY
            | mpi::IPROBE
            | mpi::IMPROBE
            | mpi::REQUEST_GET_STATUS
            | mpi::REQUEST_GET_STATUS_ALL
            | mpi::PARRIVED
            | mpi::WIN_TEST
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use traces::{TraceBuilder, Value};

    fn status(source: i64, tag: i64) -> Value {
        Value::Ints(Box::new([source, tag, 4, 0]))
    }

    /// Rank 0 receives from anybody, from rank 1, and then polls.
    fn run(first: i64) -> Trace {
        let mut b = TraceBuilder::with_ranks(1);
        let receive = |source| [("source", Value::Int(source)), ("tag", Value::Int(7))];
        b.push(0, mpi::RECV, 1, &receive(ANY_SOURCE), Some(&[("status", status(first, 7))]));
        b.push(0, mpi::RECV, 2, &receive(1), Some(&[("status", status(1, 7))]));
        b.push(0, mpi::TEST, 3, &[], Some(&[("flag", Value::Int(0))]));
        b.push(0, mpi::IRECV, 4, &receive(ANY_SOURCE), Some(&[("request", Value::Int(0x1000))]));
        b.push(0, mpi::IRECV, 5, &receive(1), Some(&[("request", Value::Int(0x1001))]));
        let both = Value::Ints(Box::new([0x1001, 0x1000]));
        let second = [("index", Value::Int(1)), ("status", status(3, 8))];
        b.push(0, mpi::WAITANY, 6, &[("array_of_requests", both)], Some(&second));
        b.push(0, mpi::WAIT, 7, &[("request", Value::Int(0x1001))], Some(&[("status", status(1, 7))]));
        b.finish()
    }

    #[test]
    fn only_what_could_have_been_otherwise_is_a_choice() {
        let trace = run(2);
        let found: Vec<_> = choices(&trace, &trace.lanes[0]).collect();
        let expected = [
            (0, Choice::Message { source: 2, tag: 7 }),
            (2, Choice::Nothing(1)),
            (5, Choice::Completed(vec![1])),
            (5, Choice::Message { source: 3, tag: 8 }),
        ];
        assert_eq!(found, expected, "the receives from rank 1 had no choice");
    }

    #[test]
    fn two_runs_have_one_fingerprint_if_and_only_if_they_chose_alike() {
        assert_eq!(fingerprint(&run(2)), fingerprint(&run(2)));
        assert_ne!(fingerprint(&run(2)), fingerprint(&run(3)));
    }
}
