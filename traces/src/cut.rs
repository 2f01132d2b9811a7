//! What is left of calls that are not in the trace any more: a recording that keeps the newest calls only (`--last`) drops the oldest.
//!
//! The calls that are kept can be understood only with what the dropped ones have left behind: the objects that they made, whose calls are
//! kept; and how far each communication had come, as numbers. A message of a rank is the n-th to that rank with that tag on that communicator,
//! and so, whatever each side has dropped, both know which message it is.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::builder::TraceBuilder;
use crate::call::{Call, Outcome};
use crate::chunk::{Timeline, body_of, unpack};
use crate::constant::{FIRST_MADE, FREED_HANDLE, UNKNOWN_HANDLE};
use crate::function::{Class, Direction, Function, Kind, Length, mpi};
use crate::record::{Chunk, Record};
use crate::site::Object;
use crate::trace::{Event, Lane};

/// What the dropped calls of a thread have left. Ranks are those of the communicator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The number of the thread in its process.
    pub thread: u32,
    /// How many calls are missing.
    pub calls: u64,
    /// How many of the thread's first calls in the trace are older than those that are missing.
    pub kept: u32,
    /// The tick at which the last chunk of what is missing began.
    pub until: u64,
    /// Messages that were sent, by communicator, destination and tag.
    pub sent: Vec<(i64, i64, i64, u64)>,
    /// Messages that were received, by communicator, source and tag.
    pub received: Vec<(i64, i64, i64, u64)>,
    /// Collective calls, by communicator.
    pub collectives: Vec<(i64, u64)>,
    /// Requests of receives from any source or with any tag that were not completed, with their communicators.
    pub pending: Vec<(i64, i64)>,
    /// Requests of other operations that were not completed, and whose beginning is among the calls that are kept: which message to its
    /// destination it is, and which message from its source or which collective, counted from 0 as above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub under_way: Vec<(i64, u64, u64)>,
    /// Whether the numbers are not to be relied on: a call failed, or did something that is not counted.
    pub unsure: bool,
}

/// More numbers than this are not kept: then the cut is unsure.
const NUMBERS_MAX: usize = 1 << 16;
/// Where more operations than this are under way, the calls that begin more of them are not kept.
const UNDER_WAY_MAX: usize = 1 << 12;

/// A communicator, a rank in it, and a tag.
type Channel = (i64, i64, i64);

/// A receive, as it was asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    comm: i64,
    source: i64,
    tag: i64,
}

impl Asked {
    /// Whence the message comes, if that is certain before it does.
    fn channel(self) -> Option<Channel> {
        (self.source >= 0 && self.tag >= 0).then_some((self.comm, self.source, self.tag))
    }
}

/// What a request does.
#[derive(Clone, Copy, Debug, Default)]
struct Operation {
    sends: Option<Channel>,
    receives: Option<Asked>,
    /// The communicator of a collective.
    gathers: Option<i64>,
    /// Whether more than the call that began it has a say in what becomes of it.
    is_open: bool,
    /// Which of the thread's calls began it, counted from 1.
    begun: u64,
    /// See [`Cut::under_way`].
    numbers: (u64, u64),
}

impl Operation {
    /// Whether it is known what it does, if the call that began it is.
    fn is_certain(&self) -> bool {
        let is_communication = self.sends.is_some() || self.receives.is_some() || self.gathers.is_some();
        is_communication && !self.is_open && self.receives.is_none_or(|asked| asked.channel().is_some())
    }
}

/// An object by what it is and its number.
type Id = (Kind, i64);

/// A call that is kept as long as an object lives.
#[derive(Debug)]
struct Kept {
    /// Which of the thread's calls it is, counted from 1.
    number: u64,
    call: Call,
    object: Option<Object>,
    offset: u64,
    outcome: Outcome,
    start: u64,
    duration: u64,
    makes: Vec<Id>,
    uses: Vec<Id>,
}

/// Follows the calls of a thread, and knows at each moment what would be left of them.
#[derive(Debug, Default)]
pub struct Keeper {
    thread: u32,
    seen: u64,
    until: u64,
    unsure: bool,
    sent: FxHashMap<Channel, u64>,
    received: FxHashMap<Channel, u64>,
    collectives: FxHashMap<i64, u64>,
    /// Requests that are under way.
    active: FxHashMap<i64, Operation>,
    /// Persistent requests.
    templates: FxHashMap<i64, Operation>,
    kept: Vec<Kept>,
    /// How many references the program has to an object.
    references: FxHashMap<Id, u32>,
}

