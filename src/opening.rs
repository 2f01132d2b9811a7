//! Which trace a command means, and opening it.
//!
//! A run that hung or was killed may have left no file but the directory of its segments, which is read just as well.

use std::path::{Path, PathBuf};

use recorder::settings::with_suffix;
use traces::Trace;

/// The name of a trace where the user gives none.
pub const DEFAULT_TRACE: &str = "trace.msgpack";

/// There is no trace to open.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is neither a file nor segments.
    #[error("{path}: there is no such trace. This command makes one: mpiexec -n 4 mpitrace record {option}./app")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// What makes the command write it there.
        option: String,
    },
    /// There is something that cannot be read.
    #[error(transparent)]
    Unreadable(#[from] traces::Error),
}

/// The file that the user means, `trace.msgpack` if nothing is said, or what is there in its stead: the directory
/// of its segments, or the file that they were joined into.
///
/// # Errors
/// If neither is there.
pub fn find(given: Option<&Path>) -> Result<PathBuf, Error> {
    let path = given.unwrap_or(Path::new(DEFAULT_TRACE));
    let parts = with_suffix(path, ".parts");
    // The segments of a run that has ended meanwhile.
    let joined = path.to_str().and_then(|name| name.strip_suffix(".parts")).map(Path::new);
    if path.exists() {
        Ok(path.to_owned())
    } else if let Some(joined) = joined.filter(|joined| joined.is_file()) {
        Ok(joined.to_owned())
    } else if parts.is_dir() {
        Ok(parts)
    } else {
        let option = given.map(option).unwrap_or_default();
        Err(Error::Missing { path: path.to_owned(), option })
    }
}

/// What makes `record` write the trace that is missing. The directory of its segments is named after it.
fn option(missing: &Path) -> String {
    let name = missing.to_string_lossy();
    match name.strip_suffix(".parts").unwrap_or(&name) {
        DEFAULT_TRACE => String::new(),
        trace => format!("-o {trace} "),
    }
}

/// Opens the trace that the user means, and says which one that is.
///
/// # Errors
/// If there is none, or it cannot be read.
pub fn open(given: Option<&Path>) -> Result<(PathBuf, Trace), Error> {
    let path = find(given)?;
    let (path, mut trace) = match traces::open(&path) {
        Ok(trace) => (path, trace),
        // The segments were joined into the file while they were being read.
        Err(error) => match find(given) {
            Ok(joined) if joined != path => (joined.clone(), traces::open(&joined)?),
            _ => return Err(error.into()),
        },
    };
    sim::clocks::align(&mut trace);
    Ok((path, trace))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use recorder::settings::OUTPUT;

    use super::*;

    #[test]
    fn the_file_comes_before_the_segments_and_both_before_nothing() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let path = home.path().join("t.msgpack");
        let message = find(Some(&path)).expect_err("there is nothing").to_string();
        assert!(message.contains(&format!("mpitrace record -o {} ./app", path.display())), "{message}");
        let parts = with_suffix(&path, ".parts");
        let message = find(Some(&parts)).expect_err("there are no segments").to_string();
        assert!(message.contains(&format!("mpitrace record -o {} ./app", path.display())), "{message}");
        assert_eq!(option(Path::new("trace.msgpack.parts")), "");
        fs::create_dir(&parts).expect("a new directory");
        assert_eq!(find(Some(&path)).expect("segments"), parts);
        fs::write(&path, "").expect("a new file");
        assert_eq!(find(Some(&path)).expect("a file"), path);
        fs::remove_dir(&parts).expect("segments are joined");
        assert_eq!(find(Some(&parts)).expect("what they were joined into"), path);
        assert_eq!(OUTPUT.default, Some(DEFAULT_TRACE));
    }
}
