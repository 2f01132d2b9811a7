//! Deadlocks: `deadlock/cycle`, `deadlock/missing-rank`, `deadlock/buffering`, `deadlock/collective`, and the near misses that lead to one.
//!
//! The labels are those of the core only; how many others wait for it is a note.

use super::cores::{self, Core};
use super::near_misses::{Difference, NearMiss};
use super::wording::{and, count, distinct, ranks};
use super::{Evidence, primary, secondary};
use crate::finding::{Finding, Label, Place, Severity, WaitFor};
use crate::machine::{Awaited, Fate, Need, Remains, Wait, What};
use crate::program::{Mode, SyncId, SyncKind, Until};
use crate::rules;

/// What it means that ranks are stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The program is stuck, however much is buffered.
    Deadlock,
    /// It is stuck only because sends are not buffered and collectives wait.
    NeedsBuffering(Severity),
}

/// More calls than this are not labelled, but counted.
const LABELS_MAX: usize = 8;

/// The deadlocks of the recorded run, those by a near miss first.
pub(super) fn check(evidence: Evidence, near_misses: &[NearMiss], known: &[Finding]) -> Vec<Finding> {
    let cores = find_cores(evidence);
    let mut found = Vec::new();
    let mut is_explained = vec![false; cores.len()];
    for (core, is_explained) in cores.iter().zip(&mut is_explained) {
        // The receive may be what its lane waits for, or lie before it.
        let mut misses = near_misses.iter().filter(|miss| core.lanes.contains(&(miss.receive.place.lane as usize)));
        if let Some(first) = misses.next() {
            *is_explained = true;
            found.push(miss_finding(evidence, first, core, misses.count()));
        }
    }
    for (core, _) in cores.iter().zip(&is_explained).filter(|(core, explained)| !**explained && !is_known(known, core)) {
        found.push(core_finding(evidence, core, Judgement::Deadlock));
    }
    found
}

/// The deadlocks of a run with another library than the recorded one, as far as nothing explains them that is known of the recorded run: a
/// message that was not received there is not received here.
pub(super) fn report(evidence: Evidence, recorded: &Remains, judgement: Judgement, known: &[Finding]) -> Vec<Finding> {
    let is_lost = |need: &Need| matches!(need.what, What::Send(_)) && recorded.sends.iter().any(|left| left.place == need.posted);
    let is_explained = |core: &Core| {
        let waits = core.lanes.iter().filter_map(|lane| wait_of(evidence, *lane));
        waits.flat_map(|wait| &wait.needs).any(is_lost) || is_known(known, core)
    };
    let cores = find_cores(evidence);
    cores.iter().filter(|core| !is_explained(core)).map(|core| core_finding(evidence, core, judgement)).collect()
}

fn find_cores(evidence: Evidence) -> Vec<Core> {
    cores::find(evidence.program, evidence.remains, evidence.standing)
}

/// Whether a finding about collectives has a call in this core as its subject.
fn is_known(known: &[Finding], core: &Core) -> bool {
    let is_order = |finding: &&Finding| finding.rule == &rules::COLLECTIVE_ORDER;
    let places = known.iter().filter(is_order).flat_map(|finding| &finding.labels).map(|label| label.place);
    places.into_iter().any(|place| core.lanes.contains(&(place.lane as usize)))
}

/// A deadlock because a message and a receive missed each other.
fn miss_finding(evidence: Evidence, miss: &NearMiss, core: &Core, more: usize) -> Finding {
    let mut found = near_miss(evidence, miss);
    found.waits = waits_in(evidence, core);
    let stuck = distinct(core.lanes.iter().map(|lane| evidence.program.lanes[*lane].rank));
    found.notes.push(format!("it is a deadlock: {} can never go on", ranks(&stuck)));
    if more > 0 {
        found.notes.push(format!("{} each other likewise", plural(more, "more pair misses", "more pairs miss")));
    }
    note_others(&mut found, core);
    found
}

fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A message and a receive that missed each other.
pub(super) fn near_miss(evidence: Evidence, miss: &NearMiss) -> Finding {
    let NearMiss { send, receive, differs } = miss;
    let program = evidence.program;
    let (message, plan) = (&program.sends[send.send as usize], &program.receives[receive.receive as usize]);
    let (from, here) = (evidence.rank(send.place), evidence.rank(receive.place));
    let sent_on = evidence.comm_of_send(send.send);
    let waits_on = evidence.comm_of_receive(receive.receive);
    let title = match differs {
        Difference::Tag => {
            let wanted = plan.tag.unwrap_or_default();
            format!("rank {here} waits for tag {wanted} from rank {from}, which sent tag {}", message.tag)
        }
        Difference::Communicator => format!(
            "rank {here} waits for rank {from} on {}, which sent on {}",
            super::wording::comm_name(waits_on),
            super::wording::comm_name(sent_on)
        ),
        Difference::Source => {
            let wanted = evidence.source(receive.receive).map_or("any rank".into(), |rank| format!("rank {rank}"));
            format!("rank {here} waits for a message from {wanted}, but it was sent by rank {from}")
        }
        Difference::Destination => {
            let to = evidence.destination(send.send).map_or("nobody".into(), |rank| format!("rank {rank}"));
            format!("rank {here} waits for a message from rank {from}, which sent it to {to}")
        }
    };
    let mut found = Finding::new(differs.rule(), Severity::Error, title);
    found.labels.push(primary(
        receive.place,
        format!("{} for {}", evidence.waits(receive.place), evidence.receive_text(receive.receive, receive.place)),
    ));
    found.labels.push(primary(send.place, format!("sent {}; nobody receives it", evidence.send_text(send.send, send.place))));
    found
}

