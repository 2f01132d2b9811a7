//! The body of a chunk: a dictionary of what repeats, and columns of what does not.
//!
//! Encoding takes the raw events of a segment, decoding feeds a [`TraceBuilder`]. Layout and reasons are in FORMAT.md.

use std::io::Read;

use rmp::encode as put;
use rustc_hash::FxHashMap;

use crate::builder::TraceBuilder;
use crate::call::{Call, Outcome, Value};
use crate::function::Function;
use crate::record::{Chunk, Clock};
use crate::site::{Frame, FrameId, Object, Site, SiteId};
use crate::trace::{Event, Lane};

/// zstd's fastest ordinary level: the columns gain little from more.
const LEVEL: i32 = 1;
/// The most bytes that a body has when it is unpacked: far more than a segment holds. A damaged or malicious frame may claim more.
const BODY_MAX: u64 = 256 << 20;

/// The most bytes for which there is memory before they have come.
const EXPECTED_MAX: u64 = 4 << 20;

/// What a dictionary entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file of machine code: `[path, build-id]`.
    Object,
    /// A place in the program: `[object, offset]`, `[object, offset, caller or nil]` or `[object, offset, caller or nil, method]`.
    Site,
    /// A call: `[function, site or nil, argument…]`.
    Call,
    /// An outcome: `[code, result…]`.
    Outcome,
}

impl Entry {
    /// The kinds, in the order of the body.
    pub const ALL: [Entry; 4] = [Entry::Object, Entry::Site, Entry::Call, Entry::Outcome];
}

/// A chunk in the making: its dictionary, and its columns as far as they have come.
///
/// It is emptied and filled again without giving back its memory: a recorder packs thousands of chunks in the midst of a program.
#[derive(Default)]
pub struct Body {
    /// The entries, each a MessagePack value, by kind.
    entries: [Vec<u8>; 4],
    /// How many entries of each kind.
    counts: [u32; 4],
    /// The columns, in the order of the body: call, outcome, gap, duration, number of words, words.
    columns: [Vec<u8>; 6],
    calls: u32,
    /// When the first call began, and when the last one ended.
    first: u64,
    last_end: u64,
    raw: Vec<u8>,
    /// Made at the first chunk: it holds some hundred KB.
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

/// One call as the recorder writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawEvent {
    /// The number of its call in the dictionary.
    pub call: u32,
    /// 1 + the number of its outcome in the dictionary, 0 if it did not return.
    pub outcome: u32,
    /// When it began, in ticks.
    pub start: u64,
    /// How long it took, in ticks.
    pub duration: u64,
    /// How many words it has.
    pub words: u16,
}

/// What is wrong with a chunk: a word on it, for an error message that knows the file and the offset.
pub type Flaw = &'static str;

impl Body {
    /// Adds an entry, encoded, to the dictionary.
    pub fn entry(&mut self, kind: Entry, encoded: &[u8]) {
        self.entry_with(kind, |out| out.extend_from_slice(encoded));
    }

    fn entry_with(&mut self, kind: Entry, encode: impl FnOnce(&mut Vec<u8>)) {
        encode(&mut self.entries[kind as usize]);
        self.counts[kind as usize] += 1;
    }

    /// The number of a site with its callers, which is put into the dictionary if it is new, they before it.
    fn site_of(&mut self, trace: &crate::Trace, frame: Frame, known: &mut FxHashMap<Frame, u32>) -> u32 {
        let mut chain = vec![frame];
        while let Some(&Frame { caller: Some(caller), .. }) = chain.last().filter(|frame| !known.contains_key(*frame)) {
            chain.push(trace.frames[caller.0 as usize]);
        }
        let mut caller = None;
        for frame in chain.into_iter().rev() {
            let number = *known.entry(frame).or_insert_with(|| {
                self.entry_with(Entry::Site, |out| write_site(out, trace.site(frame.site), caller));
                self.counts[Entry::Site as usize] - 1
            });
            caller = Some(number);
        }
        caller.unwrap_or_default()
    }

