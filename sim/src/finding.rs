//! What the checker says: findings, the places they are about, and the report that holds them.
//!
//! This is data for people and programs to read. How a finding is found stands with its rule; how it is printed, in `report`.

use crate::rules::Rule;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; correct MPI.
    Note,
    /// Legal, or harmless in this run, and nearly always a mistake.
    Warning,
    /// The program is wrong.
    Error,
}

/// One call of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The number of the lane in [`traces::Trace::lanes`].
    pub lane: u32,
    /// The number of the event in the lane.
    pub event: u32,
}

/// A call that a finding is about, and its part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The call.
    pub place: Place,
    /// Its part: `waits for a message with tag 7 from rank 1`. Begins with a verb, without the rank as subject.
    pub text: String,
    /// Whether the finding is about this call first of all; a report shows its source line.
    pub primary: bool,
}

/// A call that will never return, and whom it waits for: an edge of the wait-for graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitFor {
    /// The call.
    pub place: Place,
    /// The ranks of MPI_COMM_WORLD that it waits for.
    pub ranks: Vec<u32>,
    /// Whether one of them would be enough: it waits for all of them otherwise.
    pub any: bool,
}

/// A rule that the program broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// One sentence, without a full stop: what is wrong, in which ranks.
    pub title: String,
    /// The calls, the most important first.
    pub labels: Vec<Label>,
    /// What else helps to understand it: the near miss, the members that are missing, under which buffering.
    pub notes: Vec<String>,
    /// How to repair it, if there is something to say that holds in general.
    pub help: Option<String>,
    /// Of a deadlock: who waits for whom in it.
    pub waits: Vec<WaitFor>,
    /// Why it does not count, if it cannot matter or the user has said that it is not to.
    pub dismissed: Option<String>,
}

impl Finding {
    /// A finding of which nothing more is said yet.
    #[must_use]
    pub fn new(rule: &'static Rule, severity: Severity, title: impl Into<String>) -> Finding {
        let (title, labels, notes, waits) = (title.into(), Vec::new(), Vec::new(), Vec::new());
        Finding { rule, severity, title, labels, notes, help: None, waits, dismissed: None }
    }

    /// Whether it counts, and for how much.
    #[must_use]
    pub fn counts(&self, severity: Severity) -> bool {
        self.dismissed.is_none() && self.severity == severity
    }
}

/// A message: a send and the receive that it matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The call that sent it (for a persistent request, the MPI_Start).
    pub send: Place,
    /// The call that posted the receive.
    pub receive: Place,
    /// The call that completed the receive: the same as `receive` for a blocking one.
    pub received: Place,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its tag.
    pub tag: i64,
    /// Its communicator.
    pub comm: i64,
}

/// A collective operation: the calls that took part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collective {
    /// Its communicator.
    pub comm: i64,
    /// The calls, by rank of the communicator; those that never came are absent.
    pub calls: Vec<Place>,
}

/// What a check of a trace found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The findings, errors first.
    pub findings: Vec<Finding>,
    /// Every message that was matched, by receive.
    pub messages: Vec<Message>,
    /// Every collective operation, in an order that every member saw.
    pub collectives: Vec<Collective>,
    /// The messages and the collective operations that are counted only, and not in these lists.
    pub unlisted: Unlisted,
    /// Ranks that called MPI_Finalize in the recorded run.
    pub finished_ranks: u32,
    /// The calls that the machine could not get through, one a thread at most.
    pub stopped: Vec<Place>,
    /// Calls simulated.
    pub calls: u64,
    /// Why the answer may be incomplete: a cut trace, calls that are recorded but not modelled.
    pub caveats: Vec<String>,
    /// What is known of all other schedules; None if the run itself was not good enough to ask.
    pub decision: Option<crate::decide::Decision>,
}

impl Report {
    /// How many messages were matched.
    #[must_use]
    pub fn message_count(&self) -> u64 {
        self.messages.len() as u64 + self.unlisted.messages
    }

    /// How many collective operations there were.
    #[must_use]
    pub fn collective_count(&self) -> u64 {
        self.collectives.len() as u64 + self.unlisted.collectives
    }
}

/// What was counted and not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unlisted {
    /// Messages.
    pub messages: u64,
    /// Collective operations.
    pub collectives: u64,
}
