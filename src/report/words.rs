//! Numbers, times and foreign text as people read them.

use std::borrow::Cow;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use crate::web::time::Timestamp;

/// The units of [`bytes`], each a thousand of the one before.
const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// A size in powers of ten, with two or three digits: `999 bytes`, `1.2 kB`, `345 MB`.
pub fn bytes(size: u64) -> String {
    if size < 1000 {
        return counted(size, "byte");
    }
    let mut scaled = size as f64 / 1000.0;
    let mut unit = 0;
    // 999.5 would be shown as 1000.
    while scaled >= 999.5 && unit + 1 < UNITS.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(scaled < 99.95);
    format!("{scaled:.digits$} {}", UNITS[unit])
}

/// A length of time in its two largest units: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 40 min`, `3 d 4 h`. What is smaller
/// is cut off, not rounded.
pub fn duration(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..10 => format!("{seconds}.{} s", length.subsec_millis() / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A number and what it counts, in the plural where that is due: `1 page`, `1,200 pages`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// Foreign text on one line, harmless to a terminal: line ends and tabs become spaces, other control characters and
/// those that turn the direction of text become U+FFFD.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let harmless = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        c if is_harmful(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(harmless).collect()
}

/// [`clean`] line by line: the line ends are ours, the rest may be anybody's.
pub fn lines(text: &str) -> String {
    text.split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

/// JSON that is harmless to a terminal and says the same: what [`clean`] would replace is written as `\u009b`. Below
/// U+0020 JSON has nothing bare, and the rest can only stand in strings.
pub fn json(value: impl std::fmt::Display) -> String {
    let text = value.to_string();
    if !text.contains(is_harmful) {
        return text;
    }
    text.chars().map(|c| if is_harmful(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }).collect()
}

/// A number with its thousands apart: `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A length of time in its largest unit: `5 s`, `3 min`, `2 h`, `4 d`.
pub(super) fn roughly(length: Duration) -> String {
    match length.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// How long ago, roughly: `just now`, `5 min ago`.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    match now.since(then) {
        length if length < Duration::from_secs(60) => "just now".to_owned(),
        length => format!("{} ago", roughly(length)),
    }
}

/// The text itself when it fits into so many columns, else its beginning and `…`.
pub(super) fn clipped(text: &str, columns: usize) -> Cow<'_, str> {
    // A character is at most four bytes, and a text of few bytes is narrow: most cells end here.
    if text.len() <= columns || text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    // The width of a text is not the sum over its characters, so the beginning is measured as a whole. Marks without
    // a width could make it endless; nobody reads more than a few of them on a character.
    for c in text.chars().take(columns * 4) {
        kept.push(c);
        if kept.width() + 1 > columns {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    Cow::Owned(kept)
}

/// C0, C1 and DEL; the separators of lines and paragraphs; the embeddings, overrides and isolates of UAX #9, 2.
fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_powers_of_ten() {
        let check = |size: u64, expected: &str| assert_eq!(bytes(size), expected, "{size}");
        check(0, "0 bytes");
        check(1, "1 byte");
        check(999, "999 bytes");
        check(1000, "1.0 kB");
        check(1250, "1.2 kB");
        check(99_949, "99.9 kB");
        check(99_951, "100 kB");
        check(999_499, "999 kB");
        check(999_500, "1.0 MB");
        check(4_200_000_000, "4.2 GB");
        check(u64::MAX, "18.4 EB");
    }

    #[test]
    fn times_have_two_units() {
        let check = |millis: u64, expected: &str| assert_eq!(duration(Duration::from_millis(millis)), expected);
        check(0, "0.0 s");
        check(9_999, "9.9 s");
        check(59_999, "59 s");
        check(60_000, "1 min 0 s");
        check(3_599_000, "59 min 59 s");
        check(9_600_000, "2 h 40 min");
        check(273_600_000, "3 d 4 h");
    }

    #[test]
    fn how_long_ago_is_one_unit() {
        let check = |seconds: i64, expected: &str| assert_eq!(ago(Timestamp(0), Timestamp(seconds * 1000)), expected);
        check(-5, "just now");
        check(59, "just now");
        check(60, "1 min ago");
        check(7200, "2 h ago");
        check(200_000, "2 d ago");
    }

    #[test]
    fn nouns_follow_their_numbers() {
        let check = |number: u64, expected: &str| assert_eq!(counted(number, "page"), expected);
        check(0, "0 pages");
        check(1, "1 page");
        check(999, "999 pages");
        check(1000, "1,000 pages");
        check(1_234_567, "1,234,567 pages");
    }

    #[test]
    fn no_text_can_steer_a_terminal() {
        let check = |text: &str, expected: &str| assert_eq!(clean(text), expected, "{text:?}");
        check("港口 – plain", "港口 – plain");
        check("a\tb\nc\rd", "a b c d");
        check("\u{1b}[2Jx\u{9b}2J\u{7f}", "�[2Jx�2J�");
        check("\u{202e}gpj.exe\u{2069}", "�gpj.exe�");
        check("one\u{2028}two", "one two");
    }

    #[test]
    fn json_says_the_same_without_steering_a_terminal() {
        let value = serde_json::json!({"中\u{9b}": ["\u{1b}[2J", "\u{202e}x\u{7f}", "é"]});
        let text = json(&value);
        assert!(!text.contains(is_harmful), "{text:?}");
        assert!(text.contains("\\u202e") && text.contains('中'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        let check = |text: &str, columns: usize, expected: &str| {
            assert_eq!(clipped(text, columns), expected);
            assert!(clipped(text, columns).width() <= columns);
        };
        check("harbour", 7, "harbour");
        check("harbour", 6, "harbo…");
        check("海岛观察", 8, "海岛观察");
        check("海岛观察", 7, "海岛观…");
        check("海岛观察", 6, "海岛…");
        check("海岛", 1, "…");
        check(&"a\u{301}".repeat(9), 4, "a\u{301}a\u{301}a\u{301}…");
    }
}
