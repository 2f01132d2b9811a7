//! One little algorithm in every language: what is recorded of it is the same in all of them, on every library, and every call is on its line.
//!
//! The programs are tests/programs/languages and, in Rust, tests/programs/rust/src/bin/exchange.rs. What must be recorded between their two
//! barriers stands in `exchange.calls`. The layer of a language may ask questions of its own there, which disturb nobody.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use traces::symbols::Resolver;
use traces::{Class, Trace, mpi};

use crate::mpi::Mpi;
use crate::normal::{self, Normal};
use crate::record::Run;
use crate::{program, workplace};

/// A way to write and start the algorithm.
#[derive(Clone, Copy)]
struct Language {
    /// In the names of tests.
    name: &'static str,
    /// The source, in tests/programs.
    source: &'static str,
    /// Arguments of the program before the path of the library, for programs that load it themselves.
    loads: Option<&'static [&'static str]>,
}

const fn language(name: &'static str, source: &'static str) -> Language {
    Language { name, source, loads: None }
}

const fn loader(name: &'static str, source: &'static str, arguments: &'static [&'static str]) -> Language {
    Language { name, source, loads: Some(arguments) }
}

const DLOPEN: &str = "languages/exchange_dlopen.c";

const LANGUAGES: [Language; 12] = [
    language("C", "languages/exchange.c"),
    language("C++", "languages/exchange.cpp"),
    language("Fortran, mpif.h", "languages/exchange_mpif.f90"),
    language("Fortran, mpi", "languages/exchange_module.f90"),
    language("Fortran, mpi_f08", "languages/exchange_f08.f90"),
    language("Rust", "rust/src/bin/exchange.rs"),
    language("Python, mpi4py", "languages/exchange_mpi4py.py"),
    loader("Python, ctypes", "languages/exchange_ctypes.py", &[]),
    loader("C, dlopen with RTLD_DEEPBIND", DLOPEN, &["deepbind"]),
    loader("C, dlopen and RTLD_DEFAULT", DLOPEN, &["default"]),
    loader("C, dlopen and RTLD_NEXT", DLOPEN, &["next"]),
    loader("C, dlmopen", DLOPEN, &["namespace"]),
];

/// One test a language.
pub fn trials(mpi: &Mpi) -> Vec<Trial> {
    let trial = |language: Language| {
        let source = program::directory().join(language.source);
        let is_possible = match language.loads {
            // Open MPI's own modules do not find it in a namespace.
            Some(["namespace"]) => !mpi.is_open_mpi(),
            Some(_) => true,
            None => program::is_possible(&source, mpi),
        };
        let mpi = mpi.clone();
        Trial::test(format!("{}::exchange in {}", mpi.name, language.name), move || Ok(is_recorded(language, &source, &mpi)?))
            .with_ignored_flag(!is_possible)
    };
    LANGUAGES.map(trial).into()
}

fn is_recorded(language: Language, source: &Path, mpi: &Mpi) -> Result<(), String> {
    let workplace = workplace(mpi, &format!("exchange in {}", language.name));
    let command = command(language, source, mpi, &workplace.join("build"))?;
    let run = Run { mpi, command: &command, options: &[], input: None, directory: workplace.join("recorded") };
    let status = run.recorded(|_| false)?;
    if !status.is_some_and(|status| status.success()) {
        return Err(format!("it ended so: {status:?}"));
    }
    let trace = traces::open(&run.trace()).map_err(|e| e.to_string())?;
    let expected = program::directory().join("languages/exchange.calls");
    let (calls, lines) = recorded(&trace, source)?;
    let kept = workplace.join("recorded/exchange.calls");
    std::fs::write(&kept, &calls).map_err(|e| e.to_string())?;
    if std::fs::read_to_string(&expected).unwrap_or_default() != calls {
        return Err(format!("{} is not {}:\n{calls}", kept.display(), expected.display()));
    }
    if lines.is_empty() { Ok(()) } else { Err(lines) }
}

