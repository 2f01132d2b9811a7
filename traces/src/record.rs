//! The values that a trace file is made of, as serde reads and writes them. FORMAT.md explains each field.
//!
//! A file is a row of MessagePack maps of one entry; the key says which [`Record`] it is.

use std::io::{BufRead, Read};

use serde::{Deserialize, Serialize};

use crate::cut::Cut;
use crate::payload::Keep;
use crate::trace::Ending;

/// The version of the format that this program writes, and the newest that it reads.
pub const VERSION: u32 = 2;

/// One value of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// The first: what the file is.
    Mpitrace(Header),
    /// A process; processes are numbered in the order that they stand in.
    Process(ProcessRecord),
    /// Calls of one thread.
    Chunk(Chunk),
    /// A piece of a content that a process received.
    Payload(PayloadRecord),
    /// The last: where the chunks lie. A file without it is cut.
    Index(Index),
}

/// What the file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub version: u32,
    /// The program that wrote it.
    pub writer: String,
}

impl Default for Header {
    fn default() -> Header {
        Header { version: VERSION, writer: concat!("mpitrace ", env!("CARGO_PKG_VERSION")).to_owned() }
    }
}

/// A process that called MPI.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// Its rank in MPI_COMM_WORLD, nil before MPI_Init returned.
    pub rank: Option<u32>,
    /// How many ranks MPI_COMM_WORLD has, 0 before MPI_Init returned.
    pub world_size: u32,
    /// Which MPI_COMM_WORLD that is: 0 for the first, other numbers for those of processes that were started by others.
    #[serde(default)]
    pub world: u32,
    /// The host's name.
    pub host: String,
    /// The number of the process on its host.
    pub pid: u32,
    /// The first line of MPI_Get_library_version.
    pub library: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How the recording ended.
    pub ending: Ending,
    /// How ticks become time.
    pub clock: Clock,
    /// When it was found to have ended, in ns of its monotonic clock; 0 if nobody looked.
    pub ended_ns: u64,
    /// Why recording stopped before the process did; empty if it did not.
    pub stopped: String,
    /// The threads that have come to their end, while others may go on.
    #[serde(default)]
    pub ended_threads: Vec<u32>,
    /// What is kept of the data that its calls send and receive; nothing is said of it in traces of version 1, whose digests follow another rule.
    #[serde(default = "Keep::not_said")]
    pub payload: Keep,
    /// What is missing at the beginning of its threads, because only the newest calls were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
    /// The token of the run, the same in all its processes; empty if it is not known.
    #[serde(default)]
    pub job: String,
    /// The largest tag, the attribute MPI_TAG_UB of MPI_COMM_WORLD; nothing if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_ub: Option<i64>,
}

/// Two readings of the tick counter beside the monotonic clock, and what makes hosts comparable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Ticks at the first reading.
    pub first_ticks: u64,
    /// The monotonic clock then, in ns.
    pub first_ns: u64,
    /// Ticks at the last reading.
    pub last_ticks: u64,
    /// The monotonic clock then, in ns.
    pub last_ns: u64,
    /// The real-time clock less the monotonic clock of the host, in ns.
    pub realtime_ns: u64,
}

impl Clock {
    /// A clock whose ticks are ns.
    pub const NANOSECONDS: Clock = Clock { first_ticks: 0, first_ns: 0, last_ticks: 1 << 32, last_ns: 1 << 32, realtime_ns: 0 };

    /// How long a tick is.
    #[must_use]
    pub fn ns_per_tick(&self) -> f64 {
        match self.last_ticks.saturating_sub(self.first_ticks) {
            0 => 1.0,
            span => self.last_ns.saturating_sub(self.first_ns) as f64 / span as f64,
        }
    }

    /// The clock with something added to its times: so many ns at the first reading, so many at the last.
    #[must_use]
    pub fn corrected(self, first_ns: i64, last_ns: i64) -> Clock {
        Clock {
            realtime_ns: self.realtime_ns.saturating_add_signed(first_ns),
            last_ns: self.last_ns.saturating_add_signed(last_ns - first_ns),
            ..self
        }
    }

