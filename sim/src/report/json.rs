//! The report for programs: JSON with stable names, the same bytes for the same trace, sources and options.
//!
//! `schema` grows when a name goes or changes its meaning, not when one is added.

use std::collections::BTreeMap;

use serde::Serialize;
use traces::call::value_text;
use traces::symbols::{Location, Stack};
use traces::{Call, Direction, Kind, Parameter, Value};

use super::{Subject, severity_name};
use crate::Buffering;
use crate::decide::{self, Decision};
use crate::finding::{Finding, Label, Place, Severity, WaitFor};

/// The number of this form of the report.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    tool: &'static str,
    version: &'static str,
    trace: &'a str,
    verdict: &'static str,
    buffering: String,
    fail_on: &'static str,
    ranks: u32,
    finished_ranks: u32,
    calls: u64,
    messages: u64,
    collectives: u64,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<FindingEntry<'a>>,
    gaps: Vec<String>,
    caveats: &'a [String],
    schedules: Option<SchedulesEntry<'a>>,
}

/// What is known of all other schedules of the recorded calls.
#[derive(Serialize)]
struct SchedulesEntry<'a> {
    verdicts: Vec<VerdictEntry<'a>>,
    /// The outcomes of the recorded run that the verdicts hold for.
    assumed: Vec<&'a str>,
    /// The places, as rank and call, one a line of the program, that have to be buffered.
    relies_on: Vec<(Option<u32>, u32)>,
    /// Why there are no verdicts.
    open: &'a [String],
    receives: u64,
    closed_receives: u64,
    pairs: u64,
    variables: u64,
    clauses: u64,
    conflicts: u64,
}

#[derive(Serialize)]
struct VerdictEntry<'a> {
    buffering: String,
    verdict: &'static str,
    /// A schedule that gets stuck.
    schedule: Option<&'a str>,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct FindingEntry<'a> {
    rule: &'static str,
    severity: &'static str,
    title: &'a str,
    labels: Vec<LabelEntry<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
    /// Who waits for whom in a deadlock.
    waits: Vec<WaitEntry>,
    /// Why it does not count.
    dismissed: Option<&'a str>,
    /// The same for the same finding in another run.
    fingerprint: String,
}

#[derive(Serialize)]
struct WaitEntry {
    rank: Option<u32>,
    thread: u32,
    event: u32,
    ranks: Vec<u32>,
    /// Whether one of the ranks would be enough.
    any: bool,
}

#[derive(Serialize)]
struct LabelEntry<'a> {
    rank: Option<u32>,
    thread: u32,
    /// The number of the call among those of its thread.
    event: u32,
    primary: bool,
    text: &'a str,
    call: Option<CallEntry>,
    location: Option<LocationEntry>,
    /// The location with all that led there, the innermost place first; nothing if only the one place is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stack: Vec<LocationEntry>,
}

#[derive(Serialize)]
struct CallEntry {
    function: &'static str,
    /// The method of a binding that made the call.
    method: Option<String>,
    arguments: BTreeMap<&'static str, serde_json::Value>,
    start_ns: u64,
    duration_ns: u64,
    returned: bool,
}

#[derive(Serialize)]
struct LocationEntry {
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    function: Option<String>,
    object: String,
    offset: String,
    missing: Option<String>,
}

/// The whole report, with a line break at its end.
#[must_use]
pub fn render(subject: &Subject) -> String {
    let report = subject.report;
    let document = Document {
        schema: SCHEMA,
        tool: "mpisim",
        version: env!("CARGO_PKG_VERSION"),
        trace: subject.name,
        verdict: subject.verdict().name(),
        buffering: buffering_name(subject.options.buffering),
        fail_on: severity_name(subject.fail_on),
        ranks: subject.trace.world_size,
        finished_ranks: report.finished_ranks,
        calls: report.calls,
        messages: report.message_count(),
        collectives: report.collective_count(),
        errors: subject.count(Severity::Error),
        warnings: subject.count(Severity::Warning),
        notes: subject.count(Severity::Note),
        findings: report.findings.iter().map(|finding| finding_entry(subject, finding)).collect(),
        gaps: subject.gaps(),
        caveats: &report.caveats,
        schedules: report.decision.as_ref().map(|decision| schedules_entry(subject, decision)),
    };
    let text = serde_json::to_string_pretty(&document);
    text.expect("the keys of its maps are strings, and serialising strings and numbers succeeds") + "\n"
}

