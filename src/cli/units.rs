//! Durations, sizes and instants as people write them.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, Local, NaiveDate, NaiveTime, TimeDelta, TimeZone};

use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

const DAY: Duration = Duration::from_secs(86_400);

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

/// The same, and not nothing.
pub(super) fn some_size(text: &str) -> Result<u64, String> {
    size(text).and_then(|size| if size > 0 { Ok(size) } else { Err(format!("«{text}» is nothing: at least one byte")) })
}

/// `2026-11-22` is the beginning of that day, `2026-11-22T13:00:00Z` that instant.
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    day(text).or_else(|| Timestamp::from_iso(text)).ok_or_else(|| no_date(text))
}

/// `2026-11-22` is the end of that day, `2026-11-22T13:00:00Z` that instant.
pub(super) fn until(text: &str) -> Result<Timestamp, String> {
    day(text).map(|day| day.after(DAY)).or_else(|| Timestamp::from_iso(text)).ok_or_else(|| no_date(text))
}

/// `2026-11-22` is the beginning of that day, `2026-11-22T13:00:00+08:00` that instant.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    day(text).or_else(|| Timestamp::from_iso(text)).ok_or_else(|| no_date(text))
}

/// An address of the web, as given.
pub(super) fn url(text: &str) -> Result<String, String> {
    WebUrl::parse(text).map(|_| text.to_owned()).map_err(|cause| format!("«{text}» is no address: {cause}"))
}

/// `+08:00`, `-0530`, `Z`.
pub(super) fn zone(text: &str) -> Result<FixedOffset, String> {
    let text = text.trim();
    let is_utc = ["Z", "UTC", "GMT"].iter().any(|name| text.eq_ignore_ascii_case(name));
    let text = if is_utc { "+00:00" } else { text };
    text.parse().map_err(|_| format!("«{text}» is no zone; write +08:00 or Z"))
}

/// `23:30`, on this machine's clock.
pub(super) fn hour(text: &str) -> Result<NaiveTime, String> {
    let wrong = || format!("«{text}» is no time of day; write 06:00 or 23:30");
    let digits = text.split(':').all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()));
    NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| digits).ok_or_else(wrong)
}

/// How long it is until the clock of this machine shows that time next.
pub(super) fn time_until(time: NaiveTime) -> Duration {
    next(&Local::now(), time)
}

/// From an instant to the next one at which its clock shows that time; a time that a day leaves out, when clocks are
/// put forward, is the hour after.
fn next<Z: TimeZone>(now: &DateTime<Z>, time: NaiveTime) -> Duration {
    let today = now.date_naive();
    let days = [Some(today), today.succ_opt(), today.succ_opt().and_then(|day| day.succ_opt())];
    let on = |day: NaiveDate| {
        let local = day.and_time(time);
        let zone = now.timezone();
        let there = |local| zone.from_local_datetime(&local).earliest();
        there(local).or_else(|| there(local + TimeDelta::hours(1)))
    };
    let instants = days.into_iter().flatten().filter_map(on);
    let waits = instants.filter_map(|instant| instant.signed_duration_since(now).to_std().ok());
    waits.filter(|wait| !wait.is_zero()).min().unwrap_or(DAY)
}

fn day(text: &str) -> Option<Timestamp> {
    Timestamp::from_iso(&format!("{}T00:00:00Z", text.trim()))
}

fn no_date(text: &str) -> String {
    format!("«{text}» is no date; write 2026-11-22 or 2026-11-22T13:00:00Z")
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
    fn a_day_has_a_beginning_and_an_end() {
        let at = |text| Timestamp::from_iso(text).ok_or_else(String::new);
        assert_eq!(since("2026-11-22"), at("2026-11-22T00:00:00Z"));
        assert_eq!(until("2026-11-22"), at("2026-11-23T00:00:00Z"));
        assert_eq!(until("2026-11-22T13:00:00+01:00"), at("2026-11-22T12:00:00Z"));
        assert!(since("22.11.2026").is_err());
    }

    #[test]
    fn the_next_time_of_day_is_less_than_a_day_away() {
        let zone = FixedOffset::east_opt(2 * 3600).unwrap();
        let now = zone.with_ymd_and_hms(2026, 11, 22, 23, 30, 0).unwrap();
        for (text, minutes) in [("23:31", 1), ("00:00", 30), ("06:00", 390), ("23:30", 24 * 60), ("23:29", 24 * 60 - 1)]
        {
            assert_eq!(next(&now, hour(text).unwrap()), Duration::from_secs(minutes * 60), "{text}");
        }
        for text in ["24:00", "6:00", "6", "06:00:00", "six", "", "06:60"] {
            assert!(hour(text).is_err(), "{text}");
        }
    }

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
