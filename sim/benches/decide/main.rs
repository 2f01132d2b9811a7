//! What deciding over all schedules costs, on one core: `cargo bench -p sim --bench decide [-- NAME]`.
//!
//! Each line is one program of a family. Preparing is everything before the first answer: handles, pruning. Deciding is the answers for zero,
//! infinite and any buffering, with a counterexample that the machine has replayed where there is one. Certifying is deciding
//! with a proof of what is safe, and its check. Times are the processor's.

mod families;
mod job;
mod random;

use std::num::NonZeroUsize;

use families::*;
use sim::{Buffering, Decision, Limits, Stages, Verdict};
use traces::Trace;

const BUFFERINGS: [Buffering; 3] = [Buffering::Zero, Buffering::Infinite, Buffering::Any];

type Instance = (&'static str, fn() -> Trace);

const INSTANCES: [Instance; 29] = [
    ("dtg-5", dtg),
    ("mixed-3", mixed),
    ("last-named-16", || last_named(16)),
    ("last-named-1024", || last_named(1024)),
    ("integrate-16", || integrate(16)),
    ("integrate-1024", || integrate(1024)),
    ("integrate-100000", || integrate(100_000)),
    ("floyd-16", || floyd(16, 8)),
    ("floyd-64", || floyd(64, 8)),
    ("floyd-1024x64", || floyd(1024, 64)),
    ("diffusion-4x2", || diffusion(4, 2, 1)),
    ("diffusion-4x4", || diffusion(4, 4, 1)),
    ("diffusion-4x4 x4", || diffusion(4, 4, 4)),
    ("diffusion-32x32 x100", || diffusion(32, 32, 100)),
    ("heat-16", || heat(4, 4, 2)),
    ("heat-64", || heat(8, 8, 2)),
    ("heat-256", || heat(16, 16, 2)),
    ("elimination-32", || elimination(32, 4)),
    ("elimination-256", || elimination(256, 16)),
    ("gadget-20 model", || gadget(20, 85, 1)),
    ("gadget-20 none", || gadget(20, 130, 2)),
    ("gadget-50 model", || gadget(50, 213, 1)),
    ("gadget-50 none", || gadget(50, 250, 2)),
    ("gadget-100 model", || gadget(100, 426, 1)),
    ("gadget-100 none", || gadget(100, 480, 2)),
    ("tangle-16", || tangle(16, 500, 1)),
    ("tangle-64", || tangle(64, 6_000, 1)),
    ("tangle-256", || tangle(256, 50_000, 1)),
    ("stencil-1024", || stencil(32, 32, 100)),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    println!(
        "{:22} {:>9}  zero/infinite/any  {:>15} {:>9} {:>9} {:>9} {:>9}  {:>10} {:>10} {:>10}",
        "program", "calls", "receives open", "pairs", "variables", "clauses", "conflicts", "prepare", "decide", "certify"
    );
    for (name, make) in INSTANCES {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            measure(name, &make());
        }
    }
}

fn measure(name: &str, trace: &Trace) {
    let run = |bufferings: &[Buffering], certifies: bool| {
        let begin = cpu_seconds();
        let stop = || cpu_seconds() - begin > 120.0;
        let stages = Stages { certifies, keeps_answers: false, ..Stages::default() };
        let threads = NonZeroUsize::MIN;
        let limits = Limits { conflicts: u64::MAX, memory_bytes: 8 << 30, stop: &stop, stages, threads, are_set: true };
        let decision = sim::decide(trace, bufferings, &limits);
        (cpu_seconds() - begin, decision)
    };
    let mean = |bufferings: &[Buffering], certifies| {
        // The system counts a process's time in steps of some milliseconds.
        let (mut seconds, mut runs) = (0.0, 0);
        loop {
            let (one, decision) = run(bufferings, certifies);
            (seconds, runs) = (seconds + one, runs + 1);
            if seconds > 0.2 || runs == 1000 {
                return (seconds / f64::from(runs), decision);
            }
        }
    };
    let (prepare, _) = mean(&[], false);
    let (all, decision) = mean(&BUFFERINGS, false);
    let certified = mean(&BUFFERINGS, true).0;
    let effort = decision.effort;
    println!(
        "{name:22} {:>9}  {:17}  {:>7}/{:>7} {:>9} {:>9} {:>9} {:>9}  {} {} {}",
        trace.event_count(),
        answers(&decision),
        effort.receives[0] - effort.receives[1],
        effort.receives[0],
        effort.pairs,
        effort.variables,
        effort.clauses,
        effort.conflicts,
        milliseconds(prepare),
        milliseconds(all - prepare),
        milliseconds(certified - prepare),
    );
}

fn milliseconds(seconds: f64) -> String {
    format!("{:>7.2} ms", seconds.max(0.0) * 1e3)
}

fn answers(decision: &Decision) -> String {
    let word = |verdict: &Verdict| match verdict {
        Verdict::Safe => "safe",
        Verdict::Stuck(_) => "stuck",
        Verdict::Undecided(_) => "open",
    };
    let words: Vec<&str> = decision.verdicts.iter().map(|(_, verdict)| word(verdict)).collect();
    if words.is_empty() { decision.open.join("; ") } else { words.join("/") }
}

/// What this process has computed so far: on a machine that is busy with other things, more honest than the time of day.
fn cpu_seconds() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = schedstat.split(' ').next().and_then(|n| n.parse().ok()).expect("Linux counts the time of a process");
    nanoseconds / 1e9
}
