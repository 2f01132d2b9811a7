//! The report in SARIF 2.1.0, which code-scanning services and editors show: a result a finding, in it one thread flow a rank.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use traces::symbols::Location;

use super::{Subject, Verdict, calls};
use crate::finding::{Finding, Label, Severity};
use crate::rules;

/// The whole report, with a line break at its end.
#[must_use]
pub fn render(subject: &Subject) -> String {
    let run = json!({
        "tool": { "driver": {
            "name": "mpisim",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": rules::ALL.iter().map(|rule| json!({
                "id": rule.name,
                "shortDescription": { "text": rule.summary },
                "fullDescription": { "text": rule.explanation },
                "help": { "text": rule.explanation },
            })).collect::<Vec<_>>(),
        }},
        "invocations": [{
            "executionSuccessful": subject.verdict() != Verdict::Undecided,
            "toolExecutionNotifications": notifications(subject),
        }],
        "columnKind": "utf16CodeUnits",
        "results": subject.report.findings.iter().map(|finding| result(subject, finding)).collect::<Vec<_>>(),
    });
    let schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
    let document = json!({ "$schema": schema, "version": "2.1.0", "runs": [run] });
    let text = serde_json::to_string_pretty(&document);
    text.expect("the keys of its maps are strings, and serialising strings and numbers succeeds") + "\n"
}

/// Why the answer may be incomplete.
fn notifications(subject: &Subject) -> Vec<Value> {
    let gaps = subject.gaps();
    let caveats = subject.report.caveats.iter().filter(|caveat| !gaps.contains(caveat)).map(|caveat| ("note", caveat));
    let all = gaps.iter().map(|gap| ("warning", gap)).chain(caveats);
    all.map(|(level, text)| json!({ "level": level, "message": { "text": text } })).collect()
}

fn result(subject: &Subject, finding: &Finding) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let (primary, others): (Vec<&Label>, Vec<&Label>) = finding.labels.iter().partition(|label| label.primary);
    let mut text = vec![finding.title.clone()];
    text.extend(finding.notes.iter().map(|note| format!("note: {note}")));
    text.extend(finding.help.iter().map(|help| format!("help: {help}")));
    let mut result = json!({
        "ruleId": finding.rule.name,
        "ruleIndex": rules::ALL.iter().position(|rule| rule.name == finding.rule.name),
        "level": level,
        "message": { "text": text.join("\n") },
        "locations": primary.iter().map(|label| location(subject, label)).collect::<Vec<_>>(),
        "relatedLocations": others.iter().map(|label| location(subject, label)).collect::<Vec<_>>(),
        "partialFingerprints": { "mpisimFinding/v1": subject.fingerprint(finding) },
    });
    if finding.labels.len() > 1 {
        result["codeFlows"] = json!([{ "threadFlows": thread_flows(subject, finding) }]);
    }
    let stacks: Vec<Value> = primary.iter().filter_map(|label| stack(subject, label)).collect();
    if !stacks.is_empty() {
        result["stacks"] = stacks.into();
    }
    if let Some(reason) = &finding.dismissed {
        result["suppressions"] = json!([{ "kind": "external", "justification": reason }]);
    }
    result
}

/// The calls of each thread of each rank, in the order that it made them.
fn thread_flows(subject: &Subject, finding: &Finding) -> Vec<Value> {
    let mut flows: BTreeMap<(Option<u32>, u32), Vec<&Label>> = BTreeMap::new();
    for label in &finding.labels {
        flows.entry(subject.speaker(label)).or_default().push(label);
    }
    let flow = |((rank, thread), mut labels): ((Option<u32>, u32), Vec<&Label>)| {
        labels.sort_by_key(|label| label.place.event);
        let rank = rank.map_or_else(|| "a process without a rank".to_owned(), |rank| format!("rank {rank}"));
        let name = if thread == 0 { rank } else { format!("{rank}, thread {thread}") };
        let step = |label: &&Label| {
            let importance = if label.primary { "essential" } else { "important" };
            json!({ "location": location(subject, label), "importance": importance })
        };
        json!({ "id": name, "message": { "text": name }, "locations": labels.iter().map(step).collect::<Vec<_>>() })
    };
    flows.into_iter().map(flow).collect()
}

/// Where a call was made, and its part in the finding.
fn location(subject: &Subject, label: &Label) -> Value {
    let call = subject.call(label).map(calls::summary);
    let (rank, _) = subject.speaker(label);
    let who = rank.map(|rank| format!("rank {rank}:"));
    let text: Vec<String> = who.into_iter().chain(call).chain([label.text.clone()]).collect();
    let mut value = json!({ "message": { "text": text.join(" ") } });
    let Some(place) = subject.location(label) else { return value };
    if let Some(function) = &place.function {
        value["logicalLocations"] = json!([{ "name": function, "kind": "function" }]);
    }
    value["physicalLocation"] = physical(&place);
    value
}

/// What led to a call, if that is more than its own line.
fn stack(subject: &Subject, label: &Label) -> Option<Value> {
    let frames = subject.stack(label)?.frames;
    let frame = |place: &Location| {
        let mut location = json!({ "physicalLocation": physical(place) });
        if let Some(function) = &place.function {
            location["logicalLocations"] = json!([{ "name": function, "kind": "function" }]);
        }
        json!({ "location": location })
    };
    let rank = subject.speaker(label).0.map_or_else(|| "a process".to_owned(), |rank| format!("rank {rank}"));
    (frames.len() > 1).then(|| json!({ "message": { "text": rank }, "frames": frames.iter().map(frame).collect::<Vec<_>>() }))
}

/// A line of a source, or an address in a binary.
fn physical(place: &Location) -> Value {
    let Some((file, line)) = place.file.as_ref().zip(place.line.filter(|&line| line > 0)) else {
        return json!({
            "artifactLocation": { "uri": uri(&place.object) },
            "address": { "relativeAddress": place.offset, "kind": "instruction" },
        });
    };
    let mut artifact = json!({ "uri": uri(file) });
    if !file.starts_with('/') {
        artifact["uriBaseId"] = "SRCROOT".into();
    }
    let mut region = json!({ "startLine": line });
    if let Some(column) = place.column.filter(|&column| column > 0) {
        region["startColumn"] = column.into();
    }
    json!({ "artifactLocation": artifact, "region": region })
}

/// A path as a URI reference (RFC 3986): what is not unreserved is escaped, byte by byte.
fn uri(path: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let escaped: String = path.bytes().map(escape).collect();
    if path.starts_with('/') { format!("file://{escaped}") } else { escaped }
}
