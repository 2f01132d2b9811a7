//! Messages that do not fit their receives: `match/truncated` and `match/type`.

use super::wording::count;
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Severity};
use crate::machine::{Log, Misfit};
use crate::rules;

/// One finding for each pair of lines in the program.
pub(super) fn check(evidence: Evidence, log: &Log) -> Vec<Finding> {
    let mut found: Vec<(Misfit, u64)> = Vec::new();
    for misfit in log.misfits() {
        let lines = |m: &Misfit| (evidence.call(m.send.0).site, evidence.call(m.receive.0).site);
        let same = |m: &Misfit| {
            let own = lines(&misfit);
            own.0.is_some() && lines(m) == own && is_truncated(evidence, m) == is_truncated(evidence, &misfit)
        };
        match found.iter_mut().find(|(known, _)| same(known)) {
            Some((_, times)) => *times += misfit.count,
            None => found.push((misfit, misfit.count)),
        }
    }
    found.into_iter().map(|(misfit, times)| misfit_finding(evidence, &misfit, times)).collect()
}

fn is_truncated(evidence: Evidence, misfit: &Misfit) -> bool {
    let (send, receive) = contents(evidence, misfit);
    send.bytes.zip(receive.bytes).is_some_and(|(bytes, room)| bytes > room)
}

fn contents(evidence: Evidence, misfit: &Misfit) -> (crate::layout::Content, crate::layout::Content) {
    let program = evidence.program;
    (program.sends[misfit.send.1 as usize].content, program.receives[misfit.receive.1 as usize].content)
}

fn misfit_finding(evidence: Evidence, misfit: &Misfit, times: u64) -> Finding {
    let (send, receive) = contents(evidence, misfit);
    let (from, to) = (evidence.rank(misfit.send.0), evidence.rank(misfit.receive.0));
    let (bytes, room) = (send.bytes.unwrap_or(0), receive.bytes.unwrap_or(0));
    let mut found = if bytes > room {
        let title = format!("rank {from} sent {} to rank {to}, which has room for {room}", count(bytes, "byte"));
        Finding::new(&rules::MATCH_TRUNCATED, Severity::Error, title)
    } else {
        let (sent, received) = evidence.program.layouts.difference(send, receive).map_or_else(
            || (String::from("one type"), String::from("another")),
            |(sent, received)| (sent.name(), received.name()),
        );
        let title = format!("rank {from} sent {sent} to rank {to}, which receives {received}");
        Finding::new(&rules::MATCH_TYPE, Severity::Error, title)
    };
    found.labels.push(primary(misfit.receive.0, format!("has room for {}", count(room, "byte"))));
    found.labels.push(secondary(misfit.send.0, format!("sent {}", evidence.send_text(misfit.send.1, misfit.send.0))));
    if times > 1 {
        found.notes.push(format!("it happens {times} times"));
    }
    found
}
