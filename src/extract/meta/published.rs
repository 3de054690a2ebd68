//! The dates a page claims, and which of them to believe.

use std::collections::HashSet;

use chrono::{FixedOffset, Timelike};

use crate::extract::meta::dates::{self, Reader};
use crate::extract::meta::facts::Facts;
use crate::extract::meta::order::Order;
use crate::extract::page::hints::{By, Hint};
use crate::extract::page::tree::{Block, Page, Zone};
use crate::extract::text::body::Body;
use crate::extract::{Date, Document, Image, Kind, Precision};
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

/// The dates a page claims.
pub struct Dates {
    /// Every date, in the order of belief.
    pub all: Vec<Date>,
    pub published: Option<Date>,
    pub modified: Option<Date>,
}

/// What [`Dates::of`] needs of what was found before.
pub struct Found<'a> {
    pub kind: Kind,
    pub language: Option<&'a str>,
    /// None for a post.
    pub address: Option<&'a WebUrl>,
    /// See [`named`].
    pub named: Option<(Timestamp, String)>,
}

/// `meta` elements that hold the date of publication, the surest first, and how much each is believed.
const PUBLISHED: &[(&str, u32)] = &[
    ("article:published_time", 30),       // Open Graph
    ("datepublished", 30),                // schema.org as microdata
    ("og:published_time", 30),            // common mistake for the first
    ("article:published", 30),            // the same
    ("og:article:published_time", 30),    // the same
    ("parsely-pub-date", 30),             // Parse.ly
    ("sailthru.date", 30),                // Sailthru
    ("citation_publication_date", 20),    // Highwire Press, for Google Scholar
    ("citation_online_date", 20),         // the same
    ("pubdate", 25),                      // news sitemaps' word
    ("publishdate", 25),                  // People's Daily and other Chinese portals
    ("publish_date", 25),                 // Sina
    ("publish-date", 25),                 // Adobe Experience Manager
    ("published_at", 25),                 // content systems of US local news
    ("published_on", 25),                 // content systems of US magazines
    ("publication_date", 25),             // content systems of newspapers
    ("publication-date", 25),             // the same
    ("date_published", 25),               // schema.org's word in another spelling
    ("article:publish_date", 25),         // common mistake for the first
    ("article:create_date", 25),          // Arc
    ("article:post_date", 25),            // hand-made themes
    ("originalpublicationdate", 25),      // BBC
    ("release_date", 20),                 // press offices
    ("cxenseparse:recs:publishtime", 25), // Cxense
    ("rnews:datepublished", 25),          // IPTC rNews
    ("bt:pubdate", 25),                   // Blueconic's word
    ("citation_date", 20),                // Highwire Press, for Google Scholar
    ("article.published", 25),            // The same as the first, with a point
    ("apub:time", 25),                    // Tencent
    ("weibo: article:create_at", 25),     // Weibo cards
    ("dcterms.issued", 20),               // Dublin Core terms
    ("dcterms.created", 15),              // Dublin Core terms
    ("dc.date.issued", 20),               // Dublin Core
    ("dc.date.created", 15),              // Dublin Core
    ("dc.date", 12),                      // Dublin Core
    ("dcterms.date", 12),                 // Dublin Core terms
    ("created", 12),                      // hand-made pages
    ("date", 12),                         // hand-made pages
];

/// `meta` elements that hold the date of the last change.
const MODIFIED: &[&str] = &[
    "article:modified_time", // Open Graph
    "og:updated_time",       // Open Graph
    "datemodified",          // schema.org as microdata
    "dcterms.modified",      // Dublin Core terms
    "dc.date.modified",      // Dublin Core
    "last-modified",         // hand-made pages
];

/// Blocks before the text in which its date may stand, and blocks of the text itself.
const BEFORE: usize = 20;
const INSIDE: usize = 6;

/// Bytes before a date from which a line is more likely a caption, and the day its picture's.
const CAPTION: usize = 45;

/// The weight from which a heading is a headline, not the name of a section.
const HEADLINE: usize = 30;

