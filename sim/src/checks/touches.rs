//! Accesses of the program to buffers that an operation under way uses, as `--guard` and `--landing` see them: `buffer/touched`, and of those
//! that are sent, `buffer/reused`.
//!
//! The recorder puts each on record as a call that nobody makes, between the call that begins the operation and the one after that which completes
//! it. Where it was not seen in the act, but by what it left behind, nobody knows its line.

use rustc_hash::FxHashMap;
use traces::{Class, Trace, Value, mpi};

use super::buffers::{events_in_order, starts};
use super::wording::{distinct, ranks};
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Place, Severity};
use crate::lift::{Arguments, completed_requests};
use crate::rules;

/// An access to the buffer of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Touch {
    /// The access.
    pub(super) access: Place,
    /// Whether the buffer is being sent.
    pub(super) is_sent: bool,
    /// What has begun the operation.
    pub(super) started: Place,
    /// What has completed it; None if nothing did.
    pub(super) completed: Option<Place>,
}

/// One finding for each line that accesses such a buffer, or, where that is not known, each pair of lines that begin and complete the operation.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let mut groups: Vec<(Touch, Vec<u32>, u64)> = Vec::new();
    for touch in all(evidence).into_iter().filter(|touch| !touch.is_sent) {
        let sites = |t: &Touch| {
            let access = evidence.call(t.access).site;
            let completed = t.completed.filter(|_| access.is_none()).and_then(|place| evidence.call(place).site);
            (access, evidence.call(t.started).site, completed, is_store(evidence, t.access))
        };
        let own = sites(&touch);
        match groups.iter_mut().find(|(known, ..)| own.1.is_some() && sites(known) == own) {
            Some((_, ranks, times)) => {
                ranks.push(evidence.rank(touch.access));
                *times += 1;
            }
            None => groups.push((touch, vec![evidence.rank(touch.access)], 1)),
        }
    }
    groups.into_iter().map(|(touch, who, times)| finding(evidence, touch, who, times)).collect()
}

fn is_store(evidence: Evidence, access: Place) -> bool {
    *evidence.call(access).argument("access") != Value::Text("load".into())
}

/// Every access that was recorded.
pub(super) fn all(evidence: Evidence) -> Vec<Touch> {
    let is_access: Vec<bool> = evidence.trace.calls.iter().map(|call| call.function == mpi::MPITRACE_ACCESS).collect();
    if !is_access.contains(&true) {
        return Vec::new();
    }
    let processes = u32::try_from(evidence.trace.processes.len()).unwrap_or(0);
    (0..processes).flat_map(|process| of_process(evidence, process)).collect()
}

/// Of how many buffers nobody looked who accesses them, though it was asked for.
pub(super) fn caveats(trace: &Trace) -> Vec<String> {
    let is_count: Vec<bool> = trace.calls.iter().map(|call| call.function == mpi::MPITRACE_LENT).collect();
    let counts = trace.lanes.iter().flat_map(|lane| {
        lane.events.iter().filter(|event| is_count[event.call.0 as usize]).map(|event| (lane.rank, trace.call(event.call)))
    });
    let counts: Vec<_> = counts.collect();
    let caveat = |(name, done, verb): (&str, &str, &str)| {
        let sum = |name: &str| counts.iter().filter_map(|(_, call)| call.int(name)).sum::<i64>();
        let not = sum(name);
        let who = counts.iter().filter(|(_, call)| call.int(name) != Some(0)).filter_map(|(rank, _)| *rank);
        let all = not + sum(done);
        (not > 0).then(|| format!("{not} of {all} buffers of operations under way were not {verb}, on {}", ranks(&distinct(who))))
    };
    [("not_landed", "landed", "landed"), ("not_guarded", "guarded", "guarded as a whole")]
        .into_iter()
        .filter_map(caveat)
        .collect()
}

/// The operation that has a request at the moment.
#[derive(Clone, Copy, Debug)]
struct Operation {
    started: Place,
    completed: Option<Place>,
}

fn of_process(evidence: Evidence, process: u32) -> Vec<Touch> {
    let mut operations: FxHashMap<i64, Operation> = FxHashMap::default();
    let mut found: Vec<Touch> = Vec::new();
    for (place, a) in events_in_order(evidence, process) {
        if a.function() == mpi::MPITRACE_ACCESS {
            let operation = a.call.int("request").and_then(|request| operations.get(&request));
            let is_sent = *a.call.argument("buffer") == Value::Text("send".into());
            found.extend(operation.map(|o| Touch { access: place, is_sent, started: o.started, completed: o.completed }));
            continue;
        }
        for request in starts(&a) {
            operations.insert(request, Operation { started: place, completed: None });
        }
        for request in ended(&a) {
            let Some(operation) = operations.get_mut(&request).filter(|operation| operation.completed.is_none()) else {
                continue;
            };
            operation.completed = Some(place);
            let is_its = |touch: &&mut Touch| touch.started == operation.started && touch.completed.is_none();
            found.iter_mut().filter(is_its).for_each(|touch| touch.completed = Some(place));
        }
    }
    found
}

/// The requests that a call has completed.
fn ended(a: &Arguments) -> Vec<i64> {
    let found_nothing = a.result("flag").int() == Some(0);
    if a.function().class() == Class::Completion && !found_nothing { completed_requests(a) } else { Vec::new() }
}

fn finding(evidence: Evidence, touch: Touch, who: Vec<u32>, times: u64) -> Finding {
    let who = distinct(who);
    let is_store = is_store(evidence, touch.access);
    let verb = match (is_store, who.len()) {
        (true, 1) => "writes to",
        (true, _) => "write to",
        (false, 1) => "reads",
        (false, _) => "read",
    };
    let (thing, name) = (thing(evidence, touch.started), evidence.called(touch.started));
    let title = format!("{} {verb} the buffer of {name} before the {thing} is complete", ranks(&who));
    let mut found = Finding::new(&rules::BUFFER_TOUCHED, Severity::Error, title);
    let bytes = bytes(evidence, touch.access);
    if evidence.call(touch.access).site.is_some() {
        found
            .labels
            .push(primary(touch.access, format!("{} {bytes} of the buffer", if is_store { "writes to" } else { "reads" })));
        found.labels.push(secondary(touch.started, format!("begins the {thing}")));
        found.labels.extend(touch.completed.map(|place| secondary(place, format!("completes the {thing}"))));
    } else {
        found.labels.push(primary(touch.started, format!("begins the {thing}")));
        let text = format!("completes the {thing}: {bytes} of the buffer had been changed before");
        found.labels.extend(touch.completed.map(|place| secondary(place, text)));
        found.notes.push("`mpitrace record --guard` names the line that writes".into());
    }
    if times > who.len() as u64 {
        found.notes.push(format!("it happens {times} times"));
    }
    found
}

/// What the operation is called that a call begins.
pub(super) fn thing(evidence: Evidence, started: Place) -> &'static str {
    match evidence.call(started).function.class() {
        Class::Collective => "collective",
        _ => "receive",
    }
}

/// `byte 12`, `bytes 12 to 15`, counted from the buffer's first.
pub(super) fn bytes(evidence: Evidence, access: Place) -> String {
    let call = evidence.call(access);
    let (first, count) = (call.int("offset").unwrap_or(0), call.int("bytes").unwrap_or(1));
    if count > 1 { format!("bytes {first} to {}", first + count - 1) } else { format!("byte {first}") }
}
