//! Decides what can happen to a program over all its schedules: every match of its wildcards, every way to buffer and to synchronise.
//!
//! `lower` makes the decision problem (`model`) of a program; `prune` finds what can match, and closes what leaves nothing to
//! choose; if all is closed, one run decides (`confluent`). What is left goes to a SAT solver (`cnf`) as the formula of `encode`, whose
//! models are runs once `order` finds no circle in them (`search`). A run that gets stuck is made small (`minimise`) and put as a
//! schedule of the recorded program (`witness`), for the machine to try. Nothing here makes a finding: see `checks::schedules`.

mod answering;
mod candidates;
mod certificate;
mod cnf;
mod confluent;
mod decision;
mod encode;
mod library;
mod lower;
mod minimise;
mod model;
mod order;
mod pairs;
mod proof;
mod prune;
mod relax;
mod reliance;
mod schedule;
mod search;
mod witness;

use std::num::NonZeroUsize;

pub(crate) use answering::places as answering_places;
use candidates::Candidates;
pub(crate) use cnf::Budget;
use cnf::{Cnf, Lit, Outcome};
use confluent::End;
pub use decision::{Decision, Verdict};
use encode::Formula;
pub(crate) use library::Library;
use lower::Lowered;
pub(crate) use lower::Open;
use model::Model;
pub use schedule::Schedule;

use crate::program::Program;

/// Which stages are used: each can be left out, for comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// Leave out what can never match.
    pub prunes: bool,
    /// Decide by one run what leaves nothing to choose.
    pub closes: bool,
    /// Make counterexamples small.
    pub minimises: bool,
    /// Prove that nothing gets stuck, and check the proof.
    pub certifies: bool,
    /// Leave receives as they were whose sender is answered.
    pub keeps_answers: bool,
}

impl Default for Stages {
    fn default() -> Stages {
        Stages { prunes: true, closes: true, minimises: true, certifies: false, keeps_answers: true }
    }
}

/// What is known of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No schedule gets stuck.
    Safe,
    /// These do; they are the same run, the simplest first.
    Stuck(Vec<Schedule>),
    /// A limit was reached.
    Unknown,
}

/// How much work it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Receives, and those of them that leave nothing to choose.
    pub receives: [u64; 2],
    /// Pairs of a send and a receive that may match.
    pub pairs: u64,
    /// Variables of the formula; 0 if none was needed.
    pub variables: u64,
    /// Its clauses.
    pub clauses: u64,
    /// Conflicts of the solver.
    pub conflicts: u64,
}

/// More pairs of sends and receives than this are not followed.
const PAIRS_MAX: usize = 20_000_000;

/// A program whose schedules are asked about.
pub(crate) struct Decider<'p> {
    program: &'p Program,
    lowered: Lowered,
    candidates: Option<Candidates>,
    stages: Stages,
    /// Whether every receive from any source answers its sender.
    pub(crate) is_settled: bool,
}

impl<'p> Decider<'p> {
    /// Prepares questions about a program whose lanes all came to their end.
    pub(crate) fn new(program: &'p Program, stages: Stages, threads: NonZeroUsize) -> Decider<'p> {
        let answered = if stages.keeps_answers { answering::find(program) } else { Default::default() };
        let wildcards: usize = program.lanes.iter().map(|lane| lane.pins.len()).sum();
        let is_settled = wildcards > 0 && answered.len() == wildcards;
        // What the model would say of such a program, is what the recorded run says.
        let lowered = if is_settled { Lowered::default() } else { lower::lower(program, &answered) };
        let candidates = if is_settled || !lowered.refused.is_empty() {
            None
        } else if stages.prunes {
            prune::prune(&lowered.model, PAIRS_MAX, threads)
        } else {
            Some(Candidates::all(&lowered.model))
        };
        Decider { program, lowered, candidates, stages, is_settled }
    }

    /// What makes an answer impossible.
    pub(crate) fn refused(&self) -> &[Open] {
        &self.lowered.refused
    }

    /// For which outcomes of the recorded run the answers hold.
    pub(crate) fn assumed(&self) -> &[Open] {
        &self.lowered.assumed
    }

    /// The decision problem.
    pub(crate) fn model(&self) -> &Model {
        &self.lowered.model
    }

    /// Begins to answer, within a budget. `eager` are the limits of the libraries that will be asked for.
    pub(crate) fn begin<'d>(&'d self, budget: Budget<'d>, eager: &[u64]) -> Session<'d> {
        Session { decider: self, budget, eager: eager.to_vec(), formula: None }
    }
}

/// Questions and answers, with what was learnt on the way.
pub(crate) struct Session<'d> {
    decider: &'d Decider<'d>,
    budget: Budget<'d>,
    eager: Vec<u64>,
    formula: Option<Formula<'d, 'd>>,
}