    /// Whether the dictionary has the entries that an event refers to.
    #[inline]
    #[must_use]
    pub fn explains(&self, event: &RawEvent) -> bool {
        event.call < self.counts[Entry::Call as usize] && event.outcome <= self.counts[Entry::Outcome as usize]
    }

    /// Adds a call, and its words as they lie in memory, little-endian.
    #[inline]
    pub fn event(&mut self, event: &RawEvent, words: &[u8]) {
        if self.calls == 0 {
            (self.first, self.last_end) = (event.start, event.start);
        }
        let [calls, outcomes, gaps, durations, counts, digests] = &mut self.columns;
        varint(calls, u64::from(event.call));
        varint(outcomes, u64::from(event.outcome));
        varint(gaps, zigzag(event.start.wrapping_sub(self.last_end) as i64));
        varint(durations, event.duration);
        varint(counts, u64::from(event.words));
        if !words.is_empty() {
            digests.extend_from_slice(words);
        }
        self.last_end = event.start.wrapping_add(event.duration);
        self.calls = self.calls.saturating_add(1);
    }

    /// The chunk of these calls; None if there are none. The body is empty afterwards.
    #[must_use]
    pub fn pack(&mut self, process: u32, thread: u32) -> Option<Chunk> {
        let packed = (self.calls > 0).then(|| {
            self.encode();
            Chunk { process, thread, calls: self.calls, first: self.first, body: self.compress(), offset: 0 }
        });
        self.clear();
        packed
    }

    fn encode(&mut self) {
        let write = "writing to a Vec succeeds";
        let out = &mut self.raw;
        put::write_array_len(out, 10).expect(write);
        for (entries, &count) in self.entries.iter().zip(&self.counts) {
            put::write_array_len(out, count).expect(write);
            out.extend_from_slice(entries);
        }
        for column in &self.columns {
            put::write_bin(out, column).expect(write);
        }
    }

    /// Compresses what `encode` has made; nothing if zstd has no memory.
    fn compress(&mut self) -> Vec<u8> {
        if self.compressor.is_none() {
            self.compressor = compressor().ok();
        }
        self.compressor.as_mut().and_then(|c| c.compress(&self.raw).ok()).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.entries.iter_mut().chain(&mut self.columns).for_each(Vec::clear);
        self.raw.clear();
        (self.counts, self.calls) = ([0; 4], 0);
    }
}

/// A compressor that adds a checksum: what was damaged on a disk must not pass for what the program did.
pub(crate) fn compressor() -> std::io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}

fn decompress(frame: &[u8]) -> Result<Vec<u8>, Flaw> {
    let damaged = |_| "its zstd frame is damaged";
    // What the frame says of itself is not believed beyond what is usual.
    let expected = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().unwrap_or(0);
    let mut raw = Vec::with_capacity(expected.min(EXPECTED_MAX) as usize + 1);
    zstd::stream::Decoder::with_buffer(frame).map_err(damaged)?.take(BODY_MAX + 1).read_to_end(&mut raw).map_err(damaged)?;
    if raw.len() as u64 > BODY_MAX { Err("it is larger than any chunk can be") } else { Ok(raw) }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Appends a number in LEB128. Nearly all have one byte or two, and a byte at a time is slower.
#[inline]
fn varint(out: &mut Vec<u8>, value: u64) {
    match value {
        0..0x80 => out.push(value as u8),
        0x80..0x4000 => out.extend_from_slice(&[value as u8 | 0x80, (value >> 7) as u8]),
        _ => long_varint(out, value),
    }
}

fn long_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// A column being read.
struct Varints<'a>(std::slice::Iter<'a, u8>);

impl Varints<'_> {
    /// Nearly all numbers have one byte.
    #[inline(always)]
    fn next(&mut self) -> Result<u64, Flaw> {
        match self.0.as_slice() {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.0 = rest.iter();
                Ok(u64::from(*byte))
            }
            _ => self.next_long(),
        }
    }

    fn next_long(&mut self) -> Result<u64, Flaw> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let &byte = self.0.next().ok_or("a column ends too early")?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number in a column is too long")
    }
}

