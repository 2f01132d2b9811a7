//! The stretch of time that is on the screen: zoom, pan, and the way between times and columns.
//!
//! It is a number of nanoseconds and not of columns, so that a resize changes how finely it is drawn and not what is seen.

/// The shortest stretch that can be looked at: a few of the quickest calls.
pub const SPAN_MIN_NS: u64 = 200;

/// A stretch of time within a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Where it begins.
    pub start_ns: u64,
    /// How long it is.
    pub span_ns: u64,
    /// How long the whole trace is.
    pub extent_ns: u64,
}

impl Window {
    /// All of a trace of this length.
    pub fn whole(extent_ns: u64) -> Window {
        let extent_ns = extent_ns.max(SPAN_MIN_NS);
        Window { start_ns: 0, span_ns: extent_ns, extent_ns }
    }

    /// Where it ends.
    pub fn end_ns(&self) -> u64 {
        self.start_ns + self.span_ns
    }

    /// Whether a time lies in it.
    pub fn contains(&self, time_ns: u64) -> bool {
        (self.start_ns..self.end_ns()).contains(&time_ns)
    }

    /// The time at the left edge of a column, of so many.
    pub fn time_at(&self, column: u16, columns: u16) -> u64 {
        let offset = u128::from(self.span_ns) * u128::from(column) / u128::from(columns.max(1));
        self.start_ns + u64::try_from(offset).expect("columns lie within the span, which is a u64")
    }

    /// The column that a time falls into, of so many; negative or too large where it is not on the screen.
    pub fn column_of(&self, time_ns: u64, columns: u16) -> i64 {
        let offset = i128::from(time_ns) - i128::from(self.start_ns);
        let column = (offset * i128::from(columns)).div_euclid(i128::from(self.span_ns));
        i64::try_from(column).unwrap_or(if offset < 0 { i64::MIN } else { i64::MAX })
    }

    /// Makes it `numerator / denominator` times as long, and keeps `around_ns` at its place.
    pub fn zoom(&mut self, around_ns: u64, numerator: u64, denominator: u64) {
        let around_ns = around_ns.clamp(self.start_ns, self.end_ns());
        let scaled = u128::from(self.span_ns) * u128::from(numerator) / u128::from(denominator);
        let span_ns = u64::try_from(scaled).unwrap_or(u64::MAX).clamp(SPAN_MIN_NS, self.extent_ns);
        let left = u128::from(around_ns - self.start_ns) * u128::from(span_ns) / u128::from(self.span_ns);
        self.span_ns = span_ns;
        self.move_to(around_ns.saturating_sub(u64::try_from(left).unwrap_or(u64::MAX)));
    }

    /// Moves it by so many ns, as far as the trace goes.
    pub fn pan(&mut self, by_ns: i64) {
        self.move_to(self.start_ns.saturating_add_signed(by_ns));
    }

    /// Moves it so that a time is in its middle, as far as the trace goes.
    pub fn centre(&mut self, time_ns: u64) {
        self.move_to(time_ns.saturating_sub(self.span_ns / 2));
    }

    /// Shows this stretch, with some air on both sides.
    pub fn frame(&mut self, start_ns: u64, end_ns: u64) {
        let span_ns = end_ns.saturating_sub(start_ns);
        self.span_ns = span_ns.saturating_add(span_ns / 2).clamp(SPAN_MIN_NS, self.extent_ns);
        self.centre(start_ns + span_ns / 2);
    }

    fn move_to(&mut self, start_ns: u64) {
        self.start_ns = start_ns.min(self.extent_ns - self.span_ns);
    }
}
