//! What the checks find, family by family, on traces of a few calls; virtual time; and the machine against a brute-force model.

mod collective;
mod deadlock;
mod failures;
mod files;
mod groups;
mod job;
mod laws;
mod matching;
mod memory_laws;
mod nondeterminism;
mod oracle;
mod partitioned;
mod races;
mod replay;
mod requests;
mod schedules;
mod tails;
mod threads;
mod windows;
