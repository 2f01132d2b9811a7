//! Whose the words of a call are: which of them are digests of what was sent, and which of what was received.
//!
//! The rule is that of FORMAT.md, for readers and for tests; the recorder writes what is read here.

use crate::buffers;
use crate::call::{Call, Outcome, Status};
use crate::constant::UNDEFINED;
use crate::function::{Class, Function, Kind, mpi};

/// What a word is the digest of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// What the call sends, or begins to send.
    Sent,
    /// What has been received.
    Received,
    /// The buffer of a send that has completed, which is not what it was when the send was started.
    Changed,
}

/// A word that is a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Of what.
    pub of: Of,
    /// Which of the requests that completed it belongs to, in the order of the statuses; 0 for other calls.
    pub row: usize,
    /// The digest; 0 if it was not taken.
    pub digest: u64,
}

/// The words of a call that are digests.
#[must_use]
pub fn of(call: &Call, outcome: &Outcome, words: &[u64]) -> Vec<Word> {
    let function = call.function;
    let row_words = |of: &[(usize, Of)]| of.iter().zip(words).map(|(&(row, of), &digest)| Word { of, row, digest }).collect();
    if found_nothing(function, outcome) {
        return Vec::new();
    }
    if completes_requests(function) {
        let marks = outcome.statuses(function).enumerate().filter_map(|(row, status)| Some((row, mark(status)?)));
        return row_words(&marks.collect::<Vec<_>>());
    }
    let all = |of: Of| words.iter().map(|_| (0, of)).collect::<Vec<_>>();
    if matches!(function, mpi::START | mpi::STARTALL) {
        return row_words(&all(Of::Sent));
    }
    if buffers::completes_fetches(function) {
        return row_words(&all(Of::Received));
    }
    let (sends, receives) = buffers::of(function);
    let is_later = buffers::fetches_later(function) || function.parameters().iter().any(|p| p.kind == Kind::Request);
    let sent = sends.map(|_| (0, Of::Sent));
    let received = receives.filter(|_| !is_later).map(|_| (0, Of::Received));
    row_words(&sent.into_iter().chain(received).collect::<Vec<_>>())
}

fn completes_requests(function: Function) -> bool {
    let bare = function.name().trim_start_matches("MPI_");
    function.class() == Class::Completion && (bare.starts_with("Wait") || bare.starts_with("Test"))
}

/// Whether a call is a poll that found nothing: its word is a number.
fn found_nothing(function: Function, outcome: &Outcome) -> bool {
    let is_poll = matches!(function.class(), Class::Completion | Class::Probe) && !function.name().contains("Wait");
    let found = |name: &str| outcome.result(function, name).int();
    is_poll && found("flag").or_else(|| found("outcount")) == Some(0)
}

/// Whose word a status stands for, if it does for one.
fn mark(status: Status) -> Option<Of> {
    match (status.source, status.bytes) {
        (UNDEFINED, Status::FETCHED) => Some(Of::Received),
        (UNDEFINED, Status::CHANGED) => Some(Of::Changed),
        (UNDEFINED, _) => None,
        _ => Some(Of::Received),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Value;

    /// The words of a call, as letters with their rows.
    fn text(function: Function, results: &[(&str, Value)], words: &[u64]) -> String {
        let count = function.parameters().len();
        let call = Call { function, site: None, caller: None, arguments: vec![Value::Nil; count].into() };
        let mut values = vec![Value::Nil; count];
        for (name, value) in results {
            values[function.parameter(name).expect("the function has it")] = value.clone();
        }
        let outcome = Outcome { code: 0, results: values.into() };
        let list: Vec<String> =
            of(&call, &outcome, words).iter().map(|word| format!("{:?} {} {}", word.of, word.row, word.digest)).collect();
        list.join(", ")
    }

    #[test]
    fn functions_say_what_their_words_are() {
        assert_eq!(text(mpi::SENDRECV, &[], &[1, 2]), "Sent 0 1, Received 0 2");
        assert_eq!(text(mpi::ISENDRECV, &[], &[1]), "Sent 0 1");
        assert_eq!(text(mpi::RECV_C, &[], &[1]), "Received 0 1");
        assert_eq!(text(mpi::IALLREDUCE, &[], &[1]), "Sent 0 1");
        assert_eq!(text(mpi::STARTALL, &[], &[1, 2]), "Sent 0 1, Sent 0 2");
        assert_eq!(text(mpi::GET_ACCUMULATE, &[], &[1]), "Sent 0 1");
        assert_eq!(text(mpi::WIN_FENCE, &[], &[1, 2]), "Received 0 1, Received 0 2");
        assert_eq!(text(mpi::FILE_READ_ALL_BEGIN, &[], &[]), "");
        assert_eq!(text(mpi::IPROBE, &[("flag", Value::Int(0))], &[7]), "");
        assert_eq!(text(mpi::BCAST, &[], &[]), "", "no digests were taken");
    }

    #[test]
    fn statuses_say_whose_a_word_is() {
        let send = [UNDEFINED, UNDEFINED, -1, 0];
        let changed = [UNDEFINED, UNDEFINED, Status::CHANGED, 0];
        let collective = [UNDEFINED, UNDEFINED, Status::FETCHED, 0];
        let statuses = Value::Ints([send, [3, 0, 8, 0], changed, collective].concat().into());
        let words = text(mpi::WAITALL, &[("array_of_statuses", statuses)], &[5, 6, 7]);
        assert_eq!(words, "Received 1 5, Changed 2 6, Received 3 7");
        assert_eq!(text(mpi::WAITALL, &[], &[5, 6]), "", "where there are no statuses nobody can tell");
    }
}
