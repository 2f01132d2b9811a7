//! Which bytes of a file a call reads or writes: what its offset, or a file pointer, comes to through the view of the process.
//!
//! A position counts bytes of data from the beginning of the view on, as the view's file type lays them out from its displacement on; elements of
//! the view's elementary type are a matter of offsets only. An individual pointer is followed through the calls of its process. A shared one is
//! known as long as only collective calls move it. What is not known is None: what is read beyond the end of a file may be less than was asked
//! for, and nobody knows where a file ends.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use traces::constant::{self, MODE_APPEND, SEEK_CUR, SEEK_SET};
use traces::function::{Class, Function, mpi};
use traces::{Trace, Value};

use crate::finding::Place;
use crate::footprint::{Footprint, Geometry};
use crate::lift::{Arguments, Lifted, is_collective_on_file};
use crate::program::{ContextId, Thing};

/// What is done with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They are read.
    Read,
    /// They are written.
    Write,
}

/// What says where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// The offset of the call.
    Explicit,
    /// The pointer of the process.
    Individual,
    /// The pointer of all that have opened the file.
    Shared,
}

/// What a call does to a file.
#[derive(Clone, Debug)]
pub struct Region {
    /// The call; of a split collective that which begins it.
    pub place: Place,
    /// The file, by its number in the trace.
    pub file: i64,
    /// What is done.
    pub kind: Kind,
    /// What says where.
    pub pointer: Pointer,
    /// Whether all that have opened the file make the call.
    pub is_collective: bool,
    /// The bytes of the file; None if they are not known.
    pub bytes: Option<Footprint>,
}

/// The view of a process on a file, and where its pointer is.
#[derive(Clone, Debug)]
struct View {
    /// Where it begins.
    displacement: i64,
    /// Bytes of an elementary type.
    unit: Option<i64>,
    /// What repeats from there on; None if it is not known.
    layout: Option<Arc<Geometry>>,
    /// The individual pointer, in bytes of data.
    position: Option<i64>,
}

impl View {
    /// The bytes of the file that so many bytes of data are from a position on.
    fn bytes(&self, position: Option<i64>, len: Option<i64>) -> Option<Footprint> {
        let (from, len) = (position?, len?);
        self.layout.as_ref()?.stretch(self.displacement, from, from.checked_add(len)?)
    }

    fn offset(&self, offset: Option<i64>) -> Option<i64> {
        offset?.checked_mul(self.unit?)
    }
}

/// A call on a file as the walk over its process finds it.
struct Step {
    region: Option<Region>,
    view: View,
    shared: Shared,
}

/// What a collective call does to the shared pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shared {
    Nothing,
    /// It is here now, in bytes of data.
    Is(Option<i64>),
    /// It is so much further.
    By(Option<i64>),
    /// So many bytes each, in the order of ranks.
    Ordered(Option<i64>),
    /// It is moved by one that asks nobody.
    Somewhere,
}

/// What every call of a trace does to files, in the order of lanes and calls.
pub(crate) fn find(trace: &Trace, lifted: &Lifted) -> Vec<Region> {
    let is_on_file: Vec<bool> = trace.calls.iter().map(|call| call.function.class() == Class::Io).collect();
    if !is_on_file.contains(&true) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut shared: FxHashMap<ContextId, Vec<(u32, Vec<Step>)>> = FxHashMap::default();
    for (number, lane) in (0..).zip(&trace.lanes) {
        let Some(rank) = lane.rank else { continue };
        let process = (lane.process as usize).min(lifted.datatypes.len() - 1);
        let mut walk = Walk { lifted, process, rank, views: FxHashMap::default() };
        for (at, event) in (0..).zip(&lane.events).filter(|(_, event)| is_on_file[event.call.0 as usize]) {
            let a = Arguments { call: trace.call(event.call), outcome: event.outcome.map(|o| trace.outcome(o)) };
            let Some((context, step)) = walk.call(Place { lane: number, event: at }, &a) else { continue };
            if step.shared == Shared::Nothing {
                found.extend(step.region);
                continue;
            }
            let members = shared.entry(context).or_default();
            match members.last_mut().filter(|(last, _)| *last == rank) {
                Some((_, steps)) => steps.push(step),
                None => members.push((rank, vec![step])),
            }
        }
    }
    for (context, members) in shared {
        found.extend(share(members, &lifted.program.contexts[context as usize].members));
    }
    found.sort_by_key(|region| region.place);
    found
}

