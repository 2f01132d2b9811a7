//! What each rank did: a line a rank for a few, for many how they are spread, and which stand out.

use mpitrace::number::{count, duration};
use sim::profile::RankSum;
use sim::report::{Style, ranks};

use super::Subject;
use super::matrix::cell;
use super::text::{bar, bytes, line, percent};

/// So many ranks have a line each.
pub const FEW: usize = 16;
/// More ranks that stand out are counted only.
const OUTLIERS_MAX: usize = 32;

/// The part by rank.
pub fn render(subject: &Subject, style: &Style) -> String {
    let list = &subject.profile.ranks;
    if list.len() <= FEW || subject.all { each(list, style) } else { spread(list, style) }
}

fn each(list: &[RankSum], style: &Style) -> String {
    let mut out = String::new();
    let heads = format!("{:5}{:>9}{:>7}{:>10}{:>11}", "rank", "in MPI", "share", "computing", "calls");
    line(&mut out, &style.title(&format!("{heads}{:>10}{:>9}{:>10}{:>9}", "sent", "bytes", "received", "bytes")));
    for rank in list {
        let sum = &rank.sum;
        let times = (duration(sum.time_ns), percent(sum.time_ns, rank.run_ns), duration(rank.computing_ns()));
        let (sent, received) = (cell(sum.sent.count, 9), cell(rank.received.count, 9));
        let row = format!("{:<5}{:>9}{:>7}{:>10}{:>11}", rank.rank, times.0, times.1, times.2, cell(sum.calls, 10));
        let (sent_bytes, received_bytes) = (bytes(sum.sent.bytes), bytes(rank.received.bytes));
        line(&mut out, &format!("{row}{sent:>10}{sent_bytes:>9}{received:>10}{received_bytes:>9}"));
    }
    out
}

/// A number for the columns of the table of many ranks.
fn short(number: u64) -> String {
    cell(number, 8)
}

/// A property of a rank, and how it is written.
type Property = (&'static str, fn(&RankSum) -> u64, fn(u64) -> String);

const PROPERTIES: [Property; 8] = [
    ("time in MPI", |r| r.sum.time_ns, duration),
    ("share in MPI", permille, |p| percent(p, 1000)),
    ("time computing", RankSum::computing_ns, duration),
    ("calls", |r| r.sum.calls, short),
    ("messages sent", |r| r.sum.sent.count, short),
    ("bytes sent", |r| r.sum.sent.bytes, bytes),
    ("messages received", |r| r.received.count, short),
    ("bytes received", |r| r.received.bytes, bytes),
];

/// The share of its time that a rank is in MPI, in thousandths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is neither negative nor large")]
fn permille(rank: &RankSum) -> u64 {
    (rank.share() * 1000.0).round() as u64
}

fn spread(list: &[RankSum], style: &Style) -> String {
    let mut out = String::new();
    let heads = format!("{:18}{:>10}{:>7}", "of all ranks", "least", "rank");
    line(
        &mut out,
        &style.title(&format!("{heads}{:>10}{:>10}{:>10}{:>9}{:>6}", "a tenth", "median", "9 tenths", "most", "rank")),
    );
    for (name, of, shown) in PROPERTIES {
        let mut sorted: Vec<(u64, u32)> = list.iter().map(|rank| (of(rank), rank.rank)).collect();
        sorted.sort_unstable();
        let at = |tenths: usize| sorted[(sorted.len() - 1) * tenths / 10];
        let [tenth, median, nine] = [1, 5, 9].map(|tenths| shown(at(tenths).0));
        let (least, most) = (at(0), at(10));
        let row = format!("{name:18}{:>10}{:>7}{tenth:>10}{median:>10}{nine:>10}", shown(least.0), least.1);
        line(&mut out, &format!("{row}{:>9}{:>6}", shown(most.0), most.1));
    }
    out.push('\n');
    line(&mut out, &style.title(&format!("{:18}{:>10}", "share in MPI", "ranks")));
    let mut bins = [0u64; 10];
    for rank in list {
        bins[usize::try_from(permille(rank) / 100).unwrap_or(9).min(9)] += 1;
    }
    let longest = bins.iter().copied().max().unwrap_or(0);
    for (at, ranks) in bins.into_iter().enumerate().filter(|(_, ranks)| *ranks > 0) {
        line(&mut out, &format!("{:18}{:>10} {}", format!("{}-{}%", at * 10, at * 10 + 10), count(ranks), bar(ranks, longest)));
    }
    line(&mut out, &outliers(list));
    line(&mut out, "--all shows a line a rank, --ranks 0-15 some of them");
    out
}

/// The ranks of which the share is far from what the middle half has: by more than one and a half times its width, as box plots do, and by 2 %.
fn outliers(list: &[RankSum]) -> String {
    let mut shares: Vec<u64> = list.iter().map(permille).collect();
    shares.sort_unstable();
    let [low, high] = [1, 3].map(|quarters| shares[(shares.len() - 1) * quarters / 4]);
    let reach = ((high - low) * 3 / 2).max(20);
    let named = |what: &str, stands_out: &dyn Fn(u64) -> bool| {
        let found: Vec<u32> = list.iter().filter(|rank| stands_out(permille(rank))).map(|rank| rank.rank).collect();
        match found.len() {
            0 => None,
            n if n > OUTLIERS_MAX => Some(format!("{} ranks {what}", count(n as u64))),
            _ => Some(format!("{} {what}", ranks::list(&found))),
        }
    };
    let more = named("far more in MPI", &|share| share > high + reach);
    let less = named("far less in MPI", &|share| share + reach < low);
    let found: Vec<String> = [more, less].into_iter().flatten().collect();
    if found.is_empty() { "no rank stands out".to_owned() } else { format!("standing out: {}", found.join("; ")) }
}
