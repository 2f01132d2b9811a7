//! Traces that were recorded once stay readable, and mean what they meant: those that ship with the project, and one of every version
//! of the format.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use traces::Ending;
use traces::payload::digest;
use traces::store::Contents;
use traces::words::{self, Of};

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The rules that the checker names in a trace.
fn rules(path: &Path) -> Vec<&'static str> {
    let trace = traces::open(path).unwrap();
    assert_eq!(trace.damage, [] as [&str; 0], "{}", path.display());
    sim::check(&trace, &sim::Options::default()).findings.iter().map(|f| f.rule.name).collect()
}

#[test]
fn every_sample_shows_what_its_readme_says() {
    for (name, expected) in [
        ("halo", vec![]),
        ("every_call", vec![]),
        ("match_tag", vec!["match/tag"]),
        ("deadlock_head_to_head", vec!["deadlock/cycle"]),
        ("heat", vec!["match/tag"]),
    ] {
        assert_eq!(rules(&in_repository(&format!("traces/samples/{name}.msgpack"))), expected, "{name}");
    }
}

#[test]
fn a_trace_of_version_1_is_read() {
    let trace = traces::open(&in_repository("tests/golden/version-1.msgpack")).unwrap();
    assert_eq!((trace.world_size, trace.event_count(), trace.damage.len()), (4, 13, 0));
    let rank_2 = &trace.lanes[trace.lanes_of(2)][0];
    let last = rank_2.events.last().unwrap();
    assert_eq!(last.outcome, None, "rank 2 was killed in its last call");
    let call = trace.call(last.call);
    assert_eq!((call.function, call.int("source"), call.int("tag")), (traces::mpi::RECV, Some(1), Some(7)));
    assert_eq!(trace.processes.iter().filter(|p| p.ending == Ending::Unfinished).count(), 4);
}

#[test]
fn a_trace_of_version_2_is_read() {
    let path = in_repository("tests/golden/version-2.msgpack");
    let trace = traces::open(&path).unwrap();
    assert_eq!((trace.world_size, trace.spawned.len(), trace.damage.len()), (3, 1, 0));
    assert_eq!((trace.spawned[0].first, trace.spawned[0].size), (2, 1), "rank 0 of the first world started a process");
    assert_eq!(rules(&path), ["deadlock/cycle"], "they wait for each other");
}

#[test]
fn a_trace_of_version_2_is_read_with_what_it_keeps() {
    let path = in_repository("tests/golden/version-2-payload.msgpack");
    let (trace, contents) = (traces::open(&path).unwrap(), Contents::open(&path).unwrap());
    assert_eq!((trace.world_size, trace.event_count(), trace.damage.len()), (3, 72, 0));
    assert_eq!(contents.volume(), (30, 120));
    let lane = &trace.lanes[1];
    let is_receive = |e: &&traces::Event| trace.call(e.call).function == traces::mpi::RECV;
    let receives: Vec<&traces::Event> = lane.events.iter().filter(is_receive).collect();
    for event in &receives {
        let words = words::of(trace.call(event.call), trace.outcome(event.outcome.unwrap()), lane.words_of(event));
        assert_eq!((words.len(), words[0].of), (1, Of::Received));
        let content = contents.get(lane.process, words[0].digest).unwrap();
        assert_eq!((content.len(), digest(&content)), (4, words[0].digest));
    }
    assert_eq!(receives.len(), 10);
}
