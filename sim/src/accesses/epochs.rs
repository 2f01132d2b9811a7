//! The epochs of one rank on its windows: what it may do now, by what it has called.
//!
//! A fence begins an epoch that only counts if something is accessed in it, so that a program may fence and then lock.

use rustc_hash::FxHashMap;
use traces::constant::{LOCK_EXCLUSIVE, MODE_NOSUCCEED, PROC_NULL};
use traces::function::mpi;

use crate::lift::Arguments;
use crate::program::ContextId;

/// What allows an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Epoch {
    /// MPI_Win_fence.
    Fence,
    /// MPI_Win_start.
    Start,
    /// MPI_Win_lock of the target.
    Lock {
        /// Whether nobody else may have one at the same time.
        is_exclusive: bool,
    },
    /// MPI_Win_lock_all.
    LockAll,
    /// Nothing is needed: it goes nowhere.
    Nobody,
    /// It is not known: a call before it failed.
    Unknown,
}

/// How a call does not fit the epoch that its rank is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// A call that ends what was never begun: the function that begins it.
    NotBegun(&'static str),
    /// A call that begins what is begun already: the function that ends it.
    BegunTwice(&'static str),
    /// The window is freed in an epoch: the function that ends it.
    NotEnded(&'static str),
}

/// The epochs of a window that a rank is in.
#[derive(Debug, Default)]
struct State {
    is_fenced: bool,
    is_started: bool,
    is_posted: bool,
    is_all_locked: bool,
    /// The targets, and whether the lock is exclusive.
    locked: Vec<(i64, bool)>,
    /// How many fences there were.
    fences: u32,
    /// Whether something is not known, so that nothing is said.
    is_unknown: bool,
}

/// The epochs of a rank.
#[derive(Debug, Default)]
pub(crate) struct Epochs(FxHashMap<ContextId, State>);

impl Epochs {
    /// What allows an access to a target.
    pub(crate) fn allowing(&self, window: ContextId, target: Option<i64>) -> Option<Epoch> {
        let none = State::default();
        let state = self.0.get(&window).unwrap_or(&none);
        let lock = state.locked.iter().find(|(locked, _)| target == Some(*locked));
        match () {
            () if target == Some(PROC_NULL) => Some(Epoch::Nobody),
            () if state.is_unknown => Some(Epoch::Unknown),
            () if lock.is_some() => lock.map(|(_, is_exclusive)| Epoch::Lock { is_exclusive: *is_exclusive }),
            () if state.is_all_locked => Some(Epoch::LockAll),
            () if state.is_started => Some(Epoch::Start),
            () if state.is_fenced => Some(Epoch::Fence),
            () => None,
        }
    }

    /// How many fences on a window the rank has come back from.
    pub(crate) fn fences(&self, window: ContextId) -> u32 {
        self.0.get(&window).map_or(0, |state| state.fences)
    }

    /// Takes note of a call on a window, and says how it does not fit. A call that returned an error changes nothing.
    pub(crate) fn call(&mut self, a: &Arguments, window: ContextId) -> Option<Fault> {
        let state = self.0.entry(window).or_default();
        let fault = state.fault(a).filter(|_| !state.is_unknown);
        if a.failed() {
            // Some libraries end an epoch all the same.
            state.is_unknown = true;
        } else {
            state.change(a);
        }
        fault
    }
}

impl State {
    fn is_locked(&self, rank: i64) -> bool {
        self.locked.iter().any(|(locked, _)| *locked == rank)
    }

    fn fault(&self, a: &Arguments) -> Option<Fault> {
        let rank = a.call.int("rank");
        let is_locked = rank.is_some_and(|rank| self.is_locked(rank) || rank == PROC_NULL);
        let is_passive = self.is_all_locked || !self.locked.is_empty();
        let unless = |is: bool, fault| (!is).then_some(fault);
        match a.function() {
            mpi::WIN_UNLOCK => unless(is_locked, Fault::NotBegun("MPI_Win_lock")),
            mpi::WIN_UNLOCK_ALL => unless(self.is_all_locked, Fault::NotBegun("MPI_Win_lock_all")),
            mpi::WIN_FLUSH | mpi::WIN_FLUSH_LOCAL => unless(is_locked || self.is_all_locked, Fault::NotBegun("MPI_Win_lock")),
            mpi::WIN_FLUSH_ALL | mpi::WIN_FLUSH_LOCAL_ALL => unless(is_passive, Fault::NotBegun("MPI_Win_lock_all")),
            mpi::WIN_COMPLETE => unless(self.is_started, Fault::NotBegun("MPI_Win_start")),
            mpi::WIN_WAIT | mpi::WIN_TEST => unless(self.is_posted, Fault::NotBegun("MPI_Win_post")),
            mpi::WIN_LOCK if self.is_all_locked => Some(Fault::BegunTwice("MPI_Win_unlock_all")),
            mpi::WIN_LOCK => unless(!is_locked || rank == Some(PROC_NULL), Fault::BegunTwice("MPI_Win_unlock")),
            mpi::WIN_LOCK_ALL if self.is_all_locked => Some(Fault::BegunTwice("MPI_Win_unlock_all")),
            mpi::WIN_LOCK_ALL => unless(self.locked.is_empty(), Fault::BegunTwice("MPI_Win_unlock")),
            mpi::WIN_START => unless(!self.is_started, Fault::BegunTwice("MPI_Win_complete")),
            mpi::WIN_POST => unless(!self.is_posted, Fault::BegunTwice("MPI_Win_wait")),
            mpi::WIN_FREE if self.is_all_locked => Some(Fault::NotEnded("MPI_Win_unlock_all")),
            mpi::WIN_FREE if is_passive => Some(Fault::NotEnded("MPI_Win_unlock")),
            mpi::WIN_FREE if self.is_started => Some(Fault::NotEnded("MPI_Win_complete")),
            mpi::WIN_FREE => unless(!self.is_posted, Fault::NotEnded("MPI_Win_wait")),
            _ => None,
        }
    }

    fn change(&mut self, a: &Arguments) {
        let rank = a.call.int("rank").filter(|rank| *rank != PROC_NULL);
        match a.function() {
            mpi::WIN_FENCE => {
                self.is_fenced = a.int_or("assert", 0) & MODE_NOSUCCEED == 0;
                self.fences += 1;
            }
            mpi::WIN_START => self.is_started = true,
            mpi::WIN_COMPLETE => self.is_started = false,
            mpi::WIN_POST => self.is_posted = true,
            mpi::WIN_WAIT => self.is_posted = false,
            mpi::WIN_TEST => self.is_posted &= !a.flag(),
            mpi::WIN_LOCK => {
                let is_exclusive = a.call.int("lock_type") == Some(LOCK_EXCLUSIVE);
                self.locked.extend(rank.map(|rank| (rank, is_exclusive)));
            }
            mpi::WIN_UNLOCK => self.locked.retain(|(locked, _)| Some(*locked) != rank),
            mpi::WIN_LOCK_ALL => self.is_all_locked = true,
            mpi::WIN_UNLOCK_ALL => self.is_all_locked = false,
            _ => {}
        }
    }
}
