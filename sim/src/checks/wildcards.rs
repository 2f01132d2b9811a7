//! Receives and probes that take whichever message comes first, with the messages that could have come, and whether it can matter: `race/wildcard`.
//!
//! Which messages those are is decided exactly where the decision over all schedules can be made (`schedules`); elsewhere, such as in a program that
//! probes, they are taken from the order of the recorded run: a message that nothing holds back until the receive is over. Whether it matters is
//! read from the data, never guessed: messages that are alike, received without a status, cannot, where no schedule gets stuck either.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use traces::Class;
use traces::payload::{Keep, WHOLE_MAX};

use super::wording::{and, count, ranks};
use super::{Evidence, Report, arrivals, primary, secondary};
use crate::decide::{self, Decision, Verdict};
use crate::finding::{Finding, Message, Place, Severity};
use crate::order::Order;
use crate::program::{Op, Peer, Program, Receive, ReceiveId, Then};
use crate::rules;

/// So many later messages are looked at for each choice: more would only be more of the same.
const LATER_MAX: usize = 256;
/// More choices of one lane are not followed.
const CHOICES_MAX: usize = 10_000;
/// The order of larger runs, as messages times lanes, is not worked out for this.
const ORDER_MAX: u64 = 1 << 30;
/// An order takes a word for each lane and call that is asked for: no more than so many.
const ORDER_WORDS_MAX: usize = 1 << 26;
/// So many messages of a line are shown where they are sent.
const OFFERS_MAX: usize = 8;

/// A message that could be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// The call that sends it.
    pub(super) send: Place,
    /// Its length; None if it is not known.
    pub(super) bytes: Option<u64>,
    /// Its tag.
    pub(super) tag: i64,
}

/// A call that takes, or sees, one of these messages.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// The call that posts the receive, or probes.
    pub(super) place: Place,
    /// The messages, that of the recorded run among them.
    pub(super) offers: Vec<Offer>,
}

/// What was decided over all schedules.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// The calls of which it was decided.
    pub(super) covered: FxHashSet<Place>,
    /// Those that have a choice.
    pub(super) choices: Vec<Choice>,
}

/// Whether there is anything to tell, for which the messages are asked for.
pub(super) fn are_any(evidence: Evidence, report: &Report, exact: &Exact) -> bool {
    !exact.choices.is_empty() || (may_be_ordered(evidence, report) && evidence.program.receives.iter().any(Receive::is_wild))
}

/// Whether the run is short enough for an order of its calls.
pub(super) fn may_be_ordered(evidence: Evidence, report: &Report) -> bool {
    report.message_count().saturating_mul(evidence.program.lanes.len() as u64) <= ORDER_MAX
}

/// One note for each line that takes the message of one of several ranks, whichever comes first.
pub(super) fn check(evidence: Evidence, report: &Report, exact: Exact) -> Vec<Finding> {
    let mut choices = exact.choices;
    choices.extend(by_order(evidence, report, &exact.covered));
    let source = |offer: &Offer| evidence.rank(offer.send);
    let is_open = |choice: &Choice| choice.offers.iter().any(|offer| source(offer) != source(&choice.offers[0]));
    choices.retain(is_open);
    if choices.is_empty() {
        return Vec::new();
    }
    choices.sort_by_key(|choice| choice.place);
    let readers = Readers::of(evidence, &report.messages, &choices);
    let answered = decide::answering_places(evidence.program);
    let mut lines: Vec<Line> = Vec::new();
    let mut known: FxHashMap<_, usize> = FxHashMap::default();
    for choice in &choices {
        let call = evidence.call(choice.place);
        // Without a line, each call is one of its own.
        let key = call.site.map_or((None, Some(choice.place)), |site| (Some((site, call.function)), None));
        let at = *known.entry(key).or_insert_with(|| {
            lines.push(Line::new(choice.place));
            lines.len() - 1
        });
        let line = &mut lines[at];
        line.is_answered |= answered.contains(&choice.place);
        line.is_looked_at |= readers.look(evidence, choice.place);
        line.add(evidence, choice);
    }
    let is_safe = report.decision.as_ref().is_some_and(is_safe);
    lines.into_iter().map(|line| line.told(evidence, is_safe)).collect()
}

/// Whether no schedule gets stuck with any library, without anything being taken for granted: then it can only be the data that matters.
fn is_safe(decision: &Decision) -> bool {
    let mut verdicts = decision.verdicts.iter();
    !decision.verdicts.is_empty() && decision.assumed.is_empty() && verdicts.all(|(_, verdict)| *verdict == Verdict::Safe)
}

