//! Calls on windows: which of them are collective, and how the others wait for each other.
//!
//! The flow of a call is what the standard promises at least. MPI_Win_fence holds its callers only if it ends an epoch: the first one of a
//! window may let them go at once, and so may one that says MPI_MODE_NOPRECEDE. A lock may come later than the call that asks for it, and
//! so may everything that needs it: what waits for a lock is known only of a call that never returned.

use rustc_hash::FxHashMap;
use traces::constant::{COMM_WORLD, INFO_NULL, LOCK_EXCLUSIVE, MODE_NOPRECEDE, MODE_NOSUCCEED};
use traces::function::{Class, mpi};
use traces::{Event, Trace};

use super::arguments::Arguments;
use super::shared::Shared;
use super::{Lifter, NO_SLOT, index_of_last, request_made};
use crate::program::{ContextId, Flow, Op, Sync, SyncKind, Then, Thing};

/// What is known of the windows of the process in work, and of the calls of the trace.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// By number of the call: whether it is MPI_Win_fence. Empty if there are none.
    is_fence: Vec<bool>,
    /// Whether the last fence on a window of the process in work has begun an epoch.
    has_epoch: FxHashMap<(usize, i64), bool>,
    /// The windows made with info, which may say that nobody locks them.
    has_info: FxHashMap<(usize, i64), bool>,
}

impl Windows {
    pub(super) fn of(trace: &Trace) -> Windows {
        let mut is_fence: Vec<bool> = trace.calls.iter().map(|call| call.function == mpi::WIN_FENCE).collect();
        if !is_fence.contains(&true) {
            is_fence.clear();
        }
        Windows { is_fence, ..Windows::default() }
    }
}

