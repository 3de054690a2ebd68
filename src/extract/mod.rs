//! What a document says: its article, its pictures, its links, what it needs to be shown.
//!
//! [`read`] is pure and never fails: whatever the bytes, it returns what it could read and what was odd. It fetches
//! nothing, knows no clock but [`Document::at`], and keeps nothing between two documents. One parse and one walk (`page`)
//! feed everything else: which `text` is the article, what it says of itself (`meta`), its `pictures`, its `links`, and
//! what `kind` of page it is. What only the host's other pages can tell is learnt in [`boilerplate`] and handed in.

mod kind;
mod links;
mod meta;
mod page;
mod pictures;
mod text;

#[cfg(test)]
mod patterns;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use chrono::FixedOffset;

use self::kind::{Reading, signs};
use self::links::{listed, pages};
use self::meta::facts::Facts;
use self::meta::published::{Dates, Found};
use self::meta::{authors, facts, published, title};
use self::page::style;
use self::page::tree::{Block, FoundLink, Page};
use self::pictures::images::Picture;
use self::pictures::{images, lead, placed};
use self::text::body::Body;
pub use self::text::boilerplate;
use self::text::boilerplate::Boilerplate;
use self::text::{features, html, judge, language, prose};
use crate::web::charset;
pub use crate::web::charset::CharsetFrom;
use crate::web::claims::Claims;
use crate::web::message::Head;
use crate::web::referrer::Policy;
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

pub use self::page::refresh::{Refresh, refresh};

/// A document to be read.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// Its address: links resolve against it, or against its `<base>`. For a post without one, any absolute URL that
    /// stands for it; then only absolute links are kept.
    pub url: &'a str,
    /// When it was captured; relative dates count from here.
    pub at: Timestamp,
    /// The answer's head; empty for a document of the user's own.
    pub head: &'a Head,
    /// The body with its content codings undone.
    pub bytes: &'a [u8],
    /// The whole document is the article: a post of the user's own, not a page with a site around it.
    pub is_post: bool,
    /// The zone of dates that name none, where the source has one; else the language's.
    pub zone: Option<FixedOffset>,
    /// What a seed document claimed of it.
    pub claims: &'a Claims,
    /// What recurs on the pages of its host, where that is known: it is no part of the article.
    pub boilerplate: Option<&'a Boilerplate>,
}

impl<'a> Document<'a> {
    /// A page of which no more is known.
    pub fn page(url: &'a str, at: Timestamp, head: &'a Head, bytes: &'a [u8], claims: &'a Claims) -> Document<'a> {
        Document { url, at, head, bytes, is_post: false, zone: None, claims, boilerplate: None }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What sort of page it is.
    pub kind: Kind,
    /// There is more of the article than the page shows: behind a payment, a log-in, or «read on».
    pub cut: bool,
    /// The WHATWG name of the charset used, and where it was learnt.
    pub charset: (&'static str, CharsetFrom),
    /// The charset that the header names, else the page: by its WHATWG name, or as written when it is the name of none.
    pub declared_charset: Option<String>,
    /// The readable part.
    pub article: Article,
    /// One logical image per picture, in document order; the lead image first only if it stands first.
    pub images: Vec<Image>,
    /// Style sheets and scripts, in document order, each once.
    pub requisites: Vec<Requisite>,
    /// Pages it links to, in document order, each once.
    pub links: Vec<Link>,
    /// Where the article goes on, when it is spread over several pages.
    pub next: Option<WebUrl>,
    /// Where the page leads by itself (`<meta http-equiv=refresh>`).
    pub refresh: Option<Refresh>,
    /// The page's own robots directives, as written: `noarchive`; to one crawler, `googlebot: noindex`.
    pub meta_robots: Vec<String>,
    /// Anything a reader of the archive may want to know: unreadable links, nesting cut off, charset conflicts.
    pub oddities: Vec<String>,
}

/// What sort of page it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One article.
    Article,
    /// A front page, a section, a list of articles: its links are worth following.
    List,
    /// Pictures with captions, and little text of its own.
    Gallery,
    /// None of the others.
    Other,
    /// A consent form, a log-in or a challenge stands where the page would be.
    Wall,
    /// It says that what stood here is gone, whatever the status says.
    Gone,
    /// An empty shell that scripts fill.
    NeedsBrowser,
}

impl Kind {
    /// The word in columns and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Article => "article",
            Kind::List => "list",
            Kind::Gallery => "gallery",
            Kind::Other => "other",
            Kind::Wall => "wall",
            Kind::Gone => "gone",
            Kind::NeedsBrowser => "needs-browser",
        }
    }
}