/// Who looks at the status of what was taken.
struct Readers(FxHashMap<Place, Vec<Place>>);

impl Readers {
    /// The calls that complete the receives of these choices.
    fn of(evidence: Evidence, messages: &[Message], choices: &[Choice]) -> Readers {
        let is_probe = |place: Place| evidence.call(place).function.class() == Class::Probe;
        let receives = choices.iter().map(|choice| choice.place).filter(|place| !is_probe(*place));
        let mut readers: FxHashMap<Place, Vec<Place>> = receives.map(|place| (place, Vec::new())).collect();
        for message in messages {
            if let Some(list) = readers.get_mut(&message.receive) {
                list.push(message.received);
            }
        }
        Readers(readers)
    }

    /// Whether the program can look at the status of what was taken here.
    fn look(&self, evidence: Evidence, place: Place) -> bool {
        let calls = self.0.get(&place).map_or(std::slice::from_ref(&place), Vec::as_slice);
        calls.is_empty() || calls.iter().any(|call| !evidence.call(*call).ignores_statuses())
    }
}

/// The choices at one line.
struct Line {
    first: Place,
    /// The ranks that receive there, each with the ranks whose messages it can take.
    takers: BTreeMap<u32, BTreeSet<u32>>,
    /// The distinct messages, by where they are sent.
    offers: Vec<Offer>,
    tags: Vec<(i64, u32)>,
    lengths: Vec<(u64, u32)>,
    has_other_content: bool,
    /// Whether it is certain of all messages whether they are alike.
    is_known: bool,
    is_looked_at: bool,
    is_answered: bool,
}

impl Line {
    fn new(first: Place) -> Line {
        Line {
            first,
            takers: BTreeMap::new(),
            offers: Vec::new(),
            tags: Vec::new(),
            lengths: Vec::new(),
            has_other_content: false,
            is_known: true,
            is_looked_at: false,
            is_answered: false,
        }
    }

    fn add(&mut self, evidence: Evidence, choice: &Choice) {
        let sources = self.takers.entry(evidence.rank(choice.place)).or_default();
        sources.extend(choice.offers.iter().map(|offer| evidence.rank(offer.send)));
        let Some(first) = choice.offers.first() else { return };
        let content = |offer: &Offer| content(evidence, offer);
        let own = content(first);
        for offer in &choice.offers {
            let from = evidence.rank(offer.send);
            if offer.tag != first.tag {
                differ(&mut self.tags, [(first.tag, evidence.rank(first.send)), (offer.tag, from)]);
            }
            match (offer.bytes, first.bytes) {
                (Some(one), Some(other)) if one != other => {
                    differ(&mut self.lengths, [(other, evidence.rank(first.send)), (one, from)]);
                }
                (Some(_), Some(_)) => {}
                _ => self.is_known = false,
            }
            let other = content(offer);
            self.is_known &= other.is_whole;
            self.has_other_content |= other.digest.zip(own.digest).is_some_and(|(one, other)| one != other);
            self.show(evidence, *offer);
        }
    }

    /// Keeps a message to be shown, if none like it of the same line and rank is there.
    fn show(&mut self, evidence: Evidence, offer: Offer) {
        let key = |offer: &Offer| (evidence.call(offer.send).site, evidence.rank(offer.send), offer.tag, offer.bytes);
        if self.offers.len() <= OFFERS_MAX && !self.offers.iter().any(|known| key(known) == key(&offer)) {
            self.offers.push(offer);
        }
    }

    fn told(mut self, evidence: Evidence, is_safe: bool) -> Finding {
        self.offers.sort_by_key(|offer| offer.send);
        let takers: Vec<u32> = self.takers.keys().copied().collect();
        let sources: Vec<u32> = self.takers.values().next().map_or_else(Vec::new, |sources| sources.iter().copied().collect());
        let who = ranks(&sources);
        let is_probe = evidence.call(self.first).function.class() == Class::Probe;
        let title = match (&takers[..], is_probe) {
            ([taker], false) => format!("rank {taker} receives from whichever of {who} comes first"),
            ([taker], true) => format!("rank {taker} sees the message of whichever of {who} comes first"),
            (_, false) => format!("{} receive from whichever rank comes first", ranks(&takers)),
            (_, true) => format!("{} see the message of whichever rank comes first", ranks(&takers)),
        };
        let mut found = Finding::new(&rules::RACE_WILDCARD, Severity::Note, title);
        let verb = if is_probe { "see" } else { "take" };
        found.labels.push(primary(self.first, format!("can {verb} a message of {who}")));
        for offer in self.offers.iter().take(OFFERS_MAX) {
            let bytes = offer.bytes.map_or("a message".into(), |bytes| count(bytes, "byte"));
            found.labels.push(secondary(offer.send, format!("sends {bytes} with tag {}, which may come first", offer.tag)));
        }
        if self.offers.len() > OFFERS_MAX {
            found.notes.push("there are more such messages".into());
        }
        self.judge(is_probe, is_safe, &mut found);
        found
    }

