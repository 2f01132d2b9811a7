//! One recorder for all: what is recorded of a program does not depend on the library that it ran on.
//!
//! The program calls some two hundred functions; each rank's calls, with their arguments, have to be the same on every library.
//! What a library is free to choose is left out (`normal`).

use std::path::Path;

use libtest_mimic::Trial;
use traces::Trace;

use crate::mpi::Mpi;
use crate::record::Run;
use crate::{normal, program, workplace};

const PROGRAM: &str = "two_hundred_calls.c";
/// The fewest different functions that count as many.
const FUNCTIONS_MIN: usize = 150;

/// The test of each library against the first.
pub fn trials(mpis: &[Mpi]) -> Vec<Trial> {
    let Some((first, others)) = mpis.split_first() else { return Vec::new() };
    let trial = |other: &Mpi| {
        let (first, other) = (first.clone(), other.clone());
        Trial::test(format!("{}::records what {} records", other.name, first.name), move || Ok(agree(&first, &other)?))
    };
    others.iter().map(trial).collect()
}

fn agree(first: &Mpi, other: &Mpi) -> Result<(), String> {
    let (theirs, ours) = (recorded(first, other.name)?, recorded(other, first.name)?);
    for (rank, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
        if let Some(at) = (0..theirs.len().max(ours.len())).find(|&at| theirs.get(at) != ours.get(at)) {
            let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "nothing more".into());
            return Err(format!("call {at} of rank {rank}\n{}: {}\n{}: {}", first.name, line(theirs), other.name, line(ours)));
        }
    }
    Ok(())
}

/// The calls of each rank on this library. `against` keeps the directories of tests that run at once apart.
fn recorded(mpi: &Mpi, against: &str) -> Result<Vec<Vec<String>>, String> {
    let workplace = workplace(mpi, &format!("agreement with {against}"));
    let command = program::build(&program::directory().join(PROGRAM), mpi, &workplace.join("build"))?;
    let run = Run { mpi, command: &command, options: &[], input: None, directory: workplace.join("recorded") };
    let status = run.recorded(|_| false)?;
    if !status.is_some_and(|status| status.success()) {
        return Err(format!("on {} the program ended so: {status:?}", mpi.name));
    }
    let trace = open(&run.trace())?;
    let functions: std::collections::BTreeSet<_> = trace.calls.iter().map(|call| call.function).collect();
    if functions.len() < FUNCTIONS_MIN {
        return Err(format!("on {} only {} functions are recorded", mpi.name, functions.len()));
    }
    Ok((0..trace.world_size).map(|rank| lines(&trace, rank)).collect())
}

fn open(path: &Path) -> Result<Trace, String> {
    traces::open(path).map_err(|e| e.to_string())
}

/// A rank's calls, those that repeat at once only once.
fn lines(trace: &Trace, rank: u32) -> Vec<String> {
    let mut lines: Vec<String> = normal::calls(trace, rank).map(|call| call.text).collect();
    lines.dedup();
    lines
}
