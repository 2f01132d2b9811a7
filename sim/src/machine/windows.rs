//! Windows: who lets whom access its memory, who has ended that, and who has asked for a lock.
//!
//! MPI_Win_post lets each rank of its group go on from its MPI_Win_start, and MPI_Win_complete from MPI_Win_wait: the n-th of one meets the n-th
//! of the other. Locks are only kept account of. The standard lets one come as late as the call that gives it back, so that nobody ever has to
//! wait for one; but where a call never returned, whoever has asked for a lock that excludes its own explains why.

use rustc_hash::FxHashMap;

use super::chain::NONE;
use super::operations::{Kind, Level};
use super::remains::Awaited;
use super::{Clock, Machine};
use crate::finding::Place;
use crate::program::{ContextId, SyncId, SyncKind};

/// Something that one rank tells another one on a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Signal {
    window: ContextId,
    /// Whether it has ended its accesses; else that it may be accessed.
    is_end: bool,
    from: u32,
    to: u32,
}

/// A lock that a rank has asked for and not given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) rank: u32,
    /// Whose memory.
    target: u32,
    is_exclusive: bool,
    /// The call that asked.
    pub(crate) place: Place,
}

/// The state of all windows.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// How often each signal was given.
    given: FxHashMap<Signal, u64>,
    /// How often it was waited for.
    wanted: FxHashMap<Signal, u64>,
    /// Who waits for which of them, and by which operation.
    waiting: FxHashMap<Signal, Vec<(u64, u32)>>,
    /// How many signals an operation waits for.
    missing: FxHashMap<u32, usize>,
    /// With whom a rank has begun an epoch: by window, rank, and whether it lets others access its memory.
    epochs: FxHashMap<(ContextId, u32, bool), Vec<u32>>,
    locks: FxHashMap<ContextId, Vec<Held>>,
}