/// The readable part of a page. Everything may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Article {
    /// The headline, without the site's name.
    pub title: Option<String>,
    /// Who wrote it and who helped, in text order.
    pub byline: Vec<Person>,
    /// The outlet, where it is named.
    pub source: Option<String>,
    /// When it was published, chosen among `dates`.
    pub published: Option<Date>,
    /// When it was last changed, as far as it says.
    pub modified: Option<Date>,
    /// Every date that is claimed, the chosen one included; conflicts stay visible.
    pub dates: Vec<Date>,
    /// A BCP 47 language tag, from the text before the markup.
    pub language: Option<String>,
    /// The page's address of record (`rel=canonical`, `og:url`).
    pub canonical: Option<WebUrl>,
    /// Index into [`Findings::images`]: the picture the claims or the head name, else an article's first that is not
    /// known to be small.
    pub lead_image: Option<usize>,
    /// Sections, categories, tags as claimed.
    pub categories: Vec<String>,
    /// The text, one block a line.
    pub text: String,
    /// The same as HTML: headings, paragraphs, lists, quotations, tables and pictures, without attributes but addresses.
    pub html: String,
}

/// A name and what its bearer did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// As printed.
    pub name: String,
    /// `author`, `editor`, `intern`, `translator`, `photographer`, …
    pub role: &'static str,
}

/// A claimed date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date {
    /// As written.
    pub claim: String,
    /// The instant, when the claim determines one.
    pub utc: Option<Timestamp>,
    /// The calendar date and time as claimed, without zone: `2021-10-26T02:06:36`, or a date alone.
    pub local: String,
    /// How exact the claim is.
    pub precision: Precision,
    /// Where it stood: `seed`, `json-ld`, `meta article:published_time`, `time`, `text`, `url`, …
    pub from: String,
    /// What speaks against it, for a person: «earlier than its lead image, named 2021-10-26T09:45:12Z».
    pub conflict: Option<String>,
}

/// How exact a date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// A calendar day.
    Day,
    /// To the hour.
    Hour,
    /// To the minute.
    Minute,
    /// To the second.
    Second,
}

impl Precision {
    /// The word in columns and results.
    pub fn as_str(self) -> &'static str {
        match self {
            Precision::Day => "day",
            Precision::Hour => "hour",
            Precision::Minute => "minute",
            Precision::Second => "second",
        }
    }
}

/// One picture, with every address it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Every address, the best one (the original) first, each once.
    pub variants: Vec<Variant>,
    /// Its alternative text.
    pub alt: Option<String>,
    /// Its caption.
    pub caption: Option<String>,
    /// Declared size in CSS pixels (or by `data-width` and the like).
    pub width: Option<u32>,
    /// See `width`.
    pub height: Option<u32>,
    /// The number of the text block it stands before: its place in the article. None for a lead that is not in the body.
    pub position: Option<u32>,
    /// It is part of the article's body, or its lead; not of the page around it.
    pub in_article: bool,
    /// The policy that decides what `Referer` it is asked for with: element, else document.
    pub policy: Policy,
}

/// One address of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Where.
    pub url: WebUrl,
    /// What it is to the picture.
    pub role: VariantRole,
    /// The page needs it to look as it did (`src`, what a 1x or 2x desktop browser picks), or it is the original.
    pub wanted: bool,
}

/// What an address is to its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariantRole {
    /// The picture at its best.
    Original,
    /// The original behind a wrapping proxy.
    Proxied,
    /// Another size or format.
    Responsive,
    /// A stand-in shown until the picture is loaded.
    Placeholder,
    /// A larger form that the address hints at and nobody names: a guess, worth a try when the rest is fetched.
    Larger,
}

impl VariantRole {
    /// The word in columns and records.
    pub fn as_str(self) -> &'static str {
        match self {
            VariantRole::Original => "original",
            VariantRole::Proxied => "proxied copy",
            VariantRole::Responsive => "responsive",
            VariantRole::Placeholder => "placeholder",
            VariantRole::Larger => "larger",
        }
    }
}

/// A file a page (or a style sheet) needs to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requisite {
    /// Where.
    pub url: WebUrl,
    /// `Style`, `Script`, `Font`, or `Image` for a picture that decorates.
    pub role: crate::web::candidate::Role,
    /// As [`Image::policy`].
    pub policy: Policy,
}

/// A page linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where.
    pub url: WebUrl,
    /// The text of the link, white space folded, at most 200 characters.
    pub text: String,
    /// `rel=nofollow`: recorded, still a link.
    pub nofollow: bool,
    /// It stands in navigation, a footer or side matter, and is no headline.
    pub around: bool,
    /// It leads to the next page of the same list.
    pub next: bool,
}

