//! The directory of segments, `trace.msgpack.parts`: whose it is, who takes part, and how it comes and goes.
//!
//! Beside the segments and the count of `finished` processes, which are the preload's, lie `job`, the token of the run, `place`, a text that
//! no other directory has, and `nodes/HOST/PID-START`, an empty file for each process that was started there. Whoever makes `nodes/HOST` is the first one on that machine and starts the watcher.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::join::now_ns;
use crate::lock::Lock;
use crate::process::{ProcessId, host_name};
use crate::settings::with_suffix;

/// The empty file that says that a trace was put aside for this run.
const HAD_TRACE: &str = "had-trace";
/// How long the ranks of a run may take to end after its launcher has returned, before another one to the same trace takes another name.
const PATIENCE_WITH_RANKS: Duration = Duration::from_secs(2);
/// How long its watcher may take to join the trace after that.
const PATIENCE_WITH_WATCHERS: Duration = Duration::from_secs(10);
/// So many runs to the same trace can go on at once.
const NAMES_MAX: u32 = 100;
/// After how long it says that it waits.
const NOTICE: Duration = Duration::from_millis(500);
/// How often it looks in the meantime.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The places of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The trace to be.
    pub output: PathBuf,
    /// The directory of its segments.
    pub directory: PathBuf,
    /// The run's token.
    pub job: String,
}

/// What a process has to do as the first one of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The places that the run has got: under another name, if another run goes on in those that were asked for.
    pub parts: Parts,
    /// It is the first of its job, anywhere.
    pub first_of_job: bool,
    /// It is the first of its job on this machine.
    pub first_of_node: bool,
}

impl Parts {
    /// Makes the directory ready and enters `process` into the roll. The first process of a job puts aside what an earlier run left:
    /// its trace becomes `.old`, segments that nobody joined become `.parts.old`. `has_to_wait` is called if another run is still going on
    /// when that of one that has just ended would be over. If it then does not end, the trace gets a number: `trace.2.msgpack`.
    ///
    /// # Errors
    /// If the file system refuses, or far too many runs to the same trace are going on.
    pub fn enter(&self, process: ProcessId, has_to_wait: impl FnOnce()) -> Result<Turn, Error> {
        if let Some(parent) = self.output.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        let begin = Instant::now();
        let mut has_to_wait = Some(has_to_wait);
        let (_lock, parts) = loop {
            // One lock for all the names, so that all processes of the job choose the same one.
            let lock = Lock::on(&self.output)?;
            if let Some(parts) = self.choose(begin.elapsed())? {
                break (lock, parts);
            }
            drop(lock);
            if begin.elapsed() > NOTICE
                && let Some(has_to_wait) = has_to_wait.take()
            {
                has_to_wait();
            }
            std::thread::sleep(LOOK_EVERY);
        };
        let first_of_job = !parts.is_ours();
        if first_of_job {
            let had_trace = parts.put_aside()?;
            parts.found(had_trace)?;
        }
        let first_of_node = parts.enrol(process)?;
        Ok(Turn { parts, first_of_job, first_of_node })
    }

    /// The places of this job, if it has some already or can have some after having waited so long.
    fn choose(&self, waited: Duration) -> Result<Option<Parts>, Error> {
        let names = || (1..=NAMES_MAX).map(|number| self.numbered(number));
        if let Some(ours) = names().find(Parts::is_ours) {
            return Ok(Some(ours));
        }
        if !self.is_in_use() {
            return Ok(Some(self.clone()));
        }
        let has_ranks = self.roll().into_iter().any(ProcessId::is_alive);
        if waited < if has_ranks { PATIENCE_WITH_RANKS } else { PATIENCE_WITH_WATCHERS } {
            return Ok(None);
        }
        let free = names().find(|parts| !parts.is_in_use());
        free.map(Some).ok_or_else(|| Error::Busy { output: self.output.clone() })
    }

