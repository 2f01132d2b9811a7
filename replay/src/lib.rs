//! What must happen again when a program is run in its recorded order: the outcomes that MPI was free to choose.
//!
//! `fit` says whether a program can be run on the course of a trace at all. `choice` reads the outcomes out of it, and `course` makes of them what each thread of a rank has to do. While the program runs, the preload
//! asks a `follower` before each call what has to come of it, and tells it what came. Making MPI do so is the preload's part.
//! `comparison` holds two recorded runs side by side.

#![forbid(unsafe_code)]

pub mod choice;
pub mod comparison;
pub mod course;
pub mod fingerprint;
pub mod fit;
pub mod follower;
pub mod likeness;

pub use choice::{Choice, choices, fingerprint};
pub use course::{Course, Order};
pub use follower::{Divergence, Follower};
