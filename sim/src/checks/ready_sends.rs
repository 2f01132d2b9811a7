//! Ready sends whose receive was not posted before: `match/ready-send`.
//!
//! That it was there is proved by an order of calls from the receive to the send (`order`). Where the order is the other way round, the send is
//! wrong in every run; where there is none, time alone made it right or wrong.

use traces::Function;
use traces::function::mpi;

use super::gathered::{First, Gathered};
use super::wording::ranks;
use super::{Evidence, Report, primary, secondary};
use crate::finding::{Collective, Finding, Message, Place, Severity};
use crate::order::Order;
use crate::program::{Flow, Op, Then};
use crate::rules;

fn is_ready(function: Function) -> bool {
    matches!(function.small(), mpi::RSEND | mpi::IRSEND)
}

/// Whether there are ready sends.
pub(super) fn are_any(evidence: Evidence) -> bool {
    evidence.trace.calls.iter().any(|call| is_ready(call.function))
}

/// One finding for each line.
pub(super) fn check(evidence: Evidence, report: &Report) -> Vec<Finding> {
    if !are_any(evidence) {
        return Vec::new();
    }
    let sent: Vec<Message> =
        report.messages.iter().filter(|message| is_ready(evidence.call(message.send).function)).copied().collect();
    let order = |collectives: &[Collective]| {
        let asked = sent.iter().flat_map(|message| [message.send, message.receive]);
        Order::of(evidence.program, &report.messages, collectives, asked)
    };
    let certain: Vec<Collective> = report.collectives.iter().filter(|c| holds_all(evidence, c)).cloned().collect();
    let (Some(at_most), Some(at_least)) = (order(&report.collectives), order(&certain)) else { return Vec::new() };
    let mut found: Gathered<(Severity, First<Place>)> = Gathered::default();
    for message in &sent {
        if at_most.is_before(message.receive, message.send) != Some(false) {
            continue;
        }
        let is_too_late = at_least.is_before(message.send, message.receive) == Some(true);
        let severity = if is_too_late { Severity::Error } else { Severity::Warning };
        found.add(evidence, (severity, First(message.receive)), evidence.rank(message.send), message.send);
    }
    let told = found.groups().map(|group| {
        let (severity, First(receive)) = group.key;
        let calls = if group.who().len() == 1 { "calls" } else { "call" };
        let what = match severity {
            Severity::Error => "before its receive is posted",
            _ => "and nothing sees to it that its receive is posted before",
        };
        let title = format!("{} {calls} {} {what}", ranks(&group.who()), evidence.function(group.first));
        let mut found = Finding::new(&rules::MATCH_READY_SEND, severity, title);
        found.labels.push(primary(group.first, "needs a receive that is there".into()));
        found.labels.push(secondary(receive, "receives the message".into()));
        found
    });
    told.collect()
}

/// Whether no member of a collective comes back before all have come.
fn holds_all(evidence: Evidence, collective: &Collective) -> bool {
    let program = evidence.program;
    collective.calls.iter().all(|place| {
        let step = program.lanes[place.lane as usize].steps[place.event as usize];
        let Op::Collective { collective, then: Then::Return } = program.ops[step as usize] else { return false };
        program.collectives[collective as usize].flow == Flow::All
    })
}
