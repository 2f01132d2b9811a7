//! The report as JUnit XML, which every continuous integration shows: a suite for the trace, a case for each rule.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Style, Subject, Verdict, text};
use crate::finding::Finding;
use crate::rules::{self, Rule};

/// A rule passes if nothing that it forbids was found at or above `fail_on`; what was found below that stands in its output.
/// What could not be decided is a case of its own, which is in error.
#[must_use]
pub fn render(subject: &Subject) -> String {
    let mut suite = TestSuite::new(subject.name);
    suite.add_test_cases(rules::ALL.iter().copied().map(|rule| case(subject, rule)));
    if subject.verdict() == Verdict::Undecided {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("undecided").set_message(subject.gaps().join("; "));
        suite.add_test_case(case_named("undecided", status));
    }
    let mut report = Report::new("mpisim check");
    report.add_test_suite(suite);
    report.to_string().expect("writing XML to a string succeeds")
}

fn case(subject: &Subject, rule: &'static Rule) -> TestCase {
    let of_rule = |finding: &&Finding| finding.rule == rule && finding.dismissed.is_none();
    let findings: Vec<&Finding> = subject.report.findings.iter().filter(of_rule).collect();
    let told = |list: &[&Finding]| {
        let texts: Vec<String> = list.iter().map(|f| text::render_finding(subject, f, &Style::default())).collect();
        texts.join("\n")
    };
    let (failures, remarks): (Vec<&Finding>, Vec<&Finding>) = findings.into_iter().partition(|f| f.severity >= subject.fail_on);
    let status = match failures.first() {
        Some(first) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let more = if failures.len() > 1 { format!(" (and {} more)", failures.len() - 1) } else { String::new() };
            status.set_type(rule.name).set_message(format!("{}{more}", first.title)).set_description(told(&failures));
            status
        }
        None => TestCaseStatus::success(),
    };
    let mut case = case_named(rule.name, status);
    if !remarks.is_empty() {
        case.set_system_out(told(&remarks));
    }
    case
}

fn case_named(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname("mpisim");
    case
}
