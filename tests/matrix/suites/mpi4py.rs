//! mpi4py's own tests, of the version that is installed, where scripts/setup has put them.
//!
//! They run in parts, each of which can be run alone, and none of which is too long.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Suite;
use crate::mpi::{Mpi, environment};
use crate::program;

/// The part with messages between two. Where a library can cancel a send, MPI_Probe sees one in it that is cancelled later, twice a rank. The
/// machine knows such a send only as one that was never made.
const MESSAGES: &str = "messages";

/// The parts, each with how the names of its modules begin. What is in none of them is a part, too.
const PARTS: [(&str, &[&str]); 5] = [
    ("collectives", &["test_cco_"]),
    (MESSAGES, &["test_p2p_", "test_msg", "test_request"]),
    ("windows", &["test_rma", "test_win"]),
    ("files", &["test_io", "test_file"]),
    ("rest", &[]),
];

/// Every part on one, two and four ranks.
pub fn suites(mpi: &Mpi) -> Vec<Suite> {
    let Some(python) = python(mpi) else { return Vec::new() };
    let output = mpi.command(&python).args(["-c", "import mpi4py; print(mpi4py.__version__)"]).output();
    let version = output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default();
    let directory = environment(&format!("tests/mpi4py-{version}/test"));
    let Some(main) = ["main.py", "runtests.py"].map(|name| directory.join(name)).into_iter().find(|path| path.exists()) else {
        return Vec::new();
    };
    let mut words = ["sh", "-c", RANK_OF_PYTHON, "sh"].map(PathBuf::from).to_vec();
    words.extend([python, "-B".into(), main, "-v".into()]);
    let suite = |ranks: u32, part: &str, modules: &[&str]| Suite {
        name: format!("mpi4py {version}, {part}"),
        ranks,
        command: words.iter().cloned().chain(choice(mpi, ranks, modules)).collect(),
        inputs: library_of_mpich()
            .filter(|_| mpi.name == "mpich")
            .map(|file| ("libmpi.so.12".into(), file))
            .into_iter()
            .collect(),
        outcomes,
        known: "mpi4py",
        unexplained: if part == MESSAGES && !mpi.is_open_mpi() { 2 * ranks } else { 0 },
    };
    [1, 2, 4].into_iter().flat_map(|ranks| PARTS.map(|(part, modules)| suite(ranks, part, modules))).collect()
}

/// A rank of Python, which has a file of its own for what it says of each test. Its temporary files are in memory: tests of MPI-IO wait for
/// the disk by the thousand. The library of Debian's MPICH has another name than the one
/// that mpi4py asks for: it has a link to it in the directory of the run.
const RANK_OF_PYTHON: &str = r#"
if [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
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

/// The arguments that choose the modules of a part; those of the rest if there are none.
///
/// Modules that spawn or connect fail, or do not come back, without the recorder, too, where there are fewer cores than processes or no name
/// server. What makes datatypes by the million, and talks to nobody, one rank does for all.
fn choice(mpi: &Mpi, ranks: u32, modules: &[&str]) -> Vec<PathBuf> {
    let spawns = ranks > 1 || !["wheel", "standard"].contains(&mpi.name);
    let left_out = [(spawns, "test_spawn"), (spawns, "test_dynproc"), (ranks > 1, "test_util_dtlib")];
    let left_out = left_out.into_iter().filter(|(is_out, _)| *is_out).map(|(_, module)| ("-e", module));
    let chosen = modules.iter().map(|module| ("-i", *module));
    let others = PARTS.iter().filter(|_| modules.is_empty()).flat_map(|(_, others)| others.iter().map(|module| ("-e", *module)));
    left_out.chain(chosen).chain(others).flat_map(|(option, module)| [option, module]).map(PathBuf::from).collect()
}

/// The verdict on each test, rank by rank: `rank 0: testAll (test_op.TestOp) ... ok`.
fn outcomes(directory: &Path) -> Vec<String> {
    let ranks = (0..).map(|rank| (rank, directory.join(format!("outcomes.{rank}")))).take_while(|(_, path)| path.exists());
    let verdicts = ranks.flat_map(|(rank, path)| {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        let lines: BTreeSet<String> = text.lines().filter(|line| line.contains(" ... ")).map(str::to_owned).collect();
        lines.into_iter().map(move |line| format!("rank {rank}: {line}"))
    });
    verdicts.collect()
}