/// The calls of all members that move a shared pointer, with where it is as far as that is known.
fn share(mut calls: Vec<(u32, Vec<Step>)>, members: &[u32]) -> Vec<Region> {
    calls.sort_by_key(|(rank, _)| members.iter().position(|member| member == rank));
    let is_alone = |step: &Step| matches!(step.shared, Shared::Somewhere);
    // Where all calls are collective, each member makes the same.
    let is_known = calls.len() == members.len() && !calls.iter().flat_map(|(_, steps)| steps).any(is_alone);
    let mut calls: Vec<_> = calls.into_iter().map(|(_, steps)| steps.into_iter()).collect();
    let (mut found, mut position): (_, Option<i64>) = (Vec::new(), None);
    loop {
        let round: Vec<Step> = calls.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            return found;
        }
        let is_whole = is_known && round.len() == members.len();
        for (nth, step) in round.into_iter().enumerate() {
            match step.shared {
                Shared::Is(at) => position = at,
                Shared::By(by) if nth == 0 => position = position.zip(by).and_then(|(at, by)| at.checked_add(by)),
                Shared::Ordered(len) => {
                    let bytes = step.view.bytes(position.filter(|_| is_whole), len);
                    found.extend(step.region.map(|region| Region { bytes, ..region }));
                    position = position.zip(len).and_then(|(at, len)| at.checked_add(len));
                }
                Shared::By(_) | Shared::Nothing | Shared::Somewhere => found.extend(step.region),
            }
        }
    }
}

/// A walk over the calls of a process.
struct Walk<'a> {
    lifted: &'a Lifted,
    process: usize,
    rank: u32,
    views: FxHashMap<i64, View>,
}

