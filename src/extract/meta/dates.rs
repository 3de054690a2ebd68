//! Dates as people and machines write them, and which of a page's dates to believe.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use regex::{Captures, Regex};

use crate::extract::meta::months::named;
use crate::extract::meta::order::Order;
use crate::extract::{Date, Precision};
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

/// How a conflict with the name of a picture begins.
pub const BEFORE_PICTURE: &str = "earlier than its";

/// A date read from a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The instant, when zone and time are known.
    pub utc: Option<Timestamp>,
    /// As claimed, without zone.
    pub local: NaiveDateTime,
    pub precision: Precision,
    /// Where in the text, in bytes of its [`plain`] form, the date begins.
    pub at: usize,
}

/// The zone that texts in a language leave out because all their readers live in it. China, Taiwan, Hong Kong and
/// Singapore share one, Japan and Korea another; other languages are read in too many zones to guess.
pub fn zone_of(language: Option<&str>) -> Option<FixedOffset> {
    let hours = match language?.get(..2)? {
        "zh" => 8,
        "ja" | "ko" => 9,
        _ => return None,
    };
    FixedOffset::east_opt(hours * 3600)
}

/// Full-width digits, colons and spaces as their common forms.
pub fn plain(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    };
    let text: String = text.chars().map(narrow).collect();
    if !text.contains("Uhr") {
        return text;
    }
    // German times: `14.05 Uhr`.
    static HOUR: LazyLock<Regex> = LazyLock::new(|| form(r"\b(\d{1,2})\.(\d{2}) Uhr\b"));
    HOUR.replace_all(&text, "$1:$2 Uhr").into_owned()
}

/// How a text is read: what its reader knew.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// What has no year, or counts from now, counts from here.
    pub now: Timestamp,
    /// What has no zone is in this one.
    pub zone: Option<FixedOffset>,
    pub order: Order,
}

/// The first date in a text.
pub fn read(text: &str, reader: Reader) -> Option<Reading> {
    let Reader { now, zone, order } = reader;
    let text = plain(text);
    if let Some(date) = machine(text.trim()) {
        return Some(date);
    }
    let now = now.utc().with_timezone(&zone.unwrap_or_else(utc_zone));
    FORMS.iter().find_map(|(form, read)| {
        // What only looks like a date may stand before one.
        let found = form.captures_iter(&text).take(4);
        let mut found = found.filter_map(|found| {
            let whole = found.get(0)?;
            let date = read(&found, &text[whole.end()..], &Now { now, order })?;
            Some((whole, date))
        });
        let (whole, (local, precision)) = found.next()?;
        // A day without a time is no instant.
        let zone = written_zone(&text[whole.end()..]).or(zone).filter(|_| precision > Precision::Day);
        let utc = zone.and_then(|zone| local.and_local_timezone(zone).single());
        let utc = utc.map(|date| Timestamp(date.timestamp_millis()));
        Some(Reading { utc, local, precision, at: whole.start() })
    })
}

/// The day in a path: `/2021/10/26/`, `/2021-10-26/`, `/20211026/`, `/2021/oct/26/`, `/26-10-2021-`.
pub fn in_path(path: &str) -> Option<(String, Reading)> {
    static DAY: LazyLock<Regex> = LazyLock::new(|| form(r"/((?:19|20)\d\d)(?:/|-)?(\d\d)(?:/|-)?(\d\d)(?:[/_.-]|$)"));
    static NAMED: LazyLock<Regex> = LazyLock::new(|| form(r"/((?:19|20)\d\d)/([a-z]{3})/(\d\d)/"));
    static DAY_FIRST: LazyLock<Regex> = LazyLock::new(|| form(r"/(\d\d)-(\d\d)-((?:19|20)\d\d)(?:[/_.-]|$)"));
    let numbered = DAY.captures(path).and_then(|found| Some((day(&found)?, found)));
    let named = || NAMED.captures(path).and_then(|found| Some((named(&found[2], &found[3], &found[1])?, found)));
    let day_first = || {
        let found = DAY_FIRST.captures(path)?;
        let day = NaiveDate::from_ymd_opt(found[3].parse().ok()?, number(&found, 2)?, number(&found, 1)?)?;
        Some((day, found))
    };
    let (day, found) = numbered.or_else(named).or_else(day_first)?;
    let claim = found.get(0)?.as_str().trim_matches('/').to_owned();
    Some((claim, Reading { utc: None, local: day.and_time(NaiveTime::MIN), precision: Precision::Day, at: 0 }))
}