fn core_finding(evidence: Evidence, core: &Core, judgement: Judgement) -> Finding {
    let waiting = distinct(core.lanes.iter().map(|lane| evidence.program.lanes[*lane].rank));
    let calls = calls_of(evidence, core);
    let calls = and(&calls);
    let judgement = if depends_on_library(evidence, core) { judgement } else { Judgement::Deadlock };
    let title = match judgement {
        Judgement::NeedsBuffering(_) if core.gone.is_empty() => {
            let whom = if waiting.len() == 1 { "itself" } else { "each other" };
            format!("{} would wait for {whom} in {calls} if {}", ranks(&waiting), unless(evidence, core))
        }
        Judgement::NeedsBuffering(_) => {
            format!("{} would wait for ever in {calls} if {}", ranks(&waiting), unless(evidence, core))
        }
        Judgement::Deadlock if is_unready(evidence, core) => {
            format!("{} waits in {calls} for a send of which not all partitions are ready", ranks(&waiting))
        }
        Judgement::Deadlock if core.gone.is_empty() => match waiting.len() {
            1 => format!("{} waits for itself in {calls}", ranks(&waiting)),
            _ => format!("{} wait for each other in {calls}", ranks(&waiting)),
        },
        Judgement::Deadlock => {
            let verb = if waiting.len() == 1 { "waits" } else { "wait" };
            let has = if core.gone.len() == 1 { "has" } else { "have" };
            format!("{} {verb} in {calls} for {}, which {has} called MPI_Finalize", ranks(&waiting), ranks(&core.gone))
        }
    };
    let (rule, severity) = match judgement {
        Judgement::NeedsBuffering(severity) => match freedom(evidence, core) {
            Freedom::Buffering | Freedom::Start => (&rules::DEADLOCK_BUFFERING, severity),
            Freedom::Collectives => (&rules::DEADLOCK_COLLECTIVE, severity),
        },
        Judgement::Deadlock if is_unready(evidence, core) => (&rules::REQUEST_NOT_READY, Severity::Error),
        Judgement::Deadlock if core.gone.is_empty() => (&rules::DEADLOCK_CYCLE, Severity::Error),
        Judgement::Deadlock => (&rules::DEADLOCK_MISSING_RANK, Severity::Error),
    };
    let mut found = Finding::new(rule, severity, title);
    label_core(evidence, core, &mut found);
    found.waits = waits_in(evidence, core);
    if let Judgement::NeedsBuffering(_) = judgement {
        if evidence.is_complete() {
            let luck = "the run got through because the library let these calls return early; the standard does not promise that";
            found.notes.push(luck.into());
        }
        found.help = Some(help(evidence, core).into());
    }
    note_others(&mut found, core);
    found
}

/// The sends that a core waits for, each with the call that waits.
fn sends<'a>(evidence: Evidence<'a>, core: &Core) -> impl Iterator<Item = (&'a Need, Place)> {
    let waits = core.lanes.iter().filter_map(move |lane| wait_of(evidence, *lane));
    let needs = waits.flat_map(|wait| wait.needs.iter().map(|need| (need, wait.place)));
    needs.filter(|(need, _)| matches!(need.what, What::Send(_)))
}

/// Whether a library that buffers sends, or lets ranks leave collectives early, could make a difference to a core: one in which nobody waits
/// for either is stuck with any.
fn depends_on_library(evidence: Evidence, core: &Core) -> bool {
    let waits = core.lanes.iter().filter_map(|lane| wait_of(evidence, *lane));
    waits.flat_map(|wait| &wait.needs).any(|need| matches!(need.what, What::Send(_) | What::Collective(_) | What::Finalize))
}

/// Whether a core is one rank that waits for what it has not marked as ready.
fn is_unready(evidence: Evidence, core: &Core) -> bool {
    let [lane] = core.lanes[..] else { return false };
    let need = wait_of(evidence, lane).and_then(|wait| hopeless(evidence, wait));
    need.is_some_and(|need| matches!(need.what, What::Partitions(_)))
}

