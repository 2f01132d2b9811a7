//! What was recorded of an MPI program, and the file that holds it.
//!
//! The words are the standard's: a trace is a log of calls, with their arguments and results, each thread's in a lane of its own.
//! Nothing here decides what the calls mean. FORMAT.md describes the file.

#![forbid(unsafe_code)]

pub mod buffers;
pub mod builder;
pub mod call;
pub mod chunk;
pub mod constant;
pub mod error;
pub mod function;
pub mod part;
pub mod payload;
pub mod reader;
pub mod record;
pub mod segment;
pub mod site;
pub mod store;
#[cfg(feature = "symbols")]
pub mod symbols;
pub mod trace;
pub mod words;
pub mod writer;

pub use builder::TraceBuilder;
pub use call::{Call, Outcome, Status, Value};
pub use error::Error;
pub use function::{Class, Direction, Function, Kind, Length, Parameter, mpi};
pub use reader::open;
pub use site::{Frame, FrameId, Object, Site, SiteId};
pub use trace::{CallId, Ending, Event, Lane, OutcomeId, Process, Trace};
pub use writer::{join, join_finished, write};