/// A page without pictures and with no more blocks of text than this may be a shell that scripts fill.
const SHELL: usize = 8;
/// Whose directives are noted: everybody's, ours, and those of the crawlers that sites address by name.
const ROBOTS: [&str; 5] = ["robots", "pressmark", "googlebot", "googlebot-news", "bingbot"];

/// Reads a document; see the module's head.
pub fn read(document: &Document<'_>) -> Findings {
    let address = WebUrl::parse(document.url).ok();
    let decoded = decoded(document, address.as_ref());
    let is_post = document.is_post;
    let header = Policy::from_header(document.head.fields("referrer-policy"));
    let read = |html: &str| Page::read(html, address.clone(), decoded.encoding(), header);
    let mut page = read(&decoded.text);
    if let Some(prose) = prose::of(&page) {
        // As if the page had shown it, behind what it shows.
        page = read(&format!("{}<article>{prose}</article>", decoded.text));
    }
    let mut oddities = std::mem::take(&mut page.oddities);
    oddities.extend(decoded.odd);

    let facts = Facts::of(&page);
    let mut body = Body::of(&page, &facts, is_post);
    let kind = kind::kind(&page, &body, &facts, document);
    if let Some(boilerplate) = document.boilerplate {
        body.leave_out(&page, boilerplate);
    }
    let mut claimed = lead::claimed_pictures(&page, &facts, document);
    let pictures = std::mem::take(&mut page.pictures);
    let is_shell = page.blocks.len() <= SHELL && pictures.iter().all(Picture::is_empty);
    claimed.extend(is_shell.then(|| lead::pictures_of_state(&page)).into_iter().flatten());
    let mut placing = placed::Placing::new(&page, &body, is_post);
    let (mut images, named) = images::images(pictures, claimed, is_shell, |picture| placing.position(picture));

    let lead_image = lead::lead(&images, named, kind == Kind::Article);
    if let Some(lead) = lead_image {
        images[lead].in_article = true;
    }

    let text = body.text(&page);
    let language = language::language(&text, page.language.as_deref(), document.claims.language.as_deref());
    let found = Found {
        kind,
        language: language.as_deref(),
        address: address.as_ref(),
        named: published::named(&images, lead_image, document),
    };
    let Dates { all: dates, published, modified } = Dates::of(&page, &body, &facts, document, &found);
    let (mut byline, mut source) = authors::byline(&page, &body, &facts, document);
    if let Some(boilerplate) = document.boilerplate {
        for site in byline.extract_if(.., |person| boilerplate.is_standing(person)) {
            source = source.or(Some(site.name));
        }
    }
    let article = Article {
        title: title::title(&page, &facts, document, is_post),
        byline,
        source,
        published,
        modified,
        dates,
        canonical: facts::canonical(&page, address.as_ref(), &mut oddities),
        lead_image,
        categories: facts::categories(&page, &facts, document),
        language,
        text,
        html: html::html(&page, &body, &images),
    };
    let reading = Reading { page: &page, body: &body, facts: &facts, article: &article, images: &images };
    let kind = if is_post { kind } else { kind::once_read(kind, &reading, &decoded.text) };
    let next = address.as_ref().filter(|_| !is_post).and_then(|address| pages::next(&page, address));
    // A shell whose scripts would show a list has that list in it.
    let listed = matches!(kind, Kind::Other | Kind::NeedsBrowser).then(|| listed::links(&page)).unwrap_or_default();
    let kind = if listed.len() >= kind::HEADLINES { Kind::List } else { kind };
    let mut links = distinct_links(std::mem::take(&mut page.links), &images);
    if kind == Kind::List {
        let mut known: HashSet<WebUrl> = links.iter().map(|link| link.url.clone()).collect();
        links.extend(listed.into_iter().filter(|link| known.insert(link.url.clone())));
        if let Some(url) = page.next.take().filter(|_| !links.iter().any(|link| link.next)) {
            match links.iter_mut().find(|link| link.url == url) {
                Some(link) => link.next = true,
                None => links.push(Link { url, text: String::new(), nofollow: false, around: true, next: true }),
            }
        }
    }
    let cut = matches!(kind, Kind::Article | Kind::Gallery) && signs::is_cut(&page, &body, &facts);
    let refresh = page.refresh.take();
    let meta_robots = ROBOTS.iter().flat_map(|name| {
        let prefix = if *name == "robots" { String::new() } else { format!("{name}: ") };
        page.meta(name).map(move |directives| format!("{prefix}{directives}"))
    });
    let meta_robots = meta_robots.collect();
    Findings {
        kind,
        cut,
        charset: (decoded.name, decoded.from),
        declared_charset: decoded.declared,
        article,
        requisites: distinct_requisites(page.requisites, &images),
        links,
        images,
        next,
        refresh,
        meta_robots,
        oddities,
    }
}

