//! The machine against a brute-force model of MPI, on random small programs: what it says is what can happen.

use std::collections::BTreeMap;

use crate::oracle::model::{GENEROUS, Library, Model, Run, STRICT, SYNCHRONISING, UNBUFFERED, UNSURE};
use crate::oracle::program::{FIRST_CALLS, Program, SIZES, Step, crowds, programs, trace};
use proptest::prelude::*;
use sim::{Buffering, Options, Report, Severity};

/// A run that takes its choices from a number.
pub fn run(program: &Program, library: Library, mut seed: u64) -> Run {
    Model::new(program, library).run(|choices| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % choices
    })
}

pub fn is_stuck(report: &Report) -> bool {
    let rules = [
        "deadlock/cycle",
        "deadlock/missing-rank",
        "deadlock/buffering",
        "deadlock/collective",
        "match/tag",
        "match/communicator",
        "match/source",
    ];
    // What another schedule would show, is not of this run.
    let is_other = |f: &sim::Finding| f.notes.iter().any(|note| note.contains("--schedule"));
    // A collective that a rank never came to, though nobody waits for it.
    let has_returned = |f: &sim::Finding| f.rule.name == "deadlock/missing-rank" && f.waits.is_empty();
    let errors = report.findings.iter().filter(|f| f.severity == Severity::Error && !is_other(f) && !has_returned(f));
    errors.into_iter().any(|f| rules.contains(&f.rule.name) && is_deadlock(f))
}

/// Whether a wrong order of collectives is blamed for whatever happened: the model does not look at that.
pub fn has_wrong_order(report: &Report) -> bool {
    report.findings.iter().any(|f| f.rule.name == "collective/order")
}

/// Whether a message is told of that nobody received: who waits for that, waits for ever where sends are not buffered, and nothing more has
/// to be said of it.
fn has_lost_message(report: &Report) -> bool {
    report.findings.iter().any(|f| ["match/orphan-send", "match/tag", "match/source"].contains(&f.rule.name) && !is_deadlock(f))
}

/// Near misses are deadlocks if they say so.
fn is_deadlock(finding: &sim::Finding) -> bool {
    finding.rule.name.starts_with("deadlock/") || finding.notes.iter().any(|note| note.contains("deadlock"))
}

/// Whether a wildcard took a message and no call that returned says which.
pub fn has_open_wildcard(program: &Program, run: &Run) -> bool {
    run.taken.keys().any(|&(rank, at)| match &program[rank][at] {
        Step::Recv { from: None, request: Some(request), .. } => {
            let completes = |step: &Step| matches!(step, Step::Wait(list) if list.contains(request));
            program[rank].iter().position(completes).is_none_or(|wait| wait >= run.returned[rank])
        }
        _ => false,
    })
}

/// Which message each receive took, by the steps that posted them.
pub fn matched(report: &Report) -> BTreeMap<(usize, usize), (usize, usize)> {
    let place = |p: sim::Place| (p.lane as usize, (p.event - FIRST_CALLS) as usize);
    report.messages.iter().map(|m| (place(m.receive), place(m.send))).collect()
}