/// A date with what it is worth.
struct Claim {
    date: Date,
    weight: u32,
    changed: bool,
}

impl Claim {
    /// Programs wrote it for programs.
    fn is_of_machine(&self) -> bool {
        self.weight >= 25
    }

    /// It may be the day: pictures are changed behind it, but no article is of the future.
    fn is_possible(&self) -> bool {
        self.date.conflict.as_deref().is_none_or(|conflict| conflict.starts_with(dates::BEFORE_PICTURE))
    }

    fn worth(&self) -> u32 {
        if self.date.conflict.is_none() { self.weight } else { self.weight / 2 }
    }
}

struct Claims<'a> {
    reader: Reader,
    named: Option<(Timestamp, String)>,
    claims: Vec<Claim>,
    /// Claims with two readings, to be decided by the others.
    ambiguous: Vec<(&'a str, &'static str, u32, bool)>,
}

impl<'a> Claims<'a> {
    fn add(&mut self, claim: &'a str, from: &str, weight: u32, changed: bool) -> bool {
        let Some(reading) = dates::read(claim, self.reader) else { return false };
        let date = reading.claim(claim, from, self.reader.now, self.named.clone());
        self.claims.push(Claim { date, weight, changed });
        true
    }

    /// As `add`; what may be read in two ways waits for the others.
    fn add_shown(&mut self, claim: &'a str, from: &'static str, weight: u32, changed: bool) -> bool {
        let is_known = self.add(claim, from, weight, changed);
        if !is_known && self.reader.order == Order::Unknown {
            self.ambiguous.push((claim, from, weight, changed));
        }
        is_known
    }

    /// Reads each of the ambiguous as the others say; it stays unread where none does.
    fn decide(&mut self) {
        for (claim, from, weight, changed) in std::mem::take(&mut self.ambiguous) {
            for order in [Order::DayFirst, Order::MonthFirst] {
                let Some(reading) = dates::read(claim, Reader { order, ..self.reader }) else { continue };
                let date = reading.claim(claim, from, self.reader.now, self.named.clone());
                if self.claims.iter().any(|other| day(&other.date) == day(&date)) {
                    self.claims.push(Claim { date, weight, changed });
                    break;
                }
            }
        }
    }
}

impl Dates {
    /// Every date that a page claims, and which of them to believe.
    pub fn of(page: &Page, body: &Body, facts: &Facts, document: &Document<'_>, found: &Found<'_>) -> Dates {
        let zone: Option<FixedOffset> = document.zone.or_else(|| dates::zone_of(found.language));
        let order = order(page, found.language);
        let reader = Reader { now: document.at, zone, order };
        let mut claims = Claims { reader, named: found.named.clone(), claims: Vec::new(), ambiguous: Vec::new() };
        let is_post = document.is_post;
        // Under one long headline stands one article, however many links are around it.
        let is_headline = |block: &&Block| block.heading == 1 && block.zone < Zone::Around && block.weight >= HEADLINE;
        let has_headline = page.blocks.iter().filter(is_headline).count() == 1;
        let is_list = found.kind == Kind::List && !has_headline;
        let claimed = document.claims.published.as_deref();
        if let Some(claim) = claimed.filter(|_| is_post) {
            claims.add(claim, "seed", 100, false);
        }
        if let Some(claim) = &facts.published {
            claims.add(claim, "json-ld", 30, false);
        }
        for (name, weight) in PUBLISHED {
            page.meta(name).for_each(|claim| _ = claims.add(claim, &format!("meta {name}"), *weight, false));
        }
        let script;
        if let Some(seconds) = page.script_time {
            script = Timestamp(seconds.saturating_mul(1000)).iso();
            claims.add(&script, "script", 25, false);
        }
        if !is_post {
            marked(page, body, &mut claims, is_list);
            if !is_list {
                shown(page, body, &mut claims);
                if !claims.claims.iter().any(|one| !one.changed) {
                    only(page, body, &mut claims);
                }
            }
        }
        if let Some((claim, reading)) = found.address.and_then(|url| dates::in_path(url.path())) {
            let date = reading.claim(&claim, "url", document.at, found.named.clone());
            claims.claims.push(Claim { date, weight: 14, changed: false });
        }
        if let Some(claim) = facts.uploaded.as_ref().filter(|_| !claims.claims.iter().any(|one| !one.changed)) {
            claims.add(claim, "json-ld", 9, false);
        }
        if let Some(claim) = &facts.modified {
            claims.add(claim, "json-ld", 30, true);
        }
        for name in MODIFIED {
            page.meta(name).for_each(|claim| _ = claims.add(claim, &format!("meta {name}"), 20, true));
        }
        if let Some(claim) = claimed.filter(|_| !is_post) {
            claims.add(claim, "seed", 10, false);
        }
        claims.decide();
        let mut seen = HashSet::new();
        claims.claims.retain(|one| seen.insert((one.date.local.clone(), one.date.from.clone(), one.changed)));
        let published = published(&claims.claims).filter(|weighed| {
            // What stands on a list is most often the day of one of its articles.
            !is_list || weighed.weight >= 25 || weighed.date.from.starts_with("meta ")
        });
        let modified = modified(&claims.claims, published);
        let (published, modified) = (published.map(|one| one.date.clone()), modified.map(|one| one.date.clone()));
        let (later, first): (Vec<_>, Vec<_>) = claims.claims.into_iter().partition(|one| one.changed);
        let later =
            later.into_iter().map(|one| Date { from: format!("{}, of the last change", one.date.from), ..one.date });
        Dates { all: first.into_iter().map(|one| one.date).chain(later).collect(), published, modified }
    }
}

