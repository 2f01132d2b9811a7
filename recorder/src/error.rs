//! What can keep a recording from beginning, said so that the reader knows what to do.

use std::io;
use std::path::{Path, PathBuf};

/// The program was not started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such program.
    #[error("{program}: no such program")]
    NotFound {
        /// As it was given.
        program: PathBuf,
    },
    /// There is one, and it cannot be executed.
    #[error("{program}: cannot be executed: {reason}")]
    NotExecutable {
        /// The file.
        program: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// The kernel would not execute it.
    #[error("{program}: cannot be executed: {source}")]
    Exec {
        /// The file.
        program: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is a script, and what its first line names is not there.
    #[error("{program}: its interpreter does not exist (see its first line)")]
    NoInterpreter {
        /// The script.
        program: PathBuf,
    },
    /// The trace, its segments, or the library cannot be put where they belong.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something other than a trace lies where the trace is to be.
    #[error("{output}: is not a file, so no trace can be put there: give another place with --output")]
    NotAFile {
        /// The place.
        output: PathBuf,
    },
    /// Another job writes the same trace.
    #[error("{output}: another run is being recorded to this trace; wait for its end, or give another place with --output")]
    Busy {
        /// The place.
        output: PathBuf,
    },
    /// No library can be loaded into the program, and so nobody can make it take its recorded course.
    #[error("{program}: is {why}: it cannot be replayed")]
    NotReplayable {
        /// The file.
        program: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// The command was built without the library.
    #[error("this build of mpitrace carries no library to preload: name one with --preload")]
    NoLibrary,
    /// There is no directory for the library.
    #[error(
        "no directory to put the library into that is yours, allows execution, and has no space or colon in its path; tried: {}. \
         Set XDG_CACHE_HOME or TMPDIR to one",
        list(tried)
    )]
    NoPlaceForLibrary {
        /// The directories, best first.
        tried: Vec<PathBuf>,
    },
    /// The library that the user names does not exist, or its path is one that the dynamic linker would split.
    #[error("{library}: cannot be preloaded: it has to be a file whose path has neither space nor colon")]
    UnusableLibrary {
        /// The path.
        library: PathBuf,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl Error {
    /// Whether the program can run all the same, without being recorded: the file system, or another run, is in the way.
    #[must_use]
    pub fn spares_the_program(&self) -> bool {
        matches!(self, Error::Io { .. } | Error::NotAFile { .. } | Error::Busy { .. } | Error::NoPlaceForLibrary { .. })
    }

    /// An [`Error::Io`] about this file.
    pub(crate) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
        move |source| Error::Io { action, path: path.to_owned(), source }
    }
}
