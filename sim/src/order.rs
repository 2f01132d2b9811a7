//! Which calls of different ranks come one before the other in every run with the same matches: happens-before, as vectors.
//!
//! It is built from messages, collectives, and posts and completions of windows. Where the standard leaves open whether a call synchronises,
//! it is taken to: what is unordered here is unordered whatever the library does. Asked for are moments of lanes, so that a vector is made
//! only where a lane has learnt something since the last one.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::finding::{Collective, Message, Place};
use crate::machine::{Assumptions, Machine, Record, Timeless};
use crate::program::{ContextId, Mode, Op, Program, SyncKind, Then};

/// What a lane knows at one moment: how many events of each lane are over. It shares with other moments what is the same in all of them, so that
/// a vector is made only where a lane has learnt something.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// By lane; what it says of the own one is out of date.
    others: Rc<[u32]>,
    lane: u32,
    own: u32,
}

impl Known {
    /// How many events of a lane are over for certain.
    pub(crate) fn of(&self, lane: usize) -> u32 {
        if lane == self.lane as usize { self.own } else { self.others[lane] }
    }
}

/// The order of some places.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Before each place that was asked for.
    known: FxHashMap<Place, Known>,
}

impl Order {
    /// Finds what comes before each of these places. None where it cannot be told: several threads of a rank call MPI, or a synchronous send is
    /// completed nobody knows where.
    pub(crate) fn of(
        program: &Program,
        messages: &[Message],
        collectives: &[Collective],
        places: impl Iterator<Item = Place>,
    ) -> Option<Order> {
        if !program.turns.is_empty() || has_late_synchronous_sends(program) {
            return None;
        }
        let mut points = Points::new(program.lanes.len());
        places.for_each(|place| points.add(place, Deed::Mark));
        for message in messages {
            points.edge(message.send, message.received);
            if is_synchronous(program, message.send) {
                points.edge(message.receive, message.send);
            }
        }
        points.windows(program);
        for collective in collectives {
            let number = index(points.meetings.len());
            points.meetings.push(index(collective.calls.len()));
            collective.calls.iter().for_each(|place| points.add(*place, Deed::Meet(number)));
        }
        Some(Run::new(points).run())
    }

    /// How many events of each lane are over for certain when this one begins; None if it is not known.
    pub(crate) fn before(&self, place: Place) -> Option<&Known> {
        self.known.get(&place)
    }

    /// Whether a call has returned before another one begins; None if it is not known.
    pub(crate) fn is_before(&self, one: Place, other: Place) -> Option<bool> {
        if one.lane == other.lane {
            return Some(one.event < other.event);
        }
        self.before(other).map(|known| known.of(one.lane as usize) > one.event)
    }
}

/// What is before each of these places in the recorded run.
pub(crate) fn pasts(program: &Program, places: &[Place]) -> Option<Vec<Option<Vec<u32>>>> {
    let mut machine = Machine::new(program, Assumptions::RECORDED, Timeless, Record::Everything);
    machine.run();
    let messages = machine.log().take_messages();
    let collectives = std::mem::take(&mut machine.log().collectives);
    let order = Order::of(program, &messages, &collectives, places.iter().copied())?;
    let past = |known: &Known| (0..program.lanes.len()).map(|lane| known.of(lane)).collect();
    Some(places.iter().map(|place| order.before(*place).map(past)).collect())
}

fn is_synchronous(program: &Program, place: Place) -> bool {
    let step = program.lanes[place.lane as usize].steps[place.event as usize];
    let Op::Transfer { send: Some(send), .. } = program.ops[step as usize] else { return false };
    program.sends[send as usize].mode == Mode::Synchronous
}

fn has_late_synchronous_sends(program: &Program) -> bool {
    program.ops.iter().any(|op| {
        let Op::Transfer { send: Some(send), then, .. } = op else { return false };
        *then != Then::Return && program.sends[*send as usize].mode == Mode::Synchronous
    })
}

/// What an event tells others, or learns from them; in the order in which one event does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    /// It is asked for.
    Mark,
    /// Tells by this edge.
    Give(u32),
    /// Comes to this meeting.
    Meet(u32),
    /// Learns by this edge.
    Take(u32),
}

/// A number of a lane, an edge or a meeting.
fn index(number: usize) -> u32 {
    u32::try_from(number).expect("fewer than 2^32 messages and collectives")
}

#[derive(Debug)]
struct Points {
    /// By lane: the events that count.
    lanes: Vec<Vec<(u32, Deed)>>,
    edges: u32,
    /// How many members each meeting has.
    meetings: Vec<u32>,
}

impl Points {
    fn new(lanes: usize) -> Points {
        Points { lanes: vec![Vec::new(); lanes], edges: 0, meetings: Vec::new() }
    }

    fn add(&mut self, place: Place, deed: Deed) {
        self.lanes[place.lane as usize].push((place.event, deed));
    }

    fn edge(&mut self, from: Place, to: Place) {
        self.add(from, Deed::Give(self.edges));
        self.add(to, Deed::Take(self.edges));
        self.edges += 1;
    }

