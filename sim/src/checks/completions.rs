//! Calls that go on with whichever of several requests completes first, with the others that might have been it: `race/completion`.
//!
//! MPI_Waitany, MPI_Waitsome and the tests of several. What was posted and nothing held back until the call was over, could have been complete as
//! well. That is what such a call is for, so that it is told as a note, a line; where the order cannot matter, it does not count.

use rustc_hash::{FxHashMap, FxHashSet};

use super::gathered::{First, Gathered, Group};
use super::wildcards::{asked_max, may_be_ordered};
use super::wording::{count, ranks};
use super::{Evidence, Report, primary, secondary};
use crate::finding::{Collective, Finding, Message, Place, Severity};
use crate::order::Order;
use crate::program::{Mode, Op, Program, Slot, Span, Then};
use crate::rules;

/// When so many requests of one lane were looked at, later calls are not.
const REQUESTS_MAX: usize = 20_000;
/// So many requests are shown where they were made.
const OTHERS_MAX: usize = 8;
/// A call that completes some of its requests.
struct Choice {
    place: Place,
    /// The calls that made the requests that it completed.
    chosen: Vec<Place>,
    /// Those that made the other active ones.
    others: Vec<Place>,
    /// Whether the rank does nothing but wait until all of them are complete.
    drains: bool,
}

/// What brings a request to its end.
enum Ending<'a> {
    /// A message comes.
    Receive(&'a Message),
    /// The library has a copy, or sends.
    Send,
    /// The message is received.
    Synchronous(&'a Message),
    /// All members come.
    Collective(&'a Collective),
}

/// Whether there is anything to tell, for which the messages are asked for.
pub(super) fn are_any(evidence: Evidence, report: &Report) -> bool {
    let is_choice = |op: &Op| matches!(op, Op::Complete { requests, given, .. } if requests != given);
    may_be_ordered(evidence, report) && evidence.program.ops.iter().any(is_choice)
}

/// One note for each line.
pub(super) fn check(evidence: Evidence, report: &Report) -> Vec<Finding> {
    let program = evidence.program;
    if !are_any(evidence, report) {
        return Vec::new();
    }
    let lanes = (0u32..).zip(&program.lanes).filter(|(_, lane)| !program.has_threads(lane.rank));
    let choices: Vec<Choice> = lanes.flat_map(|(number, _)| Walk::through(program, number)).collect();
    let posts: FxHashSet<Place> = choices.iter().flat_map(|choice| &choice.others).copied().collect();
    let endings = endings(evidence, report, &posts);
    let asked = endings.values().flat_map(Ending::needs).take(asked_max(program));
    let Some(order) = Order::of(program, &report.messages, &report.collectives, asked) else { return Vec::new() };
    let mut found: Gathered<Key> = Gathered::default();
    for mut choice in choices {
        let may_end = |place: &Place| {
            let ending = endings.get(place);
            ending.is_some_and(|ending| ending.needs().iter().all(|need| is_free(&order, choice.place, *need)))
        };
        choice.others.retain(may_end);
        if !choice.others.is_empty() {
            let is_of_sends = choice.others.iter().chain(&choice.chosen).all(|place| is_send(program, *place));
            let (rank, place, drains) = (evidence.rank(choice.place), choice.place, choice.drains);
            found.add(evidence, Key { drains, is_of_sends, first: First(choice) }, rank, place);
        }
    }
    found.groups().map(|group| told(evidence, &group)).collect()
}

/// What tells the choices of one line apart.
#[derive(PartialEq)]
struct Key {
    drains: bool,
    is_of_sends: bool,
    first: First<Choice>,
}

fn told(evidence: Evidence, group: &Group<Key>) -> Finding {
    let Key { drains, is_of_sends, first: First(Choice { chosen, others, .. }) } = &group.key;
    let who = group.who();
    let goes = if who.len() == 1 { "goes" } else { "go" };
    let number = count((chosen.len() + others.len()) as u64, "request");
    let function = evidence.function(group.first);
    let title = format!("{} {goes} on in {function} with whichever of {number} completes first", ranks(&who));
    let mut told = Finding::new(&rules::RACE_COMPLETION, Severity::Note, title);
    let times = if group.ranks.len() > 1 { format!(", the first of {} times", group.ranks.len()) } else { String::new() };
    told.labels.push(primary(group.first, format!("could have completed another one{times}")));
    told.labels.extend(chosen.iter().take(OTHERS_MAX).map(|place| secondary(*place, "was completed".into())));
    let could = "could have been complete as well";
    told.labels.extend(others.iter().take(OTHERS_MAX).map(|place| secondary(*place, could.into())));
    match (drains, is_of_sends) {
        (true, true) => {
            told.dismissed = Some("they are sends, and the rank calls nothing else until all are complete".into());
        }
        (true, false) => told.notes.push(
            "the rank calls nothing else until all are complete: the order can matter only to what it computes in between".into(),
        ),
        (false, _) => told.notes.push(
            "the rank calls other functions before all are complete: which ones, and with which data, may depend on the order"
                .into(),
        ),
    }
    told
}

/// Whether something may have happened before a call was over.
fn is_free(order: &Order, over: Place, needed: Place) -> bool {
    needed.lane == over.lane || order.is_before(over, needed) == Some(false)
}

fn is_send(program: &Program, place: Place) -> bool {
    let step = program.lanes[place.lane as usize].steps[place.event as usize];
    matches!(program.ops[step as usize], Op::Transfer { send: Some(_), receive: None, .. })
}

impl Ending<'_> {
    /// The calls of other ranks that have to begin first.
    fn needs(&self) -> Vec<Place> {
        match self {
            Ending::Send => Vec::new(),
            Ending::Receive(message) => vec![message.send],
            Ending::Synchronous(message) => vec![message.receive],
            Ending::Collective(collective) => collective.calls.clone(),
        }
    }
}

/// What ends the requests that these calls made; those of which it is not known are left out.
fn endings<'a>(evidence: Evidence, report: &'a Report, posts: &FxHashSet<Place>) -> FxHashMap<Place, Ending<'a>> {
    let program = evidence.program;
    let op = |place: Place| program.ops[program.lanes[place.lane as usize].steps[place.event as usize] as usize];
    let mut endings: FxHashMap<Place, Ending> = FxHashMap::default();
    for place in posts {
        if let Op::Transfer { send: Some(send), receive: None, .. } = op(*place)
            && program.sends[send as usize].mode != Mode::Synchronous
        {
            endings.insert(*place, Ending::Send);
        }
    }
    for message in &report.messages {
        let is_receive = || matches!(op(message.receive), Op::Transfer { send: None, .. });
        if posts.contains(&message.receive) && is_receive() {
            endings.insert(message.receive, Ending::Receive(message));
        }
        let is_synchronous = |place| match op(place) {
            Op::Transfer { send: Some(send), receive: None, .. } => program.sends[send as usize].mode == Mode::Synchronous,
            _ => false,
        };
        if posts.contains(&message.send) && is_synchronous(message.send) {
            endings.insert(message.send, Ending::Synchronous(message));
        }
    }
    for collective in &report.collectives {
        for place in collective.calls.iter().filter(|place| posts.contains(place)) {
            endings.insert(*place, Ending::Collective(collective));
        }
    }
    endings
}

