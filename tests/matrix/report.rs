//! The JSON report of `mpisim check`, and its comparison with what a program expects.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::expectation::{Expectation, Expected};

/// A finding of the report, as far as it is compared.
#[derive(Debug)]
pub struct Found {
    severity: String,
    rule: String,
    title: String,
    /// The lines of the program that it names first of all.
    primary: BTreeSet<u64>,
    /// Every line of the program that it names.
    lines: BTreeSet<u64>,
}

impl Found {
    /// Whether it says that the run broke off.
    pub fn is_broken_off(&self) -> bool {
        self.rule == "run/unfinished"
    }
}

/// The findings of `report` that are about `program`'s own lines.
pub fn findings(report: &[u8], program: &Path) -> Result<Vec<Found>, String> {
    let report: Value = serde_json::from_slice(report).map_err(|e| format!("the report is no JSON: {e}"))?;
    let list = report["findings"].as_array().ok_or("the report has no list of findings")?;
    Ok(list.iter().map(|finding| found(finding, program)).collect())
}

fn found(finding: &Value, program: &Path) -> Found {
    let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let labels = finding["labels"].as_array().map_or(&[][..], Vec::as_slice);
    let lines = |only_primary: bool| {
        let wanted = labels.iter().filter(|label| !only_primary || label["primary"] == true);
        wanted.filter_map(|label| line_in(&label["location"], program)).collect()
    };
    let is_dismissed = finding["dismissed"].is_string();
    let severity = if is_dismissed { "dismissed".to_owned() } else { text("severity") };
    Found { severity, rule: text("rule"), title: text("title"), primary: lines(true), lines: lines(false) }
}

fn line_in(location: &Value, program: &Path) -> Option<u64> {
    let file = Path::new(location["file"].as_str()?);
    location["line"].as_u64().filter(|_| file.file_name() == program.file_name())
}

/// Every difference between what was expected and what was found, in words; empty if there is none.
///
/// Notes, and what the check itself dismisses, are free, unless one is expected.
pub fn differences(expectation: &Expectation, found: &[Found]) -> String {
    let mut differences = String::new();
    for expected in &expectation.findings {
        let matching: Vec<&Found> = found.iter().filter(|f| is_same(expected, f)).collect();
        match matching[..] {
            [one] => differences += &line_differences(expected, one, expectation.may_break_off()),
            _ => {
                _ = writeln!(
                    differences,
                    "{} {} is expected once and found {} times",
                    expected.severity,
                    expected.rule,
                    matching.len()
                )
            }
        }
    }
    let is_no_news = |found: &&Found| is_free(found) || (found.is_broken_off() && expectation.may_break_off());
    for unexpected in found.iter().filter(|f| !is_no_news(f)).filter(|f| !expectation.findings.iter().any(|e| is_same(e, f))) {
        let Found { severity, rule, title, lines, .. } = unexpected;
        _ = writeln!(differences, "unexpected {severity} {rule} at lines {lines:?}: {title}");
    }
    differences
}

fn is_free(found: &Found) -> bool {
    ["note", "dismissed"].contains(&found.severity.as_str())
}

fn is_same(expected: &Expected, found: &Found) -> bool {
    (&expected.severity, &expected.rule) == (&found.severity, &found.rule)
}

/// A finding must be first of all about marked lines, and must name every marked line. A library that ends the program at the first of them may
/// not let other ranks come to theirs.
fn line_differences(expected: &Expected, found: &Found, may_break_off: bool) -> String {
    let is_whole = may_break_off || expected.lines.is_subset(&found.lines);
    let is_named = expected.lines.is_empty() || (found.primary.iter().any(|line| expected.lines.contains(line)) && is_whole);
    if is_named {
        return String::new();
    }
    let Expected { rule, lines, .. } = expected;
    format!("{rule} should name lines {lines:?}, and names {:?}, first of all {:?}\n", found.lines, found.primary)
}
