//! `mpitrace stat`: the profile of a recorded run.
//!
//! The sums are `sim::profile`'s; here they become text that can be read on 4 and on 4,096 ranks (`text`), or JSON (`json`).

mod json;
mod matrix;
mod ranks;
mod text;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ColorChoice, ValueEnum};
use mpitrace::{exit, opening, terminal};
use sim::profile::{Profile, Sum, profile};
use traces::symbols::{Location, Resolver, Stack};
use traces::{Frame, Function, Trace};

const EXAMPLES: &str = "\
Examples:
  mpitrace stat                                 the profile of trace.msgpack of this directory
  mpitrace stat trace.msgpack.parts             that of a run that was killed, or is still under way
  mpitrace stat --by site --all                 every call site, the one that took most time first
  mpitrace stat --by rank --by pair --ranks 0-3,8
  mpitrace stat --format json | jq '.functions[0]'

What is counted:
  time in MPI     from the call of a function to its return, of each thread
  time computing  the rest of the time from a thread's first call to its last
  messages        point-to-point messages, where they are sent and with the length that was sent, whether they were received or not
  bytes           those of messages, what a rank hands to collectives (its send buffer, once), what it puts into windows and gets out of
                  them, and what it reads and writes of files (what it asks for: at the end of a file there may be less)

Fields of the JSON (schema 1), times in ns:
  schema, trace, world_size, calls, duration_ns, run_ns, time_ns, unknown_sizes, damage
  functions[]     function, calls, time_ns, max_ns, max_rank, messages, message_bytes, handed_bytes,
                  got_bytes, read_bytes, written_bytes
  sites[]         site, method (of a binding such as mpi4py), stack[], and the fields of functions[]: one for each way that leads there
  ranks[]         rank, run_ns, computing_ns, received_messages, received_bytes, calls, time_ns, max_ns, messages, message_bytes,
                  handed_bytes, got_bytes, read_bytes, written_bytes
  pairs[]         source, destination, messages, bytes
  sizes[]         from, below, messages, bytes

Exit codes:
  0  done
  2  the command line makes no sense
  3  the trace cannot be read";

/// Say where the time of a run went, and who sent how much to whom
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The trace, or the directory of segments of a run that has not ended; trace.msgpack if nothing is said
    trace: Option<PathBuf>,
    /// Show this part only; may be repeated
    #[arg(long, value_name = "PART")]
    by: Vec<Part>,
    /// Show every row, not only those that come first
    #[arg(long)]
    all: bool,
    /// Of these ranks only, such as 0-3,8
    #[arg(long, value_name = "RANKS", value_parser = rank_ranges)]
    ranks: Option<Ranges>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Whether to colour the text
    #[arg(long, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

/// A part of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What each function took
    Function,
    /// What each line took
    Site,
    /// What each rank did
    Rank,
    /// Who sent to whom
    Pair,
    /// How long messages were
    Size,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// First and last rank of each range.
#[derive(Clone, Debug)]
struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    fn contains(&self, rank: u32) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&rank))
    }
}

fn rank_ranges(text: &str) -> Result<Ranges, String> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last).then_some((first, last))
    };
    let ranges: Option<Vec<(u32, u32)>> = text.split(',').map(range).collect();
    ranges.map(Ranges).ok_or_else(|| format!("{text} are no ranks such as 0-3,8"))
}

/// A profile with what a reader wants to know of the trace beside.
struct Subject<'a> {
    name: String,
    trace: &'a Trace,
    profile: Profile,
    /// The call sites with their functions, each with all that led there, the one that took most time first.
    sites: Vec<Site<'a>>,
    /// Why some of them have no line.
    reasons: BTreeSet<String>,
    parts: Vec<Part>,
    all: bool,
}

