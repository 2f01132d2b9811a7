//! The programs of tests/programs: how each kind is built and started.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::expectation;
use crate::mpi::{Mpi, environment, works};

/// Where the programs are.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs")
}

/// Every program that is one file, by name.
pub fn all() -> Vec<PathBuf> {
    let files = std::fs::read_dir(directory()).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut list: Vec<PathBuf> =
        files.filter(|path| ["c", "cpp", "f90", "py"].iter().any(|e| path.extension().is_some_and(|x| x == *e))).collect();
    list.push(directory().join("rust/src/main.rs"));
    list.sort();
    list
}

/// The name of a program in the names of tests.
pub fn name(program: &Path) -> String {
    let file = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if file == "main.rs" { "ring.rs".into() } else { file }
}

/// Whether this MPI has what the program needs.
pub fn is_possible(program: &Path, mpi: &Mpi) -> bool {
    match extension(program) {
        "cpp" => works(Path::new("g++"), &["--version"]),
        "f90" => fortran(mpi).is_some(),
        "py" => python(mpi).is_some(),
        // rsmpi binds the libraries of the system.
        "rs" => is_of_system(mpi),
        _ => expectation::needs(program).iter().all(|function| mpi.has(function)),
    }
}

/// Whether it is a library of the system, and not one from the Python package index.
fn is_of_system(mpi: &Mpi) -> bool {
    !mpi.c.starts_with(environment(""))
}

/// The Fortran compiler of this MPI; those from the Python package index have none.
fn fortran(mpi: &Mpi) -> Option<PathBuf> {
    let name = mpi.c.file_name().unwrap_or_default().to_string_lossy().replace("mpicc", "mpif90");
    let compiler = mpi.c.with_file_name(name);
    works(&compiler, &["--version"]).then_some(compiler)
}

/// A Python whose mpi4py uses this MPI; Debian's uses Open MPI.
pub fn python(mpi: &Mpi) -> Option<PathBuf> {
    let python = match mpi.name {
        "openmpi" => PathBuf::from("/usr/bin/python3"),
        "mpich" => return None,
        "standard" => environment("standard/bin/python"),
        "wheel" => return python_of_index(),
        "openmpi5" => environment("openmpi/bin/python"),
        "intel" => environment("intel/bin/python"),
        _ => PathBuf::from("python3"),
    };
    works(&python, &["-c", "import mpi4py, numpy"]).then_some(python)
}

/// The Python of the environment with MPICH 5, whose mpi4py works with every MPICH.
pub fn python_of_index() -> Option<PathBuf> {
    let python = environment("bin/python");
    works(&python, &["-c", "import mpi4py, numpy"]).then_some(python)
}

/// Builds the program in `directory`, and gives the command line of one rank.
pub fn build(program: &Path, mpi: &Mpi, directory: &Path) -> Result<Vec<PathBuf>, String> {
    std::fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let binary = directory.join("program");
    match extension(program) {
        "c" => {
            // The headers describe constants such as MPI_STATUSES_IGNORE as arrays of nothing, of which GCC warns.
            let flags =
                ["-g", "-O1", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-stringop-overflow", "-Wno-stringop-overread"];
            let mut compiler = Command::new(&mpi.c);
            compiler.args(flags).arg(program).args(library(program, mpi, directory)?).arg("-o").arg(&binary);
            must(&mut compiler)?;
            Ok(vec![binary])
        }
        "cpp" => {
            // The old C++ interface of MPI is no part of the standard any more.
            let skip = ["-DOMPI_SKIP_MPICXX", "-DMPICH_SKIP_MPICXX"];
            let flags = ["-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-g", "-O2", "-fomit-frame-pointer"];
            must(Command::new(&mpi.c).args(flags).args(skip).arg(program).args(["-lstdc++", "-o"]).arg(&binary))?;
            Ok(vec![binary])
        }
        "f90" => {
            let compiler = fortran(mpi).ok_or("no Fortran compiler")?;
            must(Command::new(compiler).args(["-g", "-O1"]).arg(program).arg("-J").arg(directory).arg("-o").arg(&binary))?;
            Ok(vec![binary])
        }
        "py" => Ok(vec![python(mpi).ok_or("no Python with mpi4py")?, program.to_owned()]),
        "rs" => {
            let manifest = crate::program::directory().join("rust/Cargo.toml");
            // The programs of one library share what rsmpi was built to.
            let target = directory.ancestors().nth(2).unwrap_or(directory).join("rust");
            let mut cargo = Command::new(env!("CARGO"));
            cargo.arg("build").arg("--locked").arg("--quiet").arg("--manifest-path").arg(manifest);
            must(cargo.arg("--target-dir").arg(&target).env("MPICC", &mpi.c))?;
            let name =
                if program.ends_with("src/main.rs") { "ring".into() } else { program.file_stem().unwrap_or_default().to_owned() };
            Ok(vec![target.join("debug").join(name)])
        }
        other => Err(format!("nothing is known of .{other} files")),
    }
}

/// The library that a program of several files is linked with, as the arguments of the compiler: built without line numbers, and without
/// frame pointers, as most libraries are.
fn library(program: &Path, mpi: &Mpi, directory: &Path) -> Result<Vec<std::ffi::OsString>, String> {
    let source = program.with_extension("").join("library.c");
    if !source.exists() {
        return Ok(Vec::new());
    }
    let library = directory.join("liblayer.so");
    let flags = ["-O2", "-fomit-frame-pointer", "-fPIC", "-shared"];
    must(Command::new(&mpi.c).args(flags).arg(source).arg("-o").arg(&library))?;
    let mut path = std::ffi::OsString::from("-Wl,-rpath,");
    path.push(directory);
    Ok(vec![library.into(), path])
}

fn extension(program: &Path) -> &str {
    program.extension().and_then(|e| e.to_str()).unwrap_or_default()
}

/// Runs a command that must succeed.
pub fn must(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Err(format!("{command:?}: {}\n{said}", output.status))
}
