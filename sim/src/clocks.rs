//! Clocks of several hosts, brought into line by the messages between them: none arrives before it was sent.
//!
//! Where the recorder could compare clocks it did so once, and clocks drift; where a run was killed, it could not. What is corrected is as
//! little as it must be: a constant if one does, a straight line if none does, nothing if nothing contradicts the clocks.

use rustc_hash::FxHashMap;
use traces::{Trace, mpi};

use crate::finding::{Collective, Message, Place};
use crate::lift::lift;
use crate::machine::{Assumptions, Machine, Record, Timeless};

/// Clocks do not gain or lose more than this of the time that passes.
const DRIFT_MAX: f64 = 1e-3;
/// Halvings of the range of drifts: to below a nanosecond in a year.
const STEPS: usize = 100;

/// What is added to the times of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Correction {
    /// At time 0, in ns.
    pub offset_ns: f64,
    /// For each ns since.
    pub drift: f64,
}

impl Correction {
    /// What is added at a time.
    #[must_use]
    pub fn at(self, ns: u64) -> i64 {
        (self.offset_ns + self.drift * ns as f64).round() as i64
    }

    fn of(self, ns: u64) -> f64 {
        ns as f64 + self.offset_ns + self.drift * ns as f64
    }
}

/// Corrects the times of a trace.
pub fn align(trace: &mut Trace) {
    let corrections = corrections(trace);
    if corrections.iter().all(|correction| *correction == Correction::default()) {
        return;
    }
    let corrected = |ns: u64, process: u32| ns.cast_signed() + corrections[process as usize].at(ns);
    let starts = trace.lanes.iter().filter_map(|lane| Some(corrected(lane.events.first()?.start_ns, lane.process)));
    let origin = starts.min().unwrap_or(0);
    for lane in &mut trace.lanes {
        for event in &mut lane.events {
            let [start, end] = [event.start_ns, event.end_ns()].map(|ns| corrected(ns, lane.process) - origin);
            event.start_ns = start.max(0).cast_unsigned();
            event.duration_ns = (end - start).max(0).cast_unsigned();
        }
    }
}

/// What has to be added to the times of each process.
#[must_use]
pub fn corrections(trace: &Trace) -> Vec<Correction> {
    let mut numbers: FxHashMap<&str, usize> = FxHashMap::default();
    let host_of = |host| {
        let next = numbers.len();
        *numbers.entry(host).or_insert(next)
    };
    // Processes stand by rank: the host of rank 0 is the first.
    let hosts: Vec<usize> = trace.processes.iter().map(|process| process.host.as_str()).map(host_of).collect();
    let mut corrections = vec![Correction::default(); numbers.len()];
    if numbers.len() > 1 {
        fit(&mut corrections, &crossings(trace, &hosts));
    }
    hosts.into_iter().map(|host| corrections[host]).collect()
}

/// What was sent from one host to another.
#[derive(Clone, Copy, Debug)]
struct Crossing {
    from: usize,
    sent_ns: u64,
    to: usize,
    arrived_ns: u64,
}

fn crossings(trace: &Trace, hosts: &[usize]) -> Vec<Crossing> {
    let lifted = lift(trace);
    let mut machine = Machine::new(&lifted.program, Assumptions::RECORDED, Timeless, Record::Everything);
    machine.run();
    let messages = machine.log().take_messages();
    let log = machine.log();
    let ends = |place: Place| {
        let lane = &trace.lanes[place.lane as usize];
        (hosts[lane.process as usize], &lane.events[place.event as usize])
    };
    let crossing = |sent: Place, received: Place| {
        let ((from, sent), (to, received)) = (ends(sent), ends(received));
        let is_known = from != to && received.outcome.is_some();
        is_known.then(|| Crossing { from, sent_ns: sent.start_ns, to, arrived_ns: received.end_ns() })
    };
    let mut found: Vec<Crossing> =
        messages.iter().filter_map(|Message { send, received, .. }| crossing(*send, *received)).collect();
    for Collective { calls, .. } in log.collectives.iter().filter(|c| c.calls.iter().all(|place| synchronises(trace, *place))) {
        // Of each host the last to come and the first to go: what the others would say, follows.
        let mut last: FxHashMap<usize, Place> = FxHashMap::default();
        let mut first: FxHashMap<usize, Place> = FxHashMap::default();
        for &place in calls {
            let (host, event) = ends(place);
            let is_last = last.get(&host).is_none_or(|known| ends(*known).1.start_ns < event.start_ns);
            let is_first = first.get(&host).is_none_or(|known| ends(*known).1.end_ns() > event.end_ns());
            _ = is_last.then(|| last.insert(host, place));
            _ = is_first.then(|| first.insert(host, place));
        }
        found.extend(last.values().flat_map(|sent| first.values().filter_map(|received| crossing(*sent, *received))));
    }
    found
}

