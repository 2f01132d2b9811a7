//! How numbers are written for people: in reports, in the viewer, by the commands, so that one can be searched for in another.

use std::time::Duration;

/// The number with a comma after each three digits: `12,345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 error`, `2 errors`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// So many nanoseconds, in the unit that suits them: `1.250ms`.
#[must_use]
pub fn duration(nanoseconds: u64) -> String {
    format!("{:.3?}", Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(["0", "999", "1,000", "12,345,678"], [0, 999, 1000, 12_345_678].map(grouped).each_ref().map(|s| &**s));
        assert_eq!((counted(1, "call"), counted(0, "call")), ("1 call".to_owned(), "0 calls".to_owned()));
    }
}
