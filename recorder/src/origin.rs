//! Where the processes of a world come from that a recorded program started with MPI_Comm_spawn: told by the spawning process, since nobody
//! else could tell, and the recorder sends no messages.

use std::fmt::Write;

/// Who started a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The number of the world that the process is in; not 0, which is the first.
    pub world: u32,
    /// The number of the communicator between the world and those who started it.
    pub comm: i64,
    /// Those who did, as the trace names members of communicators.
    pub parents: Vec<i64>,
}

impl Origin {
    /// As a variable holds it: `WORLD COMM FIRST-LAST,…`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{} {} ", self.world, self.comm);
        let follows = |a: &i64, b: &i64| *a >= 0 && a + 1 == *b;
        for (at, run) in self.parents.chunk_by(follows).enumerate() {
            let comma = if at == 0 { "" } else { "," };
            if let [first, .., last] = run {
                _ = write!(text, "{comma}{first}-{last}");
            } else {
                _ = write!(text, "{comma}{}", run[0]);
            }
        }
        text
    }

    /// What [`Origin::to_text`] wrote; None if it makes no sense.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Origin> {
        let mut words = text.split(' ');
        let world = words.next()?.parse().ok().filter(|world| *world != 0)?;
        let comm = words.next()?.parse().ok()?;
        let mut parents = Vec::new();
        for run in words.next()?.split(',') {
            // A process that is not known is −1, and is a run of its own.
            let (first, last) = match run.split_once('-').filter(|(first, _)| !first.is_empty()) {
                Some((first, last)) => (first.parse::<i64>().ok()?, last.parse().ok()?),
                None => (run.parse().ok()?, run.parse().ok()?),
            };
            parents.extend(first..=last);
        }
        Some(Origin { world, comm, parents })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_what_is_heard() {
        for parents in [vec![0], vec![0, 1, 2, 3], vec![5, 4, -1, 0, (7 << 32) | 1, (7 << 32) | 2]] {
            let origin = Origin { world: 9, comm: 77, parents };
            assert_eq!(Origin::from_text(&origin.to_text()), Some(origin));
        }
        assert_eq!(Origin { world: 9, comm: 77, parents: vec![0, 1, 2, 5] }.to_text(), "9 77 0-2,5");
    }

    #[test]
    fn nonsense_is_nothing() {
        for text in ["", "0 1 2", "1 2", "1 2 x", "1 2 3-"] {
            assert_eq!(Origin::from_text(text), None, "{text}");
        }
    }
}