impl<'d> Session<'d> {
    fn model(&self) -> &'d Model {
        &self.decider.lowered.model
    }

    /// Whether nothing is left to choose, so that one run decides.
    fn is_closed(&self) -> bool {
        self.decider.stages.closes && self.decider.candidates.as_ref().is_some_and(Candidates::are_closed)
    }

    /// Whether a program can get stuck with a library.
    pub(crate) fn ask(&mut self, library: Library) -> Answer {
        let Some(candidates) = &self.decider.candidates else { return Answer::Unknown };
        if self.is_closed() {
            let end = confluent::run(self.model(), candidates, library);
            let is_stuck = end.is_stuck(self.model());
            if is_stuck {
                return Answer::Stuck(self.schedules(library, &end));
            }
            let is_doubtful = self.decider.stages.certifies && !certificate::is_valid(self.model(), candidates, &end, library);
            return if is_doubtful { Answer::Unknown } else { Answer::Safe };
        }
        let (program, Stages { minimises: is_small, certifies: is_certified, .. }) = (self.decider.program, self.decider.stages);
        let Some(formula) = self.formula() else { return Answer::Unknown };
        let is_stuck = formula.switches.is_stuck;
        match formula.search(library, &[is_stuck]) {
            (Outcome::Model, Some(order)) => {
                let end = if is_small { formula.simplest(program, library, &order) } else { formula.end(&order) };
                Answer::Stuck(self.schedules(library, &end))
            }
            (Outcome::Nothing, _) if is_certified => {
                let assumptions: Vec<Lit> = formula.assume(library).into_iter().chain([is_stuck]).collect();
                let log = formula.cnf.log().unwrap_or_default();
                if proof::is_valid(log, &assumptions) { Answer::Safe } else { Answer::Unknown }
            }
            (Outcome::Nothing, _) => Answer::Safe,
            _ => Answer::Unknown,
        }
    }

    /// The formula, which is written when it is first needed. None if it would be too large.
    fn formula(&mut self) -> Option<&mut Formula<'d, 'd>> {
        if self.formula.is_none() {
            let candidates = self.decider.candidates.as_ref()?;
            // A pair makes about so many literals.
            if candidates.count().saturating_mul(16) > self.budget.literals {
                return None;
            }
            let cnf = Cnf::new(self.budget, self.decider.stages.certifies);
            self.formula = Some(Formula::new(self.model(), candidates, cnf, &self.eager));
        }
        self.formula.as_mut()
    }

    /// The schedules that may stand for a run, the simplest first.
    fn schedules(&self, library: Library, end: &End) -> Vec<Schedule> {
        let schedule = |keeps_order| witness::schedule(self.decider.program, self.model(), library, end, keeps_order);
        let mut list = vec![schedule(true), schedule(false)];
        list.dedup();
        list
    }

    /// What it took so far.
    pub(crate) fn effort(&self) -> Effort {
        let mut effort = Effort { receives: [self.model().receives.len() as u64, 0], ..Effort::default() };
        if let Some(candidates) = &self.decider.candidates {
            effort.receives[1] = candidates.is_closed.iter().filter(|closed| **closed).count() as u64;
            effort.pairs = candidates.count() as u64;
        }
        if let Some(formula) = &self.formula {
            (effort.variables, effort.clauses, effort.conflicts) = formula.cnf.size();
        }
        effort
    }
}
