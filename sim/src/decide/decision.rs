//! What was decided over all schedules, for reports to show.

use super::Effort;
use crate::Buffering;
use crate::finding::Place;

/// What is known of all schedules of the recorded calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// By buffering: whether the program can get stuck.
    pub verdicts: Vec<(Buffering, Verdict)>,
    /// For which outcomes of the recorded run it holds; with the first call.
    pub assumed: Vec<(String, Place)>,
    /// Why nothing is decided; empty if something is.
    pub open: Vec<String>,
    /// Sends, one of each line of the program, that have to be buffered for it to get through in every schedule: none of these lines can
    /// do without. Empty if none has to be, if that would not be enough, or if it is not known.
    pub relies_on: Vec<Place>,
    /// What it took.
    pub effort: Effort,
    /// Whether a limit that the user set kept it from being decided.
    pub is_cut: bool,
}

/// Whether a program can get stuck, with a library of some kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No schedule of the recorded calls gets stuck.
    Safe,
    /// This one does.
    Stuck(String),
    /// It is not known, for this reason.
    Undecided(String),
}