    /// Says whether it can matter which message comes first.
    fn judge(&self, is_probe: bool, is_safe: bool, found: &mut Finding) {
        let mut named: Vec<String> = Vec::new();
        if let [(one, from), (other, of), ..] = self.tags[..] {
            named.push(format!("tag ({one} from rank {from}, {other} from rank {of})"));
        }
        if let [(one, from), (other, of), ..] = self.lengths[..] {
            named.push(format!("length ({} from rank {from}, {other} from rank {of})", count(one, "byte")));
        }
        if self.has_other_content {
            named.push("content".into());
        }
        if self.is_answered {
            found.notes.push("the rank speaks next to whoever sent: it makes other calls if another message comes first".into());
        }
        match &named[..] {
            [] if !self.is_known => {}
            // A probe shows nothing but a status.
            [] if self.is_looked_at => {
                found.notes.push("the messages are alike: which one comes first matters only to who looks at the status".into());
            }
            [] => {
                let alike =
                    if is_probe { "alike, and no status is asked for" } else { "alike, and are received without a status" };
                if is_safe {
                    found.dismissed = Some(format!("it cannot matter which message comes first: they are {alike}"));
                } else {
                    found.notes.push(format!("the messages are {alike}: it can matter only to who has to wait"));
                }
            }
            named => found.notes.push(format!("the messages differ in {}", and(named))),
        }
    }
}

/// Keeps the first two things that differ, each with its rank.
fn differ<T>(list: &mut Vec<(T, u32)>, pair: [(T, u32); 2]) {
    if list.is_empty() {
        list.extend(pair);
    }
}

/// What is known of the content of a message.
struct Content {
    digest: Option<u64>,
    /// Whether the digest stands for every byte.
    is_whole: bool,
}

fn content(evidence: Evidence, offer: &Offer) -> Content {
    if offer.bytes == Some(0) {
        return Content { digest: None, is_whole: true };
    }
    let digest = arrivals::sent_word(evidence, offer.send);
    let process = evidence.trace.lanes[offer.send.lane as usize].process;
    let keep = evidence.trace.processes.get(process as usize).map(|process| process.payload);
    let is_whole = digest.is_some() && (keep == Some(Keep::Full) || offer.bytes.is_some_and(|bytes| bytes <= WHOLE_MAX));
    Content { digest, is_whole }
}

/// A choice as the recorded run has it: the message that was taken, and those that might have come before it.
struct Open<'a> {
    place: Place,
    /// The call that is over when the message is taken.
    over: Place,
    taken: &'a Message,
    others: Vec<&'a Message>,
}

/// The choices of calls that are not covered otherwise.
fn by_order(evidence: Evidence, report: &Report, covered: &FxHashSet<Place>) -> Vec<Choice> {
    let program = evidence.program;
    if !may_be_ordered(evidence, report) || !program.receives.iter().any(Receive::is_wild) {
        return Vec::new();
    }
    let mut open = Vec::new();
    for of_lane in report.messages.chunk_by(|one, other| one.receive.lane == other.receive.lane) {
        let wild = wildcards(evidence, of_lane[0].receive.lane, of_lane).filter(|wild| !covered.contains(&wild.place));
        open.extend(wild.take(CHOICES_MAX).filter_map(|wild| wild.open(evidence, of_lane)));
    }
    if open.is_empty() {
        return Vec::new();
    }
    let asked = open.iter().flat_map(|open| &open.others).map(|message| message.send).take(asked_max(program));
    let Some(order) = Order::of(program, &report.messages, &report.collectives, asked) else { return Vec::new() };
    let offer = |message: &Message| Offer { send: message.send, bytes: Some(message.bytes), tag: message.tag };
    let choice = |open: Open| {
        let may_come = |message: &&&Message| order.is_before(open.over, message.send) == Some(false);
        let others = open.others.iter().filter(may_come).map(|message| offer(message));
        Choice { place: open.place, offers: std::iter::once(offer(open.taken)).chain(others).collect() }
    };
    open.into_iter().map(choice).collect()
}

/// How many calls an order may be asked for. What is not asked for, is not known, and nothing is said of it.
pub(super) fn asked_max(program: &Program) -> usize {
    ORDER_WORDS_MAX / program.lanes.len().max(1)
}

