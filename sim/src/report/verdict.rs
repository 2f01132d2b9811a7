//! What a report comes to: the one word that decides the exit code, and the lines that sum it up.

use traces::Ending;

use super::numbers::counted;
use super::style::{Role, Style};
use super::wrap::wrap;
use super::{Subject, ranks, severity_name};
use crate::finding::{Place, Severity};
use crate::rules::DEADLOCK_BUFFERING;
use crate::{Buffering, decide};

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong, or nothing that is bad enough.
    Clean,
    /// There are findings that are bad enough.
    Findings,
    /// There are none, and the run did not come to its end or the trace is incomplete, so that there may be.
    Undecided,
}

impl Verdict {
    /// The word for it in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Clean => "clean",
            Verdict::Findings => "findings",
            Verdict::Undecided => "undecided",
        }
    }
}

impl Subject<'_> {
    /// What the check comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.report.findings.iter().any(|finding| finding.dismissed.is_none() && finding.severity >= self.fail_on) {
            Verdict::Findings
        } else if self.gaps().is_empty() {
            Verdict::Clean
        } else {
            Verdict::Undecided
        }
    }

    /// What of the run is not in the trace, so that finding nothing proves nothing.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = self.trace.damage.clone();
        if self.trace.event_count() == 0 {
            gaps.push("no call of MPI is in the trace".to_owned());
        }
        if self.report.decision.as_ref().is_some_and(|decision| decision.is_cut) {
            gaps.push("a limit was reached before all schedules were decided".to_owned());
        }
        if self.trace.world_size == 0 && self.trace.event_count() > 0 {
            gaps.push("no process came out of MPI_Init".to_owned());
        }
        // What became of a process whose recording stopped is not known.
        let is_open = |process: &&traces::Process| process.ending != Ending::Finalized && process.stopped.is_empty();
        let processes = self.trace.processes.iter().filter(is_open);
        let open = processes.filter_map(|process| Some((process.rank?, process.is_running)));
        let (running, unfinished): (Vec<_>, Vec<_>) = open.partition(|(_, is_running)| *is_running);
        let ranks = |list: Vec<(u32, bool)>| list.into_iter().map(|(rank, _)| rank).collect::<Vec<u32>>();
        let (running, unfinished) = (ranks(running), ranks(unfinished));
        if !running.is_empty() {
            let are = if running.len() == 1 { "is" } else { "are" };
            gaps.push(format!("{} {are} still running", ranks::list(&running)));
        }
        if !unfinished.is_empty() {
            gaps.push(format!("{} did not come to the end of MPI_Finalize", ranks::list(&unfinished)));
        }
        if running.is_empty() && unfinished.is_empty() {
            gaps.extend(self.not_carried_out());
        }
        gaps
    }

    /// Whether a process was still running when the trace was read.
    fn is_running(&self) -> bool {
        self.trace.processes.iter().any(|process| process.is_running)
    }

    /// The ranks that the machine could not bring to their end, and where the first of them stands.
    fn not_carried_out(&self) -> Option<String> {
        let first = self.report.stopped.first()?;
        let rank_of = |place: &Place| self.trace.lanes.get(place.lane as usize).and_then(|lane| lane.rank);
        let mut ranks: Vec<u32> = self.report.stopped.iter().filter_map(rank_of).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let event = self.trace.lanes.get(first.lane as usize)?.events.get(first.event as usize)?;
        let call = self.trace.call(event.call);
        let location = self.line(call);
        let line = location.and_then(|l| Some(format!(", {}:{}", l.file?, l.line?))).unwrap_or_default();
        let count = counted(ranks.len() as u64, "rank");
        Some(format!(
            "the calls of {count} could not all be carried out: rank {} stands in {}{line}",
            rank_of(first)?,
            call.function
        ))
    }
}

/// What is known of all other schedules, in one sentence.
fn schedules(subject: &Subject) -> Option<String> {
    let decision = subject.report.decision.as_ref()?;
    let one = |(buffering, verdict): &(Buffering, decide::Verdict)| {
        let name = super::json::buffering_name(Some(*buffering));
        match verdict {
            decide::Verdict::Safe => format!("{name} safe"),
            decide::Verdict::Stuck(_) => format!("{name} deadlock"),
            decide::Verdict::Undecided(_) => format!("{name} undecided"),
        }
    };
    if decision.verdicts.is_empty() {
        return Some(format!("not decided over all schedules: {}", decision.open.join("; ")));
    }
    let verdicts: Vec<String> = decision.verdicts.iter().map(one).collect();
    let mut text = format!("over all schedules of these calls, by buffering: {}", verdicts.join(", "));
    if !decision.relies_on.is_empty() {
        let lines: Vec<String> = decision.relies_on.iter().map(|place| line_of(subject, *place)).collect();
        text += &format!("; safe if the sends of {} are buffered", lines.join(" and "));
    }
    Some(text)
}

/// A call as `halo.c:12`, or as well as it can be named.
fn line_of(subject: &Subject, place: Place) -> String {
    let event = subject.trace.lanes[place.lane as usize].events[place.event as usize];
    let location = subject.line(subject.trace.call(event.call));
    match location.and_then(|location| location.file.zip(location.line)) {
        Some((file, line)) => format!("{file}:{line}"),
        None => format!("rank {}, call {}", subject.trace.lanes[place.lane as usize].rank.unwrap_or_default(), place.event),
    }
}