impl Keeper {
    /// Of a thread that has not called anything.
    #[must_use]
    pub fn new(thread: u32) -> Keeper {
        Keeper { thread, ..Keeper::default() }
    }

    /// Follows the calls of a chunk. One that is damaged makes what follows unsure.
    pub fn see(&mut self, chunk: &Chunk) {
        let mut builder = TraceBuilder::new();
        let lane = builder.lane(Lane::default());
        self.unsure |= unpack(chunk, &mut builder, lane, &Timeline::TICKS).is_err();
        self.until = chunk.first;
        let trace = builder.finish();
        let before = self.seen;
        for event in &trace.lanes[lane].events {
            self.seen += 1;
            let call = trace.call(event.call);
            let Some(outcome) = event.outcome.map(|o| trace.outcome(o)) else { continue };
            if outcome.code == 0 {
                self.communicate(call, outcome);
                self.keep(call, outcome, event, &trace);
            } else {
                self.unsure |= communicates(call.function);
            }
        }
        if self.sent.len() + self.received.len() + self.collectives.len() > NUMBERS_MAX {
            self.unsure = true;
        }
        if self.unsure {
            (self.sent, self.received, self.collectives) = Default::default();
        }
        self.keep_beginnings(before, &trace.lanes[lane].events, &trace);
        self.forget();
    }

    fn communicate(&mut self, call: &Call, outcome: &Outcome) {
        let function = call.function.small();
        match function.class() {
            _ if matches!(function, mpi::START | mpi::STARTALL) => requests(call).into_iter().for_each(|r| self.start(r)),
            _ if function == mpi::REQUEST_FREE => self.free(call.int("request").unwrap_or_default()),
            _ if function == mpi::CANCEL => {
                if let Some(operation) = self.active.get_mut(&call.int("request").unwrap_or_default()) {
                    operation.is_open = true;
                }
            }
            Class::PointToPoint => self.transfer(call, outcome),
            Class::Probe => {
                let takes =
                    function == mpi::MPROBE || function == mpi::IMPROBE && outcome.result(call.function, "flag").int() != Some(0);
                if takes {
                    self.receive(call, outcome);
                }
            }
            Class::Completion => self.complete(call, outcome),
            _ => self.join(call, outcome),
        }
    }

    fn transfer(&mut self, call: &Call, outcome: &Outcome) {
        let function = call.function.small();
        let request = outcome.result(call.function, "request").int().filter(|_| function.parameter("request").is_some());
        if matches!(function, mpi::MRECV | mpi::IMRECV) {
            return;
        }
        let comm = call.int("comm").filter(|comm| ![UNKNOWN_HANDLE, FREED_HANDLE].contains(comm));
        let tag = |own: &str| call.int(own).or_else(|| call.int("tag"));
        let sends = comm.zip(call.int("dest").filter(|rank| *rank >= 0)).zip(tag("sendtag")).map(|((c, r), t)| (c, r, t));
        let source = call.int("source").filter(|source| *source != crate::constant::PROC_NULL);
        let receives = comm.zip(source).zip(tag("recvtag")).map(|((comm, source), tag)| Asked { comm, source, tag });
        let operation = Operation { sends, receives, ..Operation::default() };
        match request {
            Some(request) if function.name().ends_with("_init") => drop(self.templates.insert(request, operation)),
            Some(request) => self.begin(request, operation),
            None => {
                self.send(sends);
                if receives.is_some() {
                    self.receive(call, outcome);
                }
            }
        }
    }

    fn begin(&mut self, request: i64, mut operation: Operation) {
        let next = |numbers: &FxHashMap<Channel, u64>, channel| numbers.get(&channel).copied().unwrap_or(0);
        let receives = operation.receives.and_then(Asked::channel);
        operation.begun = self.seen;
        operation.numbers.0 = operation.sends.map_or(0, |channel| next(&self.sent, channel));
        operation.numbers.1 = match operation.gathers {
            // It is counted already.
            Some(comm) => self.collectives.get(&comm).map_or(0, |count| count - 1),
            None => receives.map_or(0, |channel| next(&self.received, channel)),
        };
        self.send(operation.sends);
        receives.into_iter().for_each(|channel| self.has_received(channel));
        self.active.insert(request, operation);
    }

    fn send(&mut self, sends: Option<Channel>) {
        if let Some(channel) = sends {
            *self.sent.entry(channel).or_default() += 1;
        }
    }

