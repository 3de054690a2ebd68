//! What a seed document says of a page, kept apart from what we find on the page itself.

use serde::{Deserialize, Serialize};

/// The claims of a feed entry, a sitemap line or a post's front matter. Texts are as claimed; nothing is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Names as claimed; a source name is often given as an author.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// Publication date as written: RFC 2822, RFC 3339 or a naive `YYYY-MM-DD HH:MM:SS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Date of the last change, as written (`updated`, `lastmod`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// Categories in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Address of the lead picture, as written (`headimg`, `thumbnail`, an enclosure).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_image: Option<String>,
    /// Language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether comments are open, where a post says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<bool>,
}