fn check(program: &Program, run: &Run, buffering: Option<Buffering>) -> Report {
    sim::check(&trace(program, run), &Options { buffering, ..Options::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// The machine explains a recorded run: the same messages went to the same receives, and the same ranks got to their end.
    #[test]
    fn a_recorded_run_is_explained(program in programs(true), seed in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        let report = check(&program, &run, None);
        let theirs: BTreeMap<_, _> = run.taken.iter().map(|(receive, taken)| (*receive, (taken.0, taken.3))).collect();
        let ours = matched(&report);
        prop_assert_eq!(&report.caveats, &Vec::<String>::new());
        let finished = run.returned.iter().zip(&program).filter(|(made, steps)| **made == steps.len()).count();
        let is_hung = finished < program.len();
        if has_open_wildcard(&program, &run) {
            // It may have taken anything: nothing on record tells. No more is asked than that nothing false is said.
            prop_assert!(!is_stuck(&report) || is_hung, "{:#?}", report.findings);
            return Ok(());
        }
        prop_assert_eq!(ours, theirs);
        prop_assert_eq!(report.finished_ranks as usize, finished);
        prop_assert!(is_stuck(&report) == is_hung || has_wrong_order(&report), "{:#?}", report.findings);
    }

    /// Receives from anybody, posted in numbers: a run that came to its end is carried out to its end, and nothing in it is wrong.
    #[test]
    fn a_crowd_is_sorted_as_it_was(program in crowds(), seed in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        if !Model::new(&program, GENEROUS).is_over(&run.returned) {
            return Ok(());
        }
        for buffering in [None, Some(Buffering::Infinite)] {
            let report = check(&program, &run, buffering);
            prop_assert_eq!(&report.caveats, &Vec::<String>::new());
            prop_assert!(report.stopped.is_empty(), "{:?} {:?}", buffering, report.stopped);
            let is_of_another = |f: &sim::Finding| f.notes.iter().any(|note| note.contains("--schedule"));
            let is_fine = |f: &sim::Finding| f.severity < Severity::Error || is_of_another(f);
            prop_assert!(report.findings.iter().all(is_fine), "{:?} {:#?}", buffering, report.findings);
            let theirs = run.taken.iter().map(|(receive, taken)| (*receive, (taken.0, taken.3))).collect();
            prop_assert_eq!(matched(&report), theirs);
        }
        let small = Library { eager: Some(SIZES[0] - 1), is_strict: false, is_free: false };
        let small_bytes = u64::try_from(SIZES[0]).unwrap() - 1;
        for (buffering, library) in [(Buffering::Zero, STRICT), (Buffering::Eager(small_bytes), small)] {
            let report = check(&program, &run, Some(buffering));
            let has_error = report.findings.iter().any(|f| f.severity == Severity::Error);
            prop_assert!(!has_error || Model::new(&program, library).can_get_stuck(), "{:?} {:#?}", buffering, report.findings);
        }
    }

    /// A message that nobody took is told of if everybody came to the end, and only then.
    #[test]
    fn every_lost_message_is_found(program in programs(true), seed in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        let report = check(&program, &run, None);
        let is_over = Model::new(&program, GENEROUS).is_over(&run.returned);
        let lost = has_lost_message(&report);
        prop_assert!(!is_over || run.left.is_empty() || lost, "{:?} {:#?}", run.left, report.findings);
        prop_assert!(!lost || !run.left.is_empty());
    }

    /// Without wildcards there is nothing to choose: the verdict for a library is exact.
    #[test]
    fn a_program_without_wildcards_is_decided_exactly(program in programs(false), seed in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        if !Model::new(&program, GENEROUS).is_over(&run.returned) {
            return Ok(());
        }
        let small = Library { eager: Some(SIZES[0]), is_strict: false, is_free: false };
        let libraries = [
            (Buffering::Zero, STRICT),
            (Buffering::Eager(u64::try_from(SIZES[0]).unwrap()), small),
            (Buffering::Infinite, GENEROUS),
        ];
        for (buffering, library) in libraries {
            let report = check(&program, &run, Some(buffering));
            let can_get_stuck = Model::new(&program, library).can_get_stuck();
            let is_explained = has_wrong_order(&report) || (can_get_stuck && has_lost_message(&report));
            prop_assert!(is_stuck(&report) == can_get_stuck || is_explained, "{:?} {:#?}", buffering, report.findings);
        }
        let report = check(&program, &run, None);
        if report.findings.iter().any(|f| f.severity == Severity::Error) {
            return Ok(());
        }
        let is_warned_of = |rule: &str| report.findings.iter().any(|f| f.rule.name == rule);
        let needs_buffering = is_warned_of("deadlock/buffering");
        prop_assert_eq!(needs_buffering, Model::new(&program, UNBUFFERED).can_get_stuck());
        let needs_luck = needs_buffering || is_warned_of("deadlock/collective");
        prop_assert!(needs_luck || !Model::new(&program, SYNCHRONISING).can_get_stuck());
        prop_assert!(needs_buffering || !needs_luck || Model::new(&program, SYNCHRONISING).can_get_stuck());
    }

    /// With wildcards, a warning about buffering or collectives means that a run exists which gets stuck.
    #[test]
    fn a_warning_of_luck_is_never_false(program in programs(true), seed in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        if !Model::new(&program, GENEROUS).is_over(&run.returned) {
            return Ok(());
        }
        let report = check(&program, &run, None);
        if let Some(finding) = report.findings.iter().find(|f| f.rule.name == "deadlock/buffering") {
            prop_assert!(Model::new(&program, UNSURE).can_get_stuck(), "{finding:#?}");
        }
        if let Some(finding) = report.findings.iter().find(|f| f.rule.name == "deadlock/collective") {
            prop_assert!(Model::new(&program, SYNCHRONISING).can_get_stuck(), "{finding:#?}");
        }
    }

    /// Of two messages on one way with one tag, the first is taken first.
    #[test]
    fn matching_never_overtakes(program in programs(true), seed in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        if has_open_wildcard(&program, &run) {
            // Which message it took is a guess, and nothing that anybody could see depends on it.
            return Ok(());
        }
        let report = check(&program, &run, None);
        for (n, a) in report.messages.iter().enumerate() {
            for b in &report.messages[n + 1..] {
                if a.send.lane == b.send.lane && a.receive.lane == b.receive.lane && a.tag == b.tag {
                    prop_assert!(a.send.event < b.send.event, "{a:?} {b:?}");
                }
            }
        }
    }

    /// What is found does not depend on whether messages are listed.
    #[test]
    fn a_brief_report_has_the_same_findings(program in programs(true), seed in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        let full = check(&program, &run, None);
        let brief = sim::check(&trace(&program, &run), &Options { is_brief: true, ..Options::default() });
        prop_assert_eq!(full.message_count(), brief.message_count());
        prop_assert_eq!(full.collective_count(), brief.collective_count());
        prop_assert_eq!(full.findings, brief.findings);
    }

    /// The same trace gives the same report.
    #[test]
    fn checking_is_deterministic(program in programs(true), seed in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        prop_assert_eq!(check(&program, &run, None), check(&program, &run, None));
    }
}
