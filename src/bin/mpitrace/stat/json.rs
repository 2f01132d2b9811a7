//! The profile for programs. `schema` grows when a name goes or changes its meaning, not when one is added; the help lists them.

use serde_json::{Map, Value, json};
use sim::profile::{SIZES, Sum, smallest};

use super::{Part, Subject};

const SCHEMA: u32 = 1;

/// The whole of it as one object.
pub fn render(subject: &Subject) -> String {
    let (trace, profile) = (subject.trace, &subject.profile);
    let total = profile.total();
    let mut out = json!({
        "schema": SCHEMA,
        "trace": subject.name,
        "world_size": trace.world_size,
        "calls": total.calls,
        "duration_ns": trace.end_ns(),
        "run_ns": profile.run_ns(),
        "time_ns": total.time_ns,
        "unknown_sizes": profile.unknown,
        "damage": trace.damage,
    });
    for part in &subject.parts {
        let (name, rows) = match part {
            Part::Function => ("functions", functions(subject)),
            Part::Site => ("sites", sites(subject)),
            Part::Rank => ("ranks", ranks(subject)),
            Part::Pair => ("pairs", pairs(subject)),
            Part::Size => ("sizes", sizes(subject)),
        };
        out[name] = rows;
    }
    format!("{out:#}\n")
}

/// The fields of a sum, after those that say what it is of.
fn with_sum(key: Value, sum: &Sum) -> Value {
    let Value::Object(mut row) = key else { return key };
    let fields = json!({
        "calls": sum.calls,
        "time_ns": sum.time_ns,
        "max_ns": sum.max_ns,
        "max_rank": sum.max_rank,
        "messages": sum.sent.count,
        "message_bytes": sum.sent.bytes,
        "handed_bytes": sum.handed_bytes,
        "got_bytes": sum.got_bytes,
        "read_bytes": sum.read_bytes,
        "written_bytes": sum.written_bytes,
    });
    row.extend(fields.as_object().cloned().unwrap_or_else(Map::new));
    Value::Object(row)
}

fn functions(subject: &Subject) -> Value {
    subject.profile.functions.iter().map(|(function, sum)| with_sum(json!({ "function": function.name() }), sum)).collect()
}

fn sites(subject: &Subject) -> Value {
    let row = |site: &super::Site| {
        let (function, method) = (site.function.name(), site.method);
        with_sum(json!({ "site": site.line, "function": function, "method": method, "stack": site.stack }), &site.sum)
    };
    subject.sites.iter().map(row).collect()
}

fn ranks(subject: &Subject) -> Value {
    let row = |rank: &sim::profile::RankSum| {
        let key = json!({
            "rank": rank.rank,
            "run_ns": rank.run_ns,
            "computing_ns": rank.computing_ns(),
            "received_messages": rank.received.count,
            "received_bytes": rank.received.bytes,
        });
        let mut row = with_sum(key, &rank.sum);
        // The rank of the longest call is the rank itself.
        row.as_object_mut().and_then(|fields| fields.remove("max_rank"));
        row
    };
    subject.profile.ranks.iter().map(row).collect()
}

fn pairs(subject: &Subject) -> Value {
    let pairs = subject.profile.pairs.iter();
    pairs
        .map(|((source, destination), sent)| {
            json!({ "source": source, "destination": destination, "messages": sent.count, "bytes": sent.bytes })
        })
        .collect()
}

fn sizes(subject: &Subject) -> Value {
    let sizes = subject.profile.sizes.iter().enumerate().filter(|(_, sent)| sent.count > 0);
    sizes
        .map(|(at, sent)| {
            let below = if at + 1 < SIZES { json!(smallest(at + 1)) } else { Value::Null };
            json!({ "from": smallest(at), "below": below, "messages": sent.count, "bytes": sent.bytes })
        })
        .collect()
}
