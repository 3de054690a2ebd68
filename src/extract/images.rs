//! Pictures: every address one is known by, which of them is the original, and which belong together.
//!
//! A page shows one picture in many guises: a stand-in until a script has run, a proxied copy, six widths, a copy for
//! readers without scripts, a thumbnail and a lead in the head. All of them become one [`Image`].

use std::collections::HashMap;

use scraper::ElementRef;

use super::srcset::{self, Size};
use super::tree::{Base, Place, is_in};
use super::{Image, Variant, VariantRole};
use crate::web::referrer::Policy;
use crate::web::url::WebUrl;
use crate::web::wrapped;

/// Attributes that name the full picture where `src` and `srcset` have a lesser one, best first.
const ORIGINALS: &[&str] = &[
    "data-gif-url",      // sspai and others: the moving picture behind its first frame
    "zoomfile",          // Discuz!: the attachment; `file` beside it is the thumbnail
    "data-original",     // jQuery Lazy Load, and the ZAKER and Zhihu families
    "data-original-src", // variants of the same plugin
    "data-full-src",     // themes with a light box
    "data-full-url",     // WordPress galleries
    "data-orig-file",    // WordPress.com and Jetpack carousels
    "data-hi-res-src",   // retina scripts
    "data-actualsrc",    // Zhihu
];

/// Attributes that hold what a script will put into `src`.
const LAZY: &[&str] = &[
    "data-src",      // lazysizes, lozad, WeChat articles
    "data-lazy-src", // WordPress lazy-load plugins
    "data-lazyload", // Sohu and Tencent themes
    "data-lazy",     // slick
    "data-echo",     // echo.js
    "data-url",      // Toutiao pages
    "_src",          // UEditor
    "data-image",    // Squarespace
    "data-thumb",    // unveil themes
    "file",          // Discuz!
];

/// Attributes with the form of `srcset`.
const SRCSETS: &[&str] = &["srcset", "data-srcset", "data-lazy-srcset"];

/// Files that stand in for a picture until it is loaded.
const STAND_INS: &str = "\
    loading.gif loading.png loading.svg blank.gif blank.png none.gif spacer.gif pixel.gif 1x1.gif 1x1.png \
    transparent.gif transparent.png placeholder.gif placeholder.png placeholder.jpg placeholder.svg grey.gif \
    gray.gif lazy.gif lazyload.gif s.gif empty.gif dot.gif";

/// Services that answer with some picture: what they give is never the article's.
const FILLERS: &str = "\
    picsum.photos placehold.it placehold.co via.placeholder.com dummyimage.com lorempixel.com placekitten.com";

/// Endings that make an address a picture's.
const ENDINGS: &str = ".jpg .jpeg .png .gif .webp .avif .bmp .svg";

/// What one element says of a picture.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    /// By an attribute of [`ORIGINALS`], or by a link around the picture.
    originals: Vec<WebUrl>,
    /// Candidates of a `srcset`, the largest first.
    sizes: Vec<WebUrl>,
    /// By an attribute of [`LAZY`].
    lazy: Vec<WebUrl>,
    /// By `src`.
    srcs: Vec<WebUrl>,
    /// What a desktop browser picks from a `srcset`.
    picked: Vec<WebUrl>,
    alt: Option<String>,
    pub caption: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    policy: Policy,
    place: Option<Place>,
}

impl Picture {
    /// Reads an `img` (with the `source` elements before it), an `image` of SVG, or any element with such attributes.
    /// None for a tracking pixel.
    pub fn read(element: ElementRef<'_>, base: &Base, policy: Policy, link: Option<&WebUrl>) -> Option<Picture> {
        let attr = |name: &str| super::attr::attr(element, name);
        let number = |names: [&str; 3]| {
            names.into_iter().filter_map(attr).find_map(|value| value.trim().trim_end_matches("px").parse::<u32>().ok())
        };
        let (width, height) = (number(["width", "data-width", "data-w"]), number(["height", "data-height", "data-h"]));
        if width.is_some_and(|width| width <= 2) && height.is_some_and(|height| height <= 2) {
            return None;
        }
        let named = |names: &[&str]| {
            let values = names.iter().filter_map(|name| attr(name)).filter(|value| is_plausible(value));
            values.filter_map(|value| base.join(value)).collect::<Vec<_>>()
        };
        let mut picture = Picture {
            originals: named(ORIGINALS),
            lazy: named(LAZY),
            srcs: attr("src").and_then(|src| base.join(src)).into_iter().collect(),
            alt: attr("alt").map(super::folded).filter(|alt| !alt.is_empty()),
            width,
            height,
            policy: attr("referrerpolicy").and_then(Policy::from_token).unwrap_or(policy),
            ..Picture::default()
        };
        // A lazy address that is a thumbnail of what `src` shows already is just another size.
        if picture.srcs.first().is_some_and(|src| !is_stand_in(src) && !is_thumbnail(src)) {
            let (thumbnails, lazy) = picture.lazy.drain(..).partition::<Vec<_>, _>(is_thumbnail);
            picture.lazy = lazy;
            picture.srcs.extend(thumbnails);
        }
        picture.read_srcsets(element, base);
        if let Some(link) = link.filter(|link| has_ending(link.path()) && picture.originals.is_empty()) {
            picture.originals.push(link.clone());
        }
        if picture.candidates().next().is_none() {
            picture.read_anything(element, base);
        }
        Some(picture)
    }