/// What the standard leaves to a library.
enum Freedom {
    /// To buffer sends.
    Buffering,
    /// Not to wait in MPI_Win_start.
    Start,
    /// To let ranks leave a collective before all have come.
    Collectives,
}

/// Which freedom of the library a core depends on.
fn freedom(evidence: Evidence, core: &Core) -> Freedom {
    let needs = || core.lanes.iter().filter_map(|lane| wait_of(evidence, *lane)).flat_map(|wait| &wait.needs);
    // A synchronous send is never buffered.
    let is_buffered =
        |need: &Need| matches!(need.what, What::Send(send) if evidence.program.sends[send as usize].mode == Mode::Standard);
    if needs().any(is_buffered) {
        Freedom::Buffering
    } else if needs().any(|need| matches!(need.what, What::Sync(_))) {
        Freedom::Start
    } else if needs().any(|need| matches!(need.what, What::Collective(_) | What::Finalize)) {
        Freedom::Collectives
    } else {
        Freedom::Buffering
    }
}

/// What would happen without it.
fn unless(evidence: Evidence, core: &Core) -> &'static str {
    match freedom(evidence, core) {
        Freedom::Buffering => "sends were not buffered",
        Freedom::Start => "MPI_Win_start waited for MPI_Win_post",
        Freedom::Collectives => "collectives waited for all their members",
    }
}

/// How to do without it.
fn help(evidence: Evidence, core: &Core) -> &'static str {
    let mut list = sends(evidence, core);
    if matches!(freedom(evidence, core), Freedom::Collectives | Freedom::Start) {
        "bring the collective and the messages into the same order on all ranks"
    } else if list.any(|(need, place)| need.posted == place) {
        "post the receives first with MPI_Irecv, or use MPI_Sendrecv"
    } else {
        "complete these sends later, or receive their messages in the order that they are sent"
    }
}

fn note_others(found: &mut Finding, core: &Core) {
    if core.others > 0 {
        found.notes.push(format!("{} for them in turn", plural(core.others, "other rank waits", "other ranks wait")));
    }
}

/// What the core is in, each once.
fn calls_of(evidence: Evidence, core: &Core) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for wait in core.lanes.iter().filter_map(|lane| wait_of(evidence, *lane)) {
        let name = evidence.called(wait.place);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn wait_of<'a>(evidence: Evidence<'a>, lane: usize) -> Option<&'a Wait> {
    match &evidence.remains.fates[lane] {
        Fate::Waits(wait) => Some(wait),
        _ => None,
    }
}

/// The edges of the wait-for graph in a core: of each call what it needs and will never get.
fn waits_in(evidence: Evidence, core: &Core) -> Vec<WaitFor> {
    let waits = core.lanes.iter().filter_map(|lane| wait_of(evidence, *lane));
    let edge = |wait: &Wait| {
        let is_hopeless = |need: &&Need| !evidence.standing.can_be_met(evidence.program, evidence.remains, need);
        let any = wait.until == Until::Any;
        // One that is hopeless is enough where all are needed.
        let needs: Vec<&Need> = wait.needs.iter().filter(is_hopeless).take(if any { usize::MAX } else { 1 }).collect();
        let any = any || needs.iter().any(|need| matches!(need.from, Awaited::AnyOf(_)));
        let ranks = distinct(needs.iter().flat_map(|need| missing(evidence, need)));
        WaitFor { place: wait.place, ranks, any }
    };
    waits.map(edge).collect()
}

/// One label for each place of the program that lanes of the core wait in, and the last calls of the ranks that have ended.
fn label_core(evidence: Evidence, core: &Core, found: &mut Finding) {
    let mut groups: Vec<(Place, Label, Vec<u32>)> = Vec::new();
    for lane in &core.lanes {
        let Some(wait) = wait_of(evidence, *lane) else { continue };
        let rank = evidence.program.lanes[*lane].rank;
        let hopeless = hopeless(evidence, wait);
        let site = evidence.call(wait.place).site;
        let same = |place: &Place| {
            site.is_some() && evidence.call(*place).site == site && evidence.function(*place) == evidence.function(wait.place)
        };
        // In a small core every call is of interest; in a large one, every line of the program.
        let fold = core.lanes.len() > LABELS_MAX || !core.gone.is_empty();
        if let Some(group) = groups.iter_mut().find(|(place, ..)| fold && same(place)) {
            group.2.push(rank);
            continue;
        }
        let text = hopeless.map_or("waits".into(), |need| need_text(evidence, wait, need));
        groups.push((wait.place, primary(wait.place, text), Vec::new()));
        if let Some(need) = hopeless.filter(|need| need.posted != wait.place) {
            let text = match need.what {
                What::Send(send) => format!("sends {}", evidence.send_text(send, need.posted)),
                What::Partitions(_) => "starts it; not all of its partitions are marked as ready".into(),
                What::Receive(receive) => format!("asks for {}", evidence.receive_text(receive, need.posted)),
                _ => "began it here".into(),
            };
            groups.push((need.posted, secondary(need.posted, text), Vec::new()));
        }
        if let Some(Awaited::Locks { held, .. }) = hopeless.map(|need| &need.from) {
            for held in held.iter().filter(|held| !groups.iter().any(|(place, ..)| *place == held.place)).collect::<Vec<_>>() {
                let text = "has asked for the lock and not given it back".to_owned();
                groups.push((held.place, secondary(held.place, text), Vec::new()));
            }
        }
    }
    let hidden = groups.len().saturating_sub(LABELS_MAX);
    for (_, mut label, others) in groups.into_iter().take(LABELS_MAX) {
        if !others.is_empty() {
            label.text = format!("{}; likewise {}", label.text, ranks(&distinct(others)));
        }
        found.labels.push(label);
    }
    if hidden > 0 {
        found.notes.push(format!("{} more like these", count(hidden as u64, "call")));
    }
    for rank in core.gone.iter().take(LABELS_MAX) {
        label_end(evidence, *rank, found);
    }
}

