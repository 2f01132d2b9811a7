//! What is wrong with a program, from what the machine found out.
//!
//! Each family of rules has a file. A check reports only what is proved: what ranks might do whose recording ends early, or what a call
//! means that is not modelled, is never held against a program. One mistake is one finding, on however many ranks it shows.

mod absent;
mod across;
mod arguments;
mod arrivals;
mod buffers;
mod cancels;
mod clashes;
mod collective_data;
mod collectives;
mod completions;
mod contents;
mod cores;
mod deadlocks;
mod ends;
mod file_races;
mod gathered;
mod hangs;
mod in_flight;
mod leaks;
mod near_misses;
mod one_sided;
mod orphans;
mod polls;
mod probes;
mod race_findings;
mod races;
mod ready_sends;
mod recorded;
mod requests;
mod rivals;
mod schedules;
mod sharing;
mod standing;
mod started;
mod touches;
mod types;
mod usage;
mod wildcards;
mod wording;

use traces::{Call, Trace};

use crate::accesses::{self, Walk};
use crate::finding::{Finding, Label, Place, Report};
use crate::lift::{Lifted, lift};
use crate::machine::{Assumptions, Log, Machine, Record, Remains, Timeless};
use crate::program::{End, Mode, Program};
use crate::{Buffering, Decision, Limits, Options, Schedule, Severity, Verdict};
use deadlocks::Judgement;
use in_flight::Meetings;
use recorded::Recorded;
pub(crate) use schedules::messages_under;
use standing::Standing;
use wildcards::Exact;

/// What the checks look at.
#[derive(Clone, Copy)]
struct Evidence<'a> {
    trace: &'a Trace,
    lifted: &'a Lifted,
    program: &'a Program,
    remains: &'a Remains,
    standing: &'a Standing,
}

impl<'a> Evidence<'a> {
    fn call(&self, place: Place) -> &'a Call {
        let event = &self.trace.lanes[place.lane as usize].events[place.event as usize];
        self.trace.call(event.call)
    }

    /// Whether only the newest calls were kept.
    fn is_tail(&self) -> bool {
        self.trace.lanes.iter().any(|lane| lane.cut.is_some())
    }

    /// Whether every process came to the end of MPI and nothing is missing: then what was left undone never will be done.
    fn is_complete(&self) -> bool {
        self.trace.damage.is_empty() && self.program.lanes.iter().all(|lane| lane.end == End::Finalized)
    }
}

/// Whether every process called MPI_Finalize, whatever became of it there, and nothing is missing: what they have by then they keep. Libraries fail
/// of what is left to them, in that very call.
fn have_all_called_finalize(evidence: Evidence) -> bool {
    let trace = evidence.trace;
    let calls_it = |lane: &traces::Lane| lane.events.last().is_some_and(|e| trace.call(e.call).function == traces::mpi::FINALIZE);
    let ends = |rank| trace.lanes[trace.lanes_of(rank)].iter().any(calls_it);
    trace.damage.is_empty() && (0..trace.world_size).all(|rank| ends(rank) && !evidence.program.has_threads(rank))
}

