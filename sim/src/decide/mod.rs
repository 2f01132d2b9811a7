//! Decides what can happen to a program over all its schedules: every match of its wildcards, every way to buffer and to synchronise.
//!
//! `lower` makes the decision problem (`model`) of a program; `candidates` prunes what can match; what is left goes to a SAT solver
//! (`cnf`) as the formula of `encode`, whose models are runs once `order` finds no circle in them (`search`).

mod candidates;
mod cnf;
mod encode;
mod library;
mod lower;
mod model;
mod order;
mod prune;
mod relax;
mod search;

use candidates::Candidates;
use cnf::{Budget, Cnf, Outcome};
use encode::Formula;
use library::Library;

use crate::Buffering;
use crate::program::Program;

/// For each buffering: whether the program can get stuck; None if it is not known.
pub(crate) fn verdicts(program: &Program, bufferings: &[Buffering], prunes: bool) -> Option<Vec<bool>> {
    let lowered = lower::lower(program);
    if !lowered.refused.is_empty() {
        return None;
    }
    let budget = Budget { conflicts: u64::MAX, literals: usize::MAX, stop: &|| false };
    let eager: Vec<u64> = bufferings.iter().filter_map(|b| if let Buffering::Eager(n) = b { Some(*n) } else { None }).collect();
    let candidates = if prunes { prune::prune(&lowered.model) } else { Candidates::all(&lowered.model) };
    let mut formula = Formula::new(&lowered.model, &candidates, Cnf::new(budget, false), &eager);
    let stuck = formula.switches.is_stuck;
    bufferings
        .iter()
        .map(|b| match formula.search(Library::of(*b), &[stuck]).0 {
            Outcome::Model => Some(true),
            Outcome::Nothing => Some(false),
            Outcome::Unknown => None,
        })
        .collect()
}
