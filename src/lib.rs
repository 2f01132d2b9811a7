//! What the two commands share: exit codes, finding and opening the trace, its program's sources, the terminal, help for shells and manuals.

#![forbid(unsafe_code)]

pub mod exit;
pub mod generate;
pub mod opening;
pub mod sources;
pub mod terminal;