/// Runs a program and says what is wrong with it.
pub(crate) fn check(trace: &Trace, options: &Options, limits: &Limits) -> Report {
    let lifted = lift(trace);
    if let Some(schedule) = &options.schedule {
        return follow(trace, &lifted, schedule);
    }
    let program = &lifted.program;
    let mut recorded = Recorded::of(trace, program, options.is_brief);
    let mut report = Report {
        calls: program.lanes.iter().map(|lane| lane.steps.len() as u64).sum(),
        finished_ranks: finished_ranks(trace),
        stopped: recorded.remains.stopped.clone(),
        caveats: caveats(trace, program, &recorded.log),
        ..Report::default()
    };
    recorded.list(&mut report);
    if recorded.is_assumed() {
        let caveat = "what a wildcard took in a call that never returned is not recorded: what makes it wait is assumed";
        report.caveats.push(caveat.into());
    }
    let (recorded, log) = (&recorded, &recorded.log);
    let standing = Standing::of(program, &recorded.remains);
    let evidence = Evidence { trace, lifted: &lifted, program, remains: &recorded.remains, standing: &standing };
    let mut walk = accesses::survey(trace, &lifted);
    let may_race = clashes::may_be(evidence, &walk);
    if may_race || one_sided::is_any_wrong(evidence, &walk) {
        walk = accesses::walk(trace, &lifted);
    }
    report.findings = findings(evidence, log, &walk);
    let is_clear = is_clear(evidence, log, &report);
    let has_all_calls = trace.paused_ranks().is_empty() && !evidence.is_tail();
    let meetings = if has_all_calls { in_flight::meetings(evidence) } else { Meetings::default() };
    let (probes, pairs) =
        if is_clear { (probes::pairs(evidence), file_races::pairs(evidence)) } else { (Vec::new(), Vec::new()) };
    let is_ordered = is_clear && (may_race || ready_sends::are_any(evidence) || !probes.is_empty() || !pairs.is_empty());
    if is_ordered || meetings.are_exchanges() || log.is_alarmed || arrivals::may_be_unattended(trace) {
        recorded.list_all(trace, &mut report);
    }
    let found = in_flight::check(evidence, meetings, &report, is_clear);
    report.findings.extend(found);
    if is_clear {
        let mut found = races::check(evidence, &walk, &report);
        found.extend(ready_sends::check(evidence, &report));
        found.extend(probes::check(evidence, probes, &report));
        found.extend(file_races::check(evidence, pairs, &report));
        report.findings.extend(found);
    }
    report.findings.extend(arrivals(evidence, log, &report));
    in_flight::drop_consequences(evidence, &mut report.findings);
    // A run that is stuck needs no other library to be so.
    let is_stuck = standing.is_stuck.contains(&true);
    match options.buffering {
        None => report.findings.extend(needs_luck(evidence, log, &report.findings)),
        Some(buffering) if !is_stuck && trace.paused_ranks().is_empty() => judge_by(evidence, buffering, &mut report),
        Some(_) => {}
    }
    let mut exact = Exact::default();
    if is_sound(evidence, log) && evidence.is_complete() {
        exact = decide(evidence, options, limits, &mut report);
    }
    if is_clear {
        if wildcards::are_any(evidence, &report, &exact) || completions::are_any(evidence, &report) {
            recorded.list_all(trace, &mut report);
        }
        let mut found = wildcards::check(evidence, &report, exact);
        found.extend(completions::check(evidence, &report));
        found.extend(polls::check(evidence));
        report.findings.extend(found);
    }
    let findings = &report.findings;
    let ends = ends::check(evidence, findings);
    report.findings.extend(ends);
    started::name_what_was_started(evidence, &mut report.findings);
    report.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    report
}

/// Runs a program as it was recorded, and writes nothing down. Gives how many lanes are left in a call.
pub(crate) fn run(trace: &Trace) -> usize {
    let lifted = lift(trace);
    let mut machine = Machine::new(&lifted.program, Assumptions::RECORDED, Timeless, Record::Misfits);
    machine.run();
    machine.remains().stopped.len()
}

/// Runs a program as a schedule has it, and says what goes wrong there.
fn follow(trace: &Trace, lifted: &Lifted, schedule: &Schedule) -> Report {
    let program = &lifted.program;
    let choices = schedule.choices();
    let mut machine = Machine::new(program, schedule.assumptions(), Timeless, Record::Everything).with_choices(&choices);
    machine.run();
    let remains = machine.remains();
    let standing = Standing::of(program, &remains);
    let evidence = Evidence { trace, lifted, program, remains: &remains, standing: &standing };
    let judgement = match schedule.buffering() {
        Buffering::Infinite => Judgement::Deadlock,
        _ => Judgement::NeedsBuffering(Severity::Error),
    };
    let mut found = contents::check(evidence, machine.log());
    found.extend(deadlocks::report(evidence, &Remains::default(), judgement, &[]));
    let ranks = remains.stopped.iter().map(|place| evidence.rank(*place));
    let stopped = u32::try_from(wording::distinct(ranks).len()).unwrap_or(u32::MAX);
    // In a run that was thought up, what is close to what is chance: there are no near misses.
    found.extend(orphans::check(evidence, &[]));
    started::name_what_was_started(evidence, &mut found);
    Report {
        calls: program.lanes.iter().map(|lane| lane.steps.len() as u64).sum(),
        finished_ranks: program.world_size.saturating_sub(stopped),
        stopped: remains.stopped.clone(),
        messages: machine.log().take_messages(),
        collectives: std::mem::take(&mut machine.log().collectives),
        caveats: caveats(trace, program, machine.log()),
        findings: found,
        ..Report::default()
    }
}

