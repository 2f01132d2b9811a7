//! The profile as it is printed: of four ranks, and of 4,096.

use std::path::Path;

use clap::ColorChoice;
use sim::profile::profile;
use sim::report::Style;
use traces::constant::COMM_WORLD;
use traces::symbols::{Location, Missing, Stack};
use traces::{Frame, Trace, TraceBuilder, Value, mpi};

use super::{Arguments, Format, Part, Subject, json, rank_ranges, text};

fn subject<'a>(trace: &'a Trace, parts: &[Part]) -> Subject<'a> {
    let (format, color) = (Format::Text, ColorChoice::Auto);
    let arguments = Arguments { trace: None, by: parts.to_vec(), all: false, ranks: None, format, color };
    Subject::new("trace.msgpack".to_owned(), trace, profile(trace, |_| true), &arguments, &located)
}

/// The first site has a line, whatever lies on this machine, and the others have none.
fn located(frame: Frame) -> Stack {
    let site = frame.site;
    let file = (site.0 == 0).then(|| "/usr/src/app/stencil.c".to_owned());
    let missing = file.is_none().then_some(Missing::NoDebugInfo);
    let (object, offset) = ("/usr/bin/stencil".to_owned(), u64::from(site.0));
    Stack::of(vec![Location { line: file.as_ref().map(|_| 41), file, column: None, function: None, object, offset, missing }])
}

fn sample(name: &str) -> Trace {
    traces::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/samples").join(name)).expect("a sample")
}

/// A ring with a step over 64 ranks in it, in which the ranks wait for rank 7.
fn ring(ranks: u32) -> Trace {
    let mut builder = TraceBuilder::with_ranks(ranks);
    for rank in 0..ranks {
        let send = |count: u32, dest: u32| {
            let (count, dest) = (Value::Int(count.into()), Value::Int((dest % ranks).into()));
            [("count", count), ("datatype", Value::Int(0x214)), ("dest", dest), ("comm", Value::Int(COMM_WORLD))]
        };
        for round in 0..8 {
            builder.push(rank as usize, mpi::SEND, 10, &send(1 << round, rank + 1), Some(&[]));
        }
        builder.push(rank as usize, mpi::ISEND, 12, &send(1000, rank + 64), Some(&[]));
        builder.push(rank as usize, mpi::BARRIER, 14, &[("comm", Value::Int(COMM_WORLD))], Some(&[]));
    }
    let mut trace = builder.finish();
    for (lane, rank) in trace.lanes.iter_mut().zip(0u64..) {
        let wait_ns = if rank == 7 { 1000 } else { 100_000 - rank % 64 * 500 };
        if let Some(last) = lane.events.last_mut() {
            last.start_ns += 101_000 - wait_ns;
            last.duration_ns = wait_ns;
        }
    }
    trace
}

fn shown(trace: &Trace) -> String {
    let text = text::render(&subject(trace, &[]), &Style::default());
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "too long: {line}");
    }
    text
}

#[test]
fn four_ranks_have_a_line_each() {
    insta::assert_snapshot!(shown(&sample("heat.msgpack")));
}

#[test]
fn thousands_of_ranks_fit_the_same_screen() {
    insta::assert_snapshot!(shown(&ring(4096)));
}

#[test]
fn titles_have_colours_and_numbers_have_none() {
    let trace = ring(4);
    let style = Style { color: true, ..Style::default() };
    let text = text::render(&subject(&trace, &[Part::Size]), &style);
    assert!(text.contains("\x1b[1msize of messages"), "{text}");
    assert_eq!(text.matches("\x1b[1m").count(), 1);
}

#[test]
fn json_has_what_was_asked_for() {
    let trace = ring(4);
    let value: serde_json::Value = serde_json::from_str(&json::render(&subject(&trace, &[Part::Pair]))).expect("JSON");
    assert_eq!((&value["schema"], &value["calls"]), (&1.into(), &40.into()));
    assert!(value.get("functions").is_none());
    // The step over 64 ranks ends where it began.
    let expected = serde_json::json!({ "source": 0, "destination": 0, "messages": 1, "bytes": 8000 });
    assert_eq!(value["pairs"][0], expected);
}

#[test]
fn ranks_are_named_by_ranges() {
    let ranges = rank_ranges("0-3,8").expect("ranks");
    assert!([0, 3, 8].iter().all(|rank| ranges.contains(*rank)) && ![4, 7, 9].iter().any(|rank| ranges.contains(*rank)));
    assert!(["", "3-1", "x", "1-"].iter().all(|text| rank_ranges(text).is_err()));
}
