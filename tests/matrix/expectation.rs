//! What a test program says of itself in its first comment lines, and in the comments that mark the lines of its bugs.
//!
//! ```text
//! // Rank 1 sends with tag 8, rank 2 waits for tag 7.
//! // expect: error match/tag          one line a finding; `nothing`; `no trace`; `undecided`: calls are missing, and nothing is found
//! // expect: dismissed race/wildcard  a finding that does not count, because it cannot matter
//! // record: --guard                  recorded with these options, too
//! // needs: MPI_Isendrecv             not every MPI has this function, and without it there is no such program
//! // stack: MPI_Send: send < main     that some such call has these functions on its stack, the innermost first
//! // ends: hang                       `ok` unless it is said; `failure`; `by itself` and `anyhow` where it is up to MPI
//!     MPI_Send(…);                    // <- match/tag
//! ```

use std::collections::BTreeSet;
use std::path::Path;

/// How a program ends when nobody kills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// With success.
    Ok,
    /// With another exit status than zero, or by a signal.
    Failure,
    /// One way or the other.
    ByItself,
    /// Never.
    Hang,
    /// One of these: the standard leaves the program undefined, and libraries differ.
    Anyhow,
}

/// A finding that the check must report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub severity: String,
    pub rule: String,
    /// The lines that it must name; empty if the program marks none.
    pub lines: BTreeSet<u64>,
}

/// What is expected of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Every finding, and no other.
    pub findings: Vec<Expected>,
    /// Whether there is a trace at all.
    pub trace: bool,
    /// Whether something is missing in it, so that finding nothing proves nothing.
    pub undecided: bool,
    /// Whether the trace must tell of every call why it returned.
    pub explained: bool,
    pub ends: Ends,
    /// Further options of `mpitrace record`.
    pub options: Vec<String>,
    /// What is called, and the functions on the stack of at least one such call, the innermost first.
    pub stacks: Vec<(String, Vec<String>)>,
}

impl Expectation {
    /// Whether a library may end the program anywhere.
    pub fn may_break_off(&self) -> bool {
        matches!(self.ends, Ends::ByItself | Ends::Anyhow)
    }
}

impl Default for Expectation {
    /// A correct program.
    fn default() -> Expectation {
        Expectation {
            findings: Vec::new(),
            trace: true,
            undecided: false,
            explained: false,
            ends: Ends::Ok,
            options: Vec::new(),
            stacks: Vec::new(),
        }
    }
}

/// The functions that the program at `path` needs, and that not every MPI has.
pub fn needs(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map_while(comment).filter_map(|line| Some(line.strip_prefix("needs:")?.trim().to_owned())).collect()
}

/// Reads the expectation of the program at `path`.
pub fn of_program(path: &Path) -> Result<Expectation, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    parse(&text).map_err(|e| format!("{}: {e}", path.display()))
}

pub fn parse(text: &str) -> Result<Expectation, String> {
    let mut expectation = Expectation::default();
    let mut is_said = false;
    for line in text.lines().map_while(comment) {
        if let Some(what) = line.strip_prefix("expect:") {
            is_said = true;
            match what.trim() {
                "nothing" => {}
                "no trace" => expectation.trace = false,
                "every call explained" => expectation.explained = true,
                "undecided" => expectation.undecided = true,
                finding => expectation.findings.push(expected(finding, text)?),
            }
        } else if let Some(how) = line.strip_prefix("ends:") {
            expectation.ends = ends(how.trim())?;
        } else if let Some(options) = line.strip_prefix("record:") {
            expectation.options.extend(options.split_whitespace().map(String::from));
        } else if let Some(stack) = line.strip_prefix("stack:") {
            expectation.stacks.push(self::stack(stack)?);
        }
    }
    if is_said { Ok(expectation) } else { Err("its first comment lines have no `expect:`".into()) }
}

/// The text of a line that is a comment in C, Fortran, Python, Rust or LAMMPS.
fn comment(line: &str) -> Option<&str> {
    ["//!", "//", "!", "#"].iter().find_map(|mark| line.strip_prefix(mark)).map(str::trim)
}

fn ends(how: &str) -> Result<Ends, String> {
    match how {
        "ok" => Ok(Ends::Ok),
        "failure" => Ok(Ends::Failure),
        "by itself" => Ok(Ends::ByItself),
        "hang" => Ok(Ends::Hang),
        "anyhow" => Ok(Ends::Anyhow),
        _ => Err(format!("`ends: {how}` is none of ok, failure, by itself, hang, anyhow")),
    }
}

/// `MPI_Send: send_one < solve < main`.
fn stack(text: &str) -> Result<(String, Vec<String>), String> {
    let (called, functions) = text.split_once(": ").ok_or_else(|| format!("`stack:{text}` does not say what is called"))?;
    Ok((called.trim().into(), functions.split(" < ").map(|function| function.trim().into()).collect()))
}

fn expected(finding: &str, text: &str) -> Result<Expected, String> {
    let (severity, rule) = finding.split_once(' ').ok_or_else(|| format!("`expect: {finding}` is no severity and rule"))?;
    let mark = format!("<- {rule}");
    let lines = (1..).zip(text.lines()).filter(|(_, line)| line.trim_end().ends_with(&mark)).map(|(number, _)| number);
    Ok(Expected { severity: severity.into(), rule: rule.into(), lines: lines.collect() })
}
