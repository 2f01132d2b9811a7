//! Traces that keep the newest calls only: what is said of them is what is said of the whole run, or less, and never anything else.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sim::{Options, Report, Severity};
use traces::chunk::{Timeline, body_of, unpack};
use traces::cut::{Cut, Keeper};
use traces::record::Chunk;
use traces::{Lane, Trace, TraceBuilder};

use crate::laws::{has_open_wildcard, has_wrong_order, is_stuck, matched, run};
use crate::oracle::model::GENEROUS;
use crate::oracle::program::{FIRST_CALLS, Step, programs, trace};

/// A trace without first calls, and which calls of the whole one are left, by rank.
struct Tail {
    trace: Trace,
    left: Vec<Vec<usize>>,
}

/// The trace without so many first calls of each rank.
fn tail(whole: &Trace, lengths: &[usize]) -> Tail {
    let mut trace = whole.clone();
    let mut left = Vec::new();
    for (lane, &dropped) in trace.lanes.iter_mut().zip(lengths) {
        let mut places: Vec<usize> = (0..lane.events.len()).collect();
        let mut keeper = Keeper::new(0);
        if let Some(chunk) = body_of(whole, lane, 0..dropped).pack(0, 0) {
            keeper.see(&chunk);
            let (cut, chunk) = keeper.cut();
            let kept = chunk.map(|chunk| starts(&chunk)).unwrap_or_default();
            assert_eq!(cut.kept as usize, kept.len());
            places.retain(|at| *at >= dropped || kept.contains(&lane.events[*at].start_ns));
            // What makes the communicators comes first, and is kept.
            assert!(places.iter().take(FIRST_CALLS as usize).enumerate().all(|(at, place)| at == *place || at >= dropped));
            lane.events = places.iter().map(|at| lane.events[*at]).collect();
            lane.cut = Some(Box::new(cut));
        }
        left.push(places);
    }
    trace.damage.push("calls were dropped".to_owned());
    Tail { trace, left }
}

/// When the calls of a chunk began.
fn starts(chunk: &Chunk) -> Vec<u64> {
    let mut builder = TraceBuilder::new();
    let lane = builder.lane(Lane::default());
    unpack(chunk, &mut builder, lane, &Timeline::TICKS).unwrap();
    builder.finish().lanes[lane].events.iter().map(|event| event.start_ns).collect()
}

/// How many calls of each rank are dropped: any number of those that returned.
fn lengths(whole: &Trace, seed: u64) -> Vec<usize> {
    let returned = |lane: &traces::Lane| lane.events.iter().take_while(|event| event.outcome.is_some()).count() as u64;
    let length = |(lane, number): (&traces::Lane, u64)| {
        let mixed = (seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33;
        usize::try_from(mixed % (returned(lane) + 1)).unwrap()
    };
    whole.lanes.iter().zip(1..).map(length).collect()
}

fn errors(report: &Report) -> BTreeSet<&str> {
    report.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.rule.name).collect()
}

fn is_quiet(cut: &Option<Box<Cut>>) -> bool {
    cut.as_ref().is_none_or(|cut| cut.pending.is_empty() && !cut.unsure)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// However differently the ranks are cut, each message that is still there meets the receive that took it, nothing is found that is not
    /// in the whole run, and a deadlock at its end is still found.
    #[test]
    fn a_tail_tells_what_the_whole_run_tells(program in programs(true), seed in any::<u64>(), cut in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        let whole = trace(&program, &run);
        let lengths = lengths(&whole, cut);
        let tail = tail(&whole, &lengths);
        let [all, left] = [&whole, &tail.trace].map(|trace| sim::check(trace, &Options::default()));
        if has_open_wildcard(&program, &run) {
            prop_assert!(!is_stuck(&left) || is_stuck(&all) || all.findings.is_empty(), "{:#?}", left.findings);
            return Ok(());
        }
        let recorded = matched(&all);
        for ((rank, receive), (source, send)) in matched(&left) {
            let first = FIRST_CALLS as usize;
            let place = |rank: usize, at: usize| (rank, tail.left[rank][at + first] - first);
            let pair = (place(rank, receive), place(source, send));
            prop_assert_eq!(recorded.get(&pair.0), Some(&pair.1));
        }
        // A deadlock may have another name where the near miss that explains it is gone.
        if !has_wrong_order(&all) && !is_stuck(&all) {
            prop_assert!(errors(&left).is_subset(&errors(&all)), "{:?} {:#?} {:#?}", lengths, left.findings, all.findings);
        }
        // What a wildcard of the tail waits for may have been dropped. Of neighbours and of two groups only some members wait for each other: who is missing in one that was cut is not told.
        let is_common = |step: &Step| match step {
            Step::Collective(gathering) => gathering.communicator() == 0,
            Step::Recv { from, tag, .. } => from.is_some() && tag.is_some(),
            _ => true,
        };
        let are_common = program.iter().flatten().all(is_common);
        let are_quiet = are_common && (0..program.len()).all(|rank| is_quiet(&tail.trace.lanes[rank].cut));
        if are_quiet && is_stuck(&all) && !has_wrong_order(&all) {
            prop_assert!(is_stuck(&left), "{:?} {:#?}", lengths, all.findings);
        }
    }
}
