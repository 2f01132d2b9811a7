//! One run of a program under `mpiexec`: started, waited for or killed, and nothing of it left behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Pid;

/// No run takes this long, not even on a slow and busy machine. Nothing is decided by it but that a test has failed.
const PATIENCE: Duration = Duration::from_secs(240);

/// And none at night takes this long.
const PATIENCE_OF_A_NIGHT: Duration = Duration::from_secs(3600);

/// How often to look.
const PACE: Duration = Duration::from_millis(50);

/// The environment variable by which the processes of a job are found again.
const MARK: &str = "MPITRACE_TEST_JOB";

/// A job that is running.
pub struct Job {
    launcher: Child,
    directory: PathBuf,
    patience: Duration,
}

impl Job {
    /// Starts `command` in `directory`, where what it prints goes, too.
    pub fn start(mut command: Command, directory: &Path) -> Result<Job, String> {
        let said = |e: std::io::Error| format!("{}: {e}", directory.display());
        command.current_dir(directory).env(MARK, directory).stdin(Stdio::null());
        command.stdout(File::create(directory.join("stdout")).map_err(said)?);
        command.stderr(File::create(directory.join("stderr")).map_err(said)?);
        let launcher = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
        Ok(Job { launcher, directory: directory.to_owned(), patience: PATIENCE })
    }

    /// The same job, which may take long.
    pub fn with_patience_of_a_night(self) -> Job {
        let mut job = self;
        job.patience = PATIENCE_OF_A_NIGHT;
        job
    }

    /// The number of the launcher, which has not been waited for.
    pub fn launcher_id(&self) -> Pid {
        Pid::from_child(&self.launcher)
    }

    /// Waits until the job has ended, or `is_enough` says that it will not. None is the latter.
    pub fn wait(&mut self, is_enough: impl Fn() -> bool) -> Result<Option<ExitStatus>, String> {
        let mut status = None;
        let ended = wait_within(self.patience, "it should end, or come to what is expected", || {
            // An error here is that of a launcher that is not there any more.
            status = self.launcher.try_wait().ok().flatten();
            status.is_some() || is_enough()
        });
        ended.map_err(|e| format!("{e}; it said:\n{}", self.said())).map(|()| status)
    }

    /// Kills the launcher in the way that leaves nobody time for anything, then whoever outlives it.
    pub fn kill(mut self) -> Result<(), String> {
        self.launcher.kill().map_err(|e| e.to_string())?;
        self.settle()
    }

    /// Waits for the launcher, and ends what it failed to end.
    pub fn settle(&mut self) -> Result<(), String> {
        self.launcher.wait().map_err(|e| e.to_string())?;
        wait_until("its processes should end", || {
            let left = self.processes();
            for pid in left.iter().filter_map(|process| process.file_name()) {
                _ = Command::new("kill").arg("-KILL").arg(pid).stderr(Stdio::null()).status();
            }
            left.is_empty()
        })
    }

    /// What the job printed, for a person who looks for the reason of a failure.
    pub fn said(&self) -> String {
        let read = |name: &str| std::fs::read(self.directory.join(name)).unwrap_or_default();
        [read("stdout"), read("stderr")].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    }

    /// The directories in /proc of the living processes that carry the mark of this job.
    fn processes(&self) -> Vec<PathBuf> {
        let mark = [MARK.as_bytes(), b"=", self.directory.as_os_str().as_encoded_bytes()].concat();
        let list = std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        list.filter(|process| {
            let environment = std::fs::read(process.join("environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|variable| variable == mark)
        })
        .collect()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // A job that has ended cannot be killed, which is as good.
        _ = self.launcher.kill();
        _ = self.settle();
    }
}

/// Looks again and again until `is_so`.
pub fn wait_until(what: &str, is_so: impl FnMut() -> bool) -> Result<(), String> {
    wait_within(PATIENCE, what, is_so)
}

fn wait_within(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) -> Result<(), String> {
    let start = Instant::now();
    while start.elapsed() < patience {
        if is_so() {
            return Ok(());
        }
        sleep(PACE);
    }
    Err(format!("{what}, and does not"))
}
