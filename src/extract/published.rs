//! The dates a page claims, and which of them to believe.

use std::collections::HashSet;

use super::body::Body;
use super::facts::Facts;
use super::tree::{Block, Page};
use super::{Date, Document, Image, Kind, Precision, dates};
use crate::web::url::WebUrl;

/// Every publication date that is claimed, in the order of belief.
pub(super) fn dates(page: &Page, body: &Body, facts: &Facts, document: &Document<'_>, found: &Found<'_>) -> Vec<Date> {
    let (now, zone) = (document.at, document.zone.or_else(|| dates::zone_of(found.language)));
    let mut dates: Vec<Date> = Vec::new();
    let mut add = |claim: &str, from: &str| {
        if let Some(reading) = dates::read(claim, now, zone) {
            dates.push(reading.claim(claim, from, now, found.named.clone()));
        }
    };
    let is_post = found.address.is_none();
    let claimed = document.claims.published.as_deref().map(|claim| (claim, "seed"));
    claimed.filter(|_| is_post).into_iter().for_each(|(claim, from)| add(claim, from));
    if let Some(claim) = &facts.published {
        add(claim, "json-ld");
    }
    for name in PUBLISHED {
        page.meta(name).for_each(|claim| add(claim, &format!("meta {name}")));
    }
    if !is_post && found.kind != Kind::List {
        page.times.iter().take(3).for_each(|claim| add(claim, "time"));
        for block in body.lines(page).into_iter().filter(|block| is_note(block)) {
            if let Some(claim) = published_in(&block.text, now, zone) {
                add(claim, "text");
            }
        }
    }
    if let Some((claim, reading)) = found.address.and_then(|url| dates::in_path(url.path())) {
        dates.push(reading.claim(&claim, "url", now, found.named.clone()));
    }
    if let Some((claim, from)) = claimed.filter(|_| !is_post)
        && let Some(reading) = dates::read(claim, now, zone)
    {
        dates.push(reading.claim(claim, from, now, found.named.clone()));
    }
    let mut seen = HashSet::new();
    dates.retain(|date| seen.insert((date.local.clone(), date.from.clone())));
    dates
}

/// A short line that is no sentence and no headline.
fn is_note(block: &Block) -> bool {
    let is_sentence = block.text.contains(['。', '！', '？', '!', '?']);
    block.heading == 0 && !is_sentence && block.text.chars().count() <= 80
}

/// What [`dates()`] needs of what was found before.
pub(super) struct Found<'a> {
    pub kind: Kind,
    pub language: Option<&'a str>,
    /// None for a post.
    pub address: Option<&'a WebUrl>,
    /// See [`named`].
    pub named: Option<(crate::web::time::Timestamp, String)>,
}

/// `meta` elements that hold the date of publication, the surest first.
const PUBLISHED: &[&str] = &[
    "article:published_time",   // Open Graph
    "datepublished",            // schema.org as microdata
    "og:published_time",        // common mistake for the first
    "parsely-pub-date",         // Parse.ly
    "sailthru.date",            // Sailthru
    "pubdate",                  // news sitemaps' word
    "publishdate",              // People's Daily and other Chinese portals
    "publish_date",             // Sina
    "apub:time",                // Tencent
    "weibo: article:create_at", // Weibo cards
    "dc.date.issued",           // Dublin Core
    "dc.date",                  // Dublin Core
    "date",                     // hand-made pages
];

/// The part of a line from its date on, unless the words before it say that it is of the last change.
fn published_in(line: &str, now: crate::web::time::Timestamp, zone: Option<chrono::FixedOffset>) -> Option<&str> {
    let reading = dates::read(line, now, zone)?;
    let plain = dates::plain(line);
    let before = plain[..reading.at.min(plain.len())].to_lowercase();
    let label: String = before.chars().rev().take(16).collect::<Vec<_>>().into_iter().rev().collect();
    let changed =
        ["更新", "修改", "修订", "updated", "modified", "last change"].iter().any(|word| label.contains(word));
    (!changed).then_some(line)
}

/// The first date that nothing speaks against, else the first.
pub(super) fn published(dates: &[Date]) -> Option<Date> {
    let sound = || dates.iter().filter(|date| date.conflict.is_none());
    // A day alone yields to the exact time of the same day.
    let first = sound().next().or(dates.first())?;
    let exact = sound().find(|date| date.precision > Precision::Day && date.local.starts_with(&first.local));
    Some(if first.precision == Precision::Day { exact.unwrap_or(first) } else { first }.clone())
}

/// When a picture of the article was named, and which: the lead before the others.
pub(super) fn named(
    images: &[Image],
    lead: Option<usize>,
    document: &Document<'_>,
) -> Option<(crate::web::time::Timestamp, String)> {
    let of = |image: &Image| image.variants.first().and_then(|variant| dates::object_id(&variant.url, document.at));
    let of_lead = lead.and_then(|at| images.get(at)).and_then(of).map(|at| (at, "lead image".to_owned()));
    let others = || images.iter().enumerate().filter(|(_, image)| image.in_article);
    of_lead.or_else(|| others().find_map(|(number, image)| Some((of(image)?, format!("image {}", number + 1)))))
}