    /// A call that has received a message, or taken it to be received, and says in its status which.
    fn receive(&mut self, call: &Call, outcome: &Outcome) {
        let status = outcome.statuses(call.function).next();
        match call.int("comm").zip(status) {
            Some((comm, status)) if status.source >= 0 => self.has_received((comm, status.source, status.tag)),
            // From nobody: MPI_PROC_NULL.
            Some((_, status)) if status.source == crate::constant::PROC_NULL => {}
            _ => self.unsure = true,
        }
    }

    fn has_received(&mut self, channel: Channel) {
        *self.received.entry(channel).or_default() += 1;
    }

    fn start(&mut self, request: i64) {
        if let Some(&operation) = self.templates.get(&request) {
            self.begin(request, operation);
        }
    }

    /// A request that is freed goes on by itself.
    fn free(&mut self, request: i64) {
        self.templates.remove(&request);
        let freed = self.active.remove(&request).and_then(|operation| operation.receives);
        self.unsure |= freed.is_some_and(|asked| asked.channel().is_none());
    }

    fn complete(&mut self, call: &Call, outcome: &Outcome) {
        let all = requests(call);
        let is_too_long = all.is_empty() && call.int("count").or(call.int("incount")).is_some_and(|count| count > 0);
        let Some(places) = completed(call, outcome, all.len()) else { return };
        self.unsure |= is_too_long;
        let mut statuses = outcome.statuses(call.function);
        for place in places {
            let status = statuses.next();
            let Some(operation) = all.get(place).and_then(|request| self.active.remove(request)) else { continue };
            let is_cancelled = status.is_some_and(|status| status.cancelled);
            if let Some(sent) = operation.sends.filter(|_| is_cancelled).and_then(|channel| self.sent.get_mut(&channel)) {
                *sent -= 1;
            }
            let Some(asked) = operation.receives else { continue };
            if let Some(channel) = asked.channel() {
                // It was counted when it began.
                if let Some(received) = self.received.get_mut(&channel).filter(|_| is_cancelled) {
                    *received -= 1;
                }
            } else if !is_cancelled {
                match status.filter(|status| status.source >= 0) {
                    Some(status) => self.has_received((asked.comm, status.source, status.tag)),
                    None => self.unsure = true,
                }
            }
        }
    }

    fn join(&mut self, call: &Call, outcome: &Outcome) {
        let function = call.function.small();
        // What meets in windows and files is not counted.
        self.unsure |= matches!(function.class(), Class::OneSided | Class::Io);
        let Some(comm) = function.gathers().and_then(|name| call.int(name)) else { return };
        // Each start of a persistent collective takes part in one of its own.
        let is_persistent = function.name().ends_with("_init");
        self.unsure |= is_persistent;
        *self.collectives.entry(comm).or_default() += 1;
        if let Some(request) = outcome.result(call.function, "request").int().filter(|_| !is_persistent) {
            self.begin(request, Operation { gathers: Some(comm), ..Operation::default() });
        }
    }

    /// Notes the objects that a call makes or frees, and keeps the call if it makes some.
    fn keep(&mut self, call: &Call, outcome: &Outcome, event: &Event, trace: &crate::Trace) {
        if frees(call.function) {
            for (kind, number) in named(call) {
                if let Some(references) = self.references.get_mut(&(kind, number)) {
                    *references -= 1;
                }
            }
            return;
        }
        let mut makes = made(call, outcome);
        makes.retain(|id| {
            let references = self.references.entry(*id).or_default();
            *references += 1;
            *references == 1
        });
        if makes.is_empty() && !is_about_objects(call.function) {
            return;
        }
        self.kept.push(Kept::new(self.seen, event, makes, trace));
    }

    /// Keeps those calls of a chunk that began what is still under way. `before` is how many calls there were before the chunk.
    fn keep_beginnings(&mut self, before: u64, events: &[Event], trace: &crate::Trace) {
        if self.active.len() > UNDER_WAY_MAX {
            return;
        }
        for number in self.beginnings() {
            let event = number.checked_sub(before + 1).and_then(|at| events.get(usize::try_from(at).ok()?));
            if let (Some(event), Err(at)) = (event, self.kept.binary_search_by_key(&number, |kept| kept.number)) {
                self.kept.insert(at, Kept::new(number, event, Vec::new(), trace));
            }
        }
    }

    /// Which calls began what is still under way.
    fn beginnings(&self) -> FxHashSet<u64> {
        self.active.values().filter(|operation| operation.is_certain()).map(|operation| operation.begun).collect()
    }

