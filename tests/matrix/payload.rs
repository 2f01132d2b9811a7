//! What a trace keeps of the data (`--payload full`): everything that each rank has received, in the order that it received it.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use traces::store::Contents;
use traces::words::{self, Of};

use crate::mpi::Mpi;
use crate::record::Run;
use crate::{job, program, workplace};

/// The test, on one MPI.
pub fn trial(mpi: &Mpi) -> Trial {
    let mpi = mpi.clone();
    Trial::test(format!("{}::--payload full", mpi.name), move || {
        ["payload.c", "payload_threads.c"].iter().try_for_each(|name| keeps_what_was_received(&mpi, name)).map_err(Into::into)
    })
}

fn keeps_what_was_received(mpi: &Mpi, name: &str) -> Result<(), String> {
    let workplace = workplace(mpi, name);
    let program = program::build(&program::directory().join(name), mpi, &workplace.join("build"))?;
    let record = [env!("CARGO_BIN_EXE_mpitrace"), "record", "--payload", "full", "-o", "trace.msgpack", "--"];
    let command: Vec<PathBuf> = record.iter().map(PathBuf::from).chain(program).collect();
    let run = Run { mpi, command: &command, options: &[], input: None, directory: workplace.join("recorded") };
    run.plainly()?;
    job::wait_until("the segments should be joined", || run.trace().exists())?;
    let error = |e: traces::Error| e.to_string();
    let (trace, contents) = (traces::open(&run.trace()).map_err(error)?, Contents::open(&run.trace()).map_err(error)?);
    let threads = |thread: u32| if thread == 0 { String::new() } else { format!(".{thread}") };
    for lane in &trace.lanes {
        let rank = lane.rank.ok_or("a process has no rank")?;
        let mut kept = Vec::new();
        for event in &lane.events {
            let (call, Some(outcome)) = (trace.call(event.call), event.outcome) else { continue };
            for word in words::of(call, trace.outcome(outcome), lane.words_of(event)) {
                if word.of == Of::Received && word.digest != 0 {
                    let content = contents.get(lane.process, word.digest);
                    let content = content.ok_or_else(|| format!("rank {rank}: {} is not kept", call.to_text()))?;
                    kept.push((line(&content), call.function));
                }
            }
        }
        compare(&run.directory, &format!("received-{rank}{}", threads(lane.thread)), &kept)?;
    }
    Ok(())
}

/// Compares what is kept of a thread with what it has written down.
fn compare(directory: &Path, name: &str, kept: &[(String, traces::Function)]) -> Result<(), String> {
    let path = directory.join(name);
    let noted = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let noted: Vec<&str> = noted.lines().collect();
    for (nth, (kept, function)) in kept.iter().enumerate() {
        if noted.get(nth) != Some(&kept.as_str()) {
            return Err(format!("{name}, content {nth}, {function}: {kept} is kept, {:?} was received", noted.get(nth)));
        }
    }
    if kept.len() == noted.len() {
        Ok(())
    } else {
        Err(format!("{name} tells of {} contents, of which {} are kept", noted.len(), kept.len()))
    }
}

/// What the program writes down of a content: its bytes, and the digest FNV-1a.
fn line(content: &[u8]) -> String {
    let digest = content
        .iter()
        .fold(14_695_981_039_346_656_037_u64, |digest, byte| (digest ^ u64::from(*byte)).wrapping_mul(1_099_511_628_211));
    format!("{} {digest:016x}", content.len())
}
