//! `mpisim explain`: what the rules mean.

use std::fmt::Write as _;

use clap::Args;
use clap::builder::PossibleValuesParser;
use mpitrace::{exit, terminal};
use sim::rules;

use crate::failure::Failure;

/// Say what a rule means, and what to do about it
#[derive(Debug, Args)]
pub struct Arguments {
    /// The name of the rule, as in `error[match/tag]`; without it all rules are listed
    #[arg(value_parser = names(), hide_possible_values = true)]
    rule: Option<String>,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(rules::ALL.map(|rule| rule.name))
}

/// Explains.
pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let text = match arguments.rule.as_deref().and_then(rules::find) {
        Some(rule) => format!("{}: {}\n\n{}\n", rule.name, rule.summary, rule.explanation),
        None => list(),
    };
    terminal::write(&text, None).map_err(|source| Failure::Output { path: None, source })?;
    Ok(exit::SUCCESS)
}

/// Every rule with its summary.
fn list() -> String {
    let width = rules::ALL.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules::ALL {
        writeln!(text, "{:width$}  {}", rule.name, rule.summary).expect("writing to a string succeeds");
    }
    text
}