/// A receive or a probe of a message of any rank.
struct Wild {
    place: Place,
    receive: ReceiveId,
    /// The place of the message in those of the lane.
    at: usize,
    is_probe: bool,
}

/// Those of a lane, with the messages that they took or saw.
fn wildcards<'a>(evidence: Evidence<'a>, number: u32, of_lane: &'a [Message]) -> impl Iterator<Item = Wild> + 'a {
    let program = evidence.program;
    let is_wild = |receive: ReceiveId| program.receives[receive as usize].is_wild();
    let plan = &program.lanes[number as usize];
    let steps = (0u32..).zip(&plan.steps).map(move |(event, step)| (Place { lane: number, event }, program.ops[*step as usize]));
    steps.filter_map(move |(place, op)| {
        let first = || of_lane.partition_point(|message| message.receive < place);
        match op {
            // What persistent requests take is not followed: one call may start several.
            Op::Transfer { then: Then::Persistent(_), .. } => None,
            Op::Transfer { receive: Some(receive), .. } if is_wild(receive) => {
                let at = first();
                (of_lane.get(at)?.receive == place).then_some(Wild { place, receive, at, is_probe: false })
            }
            Op::Probe { receive, .. } if is_wild(receive) => {
                let source = seen(evidence, receive, place)?;
                let fits = |message: &Message| evidence.rank(message.send) == source && takes(evidence, receive, message);
                let at = first();
                let behind = of_lane[at..].iter().take(LATER_MAX).position(fits)?;
                Some(Wild { place, receive, at: at + behind, is_probe: true })
            }
            _ => None,
        }
    })
}

/// The rank in MPI_COMM_WORLD whose message a probe told of.
fn seen(evidence: Evidence, receive: ReceiveId, place: Place) -> Option<u32> {
    let Peer::Any(mailbox) = evidence.program.receives[receive as usize].from else { return None };
    let context = evidence.program.mailboxes[mailbox as usize].context;
    let comm = evidence.program.contexts[context as usize].comm;
    let event = &evidence.trace.lanes[place.lane as usize].events[place.event as usize];
    let status = evidence.trace.outcome(event.outcome?).statuses(evidence.call(place).function).next()?;
    let view = evidence.lifted.communicators.view(comm, evidence.rank(place))?;
    u32::try_from(*view.peers.ranks.get(usize::try_from(status.source).ok()?)?).ok()
}

/// Whether a call posts a receive of a message of any rank.
fn is_wild(evidence: Evidence, place: Place) -> bool {
    let step = evidence.program.lanes[place.lane as usize].steps[place.event as usize];
    match evidence.program.ops[step as usize] {
        Op::Transfer { receive: Some(receive), .. } => evidence.program.receives[receive as usize].is_wild(),
        // Which of those that it starts is not followed.
        Op::Start { .. } => true,
        _ => false,
    }
}

fn takes(evidence: Evidence, receive: ReceiveId, message: &Message) -> bool {
    let plan = &evidence.program.receives[receive as usize];
    let Peer::Any(mailbox) = plan.from else { return false };
    let context = evidence.program.mailboxes[mailbox as usize].context;
    plan.takes(message.tag) && evidence.program.contexts[context as usize].comm == message.comm
}

impl Wild {
    /// The choice, with the first message of each other rank that is received later and fits.
    fn open<'a>(&self, evidence: Evidence, of_lane: &'a [Message]) -> Option<Open<'a>> {
        let taken = &of_lane[self.at];
        let over = if self.is_probe { self.place } else { taken.received };
        let later = if self.is_probe { self.at.min(of_lane.partition_point(|m| m.receive < self.place)) } else { self.at + 1 };
        let mut others: Vec<&Message> = Vec::new();
        for message in of_lane[later..].iter().take(LATER_MAX).filter(|message| takes(evidence, self.receive, message)) {
            let source = evidence.rank(message.send);
            match others.iter_mut().find(|known| evidence.rank(known.send) == source) {
                // Messages of one rank do not overtake each other.
                Some(known) if message.send < known.send => *known = message,
                Some(_) => {}
                None if source != evidence.rank(taken.send) => others.push(message),
                None => {}
            }
        }
        // An earlier receive that is still open would take what comes before its own message.
        let before = of_lane[..self.at].iter().rev().take(LATER_MAX);
        let mut still_open = before.filter(|m| m.receive < self.place && m.received > over);
        let is_held = still_open.any(|m| is_wild(evidence, m.receive));
        (!others.is_empty() && !is_held).then_some(Open { place: self.place, over, taken, others })
    }
}
