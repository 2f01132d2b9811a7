//! Makes a counterexample small: first as few matches as possible that differ from the recorded run, then as early as possible.

use super::cnf::{Lit, Outcome};
use super::confluent::End;
use super::encode::{Formula, Pair};
use super::library::Library;
use super::order::Order;
use crate::program::Program;

/// Beyond so many changed matches, the least number is not looked for.
const CHANGES_MAX: usize = 8;
/// Of so many matches that might change, they are not counted.
const COUNTED_MAX: usize = 5_000;
/// The end of the run is moved forward at most so often, and in a large program not even that.
const STEPS_MAX: usize = 200;
/// Looking at the model once takes about as many operations as there are calls; more than these are not spent.
const WORK_MAX: usize = 500_000;
/// Conflicts that it may cost; a run that could be smaller is a run all the same.
const CONFLICTS_MAX: u64 = 5_000;

impl Formula<'_, '_> {
    /// A run like the one that was just found, and as simple as can be.
    pub(crate) fn simplest(&mut self, program: &Program, library: Library, order: &Order) -> End {
        self.cnf.spend(Some(CONFLICTS_MAX));
        let end = self.simpler(program, library, order);
        self.cnf.spend(None);
        end
    }

    fn simpler(&mut self, program: &Program, library: Library, order: &Order) -> End {
        let best = self.end(order);
        let changes = self.changes(program);
        let found = changes.iter().filter(|lit| self.cnf.holds(**lit)).count();
        let mut wanted = vec![self.switches.is_stuck];
        if found == 0 || changes.len() > COUNTED_MAX {
            wanted.extend(changes.iter().filter(|_| found == 0).map(|lit| !*lit));
            return self.earliest(library, wanted, best);
        }
        let most = found.min(CHANGES_MAX);
        let counts = self.cnf.count(&changes, most);
        for limit in counts.iter().take(most) {
            wanted.push(!*limit);
            if let (Outcome::Model, Some(order)) = self.search(library, &wanted) {
                let best = self.end(&order);
                return self.earliest(library, wanted, best);
            }
            wanted.pop();
        }
        wanted.extend(counts.get(found).map(|limit| !*limit));
        self.earliest(library, wanted, best)
    }

    /// The pairs that are not as in the recorded run.
    fn changes(&self, program: &Program) -> Vec<Lit> {
        let is_changed = |pair: &&Pair| {
            let receive = &self.model.receives[pair.receive as usize];
            let send = &self.model.sends[pair.send as usize];
            let pins = &program.lanes[receive.at.lane as usize].pins;
            receive.channel.is_none()
                && receive.members.iter().all(|member| {
                    let pin = member.wildcard.and_then(|number| pins.get(number as usize).copied().flatten());
                    pin.is_none_or(|pin| (pin.channel, pin.tag) != (send.channel, send.tag))
                })
        };
        self.pairs.iter().filter(is_changed).map(|pair| pair.lit).collect()
    }

    /// Takes back calls until none can be.
    fn earliest(&mut self, library: Library, mut wanted: Vec<Lit>, mut best: End) -> End {
        let truth = self.cnf.truth();
        let calls = self.model.sends.len() + self.model.receives.len();
        for _ in 0..STEPS_MAX.min(1 + WORK_MAX / calls.max(1)) {
            let is_earlier = self.cnf.fresh();
            let (mut fewer, mut as_far) = (vec![!is_earlier], vec![is_earlier]);
            for (steps, returned) in self.returned.iter().zip(&best.returned) {
                let (made, not_made) = steps.split_at(*returned as usize);
                // The last step of a lane stands for all before it.
                fewer.extend(made.last().filter(|lit| **lit != truth).map(|lit| !*lit));
                as_far.extend(not_made.first().map(|lit| !*lit));
            }
            self.cnf.add(&fewer);
            let begin = wanted.len();
            wanted.extend(as_far);
            let found = self.search(library, &wanted);
            wanted.truncate(begin);
            match found {
                (Outcome::Model, Some(order)) => best = self.end(&order),
                _ => return best,
            }
        }
        best
    }
}
