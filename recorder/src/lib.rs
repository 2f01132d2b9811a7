//! The outside half of recording: what happens before the program starts, and after it has ended.
//!
//! `mpitrace record` turns into the program that it records, so nothing of this is there while the program runs, but for a
//! watcher that stands apart. What happens inside of the program is the preload's business; [`settings`] is all that the two
//! halves share.

#![forbid(unsafe_code)]

mod origin;
pub mod settings;

#[cfg(feature = "launch")]
pub mod detach;
#[cfg(feature = "launch")]
pub mod error;
#[cfg(feature = "launch")]
pub mod job;
#[cfg(feature = "launch")]
mod join;
#[cfg(feature = "launch")]
pub mod launch;
#[cfg(feature = "launch")]
pub mod libraries;
#[cfg(feature = "launch")]
pub mod library;
#[cfg(feature = "launch")]
mod lock;
#[cfg(feature = "launch")]
pub mod parts;
#[cfg(feature = "launch")]
pub mod process;
#[cfg(feature = "launch")]
pub mod program;
#[cfg(feature = "launch")]
mod refuge;
#[cfg(feature = "launch")]
mod stillness;
#[cfg(feature = "launch")]
pub mod voice;
#[cfg(feature = "launch")]
pub mod watch;

#[cfg(feature = "launch")]
pub use error::Error;