/// Adds to a report what other schedules would show. Gives what each wildcard can take, where that is decided.
fn decide(evidence: Evidence, options: &Options, limits: &Limits, report: &mut Report) -> Exact {
    let (found, decision, exact) = schedules::check(evidence, options.buffering, limits, &report.findings);
    report.findings.extend(found);
    let is_safe =
        |(buffering, verdict): &(Buffering, Verdict)| Some(*buffering) == options.buffering && *verdict == Verdict::Safe;
    if decision.as_ref().is_some_and(|decision| decision.verdicts.iter().any(is_safe)) {
        // The recorded matches may not be those that such a library comes to; all that it does come to get through.
        report.finished_ranks = evidence.program.world_size;
        report.stopped.clear();
    }
    report.decision = decision;
    exact
}

/// Decides over all schedules of a run that came to its end, and looks for nothing else.
pub(crate) fn decide_only(trace: &Trace, bufferings: &[Buffering], limits: &Limits) -> Decision {
    let lifted = lift(trace);
    let remains = Remains::default();
    let standing = Standing::of(&lifted.program, &remains);
    let evidence = Evidence { trace, lifted: &lifted, program: &lifted.program, remains: &remains, standing: &standing };
    schedules::decide(evidence, bufferings, limits)
}

/// What arrived as other data than was sent, where it is certain who received what.
fn arrivals(evidence: Evidence, log: &Log, report: &Report) -> Vec<Finding> {
    if is_sound(evidence, log) && log.restarted.is_empty() { arrivals::check(evidence, &report.messages) } else { Vec::new() }
}

/// Whether it is certain which calls belong together, so that their order can be told.
fn is_clear(evidence: Evidence, log: &Log, report: &Report) -> bool {
    let is_mixed_up = report.findings.iter().any(|finding| finding.rule.name.starts_with("collective/"));
    is_sound(evidence, log) && !is_mixed_up && evidence.trace.paused_ranks().is_empty() && !evidence.is_tail()
}

/// What is wrong with the run as it was recorded.
fn findings(evidence: Evidence, log: &Log, walk: &Walk) -> Vec<Finding> {
    if !evidence.trace.paused_ranks().is_empty() {
        // What seems to meet may not have met. Those who wait for each other at the end wait for calls that they never came to.
        let mut found = arguments::check(evidence, log);
        found.extend(deadlocks::check(evidence, &[], &found));
        return found;
    }
    let mut found = collectives::check(evidence, log);
    found.extend(arguments::check(evidence, log));
    found.extend(buffers::check(evidence));
    found.extend(touches::check(evidence));
    // What a process has done to its objects may have been dropped.
    if !evidence.is_tail() {
        found.extend(contents::check(evidence, log));
        found.extend(cancels::check(evidence));
        found.extend(types::check(evidence));
        found.extend(usage::check(evidence));
        found.extend(requests::check_uses(evidence, log));
    }
    // Without the calls before it nobody knows what epoch a call is in.
    if evidence.trace.damage.is_empty() {
        found.extend(one_sided::check(evidence, walk));
    }
    let near_misses = near_misses::find(evidence);
    // Where the machine contradicts the recording, what it says of waiting ranks proves nothing.
    if log.forced.is_empty() || !evidence.trace.damage.is_empty() && !evidence.is_tail() {
        found.extend(deadlocks::check(evidence, &near_misses, &found));
    }
    let restarts = restarts(evidence, log);
    let has_restarts = !restarts.is_empty();
    found.extend(restarts);
    if is_sound(evidence, log) {
        // What a library makes of a second start is anybody's guess: one message or two.
        if !has_restarts {
            found.extend(orphans::check(evidence, &near_misses));
        }
        found.extend(requests::check(evidence));
        if evidence.is_complete() {
            let absent = absent::check(evidence, &found);
            found.extend(absent);
        }
        if evidence.is_complete() || have_all_called_finalize(evidence) {
            found.extend(leaks::check(evidence));
        }
    }
    found
}

/// Requests that are started while they are active. After that a rank may go other ways than the machine.
fn restarts(evidence: Evidence, log: &Log) -> Vec<Finding> {
    let is_after = |place: &Place| log.restarted.iter().any(|(again, _)| again.lane == place.lane && again.event < place.event);
    let is_certain = evidence.trace.damage.is_empty() && log.forced.iter().all(is_after);
    if is_certain { requests::check_restarts(evidence, log) } else { Vec::new() }
}

/// Whether the machine and the recording agree, and nothing is missing.
fn is_sound(evidence: Evidence, log: &Log) -> bool {
    log.forced.is_empty() && evidence.trace.damage.is_empty()
}

