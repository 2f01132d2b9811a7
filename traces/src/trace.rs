//! A trace in memory: who called what, when, and what came back.
//!
//! This is what every reader works on. It knows nothing of files (`reader`, `writer`) and nothing of what the calls mean.

use std::num::NonZeroU32;
use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::call::{Call, Outcome};
use crate::constant::FIRST_MADE;
use crate::cut::Cut;
use crate::function::mpi;
use crate::payload::Keep;
use crate::site::{Frame, Object, Site, SiteId, outwards};

/// The number of a [`Call`] in [`Trace::calls`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u32);

/// The number of an [`Outcome`] in [`Trace::outcomes`]. One more is kept, so that having none takes no room: an event has 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutcomeId(NonZeroU32);

impl OutcomeId {
    /// Of the outcome with this number.
    #[must_use]
    pub fn new(number: u32) -> OutcomeId {
        OutcomeId(NonZeroU32::MIN.saturating_add(number))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.get() - 1
    }
}

/// A recorded run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// How many ranks there are: those of MPI_COMM_WORLD, and behind them those of each world that was started by others.
    pub world_size: u32,
    /// The worlds that were started by others (MPI_Comm_spawn), in the order of their ranks.
    pub spawned: Vec<World>,
    /// Every process that took part, by rank.
    pub processes: Vec<Process>,
    /// Every distinct call.
    pub calls: Vec<Call>,
    /// Every distinct outcome.
    pub outcomes: Vec<Outcome>,
    /// Every distinct place that calls were made from.
    pub sites: Vec<Site>,
    /// Every distinct place that led to one, with all that led there itself.
    pub frames: Vec<Frame>,
    /// The files of machine code that the sites lie in.
    pub objects: Vec<Object>,
    /// The calls themselves: one lane a thread, by rank and then by thread.
    pub lanes: Vec<Lane>,
    /// What is missing, and why: empty for a whole trace.
    pub damage: Vec<String>,
}

/// An MPI_COMM_WORLD of processes that others started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// Its number in the recording.
    pub number: u32,
    /// Its rank 0, as the trace counts ranks.
    pub first: u32,
    /// How many ranks it has.
    pub size: u32,
}

/// A process that called MPI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its rank, counted over all worlds: in the first, it is that in MPI_COMM_WORLD. None if it ended before it had one.
    pub rank: Option<u32>,
    /// The name of its host.
    pub host: String,
    /// Its number there.
    pub pid: u32,
    /// What the MPI library says of itself, its first line.
    pub library: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How its recording ended.
    pub ending: Ending,
    /// Why it was not recorded to its end; empty if it was.
    pub stopped: String,
    /// Whether it was still running when the trace was read: only of a directory of segments.
    pub is_running: bool,
    /// What is kept of the data that its calls send and receive.
    pub payload: Keep,
    /// The largest tag, the attribute MPI_TAG_UB of MPI_COMM_WORLD; nothing if it is not known.
    pub tag_ub: Option<i64>,
}

/// How the recording of a process ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// It came to an end, or was killed, with no call of MPI_Finalize that returned.
    #[default]
    Unfinished,
    /// MPI_Finalize returned.
    Finalized,
    /// It called MPI_Abort.
    Aborted,
}

/// The calls of one thread, in the order that it made them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// The number of its process in [`Trace::processes`].
    pub process: u32,
    /// The rank of its process; None if that never had one.
    pub rank: Option<u32>,
    /// 0 for the thread that called MPI first, 1 for the next.
    pub thread: u32,
    /// Whether the thread has come to its end, and so makes no further call; the process may go on.
    pub ended: bool,
    /// What is missing after its first calls, because only the newest were kept.
    pub cut: Option<Box<Cut>>,
    /// The calls.
    pub events: Vec<Event>,
    /// The words of the events, see [`Lane::words_of`].
    pub words: Vec<u64>,
}

/// One call of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What was called.
    pub call: CallId,
    /// What came back; None if the call never returned.
    pub outcome: Option<OutcomeId>,
    /// When it was called, in ns since the first call of the trace.
    pub start_ns: u64,
    /// How long it took, in ns; if it never returned, until the last that is known of its process.
    pub duration_ns: u64,
    /// Where its words begin in the lane's.
    pub words_at: u32,
    /// How many they are.
    pub words_len: u16,
}

impl Event {
    /// When it returned, in ns since the first call of the trace.
    #[must_use]
    pub fn end_ns(&self) -> u64 {
        self.start_ns + self.duration_ns
    }
}

impl Lane {
    /// The words that belong to an event, beside its outcome because they hardly ever repeat:
    ///
    /// * of a poll that found nothing (a Test, an Iprobe): one, how often it was repeated in a row. `duration_ns` goes from the first to the last;
    /// * of all others: digests of what was sent and received; [`words::of`](crate::words::of) says which is what.
    #[must_use]
    pub fn words_of(&self, event: &Event) -> &[u64] {
        let start = event.words_at as usize;
        self.words.get(start..start + usize::from(event.words_len)).unwrap_or(&[])
    }
}

