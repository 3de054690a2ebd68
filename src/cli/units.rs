//! Durations, sizes and instants as people write them.

use std::time::Duration;

use crate::web::time::Timestamp;

/// `500ms`, `30s`, `5m`, `12h`, `7d`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(format!("«{text}» is no duration; write 500ms, 30s, 5m, 12h or 7d")),
    };
    let number: f64 =
        number.parse().map_err(|_| format!("«{text}» is no duration; write 500ms, 30s, 5m, 12h or 7d"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| format!("«{text}» is out of range"))
}

/// `100MB` (10^6), `100MiB` (2^20), `1GB`, …; a bare number is bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("«{text}» is no size; write 500kB, 100MB, 1GB or 64MiB");
    let (number, unit) = split(text);
    let factor: f64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let bytes = number * factor;
    if bytes.is_finite() && (0.0..1e18).contains(&bytes) { Ok(bytes as u64) } else { Err(wrong()) }
}

/// An instant as ISO 8601 writes it; a day means its end.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_iso(text)
        .or_else(|| Timestamp::from_iso(&format!("{text}T23:59:59.999Z")))
        .ok_or_else(|| format!("«{text}» is no instant; write 2026-11-22 or 2026-11-22T13:46:25Z"))
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read() {
        for (text, want) in [("500ms", 500), ("1.5s", 1500), ("2", 2000), ("5m", 300_000), ("1h", 3_600_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(want)), "{text}");
        }
        for (text, want) in [("10", 10), ("2kB", 2000), ("1MB", 1_000_000), ("1MiB", 1 << 20), ("0.5GB", 500_000_000)] {
            assert_eq!(size(text), Ok(want), "{text}");
        }
        for text in ["", "x", "5 parsecs", "-1s", "1e9999s"] {
            assert!(duration(text).is_err(), "{text}");
            assert!(size(text).is_err(), "{text}");
        }
    }
}
