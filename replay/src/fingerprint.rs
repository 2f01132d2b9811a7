//! The fingerprint of a run: a digest of all that MPI was free to choose in it, by which two runs are compared.
//!
//! A thread adds to its own while it runs; those of all threads make that of the run.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::choice::Choice;

/// The fingerprint of one thread, so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    digest: u64,
    /// How often a call of this key has found nothing, in a row. Where a recording counts anew in between is no choice of MPI's.
    nothing: Option<(u64, u64)>,
}

impl Fingerprint {
    /// Adds what was chosen in a call with this key.
    pub fn add(&mut self, key: u64, choice: &Choice) {
        if let (Choice::Nothing(times), Some((of, before))) = (choice, &mut self.nothing)
            && *of == key
        {
            *before += times;
            return;
        }
        self.digest = self.digest();
        self.nothing = None;
        match choice {
            Choice::Nothing(times) => self.nothing = Some((key, *times)),
            other => self.digest = mix(self.digest, &format!("{other:?}")),
        }
    }

    /// The digest of what was added.
    #[must_use]
    pub fn digest(self) -> u64 {
        self.nothing.map_or(self.digest, |(_, times)| mix(self.digest, &format!("{times} times nothing")))
    }
}

fn mix(digest: u64, text: &str) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), digest)
}

/// The fingerprint of a run, of the threads that had a choice: each with its rank, its number and its digest.
pub fn of_run(threads: impl Iterator<Item = (Option<u32>, u32, u64)>) -> u64 {
    let mut list: Vec<_> = threads.filter(|(.., digest)| *digest != 0).collect();
    list.sort_unstable();
    let text: Vec<String> = list.iter().map(|(rank, thread, digest)| format!("{rank:?} {thread} {digest}")).collect();
    xxh3_64(text.join("\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &[(u64, Choice)]) -> u64 {
        let mut fingerprint = Fingerprint::default();
        list.iter().for_each(|(key, choice)| fingerprint.add(*key, choice));
        fingerprint.digest()
    }

    #[test]
    fn polls_in_a_row_are_one_wherever_they_were_counted_anew() {
        let whole = of(&[(1, Choice::Nothing(5)), (1, Choice::Something)]);
        assert_eq!(of(&[(1, Choice::Nothing(2)), (1, Choice::Nothing(3)), (1, Choice::Something)]), whole);
        assert_ne!(of(&[(1, Choice::Nothing(2)), (2, Choice::Nothing(3)), (1, Choice::Something)]), whole);
        assert_ne!(of(&[(1, Choice::Nothing(4)), (1, Choice::Something)]), whole);
        assert_eq!(of(&[]), 0, "who had no choice adds nothing");
    }
}