/// Whether a member of the collective cannot leave it before all have come.
fn synchronises(trace: &Trace, place: Place) -> bool {
    let call = trace.call(trace.lanes[place.lane as usize].events[place.event as usize].call);
    let sends = |name| call.argument(name).int().is_some_and(|count| count > 0);
    match call.function {
        mpi::BARRIER => true,
        mpi::ALLREDUCE => sends("count"),
        mpi::ALLGATHER | mpi::ALLTOALL => sends("recvcount"),
        _ => false,
    }
}

/// Corrects one host after the other, each by those before it; the first is right.
fn fit(corrections: &mut [Correction], crossings: &[Crossing]) {
    let mut is_fitted = vec![false; corrections.len()];
    is_fitted[0] = true;
    loop {
        let mut ties = vec![0u64; corrections.len()];
        for crossing in crossings {
            match (is_fitted[crossing.from], is_fitted[crossing.to]) {
                (true, false) => ties[crossing.to] += 1,
                (false, true) => ties[crossing.from] += 1,
                _ => {}
            }
        }
        let Some((host, _)) = ties.iter().enumerate().max_by_key(|(_, ties)| **ties).filter(|(_, ties)| **ties > 0) else {
            return;
        };
        let (mut least, mut most) = (Vec::new(), Vec::new());
        for Crossing { from, sent_ns, to, arrived_ns } in crossings {
            if *to == host && is_fitted[*from] {
                least.push((*arrived_ns as f64, corrections[*from].of(*sent_ns) - *arrived_ns as f64));
            } else if *from == host && is_fitted[*to] {
                most.push((*sent_ns as f64, corrections[*to].of(*arrived_ns) - *sent_ns as f64));
            }
        }
        corrections[host] = between(least, most);
        is_fitted[host] = true;
    }
}

/// A time, and a bound of what has to be added then.
type Bound = (f64, f64);

/// The correction that is at least and at most so much.
fn between(least: Vec<Bound>, most: Vec<Bound>) -> Correction {
    let range = |drift: f64, least: &[Bound], most: &[Bound]| {
        let low = least.iter().map(|(at, bound)| bound - drift * at).fold(f64::NEG_INFINITY, f64::max);
        let high = most.iter().map(|(at, bound)| bound - drift * at).fold(f64::INFINITY, f64::min);
        (low, high)
    };
    let (low, high) = range(0.0, &least, &most);
    if low <= high {
        return Correction { offset_ns: 0f64.clamp(low.ceil(), high.floor().max(low.ceil())), drift: 0.0 };
    }
    // The room that a drift leaves has one highest point.
    let (least, most) = (hull(least, 1.0), hull(most, -1.0));
    let room = |drift: f64| {
        let (low, high) = range(drift, &least, &most);
        high - low
    };
    let (mut from, mut to) = (-DRIFT_MAX, DRIFT_MAX);
    for _ in 0..STEPS {
        let third = (to - from) / 3.0;
        if room(from + third) < room(to - third) { from += third } else { to -= third }
    }
    let drift = f64::midpoint(from, to);
    let (low, high) = range(drift, &least, &most);
    Correction { offset_ns: f64::midpoint(low, high), drift }
}