fn command(language: Language, source: &Path, mpi: &Mpi, directory: &Path) -> Result<Vec<PathBuf>, String> {
    let Some(arguments) = language.loads else { return program::build(source, mpi, directory) };
    let library = library(mpi, directory)?;
    let program = if language.source == DLOPEN {
        let binary = directory.join("loader");
        let flags = ["-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror"];
        program::must(Command::new("cc").args(flags).arg(source).arg("-o").arg(&binary).arg("-ldl"))?;
        vec![binary]
    } else {
        vec![PathBuf::from("python3"), source.to_owned()]
    };
    Ok(program.into_iter().chain(arguments.iter().map(PathBuf::from)).chain([library]).collect())
}

/// The library that a program of this MPI is linked with.
fn library(mpi: &Mpi, directory: &Path) -> Result<PathBuf, String> {
    let linked = program::build(&program::directory().join(LANGUAGES[0].source), mpi, directory)?;
    let mut ldd = mpi.command(Path::new("ldd"));
    let output = ldd.args(linked).output().map_err(|e| format!("{ldd:?}: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_library = |line: &&str| ["libmpi.so", "libmpich.so", "libmpi_abi.so"].iter().any(|name| line.trim().starts_with(name));
    let line = text.lines().find(is_library).and_then(|line| line.split_whitespace().nth(2));
    line.map(PathBuf::from).ok_or_else(|| format!("no MPI library in what ldd says:\n{text}"))
}

/// What was recorded of each rank between the barriers, and what is wrong with the lines of it.
fn recorded(trace: &Trace, source: &Path) -> Result<(String, String), String> {
    let (mut text, mut wrong) = (String::new(), String::new());
    let code = std::fs::read_to_string(source).map_err(|e| format!("{}: {e}", source.display()))?;
    let resolver = Resolver::new(trace);
    for rank in 0..trace.world_size {
        let all: Vec<Normal> = normal::calls(trace, rank).collect();
        let is_barrier = |call: &Normal| call.function == mpi::BARRIER;
        let (Some(first), Some(last)) = (all.iter().position(is_barrier), all.iter().rposition(is_barrier)) else {
            return Err(format!("rank {rank} has no barriers among {} calls", all.len()));
        };
        _ = writeln!(text, "rank {rank}");
        for call in all[first..=last].iter().filter(|call| matters(call)) {
            _ = writeln!(text, "    {}{}", call.text, call.came_back);
            // The calls of rsmpi are in its own sources, above which the user's stands.
            if source.extension().is_none_or(|e| e != "rs") {
                wrong += &wrong_line(call, &resolver, source, &code);
            }
        }
    }
    Ok((text, wrong))
}

/// Whether it is more than a question of the language's layer.
fn matters(call: &Normal) -> bool {
    let makes_or_frees = [mpi::COMM_SPLIT, mpi::COMM_FREE, mpi::TYPE_VECTOR, mpi::TYPE_COMMIT, mpi::TYPE_FREE];
    let talks = matches!(call.function.class(), Class::PointToPoint | Class::Completion | Class::Probe | Class::Collective);
    talks || makes_or_frees.contains(&call.function)
}

/// Nothing, if the call is on a line of the program that names its function.
fn wrong_line(call: &Normal, resolver: &Resolver, source: &Path, code: &str) -> String {
    let Some(location) = call.site.map(|site| resolver.resolve(site)) else {
        return format!("{} has no place\n", call.function);
    };
    let is_here = location.file.as_deref().is_some_and(|file| Path::new(file).file_name() == source.file_name());
    let line = location.line.filter(|_| is_here).and_then(|line| code.lines().nth(line as usize - 1)).unwrap_or_default();
    let name = call.function.name();
    // Where it is looked up by name, the function stands in parentheses.
    let looked_up = name.replace("MPI_", "MPI(") + ")";
    // gfortran gives some calls with handles no line of their own; they then have that of the program.
    if line.contains(name) || line.contains(&looked_up) || line.starts_with("program ") {
        String::new()
    } else {
        format!("{name} is at {location:#}: {line}\n")
    }
}
