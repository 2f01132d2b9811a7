//! Where the ranks of a run are, that does not get on: who waits in which call, who computes.
//!
//! How a run has ended, is `info`'s to say.

use std::collections::BTreeMap;

use sim::report::ranks;
use traces::symbols::Resolver;
use traces::{Ending, Event, Trace};

/// The most groups of ranks that a line names.
pub const GROUPS_MAX: usize = 6;

/// What ranks are doing, those that do the same together.
#[derive(Debug)]
pub struct RollCall {
    groups: BTreeMap<String, Vec<u32>>,
    /// Whether nobody is on the way to a call that could set others free.
    pub is_hang: bool,
}

impl RollCall {
    /// Of the trace of a run that goes on.
    pub fn of(trace: &Trace) -> RollCall {
        let resolver = Resolver::new(trace);
        let mut call = RollCall { groups: BTreeMap::new(), is_hang: true };
        for (number, process) in trace.processes.iter().enumerate() {
            let Some(rank) = process.rank else { continue };
            let doing = match process.ending {
                Ending::Finalized => "through with MPI_Finalize".to_owned(),
                _ => call.doing(trace, number, &resolver),
            };
            call.groups.entry(doing).or_default().push(rank);
        }
        let is_seen = |rank: &u32| trace.processes.iter().any(|process| process.rank == Some(*rank));
        let unseen: Vec<u32> = (0..trace.world_size).filter(|rank| !is_seen(rank)).collect();
        if !unseen.is_empty() {
            call.groups.insert("not seen".to_owned(), unseen);
            call.is_hang = false;
        }
        call.is_hang &= !call.groups.is_empty();
        call
    }

    /// What a process is doing, by its threads.
    fn doing(&mut self, trace: &Trace, process: usize, resolver: &Resolver) -> String {
        let lanes = trace.lanes.iter().filter(|lane| lane.process as usize == process && !lane.ended);
        let last: Vec<&Event> = lanes.filter_map(|lane| lane.events.last()).collect();
        let place = |event: &Event| {
            let call = trace.call(event.call);
            let line = call.frame().map(|frame| format!(" at {}", resolver.line(frame))).unwrap_or_default();
            format!("{}{line}", trace.name_of(call))
        };
        let within: Vec<String> = last.iter().filter(|event| event.outcome.is_none()).map(|event| place(event)).collect();
        let polls: Vec<String> = last.iter().filter(|event| is_poll(trace, event)).map(|event| place(event)).collect();
        if !within.is_empty() {
            return format!("in {}", within.join(" and in "));
        }
        if !polls.is_empty() {
            return format!("polling with {}", polls.join(" and with "));
        }
        self.is_hang = false;
        match last.first() {
            Some(event) => format!("outside of MPI since {}", place(event)),
            None => "before the first call".to_owned(),
        }
    }

    /// One line, of as many groups as it may name.
    pub fn to_text(&self) -> String {
        let list: Vec<String> = self.groups.iter().map(|(doing, who)| format!("{} {doing}", ranks::list(who))).collect();
        let (first, rest) = list.split_at(list.len().min(GROUPS_MAX));
        let more = if rest.is_empty() { String::new() } else { format!("; and {} more groups of ranks", rest.len()) };
        format!("{}{more}", first.join("; "))
    }
}

/// Whether a call asked for something that was not there.
fn is_poll(trace: &Trace, event: &Event) -> bool {
    let function = trace.call(event.call).function;
    let is_asking =
        ["MPI_Test", "MPI_Iprobe", "MPI_Improbe", "MPI_Parrived"].iter().any(|name| function.name().starts_with(name));
    let found = |name| event.outcome.and_then(|outcome| trace.outcome(outcome).result(function, name).int());
    is_asking && (found("flag") == Some(0) || found("outcount") == Some(0))
}

#[cfg(test)]
mod tests {
    use traces::{TraceBuilder, Value, mpi};

    use super::*;

    fn going_on(mut trace: Trace) -> Trace {
        trace.processes.iter_mut().for_each(|process| process.ending = Ending::Unfinished);
        trace
    }

    #[test]
    fn ranks_that_all_wait_hang_and_one_that_computes_does_not_let_them() {
        let trace = |found: i64| {
            let mut builder = TraceBuilder::with_ranks(3);
            builder.push(0, mpi::BARRIER, 1, &[], None);
            builder.push(1, mpi::BARRIER, 1, &[], None);
            builder.push(2, mpi::TEST, 2, &[], Some(&[("flag", Value::Int(found))]));
            going_on(builder.finish())
        };
        let hang = RollCall::of(&trace(0));
        assert!(hang.is_hang && hang.to_text().contains("rank 2 polling with MPI_Test"), "{}", hang.to_text());
        let busy = RollCall::of(&trace(1));
        assert!(!busy.is_hang && busy.to_text().contains("rank 2 outside of MPI since MPI_Test"), "{}", busy.to_text());
    }

    #[test]
    fn a_rank_that_was_never_seen_is_named() {
        let mut builder = TraceBuilder::with_ranks(1);
        builder.world_size(2);
        builder.push(0, mpi::BARRIER, 1, &[], None);
        let call = RollCall::of(&going_on(builder.finish()));
        assert!(!call.is_hang && call.to_text().contains("rank 1 not seen"), "{}", call.to_text());
    }
}
