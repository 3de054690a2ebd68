//! Media types: what a `Content-Type` says, and what the first bytes show.

/// The families that decide what is done with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// HTML or XHTML.
    Html,
    /// XML of any sort: feeds and sitemaps are told apart by content.
    Xml,
    /// A style sheet.
    Css,
    /// A script.
    Script,
    /// JSON of any sort.
    Json,
    /// A picture.
    Image,
    /// Text that is none of these.
    Text,
    /// Anything else, and nothing.
    Other,
}