/// Runs the program with the library that the user asks about, and adds what gets stuck there. What the messages of the recorded run tell
/// stays as it is.
fn judge_by(recorded: Evidence, buffering: Buffering, report: &mut Report) {
    let mut machine = Machine::new(recorded.program, assumptions(buffering), Timeless, Record::Misfits);
    machine.run();
    let remains = machine.remains();
    let standing = Standing::of(recorded.program, &remains);
    let evidence = Evidence { remains: &remains, standing: &standing, ..recorded };
    report.stopped.clone_from(&remains.stopped);
    let judgement = match buffering {
        Buffering::Zero | Buffering::Eager(_) => Judgement::NeedsBuffering(Severity::Error),
        Buffering::Infinite | Buffering::Any => Judgement::Deadlock,
    };
    report.findings.extend(deadlocks::report(evidence, recorded.remains, judgement, &report.findings));
}

/// Runs the program once more with a library that buffers nothing, and with one whose collectives wait for all their members: what waits for
/// ever then, only works by luck.
fn needs_luck(recorded: Evidence, log: &Log, known: &[Finding]) -> Vec<Finding> {
    let program = recorded.program;
    let has_error = known.iter().any(|finding| finding.severity == Severity::Error);
    if !is_sound(recorded, log) || !program.turns.is_empty() || has_error {
        return Vec::new();
    }
    let has_sends = program.sends.iter().any(|send| send.mode == Mode::Standard);
    // Alone, collectives do not get stuck; and who sends nothing waits for nothing else.
    let has_both = !program.sends.is_empty() && !program.collectives.is_empty();
    let by_buffering = if has_sends { needs(recorded, Assumptions::UNBUFFERED, known) } else { Vec::new() };
    if !by_buffering.is_empty() || !has_both {
        return by_buffering;
    }
    // A fence need not wait, and who relies on that is right (12.5.1).
    let is_fence = |label: &Label| recorded.call(label.place).function == traces::mpi::WIN_FENCE;
    let by_collectives = needs(recorded, Assumptions::SYNCHRONISING, known).into_iter();
    by_collectives.filter(|finding| !finding.labels.iter().any(is_fence)).collect()
}

/// What gets stuck under these assumptions.
fn needs(recorded: Evidence, assumptions: Assumptions, known: &[Finding]) -> Vec<Finding> {
    let mut machine = Machine::new(recorded.program, assumptions, Timeless, Record::Misfits);
    machine.run();
    let remains = machine.remains();
    let standing = Standing::of(recorded.program, &remains);
    let evidence = Evidence { remains: &remains, standing: &standing, ..recorded };
    deadlocks::report(evidence, recorded.remains, Judgement::NeedsBuffering(Severity::Warning), known)
}

fn assumptions(buffering: Buffering) -> Assumptions {
    let by_data = Assumptions { facts: false, ..Assumptions::RECORDED };
    match buffering {
        Buffering::Zero => Assumptions::STRICT,
        Buffering::Eager(bytes) => Assumptions { eager_bytes: Some(bytes), ..by_data },
        Buffering::Infinite | Buffering::Any => by_data,
    }
}

/// How many ranks called MPI_Finalize.
fn finished_ranks(trace: &Trace) -> u32 {
    let is_finalize = |event: &traces::Event| trace.call(event.call).function == traces::mpi::FINALIZE;
    let has_finalize =
        |rank: &u32| trace.lanes[trace.lanes_of(*rank)].iter().any(|lane| lane.events.iter().rev().any(is_finalize));
    u32::try_from((0..trace.world_size).filter(has_finalize).count()).unwrap_or(u32::MAX)
}

fn caveats(trace: &Trace, program: &Program, log: &Log) -> Vec<String> {
    let mut list = trace.damage.clone();
    list.extend(program.caveats.iter().cloned());
    list.extend(touches::caveats(trace));
    // Where calls are missing on purpose, that others do not fit is no news.
    if let Some(first) = log.forced.first().filter(|_| trace.paused_ranks().is_empty()) {
        let event = &trace.lanes[first.lane as usize].events[first.event as usize];
        list.push(format!(
            "{} returned in the recorded run though nothing in the trace tells why; the first is {} of rank {}, its call {}",
            wording::count(log.forced.len() as u64, "call"),
            trace.call(event.call).function,
            program.lanes[first.lane as usize].rank,
            first.event,
        ));
    }
    list
}

/// A label of the first call that a finding is about.
fn primary(place: Place, text: String) -> Label {
    Label { place, text, primary: true }
}

/// A label of another call.
fn secondary(place: Place, text: String) -> Label {
    Label { place, text, primary: false }
}
