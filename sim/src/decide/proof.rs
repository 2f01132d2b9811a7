//! Checks a proof that a formula has no model: each clause that the solver learnt must follow from those before it.
//!
//! A clause follows if the opposite of all its literals leads to a contradiction by nothing but unit propagation. Nothing here is shared with
//! the solver but the numbers of its literals, and nothing is believed.

use super::cnf::{Entry, Lit};

/// Whether a log of clauses, each given or learnt, shows that these cannot hold together.
pub(crate) fn is_valid(log: &[Entry], assumptions: &[Lit]) -> bool {
    let mut checker = Checker::default();
    for entry in log {
        match entry {
            Entry::Given(clause) => checker.add(clause),
            Entry::Learnt(clause) => {
                let opposite: Vec<Lit> = clause.iter().map(|lit| !*lit).collect();
                if !checker.is_contradiction(&opposite) {
                    return false;
                }
                checker.add(clause);
            }
        }
    }
    checker.is_contradiction(assumptions)
}

/// Clauses, and what follows from them by unit propagation.
#[derive(Default)]
struct Checker {
    clauses: Vec<Vec<u32>>,
    /// By literal: the clauses to look at when it becomes false. Each clause is watched by its first two literals.
    watches: Vec<Vec<u32>>,
    /// By literal: whether it is true.
    is_true: Vec<bool>,
    /// The literals that are true, in the order that they became so.
    trail: Vec<u32>,
    /// How many of them were propagated.
    done: usize,
    /// Whether the clauses contradict each other.
    is_empty: bool,
}

impl Checker {
    fn grow(&mut self, lit: u32) {
        let size = (lit as usize | 1) + 1;
        if self.watches.len() < size {
            self.watches.resize(size, Vec::new());
            self.is_true.resize(size, false);
        }
    }

    fn add(&mut self, clause: &[Lit]) {
        let mut clause: Vec<u32> = clause.iter().map(|lit| lit.idx()).collect();
        clause.sort_unstable();
        clause.dedup();
        clause.iter().for_each(|lit| self.grow(*lit));
        if clause.windows(2).any(|pair| pair[0] ^ 1 == pair[1]) {
            return;
        }
        // What is false now stays so: it is known without assumptions.
        clause.sort_by_key(|lit| self.is_true[(*lit ^ 1) as usize]);
        let open = clause.iter().filter(|lit| !self.is_true[(**lit ^ 1) as usize]).count();
        match open {
            0 => self.is_empty = true,
            1 => {
                self.set(clause[0]);
                self.is_empty |= self.propagate().is_some();
            }
            _ => {
                let number = u32::try_from(self.clauses.len()).unwrap_or(u32::MAX);
                self.watches[clause[0] as usize].push(number);
                self.watches[clause[1] as usize].push(number);
                self.clauses.push(clause);
            }
        }
    }

    fn set(&mut self, lit: u32) {
        if !self.is_true[lit as usize] {
            self.is_true[lit as usize] = true;
            self.trail.push(lit);
        }
    }

    /// Whether these lead to a contradiction. They are forgotten afterwards.
    fn is_contradiction(&mut self, assumptions: &[Lit]) -> bool {
        if self.is_empty {
            return true;
        }
        let known = self.trail.len();
        let mut is_found = false;
        for lit in assumptions.iter().map(|lit| lit.idx()) {
            self.grow(lit);
            is_found |= self.is_true[(lit ^ 1) as usize];
            self.set(lit);
        }
        is_found = is_found || self.propagate().is_some();
        for lit in self.trail.drain(known..) {
            self.is_true[lit as usize] = false;
        }
        self.done = known;
        is_found
    }

    /// Makes true what has to be. Gives a clause that is false, if there is one.
    fn propagate(&mut self) -> Option<u32> {
        while let Some(lit) = self.trail.get(self.done).copied() {
            self.done += 1;
            let falsified = lit ^ 1;
            let list = std::mem::take(&mut self.watches[falsified as usize]);
            for (at, number) in list.iter().enumerate() {
                if let Some(conflict) = self.visit(*number, falsified) {
                    self.watches[falsified as usize].extend(&list[at + 1..]);
                    return Some(conflict);
                }
            }
        }
        None
    }

    /// Looks at a clause of which a watched literal became false. Gives it if it is false altogether.
    fn visit(&mut self, number: u32, falsified: u32) -> Option<u32> {
        let clause = &mut self.clauses[number as usize];
        if clause[0] == falsified {
            clause.swap(0, 1);
        }
        let first = clause[0];
        let other = (2..clause.len()).find(|at| !self.is_true[(clause[*at] ^ 1) as usize]);
        if let Some(other) = other.filter(|_| !self.is_true[first as usize]) {
            clause.swap(1, other);
            let watched = clause[1];
            self.watches[watched as usize].push(number);
            return None;
        }
        self.watches[falsified as usize].push(number);
        if self.is_true[(first ^ 1) as usize] {
            return Some(number);
        }
        self.set(first);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use batsat::Var;

    fn lits(numbers: &[i32]) -> Box<[Lit]> {
        let lit = |n: &i32| Lit::new(Var::unsafe_from_idx(n.unsigned_abs()), *n > 0);
        numbers.iter().map(lit).collect()
    }

    #[test]
    fn only_what_follows_is_believed() {
        let given = [[1, 2], [1, -2], [-1, 2], [-1, -2]].map(|clause| Entry::Given(lits(&clause)));
        let with = |learnt: &[i32]| given.iter().cloned().chain([Entry::Learnt(lits(learnt))]).collect::<Vec<_>>();
        assert!(is_valid(&with(&[1]), &[]));
        assert!(!is_valid(&given, &[]), "unit propagation alone does not see it");
        assert!(is_valid(&given, &lits(&[1])));
        assert!(!is_valid(&with(&[3]), &[]), "nothing is said of 3");
        assert!(!is_valid(&given[..3], &lits(&[1, 2])), "that is a model");
    }
}
