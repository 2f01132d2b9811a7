//! Runs that end badly, or in bad surroundings: each behaves as it does without the recorder, what was recorded up to the end is there, and
//! what is missing is said.
//!
//! How a program ends by itself is an expectation of the program. Here it is ended from outside, or finds no room, or is not alone.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use libtest_mimic::Trial;
use rustix::process::{Signal, kill_process, kill_process_group};

use crate::job::{Job, wait_until};
use crate::mpi::{Mpi, works};
use crate::record::check;
use crate::{program, same, workplace};

/// A test of one library in a directory of its own.
type Test = fn(&Scene) -> Result<(), String>;

const TESTS: [(&str, Test); 13] = [
    ("interrupted", interrupted),
    ("everything_is_killed", everything_is_killed),
    ("a_hang_is_told_of_and_checked", a_hang_is_told_of_and_checked),
    ("a_computation_is_no_hang", a_computation_is_no_hang),
    ("a_full_disk", a_full_disk),
    ("no_room_at_all", no_room_at_all),
    ("a_read_only_directory", a_read_only_directory),
    ("limits_from_outside", limits_from_outside),
    ("two_jobs_at_once", two_jobs_at_once),
    ("sixty_four_ranks", sixty_four_ranks),
    ("a_million_requests", a_million_requests),
    ("the_newest_calls_of_a_good_run", the_newest_calls_of_a_good_run),
    ("the_newest_calls_before_a_hang", the_newest_calls_before_a_hang),
];

/// The tests of one library.
pub fn trials(mpi: &Mpi) -> Vec<Trial> {
    let trial = |(name, test): (&'static str, Test)| {
        let mpi = mpi.clone();
        Trial::test(format!("{}::ending::{name}", mpi.name), move || {
            let home = workplace(&mpi, &format!("ending-{name}"));
            _ = fs::remove_dir_all(&home);
            Ok(test(&Scene { mpi, home })?)
        })
    };
    TESTS.map(trial).into()
}

/// Where a test runs programs.
struct Scene {
    mpi: Mpi,
    home: PathBuf,
}

impl Scene {
    fn built(&self, name: &str) -> Result<Vec<PathBuf>, String> {
        program::build(&program::directory().join(name), &self.mpi, &self.home.join("build").join(name))
    }

    fn directory(&self, name: &str) -> Result<PathBuf, String> {
        let directory = self.home.join(name);
        fs::create_dir_all(&directory).map_err(|e| e.to_string())?;
        Ok(directory)
    }

    /// The launcher of so many ranks of a program as it is.
    fn plain(&self, ranks: u32, program: &[PathBuf]) -> Command {
        let mut command = self.mpi.launch(ranks);
        command.args(program);
        command
    }

    /// The same with the recorder, and options for it.
    fn recorded(&self, ranks: u32, options: &[&str], program: &[PathBuf]) -> Command {
        let mut command = self.mpi.launch(ranks);
        command.arg(env!("CARGO_BIN_EXE_mpitrace")).args(["record", "-o", "trace.msgpack"]).args(options).arg("--").args(program);
        command
    }

    /// Runs a command to its end, in a directory of this name. Gives how it ended, and what it printed.
    fn run(&self, name: &str, command: Command) -> Result<(Option<ExitStatus>, String), String> {
        let directory = self.directory(name)?;
        let mut job = Job::start(command, &directory)?;
        let status = job.wait(|| false)?;
        job.settle()?;
        Ok((status, read(&directory.join("stdout"))))
    }

