//! Brings the parts of hosts without a common file system together, in MPI_Finalize, before the library is entered.
//!
//! Every rank's part goes to a file beside the segments of rank 0, as if the file system had been a common one; the rest is as ever.
//! Where all lies in one directory nothing is said to anybody. ARCHITECTURE.md tells why nobody can come to harm.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use traces::Kind;
use traces::constant::COMM_WORLD;
use traces::offset::Offset;
use traces::part::{self, Part};
use xxhash_rust::xxh3::xxh3_64;

use crate::abi::abi;
use crate::handles;
use crate::lane::Thread;
use crate::output::without_signals;
use crate::process::{self, Process, clock};
use crate::record::{self, Pending};
use crate::world::{GivenUp, World};

/// How often clocks are compared: often enough that one comparison is not disturbed.
const COMPARISONS: usize = 10;
/// Rank 0 takes so many bytes at a time, of all ranks together.
const ROUND_BYTES: usize = 64 << 20;
/// And of one rank at least so many.
const PIECE_BYTES: usize = 16 << 10;
/// What a rank says that has given up: no directory has this number.
const NOWHERE: u64 = 0;

/// Whose segments become a trace here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// When so many ranks have come to the end of MPI_Finalize, in this directory.
    pub finishers: u32,
    /// A trace of so many processes.
    pub processes: u32,
}

/// What became of the parts, and so has to be done when MPI_Finalize returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// They lie here.
    Here(Share),
    /// This rank's lies on another host.
    Away,
}

static RESULT: OnceLock<Option<Gathered>> = OnceLock::new();

/// What [`gather`] has come to; None if there was nothing to do.
pub fn result() -> Option<Gathered> {
    *RESULT.get()?
}

/// This rank enters MPI_Finalize: its part goes where rank 0's is. `pending` is the call, if it is on record.
pub fn gather(thread: &Thread, pending: Option<&Pending>) {
    // A program may call it once more, when nothing of MPI is there any longer.
    RESULT.get_or_init(|| meet(&|read| pending.map_or_else(read, |pending| record::foresee(thread, pending, read))));
}

/// Has a part read, as it will be when MPI_Finalize has returned.
type Foreseen<'a> = &'a dyn Fn(&dyn Fn() -> Option<Part>) -> Option<Part>;

fn meet(foreseen: Foreseen) -> Option<Gathered> {
    let process = process::begun()?;
    let (rank, size) = own_rank()?;
    let here = ranks_here(process).filter(|&here| here < size && stands_alone(process, here))?;
    let world = World::new(rank, size, Duration::from_secs(process.settings.gather_patience_s))?;
    let meeting = Meeting { process, world, foreseen };
    let gathered = meeting.hold();
    if gathered.is_err() {
        without_signals(|| meeting.tell_of_failure());
    }
    let own = Share { finishers: u32::try_from(here).ok()?, processes: u32::try_from(here).ok()? };
    gathered.unwrap_or(Some(Gathered::Here(own)))
}

/// This process's rank in MPI_COMM_WORLD, and the size of that. None if it may not talk there: an operation that the program has begun
/// and never completed may be a collective, and would get in the way.
fn own_rank() -> Option<(usize, usize)> {
    let world = abi().native(Kind::Comm, COMM_WORLD)?;
    handles::with(|handles| {
        let known = *handles.communicators.get(world as u64)?;
        let is_quiet = !handles.requests.has_other();
        Some((usize::try_from(known.rank).ok()?, known.peers)).filter(|_| is_quiet)
    })
}

fn ranks_here(process: &Process) -> Option<usize> {
    let ranks = process.settings.local_ranks.filter(|_| process.settings.gather_patience_s > 0)?;
    usize::try_from(ranks).ok()
}

/// Whether the directory holds the segments of all ranks of this host, and of no other process. If one of them is not recorded, or if
/// others see this directory, there is nothing to wait for.
fn stands_alone(process: &Process, ranks: usize) -> bool {
    let parts = &process.settings.parts;
    let hosts = fs::read_dir(parts.join("nodes")).map_or(0, Iterator::count);
    let rings = part::files(parts, "ring").unwrap_or_default();
    let mut names: Vec<&str> = rings.iter().filter_map(|path| part::process_name(path)).collect();
    names.dedup();
    let own_host = format!("{}-", process.record.host);
    hosts == 1 && names.len() == ranks && names.iter().all(|name| name.starts_with(&own_host))
}

/// The ranks, on their way to one trace.
struct Meeting<'a> {
    process: &'static Process,
    world: World,
    foreseen: Foreseen<'a>,
}