/// The instant in a picture's name when it is an ObjectId: 24 hexadecimal digits of which the first eight count
/// seconds since 1970. Values before 2005 or after `now` are chance.
pub fn object_id(url: &WebUrl, now: Timestamp) -> Option<Timestamp> {
    let parts = url.path().split(|c: char| !c.is_ascii_alphanumeric());
    let ids = parts.filter(|part| part.len() == 24 && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let seconds = ids.filter_map(|id| i64::from_str_radix(&id[..8], 16).ok());
    seconds.map(|seconds| Timestamp(seconds * 1000)).find(|at| *at > Timestamp(1_104_537_600_000) && *at <= now)
}

impl Reading {
    /// The date as a claim. `named` is the instant a picture of the page was named at, and which picture it is.
    pub fn claim(self, claim: &str, from: &str, now: Timestamp, named: Option<(Timestamp, String)>) -> Date {
        let form = if self.precision == Precision::Day { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S" };
        let (earliest, latest) = self.span();
        let conflict = if self.local.year() <= 1970 {
            Some("1970 stands for a date that could not be read".to_owned())
        } else if earliest > now {
            Some(format!("later than the capture at {}", seconds(now)))
        } else {
            let named = named.filter(|(at, _)| latest < *at);
            named.map(|(at, picture)| format!("{BEFORE_PICTURE} {picture}, named {}", seconds(at)))
        };
        Date {
            claim: claim.to_owned(),
            utc: self.utc,
            local: self.local.format(form).to_string(),
            precision: self.precision,
            from: from.to_owned(),
            conflict,
        }
    }

    /// The first and the last instant that it can mean, given its precision and, without a zone, all the zones of
    /// the world (UTC+14 to UTC-12).
    fn span(&self) -> (Timestamp, Timestamp) {
        let length = match self.precision {
            Precision::Day => 86_400,
            Precision::Hour => 3600,
            Precision::Minute => 60,
            Precision::Second => 1,
        };
        let (start, before, behind) = match self.utc {
            Some(utc) => (utc.0, 0, 0),
            None => (self.local.and_utc().timestamp_millis(), 14 * 3600, 12 * 3600),
        };
        (Timestamp(start - before * 1000), Timestamp(start + (length + behind) * 1000 - 1))
    }
}

fn seconds(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 3339 and the forms of HTTP and mail.
fn machine(text: &str) -> Option<Reading> {
    let with_zone = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)).ok();
    let with_zone = with_zone.or_else(|| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok());
    let (utc, local) = match with_zone {
        Some(date) => (Timestamp(date.timestamp() * 1000), date.naive_local()),
        None => {
            let utc = Timestamp::from_http(text)?;
            (utc, utc.utc().naive_utc())
        }
    };
    Some(Reading { utc: Some(utc), local, precision: Precision::Second, at: 0 })
}

/// What a form makes of its match, the text behind it and now.
type Read = fn(&Captures<'_>, &str, &Now) -> Option<(NaiveDateTime, Precision)>;

/// What a form may need besides its text.
struct Now {
    now: DateTime<FixedOffset>,
    order: Order,
}

/// The forms in the order they are tried: the more a form says, the earlier.
static FORMS: LazyLock<Vec<(Regex, Read)>> = LazyLock::new(|| {
    let forms: [(&str, Read); 11] = [
        // 2021-10-26, 2021/10/26, 2021.10.26, 2021年10月26日
        (r"\b((?:19|20)\d\d)\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?:\s?日|号|\b|T)", |found, rest, _| {
            Some(timed(day(found)?, rest))
        }),
        // 令和3年10月26日, 平成30年1月2日
        (r"(令和|平成)(\d{1,2}|元)年(\d{1,2})月(\d{1,2})日", |found, rest, _| {
            let first = if &found[1] == "令和" { 2019 } else { 1989 };
            let year = first + found[2].parse::<i32>().unwrap_or(1) - 1;
            Some(timed(NaiveDate::from_ymd_opt(year, number(found, 3)?, number(found, 4)?)?, rest))
        }),
        // October 26, 2021; Oct. 26th 2021
        (r"(?i)\b(\p{L}{2,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+((?:19|20)\d\d)\b", |found, rest, _| {
            Some(timed(named(&found[1], &found[2], &found[3])?, rest))
        }),
        // 2021 Oct 26
        (r"(?i)\b((?:19|20)\d\d)\s+(\p{L}{3,12})\.?\s+(\d{1,2})\b", |found, rest, _| {
            Some(timed(named(&found[2], &found[3], &found[1])?, rest))
        }),
        // 26 October 2021, 26-Oct-2021, 26. Oktober 2021, 26 de octubre de 2021, 1er mai 2021
        (
            r"(?i)\b(\d{1,2})(?:st|nd|rd|th|er|\.|º|°)?[\s-]*(?:de\s+)?(\p{L}{3,12})\.?,?[\s-]*(?:del?\s+)?((?:19|20)\d\d)\b",
            |found, rest, _| Some(timed(named(&found[2], &found[1], &found[3])?, rest)),
        ),
        // 26.10.2021, 26/10/2021, 10/26/2021, 26.10.21
        (r"(?:^|[^\d./:-])(\d{1,2})([./-])(\d{1,2})([./-])((?:19|20)\d\d|\d\d)(?:\b|$)", |found, rest, now| {
            let is_more = rest.starts_with(['.', '/', '-']) && rest[1..].starts_with(|c: char| c.is_ascii_digit());
            if found[2] != found[4] || is_more {
                return None;
            }
            Some(timed(numbers(found, now)?, rest))
        }),
        // 5分钟前, 3 小時前, 5 minutes ago
        (
            r"(?i)(\d{1,3})\s*(秒|分钟|分鐘|分|小时|小時|時間|天|日|seconds?|min(?:ute)?s?|hours?|days?)\s*(?:之?前|ago)",
            ago,
        ),
        // 昨天 22:15
        ("(今天|昨天|前天|今日|昨日|yesterday|today)", |found, rest, now| {
            let days = match &found[1] {
                "昨天" | "昨日" | "yesterday" => 1,
                "前天" => 2,
                _ => 0,
            };
            Some(timed(now.now.date_naive() - Duration::days(days), rest))
        }),
        // 刚刚
        ("(刚刚|剛剛|刚才|just now)", |_, _, now| Some((now.now.naive_local(), Precision::Minute))),
        // 10月26日 10:06, of this year, or of the last if that is still to come
        (r"(?:^|[^\d年])(\d{1,2})\s?月\s?(\d{1,2})\s?[日号]", |found, rest, now| {
            let now = now.now;
            let date = |year| NaiveDate::from_ymd_opt(year, number(found, 1)?, number(found, 2)?);
            let this_year = date(now.year()).filter(|date| *date <= now.date_naive() + Duration::days(1));
            Some(timed(this_year.or_else(|| date(now.year() - 1))?, rest))
        }),
        // 20211026 10:06
        (r"^\s*((?:19|20)\d\d)(\d\d)(\d\d)\b", |found, rest, _| Some(timed(day(found)?, rest))),
    ];
    forms.into_iter().map(|(text, read)| (form(text), read)).collect()
});

fn ago(found: &Captures<'_>, _: &str, now: &Now) -> Option<(NaiveDateTime, Precision)> {
    let count: i64 = found[1].parse().ok()?;
    let (unit, precision) = match found[2].to_lowercase().as_str() {
        "秒" | "second" | "seconds" => (Duration::seconds(count), Precision::Second),
        "天" | "日" | "day" | "days" => (Duration::days(count), Precision::Day),
        "小时" | "小時" | "時間" | "hour" | "hours" => (Duration::hours(count), Precision::Hour),
        _ => (Duration::minutes(count), Precision::Minute),
    };
    Some(((now.now - unit).naive_local(), precision))
}

/// The day, with the time that follows it if one does.
fn timed(day: NaiveDate, rest: &str) -> (NaiveDateTime, Precision) {
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        form(
            r"(?i)^(?:[\s,，T·|]|[•·,–-]|at|um|kl\.?|ore|às|à|a las|星期.|周.|\([^)]{1,4}\))*(上午|下午|晚上|凌晨|中午|傍晚|早上)?\s*(\d{1,2})\s?[:时時点點h]\s?(\d{2})(?:\s?[:分]\s?(\d{2}))?\s*(?:[秒分]\s*)?([ap]\.?m\b)?",
        )
    });
    let time = TIME.captures(rest).and_then(|found| {
        let half = found.get(1).or(found.get(5)).map_or("", |half| half.as_str());
        let hour = number(&found, 2)?;
        let hour = match half.chars().next() {
            Some('下' | '晚' | '傍' | 'p' | 'P') if hour < 12 => hour + 12,
            Some('中') if hour < 3 => hour + 12,
            Some('a' | 'A' | '凌' | '上') if hour == 12 => 0,
            _ => hour,
        };
        let precision = if found.get(4).is_some() { Precision::Second } else { Precision::Minute };
        Some((NaiveTime::from_hms_opt(hour, number(&found, 3)?, number(&found, 4).unwrap_or(0))?, precision))
    });
    time.map_or((day.and_time(NaiveTime::MIN), Precision::Day), |(time, precision)| (day.and_time(time), precision))
}

