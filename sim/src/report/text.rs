//! The report for people, as pleasant as a good compiler's error.

use super::Subject;
use super::excerpt::Excerpt;
use super::severity_name;
use super::style::{Role, Style};
use super::verdict::closing;
use super::wrap::wrap;
use crate::finding::{Finding, Severity};

/// So many notes of a rule are shown with their lines.
const NOTES_MAX: usize = 3;

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
    let mut more: Vec<Likewise> = Vec::new();
    for finding in subject.report.findings.iter().filter(|finding| finding.dismissed.is_none()) {
        if finding.severity == Severity::Note && !is_shown(finding, &mut more) {
            continue;
        }
        out += &render_finding(subject, finding, style);
        out.push('\n');
    }
    for likewise in more.iter().filter(|likewise| !likewise.folded.is_empty()) {
        out += &fold(subject, likewise, style);
    }
    out += &closing(subject, style);
    if let Some(finding) = subject.report.findings.iter().find(|finding| finding.dismissed.is_none()) {
        out += &format!("for what a rule means: mpisim explain {}\n", finding.rule.name);
    }
    out
}

/// The notes of one rule.
struct Likewise<'r> {
    rule: &'r str,
    /// How many have been shown.
    shown: usize,
    /// The others.
    folded: Vec<&'r Finding>,
}

/// Whether a note is one of the first of its rule, so that a program that is made so does not drown what else there is to say.
fn is_shown<'r>(finding: &'r Finding, more: &mut Vec<Likewise<'r>>) -> bool {
    let at = more.iter().position(|likewise| likewise.rule == finding.rule.name).unwrap_or_else(|| {
        more.push(Likewise { rule: finding.rule.name, shown: 0, folded: Vec::new() });
        more.len() - 1
    });
    let likewise = &mut more[at];
    if likewise.shown < NOTES_MAX {
        likewise.shown += 1;
        return true;
    }
    likewise.folded.push(finding);
    false
}

/// Where the other notes of a rule are.
fn fold(subject: &Subject, likewise: &Likewise, style: &Style) -> String {
    let name = format!("note[{}]", likewise.rule);
    let place = |finding: &&Finding| {
        let label = finding.labels.iter().find(|label| label.primary)?;
        let location = subject.location(label)?;
        Some(match (&location.file, location.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            // Why there is no line is said above, of others like it.
            _ => location.to_string().split(" (").next().unwrap_or_default().to_owned(),
        })
    };
    let places: Vec<String> = likewise.folded.iter().filter_map(place).collect();
    let text = format!("{name}: likewise at {}; --format json and html have all of it", places.join(", "));
    let mut out = String::new();
    for (at, line) in wrap(&text, style.rest(0)).iter().enumerate() {
        out += &match line.strip_prefix(&name) {
            Some(rest) if at == 0 => style.paint(Role::Note, &name) + rest,
            _ => format!("    {line}"),
        };
        out.push('\n');
    }
    out.push('\n');
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
