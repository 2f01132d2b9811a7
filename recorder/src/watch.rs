//! The watcher: one process a machine and job, apart from the job, that clears up when the job has ended, however it ended.
//!
//! It waits on descriptors of the processes, so it costs nothing while they run, and it sees a kill as well as an exit. When all are
//! gone it joins the segments that they left into the trace. Ranks that came to the end of MPI_Finalize have done that themselves.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use traces::writer::Summary;

use crate::error::Error;
use crate::join::{Ends, join, now_ns};
use crate::lock::Lock;
use crate::parts::Parts;
use crate::process::ProcessId;
use crate::refuge;
use crate::settings::PARTS;
use crate::stillness::Stillness;

/// How long processes of the job may take to be started one after the other, where the launcher does not say how many they are.
const SETTLE: Duration = Duration::from_secs(2);
/// How often the roll is read until it is complete.
const READ_ROLL_EVERY: Duration = Duration::from_millis(50);
/// How often it looks after processes that there is no descriptor of.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What became of the segments.
#[derive(Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Nobody called MPI: the directory is gone, and what it had put aside is where it was.
    NothingRecorded,
    /// The ranks had joined them: the directory is gone.
    NothingLeft,
    /// They are in the trace now.
    Joined(Summary),
    /// They lie where they were: there is a trace already, which they are not in, or it could not be written.
    Kept,
    /// Another machine's watcher, or another job, has the directory now.
    NotOurs,
}

/// What is to be done about a run that does not get on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing.
    LetGoOn,
    /// Its processes on this machine are ended.
    Stop,
}

/// Who decides it: is called when nothing has moved for the time that was set.
pub type React<'a> = Box<dyn FnMut() -> Reaction + 'a>;

/// A watch over the processes of one job on this machine.
pub struct Watch<'a> {
    /// Looks whether the run gets on, and who is asked if it does not.
    hang: Option<(Stillness, React<'a>)>,
    parts: Parts,
    /// How many processes the launcher starts here, if it says so.
    expected: Option<usize>,
    began: Instant,
    /// All that were ever on the roll.
    seen: BTreeMap<ProcessId, Life>,
}

/// A process, as far as the watcher knows.
#[derive(Debug)]
enum Life {
    /// It runs; the descriptor tells when it has ended. Kernels before 5.3 have none.
    Running(Option<OwnedFd>),
    /// It was found to have ended at this time.
    Ended { at_ns: u64 },
}

