//! One-sided accesses: who touches which bytes of whose memory, with which of its own, and in which epoch.
//!
//! This is the one place where calls such as MPI_Put become accesses. Bytes are addresses, in the origin's memory as in the target's, and
//! as compact as the datatypes that say which. What is not known is None. All that does not differ from one time to the next is kept once for
//! each distinct access, its shape.

mod epochs;
mod exposures;

use std::ops::Deref;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use traces::constant::{NO_OP, OP_NULL};
use traces::function::{Class, Function, mpi};
use traces::{Call, Event, Trace};

use crate::finding::Place;
use crate::footprint::Footprint;
use crate::layout::Content;
use crate::lift::{Arguments, Datatypes, Lifted, Memory, Shared};
use crate::program::{ContextId, Thing};
pub(crate) use epochs::{Epoch, Epochs, Fault};
pub(crate) use exposures::Exposures;
use exposures::Starts;

/// What is done with the target's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is read.
    Get,
    /// It is written.
    Put,
    /// It is changed by an operation, element by element.
    Accumulate,
}

/// An access: its shape, and what is its own.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    shape: Rc<Shape>,
    /// The call.
    pub(crate) place: Place,
    /// Which epoch of that kind it is.
    pub(crate) session: Session,
    /// The event of its lane that completes it at the target, if it comes to one.
    pub(crate) done: Option<u32>,
}

impl Deref for Access {
    type Target = Shape;

    fn deref(&self) -> &Shape {
        &self.shape
    }
}

/// What the accesses of one lane have in common that are made by the same call in the same kind of epoch.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Its number in [`Walk::shapes`].
    pub(crate) number: usize,
    /// The lane that makes it.
    pub(crate) lane: u32,
    /// The window, by where its collectives go.
    pub(crate) window: ContextId,
    /// Whose memory, as a rank of MPI_COMM_WORLD; None for MPI_PROC_NULL.
    pub(crate) target: Option<u32>,
    pub(crate) kind: Kind,
    /// With which operation, by its number; of MPI_Compare_and_swap None.
    pub(crate) operation: Option<i64>,
    /// The bytes of the origin that are sent, or filled by a get.
    pub(crate) origin: Option<Footprint>,
    /// The bytes of the origin that are filled with what was there before.
    pub(crate) result: Option<Footprint>,
    /// The bytes of the target.
    pub(crate) bytes: Option<Footprint>,
    /// The memory that the target gave to the window.
    pub(crate) memory: Option<Memory>,
    /// What an accumulate combines, element by element.
    pub(crate) content: Content,
    /// What allows it; None if nothing does.
    pub(crate) epoch: Option<Epoch>,
    /// Whether a request tells when it is complete.
    pub(crate) has_request: bool,
    /// Whether it tells the origin what is in the target's memory.
    pub(crate) reads: bool,
}

/// Which epoch an access is in, as its target can tell it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Session {
    /// After so many fences.
    Fence(u32),
    /// So many MPI_Win_post of the target came before it.
    Exposure(u32),
    /// Any time, as far as the target knows.
    Passive,
    /// It is not known.
    Unknown,
}

impl Shape {
    /// Whether it changes the target's memory.
    pub(crate) fn writes(&self) -> bool {
        self.kind == Kind::Put || (self.kind == Kind::Accumulate && self.operation != Some(NO_OP))
    }
}

/// When accesses of one shape were under way: the first and the last epoch, of fences and exposures; else from the event to the one that completes it
/// at the target, which is [`u32::MAX`] if it never was.
pub(crate) type Spans = Vec<(u32, u32)>;

/// What a walk over the calls on windows comes to.
#[derive(Default)]
pub(crate) struct Walk {
    /// The accesses, by lane; none if they were not to be kept.
    pub(crate) accesses: Vec<Access>,
    /// The distinct ones.
    pub(crate) shapes: Vec<Rc<Shape>>,
    /// By shape: whether such an access was made in the same epoch as the one before, or while that was not complete at the target.
    pub(crate) is_repeated: Vec<bool>,
    /// Whether there are accesses in any epoch but those of fences and exposures.
    pub(crate) has_others: bool,
    keeps_accesses: bool,
    /// By shape: whether it is to be kept when it was made.
    keeps_spans: Vec<bool>,
    spans: Vec<Spans>,
    /// The calls that do not fit their epoch.
    pub(crate) faults: Vec<(Place, ContextId, Fault)>,
    /// What the targets let others do.
    pub(crate) exposures: Exposures,
}

