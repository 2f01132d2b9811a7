//! Which messages the wildcards can take at all, exactly; and the runs in which one takes a certain message, or a message is left over.

use super::Session;
use super::cnf::Outcome;
use super::confluent;
use super::library::Library;
use super::model::{ReceiveNo, SendNo};
use super::schedule::Schedule;

/// More runs than this are not looked at; each shows many pairs.
const RUNS_MAX: usize = 500;

impl Session<'_> {
    /// Every send that a wildcard can take in some run of some library. None if it is not known.
    pub(crate) fn pairs(&mut self) -> Option<Vec<(SendNo, ReceiveNo)>> {
        let candidates = self.decider.candidates.as_ref()?;
        if self.is_closed() {
            let end = confluent::run(self.model(), candidates, Library::INFINITE);
            let takes = (0..).zip(end.taken).flat_map(|(receive, sends)| sends.into_iter().map(move |send| (send, receive)));
            return Some(takes.filter(|(_, receive)| self.is_open_wildcard(*receive)).collect());
        }
        let unseen: Vec<usize> = {
            let formula = self.formula()?;
            let is_wild = |at: &usize| formula.model.receives[formula.pairs[*at].receive as usize].channel.is_none();
            (0..formula.pairs.len()).filter(is_wild).collect()
        };
        let mut seen = self.seen(unseen)?;
        seen.retain(|(_, receive)| self.is_open_wildcard(*receive));
        seen.sort_unstable_by_key(|(send, receive)| (*receive, *send));
        Some(seen)
    }

    /// Looks for runs with pairs that were in none before, until there are no more.
    fn seen(&mut self, mut unseen: Vec<usize>) -> Option<Vec<(SendNo, ReceiveNo)>> {
        let mut seen = Vec::new();
        for _ in 0..RUNS_MAX {
            if unseen.is_empty() {
                return Some(seen);
            }
            let formula = self.formula()?;
            let is_new = formula.cnf.fresh();
            let lits: Vec<_> = unseen.iter().map(|at| formula.pairs[*at].lit).collect();
            formula.cnf.imply(&[is_new], &lits);
            match formula.search(Library::ANY, &[is_new]).0 {
                Outcome::Model => unseen.retain(|at| {
                    let pair = formula.pairs[*at];
                    let holds = formula.cnf.holds(pair.lit);
                    seen.extend(holds.then_some((pair.send, pair.receive)));
                    !holds
                }),
                Outcome::Nothing => return Some(seen),
                Outcome::Unknown => return None,
            }
        }
        None
    }

    /// Whether what a receive takes is open: it names no source, and was not left as it was.
    fn is_open_wildcard(&self, receive: ReceiveNo) -> bool {
        let post = &self.model().receives[receive as usize];
        post.channel.is_none() && post.pin.is_none()
    }

    /// A schedule in which a receive takes a message, whatever happens else.
    pub(crate) fn meeting(&mut self, (send, receive): (SendNo, ReceiveNo)) -> Vec<Schedule> {
        if self.is_closed() {
            return Vec::new();
        }
        let Some(formula) = self.formula() else { return Vec::new() };
        let Some(lit) = formula.pairs.iter().find(|pair| (pair.send, pair.receive) == (send, receive)).map(|pair| pair.lit)
        else {
            return Vec::new();
        };
        let (outcome, order) = formula.search(Library::INFINITE, &[lit]);
        let end = order.filter(|_| outcome == Outcome::Model).map(|order| formula.end(&order));
        end.map_or_else(Vec::new, |end| self.schedules(Library::INFINITE, &end))
    }

    /// A schedule in which everybody comes to the end and a message is left over.
    pub(crate) fn orphan(&mut self) -> Vec<Schedule> {
        // If every receive is waited for, and there are as many sends, nothing can be left over.
        let model = self.model();
        let taken: usize = model.receives.iter().filter(|r| r.done.is_some()).map(|r| r.capacity()).sum();
        if taken == model.sends.len() || self.is_closed() {
            return Vec::new();
        }
        let Some(formula) = self.formula() else { return Vec::new() };
        let is_orphaned = formula.switches.is_orphaned;
        let (outcome, order) = formula.search(Library::INFINITE, &[is_orphaned]);
        let end = order.filter(|_| outcome == Outcome::Model).map(|order| formula.end(&order));
        end.map_or_else(Vec::new, |end| self.schedules(Library::INFINITE, &end))
    }
}
