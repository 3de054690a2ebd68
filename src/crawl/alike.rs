//! Pages of a host that say the same, numbers aside: those of a trap lead to each other and to nothing new, an ordinary
//! list leads to articles. Why it is told so: `docs/decisions/0010-traps.md`.

use crate::extract::Findings;
use crate::web::digest::{Algorithm, digest, fingerprint};
use crate::web::recent::Recent;
use crate::web::url::WebUrl;

/// Pages in a row to which pages that are alike led, and that said nothing new; then such pages lead nowhere.
pub(super) const ALIKE: u32 = 50;
/// Classes of pages that are remembered, and redirects: no fewer, and twice as many at most, in less than 10 MB.
pub(super) const REMEMBERED: usize = 50_000;
/// Classes that led to a class last,
const FINDERS: usize = 3;
/// and so many before it, those that led to them among them: the twelve months of a calendar lead to each other.
const BEFORE: usize = 64;

/// The class of pages of its host that this page is in: those that say the same, numbers aside. Pages of an empty
/// calendar do for ever, and so do pages that say «not found» and link on.
pub(super) fn of_page(url: &WebUrl, findings: &Findings) -> i64 {
    let mut said = without_tokens(&format!("{:?}\n{}\n", findings.article.title, findings.article.text));
    for link in &findings.links {
        said.push_str(&without_tokens(&link.text));
        said.push('\n');
    }
    for picture in findings.images.iter().filter_map(|image| image.variants.first()) {
        said.push_str(picture.url.as_str());
        said.push('\n');
    }
    fingerprint(&format!("{}\0{said}", url.host()))
}

/// The class of an answer that is no HTML: its bytes. In what software writes for any date numbers do not count: each
/// month of a calendar has its `.ics`.
pub(super) fn of_file(url: &WebUrl, content_type: Option<&str>, body: &[u8]) -> i64 {
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_written = media_type == "text/calendar" || media_type.ends_with("xml") || media_type.ends_with("json");
    let said = if is_written {
        without_tokens(&String::from_utf8_lossy(body))
    } else {
        digest(Algorithm::Sha1, body).as_str().to_owned()
    };
    fingerprint(&format!("{}\0{said}", url.host()))
}

/// A text with one sign for each number.
pub(super) fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c => out.push(c),
        }
    }
    out
}

/// The same for what people read, with all that is made anew each time in place of numbers: «Request 5f3a…» stands at
/// the end of many a page that says «not found».
fn without_tokens(text: &str) -> String {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !is_of_token(c)).unwrap_or(rest.len()));
        if is_token(word) {
            out.push('#');
        } else {
            out.push_str(&without_numbers(word));
        }
        let (between, after) = after.split_at(after.find(is_of_token).unwrap_or(after.len()));
        out.push_str(between);
        rest = after;
    }
    out
}

/// Eight hexadecimal digits or more, with hyphens or without, or sixteen characters that mix capitals and digits: no word
/// looks so.
fn is_token(word: &str) -> bool {
    let bytes = word.as_bytes();
    let any = |is: fn(&u8) -> bool| bytes.iter().any(is);
    let is_hex = bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let is_mixed = any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase);
    any(u8::is_ascii_digit) && ((is_hex && bytes.len() >= 8) || (is_mixed && bytes.len() >= 16))
}

/// How often pages of one class led to themselves, since they led to something new.
#[derive(Debug, Default)]
struct Class {
    /// Pages in a row that they led to, that said nothing new, and that lead back to them.
    stale: u32,
    /// Other classes that led to them, the last one first; 0 is none.
    finders: [i64; FINDERS],
}

/// The classes of a run.
pub(super) struct Classes {
    known: Recent<i64, Class>,
}

impl Default for Classes {
    fn default() -> Classes {
        Classes { known: Recent::new(REMEMBERED) }
    }
}

impl Classes {
    /// Notes that a page of this class was found by a page of that one. Is it the first of its class?
    pub(super) fn meet(&mut self, class: i64, finder: Option<i64>) -> bool {
        let is_new = self.known.get(&class).is_none();
        if let Some(finder) = finder {
            let before = self.before(finder);
            if is_new {
                // A year leads to months, those to days, and only those to articles.
                before.iter().for_each(|class| self.class(*class).stale = 0);
            // A form to log in that stands at every article leads to no list: it is no sign of a trap.
            } else if before.contains(&class) {
                self.class(finder).stale += 1;
            }
        }
        let finders = &mut self.class(class).finders;
        if let Some(finder) = finder.filter(|finder| *finder != class && !finders.contains(finder)) {
            finders.rotate_right(1);
            finders[0] = finder;
        }
        is_new
    }

    /// This class, those that led to it, and those that led to them.
    fn before(&mut self, class: i64) -> Vec<i64> {
        let (mut all, mut next) = (vec![class], 0);
        while next < all.len() && all.len() < BEFORE {
            for finder in self.class(all[next]).finders {
                if finder != 0 && !all.contains(&finder) {
                    all.push(finder);
                }
            }
            next += 1;
        }
        all
    }

    fn class(&mut self, class: i64) -> &mut Class {
        self.known.get_or_default(&class)
    }

    /// Do its pages lead nowhere any more?
    pub(super) fn is_stale(&mut self, class: i64) -> bool {
        self.known.get(&class).is_some_and(|class| class.stale >= ALIKE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_anew_each_time_is_no_news() {
        let check = |text: &str, want: &str| assert_eq!(without_tokens(text), want);
        check("Request ID: 5f3a9c01d2b4e6f7 at 12:30", "Request ID: # at #:#");
        check("see /s/0123456789abcdef/a.html, é", "see /s/#/a.html, é");
        check("550e8400-e29b-41d4-a716-446655440000", "#");
        check("token x8ZqPk_1kP03-abQ9w!", "token #!");
        check("covid-19 in 2026-11-23", "covid-# in #");
        check("decade façade a1b2 The-Cat-Of-A-House", "decade façade a#b# The-Cat-Of-A-House");
    }
}
