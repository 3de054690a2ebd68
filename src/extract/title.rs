//! The headline, without the name of the site.

use super::facts::Facts;
use super::tree::{Page, Zone, weight};
use super::{Document, folded};

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
