//! Test suites of others, which try out MPI far and wide: each test in them ends with the recorder as it does without.
//!
//! They take long, so that they run at night: `scripts/test nightly`. What the check of their traces finds is known, each finding with the reason
//! why it is true (`known.toml` in the suite's directory in tests/programs), and every call that returned is explained.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::Trial;

use crate::job::Job;
use crate::mpi::{Mpi, environment};
use crate::{program, workplace};

/// The variable that has the suites run.
const NIGHTLY: &str = "MPITRACE_TEST_NIGHTLY";

/// What a report says of calls that returned for no reason in the trace.
const UNEXPLAINED: &str = "nothing in the trace tells why";

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
    /// The directory in tests/programs with what is known to be found.
    known: &'static str,
}

/// The tests, which are ignored unless it is night.
pub fn trials(mpi: &Mpi) -> Vec<Trial> {
    let is_night = std::env::var_os(NIGHTLY).is_some();
    let trial = |suite: Suite| {
        let mpi = mpi.clone();
        let name = format!("{}::{}, {} ranks", mpi.name, suite.name, suite.ranks);
        Trial::test(name, move || Ok(is_unharmed(&suite, &mpi)?)).with_kind("nightly").with_ignored_flag(!is_night)
    };
    mpi4py(mpi).into_iter().chain(scalapack(mpi)).map(trial).collect()
}

/// mpi4py's own tests, of the version that is installed, where scripts/setup has put them.
fn mpi4py(mpi: &Mpi) -> Vec<Suite> {
    let Some(python) = python(mpi) else { return Vec::new() };
    let output = mpi.command(&python).args(["-c", "import mpi4py; print(mpi4py.__version__)"]).output();
    let version = output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default();
    let directory = environment(&format!("tests/mpi4py-{version}/test"));
    let Some(main) = ["main.py", "runtests.py"].map(|name| directory.join(name)).into_iter().find(|path| path.exists()) else {
        return Vec::new();
    };
    let mut words = ["sh", "-c", RANK_OF_PYTHON, "sh"].map(PathBuf::from).to_vec();
    words.extend([python, "-B".into(), main, "-v".into()]);
    let suite = |ranks| Suite {
        name: format!("mpi4py {version}"),
        ranks,
        command: words
            .iter()
            .cloned()
            .chain(left_out(mpi, ranks).into_iter().flat_map(|module| ["-e", module]).map(PathBuf::from))
            .collect(),
        inputs: Vec::new(),
        outcomes: outcomes_of_python,
        known: "mpi4py",
    };
    [1, 2, 4].map(suite).into()
}

/// A rank of Python, which has a file of its own for what it says of each test. The library of Debian's MPICH has another name than the one
/// that mpi4py asks for: it has a link to it in the directory of the run.
const RANK_OF_PYTHON: &str = r#"
if [ -e libmpi.so.12 ]; then export LD_LIBRARY_PATH="$PWD" MPI4PY_LIBMPI="$PWD/libmpi.so.12"; fi
exec "$@" 2> outcomes.${PMI_RANK:-$OMPI_COMM_WORLD_RANK}"#;

/// A Python whose mpi4py uses this MPI, or can be made to.
fn python(mpi: &Mpi) -> Option<PathBuf> {
    if mpi.name == "mpich" { library_of_mpich().and(program::python_of_index()) } else { program::python(mpi) }
}

/// The library of Debian's MPICH.
fn library_of_mpich() -> Option<PathBuf> {
    let library = PathBuf::from(format!("/usr/lib/{}-linux-gnu/libmpich.so.12", std::env::consts::ARCH));
    library.exists().then_some(library)
}

/// Modules of tests that do not run. Those that spawn or connect fail, or do not come back, without the recorder, too, where there are
/// fewer cores than processes or no name server. What makes datatypes by the million, and talks to nobody, one rank does for all.
fn left_out(mpi: &Mpi, ranks: u32) -> Vec<&'static str> {
    let spawns = ranks > 1 || !["wheel", "standard"].contains(&mpi.name);
    [(spawns, "spawn"), (spawns, "dynproc"), (ranks > 1, "dtlib")]
        .into_iter()
        .filter(|(is_out, _)| *is_out)
        .map(|(_, module)| module)
        .collect()
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

/// The test programs of ScaLAPACK, which Debian builds for both its MPIs. Those of its parts are there once more beside the others, without
/// their inputs.
fn scalapack(mpi: &Mpi) -> Vec<Suite> {
    let machine = format!("/usr/lib/{}-linux-gnu/scalapack/{}-tests", std::env::consts::ARCH, mpi.name);
    let suites = ["BLACS", "PBLAS", ""].map(|part| programs_in(&Path::new(&machine).join(part)));
    let mut names = BTreeSet::new();
    suites.into_iter().flatten().filter(|suite| names.insert(suite.name.clone())).collect()
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
        known: "scalapack",
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
    let plain = run(suite, mpi, mpi.launch(suite.ranks), &workplace.join("plain"))?;
    let mut command = mpi.launch(suite.ranks);
    // Some tests switch the recording off and on, and of a run with holes nothing is concluded.
    command.arg(env!("CARGO_BIN_EXE_mpitrace")).args(["record", "--pcontrol", "ignore", "-o", "trace.msgpack", "--"]);
    let directory = workplace.join("recorded");
    let recorded = run(suite, mpi, command, &directory)?;
    if plain.len() < 2 {
        return Err(format!("no outcomes of tests were found, but {plain:?}"));
    }
    let differences: Vec<String> = difference("-", &plain, &recorded).chain(difference("+", &recorded, &plain)).collect();
    if !differences.is_empty() {
        return Err(format!("without (-) and with (+) the recorder differ:\n{}", differences.join("\n")));
    }
    println!("{}::{}, {} ranks: {} outcomes, equal", mpi.name, suite.name, suite.ranks, plain.len());
    says_nothing_new(suite, &directory)
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
    if is_known && !report.contains(UNEXPLAINED) { Ok(()) } else { Err(report) }
}

fn difference<'a>(mark: &'a str, these: &'a [String], others: &[String]) -> impl Iterator<Item = String> + 'a {
    let others: BTreeSet<String> = others.iter().cloned().collect();
    these.iter().filter(move |line| !others.contains(*line)).map(move |line| format!("{mark} {line}"))
}

/// The outcomes of a run, the last of which is its exit status.
fn run(suite: &Suite, mpi: &Mpi, mut command: Command, directory: &Path) -> Result<Vec<String>, String> {
    _ = std::fs::remove_dir_all(directory);
    let said = |e: std::io::Error| format!("{}: {e}", directory.display());
    std::fs::create_dir_all(directory).map_err(said)?;
    for input in &suite.inputs {
        std::fs::copy(input, directory.join(input.file_name().unwrap_or_default())).map_err(said)?;
    }
    if let Some(library) = library_of_mpich().filter(|_| mpi.name == "mpich") {
        std::os::unix::fs::symlink(library, directory.join("libmpi.so.12")).map_err(said)?;
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
    if text.contains(UNEXPLAINED) { Err(text) } else { Ok(()) }
}