/// The zone written behind a time.
fn written_zone(rest: &str) -> Option<FixedOffset> {
    static ZONE: LazyLock<Regex> =
        LazyLock::new(|| form(r"^[^+Z]{0,24}?\d{2}(?:\.\d+)?\s?(?:(Z|UTC|GMT)\b|([+-])(\d{2}):?(\d{2})\b)"));
    let found = ZONE.captures(rest)?;
    if found.get(1).is_some() {
        return Some(utc_zone());
    }
    let seconds = i32::try_from(number(&found, 3)? * 3600 + number(&found, 4)? * 60).ok()?;
    FixedOffset::east_opt(if &found[2] == "-" { -seconds } else { seconds })
}

fn utc_zone() -> FixedOffset {
    // Zero is within a day.
    FixedOffset::east_opt(0).expect("UTC is a zone")
}

fn day(found: &Captures<'_>) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(found[1].parse().ok()?, number(found, 2)?, number(found, 3)?)
}

/// The day of three numbers with the year last. Points divide only dates that have the day first. A year of two digits
/// is believed where day and month have two as well.
fn numbers(found: &Captures<'_>, now: &Now) -> Option<NaiveDate> {
    let (first, second) = (number(found, 1)?, number(found, 3)?);
    let mut year: i32 = found[5].parse().ok()?;
    if found[5].len() == 2 {
        if found[1].len() != 2 || found[3].len() != 2 || year > now.now.year() % 100 {
            return None;
        }
        year += 2000;
    }
    let order = if &found[2] == "." { Order::DayFirst } else { now.order };
    let (day, month) = match order {
        _ if second > 12 => (second, first),
        _ if first > 12 || first == second => (first, second),
        Order::DayFirst => (first, second),
        Order::MonthFirst => (second, first),
        Order::Unknown => return None,
    };
    NaiveDate::from_ymd_opt(year, month, day)
}