impl Trace {
    /// The call of an event.
    #[must_use]
    pub fn call(&self, id: CallId) -> &Call {
        &self.calls[id.0 as usize]
    }

    /// An outcome.
    #[must_use]
    pub fn outcome(&self, id: OutcomeId) -> &Outcome {
        &self.outcomes[id.number() as usize]
    }

    /// A site.
    #[must_use]
    pub fn site(&self, id: SiteId) -> &Site {
        &self.sites[id.0 as usize]
    }

    /// What a call is called in the words of its program: the method of a binding with the function that it calls, or the function.
    #[must_use]
    pub fn name_of(&self, call: &Call) -> String {
        let method = call.site.and_then(|site| self.sites.get(site.0 as usize)?.method.as_deref());
        method.map_or_else(|| call.function.to_string(), |method| format!("{method} ({})", call.function))
    }

    /// The places of a stack: where the call was made, then who called that function, and so on outwards.
    pub fn stack(&self, innermost: Frame) -> impl Iterator<Item = SiteId> + '_ {
        outwards(&self.frames, innermost)
    }

    /// The lanes of a rank, which lie side by side.
    #[must_use]
    pub fn lanes_of(&self, rank: u32) -> Range<usize> {
        let start = self.lanes.partition_point(|l| l.rank.is_some_and(|r| r < rank));
        let len = self.lanes[start..].iter().take_while(|l| l.rank == Some(rank)).count();
        start..start + len
    }

    /// The ranks whose program has switched the recording off for a time (MPI_Pcontrol), so that calls of theirs are missing.
    #[must_use]
    pub fn paused_ranks(&self) -> Vec<u32> {
        let is_switch: Vec<bool> = self.calls.iter().map(|call| call.function == mpi::PCONTROL).collect();
        if !is_switch.contains(&true) {
            return Vec::new();
        }
        let is_off = |lane: &Lane, event: &Event| is_switch[event.call.0 as usize] && lane.words_of(event).first() == Some(&1);
        let is_paused = |lane: &&Lane| lane.events.iter().any(|event| is_off(lane, event));
        let mut ranks: Vec<u32> = self.lanes.iter().filter(is_paused).filter_map(|lane| lane.rank).collect();
        ranks.dedup();
        ranks
    }

    /// How many calls were not recorded while the program had switched the recording off; None if nobody counted all of them.
    #[must_use]
    pub fn skipped_calls(&self) -> Option<u64> {
        let mut skipped = 0;
        let mut is_off: FxHashMap<u32, bool> = FxHashMap::default();
        for lane in &self.lanes {
            for event in &lane.events {
                match (self.call(event.call).function, lane.words_of(event)) {
                    (mpi::PCONTROL, [1]) => _ = is_off.insert(lane.process, true),
                    (mpi::PCONTROL, [0, count]) | (mpi::FINALIZE, [count]) => {
                        skipped += count;
                        is_off.insert(lane.process, false);
                    }
                    // An older recorder counted nothing.
                    (mpi::PCONTROL, [0]) => return None,
                    _ => {}
                }
            }
        }
        is_off.values().all(|off| !off).then_some(skipped)
    }

    /// The world that a rank is in: the first of its ranks, and how many they are.
    #[must_use]
    pub fn world_of(&self, rank: u32) -> Range<u32> {
        match self.spawned.iter().rfind(|world| world.first <= rank) {
            Some(world) => world.first..world.first + world.size,
            None => 0..self.spawned.first().map_or(self.world_size, |world| world.first),
        }
    }

    /// The rank of a member of a communicator, whom a recording names by world and rank there; −1 if it is not known.
    #[must_use]
    pub fn rank_of(&self, member: i64) -> i64 {
        match member >> 32 {
            0 => member,
            number => {
                let world = self.spawned.iter().find(|world| i64::from(world.number) == number);
                world.map_or(-1, |world| i64::from(world.first) + (member & 0xffff_ffff))
            }
        }
    }

    /// How many calls were recorded.
    #[must_use]
    pub fn event_count(&self) -> u64 {
        self.lanes.iter().map(|l| l.events.len() as u64).sum()
    }

    /// When the last call returned, in ns since the first began.
    #[must_use]
    pub fn end_ns(&self) -> u64 {
        self.lanes.iter().filter_map(|l| l.events.last()).map(Event::end_ns).max().unwrap_or(0)
    }
}

/// Whether a handle's number is one that the program made, and none that MPI predefines.
#[must_use]
pub fn is_made(handle: i64) -> bool {
    handle >= FIRST_MADE
}