/// The order of numbers in dates: what the markup says of the country, else the language of the text.
fn order(page: &Page, language: Option<&str>) -> Order {
    let locale = page.meta("og:locale").next();
    let is_said = |tag: &&str| Order::of(Some(tag)) != Order::Unknown;
    let from_text = Order::of(language);
    if from_text != Order::Unknown {
        return from_text;
    }
    // `en-US` is what programs write when nobody says anything: it decides nothing.
    let said = [page.language.as_deref(), locale].into_iter().flatten().find(is_said);
    match Order::of(said) {
        Order::DayFirst => Order::DayFirst,
        Order::MonthFirst | Order::Unknown => {
            let hints = page.hints.published.iter().chain(&page.hints.modified).map(|hint| hint.text.as_str());
            Order::shown(
                hints.chain(page.blocks.iter().filter(|block| is_note(block)).map(|block| block.text.as_str())),
            )
        }
    }
}

/// The dates that the markup names as such, near the text.
fn marked<'a>(page: &'a Page, body: &Body, claims: &mut Claims<'a>, is_list: bool) {
    let first = body.kept.first().copied().unwrap_or(0);
    let is_near = |hint: &&Hint| hint.block + BEFORE >= first && hint.block <= first + INSIDE;
    for (hints, changed) in [(&page.hints.published, false), (&page.hints.modified, true)] {
        for by in [By::Property, By::Element, By::Class] {
            let (mut weight, from) = match by {
                By::Property => (25, "property"),
                By::Element => (20, "time"),
                _ => (18, "text"),
            };
            if is_list && by != By::Property {
                continue;
            }
            let mut of_sort = hints.iter().filter(|hint| hint.by == by).peekable();
            let is_only = of_sort.clone().count() == 1;
            let all: Vec<&Hint> = of_sort.by_ref().collect();
            for hint in all.into_iter().filter(|hint| is_only && by != By::Class || is_near(hint)).take(4) {
                if by == By::Class && hint.text.chars().count() > 80 {
                    continue;
                }
                let changed = changed || by == By::Class && is_change(&hint.text, claims.reader);
                let is_read = hint.value.as_deref().is_some_and(|value| claims.add_shown(value, from, weight, changed));
                if is_read || claims.add_shown(&hint.text, from, weight, changed) {
                    // What follows is more often another article's.
                    weight = 3;
                }
            }
        }
    }
}

