//! The profile for people: tables of at most 80 columns, however many ranks there were.

use std::fmt::Write as _;

use mpitrace::number::{count, duration};
use sim::profile::{Messages, Sum, smallest};
use sim::report::Style;
use traces::Function;

use super::{Part, Subject, matrix, ranks};

/// The rows of a table, unless all are asked for.
const ROWS_MAX: usize = 15;
/// The columns of the longest bar of a histogram.
const BAR: usize = 30;

/// The whole of it, an empty line between parts.
pub fn render(subject: &Subject, style: &Style) -> String {
    let mut out = head(subject);
    for part in &subject.parts {
        out.push('\n');
        out += &match part {
            Part::Function => functions(subject, style),
            Part::Site => sites(subject, style),
            Part::Rank => ranks::render(subject, style),
            Part::Pair => matrix::render(subject, style),
            Part::Size => sizes(subject, style),
        };
    }
    out
}

/// A line of text, which cannot fail to be written.
pub fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// A part of a whole as a percentage.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.1}%", part as f64 / whole as f64 * 100.0) }
}

/// A number of bytes with four digits: `12.34 MB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    let Some((unit, size)) = UNITS.into_iter().find(|(_, size)| bytes >= *size) else { return format!("{bytes} B") };
    let decimals = 3usize.saturating_sub((bytes / size).ilog10() as usize);
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let value = bytes as f64 / size as f64;
    format!("{value:.decimals$} {unit}")
}

/// A bar as long as `part` is of `longest`; never quite nothing for something.
pub fn bar(part: u64, longest: u64) -> String {
    let columns = u128::from(part) * BAR as u128 / u128::from(longest.max(1));
    "#".repeat(usize::try_from(columns).unwrap_or(BAR).max(usize::from(part > 0)))
}

/// Text of at most so many characters, its end kept: there stands the line.
fn fit(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width { text.to_owned() } else { "…".to_owned() + &text.chars().skip(length + 1 - width).collect::<String>() }
}

fn head(subject: &Subject) -> String {
    let (trace, profile) = (subject.trace, &subject.profile);
    let total = profile.total();
    let mut out = String::new();
    let mut row = |head: &str, rest: &str| writeln!(out, "{head:10}{rest}").expect("writing to a string succeeds");
    row("trace", &subject.name);
    let shown = profile.ranks.len() as u64;
    let of = if shown == u64::from(trace.world_size) { String::new() } else { format!(" of {}", count(trace.world_size.into())) };
    row("ranks", &format!("{}{of}", count(shown)));
    row("calls", &format!("{} in {}", count(total.calls), duration(trace.end_ns())));
    let share = |rank: &&sim::profile::RankSum| (rank.share() * 1e6) as u64;
    let extremes = profile.ranks.iter().min_by_key(share).zip(profile.ranks.iter().rev().max_by_key(share));
    if let Some((least, most)) = extremes {
        let of = |rank: &sim::profile::RankSum| format!("{} (rank {})", percent(rank.sum.time_ns, rank.run_ns), rank.rank);
        let mean = percent(total.time_ns, profile.run_ns());
        row("in MPI", &format!("{mean} of the ranks' time: least {}, most {}", of(least), of(most)));
    }
    row(
        "sent",
        &format!(
            "{} in {} messages; {} handed to collectives and windows",
            bytes(total.sent.bytes),
            count(total.sent.count),
            bytes(total.handed_bytes)
        ),
    );
    if total.got_bytes > 0 {
        row("got", &format!("{} out of windows", bytes(total.got_bytes)));
    }
    if total.read_bytes > 0 || total.written_bytes > 0 {
        row("files", &format!("{} read, {} written", bytes(total.read_bytes), bytes(total.written_bytes)));
    }
    if profile.unknown > 0 {
        row("unknown", &format!("the size of {} sends, which count as empty", count(profile.unknown)));
    }
    if profile.without_rank > 0 {
        row("uncounted", &format!("{} calls of threads that never had a rank", count(profile.without_rank)));
    }
    for damage in &trace.damage {
        row("missing", damage);
    }
    out
}

