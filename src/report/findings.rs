//! What the extractor found, as one JSON object.

use serde_json::{Value, json};

use crate::extract::{Date, Findings, Image};
use crate::web::candidate::Role;
use crate::web::referrer;
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

/// One object, in the shape that the `extract` command promises. `id` and `url` are given back as they came; `base` is
/// the address the document was read with, if it has one on the web.
pub fn findings(id: &Value, url: Option<&str>, base: Option<&WebUrl>, found: &Findings) -> Value {
    let article = &found.article;
    let original = |image: &Image| image.variants.first().map(|variant| variant.url.as_str().to_owned());
    let byline = article.byline.iter().map(|person| json!({"name": person.name, "role": person.role}));
    let images = found.images.iter().filter(|image| image.position.is_some()).map(|image| {
        let first = image.variants.first();
        let others = image.variants.iter().skip(1);
        json!({
            "url": original(image),
            "alternates": others
                .map(|variant| json!({"url": variant.url.as_str(), "role": variant.role.as_str()}))
                .collect::<Vec<_>>(),
            "referer": base.zip(first).and_then(|(base, first)| referrer::referer(image.policy, base, &first.url)),
            "alt": image.alt,
            "caption": image.caption,
            "width": image.width,
            "height": image.height,
            "position": image.position,
        })
    });
    // Pictures around the article, which the page needs to be shown.
    let around = found.images.iter().filter(|image| image.position.is_none()).flat_map(|image| &image.variants);
    let around = around.filter(|variant| variant.wanted).map(|variant| (variant.url.as_str(), Role::Image));
    let requisites = found.requisites.iter().map(|one| (one.url.as_str(), one.role)).chain(around);
    let requisites = requisites.map(|(url, kind)| json!({"url": url, "kind": kind.as_str()}));
    json!({
        "id": id,
        "url": url,
        "kind": found.kind.as_str(),
        "cut": found.cut,
        "title": article.title,
        "byline": byline.collect::<Vec<_>>(),
        "source": article.source,
        "published": article.published.as_ref().map(date),
        "modified": article.modified.as_ref().map(date),
        "dates": article.dates.iter().map(claim).collect::<Vec<_>>(),
        "language": article.language,
        "charset": {
            "name": found.charset.0,
            "from": found.charset.1.as_str(),
            "declared": found.declared_charset,
        },
        "canonical_url": article.canonical.as_ref().map(WebUrl::as_str),
        "lead_image": article.lead_image.and_then(|at| original(found.images.get(at)?)),
        "images": images.collect::<Vec<_>>(),
        "requisites": requisites.collect::<Vec<_>>(),
        "outlinks": found.links.iter().map(|link| link.url.as_str()).collect::<Vec<_>>(),
        "categories": article.categories,
        "text": article.text,
        "html": article.html,
        "oddities": found.oddities,
    })
}

fn date(date: &Date) -> Value {
    json!({
        "utc": date.utc.map(Timestamp::iso),
        "local": date.local,
        "precision": date.precision.as_str(),
        "from": date.from,
    })
}

/// A claim with the words it was made in, and what speaks against it.
fn claim(claim: &Date) -> Value {
    let mut value = date(claim);
    value["claim"] = json!(claim.claim);
    value["conflict"] = json!(claim.conflict);
    value
}