/// The dates in the lines around the headline, and at the beginning and the end of the text.
fn shown<'a>(page: &'a Page, body: &Body, claims: &mut Claims<'a>) {
    let mut weight = 15;
    for block in body.lines(page).into_iter().filter(|block| is_note(block)) {
        let changed = is_change(&block.text, claims.reader);
        // A line that is a link is about another article.
        let is_behind = || dates::read(&block.text, claims.reader).is_some_and(|reading| reading.at > CAPTION);
        let worth = match block.linked * 2 > block.weight {
            _ if is_labelled(&block.text) => LABELLED,
            true => weight.min(4),
            false if is_behind() => weight.min(6),
            false => weight,
        };
        if claims.add_shown(&block.text, "text", worth, changed) && !changed && worth == weight {
            weight = 2;
        }
    }
    // Behind the text, only a day that is called the day of publication.
    let last = body.kept.last().map_or(0, |last| last + 1);
    let behind = page.blocks.iter().skip(last).take(INSIDE).filter(|block| is_note(block) && block.zone < Zone::Around);
    for block in behind.filter(|block| is_labelled(&block.text)) {
        claims.add_shown(&block.text, "text", LABELLED, false);
    }
    // «(26.10.2021) The text begins»
    let beginning = body.kept.iter().take(3).filter_map(|number| page.blocks.get(*number));
    for block in beginning.filter(|block| !is_note(block)) {
        let begins = block.text.trim_start_matches('(');
        let end = begins.char_indices().nth(32).map_or(begins.len(), |(at, _)| at);
        let begins = &begins[..end];
        if dates::read(begins, claims.reader).is_some_and(|reading| reading.at == 0) {
            claims.add(begins, "text", weight.min(10), false);
            break;
        }
    }
    // «Headline | Site | 26.10.2021»
    let title = page.title.as_deref().and_then(|title| title.rsplit(['|', '–', '»']).next()).map(str::trim);
    let is_day = |tail: &&str| {
        tail.chars().count() <= 20 && dates::read(tail, claims.reader).is_some_and(|reading| reading.at == 0)
    };
    if let Some(tail) = title.filter(is_day) {
        claims.add(tail, "title", 9, false);
    }
}

/// The one day that the lines and marks of a page name, where no place says more.
fn only<'a>(page: &'a Page, body: &Body, claims: &mut Claims<'a>) {
    let first = body.kept.first().copied().unwrap_or(0);
    let last = body.kept.last().copied().unwrap_or(0);
    let heading = page.blocks.iter().take(first + 1).rposition(|block| block.heading == 1);
    let from = heading.unwrap_or(first).saturating_sub(BEFORE);
    let blocks = page.blocks.iter().take(last + 1 + INSIDE).skip(from).filter(|block| block.zone < Zone::Around);
    let is_copyright = |text: &str| text.contains(['©', '℗']) || text.to_ascii_lowercase().contains("copyright");
    let lines = blocks.filter(|block| is_note(block) && !is_copyright(&block.text)).map(|block| block.text.as_str());
    let marks = page.hints.published.iter().filter(|hint| hint.text.chars().count() <= 80);
    let mut days: Vec<(&str, String)> = Vec::new();
    for text in lines.take(200).chain(marks.map(|hint| hint.text.as_str())) {
        let reading = dates::read(text, claims.reader).filter(|_| !is_change(text, claims.reader));
        days.extend(reading.map(|reading| (text, reading.local.date().to_string())));
    }
    if let Some((text, _)) = days.first().filter(|(_, day)| days.iter().all(|(_, other)| other == day)) {
        claims.add(text, "text", 8, false);
    }
}

/// A short line that is no sentence and no headline.
fn is_note(block: &Block) -> bool {
    let is_sentence = block.text.contains(['。', '！', '？', '!', '?']);
    let length = block.text.chars().count();
    !is_sentence && (block.heading == 0 && length <= 110 || block.heading > 1 && length <= 32)
}

/// What a shown date that is called the day of publication is worth.
const LABELLED: u32 = 22;

