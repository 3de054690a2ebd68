//! What to crawl: reads lists, feeds, sitemaps and posts into a [`Harvest`].
//!
//! [`read`] is pure. The format is told from the content, the name only breaks ties. What cannot be used is a
//! [`Reject`] with its line; the rest goes on.

use crate::web::claims::Claims;
use crate::web::url::WebUrl;

/// Everything a seed document gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Harvest {
    /// What the bytes were taken for; none when they were nothing known.
    pub format: Option<Format>,
    /// URLs to crawl, in order, repeats kept out.
    pub seeds: Vec<Seed>,
    /// Documents that are themselves to be archived: posts without an address of their own.
    pub documents: Vec<Document>,
    /// What could not be used.
    pub rejects: Vec<Reject>,
}

/// The kinds of seed document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One URL a line.
    List,
    /// RSS or Atom.
    Feed,
    /// A sitemap of pages.
    Sitemap,
    /// A sitemap of sitemaps.
    SitemapIndex,
    /// YAML front matter and an HTML or Markdown body.
    Post,
}

/// A URL a person or a feed asked for, with what was claimed about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// What to fetch.
    pub url: WebUrl,
    /// Where it stood, counted from 1; 0 when the format has no lines.
    pub line: u32,
    /// What was said of it.
    pub claims: Claims,
}

/// A post that is its own article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The whole post as given: this is archived.
    pub bytes: Vec<u8>,
    /// The body as HTML (Markdown rendered): this is extracted.
    pub html: String,
    /// The front matter.
    pub claims: Claims,
}

/// A line or entry that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Where it stood, counted from 1; 0 when the format has no lines.
    pub line: u32,
    /// What stood there, cut to 200 characters.
    pub text: String,
    /// Why it cannot be used: a fragment that reads after «line 3: ».
    pub reason: String,
}

/// Reads a seed document. `name` is its file name, its URL, or `-`; relative links in a feed resolve against it when
/// it is a URL.
pub fn read(name: &str, bytes: &[u8]) -> Harvest {
    let _ = (name, bytes);
    Harvest::default()
}
