//! Programs that nobody wrote: calls crossed with the ways to get them wrong, and with the ways to begin and to complete them.
//!
//! Each is a C program like those of tests/programs, with its expectation in its first lines, and is held to it in the same way. What is special about a
//! behaviour is not for here: it has a program of its own there. docs/rules.md has the table of what is expected of all of them.

mod argument;
mod collective;
mod one_sided;
mod point_to_point;
mod resource;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::expectation;
use crate::mpi::Mpi;
use crate::{meets_its_expectation, suites};

pub use table::trial as table;

/// In the day these libraries take the programs in turn, and at night each takes them all.
const LIBRARIES: [&str; 2] = ["openmpi", "mpich"];

/// A program, but for what all of them have in common.
#[derive(Clone)]
struct Variant {
    /// Unique: what is called, and what is wrong with it.
    name: String,
    /// What it does, in one sentence.
    about: String,
    /// Its findings, as in the first lines of a program; none if it is correct.
    expect: Vec<String>,
    /// How it ends, likewise.
    ends: &'static str,
    /// A function that not every MPI has.
    needs: Option<String>,
    /// What it does between MPI_Init and MPI_Finalize: lines of C. A line that a finding must name ends with its mark.
    body: Vec<String>,
}

impl Variant {
    /// The whole program, in C. Its ranks have `rank`, `size`, buffers, and a variable of each kind.
    fn source(&self) -> String {
        let expected = if self.expect.is_empty() { vec!["nothing".to_owned()] } else { self.expect.clone() };
        let mut lines = vec![format!("// {}", self.about)];
        lines.extend(expected.iter().map(|finding| format!("// expect: {finding}")));
        lines.extend(self.needs.iter().map(|function| format!("// needs: {function}")));
        lines.push(format!("// ends: {}", self.ends));
        lines.extend(BEFORE.lines().map(String::from));
        lines.extend(self.body.iter().map(|line| format!("    {line}")));
        lines.extend(AFTER.lines().map(String::from));
        lines.join("\n") + "\n"
    }

    /// The path of its source, which is written if it is not there.
    fn written(&self) -> Result<PathBuf, String> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix/generated");
        let path = directory.join(format!("{}.c", self.name));
        let source = self.source();
        let said = |e: std::io::Error| format!("{}: {e}", path.display());
        if fs::read_to_string(&path).is_ok_and(|old| old == source) {
            return Ok(path);
        }
        fs::create_dir_all(&directory).map_err(said)?;
        // Whole at once: two libraries may write it at the same time.
        let new = directory.join(format!("{}.{:?}", self.name, std::thread::current().id()));
        fs::write(&new, source).and_then(|()| fs::rename(&new, &path)).map_err(said)?;
        Ok(path)
    }
}

/// What all of them begin with. The library may end the job at the first mistake: by then every rank is on record.
const BEFORE: &str = r#"#include <mpi.h>
#include <stddef.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int rank, size, values[8] = {1, 2, 3, 4}, others[32] = {0}, ones[4] = {1, 1, 1, 1}, places[4] = {0, 1, 2, 3};
    char space[MPI_BSEND_OVERHEAD + 64];
    MPI_Comm comm = MPI_COMM_NULL;
    MPI_Datatype type = MPI_DATATYPE_NULL;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Win window = MPI_WIN_NULL;
    MPI_Group world = MPI_GROUP_NULL, group = MPI_GROUP_NULL;
    MPI_Status status;
    void *memory = NULL;
    (void)values, (void)others, (void)ones, (void)places, (void)space, (void)comm, (void)type, (void)request, (void)message, (void)window;
    (void)world, (void)group, (void)status, (void)memory;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Barrier(MPI_COMM_WORLD);"#;

const AFTER: &str = r"    MPI_Finalize();
    return 0;
}";

/// All of them.
fn all() -> Vec<Variant> {
    [argument::variants(), point_to_point::variants(), collective::variants(), one_sided::variants(), resource::variants()]
        .into_iter()
        .flatten()
        .collect()
}

/// A test of each program: on one library, in turn, and at night on every one that has what it needs.
pub fn trials(mpis: &[Mpi]) -> Vec<Trial> {
    let is_night = suites::is_night();
    let candidates: Vec<&Mpi> = mpis.iter().filter(|mpi| is_night || LIBRARIES.contains(&mpi.name)).collect();
    let on_those_that_have_it = |(number, variant): (usize, Variant)| {
        let has = |mpi: &&Mpi| variant.needs.as_ref().is_none_or(|function| mpi.has(function));
        let able: Vec<&Mpi> = candidates.iter().copied().filter(has).collect();
        let one = able.get(number % able.len().max(1)).copied();
        let chosen = if is_night { able } else { one.into_iter().collect() };
        chosen.into_iter().map(|mpi| trial(&variant, mpi)).collect::<Vec<Trial>>()
    };
    all().into_iter().enumerate().flat_map(on_those_that_have_it).collect()
}

fn trial(variant: &Variant, mpi: &Mpi) -> Trial {
    let (variant, mpi) = (variant.clone(), mpi.clone());
    let name = format!("{}::generated::{}", mpi.name, variant.name);
    Trial::test(name, move || Ok(meets_its_expectation(&variant.written()?, &mpi)?))
}

/// The rules that a program is expected to break.
fn rules(source: &str) -> Result<Vec<String>, String> {
    Ok(expectation::parse(source)?.findings.into_iter().map(|finding| finding.rule).collect())
}
