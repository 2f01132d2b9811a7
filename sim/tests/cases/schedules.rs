//! The verdicts over all schedules against the brute-force model, on random small programs: they are the same.

use crate::laws::run;
use crate::oracle::model::{FREE, GENEROUS, Library, Model, STRICT};
use crate::oracle::program::{Program, SIZES, Step, programs, trace};
use proptest::prelude::*;
use sim::Buffering;

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
    let of = |steps: &Vec<Step>| steps.iter().filter(|s| matches!(s, Step::Collective { .. })).cloned().collect::<Vec<_>>();
    program.iter().all(|steps| of(steps) == of(&program[0]))
}

fn compare(program: &Program, seed: u64) -> Result<(), TestCaseError> {
    let run = run(program, GENEROUS, seed);
    if !Model::new(program, GENEROUS).is_over(&run.returned) || !has_equal_collectives(program) {
        return Ok(());
    }
    let libraries = libraries();
    let verdicts =
        sim::verdicts(&trace(program, &run), &libraries.map(|l| l.0), seed % 2 == 0).expect("nothing here is beyond the model");
    let truth = libraries.map(|(_, library)| Model::new(program, library).can_get_stuck());
    prop_assert_eq!(&verdicts[..], &truth[..], "{:?}", libraries.map(|l| l.0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_verdict_over_all_schedules_is_exact(program in programs(true), seed in any::<u64>()) {
        compare(&program, seed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "takes an hour: for the night"]
    fn a_million_verdicts_over_all_schedules_are_exact(program in programs(true), seed in any::<u64>()) {
        compare(&program, seed)?;
    }
}
