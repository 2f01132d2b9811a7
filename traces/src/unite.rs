//! Traces of one run, put together: those that hosts without a common file system have kept each for itself.
//!
//! What does not belong together is refused: another run, or the same rank twice.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::part::{self, Part};
use crate::reader;

/// The parts of these traces, files or directories, by rank, and what is missing of them.
///
/// # Errors
/// If one cannot be read, or they do not belong together.
pub fn unite(paths: &[PathBuf]) -> Result<(Vec<Part>, Vec<String>), Error> {
    let (mut united, mut damage): (Vec<(Part, &Path)>, Vec<String>) = Default::default();
    for path in paths {
        let (parts, missing) = reader::parts(path)?;
        damage.extend(missing);
        for part in parts {
            for (known, first) in &united {
                belongs_to(&part, known).map_err(|reason| reason(path.clone(), first.to_path_buf()))?;
            }
            united.push((part, path));
        }
    }
    let mut parts: Vec<Part> = united.into_iter().map(|(part, _)| part).collect();
    part::sort(&mut parts);
    Ok((parts, damage))
}

/// Whether two parts are of one run, and of different ranks.
fn belongs_to(part: &Part, known: &Part) -> Result<(), impl FnOnce(PathBuf, PathBuf) -> Error + use<>> {
    let (part, known) = (&part.process, &known.process);
    let is_other = |ours: &str, theirs: &str| !ours.is_empty() && !theirs.is_empty() && ours != theirs;
    let same_world = part.world == known.world;
    let differ = part.world_size.min(known.world_size) > 0 && part.world_size != known.world_size;
    let is_other_run = is_other(&part.job, &known.job) || same_world && differ;
    let same_rank = part.rank.filter(|rank| same_world && known.rank == Some(*rank));
    match (is_other_run, same_rank) {
        (false, None) => Ok(()),
        (_, rank) => Err(move |path, first| match rank.filter(|_| !is_other_run) {
            Some(rank) => Error::SameRank { path, first, rank },
            None => Error::OtherRun { path, first },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ProcessRecord;
    use crate::writer::write_parts;

    fn trace(home: &Path, name: &str, job: &str, ranks: &[u32]) -> PathBuf {
        let path = home.join(name);
        let part = |rank: &u32| {
            let process = ProcessRecord { rank: Some(*rank), world_size: 4, job: job.into(), ..ProcessRecord::default() };
            Part { process, ..Part::default() }
        };
        write_parts(&path, ranks.iter().map(part).collect()).expect("room for a trace");
        path
    }

    #[test]
    fn parts_of_one_run_come_together_by_rank() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let of = |name, job, ranks: &[u32]| trace(home.path(), name, job, ranks);
        let paths = [of("b", "job", &[1, 3]), of("a", "job", &[0, 2]), of("old", "", &[])];
        let (parts, damage) = unite(&paths[..2]).expect("they belong together");
        assert_eq!(parts.iter().map(|part| part.process.rank).collect::<Vec<_>>(), [Some(0), Some(1), Some(2), Some(3)]);
        assert!(damage.is_empty());
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let of = |name, job, ranks: &[u32]| trace(home.path(), name, job, ranks);
        let first = of("first", "job", &[0, 1]);
        assert!(matches!(unite(&[first.clone(), of("other", "another", &[2])]), Err(Error::OtherRun { .. })));
        assert!(matches!(unite(&[first, of("twice", "job", &[1])]), Err(Error::SameRank { rank: 1, .. })));
    }
}
