//! Which part of a page is the article, what sort of page it is, and the article's own facts.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value;

use super::images::{self, Picture};
use super::tree::{Block, FoundLink, Page, Place, Zone, weight};
use super::{Date, Document, Image, Kind, Person, Precision, byline, dates, folded};
use crate::web::url::WebUrl;

/// The weight from which a block is a paragraph rather than a caption or a button: twenty Han characters, a dozen
/// English words.
const PARAGRAPH: usize = 60;

/// A container that holds this much of the text of the one around it, in percent, holds the article; the rest is
/// teasers. Lower, and articles lose their first paragraph.
const NEARLY_ALL: usize = 85;

/// Links with headlines that make a page a list.
const HEADLINES: usize = 5;

/// The weight of text for each headline from which it is an article that links a lot, not a list of teasers.
const TEASER: usize = 400;

/// The part of a page that is the article.
pub(super) struct Body {
    /// The numbers of the containers in it.
    containers: Range<usize>,
    /// The numbers of the blocks whose text is the article's, in order.
    kept: Vec<usize>,
    /// The last zone that counts as inside.
    zone: Zone,
}

impl Body {
    /// Finds the article of a page; a post is an article as a whole.
    pub fn of(page: &Page, is_post: bool) -> Body {
        let zone = |last: Zone| {
            let mut own = vec![0; page.containers.len()];
            for block in page.blocks.iter().filter(|block| block.zone <= last && is_paragraph(block)) {
                own[block.container] += block.weight;
            }
            own
        };
        // Where nothing but what a class name calls side matter holds text, the class name is wrong.
        let (zone, own) = match zone(Zone::Content) {
            own if own.iter().all(|weight| *weight == 0) => (Zone::Suspect, zone(Zone::Suspect)),
            own => (Zone::Content, own),
        };
        let mut before = vec![0];
        own.iter().for_each(|weight| before.push(before[before.len() - 1] + weight));
        let total = |at: usize| before[page.containers[at].end] - before[at];
        let chosen = if is_post { 0 } else { chosen(page, total) };
        let containers = chosen..page.containers[chosen].end;
        let title = page.blocks.iter().position(|block| block.heading == 1);
        let kept = |(number, block): &(usize, &Block)| {
            // Some pages are one big form, so only a form inside the article is left out.
            let form = block.form.is_some_and(|form| form != chosen && containers.contains(&form));
            let mostly_links = block.linked * 2 > block.weight && block.weight > 0;
            containers.contains(&block.container)
                && block.zone <= zone
                && block.zone != Zone::Head
                && (is_post || !form && !mostly_links && Some(*number) != title)
        };
        let kept = page.blocks.iter().enumerate().filter(kept).map(|(number, _)| number).collect();
        Body { containers, kept, zone }
    }

    /// The number of the text block that something stands before; none when it stands outside.
    pub fn position(&self, place: &Place) -> Option<u32> {
        let inside = self.containers.contains(&place.container) && place.zone <= self.zone;
        let before = self.kept.partition_point(|number| *number < place.block);
        inside.then(|| u32::try_from(before).unwrap_or(u32::MAX))
    }

    pub fn text(&self, page: &Page) -> String {
        let texts: Vec<&str> = self.kept.iter().map(|number| page.blocks[*number].text.as_str()).collect();
        texts.join("\n")
    }

    /// Short lines that may hold a byline or a date: the header's, those just before the text, its first and last.
    fn lines<'a>(&self, page: &'a Page) -> Vec<&'a Block> {
        let first = self.kept.first().copied().unwrap_or(0);
        let near = first.saturating_sub(12)..first;
        let ends = self.kept.iter().take(5).chain(self.kept.iter().rev().take(5));
        let ends: HashSet<usize> = ends.copied().collect();
        let is_near = |number: usize, block: &Block| {
            block.zone == Zone::Head || near.contains(&number) && block.zone < Zone::Around || ends.contains(&number)
        };
        let blocks = page.blocks.iter().enumerate().filter(|(number, block)| is_near(*number, block));
        blocks.map(|(_, block)| block).collect()
    }
}

/// Walks down from the body, or from the one element marked as an article, as long as one part holds nearly all.
fn chosen(page: &Page, total: impl Fn(usize) -> usize) -> usize {
    let mut articles = (0..page.containers.len()).filter(|at| page.containers[*at].article);
    let marked = articles.next_back().filter(|at| {
        // An article and the body inside it are both marked; several articles beside each other are a list.
        articles.all(|outer| page.containers[outer].end >= page.containers[*at].end) && total(*at) * 2 >= total(0)
    });
    let mut at = marked.unwrap_or(0);
    loop {
        let mut inside = at + 1;
        let mut best = None;
        while inside < page.containers[at].end {
            best = best.max(Some((total(inside), std::cmp::Reverse(inside))));
            inside = page.containers[inside].end;
        }
        match best {
            Some((most, next)) if most > 0 && most * 100 >= total(at) * NEARLY_ALL => at = next.0,
            _ => return at,
        }
    }
}