/// Follows every rank that calls MPI from one thread through its epochs, and keeps of the accesses what is distinct.
pub(crate) fn survey(trace: &Trace, lifted: &Lifted) -> Walk {
    follow(trace, lifted, Walk::default())
}

/// Does the same, and keeps every access.
pub(crate) fn walk(trace: &Trace, lifted: &Lifted) -> Walk {
    follow(trace, lifted, Walk { keeps_accesses: true, ..Walk::default() })
}

/// Finds when the accesses of some shapes of a survey were under way, by number of the shape.
pub(crate) fn spans(trace: &Trace, lifted: &Lifted, wanted: Vec<bool>) -> Vec<Spans> {
    let spans = vec![Spans::new(); wanted.len()];
    follow(trace, lifted, Walk { keeps_spans: wanted, spans, ..Walk::default() }).spans
}

fn follow(trace: &Trace, lifted: &Lifted, mut walk: Walk) -> Walk {
    let is_on_window: Vec<bool> = trace.calls.iter().map(is_on_window).collect();
    if !is_on_window.contains(&true) {
        return walk;
    }
    walk.exposures = Exposures::of(trace, lifted);
    for (number, lane) in (0..).zip(&trace.lanes) {
        // The calls of several threads have an order that nobody promised.
        let Some(rank) = lane.rank.filter(|rank| !lifted.program.has_threads(*rank)) else { continue };
        let process = (lane.process as usize).min(lifted.datatypes.len() - 1);
        let mut follower = Follower {
            walk: &mut walk,
            lifted,
            datatypes: &lifted.datatypes[process],
            rank,
            epochs: Epochs::default(),
            starts: Starts::default(),
            open: Vec::new(),
            known: FxHashMap::default(),
            last: FxHashMap::default(),
        };
        for (at, event) in (0..).zip(&lane.events).filter(|(_, event)| is_on_window[event.call.0 as usize]) {
            follower.event(trace, Place { lane: number, event: at }, event);
        }
    }
    walk
}

/// A call on a window, understood once for each distinct call of a lane.
struct Known {
    shared: Shared,
    /// What it is an access of, if it is one, and the rank of the window that it goes to.
    access: Option<(Kind, Option<i64>)>,
    /// The target that it completes accesses at, if it does so, as a rank of MPI_COMM_WORLD; None if it is about all.
    completes: Option<Option<Option<u32>>>,
    /// Its shape in each kind of epoch, and whether it returned an error there.
    shapes: Vec<(bool, Option<Epoch>, Rc<Shape>)>,
}

/// One rank on the way through its calls.
struct Follower<'a> {
    walk: &'a mut Walk,
    lifted: &'a Lifted,
    datatypes: &'a Datatypes,
    rank: u32,
    epochs: Epochs,
    starts: Starts,
    /// The accesses that are not complete at their targets, by number in what is kept of them.
    open: Vec<(usize, Rc<Shape>)>,
    known: FxHashMap<u32, Option<Known>>,
    /// By shape: the last epoch of such an access, and how many are not complete.
    last: FxHashMap<usize, (Session, u32)>,
}

