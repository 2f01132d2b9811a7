//! Processes of this machine, as /proc shows them: which one is it, does it live, who started it, with which environment.
//!
//! A number alone does not name a process, because numbers come back; together with the time of its start it does.

use std::fmt;
use std::fs;
use std::str::FromStr;

/// A process, told apart from a later one of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started, in the kernel's clock ticks since the machine did.
    pub start_ticks: u64,
}

/// What /proc/PID/stat says, as far as anybody here asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    state: u8,
    parent: u32,
    start_ticks: u64,
}

impl ProcessId {
    /// The process that has this number now, if there is one.
    #[must_use]
    pub fn of(pid: u32) -> Option<ProcessId> {
        Some(ProcessId { pid, start_ticks: stat(pid)?.start_ticks })
    }

    /// This process.
    #[must_use]
    pub fn own() -> ProcessId {
        let pid = std::process::id();
        ProcessId::of(pid).unwrap_or(ProcessId { pid, start_ticks: 0 })
    }

    /// The process that started this one, or took it over.
    #[must_use]
    pub fn parent(self) -> Option<ProcessId> {
        ProcessId::of(stat(self.pid)?.parent)
    }

    /// Whether it still runs. One that has ended, and that only its parent has not noticed, does not.
    #[must_use]
    pub fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|s| s.start_ticks == self.start_ticks && !matches!(s.state, b'Z' | b'X'))
    }

    /// The environment that it was started with. Empty if it may not be read.
    #[must_use]
    pub fn environment(self) -> Environment {
        Environment(fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default())
    }

    /// Its program and arguments.
    #[must_use]
    pub fn arguments(self) -> Vec<String> {
        let line = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        line.split(|b| *b == 0).map(|a| String::from_utf8_lossy(a).into_owned()).collect()
    }
}

/// An environment as the kernel keeps it.
#[derive(Clone, Debug, Default)]
pub struct Environment(Vec<u8>);

impl Environment {
    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.split(|b| *b == 0).find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The second field is the program's name in parentheses, and may hold anything: the others are counted from the last parenthesis.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let start_ticks = fields.nth(17)?.parse().ok()?;
    Some(Stat { state, parent, start_ticks })
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pid, self.start_ticks)
    }
}

/// The text is none that a [`ProcessId`] is displayed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAProcess;

impl FromStr for ProcessId {
    type Err = NotAProcess;

    fn from_str(text: &str) -> Result<ProcessId, NotAProcess> {
        let (pid, start_ticks) = text.split_once('-').ok_or(NotAProcess)?;
        let pid = pid.parse().map_err(|_| NotAProcess)?;
        Ok(ProcessId { pid, start_ticks: start_ticks.parse().map_err(|_| NotAProcess)? })
    }
}

/// The name of this machine.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_mislead() {
        let text = "12 (a) R 9 (b) S 7 12 12 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1 1";
        assert_eq!(parse_stat(text), Some(Stat { state: b'S', parent: 7, start_ticks: 4711 }));
        assert_eq!(parse_stat("nonsense"), None);
    }

    #[test]
    fn this_process_lives_and_its_name_can_be_read_back() {
        let own = ProcessId::own();
        assert!(own.is_alive());
        assert_eq!(own.to_string().parse(), Ok(own));
        assert!(!ProcessId { start_ticks: own.start_ticks + 1, ..own }.is_alive(), "another process of the same number");
        assert_eq!("watcher".parse::<ProcessId>(), Err(NotAProcess));
    }

    #[test]
    fn a_child_is_known_by_its_parent_and_environment_and_is_dead_when_it_has_ended() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).env("COLOUR", "red").spawn().expect("cat exists");
        let id = ProcessId::of(child.id()).expect("it runs");
        assert_eq!(id.parent(), Some(ProcessId::own()));
        // The kernel lets the parent go on a moment before it has laid out the child's environment.
        while id.environment().get("PATH").is_none() {
            std::thread::yield_now();
        }
        assert_eq!(id.environment().get("COLOUR"), Some(&b"red"[..]));
        assert_eq!(id.environment().get("COLO"), None);
        drop(child.stdin.take());
        child.wait().expect("it ends");
        assert!(!id.is_alive());
    }
}
