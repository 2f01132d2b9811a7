//! A place for the segments of a machine that the trace cannot be put on: its ranks bring them to rank 0 in MPI_Finalize.
//!
//! The directory may not exist there, or be read-only. Only a job that spans machines is helped so: on one machine the user is told.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::parts::Parts;
use crate::settings::with_suffix;

/// Where the parts of a job go that cannot go where they should. The directory is the user's own, and nobody else's.
///
/// # Errors
/// If there is no such place either.
pub fn of(parts: &Parts) -> Result<Parts, Error> {
    let directory = directory(&parts.job);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
    let is_ours = |found: fs::Metadata| found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o022 == 0;
    let is_fit = made.and_then(|()| fs::symlink_metadata(&directory)).map(is_ours).map_err(Error::io("create", &directory))?;
    if !is_fit {
        return Err(Error::io("use", &directory)(io::ErrorKind::PermissionDenied.into()));
    }
    let output = directory.join(parts.output.file_name().unwrap_or("trace.msgpack".as_ref()));
    Ok(Parts { directory: with_suffix(&output, ".parts"), output, job: parts.job.clone() })
}

/// Removes the place, if this is one and nothing lies there any more.
pub fn clear(output: &Path, job: &str) {
    let directory = directory(job);
    if output.parent() == Some(&directory) {
        // A trace that nobody has fetched yet stays.
        _ = fs::remove_dir(&directory);
    }
}

fn directory(job: &str) -> PathBuf {
    env::temp_dir().join(format!("mpitrace-{}-{:016x}", geteuid().as_raw(), xxh3_64(job.as_bytes())))
}