/// A cursor over MessagePack.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array(&mut self) -> Result<u32, Flaw> {
        rmp::decode::read_array_len(&mut self.0).map_err(|_| "an array is expected")
    }

    fn int(&mut self) -> Result<i64, Flaw> {
        rmp::decode::read_int(&mut self.0).map_err(|_| "an integer is expected")
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Flaw> {
        let (head, tail) = self.0.split_at_checked(len).ok_or("a string is longer than the chunk")?;
        self.0 = tail;
        Ok(head)
    }

    fn bin(&mut self) -> Result<&'a [u8], Flaw> {
        let len = rmp::decode::read_bin_len(&mut self.0).map_err(|_| "a byte string is expected")?;
        self.take(len as usize)
    }

    fn text(&mut self) -> Result<&'a str, Flaw> {
        let len = rmp::decode::read_str_len(&mut self.0).map_err(|_| "a string is expected")?;
        std::str::from_utf8(self.take(len as usize)?).map_err(|_| "a string is not UTF-8")
    }

    fn is_nil(&mut self) -> bool {
        let nil = self.0.first() == Some(&rmp::Marker::Null.to_u8());
        if nil {
            self.0 = &self.0[1..];
        }
        nil
    }

    fn value(&mut self) -> Result<Value, Flaw> {
        use rmp::Marker as M;
        if self.is_nil() {
            return Ok(Value::Nil);
        }
        match M::from_u8(*self.0.first().ok_or("a value is expected")?) {
            M::FixArray(_) | M::Array16 | M::Array32 => {
                let len = self.array()?;
                Ok(Value::Ints((0..len).map(|_| self.int()).collect::<Result<_, _>>()?))
            }
            M::FixStr(_) | M::Str8 | M::Str16 | M::Str32 => Ok(Value::Text(self.text()?.into())),
            _ => Ok(Value::Int(self.int()?)),
        }
    }

    fn values(&mut self, len: u32) -> Result<Box<[Value]>, Flaw> {
        (0..len).map(|_| self.value()).collect()
    }
}

/// Encodes one value as [`Reader::value`] reads it.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    let write = "writing to a Vec succeeds";
    match value {
        Value::Nil => put::write_nil(out).expect(write),
        Value::Int(i) => {
            put::write_sint(out, *i).expect(write);
        }
        Value::Text(text) => put::write_str(out, text).expect(write),
        Value::Ints(list) => {
            put::write_array_len(out, count(list.len())).expect(write);
            for &i in list {
                put::write_sint(out, i).expect(write);
            }
        }
    }
}

/// Encodes the entry of a call. `site` is the number of its site in the same dictionary.
pub fn write_call(out: &mut Vec<u8>, function: Function, site: Option<u32>, arguments: &[Value]) {
    let write = "writing to a Vec succeeds";
    put::write_array_len(out, count(arguments.len() + 2)).expect(write);
    put::write_str(out, function.name()).expect(write);
    match site {
        Some(site) => put::write_uint(out, u64::from(site)).map(drop).expect(write),
        None => put::write_nil(out).expect(write),
    }
    arguments.iter().for_each(|value| write_value(out, value));
}

/// Encodes the entry of an outcome.
pub fn write_outcome(out: &mut Vec<u8>, code: i32, results: &[Value]) {
    let write = "writing to a Vec succeeds";
    put::write_array_len(out, count(results.len() + 1)).expect(write);
    put::write_sint(out, i64::from(code)).expect(write);
    results.iter().for_each(|value| write_value(out, value));
}

/// Encodes the entry of a site. `caller` is the number, in the same dictionary, of the place that called the function that it is in.
pub fn write_site(out: &mut Vec<u8>, site: &Site, caller: Option<u32>) {
    let write = "writing to a Vec succeeds";
    let len = if site.method.is_some() { 4 } else { 2 + u32::from(caller.is_some()) };
    put::write_array_len(out, len).expect(write);
    put::write_uint(out, u64::from(site.object)).expect(write);
    put::write_uint(out, site.offset).expect(write);
    match caller {
        Some(caller) => put::write_uint(out, u64::from(caller)).map(drop).expect(write),
        None if len > 2 => put::write_nil(out).expect(write),
        None => {}
    }
    if let Some(method) = &site.method {
        put::write_str(out, method).expect(write);
    }
}

