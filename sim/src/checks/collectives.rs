//! Members of a collective that disagree: `collective/order`, `collective/root`, `collective/operation`, `collective/type`,
//! `collective/in-place`.
//!
//! Each distinct meeting of calls is looked at once, however often it was repeated. After a wrong order on a communicator everything that
//! follows there is a consequence, and not reported.

use std::collections::BTreeMap;

use traces::constant::IN_PLACE;
use traces::function::mpi;
use traces::trace::is_made;
use traces::{Function, SiteId};

use super::wording::{count, distinct, ranks};
use super::{Evidence, across, collective_data, primary};
use crate::finding::{Finding, Label, Place, Severity};
use crate::lift::{Pattern, blocking_form};
use crate::machine::Log;
use crate::program::{CollectiveId, ContextId};
use crate::rules::{self, Rule};

/// Calls that met, or would have met.
#[derive(Clone, Copy)]
pub(super) struct Meeting<'a> {
    pub(super) context: ContextId,
    pub(super) number: u64,
    pub(super) calls: &'a [(Place, CollectiveId)],
}

/// One finding for each set of lines that disagree.
pub(super) fn check(evidence: Evidence, log: &Log) -> Vec<Finding> {
    let complete = log.gathered.iter().map(|g| Meeting { context: g.context, number: g.number, calls: &g.calls });
    let open = evidence.remains.collectives.iter().filter(|left| !left.is_finalize);
    let open = open.map(|left| Meeting { context: left.context, number: left.number.1, calls: &left.calls });
    let mut broken: Vec<ContextId> = Vec::new();
    let mut found = Findings::default();
    for meeting in complete.chain(open) {
        if broken.contains(&meeting.context) {
            continue;
        }
        if let Some(finding) = order(evidence, meeting) {
            broken.push(meeting.context);
            found.add(evidence, finding);
        } else if let Some(finding) = disagreement(evidence, meeting) {
            found.add(evidence, finding);
        }
    }
    found.list.into_iter().map(Told::into_finding).collect()
}

/// Findings, those of the same lines together.
#[derive(Default)]
struct Findings {
    list: Vec<Told>,
}

struct Told {
    finding: Finding,
    lines: Vec<Option<SiteId>>,
    times: u64,
}

impl Findings {
    fn add(&mut self, evidence: Evidence, finding: Finding) {
        let mut lines: Vec<Option<SiteId>> = finding.labels.iter().map(|l| evidence.call(l.place).site).collect();
        lines.sort_unstable();
        lines.dedup();
        let same = |told: &&mut Told| told.finding.rule == finding.rule && told.lines == lines && !lines.contains(&None);
        match self.list.iter_mut().find(same) {
            Some(told) => told.times += 1,
            None => self.list.push(Told { finding, lines, times: 1 }),
        }
    }
}

impl Told {
    fn into_finding(mut self) -> Finding {
        if self.times > 1 {
            self.finding.notes.push(format!("the same lines disagree in {} more ways", self.times - 1));
        }
        self.finding
    }
}

/// Different functions at the same point.
fn order(evidence: Evidence, meeting: Meeting) -> Option<Finding> {
    let groups = by(meeting, |_, collective| evidence.program.collectives[collective as usize].function.name());
    if groups.len() < 2 {
        return None;
    }
    let parts: Vec<String> = groups
        .values()
        .map(|calls| {
            let who = who(evidence, calls);
            format!("{who} {} {}", if calls.len() == 1 { "calls" } else { "call" }, evidence.called(calls[0]))
        })
        .collect();
    let mut found = Finding::new(&rules::COLLECTIVE_ORDER, Severity::Error, parts.join(" where "));
    let text = format!("is collective call {} on {}", meeting.number + 1, evidence.name_of(meeting.context));
    found.labels = groups.values().map(|calls| label(evidence, calls, &text)).collect();
    Some(found)
}

/// The same function, with arguments that do not agree.
fn disagreement(evidence: Evidence, meeting: Meeting) -> Option<Finding> {
    let (first, collective) = *meeting.calls.first()?;
    let function = evidence.program.collectives[collective as usize].function;
    let comm = evidence.call(first).int("comm")?;
    let view = evidence.lifted.communicators.view(comm, evidence.rank(first))?;
    if view.is_inter {
        // Roots mean other things in each of its groups.
        return across::check(evidence, meeting, function).or_else(|| collective_data::check(evidence, meeting, function));
    }
    let root = || {
        differing(evidence, meeting, function, &rules::COLLECTIVE_ROOT, ("root", ["names root", "name root"]), |call| {
            call.int("root")
        })
    };
    let operation = || {
        let name = |call: &traces::Call| call.int("op").filter(|op| !is_made(*op));
        differing(evidence, meeting, function, &rules::COLLECTIVE_OPERATION, ("op", ["reduces with", "reduce with"]), name)
    };
    let data = || collective_data::check(evidence, meeting, function);
    root().or_else(operation).or_else(data).or_else(|| in_place(evidence, meeting, function))
}