/// The points that a straight line above all of them could touch; below, if `side` is −1.
fn hull(mut points: Vec<Bound>, side: f64) -> Vec<Bound> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut hull: Vec<Bound> = Vec::new();
    for point in points {
        while let [.., a, b] = hull[..]
            && side * ((b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0)) >= 0.0
        {
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use traces::{Event, TraceBuilder, Value};

    use super::*;

    /// Messages between two hosts: the first's clock is right, the other's shows `clock` of the time.
    fn trace(messages: &[(u64, u64, bool)], clock: impl Fn(u64) -> u64) -> Trace {
        let mut builder = TraceBuilder::with_ranks(2);
        let of = |peer: &'static str, rank: i64| {
            [
                ("count", Value::Int(1)),
                ("datatype", Value::Int(0x209)),
                (peer, Value::Int(rank)),
                ("tag", Value::Int(0)),
                ("comm", Value::Int(0x101)),
            ]
        };
        for &(.., goes) in messages {
            let (from, to) = if goes { (0, 1) } else { (1, 0) };
            builder.push(from, mpi::SEND, 1, &of("dest", to as i64), Some(&[]));
            let status = Value::Ints(Box::new([from as i64, 0, 4, 0]));
            builder.push(to, mpi::RECV, 2, &of("source", from as i64), Some(&[("status", status)]));
        }
        let mut trace = builder.finish();
        trace.processes.iter_mut().zip(["a", "b"]).for_each(|(process, host)| process.host = host.into());
        for (number, &(sent, arrived, goes)) in messages.iter().enumerate() {
            let place = |lane: usize, event: &mut Event, ns: u64| {
                event.start_ns = if lane == 1 { clock(ns) } else { ns };
                event.duration_ns = 0;
            };
            let (from, to) = if goes { (0, 1) } else { (1, 0) };
            place(from, &mut trace.lanes[from].events[number], sent);
            place(to, &mut trace.lanes[to].events[number], arrived);
        }
        trace
    }

    /// By how much the worst message arrives before it was sent.
    fn worst(trace: &Trace, messages: &[(u64, u64, bool)]) -> u64 {
        let early = messages.iter().enumerate().map(|(number, (.., goes))| {
            let (from, to) = if *goes { (0, 1) } else { (1, 0) };
            trace.lanes[from].events[number].start_ns.saturating_sub(trace.lanes[to].events[number].end_ns())
        });
        early.max().unwrap_or(0)
    }

    /// One message after the other, each way, of so many ns.
    fn messages() -> impl Strategy<Value = Vec<(u64, u64, bool)>> {
        prop::collection::vec((1u64..1_000_000_000, 2u64..100_000, any::<bool>()), 1..60).prop_map(|list| {
            let mut now = 1_000_000_000_000;
            let mut next = |(pause, takes, goes)| {
                let sent = now + pause;
                now = sent + takes;
                (sent, now, goes)
            };
            list.into_iter().map(&mut next).collect()
        })
    }

    proptest! {
        #[test]
        fn no_message_arrives_before_it_was_sent(
            messages in messages(),
            offset in -1_000_000_000_000i64..1_000_000_000_000,
            drift in -100i64..100,
        ) {
            let clock = |ns: u64| (ns.cast_signed() + offset + ns.cast_signed() * drift / 1_000_000).cast_unsigned();
            let mut trace = trace(&messages, clock);
            align(&mut trace);
            // Times are whole nanoseconds.
            prop_assert!(worst(&trace, &messages) <= 2, "{}", worst(&trace, &messages));
        }

        #[test]
        fn clocks_that_nothing_contradicts_stay_as_they_are(messages in messages()) {
            let recorded = trace(&messages, |ns| ns);
            let mut aligned = recorded.clone();
            align(&mut aligned);
            prop_assert_eq!(recorded, aligned);
        }
    }
}