impl Meeting<'_> {
    /// What becomes of the parts. None if nothing is to be done.
    fn hold(&self) -> Result<Option<Gathered>, GivenUp> {
        let world = &self.world;
        if world.barrier().is_err() {
            // Who comes later, when all are there after all, is told not to wait.
            world.say([NOWHERE]);
            return Err(GivenUp);
        }
        let places: Vec<u64> =
            world.all_gather([place(&self.process.settings.parts)])?.into_iter().map(|[place]| place).collect();
        if places.contains(&NOWHERE) {
            return Err(GivenUp);
        }
        let is_away = |rank: usize| places[rank] != places[0];
        let away = (0..world.size).filter(|&rank| is_away(rank)).count();
        if away == 0 {
            return Ok(None);
        }
        let realtime_ns = self.compare_clocks(&places)?;
        let part = if is_away(world.rank) { self.part(realtime_ns) } else { Vec::new() };
        let lengths: Vec<usize> = world.all_gather([part.len() as u64])?.into_iter().map(|[length]| length as usize).collect();
        let is_written = self.send(part, lengths, away)?;
        if world.broadcast([u64::from(is_written)])? == [0] {
            return Err(GivenUp);
        }
        if is_away(world.rank) {
            without_signals(|| self.leave());
            return Ok(Some(Gathered::Away));
        }
        let finishers = u32::try_from(world.size - away).map_err(|_| GivenUp)?;
        let processes = u32::try_from(world.size).map_err(|_| GivenUp)?;
        Ok(Some(Gathered::Here(Share { finishers, processes })))
    }

    /// Gives what the real-time clock of rank 0 would have shown when this host's monotonic clock was 0. All ranks of a host agree, so
    /// that their calls stay in order.
    fn compare_clocks(&self, places: &[u64]) -> Result<u64, GivenUp> {
        let world = &self.world;
        let mut offset = Offset::UNKNOWN;
        let mut realtime_ns = 0;
        for _ in 0..COMPARISONS {
            let sent = clock::monotonic_ns();
            world.gather(vec![0], &vec![1; world.size])?;
            let arrived = clock::monotonic_ns();
            let now = clock::monotonic_ns();
            let [theirs_arrived, theirs_sent, theirs] = world.broadcast([arrived, now, self.process.record.clock.realtime_ns])?;
            offset.went(sent, theirs_arrived);
            offset.came(theirs_sent, clock::monotonic_ns());
            realtime_ns = theirs;
        }
        let all = world.all_gather([offset.least.cast_unsigned(), offset.most.cast_unsigned()])?;
        let ours = all.iter().zip(places).filter(|(_, place)| **place == places[world.rank]);
        let offsets = ours.map(|([least, most], _)| Offset { least: least.cast_signed(), most: most.cast_signed() });
        let ahead = offsets.fold(Offset::UNKNOWN, Offset::and).middle().ok_or(GivenUp)?;
        Ok(realtime_ns.wrapping_sub(ahead.cast_unsigned()))
    }

    /// This rank's part, as it will be when MPI_Finalize has returned.
    fn part(&self, realtime_ns: u64) -> Vec<u8> {
        let process = self.process;
        let part = (self.foreseen)(&|| part::of_process(&process.settings.parts, &process.name()).ok().flatten());
        part.map_or(Vec::new(), |mut part| {
            part.process.clock.realtime_ns = realtime_ns;
            part.to_bytes(0)
        })
    }

    /// Every rank's part goes to rank 0, piece by piece. Gives whether they lie there in files.
    fn send(&self, mut part: Vec<u8>, mut left: Vec<usize>, away: usize) -> Result<bool, GivenUp> {
        let world = &self.world;
        let piece = (ROUND_BYTES / away).max(PIECE_BYTES);
        let mut is_written = true;
        while left.iter().any(|&length| length > 0) {
            let now: Vec<usize> = left.iter().map(|&length| length.min(piece)).collect();
            let rest = part.split_off(now[world.rank]);
            let all = world.gather(std::mem::replace(&mut part, rest), &now)?;
            is_written = is_written && (world.rank > 0 || without_signals(|| self.append(&all, &now)).is_ok());
            left.iter_mut().zip(&now).for_each(|(left, now)| *left -= now);
        }
        Ok(is_written && (world.rank > 0 || without_signals(|| self.name_parts()).is_ok()))
    }

    /// Appends what has come of each rank to its file.
    fn append(&self, mut all: &[u8], lengths: &[usize]) -> std::io::Result<()> {
        for (rank, &length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let (own, rest) = all.split_at(length);
            all = rest;
            let path = self.process.settings.parts.join(format!("rank-{rank}.arriving"));
            OpenOptions::new().create(true).append(true).open(path)?.write_all(own)?;
        }
        Ok(())
    }

    /// All has come: it counts from now on.
    fn name_parts(&self) -> std::io::Result<()> {
        for path in part::files(&self.process.settings.parts, "arriving").unwrap_or_default() {
            fs::rename(&path, path.with_extension("part"))?;
        }
        Ok(())
    }

    /// This rank's segments are not needed here any more.
    fn leave(&self) {
        // So that nobody takes the run for one that has recorded nothing.
        _ = self.process.count_finished();
        for extension in ["ring", "chunks"] {
            let files = part::files(&self.process.settings.parts, extension).unwrap_or_default();
            let own = files.iter().filter(|path| part::process_name(path) == Some(&self.process.name()));
            own.for_each(|path| _ = fs::remove_file(path));
        }
    }

    /// Says where the calls of this host are, once a host.
    fn tell_of_failure(&self) {
        let Process { settings, record, .. } = self.process;
        let is_first = OpenOptions::new().create_new(true).write(true).open(settings.parts.join("apart")).is_ok();
        if self.world.rank == 0 {
            // What has come is not all, and lies on its own host as well.
            let arrived = ["arriving", "part"].map(|extension| part::files(&settings.parts, extension).unwrap_or_default());
            arrived.iter().flatten().for_each(|path| _ = fs::remove_file(path));
        }
        if is_first && !settings.quiet {
            process::say(&format!(
                "the ranks of the other hosts have not all come within {} s, so the calls of {host}'s are in a trace of their own, \
                 {host}:{path} (mpitrace join puts such traces together)",
                settings.gather_patience_s,
                host = record.host,
                path = settings.output.display(),
            ));
        }
    }
}

/// The number of a directory of segments, the same on all hosts that see it.
fn place(parts: &Path) -> u64 {
    fs::read(parts.join("place")).map_or(NOWHERE, |name| xxh3_64(&name).max(NOWHERE + 1))
}
