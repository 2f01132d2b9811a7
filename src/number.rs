//! How the commands write numbers for people: as the reports and the viewer do, so that one can be searched for in another.

pub use sim::report::numbers::grouped as count;

/// The units of time, with how many ns each has.
const UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1000), ("ns", 1)];

/// A duration with four digits: `12.34 ms`.
#[must_use]
pub fn duration(ns: u64) -> String {
    let Some((unit, size)) = UNITS.into_iter().find(|(_, size)| ns >= *size) else { return "0 ns".to_owned() };
    let decimals = if size == 1 { 0 } else { 3usize.saturating_sub((ns / size).ilog10() as usize) };
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let value = ns as f64 / size as f64;
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart_and_durations_have_four_digits() {
        assert_eq!([999, 1000, 1_234_567].map(count), ["999", "1,000", "1,234,567"]);
        let durations = [0, 7, 1_680, 12_344, 123_456, 58_200_000_000, 3_600_000_000_000].map(duration);
        assert_eq!(durations, ["0 ns", "7 ns", "1.680 µs", "12.34 µs", "123.5 µs", "58.20 s", "3600 s"]);
    }
}
