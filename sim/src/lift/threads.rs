//! The order in which the threads of a process made their calls.
//!
//! Between threads MPI has no order; the recorded run had one, and the machine keeps it, so that it does not invent races.

use rustc_hash::FxHashMap;
use traces::Trace;

/// For each rank with several lanes that made calls: the lanes by the start of their calls, a number a call.
pub(super) fn turns(trace: &Trace) -> FxHashMap<u32, Vec<u32>> {
    let mut all = FxHashMap::default();
    for rank in 0..trace.world_size {
        let lanes = trace.lanes_of(rank);
        if lanes.clone().filter(|lane| !trace.lanes[*lane].events.is_empty()).count() < 2 {
            continue;
        }
        let mut calls: Vec<(u64, u32)> = Vec::new();
        for lane in lanes {
            let number = u32::try_from(lane).unwrap_or(u32::MAX);
            calls.extend(trace.lanes[lane].events.iter().map(|event| (event.start_ns, number)));
        }
        // The sort is stable: calls of one lane stay in their order.
        calls.sort_by_key(|(start, _)| *start);
        all.insert(rank, calls.into_iter().map(|(_, lane)| lane).collect());
    }
    all
}
