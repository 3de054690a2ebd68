//! The picture that stands for an article.

use crate::extract::meta::facts::Facts;
use crate::extract::page::state;
use crate::extract::page::tree::Page;
use crate::extract::pictures::images::Picture;
use crate::extract::pictures::stand_ins::{is_around, is_stand_in};
use crate::extract::{Document, Image};

/// The pictures that the claims, the head and structured data name, the lead first.
pub fn claimed_pictures(page: &Page, facts: &Facts, document: &Document<'_>) -> Vec<Picture> {
    let names = ["og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"];
    let metas = names.into_iter().flat_map(|name| page.meta(name));
    let claims = document.claims.lead_image.as_deref().into_iter().chain(metas);
    let all = claims.chain(facts.pictures.iter().map(String::as_str)).filter_map(|claim| page.base.join(claim));
    all.filter(|url| !is_stand_in(url)).map(|url| Picture::bare(url, page.policy)).collect()
}

/// The pictures in the state that a page without any hands its scripts.
pub fn pictures_of_state(page: &Page) -> Vec<Picture> {
    let states = page.scripts.iter().flat_map(|(script, is_json)| state::states(script, *is_json));
    let urls = states.flat_map(|state| state::pictures(&state)).filter_map(|url| page.base.join(&url));
    urls.filter(|url| !is_stand_in(url) && !is_around(url)).map(|url| Picture::bare(url, page.policy)).collect()
}

/// The picture that leads the article: what is named as its picture where the article shows that one too, else the one
/// it opens with, else what is named, else its first that is not known to be small.
pub fn lead(images: &[Image], named: Option<usize>, is_article: bool) -> Option<usize> {
    let shown = named.filter(|at| images[*at].position.is_some());
    let opens = images.iter().position(Image::opens);
    let first =
        || images.iter().position(|image| image.position.is_some() && image.width.is_none_or(|width| width >= 200));
    let is_sign = |at: &usize| images[*at].variants.first().is_some_and(|original| is_around(&original.url));
    let telling = named.filter(|at| !is_sign(at));
    shown.or(opens.filter(|_| is_article)).or(telling).or_else(|| first().filter(|_| is_article)).or(named)
}

impl Image {
    /// It is shown as a picture people look at before they read, above the text or behind its standfirst.
    fn opens(&self) -> bool {
        let shows = self.caption.is_some() || self.width.is_some_and(|width| width >= 400);
        shows && self.position.is_some_and(|position| position <= 1)
    }
}