impl Follower<'_> {
    fn event(&mut self, trace: &Trace, place: Place, event: &Event) {
        let a = Arguments { call: trace.call(event.call), outcome: event.outcome.map(|o| trace.outcome(o)) };
        let (lifted, rank) = (self.lifted, self.rank);
        let Some(known) = self.known.entry(event.call.0).or_insert_with(|| known(lifted, rank, a.call)) else { return };
        let shared = known.shared;
        if let Some((kind, target_rank)) = known.access {
            let epoch = self.epochs.allowing(shared.context, target_rank);
            let is_same = |own: &&(bool, Option<Epoch>, Rc<Shape>)| own.0 == a.failed() && own.1 == epoch;
            let shape = known.shapes.iter().find(is_same).map(|own| Rc::clone(&own.2)).unwrap_or_else(|| {
                let reader = Reader { lifted, datatypes: self.datatypes, a: &a, rank, shared };
                let shape = Rc::new(reader.shape((self.walk.shapes.len(), place.lane), kind, epoch));
                known.shapes.push((a.failed(), epoch, Rc::clone(&shape)));
                self.walk.shapes.push(Rc::clone(&shape));
                self.walk.is_repeated.push(false);
                shape
            });
            self.access(place, shape, epoch, a.failed());
            if !a.failed() {
                return;
            }
        } else if let Some(target) = known.completes.filter(|_| !self.open.is_empty()) {
            self.complete(place, target, shared.context);
        }
        if a.function() == mpi::WIN_START && !a.failed() {
            let step = lifted.program.lanes[place.lane as usize].steps[place.event as usize];
            self.starts.begin(&lifted.program, step, shared.context);
        }
        let fault = self.epochs.call(&a, shared.context);
        self.walk.faults.extend(fault.map(|fault| (place, shared.context, fault)));
    }

    /// An access in an epoch of this kind. One that returned an error may be over or not.
    fn access(&mut self, place: Place, shape: Rc<Shape>, epoch: Option<Epoch>, has_failed: bool) {
        let session = match epoch {
            _ if has_failed => Session::Unknown,
            Some(Epoch::Fence) => Session::Fence(self.epochs.fences(shape.window)),
            Some(Epoch::Lock { .. } | Epoch::LockAll) => Session::Passive,
            Some(Epoch::Start) => {
                let exposure = |target| self.starts.exposure(&self.walk.exposures, shape.window, target, self.rank);
                shape.target.and_then(exposure).map_or(Session::Unknown, Session::Exposure)
            }
            _ => Session::Unknown,
        };
        self.walk.has_others |= !matches!(session, Session::Fence(_) | Session::Exposure(_));
        let last = self.last.entry(shape.number).or_insert((Session::Unknown, 0));
        self.walk.is_repeated[shape.number] |= last.1 > 0 || (last.0 == session && session != Session::Passive);
        last.0 = session;
        let keeps_span = self.walk.keeps_spans.get(shape.number) == Some(&true);
        let spans = self.walk.spans.get_mut(shape.number).filter(|_| keeps_span);
        let number = spans.as_ref().map_or(self.walk.accesses.len(), |spans| spans.len());
        if let Some(spans) = spans {
            spans.extend(match session {
                Session::Fence(number) | Session::Exposure(number) => Some((number, number)),
                Session::Passive => Some((place.event, u32::MAX)),
                Session::Unknown => None,
            });
        }
        if !has_failed {
            last.1 += 1;
            self.open.push((number, Rc::clone(&shape)));
        }
        if self.walk.keeps_accesses {
            self.walk.accesses.push(Access { shape, place, session, done: None });
        }
    }

    /// Accesses to one target of a window are complete there, or to all.
    fn complete(&mut self, place: Place, target: Option<Option<u32>>, window: ContextId) {
        let Walk { accesses, spans, .. } = &mut *self.walk;
        let last = &mut self.last;
        self.open.retain(|(at, shape)| {
            let is_done = shape.window == window && target.is_none_or(|target| shape.target == target);
            if is_done {
                if let Some(access) = accesses.get_mut(*at) {
                    access.done = Some(place.event);
                }
                let span = spans.get_mut(shape.number).and_then(|spans| spans.get_mut(*at));
                if let Some(span) = span.filter(|span| span.1 == u32::MAX) {
                    span.1 = place.event;
                }
                last.entry(shape.number).and_modify(|last| last.1 -= 1);
            }
            !is_done
        });
    }
}

/// What a call on a window is to a rank; None if the window is not known.
fn known(lifted: &Lifted, rank: u32, call: &Call) -> Option<Known> {
    let shared = lifted.shared.get(rank, Thing::Window(call.int("win")?))?;
    let function = call.function.small();
    let access = kind(function).map(|kind| (kind, call.int("target_rank")));
    let completes = completes_at_target(function).then(|| target_of(lifted, call, shared, rank));
    Some(Known { shared, access, completes, shapes: Vec::new() })
}

/// Whether a call completes accesses where they go to.
fn completes_at_target(function: Function) -> bool {
    matches!(
        function,
        mpi::WIN_FENCE
            | mpi::WIN_COMPLETE
            | mpi::WIN_UNLOCK
            | mpi::WIN_UNLOCK_ALL
            | mpi::WIN_FLUSH
            | mpi::WIN_FLUSH_ALL
            | mpi::WIN_FREE
    )
}

