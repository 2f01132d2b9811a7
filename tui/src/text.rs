//! How numbers are written: times, durations, counts. For people, so rounded; nothing here is parsed again.

pub use sim::report::numbers::{counted as plural, grouped as count};

/// The units of time, with how many decimal digits of a nanosecond each is.
const UNITS: [(&str, u32); 4] = [("s", 9), ("ms", 6), ("µs", 3), ("ns", 0)];

/// A duration with four digits: `12.34 ms`.
pub fn duration(ns: u64) -> String {
    let Some((unit, digits)) = UNITS.into_iter().find(|(_, digits)| ns >= 10u64.pow(*digits)) else {
        return "0 ns".to_owned();
    };
    let whole_digits = ns.ilog10() + 1 - digits;
    moment_in(ns, unit, digits, 4u32.saturating_sub(whole_digits).min(digits))
}

/// A point in time, in the largest unit that `largest_ns` has, as fine as steps of `step_ns` need: `1.250 ms`.
pub fn moment(ns: u64, largest_ns: u64, step_ns: u64) -> String {
    let (unit, digits) = UNITS.into_iter().find(|(_, digits)| largest_ns >= 10u64.pow(*digits)).unwrap_or(("ns", 0));
    let decimals = digits.saturating_sub(step_ns.max(1).ilog10());
    moment_in(ns, unit, digits, decimals)
}

fn moment_in(ns: u64, unit: &str, digits: u32, decimals: u32) -> String {
    let step = 10u64.pow(digits - decimals);
    let rounded = ns.saturating_add(step / 2) / step;
    let scale = 10u64.pow(decimals);
    match decimals {
        0 => format!("{rounded} {unit}"),
        _ => format!("{}.{:0width$} {unit}", rounded / scale, rounded % scale, width = decimals as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_four_digits() {
        let expected = [
            (0, "0 ns"),
            (7, "7 ns"),
            (999, "999 ns"),
            (1_680, "1.680 µs"),
            (12_344, "12.34 µs"),
            (123_456, "123.5 µs"),
            (1_000_000, "1.000 ms"),
            (58_200_000_000, "58.20 s"),
            (3_600_000_000_000, "3600 s"),
        ];
        for (ns, text) in expected {
            assert_eq!(duration(ns), text);
        }
    }

    #[test]
    fn moments_are_as_fine_as_their_steps() {
        assert_eq!(moment(1_200_000, 5_000_000, 200_000), "1.2 ms");
        assert_eq!(moment(1_250_000, 5_000_000_000, 10_000_000), "0.00 s");
        assert_eq!(moment(3_000, 900_000, 100_000), "3 µs");
        assert_eq!(moment(40, 300, 20), "40 ns");
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!(plural(1, "rank"), "1 rank");
        assert_eq!(plural(1_234_567, "call"), "1,234,567 calls");
    }
}
