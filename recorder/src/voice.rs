//! Where the watcher can say how a run ended, when the ranks cannot any more.
//!
//! It has no output of its own, and must not hold on to the ranks': launchers wait until nobody does. What it may hold is the terminal,
//! or the file, that the launcher's errors go to. A pipe would keep whoever reads it waiting, so nothing is said into pipes.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::job::RANK_VARIABLES;
use crate::process::ProcessId;
use crate::program::is_launcher;

/// The terminal or file that the errors of this process, or of the launcher above it, go to; None if they go elsewhere.
#[must_use]
pub fn find() -> Option<PathBuf> {
    let own = ProcessId::own();
    std::iter::successors(Some(own), |process| process.parent().filter(|_| belongs_to_job(*process)))
        // By its own name: when the watcher comes to open it, the process may have ended.
        .filter_map(|process| fs::read_link(format!("/proc/{}/fd/2", process.pid)).ok())
        .find(|path| can_be_held(path))
}

/// Whether what started this process may still be part of its job: it is a rank, or what the launcher has put between itself and ranks.
/// The launcher is the last; above it is somebody's shell, or a batch system, whose output is not ours.
fn belongs_to_job(process: ProcessId) -> bool {
    let environment = process.environment();
    let is_rank = RANK_VARIABLES.iter().any(|variable| environment.get(variable).is_some());
    let arguments = process.arguments();
    let name = arguments.first().map_or("", String::as_str);
    is_rank || !is_launcher(name.as_ref()) && name.contains("proxy")
}

fn can_be_held(path: &Path) -> bool {
    let is_null = path == Path::new("/dev/null");
    fs::metadata(path).is_ok_and(|found| found.is_file() || found.file_type().is_char_device() && !is_null)
}

/// A place to say something at, held open.
#[derive(Debug)]
pub struct Voice(File);

impl Voice {
    /// Takes hold of what [`find`] has found. A terminal does not become this process's own by that.
    #[must_use]
    pub fn at(path: &Path) -> Option<Voice> {
        let flags = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).ok()?;
        can_be_held(path).then(|| OpenOptions::new().append(true).custom_flags(flags).open(path).ok().map(Voice))?
    }

    /// Says lines. Whether anybody can hear them does not matter any more.
    pub fn say(&mut self, lines: &[String]) {
        let text: String = lines.iter().map(|line| format!("mpitrace: {line}\n")).collect();
        _ = self.0.write_all(text.as_bytes());
    }
}
