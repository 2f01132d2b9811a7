//! Accesses of different ranks to the same bytes of a file that nothing keeps apart, where one writes: `file/race`.
//!
//! Looked at is what is certain, on a file that was opened by all together. Between two calls of MPI_File_sync such accesses are in conflict,
//! unless the file is atomic. What has an offset of its own in a file without a view is known by its call; what goes through views and
//! pointers has its bytes from `crate::regions`, in runs of which that does not take too much memory.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use traces::Call;
use traces::function::{Class, Function, mpi};

use super::arrivals;
use super::sharing::range;
use super::wording::distinct;
use super::{Evidence, Report, primary};
use crate::finding::{Finding, Place, Severity};
use crate::footprint::{Footprint, Overlap};
use crate::lift::{Arguments, Datatypes};
use crate::order::Order;
use crate::program::{ContextId, Thing};
use crate::regions::{self, Kind, Region};
use crate::rules;

/// So many pairs of accesses to a file are compared between two synchronisations.
const PAIRS_MAX: u32 = 1 << 18;

/// Calls on files of which so many, and no more, are followed through views and pointers.
const FOLLOWED_MAX: usize = 1 << 20;

/// An access.
#[derive(Clone, Copy, Debug)]
struct Access {
    /// Its bytes in the file, from the first one to behind the last one.
    bytes: (u64, u64),
    /// Which of the regions says what of it they are; None if they are all.
    region: Option<usize>,
    writes: bool,
    place: Place,
}

/// Accesses between two synchronisations of a file, by how many of those were before.
type Groups = BTreeMap<(ContextId, u32), Vec<Access>>;

/// The pairs of lines whose accesses no synchronisation keeps apart.
pub(super) fn pairs(evidence: Evidence) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let is_on_file: Vec<bool> = evidence.trace.calls.iter().map(|call| call.function.class() == Class::Io).collect();
    if !is_on_file.contains(&true) {
        return pairs;
    }
    let regions = regions(evidence, &is_on_file);
    let mut groups = Groups::new();
    for number in 0..evidence.trace.lanes.len() {
        of_lane(evidence, number, &is_on_file, &regions, &mut groups);
    }
    for ((file, _), mut accesses) in groups {
        accesses.sort_by_key(|access| (access.bytes, access.place));
        among(evidence, file, (&accesses, &regions), &mut pairs);
    }
    pairs
}

/// What calls do to files through views and pointers, if there are such calls, by place.
fn regions(evidence: Evidence, is_on_file: &[bool]) -> Vec<Region> {
    let needs_them = |call: &Call| {
        let name = call.function.name();
        call.function.small() == mpi::FILE_SET_VIEW
            || ((name.contains("read") || name.contains("write")) && !name.contains("_at"))
    };
    let calls = evidence.trace.lanes.iter().flat_map(|lane| &lane.events).filter(|event| is_on_file[event.call.0 as usize]);
    let is_asked = evidence.trace.calls.iter().zip(is_on_file).any(|(call, is_on_file)| *is_on_file && needs_them(call));
    if is_asked && calls.count() <= FOLLOWED_MAX { regions::find(evidence.trace, evidence.lifted) } else { Vec::new() }
}

/// One finding for each of them.
pub(super) fn check(evidence: Evidence, pairs: Vec<Pair>, report: &Report) -> Vec<Finding> {
    if pairs.is_empty() {
        return Vec::new();
    }
    let asked = pairs.iter().flat_map(|pair| pair.accesses).map(|access| access.place);
    let order = Order::of(evidence.program, &report.messages, &report.collectives, asked);
    pairs.into_iter().map(|pair| pair.into_finding(evidence, order.as_ref())).collect()
}

/// Whether a call keeps what is before it apart from what is after it.
fn separates(function: Function) -> bool {
    matches!(function, mpi::FILE_SYNC | mpi::FILE_SET_ATOMICITY | mpi::FILE_SET_VIEW | mpi::FILE_SET_SIZE)
}

/// What is known of a file on one rank.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    separations: u32,
    is_atomic: bool,
    /// Whether offsets may count something else than bytes.
    has_view: bool,
}

