//! Who sends to whom: a matrix of the ranks, or of at most 16 blocks of them, and the pairs that send most.

use std::collections::BTreeSet;

use mpitrace::number::count;
use sim::profile::Messages;
use sim::report::Style;

use super::Subject;
use super::ranks::FEW;
use super::text::{bytes, line, table};

/// The columns of a line.
const WIDTH: usize = 80;
/// A cell need not be wider.
const CELL_MAX: usize = 12;
/// The pairs that are named.
const PAIRS_MAX: usize = 10;

/// The ranks of a row or column: first and last.
type Block = (u32, u32);

/// The part by pair.
pub fn render(subject: &Subject, style: &Style) -> String {
    let pairs = &subject.profile.pairs;
    if pairs.is_empty() {
        return format!("{}\nno point-to-point messages\n", style.title("who sends to whom"));
    }
    let mut ranks: BTreeSet<u32> = subject.profile.ranks.iter().map(|rank| rank.rank).collect();
    ranks.extend(pairs.iter().map(|((_, to), _)| *to));
    let blocks = blocks(&ranks.into_iter().collect::<Vec<u32>>());
    let mut out = String::new();
    out += &matrix(pairs, &blocks, "bytes from (down) to (across)", |sent| sent.bytes, style);
    out.push('\n');
    out += &matrix(pairs, &blocks, "messages from (down) to (across)", |sent| sent.count, style);
    out.push('\n');
    out + &heaviest(subject, style)
}

/// The ranks, one a block if they are few, else in blocks of one size.
fn blocks(ranks: &[u32]) -> Vec<Block> {
    let size = ranks.len().div_ceil(FEW).max(1);
    ranks.chunks(size).map(|block| (block[0], block[block.len() - 1])).collect()
}

fn block_of(blocks: &[Block], rank: u32) -> usize {
    blocks.partition_point(|(_, last)| *last < rank)
}

fn matrix(pairs: &[((u32, u32), Messages)], blocks: &[Block], title: &str, of: fn(&Messages) -> u64, style: &Style) -> String {
    let mut cells = vec![0u64; blocks.len() * blocks.len()];
    for ((from, to), sent) in pairs {
        cells[block_of(blocks, *from) * blocks.len() + block_of(blocks, *to)] += of(sent);
    }
    // The number of a block of ranks is longer than a column: columns have letters.
    let is_binned = blocks.iter().any(|(first, last)| first != last) || blocks.iter().any(|(first, _)| *first > 999);
    let letter = |at: usize| char::from(b'A' + u8::try_from(at).unwrap_or(0)).to_string();
    let head = |at: usize| if is_binned { letter(at) } else { blocks[at].0.to_string() };
    let label = |at: usize| match blocks[at] {
        (first, last) if first == last && is_binned => format!("{} {first}", letter(at)),
        (first, last) if is_binned => format!("{} {first}-{last}", letter(at)),
        (first, _) => first.to_string(),
    };
    let label_width = (0..blocks.len()).map(|at| label(at).len()).max().unwrap_or(0).max(4);
    let width = (WIDTH.saturating_sub(label_width) / blocks.len()).clamp(4, CELL_MAX);
    let mut out = String::new();
    line(&mut out, &style.title(title));
    let heads: String = (0..blocks.len()).map(|at| format!("{:>width$}", head(at))).collect();
    line(&mut out, &style.title(&format!("{:label_width$}{heads}", "")));
    for from in 0..blocks.len() {
        let row = &cells[from * blocks.len()..(from + 1) * blocks.len()];
        let row: String = row.iter().map(|n| format!("{:>width$}", cell(*n, width - 1))).collect();
        line(&mut out, &format!("{:label_width$}{row}", label(from)));
    }
    out
}

/// A number in so many columns, at least three: exact if it fits, else in thousands, millions and so on. Nothing is a dot.
pub fn cell(number: u64, width: usize) -> String {
    if number == 0 {
        return ".".to_owned();
    }
    let exact = count(number);
    if exact.len() <= width {
        return exact;
    }
    let mut size = 1u64;
    for unit in ["k", "M", "G", "T", "P", "E"] {
        size = size.saturating_mul(1000);
        #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
        let value = number as f64 / size as f64;
        let candidates =
            [format!("{value:.1}{unit}"), format!("{value:.0}{unit}"), format!("{value:.1}{unit}").replace("0.", ".")];
        let fits = |text: &&String| text.len() <= width && !text.starts_with("0") && !text.starts_with(".0") && value < 999.5;
        if let Some(text) = candidates.iter().find(fits) {
            return text.clone();
        }
    }
    "!".to_owned()
}

fn heaviest(subject: &Subject, style: &Style) -> String {
    let mut pairs = subject.profile.pairs.clone();
    pairs.sort_by_key(|(pair, sent)| (std::cmp::Reverse((sent.bytes, sent.count)), *pair));
    let left_out = if subject.all { 0 } else { pairs.len().saturating_sub(PAIRS_MAX) };
    pairs.truncate(pairs.len() - left_out);
    let title = format!("{:24}{:>12}{:>12}{:>12}", "heaviest pairs", "messages", "bytes", "each");
    let row = |((from, to), sent): &((u32, u32), Messages)| {
        let each = bytes(sent.bytes / sent.count.max(1));
        format!("{:24}{:>12}{:>12}{each:>12}", format!("rank {from} to {to}"), count(sent.count), bytes(sent.bytes))
    };
    let mut out = table(style, &title, pairs.iter().map(row), true);
    if left_out > 0 {
        line(&mut out, &format!("and {} more: --all shows them", count(left_out as u64)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_exact_where_there_is_room() {
        let narrow = [0, 999, 1000, 99_499, 500_000, 1_000_000, 123_456_789, 44_000_000_000].map(|n| cell(n, 3));
        assert_eq!(narrow, [".", "999", "1k", "99k", ".5M", "1M", ".1G", "44G"]);
        assert_eq!([1_234_567, 12_345_678].map(|n| cell(n, 9)), ["1,234,567", "12.3M"]);
        assert!((0..64).all(|bits| cell(1 << bits, 3).len() <= 3));
    }

    #[test]
    fn many_ranks_share_sixteen_blocks() {
        let ranks: Vec<u32> = (0..4096).collect();
        let blocks = blocks(&ranks);
        assert_eq!((blocks.len(), blocks[0], blocks[15]), (16, (0, 255), (3840, 4095)));
        assert_eq!([0, 255, 256, 4095].map(|rank| block_of(&blocks, rank)), [0, 0, 1, 15]);
    }
}
