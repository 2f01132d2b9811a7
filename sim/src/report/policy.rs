//! What the user says of findings: which rules are strict, which do not count, which findings are known already.
//!
//! A finding that does not count stays in the report, with the reason; it changes neither the verdict nor the exit code.

use std::collections::BTreeSet;

pub use glob::Pattern;
use traces::Trace;

use super::{Sources, Subject};
use crate::Options;
use crate::finding::{Finding, Report, Severity};

/// A finding that is known, and why it does not count.
#[derive(Clone, Debug)]
pub struct Suppression {
    /// The rules, such as `leak/*`.
    pub rule: Pattern,
    /// The files that one of its calls must be in; None is any.
    pub file: Option<Pattern>,
    /// The functions of the program that one of its calls must be in; None is any.
    pub function: Option<Pattern>,
    /// Why.
    pub reason: String,
}

/// What the user says.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Rules whose findings do not count.
    pub allow: Vec<Pattern>,
    /// Rules whose findings are errors, whatever `allow` says.
    pub deny: Vec<Pattern>,
    /// Findings that are known.
    pub suppressions: Vec<Suppression>,
    /// The fingerprints of the findings of an earlier report.
    pub baseline: BTreeSet<String>,
}

impl Policy {
    /// Marks the findings of a report that do not count, and makes errors of those that are denied. Gives the suppressions that no
    /// finding has needed, by number: they have served their time.
    pub fn apply(&self, trace: &Trace, report: &mut Report, sources: &dyn Sources) -> Vec<usize> {
        let mut used = vec![false; self.suppressions.len()];
        let verdicts: Vec<(bool, Option<String>)> = {
            let options = Options::default();
            let subject = Subject { name: "", trace, report, options: &options, fail_on: Severity::Error, sources };
            let findings = &subject.report.findings;
            findings.iter().map(|finding| self.judge(&subject, finding, &mut used)).collect()
        };
        for (finding, (is_denied, dismissed)) in report.findings.iter_mut().zip(verdicts) {
            // What the check has dismissed itself counts only for who denies it.
            finding.dismissed = dismissed.or(finding.dismissed.take().filter(|_| !is_denied));
            if is_denied {
                finding.severity = Severity::Error;
            }
        }
        // Errors first, and what does not count last.
        report.findings.sort_by_key(|finding| (finding.dismissed.is_some(), std::cmp::Reverse(finding.severity)));
        (0..used.len()).filter(|&at| !used[at]).collect()
    }

    /// Whether a finding is an error by command, and why it does not count.
    fn judge(&self, subject: &Subject, finding: &Finding, used: &mut [bool]) -> (bool, Option<String>) {
        let names = |patterns: &[Pattern]| patterns.iter().find(|p| p.matches(finding.rule.name)).map(Pattern::to_string);
        let mut known = None;
        for (suppression, used) in self.suppressions.iter().zip(used).filter(|(s, _)| s.covers(subject, finding)) {
            *used = true;
            known.get_or_insert_with(|| suppression.reason.clone());
        }
        let is_old = || self.baseline.contains(&subject.fingerprint(finding)).then(|| "in the baseline".to_owned());
        let is_denied = names(&self.deny).is_some();
        let allowed = || names(&self.allow).filter(|_| !is_denied).map(|pattern| format!("--allow {pattern}"));
        (is_denied, known.or_else(is_old).or_else(allowed))
    }
}

impl Suppression {
    fn covers(&self, subject: &Subject, finding: &Finding) -> bool {
        let fits =
            |pattern: &Option<Pattern>, text: Option<&str>| pattern.as_ref().is_none_or(|p| text.is_some_and(|t| p.matches(t)));
        let anywhere = self.file.is_none() && self.function.is_none();
        let mut locations = finding.labels.iter().filter_map(|label| subject.location(label));
        self.rule.matches(finding.rule.name)
            && (anywhere || locations.any(|l| fits(&self.file, l.file.as_deref()) && fits(&self.function, l.function.as_deref())))
    }
}