impl<'a> Watch<'a> {
    /// A watch that begins now.
    #[must_use]
    pub fn new(parts: Parts, expected: Option<usize>) -> Watch<'a> {
        Watch { hang: None, parts, expected, began: Instant::now(), seen: BTreeMap::new() }
    }

    /// Also asks what to do when no segment has grown for a while.
    #[must_use]
    pub fn reacting(self, after: Duration, react: React<'a>) -> Watch<'a> {
        let stillness = Stillness::new(&self.parts.directory, after);
        Watch { hang: Some((stillness, react)), ..self }
    }

    /// Watches until all is over.
    ///
    /// # Errors
    /// If the file system or the kernel refuses.
    pub fn run(mut self) -> Result<Conclusion, Error> {
        loop {
            self.add(self.parts.roll());
            if self.all_have_ended()
                && self.is_complete()
                && let Some(conclusion) = self.conclude()?
            {
                return Ok(conclusion);
            }
            self.wait()?;
            self.look_for_a_hang();
        }
    }

    fn look_for_a_hang(&mut self) {
        let Some((stillness, react)) = &mut self.hang else { return };
        if stillness.begins() && react() == Reaction::Stop {
            self.stop();
        }
    }

    /// Ends the processes. The launcher notices, and ends the job.
    fn stop(&self) {
        for (id, _) in self.running().filter(|(id, _)| id.is_alive()) {
            if let Some(pid) = i32::try_from(id.pid).ok().and_then(Pid::from_raw) {
                // One that has ended meanwhile needs no more.
                _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    fn add(&mut self, processes: Vec<ProcessId>) {
        for process in processes {
            self.seen.entry(process).or_insert_with(|| Life::of(process));
        }
    }

    fn all_have_ended(&self) -> bool {
        self.running().next().is_none()
    }

    fn running(&self) -> impl Iterator<Item = (ProcessId, Option<&OwnedFd>)> {
        self.seen.iter().filter_map(|(id, life)| match life {
            Life::Running(descriptor) => Some((*id, descriptor.as_ref())),
            Life::Ended { .. } => None,
        })
    }

    fn ends(&self) -> Ends {
        let end = |(id, life): (&ProcessId, &Life)| match life {
            Life::Running(_) => None,
            Life::Ended { at_ns } => Some((id.pid, *at_ns)),
        };
        self.seen.iter().filter_map(end).collect()
    }

    /// Whether no further process is to be expected on the roll.
    fn is_complete(&self) -> bool {
        self.expected.is_some_and(|n| self.seen.len() >= n) || self.began.elapsed() > SETTLE
    }

    /// Waits until a process ends; until the roll is complete, for a short while at most.
    fn wait(&mut self) -> Result<(), Error> {
        let limit = if !self.is_complete() || self.all_have_ended() {
            Some(READ_ROLL_EVERY)
        } else if self.running().any(|(_, descriptor)| descriptor.is_none()) {
            Some(LOOK_EVERY)
        } else {
            self.hang.as_ref().map(|(stillness, _)| stillness.pace())
        };
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let descriptors = self.running().filter_map(|(_, descriptor)| descriptor);
        let mut polled: Vec<PollFd<'_>> = descriptors.map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)).collect();
        match poll(&mut polled, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Error::io("watch", Path::new("/proc"))(error.into())),
        }
        let mut readable = polled.iter().map(|p| !p.revents().is_empty());
        let has_ended = |(id, descriptor): &(ProcessId, Option<&OwnedFd>)| match descriptor {
            Some(_) => readable.next() == Some(true),
            None => !id.is_alive(),
        };
        let ended: Vec<ProcessId> = self.running().filter(has_ended).map(|(id, _)| id).collect();
        let at_ns = now_ns();
        self.seen.extend(ended.into_iter().map(|id| (id, Life::Ended { at_ns })));
        Ok(())
    }

    /// Clears up, if really all is over: nobody new is on the roll, and no process that one of them started still records.
    fn conclude(&mut self) -> Result<Option<Conclusion>, Error> {
        let lock = Lock::on(&self.parts.output)?;
        if !self.parts.is_ours() {
            return Ok(Some(Conclusion::NotOurs));
        }
        self.add(self.parts.roll());
        self.add(who_records(&self.parts.directory));
        if !self.all_have_ended() {
            return Ok(None);
        }
        if !self.parts.leave() {
            return Ok(Some(Conclusion::NotOurs));
        }
        let conclusion = clear_up(&self.parts, &self.ends())?;
        drop(lock);
        refuge::clear(&self.parts.output, &self.parts.job);
        Ok(Some(conclusion))
    }
}

impl Life {
    fn of(process: ProcessId) -> Life {
        let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
        let descriptor = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        // Asked after the descriptor was had: the number may have gone to another process before.
        let is_same = ProcessId::of(process.pid) == Some(process);
        // A process whose first thread has ended looks dead in /proc, while others go on: only the descriptor knows better.
        if is_same && (descriptor.is_some() || process.is_alive()) {
            Life::Running(descriptor)
        } else {
            Life::Ended { at_ns: now_ns() }
        }
    }
}

fn clear_up(parts: &Parts, ends: &Ends) -> Result<Conclusion, Error> {
    let conclusion = match (parts.has_segments(), parts.output.exists()) {
        (false, exists) if exists || parts.has_finished() => Conclusion::NothingLeft,
        (false, _) => {
            parts.restore();
            Conclusion::NothingRecorded
        }
        (true, true) => return Ok(Conclusion::Kept),
        (true, false) => match join(parts, ends) {
            Ok(summary) => Conclusion::Joined(summary),
            Err(_) => return Ok(Conclusion::Kept),
        },
    };
    fs::remove_dir_all(&parts.directory).map_err(Error::io("remove", &parts.directory))?;
    Ok(conclusion)
}

/// The processes that have a segment mapped: started by those on the roll (a launcher, a script), and not on it themselves.
fn who_records(directory: &Path) -> Vec<ProcessId> {
    let numbers = fs::read_dir("/proc").into_iter().flatten().filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    let told = |id: &ProcessId| id.environment().get(PARTS.variable) == Some(directory.as_os_str().as_encoded_bytes());
    numbers.filter_map(ProcessId::of).filter(|id| id.is_alive() && told(id) && maps_file_in(*id, directory)).collect()
}

fn maps_file_in(process: ProcessId, directory: &Path) -> bool {
    let maps = fs::read(format!("/proc/{}/maps", process.pid)).unwrap_or_default();
    let mut prefix = directory.as_os_str().as_encoded_bytes().to_vec();
    prefix.push(b'/');
    maps.split(|b| *b == b'\n').any(|line| {
        let path = line.iter().position(|b| *b == b'/').map_or(&[][..], |at| &line[at..]);
        path.starts_with(&prefix) && !path.ends_with(b" (deleted)")
    })
}