fn functions(subject: &Subject, style: &Style) -> String {
    let (names, digits) = widths(subject.profile.functions.iter().map(|(_, sum)| sum));
    let heads = format!("{:names$}{:>digits$}{:>9}{:>7}", "function", "calls", "time", "share");
    let title = format!("{heads}{:>9}{:>9}{:>6}{:>9}", "mean", "longest", "rank", "bytes");
    let all_ns = subject.profile.run_ns();
    let row = |(function, sum): &(Function, Sum)| {
        let (calls, time, share) = (count(sum.calls), duration(sum.time_ns), percent(sum.time_ns, all_ns));
        let (mean, longest, rank) = (duration(sum.time_ns / sum.calls.max(1)), duration(sum.max_ns), sum.max_rank);
        let row = format!("{:names$}{calls:>digits$}{time:>9}{share:>7}{mean:>9}{longest:>9}", name(function.name(), names));
        format!("{row}{rank:>6}{:>9}", bytes_or_dash(sum.bytes()))
    };
    table(style, &title, subject.profile.functions.iter().map(row), subject.all)
}

fn sites(subject: &Subject, style: &Style) -> String {
    let sites = super::by_line(&subject.sites);
    let (names, digits) = widths(sites.iter().map(|(_, _, sum)| sum));
    let heads = format!("{:24}{:names$}{:>digits$}", "call site", "function", "calls");
    let title = format!("{heads}{:>9}{:>7}{:>9}", "time", "share", "bytes");
    let all_ns = subject.profile.run_ns();
    let row = |(site, called, sum): &(String, String, Sum)| {
        let (site, name) = (fit(site, 23), name(called, names));
        let (calls, time, share) = (count(sum.calls), duration(sum.time_ns), percent(sum.time_ns, all_ns));
        format!("{site:24}{name:names$}{calls:>digits$}{time:>9}{share:>7}{:>9}", bytes_or_dash(sum.bytes()))
    };
    let mut out = table(style, &title, sites.iter().map(row), subject.all);
    for reason in &subject.reasons {
        line(&mut out, reason);
    }
    out
}

/// The columns of the names of functions and of the numbers of calls, which share what the others leave.
fn widths<'a>(sums: impl Iterator<Item = &'a Sum>) -> (usize, usize) {
    let digits = sums.map(|sum| count(sum.calls).len() + 1).max().unwrap_or(0).clamp(6, 14);
    (31 - digits, digits)
}

/// The name of a function in so many columns, of which its end needs the last but one.
fn name(name: &str, width: usize) -> String {
    if name.len() < width { name.to_owned() } else { name.chars().take(width - 2).collect::<String>() + "…" }
}

/// Most calls send nothing: then a number would only be in the way.
fn bytes_or_dash(number: u64) -> String {
    if number == 0 { "-".to_owned() } else { bytes(number) }
}

/// A title and the first rows, with what is left out said.
pub fn table(style: &Style, title: &str, rows: impl ExactSizeIterator<Item = String>, all: bool) -> String {
    let mut out = String::new();
    line(&mut out, &style.title(title));
    let left_out = if all { 0 } else { rows.len().saturating_sub(ROWS_MAX) };
    let shown = rows.len() - left_out;
    for row in rows.take(shown) {
        line(&mut out, &row);
    }
    if left_out > 0 {
        line(&mut out, &format!("and {} more: --all shows them", count(left_out as u64)));
    }
    out
}

fn sizes(subject: &Subject, style: &Style) -> String {
    let sizes = &subject.profile.sizes;
    let used = |sent: &Messages| sent.count > 0;
    let (Some(first), Some(last)) = (sizes.iter().position(used), sizes.iter().rposition(used)) else {
        return format!("{}\nno point-to-point messages\n", style.title("size of messages"));
    };
    let longest = sizes.iter().map(|sent| sent.count).max().unwrap_or(0);
    let mut out = String::new();
    line(&mut out, &style.title(&format!("{:22}{:>12}{:>12}", "size of messages", "messages", "bytes")));
    for (at, sent) in sizes.iter().enumerate().take(last + 1).skip(first) {
        let range = match at {
            0 => "empty".to_owned(),
            1 => "1".to_owned(),
            _ => format!("{} to {}", size(smallest(at)), size(smallest(at).saturating_mul(2) - 1)),
        };
        let row = format!("{range:22}{:>12}{:>12} {}", count(sent.count), bytes(sent.bytes), bar(sent.count, longest));
        line(&mut out, &row);
    }
    out
}

/// A power of two, or the number before one, in as few digits as there are.
fn size(bytes: u64) -> String {
    let up = bytes.saturating_add(bytes % 2);
    let units = [("Gi", 30), ("Mi", 20), ("Ki", 10)];
    match units.into_iter().find(|(_, shift)| up >> shift > 0) {
        Some((unit, shift)) if up == bytes => format!("{} {unit}B", bytes >> shift),
        Some((unit, shift)) => format!("<{} {unit}B", up >> shift),
        None => format!("{bytes} B"),
    }
}