fn is_paragraph(block: &Block) -> bool {
    block.weight >= PARAGRAPH && block.linked * 3 < block.weight && block.heading == 0
}

/// What sort of page it is: an article has paragraphs, a list has links with headlines, about one for each teaser.
pub(super) fn kind(page: &Page, body: &Body, facts: &Facts, is_post: bool) -> Kind {
    let paragraphs = body.kept.iter().map(|number| &page.blocks[*number]).filter(|block| is_paragraph(block));
    let (count, text) = paragraphs.fold((0, 0), |(count, text), block| (count + 1, text + block.weight));
    let is_headline = |found: &&FoundLink| {
        let weight = weight(&found.link.text);
        found.place.zone < Zone::Around && (weight >= 24 || found.in_heading && weight >= 9)
    };
    let distinct = |inside: bool| {
        let headlines = page.links.iter().filter(is_headline);
        let headlines = headlines.filter(|found| !inside || body.containers.contains(&found.place.container));
        headlines.map(|found| &found.link.url).collect::<HashSet<_>>().len()
    };
    let (all, inside) = (distinct(false), distinct(true));
    let is_list = inside >= HEADLINES && inside * 2 >= count && text < inside * TEASER;
    if is_post || facts.is_article && text >= PARAGRAPH && !(is_list && inside > 3 * count) || !is_list && text >= 400 {
        Kind::Article
    } else if all >= HEADLINES {
        Kind::List
    } else if !is_list && text >= 150 && page.blocks.iter().any(|block| block.heading == 1) {
        Kind::Article
    } else {
        Kind::Other
    }
}

/// What structured data and `meta` elements say.
#[derive(Default)]
pub(super) struct Facts {
    /// It calls itself an article.
    pub is_article: bool,
    headline: Option<String>,
    authors: Vec<String>,
    published: Option<String>,
    pictures: Vec<String>,
    publisher: Option<String>,
    sections: Vec<String>,
}

impl Facts {
    pub fn of(page: &Page) -> Facts {
        let mut nodes = Vec::new();
        for text in &page.json_ld {
            // Line breaks inside strings are the commonest error.
            let text = text.replace(|c: char| c.is_control(), " ");
            if let Ok(value) = serde_json::from_str(&text) {
                flatten(value, &mut nodes);
            }
        }
        let mut facts = Facts {
            is_article: page.meta("og:type").any(|kind| kind.eq_ignore_ascii_case("article")),
            publisher: page.meta("og:site_name").next().map(str::to_owned),
            ..Facts::default()
        };
        let picture = |value: &Value| texts(value, &["url", "contentUrl"]);
        if let Some(article) = nodes.iter().find(|node| is_article(node)) {
            facts.is_article = true;
            facts.headline = article.get("headline").and_then(|value| texts(value, &[]).into_iter().next());
            facts.published = article.get("datePublished").and_then(Value::as_str).map(str::to_owned);
            facts.authors = article.get("author").map(|value| texts(value, &["name"])).unwrap_or_default();
            facts.pictures = article.get("image").map(picture).unwrap_or_default();
            facts.sections = article.get("articleSection").map(|value| texts(value, &[])).unwrap_or_default();
            let publisher = article.get("publisher").and_then(|value| texts(value, &["name"]).into_iter().next());
            facts.publisher = publisher.or(facts.publisher);
        }
        let primary = nodes.iter().find_map(|node| node.get("primaryImageOfPage")?.get("@id")?.as_str());
        let primary =
            nodes.iter().filter(|node| primary.is_some() && node.get("@id").and_then(Value::as_str) == primary);
        facts.pictures.extend(primary.flat_map(picture));
        facts
    }
}

/// Every object, those in a `@graph` included.
fn flatten(value: Value, nodes: &mut Vec<Value>) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| flatten(value, nodes)),
        Value::Object(mut object) => {
            let graph = object.remove("@graph");
            nodes.push(Value::Object(object));
            graph.into_iter().for_each(|value| flatten(value, nodes));
        }
        _ => {}
    }
}

fn is_article(node: &Value) -> bool {
    let kinds = node.get("@type").map(|value| texts(value, &[])).unwrap_or_default();
    kinds.iter().any(|kind| kind.ends_with("Article") || kind.ends_with("BlogPosting") || kind == "Report")
}