impl Walk<'_> {
    fn call(&mut self, place: Place, a: &Arguments) -> Option<(ContextId, Step)> {
        let function = a.function();
        if function == mpi::FILE_OPEN {
            return self.open(a);
        }
        let file = a.call.int("fh")?;
        let context = self.lifted.shared.get(self.rank, Thing::File(file))?.context;
        let mut view = self.views.remove(&file).filter(|_| function != mpi::FILE_CLOSE)?;
        let step = |region, shared, view: &View| Some((context, Step { region, view: view.clone(), shared }));
        let moved = match function {
            _ if a.failed() => None,
            mpi::FILE_SET_VIEW => {
                view = self.view(a);
                step(None, Shared::Is(Some(0)), &view)
            }
            mpi::FILE_SEEK => {
                view.position = target(&view, a, view.position);
                None
            }
            mpi::FILE_GET_POSITION => {
                view.position = view.offset(a.result("offset").int());
                None
            }
            mpi::FILE_SEEK_SHARED => {
                let by = view.offset(a.call.int("offset"));
                let shared = match a.call.int("whence") {
                    Some(SEEK_SET) => Shared::Is(by),
                    Some(SEEK_CUR) => Shared::By(by),
                    _ => Shared::Is(None),
                };
                step(None, shared, &view)
            }
            _ => self.access(place, a, file, &mut view).and_then(|(region, shared)| step(Some(region), shared, &view)),
        };
        self.views.insert(file, view);
        moved
    }

    fn open(&mut self, a: &Arguments) -> Option<(ContextId, Step)> {
        let file = a.result("fh").int()?;
        let context = self.lifted.shared.get(self.rank, Thing::File(file))?.context;
        // What is appended begins where nobody knows. What one thread of several does to a view, the others do not see here.
        let begin = (a.call.int("amode")? & MODE_APPEND == 0).then_some(0);
        let layout = self.lifted.datatypes[self.process].geometry(constant::BYTE).filter(|_| !self.has_threads());
        let view = View { displacement: 0, unit: Some(1), layout, position: begin };
        self.views.insert(file, view.clone());
        Some((context, Step { region: None, view, shared: Shared::Is(begin) }))
    }

    fn has_threads(&self) -> bool {
        self.lifted.program.has_threads(self.rank)
    }

    /// The view that MPI_File_set_view gives. Of representations other than that of the memory the sizes are not known.
    fn view(&self, a: &Arguments) -> View {
        let datatypes = &self.lifted.datatypes[self.process];
        let is_native = matches!(a.call.argument("datarep"), Value::Text(name) if name.eq_ignore_ascii_case("native"));
        let displacement = a.call.int("disp").filter(|disp| *disp >= 0 && is_native && !self.has_threads());
        View {
            displacement: displacement.unwrap_or(0),
            unit: self.bytes_of(Some(1), a.call.int("etype")).filter(|_| displacement.is_some()),
            layout: a.call.int("filetype").filter(|_| displacement.is_some()).and_then(|filetype| datatypes.geometry(filetype)),
            position: Some(0),
        }
    }

    fn bytes_of(&self, count: Option<i64>, datatype: Option<i64>) -> Option<i64> {
        let content = self.lifted.datatypes[self.process].content(count, datatype, &self.lifted.program.layouts);
        i64::try_from(content.bytes?).ok()
    }

    /// What a call reads or writes, and what it does to the shared pointer. Moves the individual one.
    fn access(&self, place: Place, a: &Arguments, file: i64, view: &mut View) -> Option<(Region, Shared)> {
        let function = a.function();
        let (kind, pointer) = way(function)?;
        let asked = self.bytes_of(a.call.int("count"), a.call.int("datatype"));
        let told = a.status().map(|status| status.bytes).filter(|bytes| *bytes >= 0);
        // Where a file ends, a read gets less than it asked for.
        let len = asked.map(|asked| told.filter(|told| kind == Kind::Read && *told < asked).unwrap_or(asked));
        let position = match pointer {
            Pointer::Explicit => view.offset(a.call.int("offset")),
            Pointer::Individual => view.position,
            Pointer::Shared => None,
        };
        if pointer == Pointer::Individual {
            let is_whole = len == asked;
            view.position = position.zip(len).and_then(|(at, len)| at.checked_add(len)).filter(|_| is_whole);
        }
        let is_collective = is_collective_on_file(function);
        let shared = match pointer {
            Pointer::Shared if is_collective => Shared::Ordered(len.filter(|_| len == asked)),
            Pointer::Shared => Shared::Somewhere,
            _ => Shared::Nothing,
        };
        let bytes = if pointer == Pointer::Shared { None } else { view.bytes(position, len) };
        Some((Region { place, file, kind, pointer, is_collective, bytes }, shared))
    }
}

/// Where a seek leads.
fn target(view: &View, a: &Arguments, from: Option<i64>) -> Option<i64> {
    let by = view.offset(a.call.int("offset"))?;
    match a.call.int("whence")? {
        SEEK_SET => Some(by),
        SEEK_CUR => from?.checked_add(by),
        _ => None,
    }
}

/// What a function does to a file, and by which pointer; None if it reads and writes nothing, or ends what another one has begun.
fn way(function: Function) -> Option<(Kind, Pointer)> {
    let name = function.name().strip_prefix("MPI_File_")?;
    let kind = match name.strip_prefix('i').unwrap_or(name) {
        _ if name.ends_with("_end") => return None,
        rest if rest.starts_with("read") => Kind::Read,
        rest if rest.starts_with("write") => Kind::Write,
        _ => return None,
    };
    let pointer = if name.contains("_at") {
        Pointer::Explicit
    } else if name.contains("_shared") || name.contains("_ordered") {
        Pointer::Shared
    } else {
        Pointer::Individual
    };
    Some((kind, pointer))
}
