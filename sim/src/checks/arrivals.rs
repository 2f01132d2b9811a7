//! Messages that arrive as other data than was sent: `buffer/reused`.
//!
//! A library reads a large buffer when the receiver is there, so that what is written to it in between arrives. Where nobody completes the send,
//! or it is a blocking one and another thread writes, this is all that tells. A difference counts only if nothing else explains it: both sides
//! have the same plain numbers, who received what is certain, and no other receive wrote where this one did, or where the data lay.

use rustc_hash::{FxHashMap, FxHashSet};
use traces::constant::{self, PACKED};
use traces::function::{Kind, mpi};
use traces::payload::Keep;
use traces::words::{self, Of};
use traces::{Call, Event, Trace};

use super::buffers::events_in_order;
use super::wording::count;
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Message, Place, Severity};
use crate::footprint::{Footprint, Overlap};
use crate::lift::{Arguments, completed_requests};
use crate::rules;

/// So many differences are looked into.
const DIFFERENCES_MAX: usize = 1000;

/// One finding for each pair of lines between which data changes.
pub(super) fn check(evidence: Evidence, messages: &[Message]) -> Vec<Finding> {
    if messages.is_empty() || !has_words(evidence.trace) {
        return Vec::new();
    }
    let sides: Vec<Side> = evidence.trace.calls.iter().map(side).collect();
    let unattended = unattended_sends(evidence);
    let mut groups: Vec<(Message, u64)> = Vec::new();
    let differing = messages.iter().filter(|message| differs(evidence, &sides, &unattended, message));
    for message in differing.take(DIFFERENCES_MAX).filter(|message| is_alone(evidence, messages, message)) {
        let sites = |m: &Message| (evidence.call(m.send).site, evidence.call(m.receive).site);
        let own = sites(message);
        match groups.iter_mut().find(|(known, _)| own.0.is_some() && sites(known) == own) {
            Some((_, times)) => *times += 1,
            None => groups.push((*message, 1)),
        }
    }
    groups.into_iter().map(|(message, times)| arrival(evidence, message, times)).collect()
}

/// What the words of a call say of the messages that it sends and receives before it returns, known once for each distinct call.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    /// Whether its first word is the digest of plain numbers that it sends.
    sends: bool,
    /// Which of its words is the digest of plain numbers that it receives.
    receives: Option<usize>,
}

fn side(call: &Call) -> Side {
    let plain = |name: &str| call.int(name).is_some_and(is_plain);
    match call.function.small() {
        mpi::SEND | mpi::SSEND | mpi::RSEND | mpi::BSEND | mpi::ISEND | mpi::ISSEND | mpi::IRSEND | mpi::IBSEND => {
            Side { sends: plain("datatype"), receives: None }
        }
        mpi::RECV | mpi::MRECV => Side { sends: false, receives: plain("datatype").then_some(0) },
        mpi::SENDRECV => Side { sends: plain("sendtype"), receives: plain("recvtype").then_some(1) },
        mpi::SENDRECV_REPLACE => Side { sends: plain("datatype"), receives: plain("datatype").then_some(1) },
        _ => Side::default(),
    }
}

/// Whether a datatype is a predefined one without holes: not a pair, and not padded as `long double` is.
fn is_plain(datatype: i64) -> bool {
    let is_even = |constant: &constant::Constant| {
        let is_pair = constant.name.strip_suffix("_INT").is_some_and(|value| value != "MPI");
        !is_pair && !constant.name.contains("LONG_DOUBLE")
    };
    datatype != PACKED && constant::find(Kind::Type, datatype).is_some_and(is_even)
}

/// What the digests of a trace say of a message when a blocking receive takes it.
pub(super) struct Digests<'a> {
    trace: &'a Trace,
    sides: Vec<Side>,
}

