//! Takes away from a finished screen what a terminal or its user does not want: colours, or all but ASCII.
//!
//! Cell by cell and at the end, so that no view has to know.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

/// Takes away all colours. What had a background is reversed instead, but what is reversed already: that is underlined.
pub fn without_colors(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.modifier.contains(Modifier::REVERSED) {
            cell.modifier.remove(Modifier::REVERSED);
            cell.modifier.insert(Modifier::UNDERLINED);
        } else if cell.bg != Color::Reset {
            cell.modifier.insert(Modifier::REVERSED);
        }
        cell.fg = Color::Reset;
        cell.bg = Color::Reset;
    }
}

/// Puts an ASCII character in the place of every other one.
pub fn in_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let character = cell.symbol().chars().next().map_or(' ', ascii);
            cell.set_char(character);
        }
    }
}

/// The nearest ASCII character.
fn ascii(character: char) -> char {
    match character {
        '─' | '—' | '–' | '−' => '-',
        '━' => '=',
        '│' | '▏' => '|',
        '┃' => '#',
        '┬' | '╭' | '╮' | '╰' | '╯' => '+',
        '›' | '▶' | '→' => '>',
        '‹' | '◀' | '←' => '<',
        '▼' | '↓' => 'v',
        '▲' | '↑' => '^',
        '·' | '…' | '▁' => '.',
        '•' | '°' => 'o',
        '═' | '≡' => '=',
        '×' | '✗' => 'x',
        '✓' => '*',
        '╱' => '/',
        'µ' => 'u',
        '▂' | '▃' => '_',
        '▄' | '▅' => '=',
        '▆' | '▇' | '█' => '#',
        '\u{2801}'..='\u{28ff}' => line(character),
        _ => '?',
    }
}

/// The character that leans like the dots of a Braille letter.
fn line(letter: char) -> char {
    let bits = u32::from(letter) - 0x2800;
    let column = |dots: [u32; 4]| dots.into_iter().enumerate().filter(move |(_, dot)| bits & dot != 0).map(|(row, _)| row);
    let left: Vec<usize> = column([0x01, 0x02, 0x04, 0x40]).collect();
    let right: Vec<usize> = column([0x08, 0x10, 0x20, 0x80]).collect();
    // Compares the mean rows without dividing.
    let (left_sum, right_sum): (usize, usize) = (left.iter().sum(), right.iter().sum());
    match (left_sum * right.len()).cmp(&(right_sum * left.len())) {
        _ if left.is_empty() || right.is_empty() => '|',
        std::cmp::Ordering::Less => '\\',
        std::cmp::Ordering::Greater => '/',
        std::cmp::Ordering::Equal if left.len() > 2 => '|',
        std::cmp::Ordering::Equal => '-',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_lean_as_lines_do() {
        assert_eq!("⡇⢸⠒⠤⠑⢄⡠⠊⣿".chars().map(ascii).collect::<String>(), "||--\\\\//|");
    }
}
