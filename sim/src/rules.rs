//! The table of rules: names, meaning, an example. `mpisim explain`, the reports and the documentation come from it.
//!
//! How a rule is checked is not said here, and how bad it is to break one depends on the case: a finding carries its severity.
//! A row is here because something finds it; names are stable once released.

mod argument;
mod buffer;
mod collective;
mod deadlock;
mod file;
mod leak;
mod matching;
mod race;
mod request;
mod rma;
mod run;
mod usage;

pub use argument::*;
pub use buffer::*;
pub use collective::*;
pub use deadlock::*;
pub use file::*;
pub use leak::*;
pub use matching::*;
pub use race::*;
pub use request::*;
pub use rma::*;
pub use run::*;
pub use usage::*;

/// A rule of correct MPI use.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name: `deadlock/cycle`. Stable.
    pub name: &'static str,
    /// What breaking it means, in one sentence.
    pub summary: &'static str,
    /// What it is about, where the standard says so, what to do, in a few paragraphs of plain text.
    pub explanation: &'static str,
}

/// Every rule, in the order of the documentation.
pub static ALL: &[&Rule] = &[
    &DEADLOCK_CYCLE,
    &DEADLOCK_MISSING_RANK,
    &DEADLOCK_BUFFERING,
    &DEADLOCK_COLLECTIVE,
    &MATCH_TAG,
    &MATCH_COMMUNICATOR,
    &MATCH_SOURCE,
    &MATCH_TYPE,
    &MATCH_TRUNCATED,
    &MATCH_ORPHAN_SEND,
    &MATCH_ORPHAN_RECV,
    &MATCH_READY_SEND,
    &COLLECTIVE_ORDER,
    &COLLECTIVE_ROOT,
    &COLLECTIVE_OPERATION,
    &COLLECTIVE_TYPE,
    &COLLECTIVE_IN_PLACE,
    &REQUEST_LOST,
    &REQUEST_NEVER_STARTED,
    &REQUEST_STARTED_TWICE,
    &REQUEST_NOT_READY,
    &REQUEST_FREED_ACTIVE,
    &REQUEST_PARTITION,
    &ARGUMENT_COMMUNICATOR,
    &ARGUMENT_RANK,
    &ARGUMENT_COUNT,
    &ARGUMENT_TAG,
    &ARGUMENT_DATATYPE,
    &ARGUMENT_HANDLE,
    &ARGUMENT_NULL,
    &ARGUMENT_UNCOMMITTED,
    &ARGUMENT_OPERATION,
    &ARGUMENT_DISPLACEMENT,
    &ARGUMENT_DIMENSION,
    &ARGUMENT_BUFFER,
    &ARGUMENT_IN_PLACE,
    &LEAK_COMMUNICATOR,
    &LEAK_DATATYPE,
    &LEAK_GROUP,
    &LEAK_OPERATION,
    &LEAK_WINDOW,
    &LEAK_FILE,
    &LEAK_INFO,
    &LEAK_ERRHANDLER,
    &LEAK_REQUEST,
    &USAGE_THREAD_LEVEL,
    &USAGE_NOT_INITIALIZED,
    &USAGE_INITIALIZED_TWICE,
    &USAGE_BSEND_BUFFER,
    &USAGE_CANCELLED_SEND,
    &RMA_EPOCH,
    &RMA_RANGE,
    &RMA_RACE,
    &FILE_RACE,
    &BUFFER_OVERLAP,
    &BUFFER_IN_FLIGHT,
    &BUFFER_REUSED,
    &BUFFER_TOUCHED,
    &RACE_WILDCARD,
    &RACE_PROBE,
    &RACE_COMPLETION,
    &RACE_POLL,
    &RUN_ABORTED,
    &RUN_UNFINISHED,
];

/// The rule of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_found_by_its_name_and_well_formed() {
        for rule in ALL.iter().copied() {
            assert_eq!(find(rule.name), Some(rule), "names are unique");
            let (class, detail) = rule.name.split_once('/').expect("a name has two parts");
            assert!([class, detail].iter().all(|part| part.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
            assert!(!rule.summary.ends_with('.'), "{}: a summary stands in the middle of lines", rule.name);
            assert!(rule.explanation.contains("The standard"), "{}", rule.name);
            assert!(rule.explanation.lines().all(|line| line.len() <= 82), "{}: fits a terminal", rule.name);
        }
        assert_eq!(find("no/such-rule"), None);
    }
}
