//! Test suites of others, which try out MPI far and wide: each test in them ends with the recorder as it does without.
//!
//! They take long, so that they run at night: `scripts/test nightly`. What the check of their traces finds is known, each finding with the reason
//! why it is true (`known.toml` in the suite's directory in tests/programs), and every call that returned is explained.

mod mpi4py;
mod scalapack;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::Trial;

use crate::job::Job;
use crate::mpi::Mpi;
use crate::{program, workplace};

/// The variable that has the suites run.
const NIGHTLY: &str = "MPITRACE_TEST_NIGHTLY";

/// What a report says of calls that returned for no reason in the trace.
const UNEXPLAINED: &str = "nothing in the trace tells why";

/// So often a suite runs without the recorder, at most, until it says the same as with it.
const PLAIN_RUNS_MAX: usize = 3;

/// Programs of a suite on so many ranks.
struct Suite {
    name: String,
    ranks: u32,
    /// The command line of one rank.
    command: Vec<PathBuf>,
    /// Files that it wants to find in its directory, by name.
    inputs: Vec<(OsString, PathBuf)>,
    /// How what a directory holds after a run is told in lines, one a test.
    outcomes: fn(&Path) -> Vec<String>,
    /// The directory in tests/programs with what is known to be found.
    known: &'static str,
    /// So many calls in it return for a reason that the machine does not know.
    unexplained: u32,
}

/// Whether what takes hours is wanted as well.
pub fn is_night() -> bool {
    std::env::var_os(NIGHTLY).is_some()
}

/// The tests, which are ignored unless it is night.
pub fn trials(mpi: &Mpi) -> Vec<Trial> {
    let is_night = is_night();
    let trial = |suite: Suite| {
        let mpi = mpi.clone();
        let name = format!("{}::{}, {} ranks", mpi.name, suite.name, suite.ranks);
        Trial::test(name, move || Ok(is_unharmed(&suite, &mpi)?)).with_kind("nightly").with_ignored_flag(!is_night)
    };
    mpi4py::suites(mpi).into_iter().chain(scalapack::suites(mpi)).map(trial).collect()
}

/// Whether a suite says the same with the recorder as without it, in one of a few runs: some tests depend on who comes first.
fn is_unharmed(suite: &Suite, mpi: &Mpi) -> Result<(), String> {
    let workplace = workplace(mpi, &format!("{}, {} ranks", suite.name, suite.ranks));
    let mut command = mpi.launch(suite.ranks);
    // Some tests switch the recording off and on, and of a run with holes nothing is concluded.
    command.arg(env!("CARGO_BIN_EXE_mpitrace")).args(["record", "--pcontrol", "ignore", "-o", "trace.msgpack", "--"]);
    let directory = workplace.join("recorded");
    let recorded = run(suite, command, &directory)?;
    let mut differences = Vec::new();
    for _ in 0..PLAIN_RUNS_MAX {
        let plain = run(suite, mpi.launch(suite.ranks), &workplace.join("plain"))?;
        if plain.len() < 2 {
            return Err(format!("no outcomes of tests were found, but {plain:?}"));
        }
        differences = difference("-", &plain, &recorded).chain(difference("+", &recorded, &plain)).collect();
        if differences.is_empty() {
            println!("{}::{}, {} ranks: {} outcomes, equal", mpi.name, suite.name, suite.ranks, plain.len());
            return says_nothing_new(suite, &directory);
        }
    }
    Err(format!("without (-) and with (+) the recorder differ:\n{}", differences.join("\n")))
}

/// Whether the check of a trace finds only what is known, and true, of the suite, and can explain every call. The report is kept beside the trace.
fn says_nothing_new(suite: &Suite, directory: &Path) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpisim"));
    let known = program::directory().join(suite.known).join("known.toml");
    command.args(["check", "--fail-on", "warning", "--suppressions"]).arg(known);
    let output =
        command.arg(directory.join("trace.msgpack")).stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    let report = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    std::fs::write(directory.join("report"), &report).map_err(|e| e.to_string())?;
    // Of schedules it may well have to say that they are too many to decide.
    let is_known = [Some(0), Some(4)].contains(&output.status.code());
    if is_known && unexplained(&report) == suite.unexplained { Ok(()) } else { Err(report) }
}

fn difference<'a>(mark: &'a str, these: &'a [String], others: &[String]) -> impl Iterator<Item = String> + 'a {
    let others: BTreeSet<String> = others.iter().cloned().collect();
    these.iter().filter(move |line| !others.contains(*line)).map(move |line| format!("{mark} {line}"))
}

/// The outcomes of a run, the last of which is its exit status.
fn run(suite: &Suite, mut command: Command, directory: &Path) -> Result<Vec<String>, String> {
    _ = std::fs::remove_dir_all(directory);
    let said = |e: std::io::Error| format!("{}: {e}", directory.display());
    std::fs::create_dir_all(directory).map_err(said)?;
    for (name, file) in &suite.inputs {
        std::os::unix::fs::symlink(file, directory.join(name)).map_err(said)?;
    }
    command.args(&suite.command);
    let mut job = Job::start(command, directory)?.with_patience_of_a_night();
    let status = job.wait(|| false)?;
    job.settle()?;
    let mut outcomes = (suite.outcomes)(directory);
    outcomes.push(format!("{:?}", status.map(|status| status.code())));
    Ok(outcomes)
}

/// The number of calls of which a report says that they returned for no reason in the trace: `note: 4 calls returned in the recorded run though…`
fn unexplained(report: &str) -> u32 {
    let note = report.lines().find(|line| line.contains(UNEXPLAINED));
    note.map_or(0, |note| note.split_whitespace().find_map(|word| word.replace(',', "").parse().ok()).unwrap_or(u32::MAX))
}

/// Whether the machine can say of every call in a trace why it returned.
pub fn is_explained(trace: &Path) -> Result<(), String> {
    if !trace.exists() {
        return Err("there is no trace".into());
    }
    let output = crate::record::check(trace, "text")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if unexplained(&text) > 0 { Err(text) } else { Ok(()) }
}
