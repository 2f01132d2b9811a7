//! `mpitrace diff`: two real runs of a program in which nothing but one match is another one, which has to be named.
//!
//! The program is tests/programs/replayed/parts.c, which makes sure of who comes first.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::Trial;

use crate::job;
use crate::mpi::Mpi;
use crate::record::Run;
use crate::{program, workplace};

const PROGRAM: &str = "parts.c";

/// On one MPI.
pub fn trials(mpi: &Mpi) -> Vec<Trial> {
    let mpi = mpi.clone();
    vec![Trial::test(format!("{}::diff names what made two runs part", mpi.name), move || Ok(is_named(&mpi)?))]
}

/// Records a run in which this rank comes first, and gives the trace.
fn record(mpi: &Mpi, program: &[PathBuf], variables: &[&str], directory: PathBuf) -> Result<PathBuf, String> {
    let words = [&[env!("CARGO_BIN_EXE_mpitrace"), "record", "-o", "trace.msgpack", "--", "env"], variables].concat();
    let command: Vec<PathBuf> = words.iter().map(PathBuf::from).chain(program.iter().cloned()).collect();
    let run = Run { mpi, command: &command, options: &[], input: None, directory };
    run.plainly()?;
    job::wait_until("the segments should be joined", || run.trace().exists())?;
    Ok(run.trace())
}

/// The exit code, and what is said.
fn diff(one: &Path, other: &Path, format: &str) -> Result<(Option<i32>, String), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpitrace"));
    command.args(["diff", "--format", format]).args([one, other]).stdin(Stdio::null());
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    Ok((output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()))
}

fn line_of(mark: &str) -> Result<usize, String> {
    let source = program::directory().join("replayed").join(PROGRAM);
    let text = std::fs::read_to_string(&source).map_err(|e| format!("{}: {e}", source.display()))?;
    text.lines()
        .position(|line| line.ends_with(&format!("// {mark}")))
        .map(|at| at + 1)
        .ok_or_else(|| format!("no line is marked {mark}"))
}

fn is_named(mpi: &Mpi) -> Result<(), String> {
    let workplace = workplace(mpi, "diff");
    let program = program::build(&program::directory().join("replayed").join(PROGRAM), mpi, &workplace.join("build"))?;
    let run = |name: &str, variables: &[&str]| record(mpi, &program, variables, workplace.join(name));
    let (one, again, two) = (run("one", &["FIRST=1"])?, run("again", &["FIRST=1"])?, run("two", &["FIRST=2"])?);

    let (code, said) = diff(&one, &again, "text")?;
    if code != Some(0) || !said.contains(" are the same run: ") {
        return Err(format!("two runs in which rank 1 comes first should be the same:\n{said}"));
    }

    let (code, said) = diff(&one, &two, "json")?;
    let value: serde_json::Value = serde_json::from_str(&said).map_err(|e| format!("{e}\n{said}"))?;
    let parting = value["partings"].as_array().and_then(|list| list.iter().find(|parting| parting["rank"] == 0));
    let parting = parting.ok_or_else(|| format!("rank 0 should part:\n{said}"))?;
    let location = |call: &serde_json::Value| call["location"].as_str().unwrap_or_default().to_owned();
    let at = |line: usize| format!("{PROGRAM}:{line}");
    let is_at = |calls: &serde_json::Value, line: &str| {
        let list = calls.as_array().map_or(&[][..], Vec::as_slice);
        list.len() == 2 && list.iter().all(|call| Path::new(&location(call)).file_name().is_some_and(|name| name == line))
    };
    let cause = &parting["cause"];
    let is_right = code == Some(1)
        && is_at(&parting["calls"], &at(line_of("they part")?))
        && cause["kind"] == "message"
        && cause["rank"] == 0
        && is_at(&cause["calls"], &at(line_of("the choice")?))
        && cause["outcomes"][0][0]["source"] == 1
        && cause["outcomes"][1][0]["source"] == 2;
    if !is_right {
        return Err(format!("rank 0 should part because of whose message it took first, and it says:\n{said}"));
    }
    let follows = |rank: u64| {
        let mut list = value["partings"].as_array().into_iter().flatten();
        list.any(|parting| parting["rank"] == rank && parting["cause"]["kind"] == "parting" && parting["cause"]["rank"] == 0)
    };
    if !follows(1) || !follows(2) {
        return Err(format!("ranks 1 and 2 should part because rank 0 had:\n{said}"));
    }

    let (one, two) = (run("same one", &["SAME=1", "FIRST=1"])?, run("same two", &["SAME=1", "FIRST=2"])?);
    let (code, said) = diff(&one, &two, "text")?;
    if code != Some(1) || !said.contains(" make the same calls, ") || !said.contains("took the message of rank 2 with tag 7 in") {
        return Err(format!("only whose messages came first should be another:\n{said}"));
    }
    Ok(())
}
