//! What is known of one call, in words: where, when, with what, what came back, who belongs to it, what it waits for.

use sim::Place;
use traces::call::value_text;
use traces::{Call, Direction, Event, Function, Kind as Argument, Trace, Value};

use super::State;
use super::links::{Part, Partner};
use crate::text::{duration, plural};

/// The facts about a call.
pub struct Details {
    /// Its function.
    pub function: Function,
    /// The source line that it was called from, as far as it can be had.
    pub location: Option<String>,
    /// The functions that led there, the innermost first; none if only the line is known.
    pub stack: Vec<String>,
    /// The method of a binding that made the call.
    pub method: Option<String>,
    /// When it was called.
    pub start_ns: u64,
    /// When it returned; None if it never did.
    pub end_ns: Option<u64>,
    /// How long it took; if it never returned, until the last that is known.
    pub duration_ns: u64,
    /// Its arguments, by name.
    pub arguments: Vec<(&'static str, String)>,
    /// What came back.
    pub results: Vec<String>,
    /// What it waits for, or waited for, one line each.
    pub waits: Vec<String>,
    /// What findings say of it: the number of the finding and its words.
    pub remarks: Vec<(usize, String)>,
    /// The calls that belong to it, one line each, in the order of [`State::partners`].
    pub partners: Vec<String>,
}

/// How many partners and requests are listed by name.
const PARTNERS_MAX: usize = 4;

impl Details {
    /// Looks up a call.
    pub fn of(state: &State, place: Place) -> Details {
        let trace = &state.trace;
        let event = state.event(place);
        let call = trace.call(event.call);
        let (location, stack) = state.located(call).map_or((None, Vec::new()), |found| (Some(found.line), found.stack));
        Details {
            function: call.function,
            location,
            stack,
            method: call.site.and_then(|site| trace.site(site).method.as_deref()).map(str::to_owned),
            start_ns: event.start_ns,
            end_ns: event.outcome.map(|_| event.end_ns()),
            duration_ns: event.duration_ns,
            arguments: arguments(call),
            results: results(trace, state, place),
            waits: if event.outcome.is_none() { waits(state, place, call) } else { pending(state, place, call) },
            remarks: remarks(state, place),
            partners: partners(state, place, event),
        }
    }
}

/// A call in a few words: `MPI_Send at ring.c:41`.
pub fn short(state: &State, place: Place) -> String {
    let call = state.trace.call(state.event(place).call);
    match state.location(call) {
        Some(line) => format!("{} at {line}", call.function),
        None => call.function.to_string(),
    }
}

/// The arguments that the caller gives, by name.
fn arguments(call: &Call) -> Vec<(&'static str, String)> {
    let pairs = call.function.parameters().iter().zip(&call.arguments);
    pairs
        .filter(|(p, value)| (p.direction != Direction::Out || p.kind == Argument::Buffer) && **value != Value::Nil)
        .map(|(p, value)| (p.name, value_text(p.kind, value)))
        .collect()
}

fn results(trace: &Trace, state: &State, place: Place) -> Vec<String> {
    let event = state.event(place);
    let function = trace.call(event.call).function;
    let Some(outcome) = event.outcome.map(|id| trace.outcome(id)) else { return Vec::new() };
    let mut lines = Vec::new();
    if outcome.code != 0 {
        lines.push(format!("error code {}", outcome.code));
    }
    let flag = outcome.result(function, "flag").int();
    if let (Some(0), Some(&polls)) = (flag, trace.lanes[place.lane as usize].words_of(event).first()) {
        lines.push(format!("asked {polls} times in a row, each time in vain"));
    }
    for status in outcome.statuses(function).filter(|s| s.source != traces::constant::UNDEFINED) {
        let cancelled = if status.cancelled { ", cancelled" } else { "" };
        let bytes = if status.bytes < 0 { String::new() } else { format!(", {} bytes", status.bytes) };
        lines.push(format!("message from {} with tag {}{bytes}{cancelled}", status.source, status.tag));
    }
    for (parameter, value) in function.parameters().iter().zip(&outcome.results) {
        if *value != Value::Nil && !matches!(parameter.kind, Argument::Status | Argument::Buffer) {
            lines.push(format!("{} = {}", parameter.name, result_text(parameter.kind, value)));
        }
    }
    lines
}

/// A new communicator carries its members along; the rest is written as arguments are.
fn result_text(kind: Argument, value: &Value) -> String {
    match (kind, value.ints()) {
        (Argument::Comm, [id, members, ..]) => {
            format!("{} of {}", value_text(kind, &Value::Int(*id)), plural(members.unsigned_abs(), "rank"))
        }
        _ => value_text(kind, value),
    }
}

/// What a call that never returned is waiting for, as its arguments say.
fn waits(state: &State, place: Place, call: &Call) -> Vec<String> {
    let argument = |name: &str| {
        let at = call.function.parameter(name)?;
        let value = call.arguments.get(at).filter(|value| **value != Value::Nil)?;
        Some(value_text(call.function.parameters()[at].kind, value))
    };
    let comm = argument("comm").unwrap_or_default();
    let peer = |name: &str| argument(name).map(|rank| if rank.starts_with("MPI_") { rank } else { format!("rank {rank}") });
    let mut lines = Vec::new();
    if let (Some(source), Some(tag)) = (peer("source"), argument("tag").or_else(|| argument("recvtag"))) {
        lines.push(format!("a message from {source} with tag {tag} on {comm}"));
    }
    if let (Some(dest), Some(tag)) = (peer("dest"), argument("tag").or_else(|| argument("sendtag"))) {
        lines.push(format!("{dest} to receive tag {tag} on {comm}"));
    }
    if super::Kind::of(call.function) == super::Kind::Collective {
        lines.push(match absent(state, place, call) {
            Some(ranks) => format!("{ranks}, not in this operation on {comm}"),
            None => format!("the other members of {comm}"),
        });
    }
    lines.extend(pending(state, place, call));
    lines
}

/// The ranks that a collective operation on MPI_COMM_WORLD lacks.
fn absent(state: &State, place: Place, call: &Call) -> Option<String> {
    if call.int("comm") != Some(traces::constant::COMM_WORLD) {
        return None;
    }
    let partners = state.links.partners(&state.report, place);
    let lanes = partners.iter().map(|p| p.place).chain([place]).map(|p| p.lane as usize);
    let mut present: Vec<u32> = lanes.filter_map(|lane| state.trace.lanes[lane].rank).collect();
    present.sort_unstable();
    let mut ranks = (0..state.trace.world_size).filter(|rank| present.binary_search(rank).is_err());
    let named: Vec<String> = ranks.by_ref().take(8).map(|rank| rank.to_string()).collect();
    let more = if ranks.next().is_some() { ", …" } else { "" };
    (!named.is_empty()).then(|| format!("rank {}{more}", named.join(", ")))
}

/// The operations behind the requests of a completion call: the calls that began them.
fn pending(state: &State, place: Place, call: &Call) -> Vec<String> {
    if super::Kind::of(call.function) != super::Kind::Wait {
        return Vec::new();
    }
    let single = call.int("request").into_iter();
    let requests = single.chain(call.ints("array_of_requests").iter().copied()).filter(|&r| traces::trace::is_made(r));
    let mut requests: Vec<i64> = requests.collect();
    let more = requests.len().saturating_sub(PARTNERS_MAX);
    requests.truncate(PARTNERS_MAX);
    let named = requests.into_iter().filter_map(|request| {
        let made = state.maker_of_request(place, request)?;
        Some(format!("{}: {}", value_text(Argument::Request, &Value::Int(request)), short(state, made)))
    });
    named.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

fn remarks(state: &State, place: Place) -> Vec<(usize, String)> {
    let marks = state.links.marks(place, place).iter();
    marks.map(|m| (m.finding, state.report.findings[m.finding].labels[m.label].text.clone())).collect()
}

fn partners(state: &State, place: Place, event: &Event) -> Vec<String> {
    let partners = state.links.partners(&state.report, place);
    let mut lines: Vec<String> = Vec::new();
    let (members, ends): (Vec<&Partner>, Vec<&Partner>) = partners.iter().partition(|p| p.part == Part::Member);
    for partner in ends.iter().take(PARTNERS_MAX) {
        lines.push(message_text(state, partner));
    }
    if ends.len() > PARTNERS_MAX {
        lines.push(format!("and {} more", ends.len() - PARTNERS_MAX));
    }
    if !members.is_empty() {
        lines.push(members_text(state, place, event, &members));
    }
    lines
}

fn message_text(state: &State, partner: &Partner) -> String {
    let (verb, message) = match partner.part {
        Part::Receiver(message) => ("to", message),
        Part::Sender(message) => ("from", message),
        Part::Member => return short(state, partner.place),
    };
    let lane = state.lane_name(partner.place.lane as usize);
    format!("{verb} rank {lane}: {}, tag {}, {} bytes", short(state, partner.place), message.tag, message.bytes)
}

/// `with 3 others; the last to come was rank 2, 1.2 ms after this one`.
fn members_text(state: &State, place: Place, event: &Event, members: &[&Partner]) -> String {
    let others = plural(members.len() as u64, "other");
    let Some(last) = members.iter().map(|m| m.place).max_by_key(|&p| (state.event(p).start_ns, p)) else {
        return others;
    };
    let late_ns = state.event(last).start_ns.checked_sub(event.start_ns);
    match late_ns {
        Some(late_ns) if last != place => {
            let lane = state.lane_name(last.lane as usize);
            format!("with {others}; the last to come was rank {lane}, {} after this one", duration(late_ns))
        }
        _ => format!("with {others}; this one was the last to come"),
    }
}
