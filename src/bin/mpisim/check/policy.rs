//! Which findings count: the options that say so, and the files that they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use sim::report::{Pattern, Policy, Suppression};

use crate::failure::Failure;

/// Which findings count.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which findings count")]
pub struct Choices {
    /// Findings of these rules do not count, such as leak/*
    #[arg(long, value_name = "RULES", value_parser = rules)]
    allow: Vec<Pattern>,

    /// Findings of these rules are errors, even of those that are allowed
    #[arg(long, value_name = "RULES", value_parser = rules)]
    deny: Vec<Pattern>,

    /// Findings that are known, each with the reason why it does not count, in TOML: [[suppress]] with rule and reason, and file or
    /// function if it is to be for calls in these only
    #[arg(long, value_name = "FILE")]
    suppressions: Option<PathBuf>,

    /// An earlier report in JSON: what was found then does not count
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

/// The file of suppressions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suppressions {
    #[serde(default)]
    suppress: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    file: Option<String>,
    function: Option<String>,
    reason: String,
}

/// As much of a JSON report as a baseline needs.
#[derive(Debug, Deserialize)]
struct Baseline {
    findings: Vec<Known>,
}

#[derive(Debug, Deserialize)]
struct Known {
    fingerprint: String,
}

impl Choices {
    /// What they come to.
    ///
    /// # Errors
    /// If a file cannot be read, or is not what it should be.
    pub fn policy(&self) -> Result<Policy, Failure> {
        Ok(Policy {
            allow: self.allow.clone(),
            deny: self.deny.clone(),
            suppressions: self.suppressions.as_deref().map(suppressions).transpose()?.unwrap_or_default(),
            baseline: self.baseline.as_deref().map(baseline).transpose()?.unwrap_or_default(),
        })
    }

    /// Says which suppressions nothing has needed, so that they can go.
    pub fn tell_unused(&self, policy: &Policy, unused: &[usize]) {
        let Some(file) = &self.suppressions else { return };
        for suppression in unused.iter().filter_map(|&at| policy.suppressions.get(at)) {
            eprintln!(
                "mpisim: nothing was found that {} suppresses: {} ({})",
                file.display(),
                suppression.rule,
                suppression.reason
            );
        }
    }
}

/// The names of rules, with `*` for any text. Names that no rule has are a slip of the finger.
fn rules(text: &str) -> Result<Pattern, String> {
    let pattern = Pattern::new(text).map_err(|error| error.to_string())?;
    if sim::rules::ALL.iter().any(|rule| pattern.matches(rule.name)) {
        Ok(pattern)
    } else {
        Err("no rule is called so; `mpisim explain` lists them".to_owned())
    }
}

fn suppressions(path: &Path) -> Result<Vec<Suppression>, Failure> {
    let wrong = |what: String| Failure::Input { path: path.to_owned(), what };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let file: Suppressions = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let pattern = |text: String| Pattern::new(&text).map_err(|error| wrong(format!("{text}: {error}")));
    let entry = |entry: Entry| {
        if entry.reason.trim().is_empty() {
            return Err(wrong(format!("the suppression of {} has no reason", entry.rule)));
        }
        Ok(Suppression {
            rule: rules(&entry.rule).map_err(|error| wrong(format!("{}: {error}", entry.rule)))?,
            file: entry.file.map(pattern).transpose()?,
            function: entry.function.map(pattern).transpose()?,
            reason: entry.reason,
        })
    };
    file.suppress.into_iter().map(entry).collect()
}

fn baseline(path: &Path) -> Result<BTreeSet<String>, Failure> {
    let wrong = |what: String| Failure::Input { path: path.to_owned(), what };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let report: Baseline = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("it is no report of `mpisim check --format json`: {error}")))?;
    Ok(report.findings.into_iter().map(|known| known.fingerprint).collect())
}
