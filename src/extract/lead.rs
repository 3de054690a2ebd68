//! The picture that stands for an article.

use super::facts::Facts;
use super::images::{self, Picture};
use super::tree::Page;
use super::{Document, Image};

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
