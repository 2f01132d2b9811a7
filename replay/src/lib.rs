//! What must happen again when a program is run in its recorded order: the outcomes that MPI was free to choose.
//!
//! It reads them out of a trace, rank by rank, and gives a run a fingerprint by which two runs are compared. Making a program take
//! them again is the preload's part.

#![forbid(unsafe_code)]

pub mod choice;

pub use choice::{Choice, choices, fingerprint};
