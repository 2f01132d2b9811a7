//! What is wrong with a program, from what the machine found out.
//!
//! Each family of rules has a file. A check reports only what is proved: what ranks might do whose recording ends early, or what a call
//! means that is not modelled, is never held against a program. One mistake is one finding, on however many ranks it shows.

mod collective_data;
mod collectives;
mod contents;
mod cores;
mod deadlocks;
mod ends;
mod leaks;
mod near_misses;
mod orphans;
mod requests;
mod schedules;
mod standing;
mod wording;

use traces::{Call, Trace};

use crate::finding::{Finding, Label, Place, Report};
use crate::lift::{Lifted, lift};
use crate::machine::{Assumptions, Log, Machine, Remains, Timeless};
use crate::program::{End, Mode, Program};
use crate::rules::Rule;
use crate::{Buffering, Decision, Limits, Options, Severity, Verdict};
use deadlocks::Judgement;
use near_misses::NearMiss;
use standing::Standing;

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

    /// Whether every process came to the end of MPI and nothing is missing: then what was left undone never will be done.
    fn is_complete(&self) -> bool {
        self.trace.damage.is_empty() && self.program.lanes.iter().all(|lane| lane.end == End::Finalized)
    }
}

/// Runs a program and says what is wrong with it.
pub(crate) fn check(trace: &Trace, options: &Options, limits: &Limits) -> Report {
    let lifted = lift(trace);
    let program = &lifted.program;
    let choices = options.schedule.as_ref().map(crate::Schedule::choices);
    let assume = options.schedule.as_ref().map_or_else(|| assumptions(options.buffering), crate::Schedule::assumptions);
    let mut machine = Machine::new(program, assume, Timeless, true);
    if let Some(choices) = &choices {
        machine = machine.with_choices(choices);
    }
    machine.run();
    let remains = machine.remains();
    let standing = Standing::of(program, &remains);
    let evidence = Evidence { trace, lifted: &lifted, program, remains: &remains, standing: &standing };
    let mut report = Report {
        calls: program.lanes.iter().map(|lane| lane.steps.len() as u64).sum(),
        finished_ranks: finished_ranks(program, &remains),
        messages: machine.log().take_messages(),
        collectives: std::mem::take(&mut machine.log().collectives),
        caveats: caveats(trace, program, machine.log()),
        ..Report::default()
    };
    let judged = options.schedule.as_ref().map_or(options.buffering, |schedule| Some(schedule.buffering()));
    // In a run that was thought up, what is close to what is chance.
    let near_misses = if options.schedule.is_some() { Vec::new() } else { near_misses::find(evidence) };
    report.findings = findings(evidence, machine.log(), judged, &near_misses);
    if options.schedule.is_none() && is_sound(evidence, machine.log()) && evidence.is_complete() {
        decide(evidence, options, limits, &mut report);
    }
    report.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    report
}

/// Adds to a report what other schedules would show.
fn decide(evidence: Evidence, options: &Options, limits: &Limits, report: &mut Report) {
    let (found, decision) = schedules::check(evidence, options.buffering, limits, &report.findings);
    report.findings.extend(found);
    let is_safe =
        |(buffering, verdict): &(Buffering, Verdict)| Some(*buffering) == options.buffering && *verdict == Verdict::Safe;
    if decision.as_ref().is_some_and(|decision| decision.verdicts.iter().any(is_safe)) {
        // The recorded matches may not be those that such a library comes to; all that it does come to get through.
        report.finished_ranks = evidence.program.world_size;
    }
    report.decision = decision;
}

fn findings(evidence: Evidence, log: &Log, buffering: Option<Buffering>, near_misses: &[NearMiss]) -> Vec<Finding> {
    let mut found = collectives::check(evidence, log);
    found.extend(contents::check(evidence, log));
    // Where the machine contradicts the recording, what it says of waiting ranks proves nothing.
    if log.forced.is_empty() || !evidence.trace.damage.is_empty() {
        found.extend(deadlocks::check(evidence, near_misses, buffering, &found));
    }
    let is_sound = is_sound(evidence, log);
    if is_sound {
        found.extend(orphans::check(evidence, near_misses));
        found.extend(requests::check(evidence));
        if evidence.is_complete() {
            found.extend(leaks::check(evidence));
        }
    }
    found.extend(ends::check(evidence, &found));
    if is_sound
        && buffering.is_none()
        && evidence.program.turns.is_empty()
        && !found.iter().any(|f| f.severity == Severity::Error)
    {
        found.extend(check_buffering(evidence));
    }
    found
}

/// Whether the machine agrees with the recording, and nothing is missing.
fn is_sound(evidence: Evidence, log: &Log) -> bool {
    log.forced.is_empty() && evidence.trace.damage.is_empty()
}

/// Decides over all schedules of a run that came to its end, and looks for nothing else.
pub(crate) fn decide_only(trace: &Trace, bufferings: &[Buffering], limits: &Limits) -> Decision {
    let lifted = lift(trace);
    let remains = Remains::default();
    let standing = Standing::of(&lifted.program, &remains);
    let evidence = Evidence { trace, lifted: &lifted, program: &lifted.program, remains: &remains, standing: &standing };
    schedules::decide(evidence, bufferings, limits)
}

/// Runs the program once more with a library that buffers nothing: what waits for ever then, only works by luck.
fn check_buffering(recorded: Evidence) -> Vec<Finding> {
    if recorded.program.sends.iter().all(|send| send.mode != Mode::Standard) {
        return Vec::new();
    }
    let mut machine = Machine::new(recorded.program, Assumptions::UNBUFFERED, Timeless, false);
    machine.run();
    let remains = machine.remains();
    let standing = Standing::of(recorded.program, &remains);
    deadlocks::report(
        Evidence { remains: &remains, standing: &standing, ..recorded },
        Judgement::NeedsBuffering(Severity::Warning),
    )
}

fn assumptions(buffering: Option<Buffering>) -> Assumptions {
    let by_data = Assumptions { facts: false, ..Assumptions::RECORDED };
    match buffering {
        None => Assumptions::RECORDED,
        Some(Buffering::Zero) => Assumptions::STRICT,
        Some(Buffering::Eager(bytes)) => Assumptions { eager_bytes: Some(bytes), ..by_data },
        Some(Buffering::Infinite | Buffering::Any) => by_data,
    }
}

fn finished_ranks(program: &Program, remains: &Remains) -> u32 {
    let mut is_finished = vec![None; program.world_size as usize];
    for (lane, fate) in program.lanes.iter().zip(&remains.fates) {
        if let Some(rank) = is_finished.get_mut(lane.rank as usize) {
            let is_through = matches!(fate, crate::machine::Fate::Through(_));
            *rank = Some(rank.unwrap_or(true) && is_through);
        }
    }
    u32::try_from(is_finished.iter().filter(|rank| **rank == Some(true)).count()).unwrap_or(u32::MAX)
}

fn caveats(trace: &Trace, program: &Program, log: &Log) -> Vec<String> {
    let mut list = trace.damage.clone();
    list.extend(program.caveats.iter().cloned());
    if let Some(first) = log.forced.first() {
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

/// A finding without labels.
fn finding(rule: &'static Rule, severity: Severity, title: String) -> Finding {
    Finding { rule, severity, title, labels: Vec::new(), notes: Vec::new(), help: None }
}

/// A label of the first call that a finding is about.
fn primary(place: Place, text: String) -> Label {
    Label { place, text, primary: true }
}

/// A label of another call.
fn secondary(place: Place, text: String) -> Label {
    Label { place, text, primary: false }
}
