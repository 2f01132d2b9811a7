//! Why `mpisim` could not do what it was asked for.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use mpitrace::{exit, opening};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no trace that can be read.
    #[error(transparent)]
    Trace(#[from] opening::Error),
    /// A file that an option names cannot be read, or is not what it should be.
    #[error("{}: {what}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        what: String,
    },
    /// A trace cannot be written.
    #[error("the simulated trace cannot be written: {0}")]
    Unwritten(traces::Error),
    /// The report cannot be written.
    #[error("{to}: the report cannot be written: {source}", to = .path.as_ref().map_or("standard output".into(), |p| p.display().to_string()))]
    Output {
        /// The file; None for standard output.
        path: Option<PathBuf>,
        /// What the operating system says.
        source: io::Error,
    },
}

impl Failure {
    /// Tells the user, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        eprintln!("mpisim: {self}");
        ExitCode::from(match self {
            Failure::Trace(_) => exit::UNREADABLE,
            Failure::Input { .. } | Failure::Unwritten(_) | Failure::Output { .. } => exit::USAGE,
        })
    }
}
