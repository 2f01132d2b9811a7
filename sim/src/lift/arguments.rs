//! A call together with its outcome, as the lifting functions want to read it.
//!
//! Large-count forms have the parameters of the small ones, so that everything here goes by the small function's name.

use traces::function::Function;
use traces::{Call, Outcome, Status, Value};

/// A distinct call and what came back; the outcome is None if it never returned.
pub(crate) struct Arguments<'t> {
    pub(crate) call: &'t Call,
    pub(crate) outcome: Option<&'t Outcome>,
}

impl<'t> Arguments<'t> {
    /// The function, without large counts.
    pub(crate) fn function(&self) -> Function {
        self.call.function.small()
    }

    /// The result of this name.
    pub(crate) fn result(&self, name: &str) -> &'t Value {
        self.outcome.map_or(&Value::Nil, |o| o.result(self.call.function, name))
    }

    /// An argument that is one number; `default` where it is not known.
    pub(crate) fn int_or(&self, name: &str, default: i64) -> i64 {
        self.call.int(name).unwrap_or(default)
    }

    /// The statuses that came back.
    pub(crate) fn statuses(&self) -> Vec<Status> {
        self.outcome.map_or_else(Vec::new, |o| o.statuses(self.call.function).collect())
    }

    /// The only status that came back.
    pub(crate) fn status(&self) -> Option<Status> {
        self.outcome.and_then(|o| o.statuses(self.call.function).next())
    }

    /// Whether the call returned an error.
    pub(crate) fn failed(&self) -> bool {
        self.outcome.is_some_and(|o| o.code != 0)
    }

    /// Whether the `flag` that came back is true.
    pub(crate) fn flag(&self) -> bool {
        self.result("flag").int().is_some_and(|flag| flag != 0)
    }
}
