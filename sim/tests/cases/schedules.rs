//! The verdicts over all schedules against the brute-force model, on random small programs: they are the same.

use crate::laws::run;
use crate::oracle::model::{FREE, GENEROUS, Library, Model, STRICT};
use crate::oracle::program::{Program, SIZES, Step, programs, trace};
use proptest::prelude::*;
use sim::{Buffering, Limits, Options, Severity, Stages, Verdict};

/// The libraries, by the names that a user has for them.
fn libraries() -> [(Buffering, Library); 4] {
    let small = Library { eager: Some(SIZES[0]), is_strict: false, is_free: false };
    [
        (Buffering::Zero, STRICT),
        (Buffering::Eager(u64::try_from(SIZES[0]).unwrap()), small),
        (Buffering::Infinite, GENEROUS),
        (Buffering::Any, FREE),
    ]
}

fn has_equal_collectives(program: &Program) -> bool {
    let of = |steps: &Vec<Step>| steps.iter().filter(|s| matches!(s, Step::Collective(_))).cloned().collect::<Vec<_>>();
    program.iter().all(|steps| of(steps) == of(&program[0]))
}

fn is_stuck(verdict: &Verdict) -> Option<bool> {
    match verdict {
        Verdict::Safe => Some(false),
        Verdict::Stuck(_) => Some(true),
        Verdict::Undecided(_) => None,
    }
}

fn compare(program: &Program, seed: u64) -> Result<(), TestCaseError> {
    let run = run(program, GENEROUS, seed);
    if !Model::new(program, GENEROUS).is_over(&run.returned) || !has_equal_collectives(program) {
        return Ok(());
    }
    let libraries = libraries();
    // Whichever stages are used, the answers are the same.
    let [prunes, closes, minimises] = [2, 3, 5].map(|n| !seed.is_multiple_of(n));
    let stages = Stages { prunes, closes, minimises, certifies: true, keeps_answers: false };
    let limits = Limits { stages, ..Limits::default() };
    let decision = sim::decide(&trace(program, &run), &libraries.map(|l| l.0), &limits);
    let verdicts: Vec<Option<bool>> = decision.verdicts.iter().map(|(_, verdict)| is_stuck(verdict)).collect();
    let truth = libraries.map(|(_, library)| Some(Model::new(program, library).can_get_stuck()));
    prop_assert_eq!(&verdicts[..], &truth[..], "{:?}", libraries.map(|l| l.0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_verdict_over_all_schedules_is_exact(program in programs(true), seed in any::<u64>()) {
        compare(&program, seed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is reported of other schedules can happen: the machine has tried it, and the model agrees.
    #[test]
    fn a_finding_of_another_schedule_is_never_false(program in programs(true), seed in any::<u64>()) {
        let run = run(&program, GENEROUS, seed);
        if Model::new(&program, GENEROUS).is_over(&run.returned) && has_equal_collectives(&program) {
            for (buffering, library) in libraries().into_iter().map(|(b, l)| (Some(b), l)).chain([(None, GENEROUS)]) {
                let report = sim::check(&trace(&program, &run), &Options { buffering, ..Options::default() });
                let error = report.findings.iter().find(|f| f.severity == Severity::Error && f.rule.name.starts_with("deadlock/"));
                prop_assert!(error.is_none() || Model::new(&program, library).can_get_stuck(), "{:?} {:#?}", buffering, error);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "takes a quarter of an hour: for the night"]
    fn a_million_verdicts_over_all_schedules_are_exact(program in programs(true), seed in any::<u64>()) {
        compare(&program, seed)?;
    }
}