    /// Drops the calls that made objects which are gone, and which no other one was made of.
    fn forget(&mut self) {
        self.references.retain(|_, references| *references > 0);
        let mut needed: FxHashSet<Id> = self.references.keys().copied().collect();
        let beginnings = self.beginnings();
        let mut is_needed: Vec<bool> = Vec::with_capacity(self.kept.len());
        for kept in self.kept.iter().rev() {
            let lives = |ids: &[Id]| ids.iter().any(|id| needed.contains(id));
            let is_about = match kept.makes.as_slice() {
                [] if is_about_objects(kept.call.function) => lives(&kept.uses),
                makes => lives(makes),
            };
            let keeps = is_initialization(kept.call.function) || is_about || beginnings.contains(&kept.number);
            if keeps {
                needed.extend(&kept.uses);
            }
            is_needed.push(keeps);
        }
        let mut is_needed = is_needed.into_iter().rev();
        self.kept.retain(|_| is_needed.next() == Some(true));
    }

    /// What is left of all calls seen so far, and the calls that are kept of them.
    #[must_use]
    pub fn cut(&self) -> (Cut, Option<Chunk>) {
        let (mut pending, mut under_way) = (Vec::new(), Vec::new());
        for (request, operation) in &self.active {
            let is_kept = |begun: u64| self.kept.binary_search_by_key(&begun, |kept| kept.number).is_ok();
            match operation.receives {
                Some(asked) if asked.channel().is_none() => pending.push((*request, asked.comm)),
                _ if operation.is_certain() && is_kept(operation.begun) => {
                    under_way.push((*request, operation.numbers.0, operation.numbers.1));
                }
                _ => {}
            }
        }
        pending.sort_unstable();
        under_way.sort_unstable();
        let rows = |numbers: &FxHashMap<Channel, u64>| {
            let sorted: BTreeMap<_, _> = numbers.iter().collect();
            sorted.into_iter().map(|(&(comm, rank, tag), &count)| (comm, rank, tag, count)).collect()
        };
        let collectives: BTreeMap<i64, u64> = self.collectives.iter().map(|(&comm, &count)| (comm, count)).collect();
        let cut = Cut {
            thread: self.thread,
            calls: self.seen - self.kept.len() as u64,
            kept: u32::try_from(self.kept.len()).unwrap_or(u32::MAX),
            until: self.until,
            sent: rows(&self.sent),
            received: rows(&self.received),
            collectives: collectives.into_iter().collect(),
            pending,
            under_way,
            unsure: self.unsure,
        };
        (cut, self.kept_chunk())
    }

    fn kept_chunk(&self) -> Option<Chunk> {
        let mut builder = TraceBuilder::new();
        let lane = builder.lane(Lane::default());
        for kept in &self.kept {
            let object = kept.object.clone().map(|object| builder.object(object));
            let site = object.map(|object| builder.site(crate::Site { object, offset: kept.offset, method: None }));
            // Of its stack the line is enough: it says where the object was made.
            let call = builder.call(Call { site, caller: None, ..kept.call.clone() });
            let outcome = Some(builder.outcome(kept.outcome.clone()));
            let event = Event { call, outcome, start_ns: kept.start, duration_ns: kept.duration, words_at: 0, words_len: 0 };
            builder.event(lane, event, &[]);
        }
        let trace = builder.finish();
        let lane = &trace.lanes[lane];
        body_of(&trace, lane, 0..lane.events.len()).pack(0, self.thread)
    }
}

impl Kept {
    fn new(number: u64, event: &Event, makes: Vec<Id>, trace: &crate::Trace) -> Kept {
        let call = trace.call(event.call);
        let site = call.site.map(|site| trace.site(site));
        Kept {
            number,
            call: call.clone(),
            object: site.map(|site| trace.objects[site.object as usize].clone()),
            offset: site.map_or(0, |site| site.offset),
            outcome: event.outcome.map(|outcome| trace.outcome(outcome).clone()).unwrap_or_default(),
            start: event.start_ns,
            duration: event.duration_ns,
            makes,
            uses: named(call),
        }
    }
}

impl Cut {
    /// As a segment's file holds it: the cut, and the calls that are kept.
    #[must_use]
    pub fn to_bytes(&self, kept: Option<Chunk>) -> Vec<u8> {
        let mut bytes = rmp_serde::to_vec_named(self).unwrap_or_default();
        bytes.extend(kept.map(|chunk| Record::Chunk(chunk).to_bytes()).unwrap_or_default());
        bytes
    }