/// MPI_IN_PLACE on some ranks, where all have to give it or none. Most libraries put up with it.
fn in_place(evidence: Evidence, meeting: Meeting, function: Function) -> Option<Finding> {
    let (blocking, pattern) = blocking_form(function)?;
    // A prefix reduction takes what each rank has.
    let is_of_all = pattern == Pattern::AllToAll && function.parameter("sendbuf").is_some() && blocking != mpi::BARRIER;
    let groups = by(meeting, |place, _| evidence.call(place).int("sendbuf") == Some(IN_PLACE));
    let (Some(without), Some(with), true) = (groups.get(&false), groups.get(&true), is_of_all) else { return None };
    let verb = if with.len() == 1 { "gives" } else { "give" };
    let others = who(evidence, without);
    let (do_not, called) = (if without.len() == 1 { "does not" } else { "do not" }, evidence.called(with[0]));
    let title = format!("{} {verb} MPI_IN_PLACE to {called}, and {others} {do_not}", who(evidence, with));
    let mut found = Finding::new(&rules::COLLECTIVE_IN_PLACE, Severity::Warning, title);
    found.labels = vec![label(evidence, with, "gives MPI_IN_PLACE"), label(evidence, without, "gives a buffer")];
    Some(found)
}

/// An argument on which the calls differ. None is a value that cannot be compared, and agrees with every other of its kind.
fn differing(
    evidence: Evidence,
    meeting: Meeting,
    function: Function,
    rule: &'static Rule,
    (parameter, verbs): (&str, [&str; 2]),
    value: impl Fn(&traces::Call) -> Option<i64>,
) -> Option<Finding> {
    let kind = function.parameters().get(function.parameter(parameter)?)?.kind;
    let groups = by(meeting, |place, _| value(evidence.call(place)));
    if groups.len() < 2 {
        return None;
    }
    let text = |value: &Option<i64>| {
        value.map_or("one of its own".into(), |value| traces::call::value_text(kind, &traces::Value::Int(value)))
    };
    let parts: Vec<String> = groups
        .iter()
        .take(3)
        .map(|(value, calls)| {
            let verb = verbs[usize::from(calls.len() > 1)];
            format!("{} {verb} {}", who(evidence, calls), text(value))
        })
        .collect();
    let title = if groups.len() > 3 {
        format!("ranks disagree in {function} about the argument {parameter}: {}, and so on", parts[..2].join(", "))
    } else {
        format!("in {}, {}", evidence.called(meeting.calls[0].0), parts.join(" and "))
    };
    let mut found = Finding::new(rule, Severity::Error, title);
    found.labels =
        groups.iter().take(8).map(|(value, calls)| label(evidence, calls, &format!("{} {}", verbs[0], text(value)))).collect();
    Some(found)
}

/// The calls by what they have in common.
fn by<K: Ord>(meeting: Meeting, key: impl Fn(Place, CollectiveId) -> K) -> BTreeMap<K, Vec<Place>> {
    let mut groups: BTreeMap<K, Vec<Place>> = BTreeMap::new();
    for (place, collective) in meeting.calls {
        groups.entry(key(*place, *collective)).or_default().push(*place);
    }
    groups
}

fn who(evidence: Evidence, calls: &[Place]) -> String {
    ranks(&distinct(calls.iter().map(|place| evidence.rank(*place))))
}

/// A label of the first of these calls, which speaks for all.
fn label(evidence: Evidence, calls: &[Place], text: &str) -> Label {
    let others = distinct(calls[1..].iter().map(|place| evidence.rank(*place)));
    let text = if others.is_empty() { text.to_owned() } else { format!("{text}; likewise {}", ranks(&others)) };
    primary(calls[0], text)
}

/// A finding about the data of two calls.
pub(super) fn data_finding(evidence: Evidence, texts: [(Place, String); 2], others: u64) -> Finding {
    let [(a, gives), (b, takes)] = texts;
    let title = format!("in {}, rank {} {gives} and rank {} {takes}", evidence.called(a), evidence.rank(a), evidence.rank(b));
    let mut found = Finding::new(&rules::COLLECTIVE_TYPE, Severity::Error, title);
    found.labels = vec![primary(a, gives), primary(b, takes)];
    if others > 0 {
        found.notes.push(format!("{} more disagree", count(others, "pair")));
    }
    found
}