/// The texts of a value that may be a text, an object with a text under one of `keys`, or a list of those.
fn texts(value: &Value, keys: &[&str]) -> Vec<String> {
    match value {
        Value::String(text) => Some(folded(text)).filter(|text| !text.is_empty()).into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(|value| texts(value, keys)).collect(),
        Value::Object(object) => {
            keys.iter().find_map(|key| object.get(*key)).map(|value| texts(value, &[])).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The headline: claimed for a post, else the first of structured data, Open Graph, `h1` and `title` that has one.
pub(super) fn title(page: &Page, facts: &Facts, document: &Document<'_>, is_post: bool) -> Option<String> {
    let claimed = document.claims.title.as_deref().map(folded).filter(|title| !title.is_empty());
    if is_post && claimed.is_some() {
        return claimed;
    }
    let heading = page.blocks.iter().find(|block| block.heading == 1 && block.zone < Zone::Around);
    let heading = heading.map(|block| block.text.as_str());
    let cut = |title: &str| without_site(title, facts.publisher.as_deref(), heading);
    let open_graph = || page.meta("og:title").next().map(cut);
    let from_head = || page.title.as_deref().filter(|title| !title.is_empty()).map(cut);
    let headline = facts.headline.clone();
    headline.or_else(open_graph).or_else(|| heading.map(str::to_owned)).or_else(from_head).or(claimed)
}

/// A title without the name of the site behind a dash or bar.
fn without_site(title: &str, site: Option<&str>, heading: Option<&str>) -> String {
    if let Some(heading) = heading.filter(|heading| weight(heading) >= 6 && title.starts_with(heading)) {
        return heading.to_owned();
    }
    let separators = [" - ", " | ", " – ", " — ", " · ", " :: ", "_", "｜", "|"];
    let cuts = separators.iter().filter_map(|separator| {
        let at = title.rfind(separator)?;
        Some((at, title[at + separator.len()..].trim()))
    });
    match cuts.max_by_key(|(at, _)| *at) {
        Some((at, tail)) if at > 0 && (Some(tail) == site || weight(tail) * 2 <= weight(&title[..at])) => {
            title[..at].trim().to_owned()
        }
        _ => title.to_owned(),
    }
}

/// Who wrote it, and which outlet it is from. A name that is the outlet's is no person.
pub(super) fn byline(
    page: &Page,
    body: &Body,
    facts: &Facts,
    document: &Document<'_>,
) -> (Vec<Person>, Option<String>) {
    let claims = document.claims;
    let is_outlet = |name: &str| {
        let same = |other: &String| folded(other).eq_ignore_ascii_case(name);
        facts.publisher.iter().any(same) || claims.categories.iter().any(same)
    };
    let metas = ["author", "article:author", "parsely-author", "dc.creator", "byl"];
    let given = [
        facts.authors.clone(),
        metas.iter().flat_map(|name| page.meta(name)).map(str::to_owned).collect(),
        page.authors.clone(),
    ];
    let given = given.iter().map(|fields| fields.iter().flat_map(|field| byline::names(field)).collect::<Vec<_>>());
    let (mut people, mut source) = (Vec::<Person>::new(), None);
    let lines = body.lines(page).into_iter().filter(|block| block.heading == 0);
    for credits in lines.map(|block| byline::credits(&block.text)) {
        source = source.or(credits.source);
        people.extend(credits.people);
    }
    let mut authors = Vec::new();
    let mut outlets = Vec::new();
    for names in given.chain([claims.authors.clone()]) {
        let (outlet, persons): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_outlet(name));
        outlets.extend(outlet);
        if authors.is_empty() {
            authors = persons;
        }
    }
    // A claim is not the page's word; it counts where the page names nobody.
    let visible = people.iter().any(|person| matches!(person.role, "author" | "reporter"));
    if !visible {
        let authors = authors.into_iter().map(|name| Person { name, role: "author" });
        people.splice(0..0, authors);
    }
    let mut seen = HashSet::new();
    people.retain(|person| !is_outlet(&person.name) && seen.insert(person.name.clone()));
    (people, source.or_else(|| facts.publisher.clone()).or(outlets.into_iter().next()))
}

/// Every publication date that is claimed, in the order of belief.
pub(super) fn dates(page: &Page, body: &Body, facts: &Facts, document: &Document<'_>, found: &Found<'_>) -> Vec<Date> {
    let (now, zone) = (document.at, dates::zone_of(found.language));
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

/// The language of a text, by its script before the markup; `markup` is the page's `lang`, `claimed` the seed's.
pub(super) fn language(text: &str, markup: Option<&str>, claimed: Option<&str>) -> Option<String> {
    let (mut han, mut kana, mut hangul, mut cyrillic, mut letters) = (0usize, 0usize, 0usize, 0usize, 0usize);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        match c {
            '\u{3040}'..='\u{30ff}' => kana += 1,
            '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' => han += 1,
            '\u{ac00}'..='\u{d7af}' => hangul += 1,
            '\u{400}'..='\u{4ff}' => cyrillic += 1,
            _ => {}
        }
    }
    let east = han + kana + hangul;
    let shown = match () {
        () if letters < 20 => None,
        () if east * 5 >= letters && hangul * 2 >= east => Some("ko"),
        () if east * 5 >= letters && kana * 20 >= east => Some("ja"),
        () if east * 5 >= letters => Some("zh"),
        () if cyrillic * 2 >= letters => Some("ru"),
        () => None,
    };
    let tag = markup.or(claimed).map(|tag| tag.trim().replace('_', "-")).filter(|tag| is_tag(tag));
    let primary = tag.as_deref().and_then(|tag| tag.split('-').next()).map(str::to_ascii_lowercase);
    match shown {
        // Where they agree, the markup says more: zh-TW.
        Some(shown) if primary.as_deref() != Some(shown) && !(shown == "ru" && tag.is_some()) => Some(shown.to_owned()),
        _ => tag.or_else(|| by_words(text).map(str::to_owned)),
    }
}

fn is_tag(tag: &str) -> bool {
    let primary = tag.split('-').next().unwrap_or("");
    let short = tag.len() <= 35 && (2..=3).contains(&primary.len());
    short && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The language whose commonest words are most of what stands there.
fn by_words(text: &str) -> Option<&'static str> {
    const WORDS: [(&str, &[&str]); 4] = [
        ("en", &["the", "and", "of", "to", "is", "that", "for", "with", "was", "on"]),
        ("de", &["der", "die", "das", "und", "ist", "nicht", "mit", "ein", "eine", "von"]),
        ("fr", &["le", "les", "des", "et", "est", "une", "dans", "pour", "que", "du"]),
        ("es", &["el", "los", "las", "y", "es", "una", "por", "con", "para", "del"]),
    ];
    let words: Vec<String> = text.split(|c: char| !c.is_alphabetic()).take(2000).map(str::to_lowercase).collect();
    let count = |list: &[&str]| words.iter().filter(|word| list.contains(&word.as_str())).count();
    let (language, most) =
        WORDS.iter().map(|(language, list)| (*language, count(list))).max_by_key(|(_, count)| *count)?;
    (most >= 3).then_some(language)
}

/// The address of record, when it is on the same site; another site's claim is an oddity.
pub(super) fn canonical(page: &Page, address: Option<&WebUrl>, oddities: &mut Vec<String>) -> Option<WebUrl> {
    let claims = page.canonical.as_deref().into_iter().chain(page.meta("og:url"));
    for url in claims.filter_map(|claim| page.base.join(claim)) {
        if address.is_none_or(|address| address.domain() == url.domain()) {
            return Some(url);
        }
        oddities.push(format!("the address of record is claimed to be on another site: {url}"));
    }
    None
}

/// Sections and tags, each once.
pub(super) fn categories(page: &Page, facts: &Facts, document: &Document<'_>) -> Vec<String> {
    let tags = page.meta("article:tag").map(str::to_owned);
    let keywords = ["keywords", "news_keywords"].into_iter().flat_map(|name| page.meta(name));
    let keywords = keywords.flat_map(|words| words.split([',', '，', ';', '、'])).map(folded);
    let sections = page.meta("article:section").map(str::to_owned);
    let all = document.claims.categories.iter().cloned().chain(facts.sections.iter().cloned()).chain(sections);
    let mut seen = HashSet::new();
    all.chain(tags).chain(keywords).filter(|word| !word.is_empty() && seen.insert(word.clone())).collect()
}

/// The pictures that the claims, the head and structured data name, the lead first.
pub(super) fn claimed_pictures(page: &Page, facts: &Facts, document: &Document<'_>) -> Vec<Picture> {
    let names = ["og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"];
    let metas = names.into_iter().flat_map(|name| page.meta(name));
    let claims = document.claims.lead_image.as_deref().into_iter().chain(metas);
    let all = claims.chain(facts.pictures.iter().map(String::as_str)).filter_map(|claim| page.base.join(claim));
    all.filter(|url| !images::is_stand_in(url)).map(|url| Picture::bare(url, page.policy)).collect()
}

/// The first picture in the body that is not known to be small: the lead where none is named.
pub(super) fn first_picture(images: &[Image]) -> Option<usize> {
    images.iter().position(|image| image.position.is_some() && image.width.is_none_or(|width| width >= 200))
}