    /// A picture of which only the address is known.
    pub fn bare(url: WebUrl, policy: Policy) -> Picture {
        Picture { srcs: vec![url], policy, ..Picture::default() }
    }

    /// The picture where it stands.
    pub fn at(self, place: Place) -> Picture {
        Picture { place: Some(place), ..self }
    }

    /// It names no picture but a stand-in.
    pub fn is_empty(&self) -> bool {
        self.candidates().next().is_none()
    }

    /// Takes over what the same picture says of itself elsewhere.
    pub fn absorb(&mut self, other: Picture) {
        for (mine, theirs) in [
            (&mut self.originals, other.originals),
            (&mut self.sizes, other.sizes),
            (&mut self.lazy, other.lazy),
            (&mut self.srcs, other.srcs),
            (&mut self.picked, other.picked),
        ] {
            for url in theirs {
                push(mine, url);
            }
        }
        self.alt = self.alt.take().or(other.alt);
        self.caption = self.caption.take().or(other.caption);
        (self.width, self.height) =
            if self.width.is_some() { (self.width, self.height) } else { (other.width, other.height) };
    }

    /// The `srcset`s of the element and of the `source`s before it. The candidates with a width come first, whatever
    /// `source` they are from; then a `source` for large screens alone. Any other `source` without widths is another
    /// format of the `src`, or a crop for small screens, and comes after it.
    fn read_srcsets(&mut self, element: ElementRef<'_>, base: &Base) {
        let parent = element.parent().and_then(ElementRef::wrap).filter(|parent| parent.value().name() == "picture");
        let sources = parent.iter().flat_map(ElementRef::child_elements).filter(|one| one.value().name() == "source");
        let mut widths: Vec<(f32, WebUrl)> = Vec::new();
        let mut formats: Vec<(f32, WebUrl)> = Vec::new();
        for source in sources.chain([element]) {
            let sizes = source.attr("sizes").or_else(|| source.attr("data-sizes")).filter(|sizes| *sizes != "auto");
            let for_large =
                source.attr("media").is_some_and(|media| media.contains("min-width") && srcset::holds(media));
            for value in SRCSETS.iter().filter_map(|name| source.attr(name)) {
                let candidates = srcset::candidates(value);
                // Browsers take the first source that suits them.
                if self.picked.is_empty() && source.attr("media").is_none_or(srcset::holds) {
                    let picked = [1.0, 2.0].map(|density| srcset::pick(&candidates, sizes, density));
                    for url in picked.into_iter().flatten().filter_map(|at| base.join(candidates[at].url)) {
                        push(&mut self.picked, url);
                    }
                }
                for (candidate, url) in candidates.iter().filter_map(|one| Some((one, base.join(one.url)?))) {
                    match candidate.size {
                        Size::Width(width) => widths.push((width, url)),
                        Size::Density(density) if source == element || for_large => widths.push((density, url)),
                        Size::Density(density) => formats.push((density, url)),
                    }
                }
            }
        }
        for list in [&mut widths, &mut formats] {
            list.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        }
        widths.into_iter().for_each(|(_, url)| push(&mut self.sizes, url));
        let list = if self.srcs.iter().any(|src| !is_stand_in(src)) { &mut self.srcs } else { &mut self.sizes };
        formats.into_iter().for_each(|(_, url)| push(list, url));
    }

    /// The last resort: any attribute that is an address with a picture's ending.
    fn read_anything(&mut self, element: ElementRef<'_>, base: &Base) {
        let known = |name: &str| matches!(name, "src" | "alt" | "title" | "style" | "class" | "id" | "oldsrc");
        for (name, value) in element.value().attrs().filter(|(name, _)| !known(name)) {
            let is_address = value.contains('/') && !value.contains(char::is_whitespace);
            if let Some(url) = base.join(value).filter(|url| is_address && has_ending(url.path()) && name.len() > 1) {
                push(&mut self.lazy, url);
            }
        }
    }

    /// Addresses that may be the original, best first.
    fn candidates(&self) -> impl Iterator<Item = &WebUrl> {
        let all = [&self.originals, &self.sizes, &self.lazy, &self.srcs];
        all.into_iter().flatten().filter(|url| !is_stand_in(url))
    }

    /// What makes two pictures one: any address of theirs, or what it wraps.
    fn keys(&self) -> impl Iterator<Item = WebUrl> {
        self.candidates().map(innermost)
    }

