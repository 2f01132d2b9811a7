//! Writing files from inside the program: so that neither its descriptors nor its signals are touched.
//!
//! A program may close every descriptor that it does not know and get the number for a file of its own; it may have closed its standard
//! output, whose number is then the next one that is free; and it may limit the size of files, which makes the kernel send SIGXFSZ, as
//! it sends SIGPIPE where nobody reads any more. Both end a program that does not expect them.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::ptr;

/// A file that grows, held open: later the program may have no descriptor left, or no right to open it.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    file: File,
    /// Device and inode.
    identity: (u64, u64),
}

impl Output {
    /// Makes a file, or opens it to be continued.
    pub fn open(path: PathBuf) -> io::Result<Output> {
        let file = open(&path)?;
        let metadata = file.metadata()?;
        Ok(Output { path, file, identity: (metadata.dev(), metadata.ino()) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends all or, as far as the file system lets us, nothing.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.make_sure()?;
        let before = self.file.metadata()?.len();
        let file = &mut self.file;
        file.write_all(bytes).inspect_err(|_| drop(file.set_len(before)))
    }

    /// Sees to it that the descriptor still is that of the file.
    fn make_sure(&mut self) -> io::Result<()> {
        let is_same = |m: std::fs::Metadata| (m.dev(), m.ino()) == self.identity;
        if self.file.metadata().is_ok_and(is_same) {
            return Ok(());
        }
        let new = Output::open(self.path.clone())?;
        // Its number is the program's now, and not to be closed.
        std::mem::forget(std::mem::replace(self, new).file);
        Ok(())
    }
}

/// Numbers below this are what programs expect to be given; few use any above.
const FIRST_NUMBER: libc::c_int = 500;
/// Where the limit is lower: above those of the standard streams.
const FIRST_OF_FEW: libc::c_int = 3;

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    [FIRST_NUMBER, FIRST_OF_FEW].into_iter().find_map(|first| number_from(&file, first)).ok_or_else(io::Error::last_os_error)
}

/// The same file under a number that is not below this.
fn number_from(file: &File, first: libc::c_int) -> Option<File> {
    // SAFETY: the descriptor is open; the new one is nobody else's.
    let number = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, first) };
    // SAFETY: as above.
    (number >= 0).then(|| unsafe { File::from_raw_fd(number) })
}

/// What the kernel sends to a thread whose writing fails.
const SIGNALS: [libc::c_int; 2] = [libc::SIGXFSZ, libc::SIGPIPE];

/// Does work that writes. What fails is an error, and no signal.
pub fn without_signals<R>(work: impl FnOnce() -> R) -> R {
    let blocked = Blocked::new();
    let result = work();
    drop(blocked);
    result
}

/// The signals are blocked in this thread as long as this lives.
struct Blocked {
    /// The mask to go back to.
    before: libc::sigset_t,
    /// Those that come from now on are ours.
    ours: libc::sigset_t,
}

impl Blocked {
    fn new() -> Blocked {
        let (mut set, mut before, mut pending) = (MaybeUninit::uninit(), MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: the addresses are those of sets, each initialized by the first call that gets it.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigemptyset(before.as_mut_ptr());
            libc::sigemptyset(pending.as_mut_ptr());
            SIGNALS.iter().for_each(|&signal| _ = libc::sigaddset(set.as_mut_ptr(), signal));
            libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), before.as_mut_ptr());
            libc::sigpending(pending.as_mut_ptr());
            let was_pending = SIGNALS.iter().filter(|&&signal| libc::sigismember(pending.as_ptr(), signal) == 1);
            was_pending.for_each(|&signal| _ = libc::sigdelset(set.as_mut_ptr(), signal));
            Blocked { before: before.assume_init(), ours: set.assume_init() }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: both sets are initialized; no information on the signal is asked for.
        unsafe {
            while libc::sigtimedwait(&raw const self.ours, ptr::null_mut(), &raw const now) > 0 {}
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_that_the_program_took_is_left_to_it() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut output = Output::open(home.path().join("ours")).expect("a new file");
        output.append(b"one ").expect("there is room");
        let theirs = File::create(home.path().join("theirs")).expect("a new file");
        // SAFETY: both are open descriptors.
        unsafe { libc::dup2(theirs.as_raw_fd(), output.file.as_raw_fd()) };
        output.append(b"two").expect("it can be opened again");
        let read = |name: &str| std::fs::read_to_string(home.path().join(name)).expect("it is there");
        assert_eq!((read("ours").as_str(), read("theirs").as_str()), ("one two", ""));
    }

    #[test]
    fn where_nobody_reads_writing_is_an_error_and_no_signal() {
        let mut ends = [0; 2];
        // SAFETY: the address of two ints; SIGPIPE has the effect that it has on a C program, and both ends are our own.
        let (result, is_pending) = unsafe {
            libc::pipe(ends.as_mut_ptr());
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            libc::close(ends[0]);
            let mut writer = File::from_raw_fd(ends[1]);
            let result = without_signals(|| writer.write(b"word"));
            let mut pending = MaybeUninit::uninit();
            libc::sigpending(pending.as_mut_ptr());
            (result, libc::sigismember(pending.as_ptr(), libc::SIGPIPE))
        };
        assert_eq!((result.map_err(|e| e.kind()), is_pending), (Err(io::ErrorKind::BrokenPipe), 0));
    }
}
