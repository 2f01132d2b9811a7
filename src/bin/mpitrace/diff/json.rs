//! The comparison for programs. `schema` grows when a name goes or changes its meaning, not when one is added; the help lists them.

use replay::Choice;
use replay::comparison::Thread;
use replay::likeness;
use serde_json::{Value, json};

use super::cause::Cause;
use super::{Comparison, Parted, text};

const SCHEMA: u32 = 1;

/// The whole of it as one object.
pub fn render(comparison: &Comparison) -> String {
    let partings: Vec<Value> = comparison.partings.iter().map(|parted| parting(comparison, parted)).collect();
    let outcomes: Vec<Value> = comparison
        .outcomes()
        .iter()
        .map(|one| {
            json!({
                "rank": one.thread.rank,
                "thread": one.thread.thread,
                "times": one.times,
                "matters": !one.what.is_alike,
                "calls": calls(comparison, one.thread, one.what.events.map(Some)),
                "outcomes": one.what.choices.each_ref().map(|list| choices(list)),
            })
        })
        .collect();
    let polls: Vec<Value> = comparison
        .polls()
        .iter()
        .map(|one| {
            json!({
                "rank": one.thread.rank,
                "thread": one.thread.thread,
                "calls": calls(comparison, one.thread, one.what.events),
                "times": one.what.times,
            })
        })
        .collect();
    let out = json!({
        "schema": SCHEMA,
        "traces": comparison.names,
        "ranks": comparison.traces[0].world_size,
        "calls": comparison.calls(),
        "same": comparison.is_same(),
        "partings": partings,
        "outcomes": outcomes,
        "polls": polls,
        "notes": comparison.notes,
    });
    format!("{out:#}\n")
}

fn parting(comparison: &Comparison, parted: &Parted) -> Value {
    let thread = &comparison.threads[parted.thread];
    let events = thread.parting.as_ref().map(|parting| parting.events).unwrap_or_default();
    json!({
        "rank": thread.rank,
        "thread": thread.thread,
        "calls": calls(comparison, thread, events),
        "cause": cause(comparison, parted),
    })
}

fn cause(comparison: &Comparison, parted: &Parted) -> Value {
    let (head, sides) = text::reason(comparison, parted);
    let of = |thread: usize, kind: &str, events: [Option<usize>; 2]| {
        let thread = &comparison.threads[thread];
        json!({ "kind": kind, "rank": thread.rank, "calls": calls(comparison, thread, events) })
    };
    let mut cause = match &parted.cause {
        Cause::Outcome { thread, difference } => {
            let is_message = difference.choices.iter().flatten().any(|choice| matches!(choice, Choice::Message { .. }));
            let is_completion = difference.choices.iter().flatten().any(|choice| matches!(choice, Choice::Completed(_)));
            let kind = if is_completion || !is_message { "completion" } else { "message" };
            let mut cause = of(*thread, kind, difference.events.map(Some));
            cause["outcomes"] = difference.choices.each_ref().map(|list| choices(list)).to_vec().into();
            cause
        }
        Cause::Poll { thread, events, times } => {
            let mut cause = of(*thread, "poll", *events);
            cause["outcomes"] = times.map(|times| json!([{ "nothing": times }])).to_vec().into();
            cause
        }
        Cause::Parting { thread } => json!({ "kind": "parting", "rank": comparison.threads[*thread].rank }),
        Cause::Data { thread, events } => of(*thread, "data", events.map(Some)),
        Cause::Unknown => json!({ "kind": "unknown" }),
    };
    cause["text"] = [vec![head], sides].concat().join(" / ").into();
    cause
}

fn choices(list: &[Choice]) -> Value {
    let one = |choice: &Choice| match choice {
        Choice::Message { source, tag } => json!({ "source": source, "tag": tag }),
        Choice::Completed(list) => json!({ "completed": list }),
        Choice::Nothing(times) => json!({ "nothing": times }),
        Choice::Something => json!({ "nothing": 0 }),
    };
    list.iter().map(one).collect()
}

/// The calls of either run.
fn calls(comparison: &Comparison, thread: &Thread, events: [Option<usize>; 2]) -> Value {
    let one = |(side, event): (usize, Option<usize>)| {
        let Some(event) = event else { return Value::Null };
        let call = comparison.call(side, thread, event);
        json!({
            "index": event,
            "text": likeness::text(call.function, &call.arguments),
            "location": comparison.line(side, call),
        })
    };
    events.into_iter().enumerate().map(one).collect()
}