    fn variants(&self) -> Vec<Variant> {
        let Some(original) = self.candidates().next().map(innermost) else { return Vec::new() };
        let mut variants = vec![Variant { url: original.clone(), role: VariantRole::Original, wanted: true }];
        let shown: Vec<&WebUrl> = self.srcs.iter().take(1).chain(&self.picked).collect();
        let lists = [&self.srcs, &self.picked, &self.originals, &self.sizes, &self.lazy];
        for url in lists.into_iter().flatten() {
            let layers = wrapped::unwrapped(url);
            let role = match layers.last() {
                _ if is_stand_in(url) => VariantRole::Placeholder,
                Some(inner) if *inner == original => VariantRole::Proxied,
                _ => VariantRole::Responsive,
            };
            let wanted = shown.contains(&url);
            // What a proxied copy of another size wraps is worth knowing should the proxy be gone.
            let inner = layers.into_iter().next_back().map(|url| (url, VariantRole::Responsive, false));
            for (url, role, wanted) in [Some((url.clone(), role, wanted)), inner].into_iter().flatten() {
                match variants.iter_mut().find(|variant| variant.url == url) {
                    Some(variant) => variant.wanted |= wanted,
                    None => variants.push(Variant { url, role, wanted }),
                }
            }
        }
        variants
    }
}

/// What an address wraps in the end; itself when it wraps nothing.
pub(super) fn innermost(url: &WebUrl) -> WebUrl {
    wrapped::unwrapped(url).pop().unwrap_or_else(|| url.clone())
}

/// Makes one image of each picture. `body` tells the position of what stands in the article. `claimed` are the
/// addresses the head, the claims or structured data give the article's pictures, the lead first; the index of the
/// lead comes back beside the images.
pub(super) fn images(
    pictures: Vec<Picture>,
    claimed: Vec<Picture>,
    body: impl Fn(&Place) -> Option<u32>,
) -> (Vec<Image>, Option<usize>) {
    let mut known: HashMap<WebUrl, usize> = HashMap::new();
    let mut merged: Vec<(Picture, Option<u32>)> = Vec::new();
    let mut lead = None;
    for (picture, position) in pictures
        .into_iter()
        .map(|picture| {
            let position = picture.place.as_ref().and_then(&body);
            (picture, Some(position))
        })
        .chain(claimed.into_iter().map(|picture| (picture, None)))
    {
        let keys: Vec<WebUrl> = picture.keys().collect();
        if keys.is_empty() {
            continue;
        }
        let at = match keys.iter().find_map(|key| known.get(key)) {
            Some(at) => {
                let (one, old) = &mut merged[*at];
                // The element in the body knows best how the picture is shown.
                if old.is_none() && position.flatten().is_some() {
                    *old = position.flatten();
                    one.policy = picture.policy;
                }
                one.absorb(picture);
                *at
            }
            None => {
                merged.push((picture, position.flatten()));
                merged.len() - 1
            }
        };
        if position.is_none() && lead.is_none() {
            lead = Some(at);
        }
        keys.into_iter().for_each(|key| _ = known.entry(key).or_insert(at));
    }
    let image = |(at, (picture, position)): (usize, (Picture, Option<u32>))| Image {
        variants: picture.variants(),
        in_article: position.is_some() || lead == Some(at),
        position,
        alt: picture.alt,
        caption: picture.caption,
        width: picture.width,
        height: picture.height,
        policy: picture.policy,
    };
    (merged.into_iter().enumerate().map(image).collect(), lead)
}

/// The value of an attribute that should hold an address looks like one: `track-1234` does not.
fn is_plausible(value: &str) -> bool {
    let value = value.trim();
    !value.is_empty() && (value.contains('/') || has_ending(value)) && !value.starts_with(['{', '['])
}

/// Never the original: it stands in for the picture, or for any picture.
pub(super) fn is_stand_in(url: &WebUrl) -> bool {
    let file = url.path().rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    is_in(STAND_INS, &file)
        || is_in(FILLERS, url.host())
        || wrapped::unwrapped(url).last().is_some_and(|inner| is_in(FILLERS, inner.host()))
}

/// The file's name says it is small: `thumb`, or a size of at most three digits as in `_80x60`.
fn is_thumbnail(url: &WebUrl) -> bool {
    let path = url.path().to_ascii_lowercase();
    let file = path.rsplit('/').next().unwrap_or("");
    let small = |part: &str| {
        let is_number = |text: &str| (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        part.split_once('x').is_some_and(|(width, height)| is_number(width) && is_number(height))
    };
    file.contains("thumb") || file.split(['_', '-', '.', '@']).any(small)
}

fn has_ending(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ENDINGS.split(' ').any(|ending| path.ends_with(ending))
}

/// Adds an address that is not there yet. Nobody needs more than 64 of a kind for one picture.
fn push(list: &mut Vec<WebUrl>, url: WebUrl) {
    if list.len() < 64 && !list.contains(&url) {
        list.push(url);
    }
}
