//! Which number of a date is its day.

use std::sync::LazyLock;

use regex::Regex;

use crate::extract::meta::dates::{form, number};

/// Which number of `3/4/2024` is the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    DayFirst,
    MonthFirst,
    /// Then it is no date unless one of the numbers can be no month.
    Unknown,
}

impl Order {
    /// The order that the dates of a page show, if all do that can have one order alone: `12/31/2024`.
    pub fn shown<'a>(texts: impl Iterator<Item = &'a str>) -> Order {
        static NUMBERS: LazyLock<Regex> =
            LazyLock::new(|| form(r"(?:^|[^\d./:-])(\d{1,2})/(\d{1,2})/(?:19|20)\d\d(?:\D|$)"));
        let (mut day_first, mut month_first) = (false, false);
        for found in texts.filter(|text| text.contains('/')).flat_map(|text| NUMBERS.captures_iter(text)) {
            day_first |= number(&found, 1).is_some_and(|number| number > 12);
            month_first |= number(&found, 2).is_some_and(|number| number > 12);
        }
        match (day_first, month_first) {
            (true, false) => Order::DayFirst,
            (false, true) => Order::MonthFirst,
            _ => Order::Unknown,
        }
    }

    /// The order of the people who read a language. American English has the month first; English without a country
    /// may be either.
    pub fn of(language: Option<&str>) -> Order {
        let language = language.unwrap_or("").replace('_', "-").to_ascii_lowercase();
        let mut parts = language.split('-');
        match (parts.next().unwrap_or(""), parts.next()) {
            ("en", Some("us")) => Order::MonthFirst,
            ("en", Some(region)) if region.len() == 2 => Order::DayFirst,
            ("en" | "", _) => Order::Unknown,
            _ => Order::DayFirst,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_its_order() {
        for (texts, want) in [
            (&["12/31/2024", "3/4/2024"][..], Order::MonthFirst),
            (&["31/12/2024 10:06"], Order::DayFirst),
            (&["3/4/2024"], Order::Unknown),
            (&["12/31/2024", "31/12/2024"], Order::Unknown),
            (&["2024/12/31", "1/12/13/2024"], Order::Unknown),
        ] {
            assert_eq!(Order::shown(texts.iter().copied()), want, "{texts:?}");
        }
    }

    #[test]
    fn readers_of_a_language_have_an_order() {
        for (tag, want) in [
            ("en-US", Order::MonthFirst),
            ("en_GB", Order::DayFirst),
            ("en", Order::Unknown),
            ("de", Order::DayFirst),
            ("", Order::Unknown),
        ] {
            assert_eq!(Order::of(Some(tag)), want, "{tag}");
        }
    }
}
