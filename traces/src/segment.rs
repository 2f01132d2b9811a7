//! A segment: the calls of one thread while they are being recorded.
//!
//! A segment is two files with one stem. `*.ring` is a piece of memory mapped into the process, of a fixed size: what lies in it is
//! there whatever becomes of the process, a SIGKILL included. `*.chunks` takes the ring's contents, packed, each time it is full;
//! it is a row of the records that a trace file is made of. FORMAT.md gives the layout.
//!
//! This file knows the layout for both sides, the writer in the process and the reader afterwards. It maps nothing and opens nothing.

use std::ops::{Deref, DerefMut};

use rustc_hash::FxHasher;

use crate::chunk::{Body, Entry, RawEvent};
use crate::record::{Chunk, Clock, ProcessRecord};
use crate::trace::Ending;

/// "MPIRING1", the first eight bytes of a ring.
const MAGIC: u64 = u64::from_le_bytes(*b"MPIRING1");
/// Bytes of the header.
const HEADER: usize = 4096;
/// Bytes of the part that holds events: some 16,000 of them, which fit into a cache of the second level.
const EVENTS: usize = 384 << 10;
/// Bytes of the part that holds the dictionary.
const ARENA: usize = 512 << 10;
/// Bytes of a ring.
pub const RING_BYTES: usize = HEADER + EVENTS + ARENA;
/// Bytes of an event without its words.
const EVENT: usize = 24;
/// The most words that an event can have; further ones are dropped.
pub const WORDS_MAX: usize = 4096;
/// The largest dictionary entry that is kept.
pub const ENTRY_MAX: usize = ARENA / 8;
/// More entries than a call and its outcome bring: the frames of a stack, and the file of each.
const ENTRIES_MAX: usize = 256;
/// Slots of the table of known entries, a power of two.
const SLOTS: usize = 1 << 14;

/// The words of the header, by position.
#[derive(Clone, Copy)]
enum Field {
    Magic,
    Thread,
    /// Bytes of events in use.
    Events,
    /// Bytes of the dictionary in use.
    Arena,
    /// 0, 1 or 2: see [`Ending`].
    Ending,
    FirstTicks,
    FirstNs,
    LastTicks,
    LastNs,
    RealtimeNs,
    /// 1 + the rank.
    Rank,
    WorldSize,
    /// Why recording stopped: the number of a [`Stop`], 0 if it did not.
    Stopped,
    /// 1 if the thread has ended.
    Ended,
    /// Bytes of the process record, which follows the fields.
    Process,
    /// Where the process record begins.
    End,
}

/// Where a ring has the number of the [`Stop`], in bytes from its beginning. Who stops the recording of a process may be any of its threads:
/// it writes to the ring of the first one.
pub const STOP_AT: usize = Field::Stopped as usize * 8;

/// Why recording stopped before the process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The disk is full, or a file may not become as large.
    Space = 1,
    /// The process has no memory left.
    Memory,
    /// The file system refused something else.
    Files,
    /// A mistake of the recorder.
    Mistake,
}

impl Stop {
    /// The reason in words; empty for 0.
    fn text(number: u64) -> &'static str {
        let words = [
            "",
            "no space left for the trace",
            "no memory left",
            "the file system refused to take more",
            "an error of the recorder",
        ];
        words[(number as usize).min(words.len() - 1)]
    }
}

impl From<&std::io::Error> for Stop {
    fn from(error: &std::io::Error) -> Stop {
        use std::io::ErrorKind as E;
        match error.kind() {
            E::StorageFull | E::QuotaExceeded | E::FileTooLarge => Stop::Space,
            E::OutOfMemory => Stop::Memory,
            _ => Stop::Files,
        }
    }
}