impl<'a> Digests<'a> {
    /// None if the trace has none.
    pub(super) fn of(trace: &'a Trace) -> Option<Digests<'a>> {
        has_words(trace).then(|| Digests { trace, sides: trace.calls.iter().map(side).collect() })
    }

    /// Whether they differ, so that the message has to be looked into.
    pub(super) fn differ(&self, send: Place, receive: Place) -> bool {
        let word = |place: Place, at: Option<usize>| {
            let lane = &self.trace.lanes[place.lane as usize];
            lane.words_of(&lane.events[place.event as usize]).get(at?).copied().filter(|digest| *digest != 0)
        };
        let side = |place: Place| self.sides[self.trace.lanes[place.lane as usize].events[place.event as usize].call.0 as usize];
        let sent = word(send, side(send).sends.then_some(0));
        sent.zip(word(receive, side(receive).receives)).is_some_and(|(sent, arrived)| sent != arrived)
    }
}

fn has_words(trace: &Trace) -> bool {
    trace.lanes.iter().any(|lane| !lane.words.is_empty())
}

/// Whether there may be sends whose requests were freed, and digests of them.
pub(super) fn may_be_unattended(trace: &Trace) -> bool {
    has_words(trace) && trace.calls.iter().any(|call| call.function == mpi::REQUEST_FREE)
}

/// The nonblocking sends whose requests were freed, so that no call completes them.
fn unattended_sends(evidence: Evidence) -> FxHashSet<Place> {
    let mut found = FxHashSet::default();
    if !evidence.trace.calls.iter().any(|call| call.function == mpi::REQUEST_FREE) {
        return found;
    }
    for process in 0..u32::try_from(evidence.trace.processes.len()).unwrap_or(0) {
        let mut made: FxHashMap<i64, Place> = FxHashMap::default();
        for (place, a) in events_in_order(evidence, process) {
            if a.function() == mpi::REQUEST_FREE {
                found.extend(a.call.int("request").and_then(|request| made.remove(&request)));
            } else if side(a.call).sends {
                made.extend(a.result("request").int().map(|request| (request, place)));
            } else {
                completed_requests(&a).iter().for_each(|request| _ = made.remove(request));
            }
        }
    }
    found
}

fn event(evidence: Evidence<'_>, place: Place) -> &Event {
    &evidence.trace.lanes[place.lane as usize].events[place.event as usize]
}

/// The digest of what a send of plain numbers sends.
pub(super) fn sent_word(evidence: Evidence, place: Place) -> Option<u64> {
    if side(evidence.call(place)).sends { word(evidence, place, 0) } else { None }
}

/// The digest that is a word of a call.
pub(super) fn word(evidence: Evidence, place: Place, at: usize) -> Option<u64> {
    let lane = &evidence.trace.lanes[place.lane as usize];
    lane.words_of(&lane.events[place.event as usize]).get(at).copied().filter(|digest| *digest != 0)
}

/// Whether a message arrived as other data than was sent, as far as digests tell.
fn differs(evidence: Evidence, sides: &[Side], unattended: &FxHashSet<Place>, message: &Message) -> bool {
    let side = |place: Place| sides[event(evidence, place).call.0 as usize];
    if !side(message.send).sends {
        return false;
    }
    let arrived = match side(message.received).receives {
        Some(at) if message.receive == message.received => word(evidence, message.received, at),
        None if unattended.contains(&message.send) => completed_word(evidence, message),
        _ => None,
    };
    let sent = word(evidence, message.send, 0);
    sent.is_some() && arrived.is_some() && sent != arrived && is_comparable(evidence, message)
}

/// The digest of what a nonblocking receive of plain numbers has received.
fn completed_word(evidence: Evidence, message: &Message) -> Option<u64> {
    let posted = event(evidence, message.receive);
    let posting = Arguments { call: evidence.call(message.receive), outcome: Some(evidence.trace.outcome(posted.outcome?)) };
    let is_receive = matches!(posting.function(), mpi::IRECV | mpi::IMRECV) && posting.call.int("datatype").is_some_and(is_plain);
    let request = posting.result("request").int().filter(|_| is_receive)?;
    let received = event(evidence, message.received);
    let a = Arguments { call: evidence.call(message.received), outcome: Some(evidence.trace.outcome(received.outcome?)) };
    let row = completed_requests(&a).iter().position(|completed| *completed == request)?;
    let lane = &evidence.trace.lanes[message.received.lane as usize];
    let words = words::of(a.call, a.outcome?, lane.words_of(received));
    words.iter().find(|word| word.row == row && word.of == Of::Received).map(|word| word.digest).filter(|digest| *digest != 0)
}

/// Whether the digests of both sides must be equal: it is certain that they are of the same message, of the same length, taken alike.
fn is_comparable(evidence: Evidence, message: &Message) -> bool {
    let (from, to) = (evidence.rank(message.send), evidence.rank(message.receive));
    let keep = |place: Place| {
        let process = evidence.trace.lanes[place.lane as usize].process;
        evidence.trace.processes.get(process as usize).map(|process| process.payload)
    };
    let succeeded =
        |place: Place| event(evidence, place).outcome.is_some_and(|outcome| evidence.trace.outcome(outcome).code == 0);
    let is_certain = !evidence.program.has_threads(from) && !evidence.program.has_threads(to);
    let is_whole = arrived_bytes(evidence, message).is_none_or(|bytes| bytes == message.bytes);
    let is_alike = keep(message.send) == keep(message.receive) && keep(message.send) != Some(Keep::None);
    is_certain && is_alike && succeeded(message.send) && succeeded(message.received) && is_whole
}

/// What the status of a blocking receive says.
fn arrived_bytes(evidence: Evidence, message: &Message) -> Option<u64> {
    let outcome = evidence.trace.outcome(event(evidence, message.received).outcome?);
    let mut statuses = outcome.statuses(evidence.call(message.received).function);
    let first = statuses.next().filter(|_| message.receive == message.received)?;
    u64::try_from(first.bytes).ok()
}

/// Whether nothing else was received into the memory of a message: where it arrived while its receive was under way, and where it was sent from by
/// a receive that was under way already. The digest of a send may be taken when it returns.
fn is_alone(evidence: Evidence, messages: &[Message], message: &Message) -> bool {
    let Message { send, receive, received, .. } = *message;
    let is_free = |room: Option<Footprint>, from: Place, to: Place| {
        room.is_some_and(|room| !is_received_into(evidence, messages, &room, (from, to)))
    };
    is_free(footprint(evidence, receive, RECEIVED), receive, received) && is_free(footprint(evidence, send, SENT), send, send)
}

/// Whether anything else may have been received into some memory of a process between two of its calls.
fn is_received_into(evidence: Evidence, messages: &[Message], room: &Footprint, (from, to): (Place, Place)) -> bool {
    let process = |place: Place| evidence.trace.lanes[place.lane as usize].process;
    let own = process(from);
    let others = messages.iter().filter(|other| process(other.receive) == own && other.receive != from);
    let at_once = others.filter(|other| other.receive < to && from < other.received);
    let left = evidence.remains.receives.iter().map(|left| left.place).filter(|place| process(*place) == own && *place < to);
    let mut places = at_once.map(|other| other.receive).chain(left);
    places.any(|place| footprint(evidence, place, RECEIVED).is_none_or(|other| room.overlaps(&other) != Overlap::No))
}

/// What the parameters of a call are called that say where it receives to, how many and of what type; and where it sends from.
const RECEIVED: [[&str; 2]; 3] = [["recvbuf", "buf"], ["recvcount", "count"], ["recvtype", "datatype"]];
const SENT: [[&str; 2]; 3] = [["sendbuf", "buf"], ["sendcount", "count"], ["sendtype", "datatype"]];

/// The bytes that a call receives or sends.
fn footprint(evidence: Evidence, place: Place, names: [[&str; 2]; 3]) -> Option<Footprint> {
    let call = evidence.call(place);
    let [at, count, datatype] = names.map(|names| names.iter().find_map(|name| call.int(name)));
    let process = evidence.trace.lanes[place.lane as usize].process as usize;
    evidence.lifted.datatypes[process].footprint(at?, count?, datatype?)
}

fn arrival(evidence: Evidence, message: Message, times: u64) -> Finding {
    let (from, to) = (evidence.rank(message.send), evidence.rank(message.receive));
    let title =
        format!("rank {to} receives other data than rank {from} sends: it was changed on the way, in a buffer that is in use");
    let mut found = Finding::new(&rules::BUFFER_REUSED, Severity::Error, title);
    let bytes = count(message.bytes, "byte");
    found.labels.push(primary(message.send, format!("sends {bytes}")));
    found.labels.push(secondary(message.received, format!("receives {bytes}, and others")));
    if times > 1 {
        found.notes.push(format!("it happens {times} times"));
    }
    found
}