fn decoded<'a>(document: &Document<'a>, address: Option<&WebUrl>) -> charset::Decoded<'a> {
    charset::decode(document.bytes, document.head.field("content-type").as_deref(), address.map(WebUrl::host))
}

/// What the judge of blocks sees of one, and what it is trained on (`scripts/train_blocks.py`).
#[derive(Clone, Debug)]
pub struct Sight {
    /// The block's text.
    pub text: String,
    /// What is measured of it: the first of [`features`].
    pub features: Vec<f32>,
    /// The words of the elements around it, the innermost first.
    pub marks: Vec<Vec<String>>,
    /// The element of the branch it hangs on, as a place in `marks`, and how far up that hangs.
    pub branch: (usize, usize),
}

/// The names of everything the judge asks for; the last ones are made of [`Sight::marks`] and what words are known for.
pub fn features() -> Vec<String> {
    judge::names()
}

/// What the judge of blocks sees of a document.
pub fn sights(document: &Document<'_>) -> Vec<Sight> {
    let address = WebUrl::parse(document.url).ok();
    let decoded = decoded(document, address.as_ref());
    let page = Page::read(&decoded.text, address, decoded.encoding(), None);
    let facts = Facts::of(&page);
    let body = Body::by_rule(&page, document.is_post);
    let around =
        features::Surroundings { page: &page, facts: &facts, chosen: body.containers.clone(), kept: &body.kept };
    let seen = judge::see(&around);
    let sight = |((block, features), (branch, below)): ((&Block, Vec<f32>), (usize, usize))| {
        let (mut marks, mut path) = (Vec::new(), Vec::new());
        let mut at = block.mark;
        while at != 0 {
            path.push(at);
            let mark = page.marks.get(at);
            marks.push(mark.words().map(str::to_owned).collect());
            at = mark.parent;
        }
        let branch = path.iter().position(|at| *at == branch).unwrap_or(0);
        Sight { text: block.text.clone(), features, marks, branch: (branch, below) }
    };
    page.blocks.iter().zip(seen.rows).zip(seen.branches).map(sight).collect()
}

/// What a style sheet names: other sheets, fonts, pictures, in order, each once. `policy` is the sheet's own
/// (its `Referrer-Policy` field, or the default).
pub fn read_style(url: &WebUrl, text: &str, policy: Policy) -> Vec<Requisite> {
    let found = style::addresses(text).into_iter();
    let found = found.filter_map(|(role, href)| Some(Requisite { url: url.join(&href, None).ok()?, role, policy }));
    distinct_requisites(found.filter(|requisite| requisite.url != *url).collect(), &[])
}

/// Each once, and no picture that is among the images.
fn distinct_requisites(requisites: Vec<Requisite>, images: &[Image]) -> Vec<Requisite> {
    let mut seen: HashSet<WebUrl> =
        images.iter().flat_map(|image| &image.variants).map(|one| one.url.clone()).collect();
    requisites.into_iter().filter(|requisite| seen.insert(requisite.url.clone())).collect()
}

/// Each once, at its first place, and none that leads to one of the images. A picture often links where the headline
/// beside it does, so the first link with a text gives the text.
fn distinct_links(found: Vec<FoundLink>, images: &[Image]) -> Vec<Link> {
    let pictures: HashSet<&WebUrl> = images.iter().flat_map(|image| &image.variants).map(|one| &one.url).collect();
    let mut at: HashMap<WebUrl, usize> = HashMap::new();
    let mut links: Vec<Link> = Vec::new();
    for link in found.into_iter().map(|found| found.link).filter(|link| !pictures.contains(&link.url)) {
        match at.get(&link.url) {
            Some(at) => {
                let known = &mut links[*at];
                (known.around, known.next) = (known.around && link.around, known.next || link.next);
                if known.text.is_empty() {
                    known.text = link.text;
                }
            }
            None => {
                at.insert(link.url.clone(), links.len());
                links.push(link);
            }
        }
    }
    links
}

/// White space folded to single spaces, none at the ends.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.trim().len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    // Texts are kept; where most was white space, its room is given back.
    if folded.capacity() > 2 * folded.len() {
        folded.shrink_to_fit();
    }
    folded
}
