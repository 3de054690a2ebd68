//! The names of months.

use chrono::NaiveDate;

/// Names of the months as they stand in dates, in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish,
/// Russian, Danish, Swedish, Romanian. Their first three letters or more count as well.
const MONTHS: [&str; 12] = [
    "january januar jänner janvier enero gennaio janeiro januari stycznia января ianuarie jan.",
    "february februar feber février fevrier febrero febbraio fevereiro februari lutego февраля februarie",
    "march märz maerz mrz mars marzo março maart mrt marca марта marts martie",
    "april avril abril aprile kwietnia апреля aprilie",
    "may mai mayo maggio maio mei maja мая maj",
    "june juni juin junio giugno junho czerwca июня iunie",
    "july juli juillet julio luglio julho lipca июля iulie",
    "august août aout agosto augustus sierpnia августа augusti",
    "september septembre septiembre setiembre settembre setembro września сентября septembrie",
    "october oktober octobre octubre ottobre outubro października октября octombrie",
    "november novembre noviembre novembro listopada ноября noiembrie",
    "december dezember décembre decembre diciembre dicembre dezembro grudnia декабря decembrie",
];

/// The day of a month that is named.
pub(super) fn named(month: &str, day: &str, year: &str) -> Option<NaiveDate> {
    let month = month.to_lowercase();
    let is_named = |names: &str| names.split(' ').any(|name| name.starts_with(&month));
    let at = MONTHS.iter().position(|names| is_named(names))?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, u32::try_from(at).ok()? + 1, day.parse().ok()?)
}