/// Encodes the entry of an object.
pub fn write_object(out: &mut Vec<u8>, object: &Object) {
    let write = "writing to a Vec succeeds";
    put::write_array_len(out, 2).expect(write);
    put::write_str(out, &object.path).expect(write);
    put::write_str(out, &object.build_id).expect(write);
}

/// Unpacks a chunk into a lane of the builder. Calls that never returned last no time; the reader knows better.
///
/// # Errors
/// If the chunk is damaged. The calls before the flaw are in the lane.
pub fn unpack(chunk: &Chunk, builder: &mut TraceBuilder, lane: usize, time: &Timeline) -> Result<(), Flaw> {
    let raw = decompress(&chunk.body)?;
    let mut reader = Reader(&raw);
    if reader.array()? < 10 {
        return Err("it has fewer than ten parts");
    }
    let numbers = Numbers::read(&mut reader, builder)?;
    let [call, outcome, gap, duration, words, digests] = [(); 6].map(|()| reader.bin());
    let [mut call, mut outcome, mut gap, mut duration, mut words] =
        [call?, outcome?, gap?, duration?, words?].map(|c| Varints(c.iter()));
    let mut left = digests?;
    let mut previous_end = chunk.first;
    builder.reserve(lane, chunk.calls as usize);
    let lane = builder.lane_mut(lane);
    for _ in 0..chunk.calls {
        let start = previous_end.wrapping_add_signed(unzigzag(gap.next()?));
        let ticks = duration.next()?;
        previous_end = start.wrapping_add(ticks);
        let call = *numbers.calls.get(call.next()? as usize).ok_or("a call is not in its dictionary")?;
        let outcome = match outcome.next()? {
            0 => None,
            n => Some(*numbers.outcomes.get(n as usize - 1).ok_or("an outcome is not in its dictionary")?),
        };
        let words_at = u32::try_from(lane.words.len()).unwrap_or(u32::MAX);
        let words_len = words.next()?;
        if words_len > 0 {
            let bytes = usize::try_from(words_len).ok().and_then(|len| len.checked_mul(8));
            let (own, rest) = bytes.and_then(|len| left.split_at_checked(len)).ok_or("a column of words ends too early")?;
            lane.words.extend(own.chunks_exact(8).map(|b| u64::from_le_bytes(b.try_into().expect("eight bytes"))));
            left = rest;
        }
        let (start_ns, duration_ns) = (time.start_ns(start), time.duration_ns(ticks));
        let words_len = u16::try_from(words_len).unwrap_or(0);
        lane.events.push(Event { call, outcome, start_ns, duration_ns, words_at, words_len });
    }
    Ok(())
}

/// How the ticks of a process become the time of the trace.
#[derive(Clone, Copy, Debug)]
pub struct Timeline {
    first_ticks: u64,
    first_ns: f64,
    ns_per_tick: f64,
}

impl Timeline {
    /// Ticks as they are.
    pub const TICKS: Timeline = Timeline { first_ticks: 0, first_ns: 0.0, ns_per_tick: 1.0 };

    /// For a process with this clock, in a trace that begins at `origin_ns`, which is real time.
    #[must_use]
    pub fn new(clock: &Clock, origin_ns: u64) -> Timeline {
        let first_ns = clock.shared_ns(clock.first_ticks) as f64 - origin_ns as f64;
        Timeline { first_ticks: clock.first_ticks, first_ns, ns_per_tick: clock.ns_per_tick() }
    }

    #[inline]
    fn start_ns(&self, ticks: u64) -> u64 {
        let since = ticks.wrapping_sub(self.first_ticks) as i64 as f64;
        rounded(self.first_ns + since * self.ns_per_tick)
    }

    #[inline]
    fn duration_ns(&self, ticks: u64) -> u64 {
        rounded(ticks as i64 as f64 * self.ns_per_tick)
    }
}