    /// From MPI_Win_post to MPI_Win_start, and from MPI_Win_complete to MPI_Win_wait.
    fn windows(&mut self, program: &Program) {
        let mut told: FxHashMap<(ContextId, bool, u32, u32), [Vec<Place>; 2]> = FxHashMap::default();
        for (number, lane) in (0..).zip(&program.lanes) {
            let mut with: FxHashMap<(ContextId, bool), &[u32]> = FxHashMap::default();
            for (at, step) in (0..).zip(&lane.steps) {
                let Op::Sync { sync } = program.ops[*step as usize] else { continue };
                let plan = &program.syncs[sync as usize];
                let place = Place { lane: number, event: at };
                let (is_end, is_giver, others) = match plan.kind {
                    SyncKind::Post | SyncKind::Start => {
                        let is_post = plan.kind == SyncKind::Post;
                        with.insert((plan.window, is_post), &plan.ranks);
                        (false, is_post, &plan.ranks[..])
                    }
                    SyncKind::Complete => (true, true, with.remove(&(plan.window, false)).unwrap_or_default()),
                    SyncKind::Wait { .. } => (true, false, with.remove(&(plan.window, true)).unwrap_or_default()),
                    _ => continue,
                };
                for &other in others {
                    let (from, to) = if is_giver { (lane.rank, other) } else { (other, lane.rank) };
                    told.entry((plan.window, is_end, from, to)).or_default()[usize::from(!is_giver)].push(place);
                }
            }
        }
        for [given, taken] in told.values() {
            given.iter().zip(taken).for_each(|(from, to)| self.edge(*from, *to));
        }
    }
}

/// A meeting that some have come to.
struct Meeting {
    /// What the first one knew of others.
    first: Rc<[u32]>,
    /// What all know together that have come.
    together: Rc<[u32]>,
    here: Vec<u32>,
}

/// The lanes on their way through their points.
struct Run {
    points: Points,
    /// By lane: the next point.
    next: Vec<usize>,
    /// By lane: what it knows of others.
    now: Vec<Rc<[u32]>>,
    /// What was told by each edge, until it is learnt.
    given: Vec<Option<Known>>,
    /// The lane that waits for an edge.
    waits: FxHashMap<u32, usize>,
    /// The meetings that not all have come to yet.
    open: FxHashMap<u32, Meeting>,
    order: Order,
}

impl Run {
    fn new(mut points: Points) -> Run {
        points.lanes.iter_mut().for_each(|lane| lane.sort_unstable());
        let lanes = points.lanes.len();
        Run {
            next: vec![0; lanes],
            now: vec![vec![0; lanes].into(); lanes],
            given: vec![None; points.edges as usize],
            waits: FxHashMap::default(),
            open: FxHashMap::default(),
            order: Order::default(),
            points,
        }
    }

    fn run(mut self) -> Order {
        let mut ready: Vec<usize> = (0..self.next.len()).rev().collect();
        while let Some(lane) = ready.pop() {
            while let Some(&(event, deed)) = self.points.lanes[lane].get(self.next[lane]) {
                if !self.does(lane, event, deed, &mut ready) {
                    break;
                }
                self.next[lane] += 1;
            }
        }
        self.order
    }

    /// A lane comes to a point. Gives whether it gets past it.
    fn does(&mut self, lane: usize, event: u32, deed: Deed, ready: &mut Vec<usize>) -> bool {
        match deed {
            Deed::Mark => {
                let known = self.at(lane, event);
                self.order.known.insert(Place { lane: known.lane, event }, known);
            }
            Deed::Give(edge) => {
                self.given[edge as usize] = Some(self.at(lane, event + 1));
                ready.extend(self.waits.remove(&edge));
            }
            Deed::Take(edge) => {
                let Some(told) = self.given[edge as usize].take() else {
                    self.waits.insert(edge, lane);
                    return false;
                };
                self.learn(lane, told);
            }
            Deed::Meet(meeting) => return self.meet(lane, event, meeting, ready),
        }
        true
    }

    /// What a lane knows when so many events of its own are over.
    fn at(&self, lane: usize, own: u32) -> Known {
        Known { others: Rc::clone(&self.now[lane]), lane: index(lane), own }
    }

    fn learn(&mut self, lane: usize, Known { others: told, lane: teller, own }: Known) {
        let now = &mut self.now[lane];
        if !Rc::ptr_eq(now, &told) && now.iter().zip(&told[..]).any(|(own, other)| other > own) {
            join(now, &told);
        }
        if now[teller as usize] < own {
            Rc::make_mut(now)[teller as usize] = own;
        }
    }

