//! What a document says: its article, its pictures, its links, what it needs to be shown.
//!
//! [`read`] is pure and never fails: whatever the bytes, it returns what it could read and what was odd. It fetches
//! nothing, knows no clock but [`Document::at`], and keeps nothing between two documents.

use crate::web::claims::Claims;
use crate::web::message::Head;
use crate::web::referrer::Policy;
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

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
    /// What a seed document claimed of it.
    pub claims: &'a Claims,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What sort of page it is.
    pub kind: Kind,
    /// The WHATWG name of the charset used, and where it was learnt.
    pub charset: (&'static str, CharsetFrom),
    /// The readable part.
    pub article: Article,
    /// One logical image per picture, in document order; the lead image first only if it stands first.
    pub images: Vec<Image>,
    /// Style sheets and scripts, in document order, each once.
    pub requisites: Vec<Requisite>,
    /// Pages it links to, in document order, each once.
    pub links: Vec<Link>,
    /// The page's own robots directives (`<meta name=robots>`), as written.
    pub meta_robots: Option<String>,
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
    /// Neither.
    Other,
}

/// Where a charset was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharsetFrom {
    /// A byte order mark.
    Bom,
    /// The `Content-Type` field.
    Header,
    /// A `<meta>` element.
    Meta,
    /// A guess from the bytes.
    Guess,
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
    /// Every date that is claimed, the chosen one included; conflicts stay visible.
    pub dates: Vec<Date>,
    /// A BCP 47 language tag, from the text before the markup.
    pub language: Option<String>,
    /// The page's address of record (`rel=canonical`, `og:url`).
    pub canonical: Option<WebUrl>,
    /// Index into [`Findings::images`].
    pub lead_image: Option<usize>,
    /// Sections, categories, tags as claimed.
    pub categories: Vec<String>,
    /// The text, one block a line.
    pub text: String,
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
    /// It is part of the article's body, not of the page around it.
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
}

impl VariantRole {
    /// The word in columns and records.
    pub fn as_str(self) -> &'static str {
        match self {
            VariantRole::Original => "original",
            VariantRole::Proxied => "proxied copy",
            VariantRole::Responsive => "responsive",
            VariantRole::Placeholder => "placeholder",
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
}

/// Reads a document; see the module's head.
pub fn read(document: &Document<'_>) -> Findings {
    let _ = document;
    Findings {
        kind: Kind::Other,
        charset: ("UTF-8", CharsetFrom::Guess),
        article: Article::default(),
        images: Vec::new(),
        requisites: Vec::new(),
        links: Vec::new(),
        meta_robots: None,
        oddities: Vec::new(),
    }
}

/// What a style sheet names: other sheets, fonts, pictures, in order, each once. `policy` is the sheet's own
/// (its `Referrer-Policy` field, or the default).
pub fn read_style(url: &WebUrl, text: &str, policy: Policy) -> Vec<Requisite> {
    let _ = (url, text, policy);
    Vec::new()
}
