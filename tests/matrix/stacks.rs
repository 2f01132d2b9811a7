//! The stacks that a program says its calls have, held against those in the profile of its trace.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::expectation::Expectation;

/// Every expected stack that no call has, in words; empty if there is none.
pub fn differences(trace: &Path, expectation: &Expectation) -> Result<String, String> {
    if expectation.stacks.is_empty() {
        return Ok(String::new());
    }
    let known = recorded(trace)?;
    let is_missing = |(called, functions): &&(String, Vec<String>)| {
        !known.iter().any(|(name, stack)| name == called && is_prefix(functions, stack))
    };
    let missing = expectation.stacks.iter().filter(is_missing).map(|(called, functions)| {
        let others: Vec<String> = known.iter().filter(|(name, _)| name == called).map(|(_, stack)| stack.join(" < ")).collect();
        format!("no {called} has the stack {}, but these are there:\n  {}\n", functions.join(" < "), others.join("\n  "))
    });
    Ok(missing.collect())
}

/// Where the last function expected is `main`, it has to be the outermost that was recorded. Only since 3.11 Python says what a function is
/// in, so its last name counts.
fn is_prefix(functions: &[String], stack: &[String]) -> bool {
    let last_name = |name: &String| name.rsplit('.').next().map(str::to_owned);
    let is_whole = functions.last().is_none_or(|last| last != "main") || stack.len() == functions.len();
    is_whole && stack.len() >= functions.len() && functions.iter().zip(stack).all(|(a, b)| last_name(a) == last_name(b))
}

/// What was called, by method or by function, with the names of the functions on the stack.
fn recorded(trace: &Path) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpitrace"));
    command.args(["stat", "--by", "site", "--format", "json"]).arg(trace).stdin(Stdio::null());
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    let profile: Value = serde_json::from_slice(&output.stdout).map_err(|e| format!("the profile is no JSON: {e}"))?;
    let sites = profile["sites"].as_array().ok_or("the profile has no sites")?;
    let one = |site: &Value| {
        let called = site["method"].as_str().or(site["function"].as_str()).unwrap_or_default().to_owned();
        let frames = site["stack"].as_array().map_or(&[][..], Vec::as_slice);
        (called, frames.iter().filter_map(Value::as_str).map(name).collect())
    };
    Ok(sites.iter().map(one).collect())
}

/// `solve`, of `solve (solver.c:12)`; a line alone is one at the top level of a script.
fn name(frame: &str) -> String {
    match frame.rsplit_once(" (") {
        Some((function, _)) => function.to_owned(),
        None if frame.contains(".py:") => "<module>".to_owned(),
        None => frame.to_owned(),
    }
}