    /// The same, read; None if there is none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<(Cut, Option<Chunk>)> {
        let mut rest = bytes;
        let cut = rmp_serde::from_read(&mut rest).ok()?;
        let kept = match rmp_serde::from_read(&mut rest) {
            Ok(Record::Chunk(chunk)) => Some(chunk),
            _ => None,
        };
        Some((cut, kept))
    }
}

/// Whether a call that fails leaves open how far the communication has come.
fn communicates(function: Function) -> bool {
    matches!(function.class(), Class::PointToPoint | Class::Probe | Class::Completion) || function.gathers().is_some()
}

fn is_initialization(function: Function) -> bool {
    matches!(function, mpi::INIT | mpi::INIT_THREAD)
}

/// Whether a call that makes nothing is kept as long as the objects live that it names.
fn is_about_objects(function: Function) -> bool {
    is_initialization(function) || function == mpi::TYPE_COMMIT
}

/// Whether a function takes the objects away that it names.
fn frees(function: Function) -> bool {
    let name = function.name();
    let ends = ["_free", "_disconnect", "_close", "Session_finalize"].iter().any(|end| name.ends_with(end));
    ends && function.parameters().iter().any(|p| p.direction == Direction::InOut && is_object(p.kind))
}

fn is_object(kind: Kind) -> bool {
    use Kind::{Comm, Errhandler, File, Group, Info, Op, Request, Session, Type, Win};
    matches!(kind, Comm | Errhandler | File | Group | Info | Op | Request | Session | Type | Win)
}

/// The objects of the program's own that a call names.
fn named(call: &Call) -> Vec<Id> {
    let parameters = call.function.parameters().iter().zip(&call.arguments);
    let objects = parameters.filter(|(p, _)| is_object(p.kind) && p.direction != Direction::Out);
    let numbers = objects.flat_map(|(p, value)| {
        let one = value.int();
        one.into_iter().chain(value.ints().iter().copied()).map(move |number| (p.kind, number))
    });
    numbers.filter(|(_, number)| *number >= FIRST_MADE).collect()
}

/// The objects that a call has made. A request is one if it is persistent.
fn made(call: &Call, outcome: &Outcome) -> Vec<Id> {
    let is_persistent = call.function.small().name().ends_with("_init");
    let parameters = call.function.parameters().iter().zip(&outcome.results);
    let objects = parameters.filter(|(p, _)| {
        let is_made = p.direction == Direction::Out && p.length == Length::Scalar && is_object(p.kind);
        is_made && (p.kind != Kind::Request || is_persistent)
    });
    let numbers = objects.filter_map(|(p, value)| Some((p.kind, value.int().or_else(|| value.ints().first().copied())?)));
    numbers.filter(|(_, number)| *number >= FIRST_MADE).collect()
}

/// The requests that a call names.
fn requests(call: &Call) -> Vec<i64> {
    call.int("request").into_iter().chain(call.ints("array_of_requests").iter().copied()).collect()
}

