//! Clauses and the solver that they go to: literals, cardinality, and a log of all that was said and learnt.
//!
//! The solver is batsat. Nothing outside of this file knows that, and nothing here knows what the clauses mean.

use batsat::{Callbacks, ClauseKind, Solver, SolverInterface, SolverOpts, lbool};

pub(crate) use batsat::Lit;

/// What happened to the set of clauses, in order.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// A clause of the problem.
    Given(Box<[Lit]>),
    /// A clause that follows from those before it.
    Learnt(Box<[Lit]>),
}

/// When to give up.
#[derive(Clone, Copy)]
pub(crate) struct Budget<'a> {
    /// Conflicts of the solver.
    pub(crate) conflicts: u64,
    /// Clauses and literals, as a measure of memory.
    pub(crate) literals: usize,
    /// Asked now and then: whether time is up.
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
}

/// What the solver tells while it works.
struct Watch<'a> {
    budget: Budget<'a>,
    conflicts: u64,
    /// What is being done now stops here, at the latest.
    ceiling: u64,
    log: Option<Vec<Entry>>,
}

impl Callbacks for Watch<'_> {
    fn on_new_clause(&mut self, clause: &[Lit], kind: ClauseKind) {
        if matches!(kind, ClauseKind::Learnt) {
            self.conflicts += 1;
            if let Some(log) = &mut self.log {
                log.push(Entry::Learnt(clause.into()));
            }
        }
    }

    fn stop(&self) -> bool {
        self.conflicts >= self.ceiling || (self.conflicts.is_multiple_of(64) && (self.budget.stop)())
    }
}

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is a model.
    Model,
    /// There is none.
    Nothing,
    /// Given up.
    Unknown,
}

/// A growing set of clauses.
pub(crate) struct Cnf<'a> {
    solver: Solver<Watch<'a>>,
    truth: Lit,
    clauses: usize,
    literals: usize,
    scratch: Vec<Lit>,
}

impl<'a> Cnf<'a> {
    /// No clauses. With `is_logging`, all that is said and learnt is kept for a certificate.
    pub(crate) fn new(budget: Budget<'a>, is_logging: bool) -> Cnf<'a> {
        let watch = Watch { budget, conflicts: 0, ceiling: budget.conflicts, log: is_logging.then(Vec::new) };
        let mut solver = Solver::new(SolverOpts::default(), watch);
        let truth = Lit::new(solver.new_var_default(), true);
        let mut cnf = Cnf { solver, truth, clauses: 0, literals: 0, scratch: Vec::new() };
        cnf.add(&[truth]);
        cnf
    }

    /// What is always true.
    pub(crate) fn truth(&self) -> Lit {
        self.truth
    }

    /// A new variable.
    pub(crate) fn fresh(&mut self) -> Lit {
        Lit::new(self.solver.new_var_default(), true)
    }

    /// Says that one of these holds.
    pub(crate) fn add(&mut self, clause: &[Lit]) {
        if self.clauses > 0 && clause.contains(&self.truth) {
            return;
        }
        self.clauses += 1;
        self.literals += clause.len();
        if let Some(log) = &mut self.solver.cb_mut().log {
            log.push(Entry::Given(clause.into()));
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(clause);
        self.solver.add_clause_reuse(&mut self.scratch);
    }

    /// Says that `all` together make one of `then` hold.
    pub(crate) fn imply(&mut self, all: &[Lit], then: &[Lit]) {
        let clause: Vec<Lit> = all.iter().map(|lit| !*lit).chain(then.iter().copied()).collect();
        self.add(&clause);
    }

    /// A literal that holds exactly if all of these do.
    pub(crate) fn all(&mut self, list: &[Lit]) -> Lit {
        match list {
            [] => self.truth,
            [one] => *one,
            _ => {
                let both = self.fresh();
                for lit in list {
                    self.imply(&[both], &[*lit]);
                }
                self.imply(list, &[both]);
                both
            }
        }
    }

    /// A literal that holds exactly if one of these does.
    pub(crate) fn any(&mut self, list: &[Lit]) -> Lit {
        match list {
            [] => !self.truth,
            [one] => *one,
            _ => {
                let either = self.fresh();
                for lit in list {
                    self.imply(&[*lit], &[either]);
                }
                self.imply(&[either], list);
                either
            }
        }
    }

    /// Says that at most one of these holds.
    pub(crate) fn at_most_one(&mut self, list: &[Lit]) {
        if list.len() <= 5 {
            for (n, a) in list.iter().enumerate() {
                for b in &list[..n] {
                    self.add(&[!*a, !*b]);
                }
            }
            return;
        }
        let mut before: Option<Lit> = None;
        for lit in list {
            let so_far = self.fresh();
            self.imply(&[*lit], &[so_far]);
            if let Some(before) = before {
                self.imply(&[before], &[so_far]);
                self.add(&[!before, !*lit]);
            }
            before = Some(so_far);
        }
    }

    /// Literals of which the n-th holds exactly if more than n of the list do, up to `most` and one beyond it.
    pub(crate) fn count(&mut self, list: &[Lit], most: usize) -> Vec<Lit> {
        if list.len() <= 1 {
            return list.to_vec();
        }
        let (left, right) = list.split_at(list.len() / 2);
        let (left, right) = (self.count(left, most), self.count(right, most));
        let length = list.len().min(most + 1);
        let sums: Vec<Lit> = (0..length).map(|_| self.fresh()).collect();
        for i in 0..=left.len() {
            for j in 0..=right.len() {
                let at_least = |of: &[Lit], n: usize| n.checked_sub(1).map(|n| of[n]);
                if i + j >= 1 {
                    let both: Vec<Lit> = at_least(&left, i).into_iter().chain(at_least(&right, j)).collect();
                    self.imply(&both, &[sums[(i + j).min(length) - 1]]);
                }
                if let Some(sum) = sums.get(i + j) {
                    let more: Vec<Lit> = left.get(i).into_iter().chain(right.get(j)).copied().collect();
                    self.imply(&[*sum], &more);
                }
            }
        }
        sums
    }

    /// Looks for a model in which these hold.
    pub(crate) fn solve(&mut self, assumptions: &[Lit]) -> Outcome {
        if self.is_too_large() || (self.solver.cb().budget.stop)() {
            return Outcome::Unknown;
        }
        match self.solver.solve_limited(assumptions) {
            found if found == lbool::TRUE => Outcome::Model,
            found if found == lbool::FALSE => Outcome::Nothing,
            _ => Outcome::Unknown,
        }
    }

    /// From now on at most so many conflicts more; None for as many as the budget has.
    pub(crate) fn spend(&mut self, conflicts: Option<u64>) {
        let watch = self.solver.cb_mut();
        let most = watch.budget.conflicts;
        watch.ceiling = conflicts.map_or(most, |more| most.min(watch.conflicts.saturating_add(more)));
    }

    /// Whether there are more clauses than the budget allows.
    pub(crate) fn is_too_large(&self) -> bool {
        self.literals > self.solver.cb().budget.literals
    }

    /// Whether a literal holds in the model that was found.
    pub(crate) fn holds(&self, lit: Lit) -> bool {
        self.solver.value_lit(lit) == lbool::TRUE
    }

    /// Variables, clauses and conflicts so far.
    pub(crate) fn size(&self) -> (u64, u64, u64) {
        (u64::from(self.solver.num_vars()), self.clauses as u64, self.solver.cb().conflicts)
    }

    /// All that was said and learnt, if it was kept.
    pub(crate) fn log(&self) -> Option<&[Entry]> {
        self.solver.cb().log.as_deref()
    }
}