/// How far the calls in a ring have come, from its first bytes: this grows with each call that begins or brings something new, and not
/// with a poll that finds nothing once more. None if these are not a ring's.
#[must_use]
pub fn progress(head: &[u8]) -> Option<u64> {
    let word = |field: Field| head.get(field as usize * 8..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    (word(Field::Magic)? == MAGIC).then(|| word(Field::Events))?
}

/// A ring, in whatever memory.
#[derive(Debug)]
pub struct Ring<M>(M);

impl<M: Deref<Target = [u8]>> Ring<M> {
    /// The ring in this memory, if it is one.
    pub fn open(memory: M) -> Option<Ring<M>> {
        let ring = Ring(memory);
        (ring.0.len() == RING_BYTES && ring.word(Field::Magic as usize * 8) == MAGIC).then_some(ring)
    }

    fn word(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.0[at..at + 8].try_into().expect("a slice of eight bytes"))
    }

    fn field(&self, field: Field) -> u64 {
        self.word(field as usize * 8)
    }

    /// The process, as far as it is known.
    #[must_use]
    pub fn process(&self) -> ProcessRecord {
        let len = (self.field(Field::Process) as usize).min(HEADER - Field::End as usize * 8);
        let at = Field::End as usize * 8;
        let text = rmp_serde::from_slice(&self.0[at..at + len]).unwrap_or_default();
        ProcessRecord {
            rank: u32::try_from(self.field(Field::Rank)).ok().and_then(|r| r.checked_sub(1)),
            world_size: u32::try_from(self.field(Field::WorldSize)).unwrap_or(0),
            ending: [Ending::Unfinished, Ending::Finalized, Ending::Aborted][(self.field(Field::Ending) as usize).min(2)],
            stopped: Stop::text(self.field(Field::Stopped)).to_owned(),
            clock: Clock {
                first_ticks: self.field(Field::FirstTicks),
                first_ns: self.field(Field::FirstNs),
                last_ticks: self.field(Field::LastTicks),
                last_ns: self.field(Field::LastNs),
                realtime_ns: self.field(Field::RealtimeNs),
            },
            ..text
        }
    }

    /// Whether the thread has come to its end: it makes no further call.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.field(Field::Ended) != 0
    }

    /// The memory that it lies in.
    #[must_use]
    pub fn memory(&self) -> &[u8] {
        &self.0
    }

    /// The number of the thread in its process.
    #[must_use]
    pub fn thread(&self) -> u32 {
        self.field(Field::Thread) as u32
    }

    /// What the ring holds, packed; None if it holds nothing. A ring that is damaged is read as far as it makes sense.
    #[must_use]
    pub fn chunk(&self, process: u32) -> Option<Chunk> {
        self.chunk_in(&mut Body::default(), process)
    }

    /// Like [`Ring::chunk`], in the memory of an empty body, which is empty again afterwards.
    #[must_use]
    pub fn chunk_in(&self, body: &mut Body, process: u32) -> Option<Chunk> {
        self.read_dictionary(body);
        self.read_events(body);
        body.pack(process, self.thread())
    }

    fn read_dictionary(&self, body: &mut Body) {
        let arena = &self.0[HEADER + EVENTS..];
        let mut rest = &arena[..(self.field(Field::Arena) as usize).min(ARENA)];
        while let Some((head, tail)) = rest.split_at_checked(4) {
            let head = u32::from_le_bytes(head.try_into().expect("a slice of four bytes"));
            let (kind, len) = ((head >> 28) as usize, (head & 0x0fff_ffff) as usize);
            let Some((entry, tail)) = tail.split_at_checked(len) else { break };
            body.entry(Entry::ALL[kind & 3], entry);
            rest = tail;
        }
    }

    fn read_events(&self, body: &mut Body) {
        let mut rest = &self.0[HEADER..][..(self.field(Field::Events) as usize).min(EVENTS)];
        while let Some((head, tail)) = rest.split_first_chunk::<EVENT>() {
            let word = |n: usize| u64::from_le_bytes(head[n * 8..][..8].try_into().expect("a slice of eight bytes"));
            let (ids, start, last) = (word(0), word(1), word(2));
            let words = (last >> 48) as u16;
            let event = RawEvent { call: ids as u32, outcome: (ids >> 32) as u32, start, duration: last & DURATION, words };
            let Some((words, tail)) = tail.split_at_checked(usize::from(words) * 8) else { break };
            if !body.explains(&event) {
                break;
            }
            body.event(&event, words);
            rest = tail;
        }
    }
}

/// The low bits of an event's third word; the rest is the number of its words.
const DURATION: u64 = (1 << 48) - 1;

/// An event that has begun. It is finished through [`Recording::finish`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Open {
    at: usize,
    start: u64,
}

/// A ring being written, and the table of what its dictionary knows.
#[derive(Debug)]
pub struct Recording<M> {
    ring: Ring<M>,
    /// Bytes of events and of dictionary in use, as in the header.
    events: usize,
    arena: usize,
    /// Entries of each kind.
    counts: [u32; 4],
    /// 1 + a position in `known`, 0 for none: open addressing by hash.
    slots: Box<[u32]>,
    /// The entries' keys: where they lie in `keys`, how long they are, and the entry's number.
    known: Vec<(u32, u32, u32)>,
    keys: Vec<u64>,
    scratch: Vec<u8>,
    /// The last event, if it is a poll that found nothing: a repetition is folded into it.
    poll: Option<usize>,
}

