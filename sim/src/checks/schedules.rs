//! What other schedules of the recorded calls would show: deadlocks, lost and mismatched messages, other matches.
//!
//! A solver says what to try, and the machine tries it: only what the machine sees becomes a finding. Whatever may make the answer
//! wrong is said, and makes it no answer where it must.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use traces::function::Class;

use super::deadlocks::{self, Judgement};
use super::standing::Standing;
use super::wildcards::{Choice, Exact, Offer};
use super::{Evidence, contents, near_misses, orphans, secondary};
use crate::decide::{Answer, Decider, Decision, Library, Schedule, Session, Verdict};
use crate::finding::{Finding, Message, Place, Severity};
use crate::machine::{Machine, Record, Remains, Timeless};
use crate::program::{Mode, Peer, Program};
use crate::{Buffering, Limits};

/// Calls of these kinds are not modelled, and may hold ranks back.
const UNKNOWN: [(Class, &str); 2] = [(Class::OneSided, "one-sided communication"), (Class::Process, "dynamic processes")];
/// More changed matches than this are not labelled.
const CHANGES_MAX: usize = 4;
/// More messages that do not fit their receives are not tried.
const MISFITS_MAX: usize = 4;

/// What the machine found when it tried a schedule.
pub(super) struct Trial {
    remains: Remains,
    standing: Standing,
    log: crate::machine::Log,
}

/// Tries a schedule.
pub(super) fn replay(program: &Program, schedule: &Schedule) -> Trial {
    let choices = schedule.choices();
    let mut machine = Machine::new(program, schedule.assumptions(), Timeless, Record::Everything).with_choices(&choices);
    machine.run();
    let remains = machine.remains();
    let standing = Standing::of(program, &remains);
    Trial { remains, standing, log: std::mem::take(machine.log()) }
}

/// The messages of a run under this schedule.
pub(crate) fn messages_under(program: &Program, schedule: &Schedule) -> Vec<Message> {
    replay(program, schedule).log.take_messages()
}

impl Trial {
    /// Whether somebody is stuck for ever.
    pub(super) fn is_stuck(&self) -> bool {
        self.standing.is_stuck.contains(&true)
    }

    /// The same evidence, as of this run.
    pub(super) fn evidence<'a>(&'a self, recorded: Evidence<'a>) -> Evidence<'a> {
        Evidence { remains: &self.remains, standing: &self.standing, ..recorded }
    }
}

/// Whether other schedules may do anything else than the recorded run, apart from what is buffered.
fn has_freedom(program: &Program) -> bool {
    program.receives.iter().any(|receive| matches!(receive.from, Peer::Any(_)))
}

/// What makes the decision impossible that only the trace tells.
fn unknown_calls(recorded: Evidence) -> Vec<String> {
    let calls = &recorded.trace.calls;
    let used = UNKNOWN.iter().filter(|(class, _)| calls.iter().any(|call| call.function.class() == *class));
    let mut list: Vec<String> = used.map(|(_, name)| format!("the program uses {name}")).collect();
    if !recorded.program.turns.is_empty() {
        list.push("several threads of a rank call MPI".into());
    }
    list
}

/// Decides over all schedules, and says what it found.
pub(super) fn check(
    recorded: Evidence,
    buffering: Option<Buffering>,
    limits: &Limits,
    known: &[Finding],
) -> (Vec<Finding>, Option<Decision>, Exact) {
    if !has_freedom(recorded.program) {
        return (Vec::new(), None, Exact::default());
    }
    let (decider, decision) = prepare(recorded, limits);
    if !decision.open.is_empty() {
        return (Vec::new(), Some(decision), Exact::default());
    }
    let session = decider.begin(limits.budget(), &limits_of(buffering.as_slice()));
    let mut examination =
        Examination { recorded, decider: &decider, session, decision, found: Vec::new(), choices: Exact::default() };
    examination.deadlocks(buffering, known);
    examination.reliance();
    examination.matches();
    let is_open = |(_, verdict): &(Buffering, Verdict)| matches!(verdict, Verdict::Undecided(_));
    examination.decision.is_cut = limits.are_set && examination.decision.verdicts.iter().any(is_open);
    examination.decision.effort = examination.session.effort();
    (examination.found, Some(examination.decision), examination.choices)
}

/// Decides for each of these bufferings, and nothing else.
pub(super) fn decide(recorded: Evidence, bufferings: &[Buffering], limits: &Limits) -> Decision {
    let (decider, mut decision) = prepare(recorded, limits);
    if !decision.open.is_empty() {
        return decision;
    }
    let session = decider.begin(limits.budget(), &limits_of(bufferings));
    let mut examination =
        Examination { recorded, decider: &decider, session, decision, found: Vec::new(), choices: Exact::default() };
    for buffering in bufferings {
        examination.ask(*buffering, Library::of(*buffering));
    }
    decision = examination.decision;
    decision.effort = examination.session.effort();
    decision
}