    /// Runs a command to its end where another one runs.
    fn run_beside(&self, directory: &Path, mut command: Command) -> Result<(Option<ExitStatus>, String), String> {
        command.current_dir(directory).stdin(Stdio::null());
        let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
        Ok((Some(output.status), String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// Runs a program without and with the recorder: it must end the same, and print the same. Gives the directory of the recording.
    fn compared(&self, ranks: u32, options: &[&str], program: &[PathBuf]) -> Result<PathBuf, String> {
        let plain = self.run("plain", self.plain(ranks, program))?;
        let recorded = self.run("recorded", self.recorded(ranks, options, program))?;
        same(&format!("{plain:?}"), &format!("{recorded:?}"))?;
        let directory = self.home.join("recorded");
        await_joined(&directory)?;
        Ok(directory)
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

fn require(condition: bool, what: &str, text: &str) -> Result<(), String> {
    if condition { Ok(()) } else { Err(format!("{what}:\n{text}")) }
}

/// Waits until the watcher has made the trace.
fn await_joined(directory: &Path) -> Result<(), String> {
    let (trace, parts) = (directory.join("trace.msgpack"), directory.join("trace.msgpack.parts"));
    wait_until("the segments should be joined", || trace.exists() && !parts.exists())
}

/// What `mpisim check` says, which must have this exit code.
fn checked(trace: &Path, code: i32) -> Result<String, String> {
    let output = check(trace, "text")?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    require(
        output.status.code() == Some(code),
        &format!("the check should end with {code}, not {:?}", output.status.code()),
        &text,
    )?;
    Ok(text)
}

/// Starts a program that says "ready" and hangs, in its own process group, and waits until it does.
fn hanging(scene: &Scene, name: &str, mut command: Command) -> Result<(Job, PathBuf), String> {
    let directory = scene.directory(name)?;
    command.process_group(0);
    let job = Job::start(command, &directory)?;
    wait_until("all ranks should be ready", || read(&directory.join("stdout")).matches("ready").count() == 4)?;
    Ok((job, directory))
}

/// Whether the segments of a running program tell of the deadlock.
fn is_deadlock(parts: &Path) -> bool {
    check(parts, "text").is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("deadlock/cycle"))
}

/// Ctrl-C in the terminal.
fn interrupted(scene: &Scene) -> Result<(), String> {
    let program = scene.built("deadlock_announced.c")?;
    let end = |job: &mut Job| {
        kill_process_group(job.launcher_id(), Signal::INT).map_err(|e| e.to_string())?;
        let status = job.wait(|| false)?;
        job.settle().map(|()| status)
    };
    let (mut plain, _) = hanging(scene, "plain", scene.plain(4, &program))?;
    let plainly = end(&mut plain)?;
    let (mut job, directory) = hanging(scene, "recorded", scene.recorded(4, &[], &program))?;
    wait_until("the deadlock should show", || is_deadlock(&directory.join("trace.msgpack.parts")))?;
    let status = end(&mut job)?;
    same(&format!("{plainly:?}"), &format!("{status:?}"))?;
    await_joined(&directory)?;
    let text = checked(&directory.join("trace.msgpack"), 1)?;
    require(text.contains("wait for each other"), "it should name the deadlock", &text)
}

/// Of the run, and of what watches over it, nothing lives on for a moment: as a machine that is switched off.
fn everything_is_killed(scene: &Scene) -> Result<(), String> {
    let (mut job, directory) = hanging(scene, "recorded", scene.recorded(4, &[], &scene.built("deadlock_announced.c")?))?;
    let parts = directory.join("trace.msgpack.parts");
    wait_until("the deadlock should show", || is_deadlock(&parts))?;
    let node = fs::read_dir(parts.join("nodes")).map_err(|e| e.to_string())?.flatten().next().ok_or("no machine is enrolled")?;
    let names = fs::read_dir(node.path()).map_err(|e| e.to_string())?.flatten().filter_map(|e| e.file_name().into_string().ok());
    let mut victims: Vec<String> =
        names.filter_map(|n| Some(n.trim_start_matches("watcher-").split('-').next()?.into())).collect();
    require(victims.len() == 5, "four ranks and a watcher should be enrolled", &victims.join(" "))?;
    victims.push(job.launcher_id().as_raw_nonzero().to_string());
    works(Path::new("kill"), &[vec!["-KILL"], victims.iter().map(String::as_str).collect()].concat());
    job.settle()?;
    require(!directory.join("trace.msgpack").exists(), "nobody should have joined the trace", "")?;
    let text = checked(&parts, 1)?;
    require(text.contains("wait for each other"), "it should name the deadlock", &text)
}

fn a_hang_is_told_of_and_checked(scene: &Scene) -> Result<(), String> {
    let program = scene.built("deadlock_announced.c")?;
    let (status, _) = scene.run("recorded", scene.recorded(4, &["--hang-after", "2", "--on-hang", "check"], &program))?;
    require(status.is_some_and(|s| !s.success()), "the run should have been ended", &format!("{status:?}"))?;
    let stderr = scene.home.join("recorded/stderr");
    wait_until("the check should be told", || read(&stderr).contains("deadlock/cycle"))?;
    let text = read(&stderr);
    let told = "no call has ended for 2 s: ranks 0-3 in MPI_Recv at deadlock_announced.c:15";
    require(text.contains(told) && text.contains("every rank waits: the run is stopped"), "the roll should be called", &text)
}

fn a_computation_is_no_hang(scene: &Scene) -> Result<(), String> {
    let directory = scene.compared(4, &["--hang-after", "1", "--on-hang", "stop"], &scene.built("computes.c")?)?;
    let text = read(&directory.join("stderr"));
    require(text.contains("rank 2 outside of MPI since MPI_Barrier"), "it should say who computes", &text)?;
    checked(&directory.join("trace.msgpack"), 0).map(drop)
}

/// Runs a recording in a file system of its own, which is made by a `mount` with these options; None if that is not possible here. What
/// `mpitrace info` says of the segments afterwards is in a file `info`.
fn in_file_system(scene: &Scene, options: &str, program: &[PathBuf]) -> Result<Option<PathBuf>, String> {
    if !works(Path::new("unshare"), &["-m", "true"]) {
        println!("{}: not tested, as no file system can be mounted here", scene.mpi.name);
        return Ok(None);
    }
    let (status, printed) = scene.run("plain", scene.plain(4, program))?;
    let script = "mkdir -p small && mount -t tmpfs -o \"$OPTIONS\" tmpfs small && cd small && \"$@\"; status=$?
        [ ! -e trace.msgpack.parts ] || \"$MPITRACE\" info trace.msgpack.parts > ../info 2>&1
        exit $status";
    let recorded = scene.recorded(4, &[], program);
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, "sh"]).arg(recorded.get_program()).args(recorded.get_args());
    command.envs(recorded.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("OPTIONS", options).env("MPITRACE", env!("CARGO_BIN_EXE_mpitrace"));
    let with = scene.run("recorded", command)?;
    same(&format!("{:?}", (status, printed)), &format!("{with:?}"))?;
    Ok(Some(scene.home.join("recorded")))
}

fn a_full_disk(scene: &Scene) -> Result<(), String> {
    let Some(directory) = in_file_system(scene, "size=5m", &scene.built("steady_memory.c")?)? else { return Ok(()) };
    let (said, info) = (read(&directory.join("stderr")), read(&directory.join("info")));
    let told = said.matches("recording stops in process").count();
    require(told == 1 && said.contains("No space left on device"), "one process should say it for all", &said)?;
    require(info.contains("are not complete: no space left for the trace"), "the trace should say what is missing", &info)?;
    require(!info.contains("without MPI_Finalize"), "nobody knows how they ended", &info)
}

fn no_room_at_all(scene: &Scene) -> Result<(), String> {
    let Some(directory) = in_file_system(scene, "size=200k", &scene.built("ring.c")?)? else { return Ok(()) };
    let said = read(&directory.join("stderr"));
    require(said.matches("recording stops in process").count() == 1, "one process should say it for all", &said)
}

fn a_read_only_directory(scene: &Scene) -> Result<(), String> {
    let Some(directory) = in_file_system(scene, "ro,size=1m", &scene.built("ring.c")?)? else { return Ok(()) };
    let said = read(&directory.join("stderr"));
    require(said.matches("the program runs, and is not recorded").count() == 1, "one process should say it for all", &said)
}

/// Limits that hold before the recorder begins. Of one on the size of files the libraries die by themselves.
fn limits_from_outside(scene: &Scene) -> Result<(), String> {
    let program = scene.built("self_messages.c")?;
    for (option, limit) in [("-n", "64"), ("-v", "3000000")] {
        let limited = |command: &Command| {
            let mut limiting = Command::new("sh");
            limiting
                .args(["-c", "ulimit $OPTION $LIMIT && exec \"$@\"", "sh"])
                .arg(command.get_program())
                .args(command.get_args());
            limiting.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            limiting.env("OPTION", option).env("LIMIT", limit);
            limiting
        };
        let name = |how: &str| format!("{how}{option}");
        let plain = scene.run(&name("plain"), limited(&scene.plain(2, &program)))?;
        let recorded = scene.run(&name("recorded"), limited(&scene.recorded(2, &["--hang-after", "0"], &program)))?;
        same(&format!("{option} {plain:?}"), &format!("{option} {recorded:?}"))?;
    }
    Ok(())
}

fn two_jobs_at_once(scene: &Scene) -> Result<(), String> {
    let (mut first, directory) = hanging(scene, "recorded", scene.recorded(4, &[], &scene.built("deadlock_announced.c")?))?;
    let (status, _) = scene.run_beside(&directory, scene.recorded(4, &[], &scene.built("ring.c")?))?;
    require(status.is_some_and(|s| s.success()), "the second job should succeed", &format!("{status:?}"))?;
    checked(&directory.join("trace.2.msgpack"), 0)?;
    kill_process(first.launcher_id(), Signal::INT).map_err(|e| e.to_string())?;
    first.wait(|| false)?;
    first.settle()?;
    await_joined(&directory)?;
    checked(&directory.join("trace.msgpack"), 1).map(drop)
}

fn sixty_four_ranks(scene: &Scene) -> Result<(), String> {
    let directory = scene.compared(64, &[], &scene.built("ring.c")?)?;
    let text = checked(&directory.join("trace.msgpack"), 0)?;
    require(text.contains("64 ranks"), "all should be in the trace", &text)
}

fn a_million_requests(scene: &Scene) -> Result<(), String> {
    let program = [scene.built("many_requests.c")?, vec!["250000".into()]].concat();
    let directory = scene.compared(4, &[], &program)?;
    checked(&directory.join("trace.msgpack"), 0).map(drop)
}

/// Where only the newest calls are kept, nothing false is said of them, and what is missing is said.
fn the_newest_calls_of_a_good_run(scene: &Scene) -> Result<(), String> {
    let program = [scene.built("long_run.c")?, vec!["600".into()]].concat();
    let directory = scene.compared(4, &["--last", "40KiB"], &program)?;
    let trace = directory.join("trace.msgpack");
    let size = fs::metadata(&trace).map_err(|e| e.to_string())?.len();
    require(size < 4 * (40 << 10) + 8 * 300_000, "four tails and four rings should be small", &size.to_string())?;
    let text = checked(&trace, 4)?;
    let is_said = text.contains("calls of ranks 0, 1, 2, 3 were dropped") && text.contains("nothing wrong so far");
    require(is_said, "it should say what is missing, and nothing else", &text)
}

/// That is what it is for.
fn the_newest_calls_before_a_hang(scene: &Scene) -> Result<(), String> {
    let program = [scene.built("long_run.c")?, vec!["600".into(), "hang".into()]].concat();
    let options = ["--last", "40KiB", "--hang-after", "4", "--on-hang", "stop"];
    scene.run("recorded", scene.recorded(4, &options, &program))?;
    let directory = scene.home.join("recorded");
    await_joined(&directory)?;
    let text = checked(&directory.join("trace.msgpack"), 1)?;
    let is_named = text.contains("ranks 0-3 wait for each other in MPI_Recv") && text.contains("were dropped");
    require(is_named, "the deadlock should be named", &text)
}