impl<C: Clock> Machine<'_, C> {
    /// A call on a window. Gives whether it returns at once.
    pub(super) fn synchronise(&mut self, place: Place, sync: SyncId) -> bool {
        let plan = &self.program.syncs[sync as usize];
        let (window, rank) = (plan.window, self.program.lanes[place.lane as usize].rank);
        let is_last = self.demand(place) == Level::Done;
        let signal = |is_end, from, to| Signal { window, is_end, from, to };
        let is_unclear = self.program.unclear.contains(&window);
        match plan.kind {
            SyncKind::Lock { exclusive } if !is_last => {
                let held = |&target| Held { rank, target, is_exclusive: exclusive, place };
                self.windows.locks.entry(window).or_default().extend(plan.ranks.iter().map(held));
                true
            }
            SyncKind::Unlock if !is_last => {
                let is_back = |held: &Held| held.rank == rank && plan.ranks.contains(&held.target);
                self.windows.locks.entry(window).or_default().retain(|held| !is_back(held));
                true
            }
            SyncKind::Lock { .. } | SyncKind::Unlock | SyncKind::Access => {
                is_last && self.wait_for(sync, Vec::new(), Level::Early, place)
            }
            _ if is_unclear => {
                self.lanes[place.lane as usize].is_opaque = is_last;
                !is_last
            }
            SyncKind::Post => {
                self.windows.epochs.insert((window, rank, true), plan.ranks.clone());
                for &to in &plan.ranks {
                    self.give(signal(false, rank, to), place);
                }
                true
            }
            SyncKind::Start => {
                self.windows.epochs.insert((window, rank, false), plan.ranks.clone());
                let signals: Vec<_> = plan.ranks.iter().map(|&from| self.next(signal(false, from, rank))).collect();
                // It may wait, or the accesses may, or MPI_Win_complete.
                let level = if self.assume.full_collectives { Level::Pending } else { Level::Early };
                self.wait_for(sync, signals, level, place)
            }
            SyncKind::Complete => {
                let targets = self.windows.epochs.remove(&(window, rank, false)).unwrap_or_default();
                let posts: Vec<_> = targets.iter().map(|&from| self.last(signal(false, from, rank))).collect();
                if !is_last || posts.iter().all(|(post, nth)| self.is_given(*post, *nth)) {
                    for &to in &targets {
                        self.give(signal(true, rank, to), place);
                    }
                }
                self.wait_for(sync, posts, Level::Early, place)
            }
            SyncKind::Wait { .. } => {
                let origins = self.windows.epochs.remove(&(window, rank, true)).unwrap_or_default();
                let signals: Vec<_> = origins.iter().map(|&from| self.next(signal(true, from, rank))).collect();
                self.wait_for(sync, signals, Level::Pending, place)
            }
        }
    }

    /// The next signal of its kind that was not waited for yet.
    fn next(&mut self, signal: Signal) -> (Signal, u64) {
        let wanted = self.windows.wanted.entry(signal).or_insert(0);
        *wanted += 1;
        (signal, *wanted)
    }

    /// The one that was waited for last.
    fn last(&self, signal: Signal) -> (Signal, u64) {
        (signal, self.windows.wanted.get(&signal).copied().unwrap_or(0))
    }

    fn is_given(&self, signal: Signal, nth: u64) -> bool {
        self.windows.given.get(&signal).copied().unwrap_or(0) >= nth
    }

    /// A call waits for these signals, as far as it has to. Gives whether it returns at once.
    fn wait_for(&mut self, sync: SyncId, signals: Vec<(Signal, u64)>, level: Level, place: Place) -> bool {
        let has_to_be_told =
            !matches!(self.program.syncs[sync as usize].kind, SyncKind::Lock { .. } | SyncKind::Unlock | SyncKind::Access);
        let open: Vec<_> = signals.into_iter().filter(|(signal, nth)| !self.is_given(*signal, *nth)).collect();
        if open.is_empty() && has_to_be_told {
            return true;
        }
        // Nobody looks at it again.
        if level >= self.demand(place) {
            return true;
        }
        let operation = self.operation(Kind::Sync(sync), level, place);
        self.windows.missing.insert(operation, open.len());
        for (signal, nth) in open {
            self.windows.waiting.entry(signal).or_default().push((nth, operation));
        }
        self.wait_for_own(place, [operation, NONE])
    }

    /// A rank tells another one something.
    fn give(&mut self, signal: Signal, place: Place) {
        let given = self.windows.given.entry(signal).or_insert(0);
        *given += 1;
        let number = *given;
        let Some(list) = self.windows.waiting.get_mut(&signal) else { return };
        let (told, rest) = list.iter().partition(|(nth, _)| *nth <= number);
        *list = rest;
        let told: Vec<(u64, u32)> = told;
        for (_, operation) in told {
            let missing = self.windows.missing.entry(operation).or_insert(1);
            *missing -= 1;
            if *missing == 0 {
                self.windows.missing.remove(&operation);
                let when = self.clock.post(place);
                self.raise(operation, Level::Done, when);
            }
        }
    }

    /// Whom an operation on a window waits for.
    pub(super) fn awaited_on_window(&self, operation: u32, sync: SyncId) -> Awaited {
        let plan = &self.program.syncs[sync as usize];
        let lane = self.operations[operation].place.lane;
        let rank = self.program.lanes[lane as usize].rank;
        if !matches!(plan.kind, SyncKind::Lock { .. } | SyncKind::Unlock | SyncKind::Access) {
            let waiting = self.windows.waiting.iter().filter(|(_, list)| list.iter().any(|(_, waiter)| *waiter == operation));
            let mut from: Vec<u32> = waiting.map(|(signal, _)| signal.from).collect();
            from.sort_unstable();
            return Awaited::Each(from);
        }
        let locks = self.windows.locks.get(&plan.window).map_or(&[][..], Vec::as_slice);
        let is_exclusive = |target: u32| match plan.kind {
            SyncKind::Lock { exclusive } => exclusive,
            _ => locks.iter().any(|held| held.rank == rank && held.target == target && held.is_exclusive),
        };
        let excludes = |held: &&Held| {
            held.rank != rank && plan.ranks.contains(&held.target) && (held.is_exclusive || is_exclusive(held.target))
        };
        let held: Vec<Held> = locks.iter().filter(excludes).copied().collect();
        Awaited::Locks { targets: plan.ranks.clone(), held }
    }
}
