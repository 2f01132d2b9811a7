//! The report for people, as pleasant as a good compiler's error.

use super::Subject;
use super::excerpt::Excerpt;
use super::severity_name;
use super::style::{Role, Style};
use super::verdict::closing;
use super::wrap::wrap;
use crate::finding::{Finding, Severity};

impl From<Severity> for Role {
    fn from(severity: Severity) -> Role {
        match severity {
            Severity::Error => Role::Error,
            Severity::Warning => Role::Warning,
            Severity::Note => Role::Note,
        }
    }
}

/// The whole report.
#[must_use]
pub fn render(subject: &Subject, style: &Style) -> String {
    let mut out = String::new();
    for finding in subject.report.findings.iter().filter(|finding| finding.dismissed.is_none()) {
        out += &render_finding(subject, finding, style);
        out.push('\n');
    }
    out += &closing(subject, style);
    if let Some(finding) = subject.report.findings.iter().find(|finding| finding.dismissed.is_none()) {
        out += &format!("for what a rule means: mpisim explain {}\n", finding.rule.name);
    }
    out
}

/// One finding, without an empty line after it.
#[must_use]
pub fn render_finding(subject: &Subject, finding: &Finding, style: &Style) -> String {
    let name = format!("{}[{}]", severity_name(finding.severity), finding.rule.name);
    let mut out = String::new();
    for (at, line) in wrap(&format!("{name}: {}", finding.title), style.rest(0)).iter().enumerate() {
        out += &match line.strip_prefix(&name) {
            Some(rest) if at == 0 => style.paint(finding.severity.into(), &name) + &style.paint(Role::Title, rest),
            _ => format!("    {}", style.paint(Role::Title, line)),
        };
        out.push('\n');
    }
    out + &render_body(subject, finding, style)
}

/// What stands below the title of a finding: the lines of the program, and the remarks.
pub(super) fn render_body(subject: &Subject, finding: &Finding, style: &Style) -> String {
    let excerpt = Excerpt::new(subject, finding);
    let mut out = excerpt.draw(style);
    let pad = " ".repeat(excerpt.gutter());
    let remarks = finding.notes.iter().map(|note| (Role::Note, "note", note));
    let remarks: Vec<_> = remarks.chain(finding.help.iter().map(|help| (Role::Help, "help", help))).collect();
    if !remarks.is_empty() && !finding.labels.is_empty() {
        out += &format!("{pad} {}\n", style.paint(Role::Frame, "|"));
    }
    for (role, kind, text) in remarks {
        let indent = pad.len() + " = note: ".len();
        for (at, line) in wrap(text, style.rest(indent)).iter().enumerate() {
            if at == 0 {
                out += &format!("{pad} {} {}: {line}\n", style.paint(Role::Frame, "="), style.paint(role, kind));
            } else {
                out += &format!("{}{line}\n", " ".repeat(indent));
            }
        }
    }
    out
}
