//! The comparison for people: first where the runs part and why, then what else MPI made otherwise.

use replay::Choice;
use replay::comparison::Thread;
use replay::likeness;
use sim::report::{Style, ranks};
use traces::Call;

use super::cause::Cause;
use super::{Comparison, Parted};

/// So many partings are shown, unless all are asked for.
const PARTINGS_MAX: usize = 10;
/// So many outcomes of a kind are shown, unless all are asked for.
const OUTCOMES_MAX: usize = 10;

/// The whole of it.
pub fn render(comparison: &Comparison, style: &Style, shows_all: bool) -> String {
    let mut out = String::new();
    let partings = comparison.partings();
    let shown = if shows_all { partings.len() } else { partings.len().min(PARTINGS_MAX) };
    for (parted, others) in &partings[..shown] {
        out += &parting(comparison, parted, style);
        out += &likewise(comparison, others);
        out.push('\n');
    }
    if shown < partings.len() {
        out += &format!("and {} more partings: --all shows them\n\n", partings.len() - shown);
    }
    out += &outcomes(comparison, style, shows_all);
    for note in &comparison.notes {
        out += &format!("note: {note}\n");
    }
    out + &format!("{}\n", style.title(&summary(comparison)))
}

/// `rank 2`, or `rank 2, thread 1`.
pub fn who(thread: &Thread) -> String {
    if thread.thread == 0 { format!("rank {}", thread.rank) } else { format!("rank {}, thread {}", thread.rank, thread.thread) }
}

fn parting(comparison: &Comparison, parted: &Parted, style: &Style) -> String {
    let thread = &comparison.threads[parted.thread];
    let mut out = style.title(&format!("{} parts after {}:", who(thread), calls(thread.calls)));
    out.push('\n');
    let events = thread.parting.as_ref().map(|parting| parting.events).unwrap_or_default();
    for (side, event) in events.into_iter().enumerate() {
        let text = match event {
            Some(event) => called(comparison, side, comparison.call(side, thread, event)),
            None => end(comparison, side, thread),
        };
        out += &format!("  {}  {text}\n", padded(comparison, side));
    }
    let (reason, sides) = reason(comparison, parted);
    out += &format!("  {reason}\n");
    for (side, text) in sides.into_iter().enumerate() {
        out += &format!("  {}  {text}\n", padded(comparison, side));
    }
    out
}

/// How a run ends for a thread that goes on in the other.
fn end(comparison: &Comparison, side: usize, thread: &Thread) -> String {
    let trace = comparison.traces[side];
    match trace.lanes[thread.lanes[side]].events.last() {
        Some(event) if event.outcome.is_none() => {
            format!("does not return from {}", comparison.named(side, trace.call(event.call)))
        }
        _ => "makes no further call".to_owned(),
    }
}

/// Those that part at the same lines for the same reason.
fn likewise(comparison: &Comparison, others: &[usize]) -> String {
    let mut list: Vec<u32> = others.iter().map(|thread| comparison.threads[*thread].rank).collect();
    list.sort_unstable();
    list.dedup();
    if list.is_empty() { String::new() } else { format!("  likewise {}\n", ranks::list(&list)) }
}

/// The name of a run, as wide as that of the other.
fn padded(comparison: &Comparison, side: usize) -> String {
    let width = comparison.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    format!("{:width$}", comparison.names[side])
}

/// The call with its line.
pub fn called(comparison: &Comparison, side: usize, call: &Call) -> String {
    let text = likeness::text(call.function, &call.arguments);
    match comparison.line(side, call) {
        Some(line) => format!("{text} at {line}"),
        None => text,
    }
}

/// Why a thread parts; and what it was in either run, if there is something to say of both.
pub fn reason(comparison: &Comparison, parted: &Parted) -> (String, Vec<String>) {
    let own =
        |thread: usize| if thread == parted.thread { String::new() } else { format!(" of {}", who(&comparison.threads[thread])) };
    match &parted.cause {
        Cause::Outcome { thread, difference } => {
            let text = format!("the last that MPI chose otherwise before{}:", own(*thread));
            (text, both(comparison, *thread, difference.events, &difference.choices))
        }
        Cause::Poll { thread, events, times } => {
            let one = |side: usize| {
                let Some(event) = events[side] else { return "makes no such call".to_owned() };
                let call = comparison.call(side, &comparison.threads[*thread], event);
                let found = is_found(comparison, side, *thread, event);
                let nothing = if times[side] > 0 { format!("found nothing {}", self::times(times[side])) } else { String::new() };
                let text = match (found, nothing.is_empty()) {
                    (true, true) => "found something at once".to_owned(),
                    (true, false) => format!("{nothing}, and then something"),
                    (false, _) => nothing,
                };
                format!("{text} in {}", comparison.named(side, call))
            };
            ("because of what a poll found:".to_owned(), vec![one(0), one(1)])
        }
        Cause::Parting { thread } => {
            (format!("because {} had parted, from whom it has heard", who(&comparison.threads[*thread])), Vec::new())
        }
        Cause::Data { thread, events } => {
            let one = |side: usize| called(comparison, side, comparison.call(side, &comparison.threads[*thread], events[side]));
            let text = format!("MPI chose alike before; the first data that differ are{} in:", own(*thread));
            (text, vec![one(0), one(1)])
        }
        Cause::Unknown => (
            "nothing in the traces differs before: it is the input, the time, or something else that is not MPI's".to_owned(),
            Vec::new(),
        ),
    }
}