/// The ring has no room for what is to be written: save what is in it, [`Recording::clear`] it, begin again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl<M: DerefMut<Target = [u8]>> Recording<M> {
    /// Begins a recording in `memory`, which is [`RING_BYTES`] long and all zero.
    pub fn begin_in(memory: M, thread: u32, process: &ProcessRecord) -> Option<Recording<M>> {
        if memory.len() != RING_BYTES {
            return None;
        }
        let mut recording = Recording {
            ring: Ring(memory),
            events: 0,
            arena: 0,
            counts: [0; 4],
            slots: vec![0; SLOTS].into_boxed_slice(),
            known: Vec::with_capacity(1024),
            keys: Vec::with_capacity(16 << 10),
            scratch: Vec::with_capacity(1024),
            poll: None,
        };
        recording.set(Field::Thread, u64::from(thread));
        recording.describe(process);
        recording.set(Field::Magic, MAGIC);
        Some(recording)
    }

    #[inline]
    fn put(&mut self, at: usize, word: u64) {
        self.ring.0[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }

    fn set(&mut self, field: Field, word: u64) {
        self.put(field as usize * 8, word);
    }

    /// Writes what is known of the process into the header.
    pub fn describe(&mut self, process: &ProcessRecord) {
        let mut text = process.clone();
        let room = HEADER - Field::End as usize * 8;
        let mut bytes = rmp_serde::to_vec_named(&text).unwrap_or_default();
        while bytes.len() > room && text.command.pop().is_some() {
            bytes = rmp_serde::to_vec_named(&text).unwrap_or_default();
        }
        if bytes.len() <= room {
            let at = Field::End as usize * 8;
            self.ring.0[at..at + bytes.len()].copy_from_slice(&bytes);
            self.set(Field::Process, bytes.len() as u64);
        }
        self.set(Field::WorldSize, u64::from(process.world_size));
        self.set(Field::Rank, process.rank.map_or(0, |r| u64::from(r) + 1));
        self.set(Field::RealtimeNs, process.clock.realtime_ns);
        self.set(Field::FirstTicks, process.clock.first_ticks);
        self.set(Field::FirstNs, process.clock.first_ns);
        self.tell_time(process.clock.last_ticks, process.clock.last_ns);
    }

    /// Notes a reading of the tick counter beside the monotonic clock; the more time since the first, the finer the calibration.
    pub fn tell_time(&mut self, ticks: u64, ns: u64) {
        self.set(Field::LastTicks, ticks);
        self.set(Field::LastNs, ns);
    }

    /// Notes how the process ends. Who has called MPI_Abort and yet came to MPI_Finalize, because the end takes its time, has aborted.
    pub fn end(&mut self, ending: Ending) {
        let before = self.ring.field(Field::Ending);
        self.set(Field::Ending, before.max(ending as u64));
    }

    /// Notes that the thread ends.
    pub fn end_thread(&mut self) {
        self.set(Field::Ended, 1);
    }

    /// The number of the entry that `key` stands for, if the dictionary has it.
    #[inline]
    #[must_use]
    pub fn known(&self, key: &[u64]) -> Option<u32> {
        self.look_up(key).ok()
    }

    /// The number of the entry that `key` stands for; a new one is encoded by `encode`. Keys of different kinds must differ.
    ///
    /// # Errors
    /// If there is no room for a new entry.
    #[inline]
    pub fn intern(&mut self, kind: Entry, key: &[u64], encode: impl FnOnce(&mut Vec<u8>)) -> Result<u32, Full> {
        self.look_up(key).or_else(|slot| self.learn(slot, kind, key, encode))
    }

    /// The number of an entry, or the slot where it belongs.
    #[inline]
    fn look_up(&self, key: &[u64]) -> Result<u32, usize> {
        let mut slot = hash(key) as usize & (SLOTS - 1);
        loop {
            let Some(position) = (self.slots[slot] as usize).checked_sub(1) else { return Err(slot) };
            let (at, len, number) = self.known[position];
            if self.keys.get(at as usize..(at + len) as usize) == Some(key) {
                return Ok(number);
            }
            slot = (slot + 1) & (SLOTS - 1);
        }
    }

    #[cold]
    fn learn(&mut self, slot: usize, kind: Entry, key: &[u64], encode: impl FnOnce(&mut Vec<u8>)) -> Result<u32, Full> {
        let mut entry = std::mem::take(&mut self.scratch);
        entry.clear();
        encode(&mut entry);
        let end = self.arena + 4 + entry.len();
        let fits = end <= ARENA && entry.len() <= ENTRY_MAX && self.known.len() < SLOTS / 2;
        if fits {
            let at = HEADER + EVENTS + self.arena;
            let head = (kind as u32) << 28 | u32::try_from(entry.len()).unwrap_or(0);
            self.ring.0[at..at + 4].copy_from_slice(&head.to_le_bytes());
            self.ring.0[at + 4..at + 4 + entry.len()].copy_from_slice(&entry);
        }
        self.scratch = entry;
        if !fits {
            return Err(Full);
        }
        self.arena = end;
        self.set(Field::Arena, end as u64);
        let number = self.counts[kind as usize];
        self.counts[kind as usize] += 1;
        let at = u32::try_from(self.keys.len()).expect("keys are bounded by the dictionary");
        self.keys.extend_from_slice(key);
        self.known.push((at, u32::try_from(key.len()).expect("a key is short"), number));
        self.slots[slot] = u32::try_from(self.known.len()).expect("at most SLOTS / 2 entries");
        Ok(number)
    }

    /// Whether an event with as many words as there can be still fits, and the entries of its call and its outcome.
    #[inline]
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.events + EVENT * 2 + WORDS_MAX * 8 <= EVENTS
            && self.arena + 3 * ENTRY_MAX <= ARENA
            && self.known.len() + ENTRIES_MAX < SLOTS / 2
    }

    /// Puts a call on record that is about to be made. Ask [`Recording::has_room`] first.
    #[inline]
    pub fn begin(&mut self, call: u32, start: u64) -> Open {
        let at = HEADER + self.events;
        let (places, _) = self.ring.0[at..at + EVENT].as_chunks_mut::<8>();
        places.copy_from_slice(&[u64::from(call), start, 0].map(u64::to_le_bytes));
        self.advance(EVENT);
        Open { at, start }
    }

    #[inline]
    fn advance(&mut self, bytes: usize) {
        self.events += bytes;
        self.set(Field::Events, self.events as u64);
    }

    /// Puts on record that a call has returned. Words are kept if no other event was begun in between.
    #[inline]
    pub fn finish(&mut self, open: Open, outcome: u32, end: u64, words: &[u64]) {
        let is_last = open.at + EVENT == HEADER + self.events;
        let kept = if is_last { words.len().min(WORDS_MAX) } else { 0 };
        for (i, &word) in words[..kept].iter().enumerate() {
            self.put(open.at + EVENT + i * 8, word);
        }
        let call = self.ring.word(open.at) & u64::from(u32::MAX);
        let duration = end.saturating_sub(open.start).min(DURATION);
        let (places, _) = self.ring.0[open.at..open.at + EVENT].as_chunks_mut::<8>();
        places[2] = (duration | (kept as u64) << 48).to_le_bytes();
        places[0] = (call | u64::from(outcome + 1) << 32).to_le_bytes();
        if kept > 0 {
            self.advance(kept * 8);
        }
        self.poll = None;
    }

    /// Lets `look` see the ring as it will be when a call has returned that ends the recording, MPI_Finalize.
    pub fn foresee<T>(&mut self, open: &Open, outcome: u32, end: u64, look: impl FnOnce() -> T) -> T {
        let before = [open.at, open.at + 16, Field::Ending as usize * 8].map(|at| (at, self.ring.word(at)));
        let call = self.ring.word(open.at) & u64::from(u32::MAX);
        self.put(open.at, call | u64::from(outcome + 1) << 32);
        self.put(open.at + 16, end.saturating_sub(open.start).min(DURATION));
        self.end(Ending::Finalized);
        let seen = look();
        before.into_iter().for_each(|(at, word)| self.put(at, word));
        seen
    }

    /// Like [`Recording::finish`], for a poll that found nothing: repetitions of the same become one event, with a count.
    #[inline]
    pub fn finish_poll(&mut self, open: Open, outcome: u32, end: u64) {
        let call = self.ring.word(open.at) & u64::from(u32::MAX);
        let ids = call | u64::from(outcome + 1) << 32;
        let earlier = self.poll.filter(|&p| p + EVENT + 8 == open.at && self.ring.word(p) == ids);
        if let Some(earlier) = earlier {
            self.events = open.at - HEADER;
            self.put(earlier + EVENT, self.ring.word(earlier + EVENT) + 1);
            let start = self.ring.word(earlier + 8);
            self.put(earlier + 16, end.saturating_sub(start).min(DURATION) | 1 << 48);
            self.set(Field::Events, self.events as u64);
        } else {
            self.finish(open, outcome, end, &[1]);
            self.poll = Some(open.at);
        }
    }

    /// Empties the ring, once its chunk is safe. No event may be open. The dictionary begins anew.
    pub fn clear(&mut self) {
        self.set(Field::Events, 0);
        self.set(Field::Arena, 0);
        (self.events, self.arena, self.counts, self.poll) = (0, 0, [0; 4], None);
        self.slots.fill(0);
        self.known.clear();
        self.keys.clear();
    }

    /// The ring, to be read.
    #[must_use]
    pub fn ring(&self) -> &Ring<M> {
        &self.ring
    }

    /// The ring's memory.
    #[must_use]
    pub fn into_memory(self) -> M {
        self.ring.0
    }
}

#[inline]
fn hash(key: &[u64]) -> u64 {
    use std::hash::Hasher;
    let mut hasher = FxHasher::default();
    key.iter().for_each(|&word| hasher.write_u64(word));
    hasher.finish()
}
