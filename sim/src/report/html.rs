//! The report as one page of HTML that needs nothing else: findings with their lines, the graph of who waits for whom, and what the
//! ranks did at that time. It has no script.

mod markup;
mod timeline;
mod waits;

use std::fmt::Write as _;

use super::{Style, Subject, Verdict, severity_name, text, verdict};
use crate::finding::Finding;
use markup::{colored, escaped};

const STYLE: &str = include_str!("html/report.css");

/// The whole page.
#[must_use]
pub fn render(subject: &Subject) -> String {
    let name = escaped(subject.name);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>mpisim: {name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
    );
    let class = match subject.verdict() {
        Verdict::Clean => "clean",
        Verdict::Findings => "findings",
        Verdict::Undecided => "undecided",
    };
    let _ = writeln!(out, "<header class=\"{class}\">\n<h1>{name}</h1>\n<pre>{}</pre>\n</header>", summary(subject));
    let (counted, dismissed): (Vec<&Finding>, Vec<&Finding>) =
        subject.report.findings.iter().partition(|finding| finding.dismissed.is_none());
    out += waits::ARROW_HEAD;
    contents(&counted, &mut out);
    for (number, finding) in counted.iter().enumerate() {
        section(subject, finding, number, &mut out);
    }
    if !dismissed.is_empty() {
        out += "<details class=\"dismissed\">\n<summary>Findings that do not count</summary>\n<ul>\n";
        for finding in dismissed {
            let reason = finding.dismissed.as_deref().unwrap_or_default();
            let _ = writeln!(out, "<li><code>{}</code> {}: {}</li>", finding.rule.name, escaped(&finding.title), escaped(reason));
        }
        out += "</ul>\n</details>\n";
    }
    let _ = writeln!(out, "<footer>mpisim {}</footer>\n</body>\n</html>", env!("CARGO_PKG_VERSION"));
    out
}

fn summary(subject: &Subject) -> String {
    colored(verdict::closing(subject, &colors()).trim_end())
}

fn colors() -> Style {
    Style { color: true, width: 110 }
}

fn contents(findings: &[&Finding], out: &mut String) {
    if findings.len() < 2 {
        return;
    }
    *out += "<nav>\n<ol>\n";
    for (number, finding) in findings.iter().enumerate() {
        let severity = severity_name(finding.severity);
        let _ = writeln!(
            out,
            "<li><a href=\"#finding-{number}\"><span class=\"{severity}\">{severity}[{}]</span> {}</a></li>",
            finding.rule.name,
            escaped(&finding.title)
        );
    }
    *out += "</ol>\n</nav>\n";
}

fn section(subject: &Subject, finding: &Finding, number: usize, out: &mut String) {
    let severity = severity_name(finding.severity);
    let _ = writeln!(
        out,
        "<section id=\"finding-{number}\" class=\"{severity}\">\n<h2><span class=\"{severity}\">{severity}[{}]</span> {}</h2>",
        finding.rule.name,
        escaped(&finding.title)
    );
    let body = text::render_body(subject, finding, &colors());
    let _ = writeln!(out, "<pre>{}</pre>", colored(body.trim_end()));
    for (caption, picture) in
        [("Who waits for whom", waits::draw(subject, finding)), ("What the ranks did", timeline::draw(subject, finding))]
    {
        if let Some(picture) = picture {
            let _ = writeln!(out, "<figure>\n<figcaption>{caption}</figcaption>\n{picture}</figure>");
        }
    }
    let _ = writeln!(
        out,
        "<details>\n<summary>What <code>{}</code> means</summary>\n<pre>{}</pre>\n</details>\n</section>",
        finding.rule.name,
        escaped(finding.rule.explanation)
    );
}