/// A call on a file, understood once for each distinct call of a lane.
struct Known {
    file: ContextId,
    /// Its bytes, and whether it writes them; None if it is no access with an offset of its own.
    access: Option<((u64, u64), bool)>,
    /// Between which synchronisations it was made last, and the digest of what it wrote then.
    last: Option<(u32, Option<u64>)>,
}

impl Known {
    fn of(evidence: Evidence, call: &Call, rank: u32, datatypes: &Datatypes) -> Option<Known> {
        let file = evidence.lifted.shared.get(rank, Thing::File(call.int("fh")?))?.context;
        let name = call.function.small().name();
        let first = call.int("offset").and_then(|offset| u64::try_from(offset).ok()).filter(|_| name.contains("_at"));
        let content = datatypes.content(call.int("count"), call.int("datatype"), &evidence.program.layouts);
        let bytes = first.zip(content.bytes.filter(|bytes| *bytes > 0));
        let access = bytes.map(|(first, bytes)| ((first, first.saturating_add(bytes)), name.contains("write")));
        Some(Known { file, access, last: None })
    }
}

/// The accesses of a lane. One that comes again between the same synchronisations, with the same data, tells nothing new.
fn of_lane(evidence: Evidence, number: usize, is_on_file: &[bool], regions: &[Region], groups: &mut Groups) {
    let lane = &evidence.trace.lanes[number];
    let lifted = evidence.lifted;
    let Some(rank) = lane.rank.filter(|rank| !evidence.program.has_threads(*rank)) else { return };
    let datatypes = &lifted.datatypes[(lane.process as usize).min(lifted.datatypes.len() - 1)];
    let mut states: FxHashMap<ContextId, State> = FxHashMap::default();
    let mut calls: FxHashMap<u32, Option<Known>> = FxHashMap::default();
    for (at, event) in (0..).zip(&lane.events).filter(|(_, event)| is_on_file[event.call.0 as usize]) {
        let a = Arguments { call: evidence.trace.call(event.call), outcome: event.outcome.map(|o| evidence.trace.outcome(o)) };
        let known = calls.entry(event.call.0).or_insert_with(|| Known::of(evidence, a.call, rank, datatypes));
        let Some(known) = known else { continue };
        let state = states.entry(known.file).or_default();
        if separates(a.function()) {
            state.separations += 1;
            state.has_view |= a.function() == mpi::FILE_SET_VIEW;
            state.is_atomic = if a.function() == mpi::FILE_SET_ATOMICITY { a.int_or("flag", 1) != 0 } else { state.is_atomic };
            continue;
        }
        if a.failed() || state.is_atomic {
            continue;
        }
        let place = Place { lane: u32::try_from(number).unwrap_or(u32::MAX), event: at };
        let group = (known.file, state.separations);
        if let Some((bytes, writes)) = known.access.filter(|_| !state.has_view) {
            let now = (state.separations, if writes { arrivals::word(evidence, place, 0) } else { None });
            if known.last.replace(now) != Some(now) {
                groups.entry(group).or_default().push(Access { bytes, region: None, writes, place });
            }
        } else if let Some(access) = through_view(regions, place) {
            groups.entry(group).or_default().push(access);
        }
    }
}

/// The access of a call whose bytes its view and its pointer tell.
fn through_view(regions: &[Region], place: Place) -> Option<Access> {
    let at = regions.binary_search_by_key(&place, |region| region.place).ok()?;
    let (first, end) = regions[at].bytes.as_ref()?.bounds()?;
    let bytes = (u64::try_from(first).ok()?, u64::try_from(end).ok()?);
    Some(Access { bytes, region: Some(at), writes: regions[at].kind == Kind::Write, place })
}

/// Whether two accesses have a byte in common, for certain.
fn overlap(regions: &[Region], one: &Access, other: &Access) -> bool {
    let footprint = |access: &Access| match access.region {
        Some(at) => regions[at].bytes.clone(),
        None => Footprint::block(i64::try_from(access.bytes.0).ok()?, access.bytes.1 - access.bytes.0),
    };
    let are_whole = one.region.is_none() && other.region.is_none();
    are_whole || footprint(one).zip(footprint(other)).is_some_and(|(one, other)| one.overlaps(&other) == Overlap::Yes)
}