impl<'a> Subject<'a> {
    fn new(name: String, trace: &'a Trace, profile: Profile, arguments: &Arguments, locate: Locate) -> Subject<'a> {
        let parts = if arguments.by.is_empty() { Part::value_variants() } else { &arguments.by }.to_vec();
        let mut sites = Vec::new();
        let mut reasons = BTreeSet::new();
        if parts.contains(&Part::Site) {
            sites = located(trace, &profile, locate, &mut reasons);
        }
        Subject { name, trace, profile, sites, reasons, parts, all: arguments.all }
    }
}

/// A call site.
struct Site<'a> {
    /// The line as it is shown.
    line: String,
    function: Function,
    /// The method of a binding that calls the function there.
    method: Option<&'a str>,
    /// The functions that led there, the innermost first.
    stack: Vec<String>,
    sum: Sum,
}

impl Site<'_> {
    /// What is called, in the words of the program.
    fn name(&self) -> &str {
        self.method.unwrap_or_else(|| self.function.name())
    }
}

/// Says where a call site is, and what led there.
type Locate<'a> = &'a dyn Fn(Frame) -> Stack;

/// The call sites with their lines. Why there is no line goes into `reasons`, once for all that have none.
fn located<'a>(trace: &'a Trace, profile: &Profile, locate: Locate, reasons: &mut BTreeSet<String>) -> Vec<Site<'a>> {
    let site = |&((frame, function), sum): &((Option<Frame>, Function), Sum)| {
        let stack = frame.map(locate);
        Site {
            line: stack.as_ref().map_or_else(|| "?".to_owned(), |stack| shown(stack.line(), reasons)),
            function,
            method: frame.and_then(|frame| trace.site(frame.site).method.as_deref()),
            stack: stack.map_or_else(Vec::new, |stack| stack.frames.iter().map(Location::in_words).collect()),
            sum,
        }
    };
    profile.sites.iter().map(site).collect()
}

/// Call sites by their line and what is called there: a line may have several addresses, and many ways may lead there.
fn by_line(sites: &[Site]) -> Vec<(String, String, Sum)> {
    let mut lines: HashMap<(&str, &str), Sum> = HashMap::new();
    for site in sites {
        lines.entry((&site.line, site.name())).or_default().add(&site.sum);
    }
    let mut lines: Vec<_> = lines.into_iter().map(|((line, name), sum)| (line.to_owned(), name.to_owned(), sum)).collect();
    lines.sort_by(|a, b| (b.2.time_ns, &a.0, &a.1).cmp(&(a.2.time_ns, &b.0, &b.1)));
    lines
}

fn shown(location: &Location, reasons: &mut BTreeSet<String>) -> String {
    let text = location.to_string();
    match (&location.file, text.split_once(" (")) {
        (None, Some((place, reason))) => {
            let object = place.split('+').next().unwrap_or(place);
            reasons.insert(format!("no lines of {object}: {}", reason.trim_end_matches(')')));
            place.to_owned()
        }
        _ => text,
    }
}

/// Prints it.
pub fn run(arguments: &Arguments) -> ExitCode {
    let (path, trace) = match opening::open(arguments.trace.as_deref()) {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("mpitrace: {error}");
            return ExitCode::from(exit::UNREADABLE);
        }
    };
    let profile = profile(&trace, |rank| arguments.ranks.as_ref().is_none_or(|ranges| ranges.contains(rank)));
    if profile.ranks.is_empty() && arguments.ranks.is_some() {
        eprintln!("mpitrace: {}: nothing was recorded of these ranks. mpitrace info says of which", path.display());
        return ExitCode::from(exit::USAGE);
    }
    let resolver = Resolver::new(&trace);
    let locate = |frame| resolver.stack(frame);
    let subject = Subject::new(path.display().to_string(), &trace, profile, arguments, &locate);
    let out = match arguments.format {
        Format::Text => text::render(&subject, &terminal::style(arguments.color, false)),
        Format::Json => json::render(&subject),
    };
    match terminal::write(&out, None) {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            eprintln!("mpitrace: standard output: {error}");
            ExitCode::from(exit::USAGE)
        }
    }
}
