//! What can be wrong with a trace, said so that its reader knows which file, where in it, and what to do.

use std::io;
use std::path::PathBuf;

/// A trace cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{path}: at byte {offset}: not a trace of mpitrace ({what})")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Where it stopped to be a trace.
        offset: u64,
        /// What stands there.
        what: String,
    },
    /// The file has no byte.
    #[error("{path}: at byte 0: the file is empty; the recording that should have filled it was interrupted")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The format is newer than this program.
    #[error(
        "{path}: at byte {offset}: written in version {found} of the format, this mpitrace reads up to {known}: install a newer one"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Where the version stands.
        offset: u64,
        /// The file's version.
        found: u32,
        /// The newest that this program reads.
        known: u32,
    },
    /// Traces that are to be put together are of different runs.
    #[error("{path}: is of another run than {first}: only traces of one run can be put together")]
    OtherRun {
        /// The trace.
        path: PathBuf,
        /// The trace of the first run.
        first: PathBuf,
    },
    /// Two traces have the same rank.
    #[error("{path}: has calls of rank {rank}, as {first} has: only traces of different ranks of one run can be put together")]
    SameRank {
        /// The trace.
        path: PathBuf,
        /// The other one.
        first: PathBuf,
        /// The rank.
        rank: u32,
    },
    /// A directory with nothing of ours in it.
    #[error(
        "{path}: at byte 0: the directory holds no segment of a recording (*.ring, *.part): no process called MPI, or it is another directory"
    )]
    NoSegments {
        /// The directory.
        path: PathBuf,
    },
}

impl Error {
    /// An [`Error::Io`] about this file.
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(io::Error) -> Error + '_ {
        move |source| Error::Io { path: path.to_owned(), source }
    }
}