/// Two lines whose accesses are in conflict.
pub(super) struct Pair {
    file: ContextId,
    accesses: [Access; 2],
    ranks: Vec<u32>,
}

/// Accesses that share bytes, those that begin first ahead: all of one rank to the same bytes at once.
fn among(evidence: Evidence, file: ContextId, (accesses, regions): (&[Access], &[Region]), pairs: &mut Vec<Pair>) {
    let mut left = PAIRS_MAX;
    let mut open: Vec<&[Access]> = Vec::new();
    let writes = |list: &[Access]| list.iter().any(|access| access.writes);
    for own in accesses.chunk_by(|one, other| one.bytes == other.bytes && one.place.lane == other.place.lane) {
        let [first, ..] = own else { continue };
        open.retain(|others| others[0].bytes.1 > first.bytes.0);
        let may_clash = |others: &&&[Access]| others[0].place.lane != first.place.lane && (writes(own) || writes(others));
        let rivals: Vec<&[Access]> = open.iter().filter(may_clash).copied().collect();
        for access in own.iter().filter(|_| !rivals.is_empty()) {
            for other in rivals.iter().copied().flatten() {
                let Some(rest) = left.checked_sub(1) else { return };
                left = rest;
                let is_conflict = (access.writes || other.writes) && overlap(regions, access, other);
                if is_conflict && !writes_the_same(evidence, access, other) {
                    add(evidence, file, [*other, *access], pairs);
                }
            }
        }
        open.push(own);
    }
}

/// Whether both write the same data to the same place, as far as is known: then it is the same whoever comes last.
fn writes_the_same(evidence: Evidence, one: &Access, other: &Access) -> bool {
    let digest = |access: &Access| arrivals::word(evidence, access.place, 0);
    one.writes
        && other.writes
        && one.bytes == other.bytes
        && (one.region, other.region) == (None, None)
        && digest(one).zip(digest(other)).is_none_or(|(one, other)| one == other)
}

fn add(evidence: Evidence, file: ContextId, mut accesses: [Access; 2], pairs: &mut Vec<Pair>) {
    accesses.sort_by_key(|access| access.place);
    let sites = |accesses: &[Access; 2]| {
        let mut sites = accesses.map(|access| evidence.call(access.place).site);
        sites.sort_unstable();
        sites
    };
    let own = sites(&accesses);
    let who = accesses.map(|access| evidence.rank(access.place));
    match pairs.iter_mut().find(|pair| !own.contains(&None) && sites(&pair.accesses) == own) {
        Some(pair) => pair.ranks.extend(who),
        None => pairs.push(Pair { file, accesses, ranks: who.into() }),
    }
}

impl Pair {
    fn into_finding(self, evidence: Evidence, order: Option<&Order>) -> Finding {
        let [one, other] = self.accesses;
        let is_ordered = order.is_none_or(|order| {
            let is_before = |one: Access, other: Access| order.is_before(one.place, other.place) != Some(false);
            is_before(one, other) || is_before(other, one)
        });
        let verb = |access: Access| if access.writes { "writes" } else { "reads" };
        let of = |access: Access| format!("{} of rank {}", evidence.function(access.place), evidence.rank(access.place));
        let why = if is_ordered { "without MPI_File_sync between them" } else { "and nothing orders them" };
        let (what, and) = (verb(one), verb(other));
        let title = format!("{} {what} what {} {and} in one file, {why}", of(one), of(other));
        let severity = if is_ordered { Severity::Warning } else { Severity::Error };
        let mut found = Finding::new(&rules::FILE_RACE, severity, title);
        let shared = (one.bytes.0.max(other.bytes.0), one.bytes.1.min(other.bytes.1) - 1);
        let [first, last] = [shared.0, shared.1].map(|byte| i64::try_from(byte).unwrap_or(i64::MAX));
        let name = evidence.name_of(self.file);
        // What a view leaves out between them is in this range, too.
        let what = if (one.region, other.region) == (None, None) { "" } else { "some of " };
        let label = |access: Access| primary(access.place, format!("{} {what}{} of {name}", verb(access), range(first, last)));
        found.labels = vec![label(other), label(one)];
        let who = distinct(self.ranks);
        if who.len() > 2 {
            found.notes.push(format!("the same lines meet on {} ranks", who.len()));
        }
        found
    }
}
