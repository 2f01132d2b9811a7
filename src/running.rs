//! Whether the run of a trace goes on: whether its processes live on this machine.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use recorder::process::{ProcessId, host_name};
use recorder::settings::PARTS;
use traces::{Ending, Trace};

/// Whether one of the processes that wrote these segments is alive and has not ended its MPI. Of other machines nothing is known.
#[must_use]
pub fn goes_on(path: &Path, trace: &Trace) -> bool {
    let Ok(parts) = fs::canonicalize(path) else { return false };
    let host = host_name();
    // Numbers of processes come back: it must be one that was told to write here.
    let writes_here = |process: ProcessId| {
        let environment = process.environment();
        let told = environment.get(PARTS.variable).map(|bytes| Path::new(OsStr::from_bytes(bytes)));
        process.is_alive() && told.and_then(|told| fs::canonicalize(told).ok()).is_some_and(|told| told == parts)
    };
    let unfinished = trace.processes.iter().filter(|p| p.ending == Ending::Unfinished && p.host == host);
    parts.is_dir() && unfinished.filter_map(|p| ProcessId::of(p.pid)).any(writes_here)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use traces::Process;

    use super::*;

    #[test]
    fn a_run_goes_on_while_a_process_lives_that_writes_its_segments() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut child = Command::new("sleep").arg("60").env(PARTS.variable, home.path()).spawn().expect("sleep starts");
        let of = |pid: u32, host: &str| {
            let process = Process { pid, host: host.to_owned(), ..Process::default() };
            Trace { processes: vec![process], ..Trace::default() }
        };
        // The child has its environment only once it has become `sleep`.
        let trace = of(child.id(), &host_name());
        let seen = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            goes_on(home.path(), &trace)
        });
        assert!(seen);
        assert!(!goes_on(home.path(), &of(child.id(), "another machine")));
        assert!(!goes_on(home.path(), &of(std::process::id(), &host_name())), "it was told nothing");
        child.kill().expect("sleep can be killed");
        child.wait().expect("sleep has ended");
        assert!(!goes_on(home.path(), &trace));
    }
}
