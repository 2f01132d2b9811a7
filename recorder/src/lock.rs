//! One process at a time prepares, or clears up, what lies around a trace.
//!
//! The lock is a file beside the trace that is there only while it is held. A file system without locks grants it to everybody: then
//! only processes that begin in the same instant on stale segments can get into each other's way.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::Error;
use crate::settings::with_suffix;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// Closing it lets go of the lock.
    _file: File,
}

impl Lock {
    /// Waits for the lock on what belongs to the trace `output`.
    ///
    /// # Errors
    /// If no file can be made beside the trace.
    pub fn on(output: &Path) -> Result<Lock, Error> {
        let path = with_suffix(output, ".lock");
        loop {
            let open = File::options().create(true).truncate(false).write(true).open(&path);
            let file = open.map_err(Error::io("create", &path))?;
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) if is_at(&file, &path) => return Ok(Lock { path, _file: file }),
                // Who held it has removed the file that we were waiting for; whoever comes now makes another one.
                Ok(()) | Err(Errno::INTR) => {}
                Err(_) => return Ok(Lock { path, _file: file }),
            }
        }
    }
}

/// Whether this file is the one that has that name.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |m: &fs::Metadata| (m.dev(), m.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(held), Ok(named)) if identity(&held) == identity(&named))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is held: nobody can have taken the lock on this file and rely on its name.
        let _ = fs::remove_file(&self.path);
    }
}
