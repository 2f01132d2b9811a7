//! Fits text into a width: breaks it at spaces, or cuts it off.

use ratatui::text::Line;

/// The lines of a text, none wider than `width` but for words that are wider themselves.
pub fn wrap(text: &str, width: u16) -> Vec<String> {
    wrap_words(text.split_whitespace(), width)
}

/// The lines of words that may have spaces in them, such as a number and its unit.
pub fn wrap_words<'a>(words: impl IntoIterator<Item = &'a str>, width: u16) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in words {
        let wider = Line::raw(line.as_str()).width() + 1 + Line::raw(word).width();
        if !line.is_empty() && wider > usize::from(width) {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A text that is cut off at `width`, and says so.
pub fn cut(text: &str, width: u16) -> String {
    let width = usize::from(width);
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).take(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_spaces() {
        assert_eq!(wrap("one two three  four", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("incomprehensibilities are one word", 8), ["incomprehensibilities", "are one", "word"]);
        assert_eq!(wrap_words(["52 ns,", "from 12 µs", "to 13 µs"], 20), ["52 ns, from 12 µs", "to 13 µs"]);
        assert!(wrap(" ", 8).is_empty());
    }

    #[test]
    fn what_is_cut_off_says_so() {
        assert_eq!([cut("Waitall", 7), cut("Waitall", 5), cut("Waitall", 0)], ["Waitall", "Wait…", ""]);
    }
}