fn schedules_entry<'a>(subject: &Subject, decision: &'a Decision) -> SchedulesEntry<'a> {
    let rank_of = |place: &Place| subject.trace.lanes[place.lane as usize].rank;
    let effort = decision.effort;
    SchedulesEntry {
        verdicts: decision
            .verdicts
            .iter()
            .map(|(buffering, verdict)| {
                let (verdict, schedule, why) = match verdict {
                    decide::Verdict::Safe => ("safe", None, None),
                    decide::Verdict::Stuck(token) => ("deadlock", Some(token.as_str()), None),
                    decide::Verdict::Undecided(why) => ("undecided", None, Some(why.as_str())),
                };
                VerdictEntry { buffering: buffering_name(Some(*buffering)), verdict, schedule, why }
            })
            .collect(),
        assumed: decision.assumed.iter().map(|(what, _)| what.as_str()).collect(),
        relies_on: decision.relies_on.iter().map(|place| (rank_of(place), place.event)).collect(),
        open: &decision.open,
        receives: effort.receives[0],
        closed_receives: effort.receives[1],
        pairs: effort.pairs,
        variables: effort.variables,
        clauses: effort.clauses,
        conflicts: effort.conflicts,
    }
}

pub(super) fn buffering_name(buffering: Option<Buffering>) -> String {
    match buffering {
        None => "recorded".to_owned(),
        Some(Buffering::Zero) => "zero".to_owned(),
        Some(Buffering::Infinite) => "infinite".to_owned(),
        Some(Buffering::Any) => "any".to_owned(),
        Some(Buffering::Eager(bytes)) => format!("eager={bytes}"),
    }
}

fn finding_entry<'a>(subject: &Subject, finding: &'a Finding) -> FindingEntry<'a> {
    FindingEntry {
        rule: finding.rule.name,
        severity: severity_name(finding.severity),
        title: &finding.title,
        labels: finding.labels.iter().map(|label| label_entry(subject, label)).collect(),
        notes: &finding.notes,
        help: finding.help.as_deref(),
        waits: finding.waits.iter().map(|wait| wait_entry(subject, wait)).collect(),
        dismissed: finding.dismissed.as_deref(),
        fingerprint: subject.fingerprint(finding),
    }
}

fn wait_entry(subject: &Subject, wait: &WaitFor) -> WaitEntry {
    let lane = subject.trace.lanes.get(wait.place.lane as usize);
    let (rank, thread) = lane.map_or((None, 0), |lane| (lane.rank, lane.thread));
    WaitEntry { rank, thread, event: wait.place.event, ranks: wait.ranks.clone(), any: wait.any }
}

fn label_entry<'a>(subject: &Subject, label: &'a Label) -> LabelEntry<'a> {
    let (rank, thread) = subject.speaker(label);
    let call = subject.event(label).map(|event| {
        let call = subject.trace.call(event.call);
        CallEntry {
            function: call.function.name(),
            method: subject.method(call).map(str::to_owned),
            arguments: arguments(call),
            start_ns: event.start_ns,
            duration_ns: event.duration_ns,
            returned: event.outcome.is_some(),
        }
    });
    let stack = subject.stack(label);
    let location = stack.as_ref().map(|stack| location_entry(stack.line().clone()));
    let frames = stack.map(|Stack { frames, .. }| frames).filter(|frames| frames.len() > 1).unwrap_or_default();
    let stack = frames.into_iter().map(location_entry).collect();
    LabelEntry { rank, thread, event: label.place.event, primary: label.primary, text: &label.text, call, location, stack }
}

/// What the program passed, without addresses. A constant of MPI goes by its name, a handle by its name in the text report.
fn arguments(call: &Call) -> BTreeMap<&'static str, serde_json::Value> {
    let pairs = call.function.parameters().iter().zip(&call.arguments);
    pairs
        .filter(|(p, _)| {
            p.direction != Direction::Out && !matches!(p.kind, Kind::Buffer | Kind::Pointer | Kind::Attribute | Kind::Base)
        })
        .filter(|(_, value)| **value != Value::Nil)
        .map(|(parameter, value)| (parameter.name, argument(parameter, value)))
        .collect()
}

fn argument(parameter: &Parameter, value: &Value) -> serde_json::Value {
    let one = |number: i64| {
        let text = value_text(parameter.kind, &Value::Int(number));
        if text == number.to_string() { number.into() } else { serde_json::Value::String(text) }
    };
    match value {
        Value::Nil => serde_json::Value::Null,
        Value::Int(number) => one(*number),
        Value::Ints(numbers) => numbers.iter().map(|number| one(*number)).collect(),
        Value::Text(text) => serde_json::Value::String(text.to_string()),
    }
}

fn location_entry(location: Location) -> LocationEntry {
    LocationEntry {
        file: location.file,
        line: location.line,
        column: location.column,
        function: location.function,
        object: location.object,
        offset: format!("{:#x}", location.offset),
        missing: location.missing.map(|missing| missing.to_string()),
    }
}
