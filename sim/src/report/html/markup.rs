//! Text as HTML: escaped, and with the colours of a terminal as classes.

/// The text with nothing in it that HTML would take for its own.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A text report with its ANSI colours, each piece in a span whose class is `c` and the code.
pub(super) fn colored(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let mut out = escaped(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (code, text) = piece.split_once('m').unwrap_or(("0", piece));
        let text = escaped(text);
        out += &match code.rsplit(';').next() {
            Some("0") | None => text,
            Some(color) => format!("<span class=\"c{color}\">{text}</span>"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_nothing_is_taken_for_html() {
        let text = "a<b> \x1b[1;31merror\x1b[0m \"&\" \x1b[1mtitle\x1b[0m";
        assert_eq!(
            colored(text),
            "a&lt;b&gt; <span class=\"c31\">error</span> &quot;&amp;&quot; <span class=\"c1\">title</span>"
        );
    }
}