/// The places, among the requests that a call names, of those that it has completed; None if it has completed none.
fn completed(call: &Call, outcome: &Outcome, count: usize) -> Option<Vec<usize>> {
    let result = |name: &str| outcome.result(call.function, name);
    let place = |index: i64| usize::try_from(index).ok();
    Some(match call.function.small() {
        mpi::WAIT | mpi::WAITALL => (0..count).collect(),
        mpi::TEST | mpi::TESTALL if result("flag").int() != Some(0) => (0..count).collect(),
        mpi::WAITANY => vec![place(result("index").int()?)?],
        mpi::TESTANY if result("flag").int() != Some(0) => vec![place(result("index").int()?)?],
        mpi::WAITSOME | mpi::TESTSOME => {
            let outcount = place(result("outcount").int()?)?;
            result("array_of_indices").ints().iter().take(outcount).filter_map(|&index| place(index)).collect()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Value;

    fn keeper_of(lane: usize, builder: TraceBuilder) -> Keeper {
        let trace = builder.finish();
        let lane = &trace.lanes[lane];
        let chunk = body_of(&trace, lane, 0..lane.events.len()).pack(0, 0).expect("there are calls");
        let mut keeper = Keeper::new(0);
        keeper.see(&chunk);
        keeper
    }

    fn datatype(builder: &mut TraceBuilder, old: i64, new: i64) {
        let arguments = [("count", Value::Int(2)), ("oldtype", Value::Int(old))];
        builder.push(0, mpi::TYPE_CONTIGUOUS, 1, &arguments, Some(&[("newtype", Value::Int(new))]));
    }

    fn free(builder: &mut TraceBuilder, datatype: i64) {
        builder.push(0, mpi::TYPE_FREE, 2, &[("datatype", Value::Int(datatype))], Some(&[]));
    }

    #[test]
    fn calls_are_kept_as_long_as_something_was_made_of_what_they_made() {
        let mut builder = TraceBuilder::with_ranks(1);
        builder.push(0, mpi::INIT, 1, &[], Some(&[]));
        let [a, b, c] = [0, 1, 2].map(|n| FIRST_MADE + n);
        datatype(&mut builder, 0x209, a);
        datatype(&mut builder, a, b);
        datatype(&mut builder, 0x209, c);
        free(&mut builder, a);
        free(&mut builder, c);
        let (cut, kept) = keeper_of(0, builder).cut();
        let kept = kept.expect("calls are kept");
        assert_eq!((cut.calls, cut.kept, kept.calls), (3, 3, 3), "MPI_Init, and those that made what the second type is made of");
        let bytes = cut.to_bytes(Some(kept.clone()));
        assert_eq!(Cut::from_bytes(&bytes), Some((cut, Some(kept))));
    }

    #[test]
    fn messages_are_counted_by_where_they_went_and_came_from() {
        let mut builder = TraceBuilder::with_ranks(1);
        let message = |peer, rank, tag| [(peer, Value::Int(rank)), ("tag", Value::Int(tag)), ("comm", Value::Int(0x101))];
        builder.push(0, mpi::SEND, 1, &message("dest", 1, 7), Some(&[]));
        builder.push(0, mpi::SEND, 1, &message("dest", 1, 7), Some(&[]));
        let request = [("request", Value::Int(FIRST_MADE))];
        builder.push(0, mpi::IRECV, 1, &message("source", -1, -2), Some(&request));
        let status = [("status", Value::Ints([2, 5, 4, 0].into()))];
        builder.push(0, mpi::WAIT, 1, &request, Some(&status));
        builder.push(0, mpi::IRECV, 1, &message("source", -1, -2), Some(&request));
        let persistent = [("request", Value::Int(FIRST_MADE + 1))];
        builder.push(0, mpi::SEND_INIT, 1, &message("dest", 3, 9), Some(&persistent));
        let started = [("count", Value::Int(1)), ("array_of_requests", Value::Ints([FIRST_MADE + 1].into()))];
        for _ in 0..2 {
            builder.push(0, mpi::STARTALL, 1, &started, Some(&[]));
            builder.push(0, mpi::WAIT, 1, &persistent, Some(&[]));
        }
        builder.push(0, mpi::BARRIER, 1, &[("comm", Value::Int(0x101))], Some(&[]));
        let (cut, _) = keeper_of(0, builder).cut();
        assert_eq!(cut.sent, [(0x101, 1, 7, 2), (0x101, 3, 9, 2)]);
        assert_eq!(cut.received, [(0x101, 2, 5, 1)]);
        assert_eq!((cut.collectives, cut.pending, cut.unsure), (vec![(0x101, 1)], vec![(FIRST_MADE, 0x101)], false));
    }

    #[test]
    fn the_beginning_of_what_is_under_way_is_kept() {
        let mut builder = TraceBuilder::with_ranks(1);
        let message = [("source", Value::Int(1)), ("tag", Value::Int(7)), ("comm", Value::Int(0x101))];
        let request = |n| [("request", Value::Int(FIRST_MADE + n))];
        for n in 0..3 {
            builder.push(0, mpi::IRECV, 1, &message, Some(&request(n)));
        }
        let status = [("status", Value::Ints([1, 7, 4, 0].into()))];
        builder.push(0, mpi::WAIT, 1, &request(0), Some(&status));
        builder.push(0, mpi::CANCEL, 1, &request(2), Some(&[]));
        builder.push(0, mpi::IBARRIER, 1, &[("comm", Value::Int(0x101))], Some(&request(0)));
        let (cut, kept) = keeper_of(0, builder).cut();
        assert_eq!(cut.received, [(0x101, 1, 7, 3)]);
        assert_eq!(cut.under_way, [(FIRST_MADE, 0, 0), (FIRST_MADE + 1, 0, 1)], "the third may come to nothing");
        assert_eq!((cut.calls, kept.map(|kept| kept.calls)), (4, Some(2)));
    }
}
