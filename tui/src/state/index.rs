//! What is computed once of a trace so that a frame costs the same however long it is: kinds by call, and sums of time by kind.
//!
//! The sums stand at every 64th event of a lane; between two of them a frame adds up events itself.

use traces::{Event, Lane, Trace};

use super::kind::Kind;

/// How many events lie between two sums.
const STRIDE: usize = 64;

/// Time by kind, in ns, in the order of [`Kind::ALL`].
pub type Sums = [u64; Kind::ALL.len()];

/// The index of a trace.
pub struct Index {
    /// The kind of each distinct call.
    kinds: Vec<Kind>,
    /// By lane: the time by kind of the first 0, 64, 128… events.
    sums: Vec<Vec<Sums>>,
    /// Which kinds there are, in the order of [`Kind::ALL`].
    pub present: Vec<Kind>,
    /// How much time there is to show.
    pub extent_ns: u64,
    /// How much longer calls that never returned went on; 0 if all of it is shown.
    pub folded_ns: u64,
    /// Ranks with a call that never returned.
    pub hung_lanes: usize,
}

impl Index {
    /// Walks a trace once.
    pub fn of(trace: &Trace) -> Index {
        let kinds: Vec<Kind> = trace.calls.iter().map(|c| Kind::of(c.function)).collect();
        let sums = trace.lanes.iter().map(|lane| lane_sums(lane, &kinds)).collect();
        let present = Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)).collect();
        let hung_lanes = trace.lanes.iter().filter(|lane| hung(lane).is_some()).count();
        let (extent_ns, folded_ns) = extent_ns(trace);
        Index { kinds, sums, present, extent_ns, folded_ns, hung_lanes }
    }

    /// The kind of an event.
    pub fn kind(&self, event: &Event) -> Kind {
        self.kinds[event.call.0 as usize]
    }

    /// The time by kind of the events `from..to` of a lane.
    pub fn time_by_kind(&self, lane_number: usize, lane: &Lane, from: usize, to: usize) -> Sums {
        let mut result = self.up_to(lane_number, lane, to);
        let before = self.up_to(lane_number, lane, from);
        for (sum, less) in result.iter_mut().zip(before) {
            *sum -= less;
        }
        result
    }

    fn up_to(&self, lane_number: usize, lane: &Lane, to: usize) -> Sums {
        let at = to / STRIDE;
        let mut result = self.sums[lane_number][at];
        for event in &lane.events[at * STRIDE..to] {
            result[self.kind(event) as usize] += event.duration_ns;
        }
        result
    }
}

fn lane_sums(lane: &Lane, kinds: &[Kind]) -> Vec<Sums> {
    let mut sums = Vec::with_capacity(lane.events.len() / STRIDE + 1);
    let mut sum = Sums::default();
    for (number, event) in lane.events.iter().enumerate() {
        if number.is_multiple_of(STRIDE) {
            sums.push(sum);
        }
        sum[kinds[event.call.0 as usize] as usize] += event.duration_ns;
    }
    if lane.events.len().is_multiple_of(STRIDE) {
        sums.push(sum);
    }
    sums
}

/// The call that a lane's thread never came back from.
pub fn hung(lane: &Lane) -> Option<&Event> {
    lane.events.last().filter(|event| event.outcome.is_none())
}

/// The time to show, and what comes after it. A call that never returned lasts until its process was killed, which may be an hour
/// after the last thing that happened: then such calls get a tenth of the screen and no more, and the rest is folded.
fn extent_ns(trace: &Trace) -> (u64, u64) {
    let mut happened_ns = 0;
    let mut hung_until_ns = 0;
    for lane in &trace.lanes {
        let Some(last) = lane.events.last() else { continue };
        if hung(lane).is_some() {
            let before_ns = lane.events.iter().rev().nth(1).map_or(0, Event::end_ns);
            happened_ns = happened_ns.max(last.start_ns).max(before_ns);
            hung_until_ns = hung_until_ns.max(last.end_ns());
        } else {
            happened_ns = happened_ns.max(last.end_ns());
        }
    }
    let end_ns = happened_ns.max(hung_until_ns);
    let short_ns = happened_ns.saturating_add((happened_ns / 8).max(super::window::SPAN_MIN_NS));
    // Half of the screen may hang before what happened becomes hard to see.
    if hung_until_ns == 0 || end_ns <= happened_ns.saturating_mul(2).max(short_ns) {
        return (end_ns.max(if hung_until_ns == 0 { 0 } else { short_ns }), 0);
    }
    (short_ns, end_ns - short_ns)
}

#[cfg(test)]
mod tests {
    use traces::{TraceBuilder, Value, mpi};

    use super::*;

    #[test]
    fn sums_are_what_adding_up_gives() {
        let mut builder = TraceBuilder::with_ranks(1);
        for number in 0..200u64 {
            let function = if number % 3 == 0 { mpi::BARRIER } else { mpi::WTIME };
            builder.push(0, function, number, &[], Some(&[]));
        }
        let trace = builder.finish();
        let (index, lane) = (Index::of(&trace), &trace.lanes[0]);
        for (from, to) in [(0, 200), (0, 0), (3, 5), (63, 65), (64, 128), (1, 199), (200, 200)] {
            let mut plain = Sums::default();
            lane.events[from..to].iter().for_each(|e| plain[index.kind(e) as usize] += e.duration_ns);
            assert_eq!(index.time_by_kind(0, lane, from, to), plain, "{from}..{to}");
        }
    }

    #[test]
    fn an_hour_of_hanging_does_not_squeeze_what_happened() {
        let mut builder = TraceBuilder::with_ranks(1);
        builder.push(0, mpi::BARRIER, 1, &[], Some(&[]));
        builder.push(0, mpi::RECV, 2, &[("source", Value::Int(0))], None);
        let mut trace = builder.finish();
        trace.lanes[0].events[1].duration_ns = 3_600_000_000_000;
        let index = Index::of(&trace);
        assert!(index.extent_ns < 10_000);
        assert_eq!(index.extent_ns + index.folded_ns, trace.end_ns(), "what is not shown is known");
        trace.lanes[0].events[1].duration_ns = 900;
        let index = Index::of(&trace);
        assert_eq!((index.extent_ns, index.folded_ns), (trace.end_ns(), 0), "a short hang is shown whole");
    }
}
