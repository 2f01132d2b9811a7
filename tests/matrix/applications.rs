//! Applications that people really use, from the packages of the distribution: no finding, and the same results as without the recorder.
//!
//! Debian builds LAMMPS, HPCC and MUMPS for Open MPI.

use std::iter;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::expectation::Expectation;
use crate::mpi::{Mpi, works};
use crate::record::Run;
use crate::{compare, program, same, workplace};

/// An application, and how its results are told from its timings.
#[derive(Clone, Copy)]
struct Application {
    name: &'static str,
    /// Its command line.
    command: &'static [&'static str],
    /// Its input, in tests/programs or where its package has put it.
    input: &'static str,
    /// The file that it writes its results to.
    output: &'static str,
    /// What in there is a result.
    is_result: fn(&str) -> bool,
    /// What must be there to run it.
    needs: &'static str,
    /// Whether it is run with its buffers watched, too.
    is_watched: bool,
}

const APPLICATIONS: [Application; 3] = [
    Application {
        name: "lammps",
        command: &["lmp", "-log", "none", "-in", "in.melt"],
        input: "lammps/in.melt",
        output: "stdout",
        is_result: is_result_of_lammps,
        needs: "lmp",
        is_watched: true,
    },
    Application {
        name: "hpcc",
        command: &["hpcc"],
        input: "hpcc/hpccinf.txt",
        output: "hpccoutf.txt",
        is_result: is_result_of_hpcc,
        needs: "hpcc",
        is_watched: false,
    },
    Application {
        name: "mumps",
        command: &["sh", "-c", "exec /usr/lib/mumps/dsimpletest < input_simpletest_real"],
        input: "/usr/lib/mumps/input_simpletest_real",
        output: "stdout",
        is_result: is_result_of_mumps,
        needs: "/usr/lib/mumps/dsimpletest",
        is_watched: false,
    },
];

/// One test an application.
pub fn trials(mpi: &Mpi) -> Vec<Trial> {
    if mpi.name != "openmpi" {
        return Vec::new();
    }
    let trial = |application: Application| {
        let mpi = mpi.clone();
        let is_here = is_on_path(application.needs);
        Trial::test(format!("{}::{}", mpi.name, application.name), move || Ok(is_unharmed(&application, &mpi)?))
            .with_ignored_flag(!is_here)
    };
    APPLICATIONS.map(trial).into()
}

fn is_on_path(command: &str) -> bool {
    works(Path::new("sh"), &["-c", "command -v \"$0\"", command])
}

fn is_unharmed(application: &Application, mpi: &Mpi) -> Result<(), String> {
    let command: Vec<PathBuf> = application.command.iter().map(PathBuf::from).collect();
    let input = program::directory().join(application.input);
    let place = workplace(mpi, application.name);
    let watched = ["--landing", "--guard"].into_iter().filter(|_| application.is_watched).map(|option| vec![option.to_owned()]);
    let all_options: Vec<Vec<String>> = iter::once(Vec::new()).chain(watched).collect();
    let run = |name: &str, options| Run { mpi, command: &command, options, input: Some(&input), directory: place.join(name) };
    let plain = run("plain", &[]);
    plain.plainly()?;
    let without = results(application, &plain)?;
    if without.is_empty() {
        return Err("no results were found in what it wrote".into());
    }
    for options in &all_options {
        let recorded = run(&format!("recorded{}", options.concat()), options);
        let status = recorded.recorded(|_| false)?;
        if !status.is_some_and(|s| s.success()) {
            return Err(format!("with the recorder, {options:?}, it ended so: {status:?}"));
        }
        same(&without, &results(application, &recorded)?)?;
        compare(&recorded.trace(), Path::new(application.name), &Expectation::default())?;
    }
    Ok(())
}

fn results(application: &Application, run: &Run) -> Result<String, String> {
    let path = run.directory.join(application.output);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(text.lines().filter(|line| (application.is_result)(line)).collect::<Vec<_>>().join("\n"))
}

/// The table of temperatures and energies, and what was counted.
fn is_result_of_lammps(line: &str) -> bool {
    let is_number = |word: &str| word.parse::<f64>().is_ok();
    line.split_whitespace().count() == 6 && line.split_whitespace().all(is_number) || line.starts_with("Total # of neighbors")
}

/// The sizes, and every verification.
fn is_result_of_hpcc(line: &str) -> bool {
    ["errors in", "with error", "PASSED", "FAILED", "Validates", "Success=", "_N="].iter().any(|mark| line.contains(mark))
}

/// What it did, and found. The last digits depend on who came first.
fn is_result_of_mumps(line: &str) -> bool {
    ["Entering", "executing", "INFOG", "Number of", "Matrix", "Leaving"].iter().any(|mark| line.contains(mark))
}
