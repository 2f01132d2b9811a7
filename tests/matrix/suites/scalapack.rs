//! The test programs of ScaLAPACK, of its communication (BLACS) and its building blocks (PBLAS).

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::Suite;
use crate::mpi::Mpi;

/// The test programs of ScaLAPACK, which Debian builds for both its MPIs. Those of its parts are there once more beside the others, without
/// their inputs.
pub fn suites(mpi: &Mpi) -> Vec<Suite> {
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
    let named = |input: PathBuf| (input.file_name().unwrap_or_default().to_owned(), input);
    let inputs: Vec<(OsString, PathBuf)> = inputs.into_iter().map(named).collect();
    let suite = |program: PathBuf| Suite {
        name: format!("ScaLAPACK's {}", program.file_name().unwrap_or_default().display()),
        ranks: 4,
        command: vec![program],
        inputs: inputs.clone(),
        outcomes,
        known: "scalapack",
        unexplained: 0,
    };
    programs.map(suite).collect()
}

/// What a program of ScaLAPACK prints, but for times and rates.
fn outcomes(directory: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&std::fs::read(directory.join("stdout")).unwrap_or_default()).into_owned();
    let is_verdict = |line: &&str| ["PASS", "FAIL", "tests", "rror"].iter().any(|word| line.contains(word));
    let untimed = |line: &str| line.split_whitespace().filter(|word| !word.contains('.')).collect::<Vec<_>>().join(" ");
    text.lines().filter(is_verdict).map(untimed).collect()
}
