//! Where the watcher can say how a run ended, when the ranks cannot any more.
//!
//! It has no output of its own, and must not hold on to the ranks': launchers wait until nobody does. What it may hold is the terminal,
//! or the file, that the launcher's errors go to. A pipe would keep whoever reads it waiting, so nothing is said into pipes.

use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::job::RANK_VARIABLES;
use crate::process::ProcessId;
use crate::program::is_launcher;

/// The errors of a process, which go to a terminal or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The process.
    holder: u32,
    /// The terminal or file.
    path: PathBuf,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.holder, self.path.display())
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Place, &'static str> {
        let (holder, path) = text.split_once(':').ok_or("a place is a process and a path")?;
        Ok(Place { holder: holder.parse().map_err(|_| "a process is a number")?, path: path.into() })
    }
}

/// Where the errors of this process, or of the launcher above it, go, if that is a terminal or a file.
#[must_use]
pub fn find() -> Option<Place> {
    let own = ProcessId::own();
    std::iter::successors(Some(own), |process| process.parent().filter(|_| belongs_to_job(*process)))
        // By its own name, too: when the watcher comes to open it, the process may have ended.
        .filter_map(|process| Some((process.pid, fs::read_link(format!("/proc/{}/fd/2", process.pid)).ok()?)))
        .find(|(_, path)| can_be_held(path))
        .map(|(holder, path)| Place { holder, path })
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
    path != Path::new("/dev/null") && fs::metadata(path).is_ok_and(|found| is_fit(&found))
}

fn is_fit(found: &Metadata) -> bool {
    found.is_file() || found.file_type().is_char_device()
}

impl Place {
    /// The holder's own descriptor, and with it its position: what both write comes one after the other.
    fn shared(&self) -> Option<File> {
        let pid = i32::try_from(self.holder).ok().and_then(Pid::from_raw)?;
        let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        pidfd_getfd(process, 2, PidfdGetfdFlags::empty()).ok().map(File::from)
    }

    /// Opened anew, where that is not allowed. What the holder writes later may then come over it.
    fn opened(&self) -> Option<File> {
        let flags = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).ok()?;
        can_be_held(&self.path).then(|| OpenOptions::new().append(true).custom_flags(flags).open(&self.path).ok())?
    }
}

/// A place to say something at, held open.
#[derive(Debug)]
pub struct Voice(File);

impl Voice {
    /// Takes hold of what [`find`] has found. A terminal does not become this process's own by that.
    #[must_use]
    pub fn at(place: &Place) -> Option<Voice> {
        place.shared().or_else(|| place.opened()).filter(|file| file.metadata().is_ok_and(|m| is_fit(&m))).map(Voice)
    }

    /// Says lines. Whether anybody can hear them does not matter any more.
    pub fn say(&mut self, lines: &[String]) {
        let text: String = lines.iter().map(|line| format!("mpitrace: {line}\n")).collect();
        _ = self.0.write_all(text.as_bytes());
    }
}