/// The target that a call is about, as a rank of MPI_COMM_WORLD; None if it is about all.
fn target_of(lifted: &Lifted, call: &Call, shared: Shared, rank: u32) -> Option<Option<u32>> {
    let at = call.int("rank")?;
    let view = lifted.communicators.view(shared.comm, rank);
    Some(view.and_then(|view| u32::try_from(*view.local.ranks.get(usize::try_from(at).ok()?)?).ok()))
}

fn is_on_window(call: &Call) -> bool {
    call.function.class() == Class::OneSided
}

fn kind(function: Function) -> Option<Kind> {
    Some(match function {
        mpi::PUT | mpi::RPUT => Kind::Put,
        mpi::GET | mpi::RGET => Kind::Get,
        mpi::ACCUMULATE | mpi::RACCUMULATE | mpi::GET_ACCUMULATE | mpi::RGET_ACCUMULATE => Kind::Accumulate,
        mpi::FETCH_AND_OP | mpi::COMPARE_AND_SWAP => Kind::Accumulate,
        _ => return None,
    })
}

/// A call in the way that reading it needs.
struct Reader<'a> {
    lifted: &'a Lifted,
    datatypes: &'a Datatypes,
    a: &'a Arguments<'a>,
    rank: u32,
    shared: Shared,
}

impl Reader<'_> {
    fn shape(&self, (number, lane): (usize, u32), kind: Kind, epoch: Option<Epoch>) -> Shape {
        let a = self.a;
        let target = self.target();
        let memory = target.and_then(|target| self.lifted.shared.get(target, self.thing()?)).and_then(|shared| shared.memory);
        let operation = a.call.int("op").filter(|op| *op != OP_NULL);
        let elements = self.elements("target");
        let content =
            elements.map(|(count, datatype)| self.datatypes.content(Some(count), Some(datatype), &self.lifted.program.layouts));
        let fetches = a.call.function.parameter("result_addr").is_some();
        Shape {
            number,
            lane,
            window: self.shared.context,
            target,
            kind,
            operation,
            // Where nothing is combined, nothing is sent.
            origin: if operation == Some(NO_OP) { Some(Footprint::default()) } else { self.own("origin") },
            result: if fetches { self.own("result") } else { Some(Footprint::default()) },
            bytes: memory.and_then(|memory| self.bytes(memory)),
            memory,
            content: content.unwrap_or_default(),
            epoch: if a.failed() && epoch.is_some() { Some(Epoch::Unknown) } else { epoch },
            has_request: a.call.function.parameter("request").is_some(),
            reads: kind == Kind::Get || fetches,
        }
    }

    fn thing(&self) -> Option<Thing> {
        self.a.call.int("win").map(Thing::Window)
    }

    fn target(&self) -> Option<u32> {
        let at = usize::try_from(self.a.call.int("target_rank")?).ok()?;
        let view = self.lifted.communicators.view(self.shared.comm, self.rank)?;
        u32::try_from(*view.local.ranks.get(at)?).ok()
    }

    /// So many of a datatype, by the names of the arguments; of MPI_Fetch_and_op and the like, one of the only datatype.
    fn elements(&self, side: &str) -> Option<(i64, i64)> {
        let call = self.a.call;
        match call.int(&format!("{side}_datatype")) {
            Some(datatype) => Some((call.int(&format!("{side}_count"))?, datatype)),
            None => Some((1, call.int("datatype")?)),
        }
    }

    /// Bytes of the origin.
    fn own(&self, side: &str) -> Option<Footprint> {
        let (count, datatype) = self.elements(side)?;
        self.datatypes.footprint(self.a.call.int(&format!("{side}_addr"))?, count, datatype)
    }

    /// Bytes of the target. The datatype is the origin's, and counts in the target's memory.
    fn bytes(&self, memory: Memory) -> Option<Footprint> {
        let (count, datatype) = self.elements("target")?;
        let at = self.a.call.int("target_disp")?.checked_mul(memory.unit)?.checked_add(memory.base)?;
        self.datatypes.footprint(at, count, datatype)
    }
}