/// A label for the last call of a rank that has ended.
fn label_end(evidence: Evidence, rank: u32, found: &mut Finding) {
    for lane in evidence.trace.lanes_of(rank) {
        let events = &evidence.trace.lanes[lane].events;
        let finalize = events.iter().rposition(|e| evidence.trace.call(e.call).function == traces::mpi::FINALIZE);
        if let Some(event) = finalize.and_then(|event| u32::try_from(event).ok()) {
            let place = Place { lane: u32::try_from(lane).unwrap_or(0), event };
            found.labels.push(secondary(place, "came to its end instead".into()));
        }
    }
}

/// The first thing that a wait needs and will never get.
fn hopeless<'a>(evidence: Evidence, wait: &'a Wait) -> Option<&'a Need> {
    wait.needs.iter().find(|need| !evidence.standing.can_be_met(evidence.program, evidence.remains, need))
}

/// What a lane waits for.
fn need_text(evidence: Evidence, wait: &Wait, need: &Need) -> String {
    let waits = evidence.waits(wait.place);
    let some = if wait.until == Until::Any && wait.needs.len() > 1 {
        format!("{waits} for one of {}, such as ", count(wait.needs.len() as u64, "request"))
    } else {
        format!("{waits} for ")
    };
    match need.what {
        What::Send(send) => {
            let to = evidence.peer(
                evidence.destination(send).unwrap_or_default(),
                evidence.comm_of_send(send),
                evidence.rank(need.posted),
            );
            format!("{some}{to} to receive its message with tag {}", evidence.program.sends[send as usize].tag)
        }
        What::Partitions(send) => format!("{some}its own send, {}", evidence.send_text(send, need.posted)),
        What::Receive(receive) | What::Probe(receive) => format!("{some}{}", evidence.receive_text(receive, need.posted)),
        What::Collective(collective) => {
            let plan = &evidence.program.collectives[collective as usize];
            // Those that made a persistent one have to start it.
            let verb = if plan.function.name().ends_with("_init") { "start its" } else { "call" };
            format!("{some}{} to {verb} {}{}", ranks(&missing(evidence, need)), plan.function, evidence.on(plan.context))
        }
        What::Finalize => format!("{some}{} to call MPI_Finalize", ranks(&missing(evidence, need))),
        What::Sync(sync) => format!("{some}{}", sync_text(evidence, sync, &missing(evidence, need))),
    }
}

/// What others have to do on a window.
fn sync_text(evidence: Evidence, sync: SyncId, who: &[u32]) -> String {
    let plan = &evidence.program.syncs[sync as usize];
    let (who, on) = (ranks(who), evidence.on(plan.window));
    match plan.kind {
        SyncKind::Wait { .. } => format!("{who} to call MPI_Win_complete{on}"),
        SyncKind::Lock { .. } | SyncKind::Unlock | SyncKind::Access => {
            format!("{who} to give back the lock on the memory of {}{on}", ranks(&distinct(plan.ranks.iter().copied())))
        }
        _ => format!("{who} to call MPI_Win_post{on}"),
    }
}

/// The ranks that a need waits for.
fn missing(evidence: Evidence, need: &Need) -> Vec<u32> {
    distinct(match &need.from {
        Awaited::One(rank) => vec![*rank],
        Awaited::AnyOf(context) => evidence.program.contexts[*context as usize].members.clone(),
        Awaited::Missing(at) => evidence.remains.collectives[*at].missing.clone(),
        Awaited::Each(ranks) => ranks.clone(),
        Awaited::Locks { held, .. } => held.iter().map(|held| held.rank).collect(),
    })
}