/// How many findings do not count, by reason.
fn dismissed(subject: &Subject) -> Option<String> {
    let mut reasons: Vec<(&str, u64)> = Vec::new();
    for reason in subject.report.findings.iter().filter_map(|finding| finding.dismissed.as_deref()) {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, times)) => *times += 1,
            None => reasons.push((reason, 1)),
        }
    }
    let total: u64 = reasons.iter().map(|(_, times)| times).sum();
    let list: Vec<String> = reasons.iter().map(|(reason, times)| format!("{times} ({reason})")).collect();
    let do_not = if total == 1 { "does not count" } else { "do not count" };
    (total > 0).then(|| format!("{} {do_not}: {}", counted(total, "finding"), list.join(", ")))
}

/// For which outcomes of the recorded run that holds.
fn assumptions(subject: &Subject) -> Vec<String> {
    let decision = subject.report.decision.iter().filter(|decision| !decision.verdicts.is_empty());
    decision
        .flat_map(|decision| &decision.assumed)
        .map(|(what, place)| {
            let rank = subject.trace.lanes[place.lane as usize].rank.unwrap_or_default();
            format!("as in the recorded run is left, for rank {rank} and others like it: {what}")
        })
        .collect()
}

/// The last lines of a text report.
pub(super) fn closing(subject: &Subject, style: &Style) -> String {
    let verdict = subject.verdict();
    let mut out = String::new();
    let mut notes: Vec<String> = Vec::new();
    let damage = || subject.trace.damage.clone();
    notes.extend(if verdict == Verdict::Undecided { subject.gaps() } else { damage() });
    notes.extend(subject.report.caveats.iter().filter(|caveat| !subject.trace.damage.contains(caveat)).cloned());
    notes.extend(assumptions(subject));
    notes.extend(dismissed(subject));
    for note in &notes {
        for (at, line) in wrap(note, style.rest(6)).iter().enumerate() {
            let head = if at == 0 { style.paint(Role::Note, "note") + ": " } else { " ".repeat(6) };
            out += &format!("{head}{line}\n");
        }
    }
    let [found, basis] = [found(subject, verdict), basis(subject)];
    let role = match verdict {
        Verdict::Clean => Role::Good,
        Verdict::Findings => Role::Title,
        Verdict::Undecided => Role::Warning,
    };
    for line in wrap(&found, style.rest(0)) {
        out += &format!("{}\n", style.paint(role, &line));
    }
    for line in std::iter::once(basis).chain(schedules(subject)).flat_map(|line| wrap(&line, style.rest(0))) {
        out += &format!("{line}\n");
    }
    out
}

/// `1 error, 2 warnings in 4 ranks, 12,345 calls; 4 of 4 finished`.
fn found(subject: &Subject, verdict: Verdict) -> String {
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let counts: Vec<String> = severities
        .into_iter()
        .map(|severity| (subject.count(severity) as u64, severity_name(severity)))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| counted(count, name))
        .collect();
    let (finished, size) = (subject.report.finished_ranks, subject.trace.world_size);
    let (ranks, calls) = (counted(size.into(), "rank"), counted(subject.report.calls, "call"));
    if verdict == Verdict::Clean && counts.is_empty() {
        let messages = counted(subject.report.message_count(), "message");
        let collectives = counted(subject.report.collective_count(), "collective operation");
        return format!("nothing wrong in {ranks}, {calls}: {messages} and {collectives}");
    }
    let undecided = if verdict == Verdict::Undecided { "undecided: " } else { "" };
    let what = if counts.is_empty() { "nothing wrong so far".to_owned() } else { counts.join(", ") };
    let end = if subject.is_running() { "still running".to_owned() } else { format!("{finished} of {size} finished") };
    format!("{undecided}{what} in {ranks}, {calls}; {end}")
}

/// What was looked for, and under which assumptions the answer holds.
fn basis(subject: &Subject) -> String {
    let findings: Vec<_> = subject.report.findings.iter().filter(|finding| finding.dismissed.is_none()).collect();
    if let Some(schedule) = &subject.options.schedule {
        return format!("judged by the schedule {schedule}");
    }
    let buffering = match subject.options.buffering {
        Some(Buffering::Zero) => "sends that wait for their receives (--buffering zero)".to_owned(),
        Some(Buffering::Infinite) => "every send buffered (--buffering infinite)".to_owned(),
        Some(Buffering::Any) => "each send buffered or not (--buffering any)".to_owned(),
        Some(Buffering::Eager(bytes)) => {
            format!("sends of up to {} buffered (--buffering eager={bytes})", counted(bytes, "byte"))
        }
        None if findings.iter().any(|finding| finding.rule == &DEADLOCK_BUFFERING) => {
            "sends buffered as in the run (--buffering zero makes it an error to need that)".to_owned()
        }
        None => "sends buffered or not".to_owned(),
    };
    if findings.is_empty() {
        return format!("checked: deadlock, lost and mismatched messages, collectives, requests, leaks; with {buffering}");
    }
    format!("judged with {buffering}")
}
