//! Where a test records: a directory of its own, the command with a clean environment, and what ranks leave behind.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use traces::chunk::{Entry, write_call, write_outcome};
use traces::record::ProcessRecord;
use traces::segment::{RING_BYTES, Recording};

/// Longer than anything takes, on any machine.
const BOUND: Duration = Duration::from_secs(60);

pub struct Scene {
    home: TempDir,
}

impl Scene {
    pub fn new() -> Scene {
        let home = tempfile::tempdir().expect("a temporary directory");
        let ring = home.path().join("a.ring");
        let mut memory = vec![0; RING_BYTES];
        let process =
            ProcessRecord { pid: 4711, host: "node".to_owned(), rank: Some(0), world_size: 1, ..ProcessRecord::default() };
        assert!(Recording::begin_in(&mut memory[..], 0, &process).is_some());
        fs::write(ring, memory).expect("a new file");
        Scene { home }
    }

    /// A segment whose rank waits in a barrier.
    pub fn hang_in_a_barrier(&self, name: &str) {
        self.segment(name, |recording, barrier, _| _ = recording.begin(barrier, 10));
    }

    /// A segment whose rank has left a barrier.
    pub fn compute_after_a_barrier(&self, name: &str) {
        self.segment(name, |recording, barrier, outcome| {
            let open = recording.begin(barrier, 10);
            recording.finish(open, outcome, 20, &[]);
        });
    }

    fn segment(&self, name: &str, write: impl FnOnce(&mut Recording<Vec<u8>>, u32, u32)) {
        let process = ProcessRecord { pid: 4711, host: "node".to_owned(), rank: Some(0), world_size: 1, ..Default::default() };
        let mut recording = Recording::begin_in(vec![0; RING_BYTES], 0, &process).expect("the memory is a ring's");
        let encode = |out: &mut Vec<u8>| write_call(out, traces::mpi::BARRIER, None, &[]);
        let barrier = recording.intern(Entry::Call, &[1], encode).expect("there is room");
        let outcome = recording.intern(Entry::Outcome, &[2], |out| write_outcome(out, 0, &[])).expect("there is room");
        write(&mut recording, barrier, outcome);
        fs::write(self.path(name), recording.into_memory()).expect("a new file");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A new file, for what a command prints.
    pub fn file(&self, name: &str) -> fs::File {
        fs::File::create(self.path(name)).expect("a new file")
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// `mpitrace` in this directory, with nothing in its environment that a launcher has put there.
    pub fn mpitrace(&self) -> Command {
        self.program(env!("CARGO_BIN_EXE_mpitrace"))
    }

    /// Any program, likewise.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").expect("there is a PATH");
        command.env_clear().env("PATH", path).env("XDG_CACHE_HOME", self.path("cache")).env("RING", self.path("a.ring"));
        command.current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    /// `mpitrace record` of a shell script.
    pub fn record(&self, script: &str) -> Command {
        let mut command = self.mpitrace();
        command.args(["record", "sh", "-c", script]);
        command
    }

    /// The same as one of several ranks of a job.
    pub fn record_rank(&self, job: &str, rank: usize, ranks: usize, script: &str) -> Command {
        let mut command = self.record(script);
        command.env("PMIX_NAMESPACE", job).env("PMIX_RANK", rank.to_string());
        command.env("OMPI_COMM_WORLD_LOCAL_SIZE", ranks.to_string());
        command
    }

    /// Waits for something that must come to pass.
    pub fn await_that(&self, what: &str, condition: impl Fn(&Scene) -> bool) {
        let end = Instant::now() + BOUND;
        while !condition(self) {
            assert!(Instant::now() < end, "it never happened that {what}; there is {:?}", self.names());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until nothing is left of the recording but, perhaps, a trace.
    pub fn await_cleared_up(&self) {
        self.await_that("the segments are gone", |s| {
            !s.path("trace.msgpack.parts").exists() && !s.path("trace.msgpack.lock").exists()
        });
    }

    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path()).expect("it is our own");
        let mut names: Vec<String> = entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

/// A program that waits for the end of its standard input, and says first that it has come so far.
pub struct Waiting {
    pub child: Child,
    output: ChildStdout,
}

impl Waiting {
    /// Starts a command whose script ends with [`Waiting::SCRIPT`], and waits until it is there.
    pub fn start(command: &mut Command) -> Waiting {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("mpitrace exists");
        let mut output = child.stdout.take().expect("it is a pipe");
        let mut word = [0; 6];
        output.read_exact(&mut word).expect("the script says that it is ready");
        assert_eq!(&word, b"ready\n");
        Waiting { child, output }
    }

    pub const SCRIPT: &str = "echo ready; cat";

    /// Lets it end, and waits until nobody holds its standard output any more.
    pub fn end(mut self) {
        drop(self.child.stdin.take());
        self.output.read_to_end(&mut Vec::new()).expect("a pipe can be read");
        self.child.wait().expect("it is our child");
    }
}

/// A script at `path` that can be executed.
pub fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).expect("a new file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own file");
}
