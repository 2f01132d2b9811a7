//! The reader in FORMAT.md: thirty lines of Python and two packages must be enough to read a trace that was just recorded.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::Trial;

use crate::mpi::{Mpi, environment, works};
use crate::record::Run;
use crate::{program, workplace};

/// The longest that the reader may be, in lines.
const LINES: usize = 30;

/// The test, on one MPI.
pub fn trial(mpi: &Mpi) -> Option<Trial> {
    let python = python()?;
    let mpi = mpi.clone();
    Some(Trial::test(format!("{}::the reader in FORMAT.md", mpi.name), move || Ok(reads(&python, &mpi)?)))
}

/// An interpreter that has the packages: the system's, or the one that scripts/setup made.
fn python() -> Option<PathBuf> {
    let has_packages = |python: &PathBuf| works(python, &["-c", "import msgpack, zstandard"]);
    [PathBuf::from("/usr/bin/python3"), environment("bin/python")].into_iter().find(has_packages)
}

fn reads(python: &Path, mpi: &Mpi) -> Result<(), String> {
    let workplace = workplace(mpi, "format");
    let command = program::build(&program::directory().join("halo.c"), mpi, &workplace.join("build"))?;
    let run = Run { mpi, command: &command, options: &[], input: None, directory: workplace.join("recorded") };
    let status = run.recorded(|_| false)?;
    if !status.is_some_and(|s| s.success()) {
        return Err(format!("the program ended so: {status:?}"));
    }
    let script = workplace.join("reader.py");
    std::fs::write(&script, reader()?).map_err(|e| e.to_string())?;
    let output = Command::new(python).arg(&script).arg(run.trace()).stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("the reader failed:\n{printed}{}", String::from_utf8_lossy(&output.stderr)));
    }
    has_every_call(&printed)
}

/// The only block of Python in FORMAT.md.
fn reader() -> Result<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/FORMAT.md");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let block = text.split_once("```python\n").and_then(|(_, rest)| rest.split_once("```")).map(|(block, _)| block);
    let block = block.ok_or("FORMAT.md has no block of Python")?;
    if block.lines().count() > LINES {
        return Err(format!("the reader has {} lines, more than {LINES}", block.lines().count()));
    }
    Ok(block.to_owned())
}

/// The halo exchange makes 50 steps on each of four ranks; the reader prints a line a call, with its name in it.
fn has_every_call(printed: &str) -> Result<(), String> {
    for (function, count) in
        [("MPI_Irecv", 400), ("MPI_Isend", 400), ("MPI_Waitall", 200), ("MPI_Cart_create", 4), ("MPI_Finalize", 4)]
    {
        let is_named = |line: &&str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == function);
        let found = printed.lines().filter(is_named).count();
        if found != count {
            return Err(format!("the reader should print {count} lines with {function}, and printed {found}"));
        }
    }
    Ok(())
}
