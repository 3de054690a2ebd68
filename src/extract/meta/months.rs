//! The names of months.

use chrono::NaiveDate;

/// Names of the months as they stand in dates, in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish,
/// Russian, Danish, Swedish, Romanian, Chinese. Their first three letters or more count as well.
const MONTHS: [&str; 12] = [
    "january januar jänner janvier enero gennaio janeiro januari stycznia января ianuarie jan. 一月",
    "february februar feber février fevrier febrero febbraio fevereiro februari lutego февраля februarie 二月",
    "march märz maerz mrz mars marzo março maart mrt marca марта marts martie 三月",
    "april avril abril aprile kwietnia апреля aprilie 四月",
    "may mai mayo maggio maio mei maja мая maj 五月",
    "june juni juin junio giugno junho czerwca июня iunie 六月",
    "july juli juillet julio luglio julho lipca июля iulie 七月",
    "august août aout agosto augustus sierpnia августа augusti 八月",
    "september septembre septiembre setiembre settembre setembro września сентября septembrie 九月",
    "october oktober octobre octubre ottobre outubro października октября octombrie 十月",
    "november novembre noviembre novembro listopada ноября noiembrie 十一月",
    "december dezember décembre decembre diciembre dicembre dezembro grudnia декабря decembrie 十二月",
];

/// The day of a month that is named.
pub fn named(month: &str, day: &str, year: &str) -> Option<NaiveDate> {
    let month = month.to_lowercase();
    if month.chars().count() < 3 && month.is_ascii() {
        return None;
    }
    let is_named = |names: &str| names.split(' ').any(|name| name.starts_with(&month));
    let at = MONTHS.iter().position(|names| is_named(names))?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, u32::try_from(at).ok()? + 1, day.parse().ok()?)
}
