//! Test suites of others, which try out MPI far and wide: each test in them ends with the recorder as it does without.
//!
//! They take long, so that they run at night: `scripts/test nightly`. Their traces are checked for the machine's sake: every call that
//! returned must be explained.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::job::Job;
use crate::mpi::{Mpi, environment};
use crate::{program, workplace};

/// The variable that has the suites run.
const NIGHTLY: &str = "MPITRACE_TEST_NIGHTLY";

/// Programs of a suite on so many ranks.
struct Suite {
    name: String,
    ranks: u32,
    /// The command line of one rank.
    command: Vec<PathBuf>,
    /// Files that it wants to find in its directory.
    inputs: Vec<PathBuf>,
    /// How what a directory holds after a run is told in lines, one a test.
    outcomes: fn(&Path) -> Vec<String>,
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
    mpi4py(mpi).into_iter().chain(scalapack(mpi)).map(trial).collect()
}

/// mpi4py's own tests, of the version that is installed, where scripts/setup has put them.
fn mpi4py(mpi: &Mpi) -> Vec<Suite> {
    let Some(python) = program::python(mpi) else { return Vec::new() };
    let output = mpi.command(&python).args(["-c", "import mpi4py; print(mpi4py.__version__)"]).output();
    let version = output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default();
    let directory = environment(&format!("tests/mpi4py-{version}/test"));
    let Some(main) = ["main.py", "runtests.py"].map(|name| directory.join(name)).into_iter().find(|path| path.exists()) else {
        return Vec::new();
    };
    let own_file = r#"exec "$@" 2> outcomes.${PMI_RANK:-$OMPI_COMM_WORLD_RANK}"#;
    let mut words = ["sh", "-c", own_file, "sh"].map(PathBuf::from).to_vec();
    words.extend([python, "-B".into(), main, "-v".into()]);
    if mpi.is_open_mpi() {
        // Without the recorder, too, spawning more processes than there are cores does not come back.
        words.extend(["-e", "spawn", "-e", "dynproc"].map(PathBuf::from));
    }
    let suite = |ranks| Suite {
        name: format!("mpi4py {version}"),
        ranks,
        command: words.clone(),
        inputs: Vec::new(),
        outcomes: outcomes_of_python,
    };
    [1, 2, 4].map(suite).into()
}

/// The verdict on each test, rank by rank: `rank 0: testAll (test_op.TestOp) ... ok`.
fn outcomes_of_python(directory: &Path) -> Vec<String> {
    let ranks = (0..).map(|rank| (rank, directory.join(format!("outcomes.{rank}")))).take_while(|(_, path)| path.exists());
    let verdicts = ranks.flat_map(|(rank, path)| {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        let lines: BTreeSet<String> = text.lines().filter(|line| line.contains(" ... ")).map(str::to_owned).collect();
        lines.into_iter().map(move |line| format!("rank {rank}: {line}"))
    });
    verdicts.collect()
}

/// The test programs of ScaLAPACK, which Debian builds for both its MPIs.
fn scalapack(mpi: &Mpi) -> Vec<Suite> {
    let machine = format!("/usr/lib/{}-linux-gnu/scalapack/{}-tests", std::env::consts::ARCH, mpi.name);
    let suites = ["", "BLACS", "PBLAS"].map(|part| programs_in(&Path::new(&machine).join(part)));
    suites.into_iter().flatten().collect()
}

fn programs_in(directory: &Path) -> Vec<Suite> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    let (inputs, others): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|path| path.extension() == Some(OsStr::new("dat")));
    let programs = others.into_iter().filter(|path| path.extension().is_none());
    let suite = |program: PathBuf| Suite {
        name: format!("ScaLAPACK's {}", program.file_name().unwrap_or_default().display()),
        ranks: 4,
        command: vec![program],
        inputs: inputs.clone(),
        outcomes: outcomes_of_scalapack,
    };
    programs.map(suite).collect()
}

/// What a program of ScaLAPACK prints, but for times and rates.
fn outcomes_of_scalapack(directory: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&std::fs::read(directory.join("stdout")).unwrap_or_default()).into_owned();
    let is_verdict = |line: &&str| ["PASS", "FAIL", "tests", "rror"].iter().any(|word| line.contains(word));
    let untimed = |line: &str| line.split_whitespace().filter(|word| !word.contains('.')).collect::<Vec<_>>().join(" ");
    text.lines().filter(is_verdict).map(untimed).collect()
}

fn is_unharmed(suite: &Suite, mpi: &Mpi) -> Result<(), String> {
    let workplace = workplace(mpi, &format!("{}, {} ranks", suite.name, suite.ranks));
    let plain = run(suite, mpi.launch(suite.ranks), &workplace.join("plain"))?;
    let mut command = mpi.launch(suite.ranks);
    command.arg(env!("CARGO_BIN_EXE_mpitrace")).args(["record", "-o", "trace.msgpack", "--"]);
    let directory = workplace.join("recorded");
    let recorded = run(suite, command, &directory)?;
    if plain.len() < 2 {
        return Err(format!("no outcomes of tests were found, but {plain:?}"));
    }
    let differences: Vec<String> = difference("-", &plain, &recorded).chain(difference("+", &recorded, &plain)).collect();
    if !differences.is_empty() {
        return Err(format!("without (-) and with (+) the recorder differ:\n{}", differences.join("\n")));
    }
    println!("{}::{}, {} ranks: {} outcomes, equal", mpi.name, suite.name, suite.ranks, plain.len());
    is_explained(&directory.join("trace.msgpack"))
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
    for input in &suite.inputs {
        std::fs::copy(input, directory.join(input.file_name().unwrap_or_default())).map_err(said)?;
    }
    command.args(&suite.command);
    let mut job = Job::start(command, directory)?.with_patience_of_a_night();
    let status = job.wait(|| false)?;
    job.settle()?;
    let mut outcomes = (suite.outcomes)(directory);
    outcomes.push(format!("{:?}", status.map(|status| status.code())));
    Ok(outcomes)
}

/// Whether the machine can say of every call in a trace why it returned.
pub fn is_explained(trace: &Path) -> Result<(), String> {
    if !trace.exists() {
        return Err("there is no trace".into());
    }
    let output = crate::record::check(trace, "text")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("nothing in the trace tells why") { Err(text) } else { Ok(()) }
}
