//! What part of a page an element stands in, and what else is known of it on the way down.

use scraper::ElementRef;

use crate::extract::page::attr::attr;
use crate::extract::page::words::Words;

/// What part of the page something stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zone {
    /// Where text may be the article's.
    Content,
    /// The header of an article: title, byline, date, but no text.
    Head,
    /// Around the article, to judge by a class name.
    Suspect,
    /// Around the article by the element's meaning: navigation, footer, side matter.
    Around,
}

/// What is known on the way down.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub(super) container: usize,
    pub(super) zone: Zone,
    pub(super) form: Option<usize>,
    pub(super) heading: u8,
    pub(super) depth: usize,
    pub(super) mark: usize,
    pub(super) flags: Flags,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) head: bool,
    pub(super) noscript: bool,
    pub(super) svg: bool,
    /// Inside `article` or `main`, where a `header` is the article's own.
    pub(super) article: bool,
    /// Not shown.
    pub(super) hidden: bool,
    pub(super) figure: bool,
}

impl State {
    /// What an element changes for what stands in it.
    pub(super) fn enter(&mut self, element: ElementRef<'_>) {
        let name = element.value().name();
        let zone = match name {
            "nav" | "footer" | "aside" | "menu" | "dialog" => Zone::Around,
            "header" if self.flags.article => Zone::Head,
            "header" => Zone::Around,
            _ => match attr(element, "role").unwrap_or("") {
                "navigation" | "banner" | "contentinfo" | "complementary" | "search" | "dialog" => Zone::Around,
                _ if matches!(name, "html" | "body" | "main" | "article") => Zone::Content,
                _ if ["class", "id"].iter().filter_map(|name| attr(element, name)).any(is_suspect) => Zone::Suspect,
                _ => Zone::Content,
            },
        };
        self.zone = self.zone.max(zone);
        self.flags.article |= matches!(name, "article" | "main");
        self.flags.hidden |= is_hidden(element);
        self.heading = match name.as_bytes() {
            [b'h', digit @ b'1'..=b'6'] => digit - b'0',
            _ if is_block(name) => 0,
            _ => self.heading,
        };
    }
}

fn is_hidden(element: ElementRef<'_>) -> bool {
    let hides = |style: &str| {
        let style = style.replace(' ', "").to_ascii_lowercase();
        style.contains("display:none") || style.contains("visibility:hidden")
    };
    attr(element, "hidden").is_some()
        || attr(element, "aria-hidden") == Some("true")
        || attr(element, "style").is_some_and(hides)
}

/// Elements that begin and end a block of text.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "html"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// Elements that may hold a whole article.
pub(super) fn is_container(name: &str) -> bool {
    matches!(name, "article" | "body" | "center" | "div" | "form" | "main" | "section" | "td")
}

/// Words that a class or an id around the article begins with.
static SUSPECTS: Words = Words::new(
    "\
    ad ads advert advertisement breadcrumb breadcrumbs comment comments cookie copyright disqus footer menu modal \
    nav navbar navigation newsletter pager pagination popup prev promo recommend recommendations recommended \
    related relation reply respond share sharing sidebar social subscribe tags toolbar widget",
);

/// `sidebar`, `sidebar-left` and `nav_main`, but not `with-sidebar` or `navy`.
fn is_suspect(words: &str) -> bool {
    words.split_ascii_whitespace().any(|word| {
        let first = word.split(['-', '_']).next().unwrap_or("");
        SUSPECTS.has_in_any_case(first)
    })
}