/// Makes the decision problem of a program, and says what of it is open.
fn prepare<'a>(recorded: Evidence<'a>, limits: &Limits) -> (Decider<'a>, Decision) {
    let decider = Decider::new(recorded.program, limits.stages, limits.threads);
    let mut decision = Decision { open: unknown_calls(recorded), ..Decision::default() };
    decision.assumed = decider.assumed().iter().map(|open| (open.what.to_owned(), open.place)).collect();
    let refused = decider.refused().iter().map(|open| format!("rank {} makes {}", recorded.rank(open.place), open.what));
    decision.open.extend(refused);
    if decider.is_settled {
        decision.open.push("every rank that receives from any source answers the sender".into());
    }
    (decider, decision)
}

/// The limits of eager sends that are asked for.
fn limits_of(bufferings: &[Buffering]) -> Vec<u64> {
    bufferings.iter().filter_map(|b| if let Buffering::Eager(bytes) = b { Some(*bytes) } else { None }).collect()
}

struct Examination<'a, 'd> {
    recorded: Evidence<'a>,
    decider: &'d Decider<'d>,
    session: Session<'d>,
    decision: Decision,
    found: Vec<Finding>,
    choices: Exact,
}

impl Examination<'_, '_> {
    /// Asks about the libraries that the user is interested in, and about all of them for the record.
    fn deadlocks(&mut self, buffering: Option<Buffering>, known: &[Finding]) {
        let is_known = |finding: &&Finding| finding.rule.name.starts_with("deadlock/");
        // That sends have to be buffered is another matter than being stuck although they are.
        let is_deadlock = known.iter().filter(is_known).any(|finding| finding.severity == Severity::Error);
        let infinite = self.ask(Buffering::Infinite, Library::INFINITE);
        let needs = Judgement::NeedsBuffering(if buffering.is_none() { Severity::Warning } else { Severity::Error });
        let mut is_told = known.iter().any(|finding| is_known(&finding));
        let is_wanted = matches!(buffering, None | Some(Buffering::Infinite | Buffering::Any));
        if let Some((schedule, trial)) = infinite.filter(|_| is_wanted && !is_deadlock) {
            is_told = true;
            self.report(&schedule, &trial, Judgement::Deadlock);
        }
        if buffering.is_none() && !is_told {
            // What needs buffering and nothing else.
            let answer = self.session.ask(Library::UNSURE);
            if let Some((schedule, trial)) = self.try_out(&answer) {
                is_told = true;
                self.report(&schedule, &trial, needs);
            }
        }
        for other in [Some(Buffering::Zero), Some(Buffering::Any), buffering.filter(|b| matches!(b, Buffering::Eager(_)))] {
            let Some(other) = other else { continue };
            let answer = self.ask(other, Library::of(other));
            if let Some((schedule, trial)) = answer.filter(|_| buffering == Some(other) && !is_told) {
                is_told = true;
                self.report(&schedule, &trial, needs);
            }
        }
    }

    /// Which lines of the program need their sends buffered.
    fn reliance(&mut self) {
        let model = self.decider.model();
        let mut lines: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for (number, send) in (0..).zip(&model.sends).filter(|(_, send)| send.mode == Mode::Standard) {
            let site = self.recorded.call(send.place).site;
            // Without a line, each call is one of its own.
            let key = site.map_or((None, Some(send.place)), |site| (Some(site.0), None));
            lines.entry(key).or_default().push(number);
        }
        let groups: Vec<Vec<u32>> = lines.into_values().collect();
        let needed = self.session.relies_on(&groups).unwrap_or_default();
        self.decision.relies_on = needed.into_iter().map(|group| model.sends[groups[group][0] as usize].place).collect();
    }

    /// Asks about a library, and puts the answer on record. Gives the run that gets stuck.
    fn ask(&mut self, buffering: Buffering, library: Library) -> Option<(Schedule, Trial)> {
        let answer = self.session.ask(library);
        let tried = self.try_out(&answer);
        let verdict = match (&answer, &tried) {
            (Answer::Safe, _) => Verdict::Safe,
            (_, Some((schedule, _))) => Verdict::Stuck(schedule.to_string()),
            (Answer::Stuck(_), None) => Verdict::Undecided("a rank would have gone another way than in the recorded run".into()),
            (Answer::Unknown, _) => Verdict::Undecided("a limit was reached".into()),
        };
        self.decision.verdicts.push((buffering, verdict));
        tried
    }

    /// The first schedule of an answer in which the machine sees somebody stuck.
    fn try_out(&self, answer: &Answer) -> Option<(Schedule, Trial)> {
        let Answer::Stuck(list) = answer else { return None };
        let tried = list.iter().map(|schedule| (schedule.clone(), replay(self.recorded.program, schedule)));
        tried.into_iter().find(|(_, trial)| trial.is_stuck())
    }