    /// The last member lets all go on.
    fn meet(&mut self, lane: usize, event: u32, meeting: u32, ready: &mut Vec<usize>) -> bool {
        let now = &self.now[lane];
        let (first, together) = (Rc::clone(now), Rc::clone(now));
        let state = self.open.entry(meeting).or_insert_with(|| Meeting { first, together, here: Vec::new() });
        if !Rc::ptr_eq(&state.first, now) {
            join(&mut state.together, now);
        }
        Rc::make_mut(&mut state.together)[lane] = event + 1;
        state.here.push(index(lane));
        if state.here.len() < self.points.meetings[meeting as usize] as usize {
            return false;
        }
        let Some(Meeting { together, here, .. }) = self.open.remove(&meeting) else { return true };
        for member in here.into_iter().map(|member| member as usize) {
            // It knows no more than all together.
            self.now[member] = Rc::clone(&together);
            if member != lane {
                self.next[member] += 1;
                ready.push(member);
            }
        }
        true
    }
}

/// Adds what others know.
fn join(known: &mut Rc<[u32]>, others: &[u32]) {
    Rc::make_mut(known).iter_mut().zip(others).for_each(|(known, other)| *known = (*known).max(*other));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::program::Lane;

    fn place(lane: u32, event: u32) -> Place {
        Place { lane, event }
    }

    fn message(send: Place, receive: Place, received: Place) -> Message {
        Message { send, receive, received, bytes: 0, tag: 0, comm: 0 }
    }

    fn program(lanes: u32) -> Program {
        let lane = |rank| Lane { rank, steps: vec![0; 10], ..Lane::default() };
        Program { lanes: (0..lanes).map(lane).collect(), ops: vec![Op::Local], ..Program::default() }
    }

    #[test]
    fn what_a_message_tells_is_known_where_it_is_received_and_after() {
        let messages = [message(place(0, 2), place(1, 1), place(1, 3)), message(place(1, 4), place(2, 0), place(2, 0))];
        let asked = [place(1, 3), place(1, 4), place(2, 1), place(0, 9)];
        let order = Order::of(&program(3), &messages, &[], asked.into_iter()).unwrap();
        assert_eq!(order.is_before(place(0, 2), place(1, 4)), Some(true));
        assert_eq!(order.is_before(place(0, 3), place(1, 4)), Some(false));
        assert_eq!(order.is_before(place(0, 2), place(1, 3)), Some(false), "not before the call that receives it");
        assert_eq!(order.is_before(place(0, 2), place(2, 1)), Some(true), "by way of rank 1");
        assert_eq!(order.is_before(place(2, 0), place(0, 9)), Some(false));
    }

    #[test]
    fn all_that_was_before_a_collective_is_before_what_is_after_it() {
        let collective = |event| Collective { comm: 0, calls: (0..3).map(|lane| place(lane, event)).collect() };
        let asked = [place(0, 1), place(0, 5), place(2, 9)];
        let order = Order::of(&program(3), &[], &[collective(4), collective(8)], asked.into_iter()).unwrap();
        assert_eq!(order.is_before(place(1, 3), place(0, 5)), Some(true));
        assert_eq!(order.is_before(place(1, 5), place(0, 5)), Some(false));
        assert_eq!(order.is_before(place(1, 7), place(2, 9)), Some(true));
        assert_eq!(order.is_before(place(1, 0), place(0, 1)), Some(false));
    }

    #[test]
    fn what_lies_behind_a_cycle_is_not_known() {
        let messages = [message(place(0, 2), place(1, 1), place(1, 1)), message(place(1, 3), place(0, 1), place(0, 1))];
        let order = Order::of(&program(2), &messages, &[], [place(1, 5)].into_iter()).unwrap();
        assert_eq!(order.is_before(place(0, 0), place(1, 5)), None);
    }

    proptest! {
        /// Known is what can be reached along lanes and messages, and nothing else.
        #[test]
        fn order_is_reachability(raw in proptest::collection::vec((0u32..4, 0u32..4, 0u32..4), 0..20)) {
            // Messages one after the other in time, so that there is no cycle.
            let mut next = [0u32; 4];
            let messages: Vec<Message> = raw.into_iter().filter(|(from, to, _)| from != to).map(|(from, to, gap)| {
                next[from as usize] += gap;
                let send = place(from, next[from as usize]);
                next[from as usize] += 1;
                let received = place(to, next[to as usize]);
                next[to as usize] += 1;
                message(send, received, received)
            }).collect();
            let mut program = program(4);
            program.lanes.iter_mut().for_each(|lane| lane.steps = vec![0; 200]);
            let all: Vec<Place> = (0..4).flat_map(|lane| (0..=next[lane as usize]).map(move |event| place(lane, event))).collect();
            let order = Order::of(&program, &messages, &[], all.iter().copied()).unwrap();
            for &one in &all {
                let mut earliest = [u32::MAX; 4];
                earliest[one.lane as usize] = one.event;
                // Messages are in the order of time.
                for m in &messages {
                    if earliest[m.send.lane as usize] <= m.send.event {
                        let earliest = &mut earliest[m.received.lane as usize];
                        *earliest = (*earliest).min(m.received.event);
                    }
                }
                for &other in all.iter().filter(|other| other.lane != one.lane) {
                    prop_assert_eq!(order.is_before(one, other), Some(earliest[other.lane as usize] < other.event));
                }
            }
        }
    }
}
