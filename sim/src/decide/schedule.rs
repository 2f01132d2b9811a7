//! Schedules: what was chosen where MPI leaves freedom, in a form that can be printed, kept, and tried again.
//!
//! A token is `library:matches:held`, such as `any:0.2=3.7:1.4`: with a library that may do anything, the third wildcard of lane 0 takes
//! a message of rank 3 with tag 7, and the fifth call of lane 1 is held back. What is not said is as it was in the recorded run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::library::{Library, Members, Sends};
use crate::Buffering;
use crate::finding::Place;
use crate::machine::{Assumptions, Choices};

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub(crate) library: Library,
    /// By lane and wildcard: the rank that the message comes from, and its tag.
    pub(crate) matches: BTreeMap<(u32, u32), (u32, i64)>,
    /// The calls that the library holds back though it need not.
    pub(crate) held: BTreeSet<(u32, u32)>,
}

impl Schedule {
    /// The choices for the machine.
    pub(crate) fn choices(&self) -> Choices {
        Choices {
            pins: self.matches.iter().map(|(key, value)| (*key, *value)).collect(),
            holds: self.held.iter().map(|(lane, event)| Place { lane: *lane, event: *event }).collect(),
        }
    }

    /// The buffering that its library stands for.
    pub(crate) fn buffering(&self) -> Buffering {
        match self.library.sends {
            Sends::Wait => Buffering::Zero,
            Sends::Eager(bytes) => Buffering::Eager(bytes),
            Sends::Return => Buffering::Infinite,
            Sends::Free => Buffering::Any,
        }
    }

    /// Whether every send waits for its receive.
    pub(crate) fn sends_wait(&self) -> bool {
        self.library.sends == Sends::Wait
    }

    /// What the machine is to assume.
    pub(crate) fn assumptions(&self) -> Assumptions {
        let eager_bytes = match self.library.sends {
            Sends::Wait => None,
            Sends::Eager(bytes) => Some(bytes),
            Sends::Return | Sends::Free => Some(u64::MAX),
        };
        Assumptions { eager_bytes, full_collectives: self.library.members == Members::Wait, facts: false }
    }
}

impl Library {
    /// Its name in tokens.
    fn name(self) -> String {
        match self.sends {
            Sends::Wait => "zero".into(),
            Sends::Return => "infinite".into(),
            Sends::Eager(bytes) => format!("eager={bytes}"),
            Sends::Free if self.members == Members::Go => "some".into(),
            Sends::Free => "any".into(),
        }
    }

    fn named(name: &str) -> Option<Library> {
        Some(match (name, name.strip_prefix("eager=")) {
            ("zero", _) => Library::ZERO,
            ("infinite", _) => Library::INFINITE,
            ("some", _) => Library::UNSURE,
            ("any", _) => Library::ANY,
            (_, Some(bytes)) => Library { sends: Sends::Eager(bytes.parse().ok()?), members: Members::Go },
            _ => return None,
        })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let matches: Vec<String> =
            self.matches.iter().map(|((lane, number), (source, tag))| format!("{lane}.{number}={source}.{tag}")).collect();
        let held: Vec<String> = self.held.iter().map(|(lane, event)| format!("{lane}.{event}")).collect();
        write!(f, "{}:{}:{}", self.library.name(), matches.join(","), held.join(","))
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(token: &str) -> Result<Schedule, String> {
        let wrong = || format!("`{token}` is no schedule: it has the form library:matches:held, such as any:0.2=3.7:1.4");
        let mut parts = token.split(':');
        let (Some(library), Some(matches), Some(held), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let list = |text: &str| text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let library = Library::named(library).ok_or_else(wrong)?;
        let matches = list(matches);
        let matches = matches.iter().map(|part| {
            let (place, message) = part.split_once('=')?;
            Some((pair(place)?, pair(message)?))
        });
        let matches = matches.collect::<Option<BTreeMap<_, _>>>().ok_or_else(wrong)?;
        let held = list(held).iter().map(|part| pair(part)).collect::<Option<BTreeSet<_>>>().ok_or_else(wrong)?;
        Ok(Schedule { library, matches, held })
    }
}

/// Two numbers with a dot between.
fn pair<A: FromStr, B: FromStr>(text: &str) -> Option<(A, B)> {
    let (a, b) = text.split_once('.')?;
    Some((a.parse().ok()?, b.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_is_printed() {
        for token in ["any:0.2=3.7,1.0=0.-5:1.4,2.0", "zero::", "infinite:0.0=1.0:", "eager=4096::", "some::3.1"] {
            let schedule: Schedule = token.parse().unwrap();
            assert_eq!(schedule.to_string(), token);
        }
        for wrong in ["", "any", "any:", "none::", "any:0=1:", "any:0.1=2:", "any:::", "eager=x::", "any::1"] {
            assert!(wrong.parse::<Schedule>().is_err(), "{wrong}");
        }
    }
}