/// The seconds since 1970 that a script shows as the time of publication; WeChat leaves the visible element empty.
pub fn in_script(script: &str) -> Option<i64> {
    static CREATED: LazyLock<Regex> =
        LazyLock::new(|| form(r#"\b(?:var ct|oriCreateTime|createTime)\s*=\s*['"](\d{10})['"]"#));
    let is_likely = script.contains("var ct") || script.contains("reateTime");
    let found = is_likely.then(|| CREATED.captures(script)).flatten()?;
    found[1].parse().ok()
}

pub fn number(found: &Captures<'_>, group: usize) -> Option<u32> {
    found.get(group)?.as_str().parse().ok()
}

pub fn form(text: &str) -> Regex {
    // The forms are constants of this file, and a test uses each.
    Regex::new(text).expect("a form is a valid expression")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: &str = "2024-03-05T12:30:00+08:00";

    #[test]
    fn german_times_have_points() {
        assert_eq!(plain("4. März 2026, 8.05 Uhr"), "4. März 2026, 8:05 Uhr");
        assert_eq!(plain("Punkt 4.12 und Uhr"), "Punkt 4.12 und Uhr");
    }

    #[test]
    fn dates_are_read_in_their_forms() {
        for (text, utc, precision) in [
            ("Mon, 04 Mar 2024 02:06:36 GMT", "2024-03-04T02:06:36", Precision::Second),
            ("2024-03-04T02:06:36.123Z", "2024-03-04T02:06:36", Precision::Second),
            ("2024-03-04T10:06:36+0800", "2024-03-04T02:06:36", Precision::Second),
            ("2024-03-04 10:06:36", "2024-03-04T02:06:36", Precision::Second),
            ("2024-03-04 10:06:36 UTC", "2024-03-04T10:06:36", Precision::Second),
            ("2024-03-04 10:06 -05:00", "2024-03-04T15:06:00", Precision::Minute),
            ("发布于 2024年3月4日 10时06分36秒", "2024-03-04T02:06:36", Precision::Second),
            ("２０２４年３月４日　１０：０６", "2024-03-04T02:06:00", Precision::Minute),
            ("2024年3月4日 星期一 下午3:05", "2024-03-04T07:05:00", Precision::Minute),
            ("2024.3.4 10:06 来源", "2024-03-04T02:06:00", Precision::Minute),
            ("3月4日 10:06", "2024-03-04T02:06:00", Precision::Minute),
            ("12月31日 10:06", "2023-12-31T02:06:00", Precision::Minute),
            ("March 4, 2024 at 3:05 pm", "2024-03-04T07:05:00", Precision::Minute),
            ("5分钟前", "2024-03-05T04:25:00", Precision::Minute),
            ("3 小時前", "2024-03-05T01:30:00", Precision::Hour),
            ("2 hours ago", "2024-03-05T02:30:00", Precision::Hour),
            ("昨天 22:15", "2024-03-04T14:15:00", Precision::Minute),
            ("前天 08:00", "2024-03-03T00:00:00", Precision::Minute),
            ("今天 10:06", "2024-03-05T02:06:00", Precision::Minute),
            ("刚刚", "2024-03-05T04:30:00", Precision::Minute),
        ] {
            check(text, Some((Some(utc), precision)));
        }
    }

    #[test]
    fn a_day_is_no_instant_and_a_number_no_day() {
        for text in ["2024-03-04", "4 March 2024", "Mar. 4th, 2024", "20240304", "令和6年3月4日", "1 天前"] {
            check(text, Some((None, Precision::Day)));
        }
        for text in ["2024年13月45日", "400-8888-2024", "1.2.2024.03", "", "12024-03-04", "5 分"] {
            check(text, None);
        }
        for (path, want) in [
            ("/2024/03/04/a.html", Some("2024/03/04")),
            ("/n/20240304/1.html", Some("20240304")),
            ("/a/2024-03-04-x", Some("2024-03-04-")),
            ("/a/20241345/x", None),
            ("/a/1202403045/x", None),
        ] {
            assert_eq!(in_path(path).map(|(claim, _)| claim).as_deref(), want, "{path}");
        }
    }

    #[test]
    fn months_have_names_in_many_languages() {
        for text in [
            "4. März 2024",
            "4 mars 2024",
            "2024 Mar 4;15(1)",
            "三月 4th, 2024",
            "Publié le 4 mars 2024",
            "4 de marzo de 2024",
            "lunedì 4 marzo 2024",
            "4 de março de 2024",
            "4 maart 2024",
            "4 marca 2024",
            "4 марта 2024",
            "Mar 4 2024",
            "4-Mar-2024",
            "4 Mar., 2024",
        ] {
            check(text, Some((None, Precision::Day)));
        }
        for text in ["4 marathon 2024", "Room 12 2024", "13 of 2024"] {
            check(text, None);
        }
    }

    #[test]
    fn an_ambiguous_day_is_no_day() {
        for (text, order, want) in [
            ("04.03.2024", Order::Unknown, Some("2024-03-04")),
            ("04/03/2024", Order::DayFirst, Some("2024-03-04")),
            ("03/04/2024", Order::MonthFirst, Some("2024-03-04")),
            ("03/04/2024", Order::Unknown, None),
            ("29/02/2024", Order::Unknown, Some("2024-02-29")),
            ("02/29/2024", Order::DayFirst, Some("2024-02-29")),
            ("04.03.24", Order::Unknown, Some("2024-03-04")),
            ("1.2.24", Order::DayFirst, None),
            ("01.02.03.2024", Order::DayFirst, None),
            ("04.03-2024", Order::DayFirst, None),
        ] {
            let found = read(text, Reader { now: Timestamp::from_iso(NOW).unwrap(), zone: None, order });
            assert_eq!(found.map(|date| date.local.date().to_string()).as_deref(), want, "{text} {order:?}");
        }
        for (language, want) in
            [("en-US", Order::MonthFirst), ("en_GB", Order::DayFirst), ("en", Order::Unknown), ("de", Order::DayFirst)]
        {
            assert_eq!(Order::of(Some(language)), want, "{language}");
        }
    }

    #[test]
    fn what_speaks_against_a_date_is_said() {
        let now = Timestamp::from_iso(NOW).unwrap();
        let url = WebUrl::parse("http://pic.example/202403/65e5c0a0aabbccddeeff0011_1024.jpg").unwrap();
        let named = object_id(&url, now).unwrap();
        assert_eq!(named.iso(), "2024-03-04T12:37:52.000Z");
        for (text, want) in [
            ("2024-03-04T12:00:00Z", Some("earlier than its lead image, named 2024-03-04T12:37:52Z")),
            ("2024-03-04T13:00:00Z", None),
            ("2024-03-04", None),
            ("2024-03-06T00:00:00Z", Some("later than the capture at 2024-03-05T04:30:00Z")),
            ("1970-01-01", Some("1970 stands for a date that could not be read")),
        ] {
            let reader = Reader { now, zone: zone_of(Some("zh-CN")), order: Order::DayFirst };
            let reading = read(text, reader).unwrap();
            let date = reading.claim(text, "text", now, Some((named, "lead image".to_owned())));
            assert_eq!(date.conflict.as_deref(), want, "{text}");
        }
        for name in ["65e5c0a0aabbccddeeff001_1", "ffffffffaabbccddeeff0011", "65e5c0a0aabbccddeeff0011aa"] {
            assert_eq!(object_id(&WebUrl::parse(&format!("http://pic.example/{name}.jpg")).unwrap(), now), None);
        }
    }

    proptest! {
        #[test]
        fn any_text_may_be_a_date(text in "\\PC{0,40}", digits in "[0-9年月日:/ .-]{0,30}") {
            let zone = zone_of(Some("zh"));
            let _ = read(&text, Reader { now: Timestamp(i64::MAX), zone, order: Order::DayFirst });
            let _ = read(&digits, Reader { now: Timestamp(0), zone: None, order: Order::Unknown });
        }
    }

    fn check(text: &str, want: Option<(Option<&str>, Precision)>) {
        let now = Timestamp::from_iso(NOW).unwrap();
        let found = read(text, Reader { now, zone: zone_of(Some("zh")), order: Order::Unknown });
        let found = found.map(|date| (date.utc.map(Timestamp::iso), date.precision));
        assert_eq!(found, want.map(|(utc, precision)| (utc.map(|utc| format!("{utc}.000Z")), precision)), "{text}");
    }
    #[test]
    fn paths_name_days() {
        for (path, want) in [
            ("/2024/03/04/river", Some("2024-03-04")),
            ("/news/2024-03-04-river", Some("2024-03-04")),
            ("/20240304/river", Some("2024-03-04")),
            ("/world/2024/mar/04/river", Some("2024-03-04")),
            ("/news/04-03-2024-river", Some("2024-03-04")),
            ("/news/04-13-2024-river", None),
            ("/2024/river", None),
        ] {
            let day = in_path(path).map(|(_, reading)| reading.local.date().to_string());
            assert_eq!(day.as_deref(), want, "{path}");
        }
    }
}
