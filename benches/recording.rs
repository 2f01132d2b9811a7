//! What recording costs: processor time added to a call, and bytes a call in the trace.
//!
//! Each program runs alternately without and with the recorder, keeping nothing of the data, digests, or all; the time is from before its loop to the end of MPI_Finalize, so it
//! includes writing the trace. Where ranks wait for each other the processor time is mostly that of waiting: `self` has no such noise.
//! Run it by `cargo bench --bench recording`.

#![forbid(unsafe_code)]

#[path = "../tests/matrix/mpi.rs"]
mod mpi;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mpi::Mpi;

/// How often each program runs, both without and with the recorder.
const RUNS: usize = 7;

/// A program of benches/programs, its ranks, and the rounds of its loop.
const PROGRAMS: [(&str, u32, u64); 4] =
    [("self", 1, 1_000_000), ("pingpong", 2, 100_000), ("halo", 4, 10_000), ("allreduce", 4, 10_000)];

/// What is kept of the data.
const KEEPS: [&str; 3] = ["none", "digest", "full"];

/// What one run took, over all ranks.
#[derive(Clone, Copy, Default)]
struct Cost {
    calls: f64,
    cpu_ns: f64,
    clock_ns: f64,
}

fn main() {
    println!("median of {RUNS} rounds of runs, in ns a call and rank");
    println!(
        "{:10}{:12}{:>12}{:10}{:>12}{:>12}{:>12}{:>14}",
        "MPI", "program", "CPU without", "  payload", "CPU added", "ratio", "clock ratio", "bytes a call"
    );
    for mpi in Mpi::all() {
        for (program, ranks, rounds) in PROGRAMS {
            match measure(&mpi, program, ranks, rounds) {
                Ok(lines) => lines.iter().for_each(|line| println!("{:10}{program:12}{line}", mpi.name)),
                Err(why) => println!("{:10}{program:12}{why}", mpi.name),
            }
        }
    }
}

fn measure(mpi: &Mpi, program: &str, ranks: u32, rounds: u64) -> Result<Vec<String>, String> {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    // Only Open MPI's ranks leave the processor to others while they wait.
    if ranks as usize > cores && mpi.name != "openmpi" {
        return Err(format!("not measured: {ranks} ranks that wait by spinning, on {cores} cores"));
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recording").join(mpi.name);
    std::fs::create_dir_all(&directory).map_err(|e| e.to_string())?;
    let binary = build(mpi, program, &directory)?;
    let trace = directory.join(program).with_extension("msgpack");
    let mut pairs = KEEPS.map(|_| Vec::new());
    let mut bytes = [0; KEEPS.len()];
    for _ in 0..RUNS {
        let without = run(mpi.launch(ranks).arg(&binary).arg(rounds.to_string()))?;
        for (nth, keep) in KEEPS.iter().enumerate() {
            _ = std::fs::remove_file(&trace);
            let mut with = mpi.launch(ranks);
            with.arg(env!("CARGO_BIN_EXE_mpitrace")).args(["record", "--quiet", "--payload", keep, "-o"]).arg(&trace).arg("--");
            pairs[nth].push((without, run(with.arg(&binary).arg(rounds.to_string()))?));
            bytes[nth] = std::fs::metadata(&trace).map_err(|e| format!("{}: {e}", trace.display()))?.len();
        }
    }
    Ok((0..KEEPS.len()).map(|nth| line(KEEPS[nth], &pairs[nth], bytes[nth] as f64)).collect())
}

/// What the runs without and with the recorder tell.
fn line(keep: &str, pairs: &[(Cost, Cost)], bytes: f64) -> String {
    let calls = pairs[0].1.calls;
    let without = median(pairs.iter().map(|(without, _)| without.cpu_ns / calls));
    let added = median(pairs.iter().map(|(without, with)| (with.cpu_ns - without.cpu_ns) / calls));
    let ratio = median(pairs.iter().map(|(without, with)| with.cpu_ns / without.cpu_ns));
    let clock = median(pairs.iter().map(|(without, with)| with.clock_ns / without.clock_ns));
    format!("{without:>12.1}  {keep:8}{added:>12.1}{ratio:>12.2}{clock:>12.2}{:>14.2}", bytes / calls)
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
