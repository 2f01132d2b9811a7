//! `mpitrace replay`: programs that print what MPI chose print it again, whichever rank is late, on the library that was recorded and on others.
//!
//! The programs are tests/programs/replayed. A rank that is late changes what MPI would choose by itself; nothing is decided by how late.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::job;
use crate::mpi::Mpi;
use crate::record::{Run, check};
use crate::{program, workplace};

const PROGRAMS: [&str; 3] = ["choices.c", "choices.f90", "choices.py"];
/// Who is late in the replays. In the recording it is rank 1.
const LATE: [u32; 5] = [2, 3, 1, 2, 3];

/// On one MPI: each program, and what leaves its course.
pub fn trials(mpi: &Mpi) -> Vec<Trial> {
    let is_possible = |name: &str| program::is_possible(Path::new(name), mpi);
    let programs = PROGRAMS.iter().map(|&name| {
        let mpi = mpi.clone();
        let ignored = !is_possible(name);
        Trial::test(format!("{}::replay {name}", mpi.name), move || Ok(comes_again(name, &mpi, &mpi, &LATE)?))
            .with_ignored_flag(ignored)
    });
    let own = mpi.clone();
    let leaving = Trial::test(format!("{}::replay of what leaves its course", mpi.name), move || Ok(is_told(&own)?));
    let lucky = LUCKY.iter().map(|&(name, rule)| {
        let mpi = mpi.clone();
        Trial::test(format!("{}::replay --schedule {name}", mpi.name), move || Ok(is_driven_into_its_deadlock(name, rule, &mpi)?))
    });
    programs.chain([leaving]).chain(lucky).collect()
}

/// Each library against the first.
pub fn trials_across(mpis: &[Mpi]) -> Vec<Trial> {
    let Some((first, others)) = mpis.split_first() else { return Vec::new() };
    let trial = |name: &'static str, other: &Mpi| {
        let (first, other) = (first.clone(), other.clone());
        let ignored = [&first, &other].iter().any(|mpi| !program::is_possible(Path::new(name), mpi));
        Trial::test(format!("{}::replay {name} of {}", other.name, first.name), move || {
            Ok(comes_again(name, &first, &other, &LATE[..2])?)
        })
        .with_ignored_flag(ignored)
    };
    others.iter().flat_map(|other| PROGRAMS.iter().map(|&name| trial(name, other)).collect::<Vec<_>>()).collect()
}

/// The command line of `mpitrace` with these words, of a program with this variable.
fn command(words: &[&str], variable: &str, program: &[PathBuf]) -> Vec<PathBuf> {
    let words = [&[env!("CARGO_BIN_EXE_mpitrace")], words, &["--", "env", variable]].concat();
    words.iter().map(PathBuf::from).chain(program.iter().cloned()).collect()
}

fn source(name: &str) -> PathBuf {
    program::directory().join("replayed").join(name)
}

/// Records the program, and gives its directory and what it printed.
fn record(mpi: &Mpi, program: &[PathBuf], directory: PathBuf) -> Result<(PathBuf, String), String> {
    let command = command(&["record", "-o", "trace.msgpack"], "LATE=1", program);
    let run = Run { mpi, command: &command, options: &[], input: None, directory };
    let printed = run.plainly()?;
    job::wait_until("the segments should be joined", || run.trace().exists())?;
    Ok((run.trace(), printed))
}