    /// The real time of a tick, in ns: what all hosts share, as well as their clocks agree.
    #[must_use]
    pub fn shared_ns(&self, ticks: u64) -> u64 {
        let since = ticks.wrapping_sub(self.first_ticks) as i64 as f64 * self.ns_per_tick();
        (self.realtime_ns + self.first_ns).saturating_add_signed(since.round() as i64)
    }
}

/// Calls of one thread, together with all that is needed to read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The number of the process.
    pub process: u32,
    /// The number of the thread in the process.
    pub thread: u32,
    /// How many calls.
    pub calls: u32,
    /// The tick of the first.
    pub first: u64,
    /// Dictionary and columns, compressed with zstd.
    #[serde(with = "bytes")]
    pub body: Vec<u8>,
    /// Where it stands in the file that it was read from; 0 if it was not. For error messages.
    #[serde(skip)]
    pub offset: u64,
}

/// A piece of a content that a process received: the pieces of one content stand in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadRecord {
    /// The number of the process.
    pub process: u32,
    /// The digest of the content, which words of calls refer to.
    pub digest: u64,
    /// The bytes of the content.
    pub length: u64,
    /// Which of them is the first of this piece.
    pub at: u64,
    /// The piece, compressed with zstd.
    #[serde(with = "bytes")]
    pub body: Vec<u8>,
}

/// Where the chunks lie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Of each chunk: its offset in the file, process, thread, and number of calls.
    pub chunks: Vec<(u64, u32, u32, u32)>,
}

/// Byte strings as MessagePack's `bin`, which serde would write as arrays of numbers.
mod bytes {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a byte string")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// A record that was read, and where.
#[derive(Debug)]
pub struct Found {
    /// Where it begins.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// The record.
    pub record: Record,
}

/// The records of a file. The first that cannot be read is an error, with its offset, and the last.
pub fn records(file: impl BufRead) -> impl Iterator<Item = Result<Found, (u64, String)>> {
    let mut file = Counted { file, bytes: 0 };
    let mut is_broken = false;
    std::iter::from_fn(move || {
        let offset = file.bytes;
        let next = file.file.fill_buf().map(|bytes| bytes.first().copied());
        // The index is followed by a plain number, its offset, which ends the file.
        if is_broken || matches!(next, Ok(None)) || matches!(next, Ok(Some(byte)) if byte == rmp::Marker::U64.to_u8()) {
            return None;
        }
        let record = rmp_serde::from_read::<_, Record>(&mut file);
        is_broken = record.is_err();
        let found = |record| Found { offset, bytes: file.bytes - offset, record };
        Some(record.map(found).map_err(|e| (offset, e.to_string())))
    })
}

/// Counts the bytes that are read.
struct Counted<R> {
    file: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(into)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

impl Record {
    /// The record as the file holds it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).expect("records have no value that MessagePack cannot hold, and memory does not refuse")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_map_of_one_entry() {
        let bytes = Record::Mpitrace(Header::default()).to_bytes();
        assert_eq!(&bytes[..10], b"\x81\xa8mpitrace", "what file(1) and other readers recognise");
    }

    #[test]
    fn a_chunk_survives() {
        let chunk = Record::Chunk(Chunk { process: 1, thread: 2, calls: 3, first: 4, body: vec![5; 300], offset: 0 });
        assert_eq!(rmp_serde::from_slice::<Record>(&chunk.to_bytes()).unwrap(), chunk);
    }

    #[test]
    fn a_corrected_clock_tells_the_time_of_both_readings_anew() {
        let clock = Clock { first_ticks: 1000, first_ns: 50, last_ticks: 4000, last_ns: 1050, realtime_ns: 7000 };
        let corrected = clock.corrected(-100, 200);
        assert_eq!((corrected.shared_ns(1000), corrected.shared_ns(4000)), (6950, 8250));
    }

    #[test]
    fn ticks_become_time() {
        let clock = Clock { first_ticks: 1000, first_ns: 50, last_ticks: 4000, last_ns: 1050, realtime_ns: 7 };
        assert_eq!((clock.shared_ns(2500), clock.shared_ns(1000), clock.shared_ns(0)), (557, 57, 0));
    }
}