    fn report(&mut self, schedule: &Schedule, trial: &Trial, judgement: Judgement) {
        for mut found in deadlocks::report(trial.evidence(self.recorded), self.recorded.remains, judgement, &[]) {
            self.explain(schedule, &mut found);
            self.found.push(found);
        }
    }

    /// Says of a finding which schedule shows it.
    fn explain(&self, schedule: &Schedule, found: &mut Finding) {
        let changes = describe(self.recorded, self.decider, schedule);
        if !changes.is_empty() {
            found.notes.push(format!("it takes {} than in the recorded run", count_changes(changes.len())));
            for (place, text) in changes.into_iter().take(CHANGES_MAX) {
                found.labels.push(secondary(place, text));
            }
            found.notes.push("it is so unless a rank chooses its calls by which message came first".into());
        }
        found.notes.push(format!("mpisim check --schedule '{schedule}' shows it"));
    }

    /// Messages that other schedules lose, or give to receives that they do not fit; and what each wildcard can take.
    fn matches(&mut self) {
        let recorded = self.recorded;
        for schedule in self.session.orphan() {
            let trial = replay(recorded.program, &schedule);
            let evidence = trial.evidence(recorded);
            let found = orphans::check(evidence, &near_misses::find(evidence));
            if !found.is_empty() && !trial.is_stuck() {
                self.add(&schedule, found);
                break;
            }
        }
        let Some(pairs) = self.session.pairs() else { return };
        self.misfits(&pairs);
        self.choices(&pairs);
    }

    fn add(&mut self, schedule: &Schedule, list: Vec<Finding>) {
        for mut found in list {
            self.explain(schedule, &mut found);
            self.found.push(found);
        }
    }

    fn misfits(&mut self, pairs: &[(u32, u32)]) {
        let (recorded, model) = (self.recorded, self.decider.model());
        let program = recorded.program;
        let mut tried: Vec<(u32, u32)> = Vec::new();
        for &(send, receive) in pairs {
            let member = model.receives[receive as usize].members[0];
            let key = (model.sends[send as usize].send, member.receive);
            let (offered, room) = (program.sends[key.0 as usize].content, program.receives[key.1 as usize].content);
            let is_too_long = offered.bytes.zip(room.bytes).is_some_and(|(bytes, room)| bytes > room);
            let is_misfit = is_too_long || program.layouts.difference(offered, room).is_some();
            if !is_misfit || tried.contains(&key) || tried.len() >= MISFITS_MAX {
                continue;
            }
            tried.push(key);
            for schedule in self.session.meeting((send, receive)) {
                let trial = replay(program, &schedule);
                let found = contents::check(trial.evidence(recorded), &trial.log);
                if !found.is_empty() {
                    self.add(&schedule, found);
                    break;
                }
            }
        }
    }

    /// Keeps what each wildcard can take, for whoever tells of it.
    fn choices(&mut self, pairs: &[(u32, u32)]) {
        let model = self.decider.model();
        let wild = model.receives.iter().filter(|receive| receive.channel.is_none());
        // Where some were left as they were, the others have less to choose from than they could.
        let covered = if wild.clone().all(|receive| receive.pin.is_none()) {
            wild.flat_map(|receive| &receive.members).map(|member| member.place).collect()
        } else {
            FxHashSet::default()
        };
        let mut choices: Vec<Choice> = Vec::new();
        for of_receive in pairs.chunk_by(|one, other| one.1 == other.1) {
            let offer = |&(send, _): &(u32, u32)| {
                let post = &model.sends[send as usize];
                let bytes = self.recorded.program.sends[post.send as usize].content.bytes;
                Offer { send: post.place, bytes, tag: post.tag }
            };
            let offers: Vec<Offer> = of_receive.iter().map(offer).collect();
            let members = &model.receives[of_receive[0].1 as usize].members;
            choices.extend(members.iter().map(|member| Choice { place: member.place, offers: offers.clone() }));
        }
        self.choices = Exact { covered, choices };
    }
}

fn count_changes(number: usize) -> String {
    if number == 1 { "1 other match".into() } else { format!("{number} other matches") }
}

/// What is other in a schedule than in the recorded run: the receives, and what they take.
fn describe(recorded: Evidence, decider: &Decider, schedule: &Schedule) -> Vec<(Place, String)> {
    let members = decider.model().receives.iter().flat_map(|receive| &receive.members);
    let mut list: Vec<(Place, String)> = Vec::new();
    for member in members {
        let Some(wildcard) = member.wildcard else { continue };
        let lane = member.place.lane;
        let Some((source, tag)) = schedule.matches.get(&(lane, wildcard)) else { continue };
        let pin = recorded.program.lanes[lane as usize].pins.get(wildcard as usize).copied().flatten();
        let was = pin.map_or(String::new(), |pin| {
            let source = recorded.program.channels[pin.channel as usize].source;
            format!(", not that of rank {source} with tag {}", pin.tag)
        });
        list.push((member.place, format!("takes the message of rank {source} with tag {tag}{was}")));
    }
    list
}