/// The nearest whole number of ns; 0 for what is negative. `f64::round` is a function call on most machines, and the conversion looks for
/// what is no number: below 2^51 the sum with 2^52 has it in its lowest bits, rounded by the addition.
#[inline]
fn rounded(ns: f64) -> u64 {
    const FIRST_OF_WHOLE: f64 = (1u64 << 52) as f64;
    if (0.0..FIRST_OF_WHOLE / 2.0).contains(&ns) { (ns + FIRST_OF_WHOLE).to_bits() & ((1 << 52) - 1) } else { ns.round() as u64 }
}

/// The numbers in the trace of a chunk's entries.
struct Numbers {
    calls: Vec<crate::CallId>,
    outcomes: Vec<crate::OutcomeId>,
}

impl Numbers {
    fn read(reader: &mut Reader<'_>, builder: &mut TraceBuilder) -> Result<Numbers, Flaw> {
        let mut objects = Vec::new();
        for _ in 0..reader.array()? {
            reader.array()?;
            let (path, build_id) = (reader.text()?.into(), reader.text()?.into());
            objects.push(builder.object(Object { path, build_id }));
        }
        let mut sites: Vec<(Option<SiteId>, Option<FrameId>)> = Vec::new();
        for _ in 0..reader.array()? {
            let len = reader.array()?;
            let object = reader.int()? as usize;
            let object = *objects.get(object).ok_or("a site's object is not in its dictionary")?;
            let offset = reader.int()? as u64;
            let caller = if len > 2 { reader.value()?.int() } else { None };
            let method = if len > 3 { Some(reader.text()?.into()) } else { None };
            let caller =
                caller.map(|at| sites.get(at as usize).copied().ok_or("a site's caller is not before it in its dictionary"));
            let caller = caller.transpose()?.and_then(|(site, caller)| Some(builder.frame(Frame { site: site?, caller })));
            sites.push((Some(builder.site(Site { object, offset, method })), caller));
        }
        let mut calls = Vec::new();
        for _ in 0..reader.array()? {
            let len = reader.array()?.checked_sub(2).ok_or("a call is too short")?;
            let function = Function::named(reader.text()?).unwrap_or(Function::UNKNOWN);
            let (site, caller) = match reader.value()? {
                Value::Int(n) => *sites.get(n as usize).ok_or("a call's site is not in its dictionary")?,
                _ => (None, None),
            };
            calls.push(builder.call(Call { function, site, caller, arguments: reader.values(len)? }));
        }
        let mut outcomes = Vec::new();
        for _ in 0..reader.array()? {
            let len = reader.array()?.checked_sub(1).ok_or("an outcome is too short")?;
            let code = i32::try_from(reader.int()?).unwrap_or(i32::MAX);
            outcomes.push(builder.outcome(Outcome { code, results: reader.values(len)? }));
        }
        Ok(Numbers { calls, outcomes })
    }
}

/// The chunk of part of a lane: what a recorder would have written. Ticks are ns.
#[must_use]
pub fn body_of(trace: &crate::Trace, lane: &Lane, events: std::ops::Range<usize>) -> Body {
    let mut body = Body::default();
    for object in &trace.objects {
        body.entry_with(Entry::Object, |out| write_object(out, object));
    }
    let mut sites = FxHashMap::default();
    let mut calls = FxHashMap::default();
    let mut outcomes = FxHashMap::default();
    for event in &lane.events[events] {
        let next = count(calls.len());
        let call = *calls.entry(event.call).or_insert_with(|| {
            let call = trace.call(event.call);
            let site = call.site.map(|site| body.site_of(trace, Frame { site, caller: call.caller }, &mut sites));
            body.entry_with(Entry::Call, |out| write_call(out, call.function, site, &call.arguments));
            next
        });
        let outcome = event.outcome.map_or(0, |id| {
            let next = count(outcomes.len());
            1 + *outcomes.entry(id).or_insert_with(|| {
                let outcome = trace.outcome(id);
                body.entry_with(Entry::Outcome, |out| write_outcome(out, outcome.code, &outcome.results));
                next
            })
        });
        let duration = if event.outcome.is_some() { event.duration_ns } else { 0 };
        let words: Vec<u8> = lane.words_of(event).iter().flat_map(|word| word.to_le_bytes()).collect();
        body.event(&RawEvent { call, outcome, start: event.start_ns, duration, words: event.words_len }, &words);
    }
    body
}