/// The line begins with words that say that its date is the day of publication.
fn is_labelled(line: &str) -> bool {
    const LABELS: [&str; 19] = [
        "发布",
        "發布",
        "发表",
        "發表",
        "公開",
        "配信",
        "등록",
        "입력",
        "published",
        "posted",
        "veröffentlicht",
        "publié",
        "publicado",
        "pubblicato",
        "date published",
        "mise en ligne",
        "datum",
        "date:",
        "fecha:",
    ];
    let line = line.trim_start_matches(['(', '[', '【', '·', ' ']).to_lowercase();
    LABELS.iter().any(|label| line.starts_with(label))
}

/// Words before a date that say that it is of the last change.
const CHANGE: &[&str] = &[
    "更新",
    "修改",
    "修订",
    "updated",
    "modified",
    "last change",
    "aktualisiert",
    "geändert",
    "mis à jour",
    "mise à jour",
    "actualizado",
    "aggiornato",
    "atualizado",
    "bijgewerkt",
    "обновлено",
];

/// The words before the date say that it is of the last change.
fn is_change(line: &str, reader: Reader) -> bool {
    let plain = dates::plain(line);
    let at = dates::read(line, reader).map_or(plain.len(), |reading| reading.at.min(plain.len()));
    let before = plain.get(..at).unwrap_or("").to_lowercase();
    let label: String = before.chars().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect();
    CHANGE.iter().any(|word| label.contains(word))
}

fn day(date: &Date) -> &str {
    date.local.get(..10).unwrap_or(&date.local)
}

/// The kind of place a date stood in; two of one kind are one voice.
fn voice(date: &Date) -> &str {
    date.from.split(' ').next().unwrap_or("")
}

/// The day that most voices speak for, and of its claims the most exact; one that nothing speaks against before others.
fn published(claims: &[Claim]) -> Option<&Claim> {
    let all = || claims.iter().filter(|one| !one.changed);
    let sound = || all().filter(|one| one.is_possible());
    let votes = |of: &Claim| {
        let mut seen = HashSet::new();
        let same = sound().filter(|one| day(&one.date) == day(&of.date) || is_eve(&one.date, &of.date));
        let votes = same.filter(|one| seen.insert(voice(&one.date))).map(Claim::worth).sum::<u32>();
        // What is shown may be the day of the last change without saying so.
        let is_change = claims.iter().any(|one| one.changed && day(&one.date) == day(&of.date));
        let is_same = |one: &Claim| day(&one.date) == day(&of.date) || is_eve(&one.date, &of.date);
        let is_told = of.is_of_machine() || sound().any(|one| one.is_of_machine() && is_same(one));
        if is_change && !is_told { votes / 2 } else { votes }
    };
    // The first of the best: `max_by_key` would take the last.
    let best = sound().rev_by(votes).or_else(|| all().next())?;
    let exact = || sound().filter(|one| one.date.precision > Precision::Day && day(&one.date) == day(&best.date));
    if best.date.precision == Precision::Day { exact().next().or(Some(best)) } else { Some(best) }
}

/// The date is the midnight, in a zone east of Greenwich, that begins the other, which has no time.
fn is_eve(date: &Date, other: &Date) -> bool {
    let is_day = other.precision == Precision::Day;
    let is_midnight = date.utc.is_some_and(|utc| {
        let utc = utc.utc();
        // Those of the zones of Europe and Africa: further east, the day is more often the same.
        utc.minute() == 0
            && utc.second() == 0
            && (21..24).contains(&utc.hour())
            && date.local == utc.format("%Y-%m-%dT%H:%M:%S").to_string()
            && utc.date_naive().succ_opt().is_some_and(|next| next.to_string() == day(other))
    });
    is_day && is_midnight
}

/// The first of the greatest.
trait FirstMost<'a>: Iterator<Item = &'a Claim> + Sized {
    fn rev_by(self, votes: impl Fn(&Claim) -> u32) -> Option<&'a Claim> {
        self.fold(None, |best: Option<(u32, &Claim)>, one| match (votes(one), best) {
            (count, Some((most, _))) if count <= most => best,
            (count, _) => Some((count, one)),
        })
        .map(|(_, one)| one)
    }
}

impl<'a, I: Iterator<Item = &'a Claim>> FirstMost<'a> for I {}