impl Lifter<'_> {
    /// Whether an event is a fence that ends an epoch. The same call may do so or not, by what was before.
    pub(super) fn ends_epoch(&mut self, event: &Event) -> bool {
        if self.windows.is_fence.get(event.call.0 as usize) != Some(&true) {
            return false;
        }
        let call = self.trace.call(event.call);
        let assert = call.int("assert").unwrap_or(0);
        let key = (self.process, call.int("win").unwrap_or(0));
        let had_epoch = self.windows.has_epoch.insert(key, assert & MODE_NOSUCCEED == 0).unwrap_or(false);
        had_epoch && assert & MODE_NOPRECEDE == 0
    }

    /// What a call on a window does to others; None if it is none, or is nobody else's business.
    pub(super) fn window(&mut self, a: &Arguments) -> Option<Op> {
        let function = a.function();
        if function.class() != Class::OneSided {
            return None;
        }
        if matches!(function, mpi::WIN_CREATE | mpi::WIN_ALLOCATE | mpi::WIN_ALLOCATE_SHARED | mpi::WIN_CREATE_DYNAMIC) {
            return self.make_window(a);
        }
        let number = a.call.int("win")?;
        let shared = self.shared.get(self.rank, Thing::Window(number))?;
        let flow = match function {
            mpi::WIN_FENCE => Some(if self.is_ending_epoch { Flow::All } else { Flow::Nobody }),
            // Nobody may lock a window that is gone, unless it was said that nobody does.
            mpi::WIN_FREE if self.windows.has_info.get(&(self.process, number)) == Some(&true) => Some(Flow::Nobody),
            mpi::WIN_FREE => Some(Flow::All),
            mpi::WIN_SET_INFO => Some(Flow::Nobody),
            _ => None,
        };
        match flow {
            _ if a.failed() => None,
            Some(flow) => Some(self.part(a, shared.context, flow, Then::Return)),
            None => self.sync(a, shared),
        }
    }

    fn make_window(&mut self, a: &Arguments) -> Option<Op> {
        if a.failed() {
            return None;
        }
        if let Some(number) = a.result("win").int() {
            let has_info = a.call.int("info").is_some_and(|info| info != INFO_NULL);
            self.windows.has_info.insert((self.process, number), has_info);
        }
        let view = self.communicators.view(a.int_or("comm", COMM_WORLD), self.rank).filter(|view| !view.is_inter)?;
        let context = view.context;
        Some(self.part(a, context, Flow::Nobody, Then::Return))
    }

    /// How a call waits for other members than by a collective.
    fn sync(&mut self, a: &Arguments, shared: Shared) -> Option<Op> {
        let window = shared.context;
        let is_pending = a.outcome.is_none();
        let (kind, ranks) = match a.function() {
            mpi::WIN_POST => (SyncKind::Post, self.group(a, window)),
            mpi::WIN_START => (SyncKind::Start, self.group(a, window)),
            mpi::WIN_COMPLETE => (SyncKind::Complete, Vec::new()),
            mpi::WIN_WAIT => (SyncKind::Wait { poll: false }, Vec::new()),
            mpi::WIN_TEST if is_pending => return Some(Op::Opaque),
            // Nobody has to have completed.
            mpi::WIN_TEST if !a.flag() => return Some(Op::Local),
            mpi::WIN_TEST => (SyncKind::Wait { poll: true }, Vec::new()),
            mpi::WIN_LOCK => {
                let exclusive = a.call.int("lock_type") == Some(LOCK_EXCLUSIVE);
                (SyncKind::Lock { exclusive }, self.target(a, "rank", shared))
            }
            mpi::WIN_LOCK_ALL => (SyncKind::Lock { exclusive: false }, self.members(shared)),
            mpi::WIN_UNLOCK => (SyncKind::Unlock, self.target(a, "rank", shared)),
            mpi::WIN_UNLOCK_ALL => (SyncKind::Unlock, self.members(shared)),
            mpi::WIN_FLUSH | mpi::WIN_FLUSH_LOCAL if is_pending => (SyncKind::Access, self.target(a, "rank", shared)),
            mpi::WIN_FLUSH_ALL | mpi::WIN_FLUSH_LOCAL_ALL if is_pending => (SyncKind::Access, self.members(shared)),
            function if is_pending && function.parameter("target_rank").is_some() => {
                (SyncKind::Access, self.target(a, "target_rank", shared))
            }
            _ => return None,
        };
        if request_made(a) != NO_SLOT {
            return None;
        }
        self.program.syncs.push(Sync { window, kind, ranks });
        Some(Op::Sync { sync: index_of_last(&self.program.syncs) })
    }

    /// The call that waits for what MPI_Win_test asks for.
    pub(super) fn waiting_test(&mut self, a: &Arguments) -> Option<Op> {
        let shared = self.shared.get(self.rank, Thing::Window(a.call.int("win")?))?;
        self.program.syncs.push(Sync { window: shared.context, kind: SyncKind::Wait { poll: false }, ranks: Vec::new() });
        Some(Op::Sync { sync: index_of_last(&self.program.syncs) })
    }

    /// The members of a group whose calls are in the trace. If it is not known who they are, nothing can be told of who waits for whom.
    fn group(&mut self, a: &Arguments, window: ContextId) -> Vec<u32> {
        let group = a.call.int("group").and_then(|group| self.groups[self.process].members(group));
        let Some(members) = group.map(<[i64]>::to_vec) else {
            self.program.unclear.push(window);
            return Vec::new();
        };
        members.into_iter().filter(|rank| self.is_present(*rank)).filter_map(|rank| u32::try_from(rank).ok()).collect()
    }

    /// The rank of MPI_COMM_WORLD that an argument names; empty for MPI_PROC_NULL.
    fn target(&self, a: &Arguments, name: &str, shared: Shared) -> Vec<u32> {
        let view = self.communicators.view(shared.comm, self.rank);
        let at = a.call.int(name).and_then(|at| usize::try_from(at).ok());
        let rank = view.zip(at).and_then(|(view, at)| view.local.ranks.get(at)).and_then(|rank| u32::try_from(*rank).ok());
        rank.into_iter().collect()
    }

    fn members(&self, shared: Shared) -> Vec<u32> {
        self.program.contexts[shared.context as usize].members.clone()
    }
}
