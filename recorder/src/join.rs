//! Joins what a run has left into its trace, with what only the watcher knows: when each process ended.
//!
//! A call that never returned lasted until then. The process itself, killed, could not note it.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use traces::writer::{Summary, Writer};
use traces::{Ending, part};

use crate::parts::Parts;
use crate::process::host_name;

/// When processes of this machine ended, by their numbers, in ns of the real-time clock.
pub type Ends = BTreeMap<u32, u64>;

/// The real-time clock, in ns.
#[must_use]
pub fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
}

/// Writes the trace. The segments stay.
///
/// # Errors
/// If there are none, or the trace cannot be written.
pub fn join(parts: &Parts, ends: &Ends) -> Result<Summary, traces::Error> {
    let host = host_name();
    let all_ended_ns = ends.values().max().copied();
    let mut writer = Writer::create(&parts.output)?;
    for mut part in part::in_directory(&parts.directory)? {
        let process = &mut part.process;
        if process.host == host && process.ending != Ending::Finalized {
            // Of a program that another one started, such as a script, nobody knows more than that it has ended with the others.
            let ended_ns = ends.get(&process.pid).copied().or(all_ended_ns).unwrap_or(0);
            process.ended_ns = ended_ns.saturating_sub(process.clock.realtime_ns);
        }
        writer.part(part)?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use traces::part::Part;
    use traces::record::{Clock, ProcessRecord};
    use traces::segment::{RING_BYTES, Recording};

    use super::*;
    use crate::settings::with_suffix;

    #[test]
    fn the_trace_tells_when_a_killed_process_ended() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let output = home.path().join("trace.msgpack");
        let parts = Parts { directory: with_suffix(&output, ".parts"), output, job: String::new() };
        fs::create_dir(&parts.directory).expect("a new directory");
        let clock = Clock { realtime_ns: 1000, ..Clock::default() };
        let process = ProcessRecord { pid: 42, host: host_name(), clock, ..ProcessRecord::default() };
        let mut memory = vec![0; RING_BYTES];
        Recording::begin_in(&mut memory[..], 0, &process).expect("the memory is a ring's");
        fs::write(parts.directory.join("a.ring"), memory).expect("a new file");
        let ended_ns = |ends: &[(u32, u64)]| {
            join(&parts, &ends.iter().copied().collect()).expect("there is a segment");
            Part::in_file(&parts.output).expect("it was written").process.ended_ns
        };
        assert_eq!(ended_ns(&[(41, 9000), (42, 5000)]), 4000);
        assert_eq!(ended_ns(&[(41, 9000), (43, 7000)]), 8000, "not on the roll: with the last");
    }
}