    /// The places under a name with this number: `trace.2.msgpack`. The first has none.
    fn numbered(&self, number: u32) -> Parts {
        if number == 1 {
            return self.clone();
        }
        let mut name = self.output.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".{number}"));
        if let Some(extension) = self.output.extension() {
            name.push(".");
            name.push(extension);
        }
        let output = self.output.with_file_name(name);
        Parts { directory: with_suffix(&output, ".parts"), output, job: self.job.clone() }
    }

    /// Whether the directory is there, and of this job.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        fs::read_to_string(self.directory.join("job")).is_ok_and(|token| token == self.job)
    }

    /// Whether a process of the job that the directory is of, or its watcher, still runs on this machine.
    fn is_in_use(&self) -> bool {
        self.roll().into_iter().chain(self.watcher()).any(ProcessId::is_alive)
    }

    /// Puts what an earlier run left aside. Gives whether there was a trace.
    fn put_aside(&self) -> Result<bool, Error> {
        let had_trace = self.put_trace_aside()?;
        self.put_segments_aside()?;
        Ok(had_trace)
    }

    fn put_trace_aside(&self) -> Result<bool, Error> {
        match fs::symlink_metadata(&self.output) {
            Ok(_) if !self.output.is_file() => Err(Error::NotAFile { output: self.output.clone() }),
            Ok(_) => rename(&self.output, &with_suffix(&self.output, ".old")).map(|()| true),
            Err(_) => Ok(false),
        }
    }

    fn put_segments_aside(&self) -> Result<(), Error> {
        if !self.directory.exists() {
            return Ok(());
        }
        if !self.has_segments() {
            return fs::remove_dir_all(&self.directory).map_err(Error::io("remove", &self.directory));
        }
        let old = with_suffix(&self.directory, ".old");
        match fs::remove_dir_all(&old) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", &old)(error)),
            _ => rename(&self.directory, &old),
        }
    }

    fn found(&self, had_trace: bool) -> Result<(), Error> {
        let nodes = self.directory.join("nodes");
        fs::create_dir_all(&nodes).map_err(Error::io("create", &nodes))?;
        if had_trace {
            let note = self.directory.join(HAD_TRACE);
            fs::write(&note, "").map_err(Error::io("write", &note))?;
        }
        let place = self.directory.join("place");
        fs::write(&place, format!("{} {} {}", host_name(), ProcessId::own(), now_ns())).map_err(Error::io("write", &place))?;
        let job = self.directory.join("job");
        fs::write(&job, &self.job).map_err(Error::io("write", &job))
    }

    /// Nothing was recorded: gives the trace that this run has put aside its name back.
    pub fn restore(&self) {
        if !self.output.exists() && self.directory.join(HAD_TRACE).exists() {
            // If that fails it is still there, under its other name.
            _ = fs::rename(with_suffix(&self.output, ".old"), &self.output);
        }
    }

    /// Writes a process into the roll of this machine; true if it is the first.
    fn enrol(&self, process: ProcessId) -> Result<bool, Error> {
        let node = self.node();
        let first = match fs::create_dir(&node) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            Err(error) => return Err(Error::io("create", &node)(error)),
        };
        let entry = node.join(process.to_string());
        fs::write(&entry, "").map_err(Error::io("write", &entry))?;
        Ok(first)
    }

    /// Notes that `process` watches over this machine's part.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn set_watcher(&self, process: ProcessId) -> Result<(), Error> {
        let entry = self.node().join(format!("watcher-{process}"));
        fs::write(&entry, "").map_err(Error::io("write", &entry))
    }

    /// The processes that were started on this machine.
    #[must_use]
    pub fn roll(&self) -> Vec<ProcessId> {
        names_in(&self.node()).iter().filter_map(|name| name.parse().ok()).collect()
    }

    fn watcher(&self) -> Option<ProcessId> {
        names_in(&self.node()).iter().find_map(|name| name.strip_prefix("watcher-")?.parse().ok())
    }

    /// Strikes this machine off; true if it was the last.
    #[must_use]
    pub fn leave(&self) -> bool {
        let _ = fs::remove_dir_all(self.node());
        names_in(&self.directory.join("nodes")).is_empty()
    }

    /// Whether a process has left segments that no trace has taken in.
    #[must_use]
    pub fn has_segments(&self) -> bool {
        names_in(&self.directory).iter().any(|name| [".ring", ".chunks", ".part"].iter().any(|e| name.ends_with(e)))
    }

    /// Whether a process has come to the end of MPI_Finalize: then the trace is made, wherever it is now.
    #[must_use]
    pub fn has_finished(&self) -> bool {
        self.directory.join("finished").exists()
    }

    fn node(&self) -> PathBuf {
        self.directory.join("nodes").join(host_name())
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::io("rename", from))
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn parts(home: &Path, job: &str) -> Parts {
        let output = home.join("runs/trace.msgpack");
        Parts { directory: with_suffix(&output, ".parts"), output, job: job.to_owned() }
    }

    /// A process that lives until its standard input is closed.
    fn sleeper() -> (Child, ProcessId) {
        let child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat exists");
        let id = ProcessId::of(child.id()).expect("it runs");
        (child, id)
    }

    fn end(mut child: Child) {
        drop(child.stdin.take());
        child.wait().expect("it ends");
    }

    #[test]
    fn the_first_puts_aside_what_is_there_and_the_others_join() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let parts = parts(home.path(), "two");
        fs::create_dir_all(&parts.directory).expect("a new directory");
        fs::write(&parts.output, "trace").expect("a new file");
        fs::write(parts.directory.join("1.ring"), "segment").expect("a new file");
        let own = ProcessId::own();
        let turn = |is_first| Turn { parts: parts.clone(), first_of_job: is_first, first_of_node: is_first };
        assert_eq!(parts.enter(own, || {}).expect("it can"), turn(true));
        assert_eq!(parts.enter(own, || {}).expect("it can"), turn(false));
        assert_eq!(fs::read(with_suffix(&parts.output, ".old")).expect("it was kept"), b"trace");
        let segment = with_suffix(&parts.directory, ".old").join("1.ring");
        assert_eq!(fs::read(segment).expect("it was kept"), b"segment");
        assert!(!parts.output.exists() && !parts.has_segments() && parts.is_ours());
        assert_eq!(parts.roll(), [own]);
        assert!(!with_suffix(&parts.output, ".lock").exists());
    }

    #[test]
    fn a_run_that_is_going_on_is_waited_for() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let (child, id) = sleeper();
        parts(home.path(), "one").enter(id, || {}).expect("nobody is there");
        let second = parts(home.path(), "two");
        assert!(!second.is_ours() && second.is_in_use());
        end(child);
        assert!(second.enter(ProcessId::own(), || {}).expect("the first has ended").first_of_job);
    }

    #[test]
    fn beside_a_run_that_does_not_end_all_of_another_one_get_the_same_other_name() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let (child, id) = sleeper();
        let first = parts(home.path(), "one");
        first.enter(id, || {}).expect("nobody is there");
        let second = parts(home.path(), "two");
        let turn = second.enter(ProcessId::own(), || {}).expect("there are other names");
        assert_eq!(turn.parts.output, home.path().join("runs/trace.2.msgpack"));
        assert!(turn.first_of_job && first.is_ours());
        end(child);
        let other = second.enter(ProcessId::own(), || {}).expect("the job has a name");
        assert_eq!((other.parts, other.first_of_job), (turn.parts, false), "although the first one is free now");
    }

    #[test]
    fn the_last_machine_knows_that_it_is_the_last() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let parts = parts(home.path(), "one");
        parts.enter(ProcessId::own(), || {}).expect("nobody is there");
        let other = parts.directory.join("nodes/elsewhere");
        fs::create_dir(&other).expect("a new directory");
        assert!(!parts.leave());
        fs::remove_dir(&other).expect("it is empty");
        assert!(parts.leave());
    }

    #[test]
    fn a_trace_is_not_put_where_no_file_is() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let parts = parts(home.path(), "one");
        fs::create_dir_all(&parts.output).expect("a new directory");
        assert!(matches!(parts.enter(ProcessId::own(), || {}), Err(Error::NotAFile { .. })));
    }
}