/// Whether a poll found what it asked for.
fn is_found(comparison: &Comparison, side: usize, thread: usize, event: usize) -> bool {
    let thread = &comparison.threads[thread];
    let call = comparison.call(side, thread, event);
    let Some(outcome) = comparison.event(side, thread, event).outcome else { return false };
    let outcome = comparison.traces[side].outcome(outcome);
    let result = |name: &str| outcome.result(call.function, name).int();
    result("flag").or_else(|| result("outcount")).is_some_and(|found| found != 0)
}

/// What MPI chose in a call, in either run.
pub fn both(comparison: &Comparison, thread: usize, events: [usize; 2], choices: &[Vec<Choice>; 2]) -> Vec<String> {
    let thread = &comparison.threads[thread];
    let one = |side: usize| {
        let call = comparison.call(side, thread, events[side]);
        format!("{} in {}", chosen(&choices[side]), comparison.named(side, call))
    };
    vec![one(0), one(1)]
}

/// `took the message of rank 1 with tag 7`.
pub fn chosen(choices: &[Choice]) -> String {
    let one = |choice: &Choice| match choice {
        Choice::Message { source, tag } => format!("took the message of rank {source} with tag {tag}"),
        Choice::Completed(list) if list.iter().any(|&at| at < 0) => "completed no request".to_owned(),
        Choice::Completed(list) => {
            let list: Vec<String> = list.iter().map(i64::to_string).collect();
            format!("completed request{} {} of its array", if list.len() == 1 { "" } else { "s" }, list.join(", "))
        }
        Choice::Nothing(number) => format!("found nothing {}", times(*number)),
        Choice::Something => "found something".to_owned(),
    };
    let list: Vec<String> = choices.iter().map(one).collect();
    if list.is_empty() { "had nothing to choose".to_owned() } else { list.join(" and ") }
}

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

fn calls(number: u64) -> String {
    match number {
        0 => "no call in common".to_owned(),
        1 => "1 call in common".to_owned(),
        _ => format!("{number} calls in common"),
    }
}

/// What MPI made otherwise, up to where the threads part.
fn outcomes(comparison: &Comparison, style: &Style, shows_all: bool) -> String {
    let mut out = String::new();
    let all = comparison.outcomes();
    let [matters, alike] =
        [false, true].map(|is_alike| all.iter().filter(|one| one.what.is_alike == is_alike).collect::<Vec<_>>());
    let heads = [
        "what MPI chose otherwise while the calls are the same:",
        "likewise, where it cannot matter: the same data came, and no status is asked for:",
    ];
    for (head, list) in heads.into_iter().zip([matters, alike]).filter(|(_, list)| !list.is_empty()) {
        out += &format!("{}\n", style.title(head));
        let shown = if shows_all { list.len() } else { list.len().min(OUTCOMES_MAX) };
        for one in &list[..shown] {
            let thread = comparison.threads.iter().position(|thread| std::ptr::eq(thread, one.thread)).unwrap_or_default();
            let more = if one.times > 1 { format!(", {} in all, first", times(one.times)) } else { String::new() };
            out += &format!("  {}{more}:\n", who(one.thread));
            for (side, text) in both(comparison, thread, one.what.events, &one.what.choices).into_iter().enumerate() {
                out += &format!("    {}  {text}\n", padded(comparison, side));
            }
        }
        if shown < list.len() {
            out += &format!("  and {} more lines: --all shows them\n", list.len() - shown);
        }
        out.push('\n');
    }
    if comparison.counts_polls {
        out += &polls(comparison, style, shows_all);
    }
    out
}

fn polls(comparison: &Comparison, style: &Style, shows_all: bool) -> String {
    let list = comparison.polls();
    if list.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", style.title("polls that found nothing another number of times:"));
    let shown = if shows_all { list.len() } else { list.len().min(OUTCOMES_MAX) };
    for one in &list[..shown] {
        let side = usize::from(one.what.events[0].is_none());
        let line = one.what.events[side].map(|event| called(comparison, side, comparison.call(side, one.thread, event)));
        let [first, second] = one.what.times;
        out += &format!("  {}: {first} and {second} in {}\n", who(one.thread), line.unwrap_or_default());
    }
    if shown < list.len() {
        out += &format!("  and {} more lines: --all shows them\n", list.len() - shown);
    }
    out + "\n"
}

fn summary(comparison: &Comparison) -> String {
    let [one, other] = &comparison.names;
    let (ranks, calls) = (comparison.traces[0].world_size, comparison.calls());
    let count: u64 = comparison.threads.iter().map(|thread| thread.outcomes.len() as u64).sum();
    match (comparison.partings.len(), count) {
        (0, 0) if comparison.is_same() => {
            format!("{one} and {other} are the same run: {calls} calls of {ranks} ranks, and all that MPI chose")
        }
        (0, 0) => format!("{one} and {other} make the same calls, {calls} of {ranks} ranks, and poll another number of times"),
        (0, _) => {
            format!("{one} and {other} make the same calls, {calls} of {ranks} ranks; MPI chose otherwise {}", times(count))
        }
        (parted, _) => {
            let verb = if parted == 1 { "parts" } else { "part" };
            format!(
                "{parted} of {ranks} ranks {verb}; {calls} calls are the same before, and MPI chose otherwise {}",
                times(count)
            )
        }
    }
}
