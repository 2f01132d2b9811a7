//! Calls that ask whether something has come, and go on if it has not: `race/poll`.
//!
//! How often a poll finds nothing is up to the library and the time. It can matter where the rank calls something else when nothing was found:
//! what it was, in the recorded run, tells that the two ways part. Where it only asks again, it cannot.

use rustc_hash::FxHashMap;
use traces::{Class, Function, SiteId, mpi};

use super::wording::{and, count, distinct, ranks};
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Place, Severity};
use crate::lift::Arguments;
use crate::program::Op;
use crate::rules;

/// So many calls are named that follow a poll.
const NEXT_MAX: usize = 3;

/// The polls of one line.
struct Line {
    first: Place,
    ranks: Vec<u32>,
    /// How often nothing was found, and something.
    times: [u64; 2],
    /// What was called next, when nothing was found and when something was: a call for each function and line.
    next: [Vec<Place>; 2],
}

/// One note for each line that polls.
pub(super) fn check(evidence: Evidence) -> Vec<Finding> {
    let is_poll: Vec<bool> = evidence.trace.calls.iter().map(|call| polls(call.function)).collect();
    if !is_poll.contains(&true) {
        return Vec::new();
    }
    let mut lines: Vec<Line> = Vec::new();
    let mut known: FxHashMap<(Option<SiteId>, Function), usize> = FxHashMap::default();
    for (number, lane) in (0u32..).zip(&evidence.trace.lanes) {
        for (at, event) in (0u32..).zip(&lane.events).filter(|(_, event)| is_poll[event.call.0 as usize]) {
            let place = Place { lane: number, event: at };
            let call = evidence.trace.call(event.call);
            let a = Arguments { call, outcome: event.outcome.map(|outcome| evidence.trace.outcome(outcome)) };
            let Some(has_found) = has_found(&a).filter(|_| !a.failed()) else { continue };
            let line = *known.entry((call.site, call.function)).or_insert_with(|| {
                lines.push(Line { first: place, ranks: Vec::new(), times: [0; 2], next: [Vec::new(), Vec::new()] });
                lines.len() - 1
            });
            let line = &mut lines[line];
            line.ranks.push(evidence.rank(place));
            let times = lane.words_of(event).first().copied().filter(|_| !has_found).unwrap_or(1);
            line.times[usize::from(has_found)] += times;
            line.follow(evidence, place, has_found);
        }
    }
    lines.into_iter().map(|line| line.told(evidence)).collect()
}

/// Whether a function returns at once and says whether something has come. Those that only look at several requests without completing them are
/// among them.
fn polls(function: Function) -> bool {
    let name = function.small().name();
    let is_test = matches!(function.class(), Class::Completion) && (name.starts_with("MPI_Test") || name.contains("_get_status"));
    is_test && function.small() != mpi::TEST_CANCELLED
        || matches!(function.small(), mpi::IPROBE | mpi::IMPROBE | mpi::PARRIVED | mpi::WIN_TEST)
}

/// What a poll said; None if it did not return.
fn has_found(a: &Arguments) -> Option<bool> {
    a.outcome?;
    match a.result("flag").int() {
        Some(flag) => Some(flag != 0),
        None => a.result("outcount").int().map(|outcount| outcount != 0),
    }
}

impl Line {
    /// Takes note of what the rank calls next that others can see, unless it is the same poll.
    fn follow(&mut self, evidence: Evidence, place: Place, has_found: bool) {
        let list = &mut self.next[usize::from(has_found)];
        if list.len() > NEXT_MAX {
            return;
        }
        let lane = &evidence.program.lanes[place.lane as usize];
        let behind = (place.event + 1..).zip(&lane.steps[place.event as usize + 1..]);
        let key = |place: Place| (evidence.call(place).site, evidence.call(place).function);
        let mut others = behind.map(|(event, step)| (Place { event, ..place }, *step));
        let is_seen = |(next, step): &(Place, u32)| {
            let is_local = evidence.program.ops[*step as usize] == Op::Local;
            !is_local || polls(evidence.call(*next).function) && key(*next) != key(place)
        };
        // Polls that found nothing are local to the machine, but what is polled next tells the way.
        let is_again = |next: Place| key(next) == key(place);
        let next = others.find(|other| is_again(other.0) || is_seen(other)).map(|(next, _)| next);
        if let Some(next) = next.filter(|next| !is_again(*next))
            && !list.iter().any(|known| key(*known) == key(next))
        {
            list.push(next);
        }
    }

    fn told(self, evidence: Evidence) -> Finding {
        let who = distinct(self.ranks.iter().copied());
        let [nothing, something] = self.times;
        let name = evidence.function(self.first);
        let goes = if who.len() == 1 { "goes" } else { "go" };
        let title = format!("{} {goes} on by whether {name} finds something in time", ranks(&who));
        let mut found = Finding::new(&rules::RACE_POLL, Severity::Note, title);
        let times = |number: u64| count(number, "time");
        let text = match self.times {
            [0, _] => format!("found something each time, {}", times(something)),
            [_, 0] => format!("found nothing, {}", times(nothing)),
            _ => format!("found nothing {}, and something {}", times(nothing), times(something)),
        };
        found.labels.push(primary(self.first, text));
        let [after_nothing, after_something] = &self.next;
        let both =
            [(after_nothing, "comes next after it found nothing"), (after_something, "comes next after it found something")];
        // Where there was but one outcome, what came next says nothing.
        for (list, text) in both.into_iter().filter(|_| nothing > 0 && something > 0) {
            found.labels.extend(list.iter().take(NEXT_MAX).map(|place| secondary(*place, text.into())));
        }
        if nothing > 0 && after_nothing.is_empty() {
            found.dismissed = Some("nothing else is called until it finds something".into());
        } else if nothing > 0 && something > 0 {
            found.notes.push(parting(evidence, after_nothing, after_something));
        } else {
            let other = if nothing > 0 { "something" } else { "nothing" };
            found.notes.push(format!("what the program does when it finds {other} is not in the trace"));
        }
        found
    }
}

/// Whether what follows is the same either way.
fn parting(evidence: Evidence, nothing: &[Place], something: &[Place]) -> String {
    let names = |list: &[Place]| {
        let mut names: Vec<String> = list.iter().map(|place| evidence.function(*place).to_owned()).collect();
        names.dedup();
        if names.is_empty() { "no other call".to_owned() } else { and(&names) }
    };
    let lines = |list: &[Place]| {
        let mut lines: Vec<_> = list.iter().map(|place| (evidence.call(*place).site, evidence.call(*place).function)).collect();
        lines.sort_unstable_by_key(|(site, function)| (site.map(|site| site.0), function.0));
        lines
    };
    if lines(nothing) == lines(something) {
        return format!("either way {} comes next", names(nothing));
    }
    format!("the calls depend on it: {} comes after nothing was found, {} after something was", names(nothing), names(something))
}
