//! Looks for runs: models of the formula in which causes come before effects.

use super::cnf::{Lit, Outcome};
use super::encode::Formula;
use super::library::Library;
use super::order::Order;

/// More rounds of excluding circles than this, and the search is given up.
const ROUNDS_MAX: usize = 10_000;

impl Formula<'_, '_> {
    /// Looks for a run of a library in which these hold. The model that was found stays readable.
    pub(crate) fn search(&mut self, library: Library, wanted: &[Lit]) -> (Outcome, Option<Order>) {
        let mut assumptions = self.assume(library);
        assumptions.extend(wanted);
        for _ in 0..ROUNDS_MAX {
            let outcome = self.cnf.solve(&assumptions);
            if outcome != Outcome::Model {
                return (outcome, None);
            }
            let order = Order::of(self, library);
            let circles = order.circles(&self.guards(library));
            if circles.is_empty() {
                return (outcome, Some(order));
            }
            for reasons in circles {
                self.cnf.imply(&reasons, &[]);
            }
        }
        (Outcome::Unknown, None)
    }
}