fn comes_again(name: &str, recorded_on: &Mpi, mpi: &Mpi, late: &[u32]) -> Result<(), String> {
    let workplace = workplace(mpi, &format!("replay {name} of {}", recorded_on.name));
    let build = |mpi: &Mpi, directory: &str| program::build(&source(name), mpi, &workplace.join(directory));
    let (trace, printed) = record(recorded_on, &build(recorded_on, "recorded-build")?, workplace.join("recorded"))?;
    let trace = trace.to_string_lossy();
    let program = build(mpi, "build")?;
    for late in late {
        let command = command(&["replay", &trace], &format!("LATE={late}"), &program);
        let run = Run { mpi, command: &command, options: &[], input: None, directory: workplace.join("replayed") };
        let again = run.plainly()?;
        let said = std::fs::read_to_string(run.directory.join("stderr")).unwrap_or_default();
        if again != printed {
            return Err(format!("with rank {late} late it should print:\n{printed}\nand prints:\n{again}\nand says:\n{said}"));
        }
        if !said.lines().any(|line| line.contains("; fingerprint ") && line.ends_with(", as recorded")) {
            return Err(format!("with rank {late} late the fingerprint should be as recorded:\n{said}"));
        }
    }
    Ok(())
}

/// A rank that sends with another tag is named, with its line and what was expected, and the run ends.
fn is_told(mpi: &Mpi) -> Result<(), String> {
    let workplace = workplace(mpi, "replay of what leaves its course");
    let program = program::build(&source("diverges.c"), mpi, &workplace.join("build"))?;
    let (trace, _) = record(mpi, &program, workplace.join("recorded"))?;
    let trace = trace.to_string_lossy();
    let text = std::fs::read_to_string(source("diverges.c")).map_err(|e| e.to_string())?;
    let line = 1 + text.lines().position(|line| line.contains("// as recorded")).ok_or("no line is marked")?;
    let call = |tag: u32| format!("MPI_Send(count=1, datatype=MPI_INT, dest=0, tag={tag}, comm=MPI_COMM_WORLD)");
    let expected =
        format!("rank 3 leaves the recorded course: {} at diverges.c:{line} was expected, and it calls {}", call(7), call(8));
    let command = command(&["replay", &trace], "OTHER=1", &program);
    let run = Run { mpi, command: &command, options: &[], input: None, directory: workplace.join("replayed") };
    if let Err(others) = run.plainly_until(|status| !status.success())? {
        return Err(format!("a run that leaves its course should end, and ended so: {others:?}"));
    }
    let said = std::fs::read_to_string(run.directory.join("stderr")).unwrap_or_default();
    if said.contains(&expected) { Ok(()) } else { Err(format!("it should say\n{expected}\nand says\n{said}")) }
}

/// Programs that are lucky, and the rule that a schedule of the check breaks: one needs another match, one that nothing is buffered as well.
const LUCKY: [(&str, &str); 2] = [("schedule_last_named.c", "match/source"), ("schedule_zero.c", "deadlock/cycle")];

fn is_driven_into_its_deadlock(name: &str, rule: &str, mpi: &Mpi) -> Result<(), String> {
    let workplace = workplace(mpi, &format!("replay --schedule of {name}"));
    let program = program::build(&program::directory().join(name), mpi, &workplace.join("build"))?;
    let (trace, _) = record(mpi, &program, workplace.join("recorded"))?;
    let lucky = String::from_utf8_lossy(&check(&trace, "text")?.stdout).into_owned();
    let token = lucky.split("--schedule '").nth(1).and_then(|rest| rest.split('\'').next());
    let token = token.ok_or_else(|| format!("the check should give a token, and says\n{lucky}"))?;
    let trace = trace.to_string_lossy();
    let words = ["replay", "--schedule", token, "--on-hang", "stop", "--hang-after", "3", &trace];
    let command = command(&words, "LATE=1", &program);
    let run = Run { mpi, command: &command, options: &[], input: None, directory: workplace.join("replayed") };
    let replayed = run.directory.join("replay.msgpack");
    // How a launcher ends whose ranks were stopped is its own affair. What hung shows in the trace.
    run.plainly_to(&replayed)?;
    job::wait_until("the segments should be joined", || replayed.exists())?;
    let found = String::from_utf8_lossy(&check(&replayed, "text")?.stdout).into_owned();
    let expected = format!("error[{rule}]");
    if found.contains(&expected) { Ok(()) } else { Err(format!("its trace should show {expected}, and shows\n{found}")) }
}
