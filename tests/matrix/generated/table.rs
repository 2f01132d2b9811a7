//! docs/rules.md: for each rule, how many programs break it, and how many do not although they are near.
//!
//! The programs themselves are held to their expectations one by one; the table only counts what they expect, and must be up to date.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use libtest_mimic::Trial;

use super::{all, rules};
use crate::program;

/// How many programs expect a rule to be broken: written by hand, and generated.
type Counts = BTreeMap<String, [usize; 2]>;

const BEFORE: &str = "\
# The rules, and the programs that they are proved on

Every program says in its first lines what has to be found in it, on which lines, and that nothing else may be found. Programs written by hand
(tests/programs) are recorded and checked on every MPI library at hand. Generated ones (tests/matrix/generated: calls crossed with mistakes, and
with blocking, nonblocking and persistent forms) take Open MPI 4.1 and MPICH 4.0 in turn, and every library in `scripts/test nightly`.
`mpisim explain RULE` says what a rule means.

";

/// The test that the table is what it would be if it were written now.
pub fn trial() -> Trial {
    Trial::test("docs/rules.md counts the programs as they are", || Ok(is_up_to_date()?))
}

fn is_up_to_date() -> Result<(), String> {
    let table = table()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    if fs::read_to_string(&path).is_ok_and(|text| text == table) {
        return Ok(());
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rules.md");
    fs::write(&new, table).map_err(|e| format!("{}: {e}", new.display()))?;
    Err(format!("{} is out of date: {} is what it should be", path.display(), new.display()))
}

fn table() -> Result<String, String> {
    let by_hand =
        program::all().into_iter().map(|path| fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display())));
    let by_hand = by_hand.collect::<Result<Vec<String>, String>>()?;
    let generated: Vec<String> = all().iter().map(super::Variant::source).collect();
    let mut counts = Counts::new();
    let mut correct = [0; 2];
    for (at, sources) in [&by_hand, &generated].into_iter().enumerate() {
        for source in sources {
            let mut rules = rules(source)?;
            rules.dedup();
            correct[at] += usize::from(rules.is_empty());
            rules.into_iter().for_each(|rule| counts.entry(rule).or_default()[at] += 1);
        }
    }
    let mut table = BEFORE.to_owned();
    table += "| rule | by hand | generated | what it finds |\n| --- | ---: | ---: | --- |\n";
    for rule in sim::rules::ALL {
        let [by_hand, generated] = counts.remove(rule.name).unwrap_or_default();
        _ = writeln!(table, "| `{}` | {by_hand} | {generated} | {} |", rule.name, rule.summary);
    }
    _ = writeln!(table, "| nothing wrong | {} | {} | |", correct[0], correct[1]);
    _ = writeln!(table, "| all programs | {} | {} | |", by_hand.len(), generated.len());
    match counts.keys().next() {
        Some(unknown) => Err(format!("there is no rule {unknown}")),
        None => Ok(table),
    }
}