/// The first claim of a change that is not before the publication.
fn modified<'a>(claims: &'a [Claim], published: Option<&Claim>) -> Option<&'a Claim> {
    let changes = claims.iter().filter(|one| one.changed && one.date.conflict.is_none());
    let since = published.map_or("", |one| day(&one.date));
    changes.filter(|one| day(&one.date) >= since).max_by_key(|one| one.weight)
}

/// When a picture of the article was named, and which: the lead before the others.
pub fn named(images: &[Image], lead: Option<usize>, document: &Document<'_>) -> Option<(Timestamp, String)> {
    let of = |image: &Image| image.variants.first().and_then(|variant| dates::object_id(&variant.url, document.at));
    let of_lead = lead.and_then(|at| images.get(at)).and_then(of).map(|at| (at, "lead image".to_owned()));
    let others = || images.iter().enumerate().filter(|(_, image)| image.in_article);
    of_lead.or_else(|| others().find_map(|(number, image)| Some((of(image)?, format!("image {}", number + 1)))))
}

#[cfg(test)]
mod tests {
    use crate::extract::{Claims, Document, Head, read};
    use crate::web::time::Timestamp;

    #[test]
    fn the_day_that_most_places_say_is_believed() {
        let meta = |name: &str, day: &str| format!(r#"<meta property="{name}" content="{day}">"#);
        let time = "article:published_time";
        check("", "<p>4 March 2024</p>", "2024-03-04");
        check(&meta(time, "2024-03-04T10:06:00+01:00"), "<p>5 March 2024</p>", "2024-03-04T10:06:00");
        check(&meta("published_on", "2024-03-04T10:06Z"), "", "2024-03-04T10:06:00");
        check(&meta("citation_publication_date", "2024 Mar 4"), "", "2024-03-04");
        // A day that a program made an instant, in a zone east of Greenwich.
        check(&meta(time, "2024-03-03T23:00:00Z"), "<p>4. März 2024</p>", "2024-03-04");
        check(&meta(time, "2024-03-03T23:10:00Z"), "<p>4. März 2024</p>", "2024-03-03T23:10:00");
        // What is called a change is none.
        check("", "<p>Updated 4 March 2024</p>", "");
        check("", "<p>Datum</p><p>Published 3 March 2024 Updated 4 March 2024</p>", "2024-03-03");
        // A line that is a link is about another article.
        check("", r#"<p><a href="/a">12.01.2021 - The river runs dry</a></p><p>4.3.2024</p>"#, "2024-03-04");
        // The order of the numbers, from other days of the page.
        check("", r#"<p class="date">3/4/2024</p>"#, "");
        check("", r#"<p class="date">3/4/2024</p><aside><time>2/28/2024</time></aside>"#, "2024-03-04");
        check("", r#"<p class="date">4/3/2024</p><aside><time>28/2/2024</time></aside>"#, "2024-03-04");
        // Films have a day of their own.
        let film = r#"{"@type":"VideoObject","uploadDate":"2024-03-04T10:06:00+01:00"}"#;
        let film = format!(r#"<script type="application/ld+json">{film}</script>"#);
        check(&film, "", "2024-03-04T10:06:00");
        check(&film, "<p>Published 3 March 2024</p>", "2024-03-03");
        check("<title>The river runs clear | Site | 04.03.2024</title>", "", "2024-03-04");
    }

    fn check(head: &str, above: &str, want: &str) {
        let text = "<p>The river runs clear again, the people who live beside it said, and the herons came back.</p>";
        let html = format!("{head}<article><h1>The river runs clear</h1>{above}{}</article>", text.repeat(8));
        let (own, at) = (Head::read(b""), Timestamp::from_iso("2024-03-05T12:00:00Z").expect("a time"));
        let claims = Claims::default();
        let url = "https://news.example/river.html";
        let document = Document::page(url, at, &own, html.as_bytes(), &claims);
        let published = read(&document).article.published.map(|date| date.local).unwrap_or_default();
        assert_eq!(published, want, "{head} {above}");
    }
}
