//! A recorded program in virtual time: the machine with a clock.
//!
//! What lies between calls took as long as in the recorded run; what calls take is the network's business. The same trace and network give
//! the same times, to the nanosecond.

use traces::function::Class;
use traces::{Event, Trace};

use crate::finding::Place;
use crate::lift::{LOCAL, lift};
use crate::machine::{Assumptions, Clock, Machine, Record, Travel};
use crate::network::Network;
use crate::program::Program;

/// Runs a trace on a network: the same calls, at other times. A call that never returned stays so.
#[must_use]
pub fn replay(trace: &Trace, network: &Network) -> Trace {
    let lifted = lift(trace);
    let assume = Assumptions { eager_bytes: Some(network.eager_bytes), ..Assumptions::RECORDED };
    let mut machine = Machine::new(&lifted.program, assume, VirtualTime::new(trace, &lifted.program, network), Record::Misfits);
    machine.run();
    machine.into_clock().into_trace()
}

/// When each lane is where.
struct VirtualTime<'a> {
    trace: &'a Trace,
    program: &'a Program,
    network: &'a Network,
    /// By lane: what time it is.
    now: Vec<u64>,
    /// By lane: the calls that began, with their new times.
    calls: Vec<Vec<Times>>,
}

/// When a call began and, if it did, returned.
struct Times {
    start_ns: u64,
    end_ns: Option<u64>,
}

impl<'a> VirtualTime<'a> {
    fn new(trace: &'a Trace, program: &'a Program, network: &'a Network) -> VirtualTime<'a> {
        let calls = trace.lanes.iter().map(|lane| Vec::with_capacity(lane.events.len())).collect();
        VirtualTime { trace, program, network, now: vec![0; trace.lanes.len()], calls }
    }

    fn events(&self, lane: u32) -> &'a [Event] {
        &self.trace.lanes[lane as usize].events
    }

    /// How long a call takes that has nothing to do with other ranks: as long as it took. Polling is waiting, and takes no time of its own.
    fn own_time(&self, place: Place) -> u64 {
        let event = &self.events(place.lane)[place.event as usize];
        let class = self.trace.call(event.call).function.class();
        let is_local = self.program.lanes[place.lane as usize].steps[place.event as usize] == LOCAL;
        let is_poll = matches!(class, Class::Completion | Class::Probe);
        if is_local && !is_poll { event.duration_ns } else { 0 }
    }

    /// The trace with its new times.
    fn into_trace(self) -> Trace {
        let mut trace = self.trace.clone();
        let end = self.now.iter().copied().max().unwrap_or(0);
        for (lane, calls) in trace.lanes.iter_mut().zip(self.calls) {
            for (event, times) in lane.events.iter_mut().zip(calls) {
                event.start_ns = times.start_ns;
                event.duration_ns = times.end_ns.unwrap_or(end).saturating_sub(times.start_ns);
            }
        }
        trace
    }
}

impl Clock for VirtualTime<'_> {
    type Moment = u64;

    fn begin(&mut self, place: Place) {
        let events = self.events(place.lane);
        let at = place.event as usize;
        let before = at.checked_sub(1).map_or(0, |last| events[last].end_ns());
        let now = &mut self.now[place.lane as usize];
        *now = now.saturating_add(self.network.compute_ns(events[at].start_ns.saturating_sub(before)));
        self.calls[place.lane as usize].push(Times { start_ns: *now, end_ns: None });
    }

    fn post(&mut self, place: Place) -> u64 {
        let now = &mut self.now[place.lane as usize];
        *now = now.saturating_add(self.network.overhead_ns);
        *now
    }

    fn deliver(&mut self, sent: u64, received: u64, message: Travel) -> (u64, u64) {
        let Network { latency_ns, overhead_ns, .. } = *self.network;
        let transfer = self.network.transfer_ns(message.bytes);
        if message.is_buffered {
            let arrival = sent.saturating_add(latency_ns).saturating_add(transfer);
            return (sent, received.max(arrival).saturating_add(overhead_ns));
        }
        // The receiver says that it is ready, and the message comes.
        let start = sent.max(received).saturating_add(latency_ns);
        let done = start.saturating_add(transfer);
        (done, done.saturating_add(latency_ns).saturating_add(overhead_ns))
    }

    fn gather(&mut self, own: u64, latest: u64, members: usize, bytes: u64) -> u64 {
        own.max(latest).saturating_add(self.network.collective_ns(members, bytes))
    }

    fn wait(&mut self, lane: u32, until: u64) {
        let now = &mut self.now[lane as usize];
        *now = (*now).max(until);
    }

    fn end(&mut self, place: Place) {
        let own = self.own_time(place);
        let now = &mut self.now[place.lane as usize];
        *now = now.saturating_add(own);
        if let Some(times) = self.calls[place.lane as usize].last_mut() {
            times.end_ns = Some(*now);
        }
    }
}
