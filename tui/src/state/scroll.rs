//! How far a text is scrolled that is longer than its place on the screen.

/// The place in a text. How long the text and its place are, only drawing knows, and tells by [`Scroll::limit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    /// How many lines are above what is seen.
    pub top: usize,
    /// The most that this can be; 0 if all is seen.
    pub end: usize,
}

impl Scroll {
    /// How many lines are below what is seen.
    pub fn below(self) -> usize {
        self.end - self.top
    }

    /// Scrolls down by so many lines, as far as the text goes.
    pub fn by(&mut self, lines: i64) {
        let lines = isize::try_from(lines).unwrap_or(0);
        self.top = self.top.saturating_add_signed(lines).min(self.end);
    }

    /// Tells how many lines do not fit.
    pub fn limit(&mut self, end: usize) {
        *self = Scroll { top: self.top.min(end), end };
    }
}
