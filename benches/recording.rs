//! What recording costs: processor time added to a call, and bytes a call in the trace.
//!
//! Each program runs alternately without and with the recorder; the time is from before its loop to the end of MPI_Finalize, so it
//! includes writing the trace. Where ranks wait for each other the processor time is mostly that of waiting: `self` has no such noise.
//! Run it by `cargo bench --bench recording`.

#![forbid(unsafe_code)]

#[path = "../tests/matrix/mpi.rs"]
#[expect(dead_code, reason = "the tests have to know more of an MPI than this")]
mod mpi;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mpi::Mpi;

/// How often each program runs, both without and with the recorder.
const RUNS: usize = 7;

/// What is measured.
struct Row {
    /// Its name in the table.
    name: &'static str,
    /// A program of benches/programs, its ranks, and its arguments, of which the first is the rounds of its loop.
    program: &'static str,
    ranks: u32,
    arguments: &'static [&'static str],
    /// The options of the recorder.
    options: &'static [&'static str],
}

/// Where nothing is said, stacks are kept, and digests taken of all messages.
const ROWS: [Row; 7] = [
    Row {
        name: "self, the line only, no digests",
        program: "self",
        ranks: 1,
        arguments: &["1000000"],
        options: &["--stack", "1", "--payload", "none"],
    },
    Row {
        name: "self, ten frames, no digests",
        program: "self",
        ranks: 1,
        arguments: &["1000000", "9"],
        options: &["--payload", "none"],
    },
    Row { name: "self, ten frames, digests", program: "self", ranks: 1, arguments: &["1000000", "9"], options: &[] },
    Row {
        name: "self, ten frames, all is kept",
        program: "self",
        ranks: 1,
        arguments: &["1000000", "9"],
        options: &["--payload", "full"],
    },
    Row { name: "ping-pong of 8 bytes", program: "pingpong", ranks: 2, arguments: &["100000"], options: &[] },
    Row { name: "halo", program: "halo", ranks: 4, arguments: &["10000"], options: &[] },
    Row { name: "MPI_Allreduce", program: "allreduce", ranks: 4, arguments: &["10000"], options: &[] },
];

/// What one run took, over all ranks.
#[derive(Clone, Copy, Default)]
struct Cost {
    calls: f64,
    cpu_ns: f64,
    clock_ns: f64,
}

fn main() {
    println!("median of {RUNS} pairs of runs, in ns a call and rank");
    println!(
        "{:10}{:34}{:>12}{:>12}{:>8}{:>12}{:>14}",
        "MPI", "program", "CPU without", "CPU added", "ratio", "clock added", "bytes a call"
    );
    for mpi in Mpi::all() {
        for row in &ROWS {
            let line = measure(&mpi, row).unwrap_or_else(|why| why);
            println!("{:10}{:34}{line}", mpi.name, row.name);
        }
    }
}

fn measure(mpi: &Mpi, row: &Row) -> Result<String, String> {
    let &Row { program, ranks, arguments, options, .. } = row;
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    // Only Open MPI's ranks leave the processor to others while they wait.
    if ranks as usize > cores && mpi.name != "openmpi" {
        return Err(format!("not measured: {ranks} ranks that wait by spinning, on {cores} cores"));
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recording").join(mpi.name);
    std::fs::create_dir_all(&directory).map_err(|e| e.to_string())?;
    let binary = build(mpi, program, &directory)?;
    let trace = directory.join(program).with_extension("msgpack");
    let mut pairs = Vec::new();
    for _ in 0..RUNS {
        let without = run(mpi.launch(ranks).arg(&binary).args(arguments))?;
        _ = std::fs::remove_file(&trace);
        let mut with = mpi.launch(ranks);
        with.arg(env!("CARGO_BIN_EXE_mpitrace")).args(["record", "--quiet", "-o"]).arg(&trace).args(options).arg("--");
        pairs.push((without, run(with.arg(&binary).args(arguments))?));
    }
    let bytes = std::fs::metadata(&trace).map_err(|e| format!("{}: {e}", trace.display()))?.len() as f64;
    let calls = pairs[0].1.calls;
    let without = median(pairs.iter().map(|(without, _)| without.cpu_ns / calls));
    let added = median(pairs.iter().map(|(without, with)| (with.cpu_ns - without.cpu_ns) / calls));
    let ratio = median(pairs.iter().map(|(without, with)| with.cpu_ns / without.cpu_ns));
    let clock = median(pairs.iter().map(|(without, with)| (with.clock_ns - without.clock_ns) / calls));
    Ok(format!("{without:>12.1}{added:>12.1}{ratio:>8.2}{clock:>12.1}{:>14.2}", bytes / calls))
}

fn build(mpi: &Mpi, program: &str, directory: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs").join(program).with_extension("c");
    let binary = directory.join(program);
    let status = Command::new(&mpi.c).args(["-O2", "-g", "-w"]).arg(source).arg("-o").arg(&binary).status();
    if status.is_ok_and(|status| status.success()) { Ok(binary) } else { Err(format!("{program}.c does not compile")) }
}

/// Runs a program and adds up the lines of its ranks.
fn run(command: &mut Command) -> Result<Cost, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut cost = Cost::default();
    for line in text.lines() {
        let numbers: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        if let [calls, cpu, clock] = numbers[..] {
            cost.calls += calls;
            cost.cpu_ns += cpu * 1e9;
            cost.clock_ns += clock * 1e9;
        }
    }
    if cost.calls > 0.0 { Ok(cost) } else { Err(format!("it measured nothing:\n{text}")) }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