/// A lane on the way through its calls.
#[derive(Default)]
struct Walk {
    /// The calls that made the active requests.
    active: FxHashMap<Slot, Place>,
    found: Vec<Choice>,
    /// How many requests those have.
    kept: usize,
    /// The choices since which the rank has only waited, each with the requests that were left.
    waiting: Vec<(usize, Vec<(Slot, Place)>)>,
}

impl Walk {
    /// The calls of a lane that had several active requests and completed some of them.
    fn through(program: &Program, number: u32) -> Vec<Choice> {
        let mut walk = Walk::default();
        for (event, step) in (0u32..).zip(&program.lanes[number as usize].steps) {
            walk.step(program, program.ops[*step as usize], Place { lane: number, event });
        }
        walk.goes_on();
        walk.found
    }

    fn step(&mut self, program: &Program, op: Op, place: Place) {
        let slots = |span: Span| program.completions[span.range()].iter().map(|completion| completion.slot);
        if !matches!(op, Op::Local | Op::Complete { keep: false, .. }) {
            self.goes_on();
        }
        match op {
            Op::Transfer { then: Then::Request(slot), .. } | Op::Collective { then: Then::Request(slot), .. } => {
                self.active.insert(slot, place);
            }
            Op::Start { requests, .. } => self.active.extend(slots(requests).map(|slot| (slot, place))),
            Op::Complete { requests, given, keep, .. } => {
                let chosen: FxHashSet<Slot> = slots(requests).collect();
                if given != requests && self.kept < REQUESTS_MAX {
                    self.choose(slots(given), &chosen, place);
                }
                if !keep {
                    chosen.iter().for_each(|slot| _ = self.active.remove(slot));
                }
            }
            Op::GiveUp { requests } => slots(requests).for_each(|slot| _ = self.active.remove(&slot)),
            Op::GiveUpAll => self.active.clear(),
            Op::Free { slot } => _ = self.active.remove(&slot),
            _ => {}
        }
    }

    fn choose(&mut self, given: impl Iterator<Item = Slot>, completed: &FxHashSet<Slot>, place: Place) {
        let active = given.filter_map(|slot| Some((slot, *self.active.get(&slot)?)));
        let (chosen, rest): (Vec<_>, Vec<_>) = active.partition(|(slot, _)| completed.contains(slot));
        if chosen.is_empty() || rest.is_empty() {
            return;
        }
        let places = |list: &[(Slot, Place)]| list.iter().map(|(_, place)| *place).collect();
        self.kept += chosen.len() + rest.len();
        self.found.push(Choice { place, chosen: places(&chosen), others: places(&rest), drains: false });
        self.waiting.push((self.found.len() - 1, rest));
    }

    /// The rank calls something else, or comes to its end: have the requests been completed by then?
    fn goes_on(&mut self) {
        for (choice, rest) in self.waiting.drain(..) {
            self.found[choice].drains = rest.iter().all(|(slot, place)| self.active.get(slot) != Some(place));
        }
    }
}
