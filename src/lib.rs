//! What the two commands share: exit codes, finding and opening the trace, whether its run goes on, its program's sources, the terminal, numbers, help for shells and manuals.

#![forbid(unsafe_code)]

pub mod exit;
pub mod generate;
pub mod number;
pub mod opening;
pub mod running;
pub mod sources;
pub mod terminal;
