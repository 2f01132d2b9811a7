//! Real programs on real MPI libraries: recorded on four ranks, checked, and compared with what each says of itself.
//!
//! One test a program and library, named `openmpi::match_tag.c`. The programs lie in tests/programs; `expectation` reads what
//! they expect.

#![forbid(unsafe_code)]

mod agreement;
mod applications;
mod diff;
mod endings;
mod expectation;
mod format;
mod generated;
mod hosts;
mod job;
mod languages;
mod mpi;
mod normal;
mod payload;
mod program;
mod record;
mod replay;
mod report;
mod stacks;
mod suites;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::expectation::{Ends, Expectation};
use crate::mpi::Mpi;
use crate::record::{Run, check};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A job has four ranks that wait by spinning: more than two at a time are slower than one after the other.
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(2).min(2));
    let mpis = Mpi::all();
    let mut trials = Vec::new();
    for mpi in &mpis {
        for program in program::all() {
            let is_possible = program::is_possible(&program, mpi);
            let (mpi, name) = (mpi.clone(), format!("{}::{}", mpi.name, program::name(&program)));
            trials.push(Trial::test(name, move || Ok(meets_its_expectation(&program, &mpi)?)).with_ignored_flag(!is_possible));
        }
        trials.extend(languages::trials(mpi));
        trials.extend(applications::trials(mpi));
        trials.extend(endings::trials(mpi));
        trials.extend(suites::trials(mpi));
        trials.extend(format::trial(mpi));
        trials.push(payload::trial(mpi));
        trials.extend(hosts::trials(mpi));
        trials.extend(replay::trials(mpi));
        trials.extend(diff::trials(mpi));
    }
    trials.extend(agreement::trials(&mpis));
    trials.extend(replay::trials_across(&mpis));
    trials.extend(generated::trials(&mpis));
    trials.push(generated::table());
    if !arguments.list {
        say_what_is_skipped(&mpis);
    }
    if trials.is_empty() {
        trials.push(Trial::test("an MPI library is installed", || Err("none was found; scripts/setup installs one".into())));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Says which libraries are not here, and what the others lack: what is ignored is ignored for want of it.
fn say_what_is_skipped(mpis: &[Mpi]) {
    for name in Mpi::NAMES.iter().filter(|name| !mpis.iter().any(|mpi| mpi.name == **name)) {
        eprintln!("skipped: every test on {name}, which is not here (scripts/setup test)");
    }
    for mpi in mpis {
        for (language, program) in [("C++", "a.cpp"), ("Fortran", "a.f90"), ("Python with mpi4py", "a.py"), ("Rust", "a.rs")] {
            if !program::is_possible(Path::new(program), mpi) {
                eprintln!("skipped: programs in {language} on {}, which has none", mpi.name);
            }
        }
    }
}

/// A directory of a test's own, where it finds what it left the last time.
fn workplace(mpi: &Mpi, name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix").join(mpi.name).join(name)
}

fn meets_its_expectation(program: &Path, mpi: &Mpi) -> Result<(), String> {
    let expectation = expectation::of_program(program)?;
    let workplace = workplace(mpi, &program::name(program));
    let command = program::build(program, mpi, &workplace.join("build"))?;
    let run =
        |name: &str| Run { mpi, command: &command, options: &expectation.options, input: None, directory: workplace.join(name) };

    let recorded = run("recorded");
    let may_hang = matches!(expectation.ends, Ends::Hang | Ends::Anyhow);
    let is_hung = |parts: &Path| may_hang && is_as_expected(parts, program, &expectation);
    let status = recorded.recorded(is_hung).map_err(|e| match compare(&recorded.trace(), program, &expectation) {
        Ok(()) => e,
        Err(differences) => format!("{e}\n{differences}"),
    })?;
    let has_ended_well = match expectation.ends {
        Ends::Ok => status.is_some_and(|s| s.success()),
        Ends::Failure => status.is_some_and(|s| !s.success()),
        Ends::Hang => status.is_none(),
        Ends::ByItself | Ends::Anyhow => true,
    };
    if !has_ended_well {
        return Err(format!("it should end so: {:?}; and it ended so: {status:?}", expectation.ends));
    }
    match expectation.ends {
        Ends::Ok => same(&run("plain").plainly()?, &recorded.printed())?,
        Ends::Failure => {
            if let Err(plain) = run("plain").plainly_until(|plain| status == Some(*plain))? {
                return Err(format!("without the recorder it ends so: {plain:?}; and with it: {status:?}"));
            }
        }
        Ends::Hang | Ends::ByItself | Ends::Anyhow => {}
    }
    compare(&recorded.trace(), program, &expectation)?;
    if expectation.explained {
        suites::is_explained(&recorded.trace())?;
    }
    let differences = stacks::differences(&recorded.trace(), &expectation)?;
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

/// Whether the trace of a running program has all that is to be found already, so that nothing is left to wait for.
fn is_as_expected(trace: &Path, program: &Path, expectation: &Expectation) -> bool {
    let report = check(trace, "json").and_then(|output| report::findings(&output.stdout, program));
    report.is_ok_and(|found| report::differences(expectation, &found).is_empty())
}

/// Whether a program printed the same without and with the recorder.
fn same(without: &str, with: &str) -> Result<(), String> {
    if without == with { Ok(()) } else { Err(format!("without the recorder it prints:\n{without}\nand with it:\n{with}")) }
}

/// Checks a trace against an expectation: the exit status of the check, and every finding.
fn compare(trace: &Path, program: &Path, expectation: &Expectation) -> Result<(), String> {
    let output = check(trace, "json")?;
    let said = || check(trace, "text").map(|o| String::from_utf8_lossy(&[o.stdout, o.stderr].concat()).into_owned());
    let has_errors = expectation.findings.iter().any(|finding| finding.severity == "error");
    // Where a run broke off, nothing is known of what would have come.
    let broke_off = expectation.findings.iter().any(|finding| finding.rule.starts_with("run/"));
    let mut expected_code = match expectation.trace {
        false => 3,
        true if has_errors => 1,
        true if broke_off || expectation.undecided => 4,
        true => 0,
    };
    let code = output.status.code();
    if expectation.trace {
        let found =
            report::findings(&output.stdout, program).map_err(|e| format!("{e}\n{}", String::from_utf8_lossy(&output.stderr)))?;
        if expected_code == 0 && expectation.may_break_off() && found.iter().any(report::Found::is_broken_off) {
            expected_code = 4;
        }
        let differences = report::differences(expectation, &found);
        if !differences.is_empty() {
            return Err(format!("{differences}\nmpisim check says:\n{}", said()?));
        }
    }
    if code == Some(expected_code) {
        Ok(())
    } else {
        Err(format!("mpisim check should exit with {expected_code}, not {code:?}:\n{}", said()?))
    }
}
