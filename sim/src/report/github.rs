//! Findings as annotations of GitHub Actions: workflow commands on standard output, which a pull request shows beside its lines.

use super::Subject;
use crate::finding::{Finding, Severity};

/// One command a finding, then the sum.
#[must_use]
pub fn render(subject: &Subject) -> String {
    let counted = subject.report.findings.iter().filter(|finding| finding.dismissed.is_none());
    let mut out: String = counted.map(|finding| command(subject, finding)).collect();
    out += &super::verdict::closing(subject, &super::Style::default());
    out
}

fn command(subject: &Subject, finding: &Finding) -> String {
    let kind = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = vec![format!("title={}", property(finding.rule.name))];
    if let Some(location) = finding.labels.iter().find_map(|label| subject.location(label).filter(|l| l.line.is_some()))
        && let (Some(file), Some(line)) = (location.file, location.line)
    {
        properties.insert(0, format!("file={},line={line}", property(&file)));
    }
    let text = super::text::render_finding(subject, finding, &super::Style::default());
    format!("::{kind} {}::{}\n", properties.join(","), message(text.trim_end()))
}

/// What a message may not have as it is.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What a property may not have as it is.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
