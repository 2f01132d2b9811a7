//! The two commands under test: a program recorded by `mpitrace record`, its trace checked by `mpisim check`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use crate::job::{Job, wait_until};
use crate::mpi::Mpi;

/// So often a program runs without the recorder before it counts as ending otherwise than with it.
const PLAIN_RUNS_MAX: usize = 5;

/// How Open MPI 5's launcher ends where its own server does not come up, which happens now and then: no rank has run.
const NO_SERVER: i32 = 213;

/// What is run, on which MPI, and where.
pub struct Run<'a> {
    pub mpi: &'a Mpi,
    /// The command line of one rank.
    pub command: &'a [PathBuf],
    /// Further options of `mpitrace record`.
    pub options: &'a [String],
    /// A file that the program wants to find in its directory.
    pub input: Option<&'a Path>,
    /// A directory of the run's own.
    pub directory: PathBuf,
}

impl Run<'_> {
    /// Runs it as it is, and gives what it printed.
    pub fn plainly(&self) -> Result<String, String> {
        match self.plainly_until(|status| status.success())? {
            Ok(()) => Ok(self.printed()),
            Err(others) => Err(format!("without the recorder: {others:?}\n{}", self.printed())),
        }
    }

    /// Runs it as it is until it ends as it should, a few times at most; else gives how it ended. Launchers fail by themselves now and then, and which
    /// of several ranks that fail they tell of is up to them.
    pub fn plainly_until(&self, is_right: impl Fn(&ExitStatus) -> bool) -> Result<Result<(), Vec<Option<ExitStatus>>>, String> {
        let mut others = Vec::new();
        while others.len() < PLAIN_RUNS_MAX {
            let status = self.run_plainly()?;
            if status.as_ref().is_some_and(&is_right) {
                return Ok(Ok(()));
            }
            others.push(status);
        }
        Ok(Err(others))
    }

    /// Runs it as it is until it has made a file, or ended without: a launcher may not come back although its ranks have ended, may not find its server,
    /// and may wait for it, and then the run is made again.
    pub fn plainly_to(&self, made: &Path) -> Result<(), String> {
        let mut tries = (0..PLAIN_RUNS_MAX).map(|_| self.run_to(made)).filter(|tried| *tried != Ok(Some(NO_SERVER)));
        match tries.next() {
            Some(Err(_)) => tries.next().unwrap_or(Ok(None)).map(|_| ()),
            _ => Ok(()),
        }
    }

    fn run_to(&self, made: &Path) -> Result<Option<i32>, String> {
        let mut job = self.started(self.mpi.launch(4))?;
        let status = job.wait(|| made.exists())?;
        match status {
            Some(_) => job.settle()?,
            None => job.kill()?,
        }
        Ok(status.and_then(|status| status.code()))
    }

    /// Runs it as it is, and gives how it ended.
    fn run_plainly(&self) -> Result<Option<ExitStatus>, String> {
        let mut job = self.started(self.mpi.launch(4))?;
        let status = job.wait(|| false)?;
        job.settle()?;
        Ok(status)
    }

    /// Runs it under the recorder, until it ends or its trace, read while it is written, `is_enough`: then it is killed.
    pub fn recorded(&self, is_enough: impl Fn(&Path) -> bool) -> Result<Option<ExitStatus>, String> {
        let mut status = self.recorded_once(&is_enough)?;
        for _ in 1..PLAIN_RUNS_MAX {
            if status.and_then(|status| status.code()) != Some(NO_SERVER) {
                break;
            }
            status = self.recorded_once(&is_enough)?;
        }
        Ok(status)
    }

    fn recorded_once(&self, is_enough: &impl Fn(&Path) -> bool) -> Result<Option<ExitStatus>, String> {
        let mut command = self.mpi.launch(4);
        command.arg(env!("CARGO_BIN_EXE_mpitrace")).args(["record", "-o", "trace.msgpack"]).args(self.options).arg("--");
        let mut job = self.started(command)?;
        let parts = self.directory.join("trace.msgpack.parts");
        // A launcher may not come back although its ranks have ended, so that the segments are joined already.
        let is_enough = |trace: &Path| trace.exists() && is_enough(trace);
        let status = job.wait(|| is_enough(&parts) || is_enough(&self.trace()))?;
        match status {
            Some(_) => job.settle()?,
            None => job.kill()?,
        }
        // What the ranks have not joined themselves is joined by a watcher, which outlives them.
        wait_until("the segments should be joined when all ranks have ended", || self.trace().exists() || !parts.exists())?;
        Ok(status)
    }

    /// Starts it with `command` before its own command line, in an empty directory.
    fn started(&self, mut command: Command) -> Result<Job, String> {
        command.args(self.command);
        // What an earlier run has left there is of no use.
        _ = std::fs::remove_dir_all(&self.directory);
        let said = |e: std::io::Error| format!("{}: {e}", self.directory.display());
        std::fs::create_dir_all(&self.directory).map_err(said)?;
        if let Some(input) = self.input {
            let name = input.file_name().ok_or("an input is a file")?;
            std::fs::copy(input, self.directory.join(name)).map_err(said)?;
        }
        Job::start(command, &self.directory)
    }

    /// What it printed to its standard output.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.directory.join("stdout")).unwrap_or_default()).into_owned()
    }

    /// Where its trace is.
    pub fn trace(&self) -> PathBuf {
        self.directory.join("trace.msgpack")
    }
}

/// `mpisim check` on a trace, in JSON or as text.
pub fn check(trace: &Path, format: &str) -> Result<Output, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpisim"));
    command.args(["check", "--format", format]).arg(trace).stdin(Stdio::null());
    command.output().map_err(|e| format!("{command:?}: {e}"))
}
