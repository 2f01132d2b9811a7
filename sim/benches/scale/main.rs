//! What a check of a long trace costs beside reading it and running it once: `cargo bench -p sim --bench scale [-- FAMILY…]`.
//!
//! Each family is made at two lengths, on 1,024 ranks, and written to a file. Each measurement is a process of its own, which opens the file:
//! so its peak of memory (VmHWM) is that of one step. The three steps come in turn, and the least time of each counts. `run` is the linear run
//! by itself, lifting and the machine; `check` is `sim::check` with all rules. Bytes a call are those that the longer trace has more,
//! beyond what `read` has: nearly none where memory is bounded by what is in flight.

mod families;
mod job;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use families::FAMILIES;

const RANKS: usize = 1024;
/// How many calls a trace has, about.
const LENGTHS: [usize; 2] = [1_000_000, 10_000_000];
const STEPS: [&str; 3] = ["read", "run", "check"];
/// How often each step is measured.
const RUNS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["step", step, path] => take(step, Path::new(path)),
        ["make", name, length, path] => make(name, length.parse().expect("a number of calls"), Path::new(path)),
        _ => table(&words),
    }
}

/// Measures every family that is wanted, which is all if none is named.
fn table(wanted: &[&str]) {
    println!(
        "{:14} {:>9}  read  run  check, s          check/run  read  run  check, MiB          run  check, bytes a call",
        "", "calls"
    );
    for (name, _) in FAMILIES.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        let [short, long] = LENGTHS.map(|length| measure(name, length));
        for measured in [&short, &long] {
            let [read, run, check] = measured.steps.map(|step| step.seconds);
            let [own, of_run, of_check] = measured.steps.map(|step| step.peak_kib / 1024);
            println!(
                "{name:14} {:>9}  {read:.2}  {run:.2}  {check:.2}              {:.2}   {own}  {of_run}  {of_check}",
                measured.calls,
                check / run
            );
        }
        let [run, check] = [1, 2].map(|step| long.beyond_reading(step) - short.beyond_reading(step));
        let calls = (long.calls - short.calls) as f64;
        println!("{name:14} {:>9}  {:60} {:.1}  {:.1}", "", "", run / calls, check / calls);
    }
}

/// What one step came to.
#[derive(Clone, Copy, Default)]
struct Step {
    seconds: f64,
    peak_kib: u64,
}

struct Measured {
    calls: u64,
    steps: [Step; 3],
}

impl Measured {
    /// How many bytes a step has at its peak that reading has not.
    fn beyond_reading(&self, step: usize) -> f64 {
        (self.steps[step].peak_kib as f64 - self.steps[0].peak_kib as f64) * 1024.0
    }
}

fn measure(name: &str, length: usize) -> Measured {
    let path = path(name, length);
    if !path.exists() {
        child(&["make", name, &length.to_string(), &path.to_string_lossy()]);
    }
    let mut steps = [Step { seconds: f64::INFINITY, peak_kib: 0 }; 3];
    let mut calls = 0;
    for _ in 0..RUNS {
        for (name, least) in STEPS.iter().zip(&mut steps) {
            let told = child(&["step", name, &path.to_string_lossy()]);
            let numbers: Vec<f64> = told.split_whitespace().map(|word| word.parse().expect("a number")).collect();
            calls = numbers[0] as u64;
            least.seconds = least.seconds.min(numbers[1]);
            least.peak_kib = least.peak_kib.max(numbers[2] as u64);
        }
    }
    Measured { calls, steps }
}

/// Where a trace is kept, so that it has to be made only once.
fn path(name: &str, length: usize) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{RANKS}-{length}.msgpack"))
}

/// What this program prints if it is started with these words.
fn child(words: &[&str]) -> String {
    let own = std::env::current_exe().expect("a program knows where it is");
    let output = Command::new(own).args(words).output().expect("it can be started again");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn make(name: &str, length: usize, path: &Path) {
    let (_, family) = FAMILIES.iter().find(|(known, _)| *known == name).expect("a family of this name");
    traces::write(path, &family(RANKS, length)).expect("the trace can be written");
}

/// Prints how many calls a trace has, the processor time of a step in seconds, and the peak of memory in KiB.
fn take(step: &str, path: &Path) {
    let begin = cpu_seconds();
    let trace = traces::open(path).expect("the trace can be read");
    let opened = cpu_seconds();
    match step {
        "read" => {}
        "run" => _ = black_box(sim::run(&trace)),
        "check" => {
            let report = sim::check(&trace, &sim::Options { is_brief: true, ..sim::Options::default() });
            let is_sound = report.findings.iter().all(|finding| finding.severity < sim::Severity::Warning);
            assert!(is_sound, "{:?}", report.findings);
        }
        _ => panic!("no such step: {step}"),
    }
    let seconds = if step == "read" { opened - begin } else { cpu_seconds() - opened };
    println!("{} {seconds} {}", trace.event_count(), peak_kib());
    // What is freed at the end is nobody's time.
    std::process::exit(0);
}

/// What this process has computed so far, in the kernel as well: the machine may have other things to do.
fn cpu_seconds() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = schedstat.split(' ').next().and_then(|n| n.parse().ok()).expect("Linux counts the time of a process");
    nanoseconds / 1e9
}

/// The most memory that this process has had so far.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells the state of a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("with its peak of memory");
    line.trim().trim_end_matches(" kB").parse().expect("in KiB")
}
