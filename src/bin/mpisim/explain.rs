//! `mpisim explain`: what the rules mean.

use std::fmt::Write as _;

use clap::Args;
use mpitrace::{exit, terminal};
use sim::rules::{self, Rule};

use crate::failure::Failure;

/// Say what a rule means, and what to do about it
#[derive(Debug, Args)]
pub struct Arguments {
    /// A rule such as match/tag, or as the report has it, error[match/tag]; a group such as match lists its rules, and without a
    /// name all rules are listed
    #[arg(value_parser = named)]
    rule: Option<Named>,
}

/// What a name stands for.
#[derive(Clone, Debug)]
enum Named {
    Rule(&'static str),
    /// The beginning of the names of several, up to the slash.
    Group(String),
}

/// Explains.
pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let text = match &arguments.rule {
        Some(Named::Rule(name)) => rules::find(name).map(explanation).unwrap_or_default(),
        Some(Named::Group(group)) => list(group),
        None => list(""),
    };
    terminal::write(&text, None).map_err(|source| Failure::Output { path: None, source })?;
    Ok(exit::SUCCESS)
}

fn explanation(rule: &Rule) -> String {
    format!("{}: {}\n\n{}\n", rule.name, rule.summary, rule.explanation)
}

/// What is meant by a name as it is typed, or pasted from a report: `match/tag`, `error[match/tag]:`, `match`, `match/*`.
fn named(text: &str) -> Result<Named, String> {
    let inner = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or(text, |(inside, _)| inside);
    if let Some(rule) = rules::find(inner) {
        return Ok(Named::Rule(rule.name));
    }
    let group = format!("{}/", inner.trim_end_matches('*').trim_end_matches('/'));
    if rules::ALL.iter().any(|rule| rule.name.starts_with(&group)) {
        return Ok(Named::Group(group));
    }
    let nearest = rules::ALL.iter().map(|rule| (distance(inner, rule.name), rule.name)).min();
    // Further away is no slip of the finger.
    const SLIPS_MAX: usize = 4;
    let hint = match nearest {
        Some((slips, name)) if slips <= SLIPS_MAX => format!("is '{name}' meant? "),
        _ => String::new(),
    };
    Err(format!("there is no such rule. {hint}`mpisim explain` lists all rules"))
}

/// How many letters must be put in, taken out or changed to make one text of the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for column in 0..to.len() {
            let changed = diagonal + usize::from(to[column] != letter);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// Every rule whose name begins so, with its summary.
fn list(beginning: &str) -> String {
    let rules = rules::ALL.iter().filter(|rule| rule.name.starts_with(beginning));
    let width = rules.clone().map(|rule| rule.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        writeln!(text, "{:width$}  {}", rule.name, rule.summary).expect("writing to a string succeeds");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_slips() {
        assert_eq!([distance("tag", "tag"), distance("tags", "tag"), distance("", "tag"), distance("gat", "tag")], [0, 1, 3, 2]);
    }
}
