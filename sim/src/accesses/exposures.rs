//! Which MPI_Win_start meets which MPI_Win_post: the n-th of an origin that names a target meets the n-th of the target that names the origin.

use rustc_hash::FxHashMap;
use traces::Trace;

use crate::lift::Lifted;
use crate::program::{ContextId, Op, OpId, Program, SyncKind};

/// The exposure epochs of all ranks on all windows.
#[derive(Debug, Default)]
pub(crate) struct Exposures {
    /// By window, target and origin: the numbers of the target's posts that name the origin, in order.
    posts: FxHashMap<(ContextId, u32, u32), Vec<u32>>,
    /// By window and target: the lane, and the events from each post to the wait that ends it.
    spans: FxHashMap<(ContextId, u32), Vec<(u32, u32)>>,
}

impl Exposures {
    /// Finds them all.
    pub(super) fn of(trace: &Trace, lifted: &Lifted) -> Exposures {
        let mut all = Exposures::default();
        let program = &lifted.program;
        if !program.syncs.iter().any(|sync| sync.kind == SyncKind::Post) {
            return all;
        }
        for (lane, events) in program.lanes.iter().zip(trace.lanes.iter().map(|lane| &lane.events)) {
            if program.has_threads(lane.rank) {
                continue;
            }
            for (at, (step, event)) in (0..).zip(lane.steps.iter().zip(events)) {
                let Op::Sync { sync } = program.ops[*step as usize] else { continue };
                let plan = &program.syncs[sync as usize];
                let has_failed = event.outcome.is_none_or(|outcome| trace.outcome(outcome).code != 0);
                if has_failed || program.unclear.contains(&plan.window) {
                    continue;
                }
                let spans = all.spans.entry((plan.window, lane.rank)).or_default();
                match plan.kind {
                    SyncKind::Post => {
                        let number = u32::try_from(spans.len()).unwrap_or(u32::MAX);
                        spans.push((at, u32::MAX));
                        for &origin in &plan.ranks {
                            all.posts.entry((plan.window, lane.rank, origin)).or_default().push(number);
                        }
                    }
                    SyncKind::Wait { .. } => {
                        if let Some(last) = spans.last_mut() {
                            last.1 = at;
                        }
                    }
                    _ => {}
                }
            }
        }
        all
    }

    /// The exposure epoch of a rank on a window that an event of its lane is in.
    pub(crate) fn at(&self, window: ContextId, target: u32, event: u32) -> Option<u32> {
        let spans = self.spans.get(&(window, target))?;
        let behind = spans.partition_point(|(first, _)| *first < event);
        let (_, end) = spans.get(behind.checked_sub(1)?)?;
        if event < *end { u32::try_from(behind - 1).ok() } else { None }
    }
}

/// The access epochs of one rank.
#[derive(Debug, Default)]
pub(super) struct Starts {
    /// By window and target: how often it was started.
    counts: FxHashMap<(ContextId, u32), u32>,
}

impl Starts {
    /// MPI_Win_start has returned.
    pub(super) fn begin(&mut self, program: &Program, step: OpId, window: ContextId) {
        let Op::Sync { sync } = program.ops[step as usize] else { return };
        for &target in &program.syncs[sync as usize].ranks {
            *self.counts.entry((window, target)).or_default() += 1;
        }
    }

    /// The exposure epoch of the target that the last start has met.
    pub(super) fn exposure(&self, all: &Exposures, window: ContextId, target: u32, origin: u32) -> Option<u32> {
        let nth = self.counts.get(&(window, target))?.checked_sub(1)?;
        all.posts.get(&(window, target, origin))?.get(nth as usize).copied()
    }
}
