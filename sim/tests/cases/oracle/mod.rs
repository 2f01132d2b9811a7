//! A brute-force model of MPI to hold the machine against.

pub mod model;
pub mod program;
