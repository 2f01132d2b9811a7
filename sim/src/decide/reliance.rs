//! Which sends have to be buffered for a program to get through in every schedule: a set of which none can be left out.

use super::cnf::{Lit, Outcome};
use super::confluent;
use super::library::Library;
use super::model::SendNo;
use super::{Candidates, Session};

/// More groups of sends than this are not told apart.
const GROUPS_MAX: usize = 64;

impl Session<'_> {
    /// The least of these groups of sends that must be buffered, by their numbers. None if buffering them all would not be enough, or is not
    /// needed, or if it is not known.
    pub(crate) fn relies_on(&mut self, groups: &[Vec<SendNo>]) -> Option<Vec<usize>> {
        if groups.is_empty() || groups.len() > GROUPS_MAX {
            return None;
        }
        let mut needed: Vec<usize> = (0..groups.len()).collect();
        let mut question = self.question(groups)?;
        if !question.is_safe(&needed)? || question.is_safe(&[])? {
            return None;
        }
        for group in 0..groups.len() {
            let without: Vec<usize> = needed.iter().copied().filter(|other| *other != group).collect();
            if question.is_safe(&without)? {
                needed = without;
            }
        }
        Some(needed)
    }

    fn question<'q>(&'q mut self, groups: &'q [Vec<SendNo>]) -> Option<Question<'q, Self>> {
        let mut switches = Vec::new();
        if !self.is_closed() {
            let formula = self.formula()?;
            for group in groups {
                let switch = formula.cnf.fresh();
                for must in group.iter().filter_map(|send| formula.must_return[*send as usize]) {
                    formula.cnf.imply(&[switch], &[must]);
                }
                switches.push(switch);
            }
        }
        Some(Question { session: self, groups, switches })
    }
}

/// Whether a program gets through if some groups of sends are buffered.
struct Question<'q, S> {
    session: &'q mut S,
    groups: &'q [Vec<SendNo>],
    switches: Vec<Lit>,
}

impl Question<'_, Session<'_>> {
    fn is_safe(&mut self, buffered: &[usize]) -> Option<bool> {
        if self.session.is_closed() {
            let candidates: &Candidates = self.session.decider.candidates.as_ref()?;
            let model = self.session.model();
            let mut is_buffered = vec![false; model.sends.len()];
            for group in buffered {
                self.groups[*group].iter().for_each(|send| is_buffered[*send as usize] = true);
            }
            let end = confluent::run_buffered(model, candidates, Library::UNSURE, &is_buffered);
            return Some(!end.is_stuck(model));
        }
        let mut wanted: Vec<Lit> = buffered.iter().map(|group| self.switches[*group]).collect();
        let formula = self.session.formula()?;
        wanted.push(formula.switches.is_stuck);
        match formula.search(Library::UNSURE, &wanted).0 {
            Outcome::Nothing => Some(true),
            Outcome::Model => Some(false),
            Outcome::Unknown => None,
        }
    }
}
