//! Pictures: every address one is known by, which of them is the original, and which belong together.
//!
//! A page shows one picture in many guises: a stand-in until a script has run, a proxied copy, six widths, a copy for
//! readers without scripts, a thumbnail and a lead in the head. All of them become one [`Image`].

use std::collections::HashMap;

use scraper::ElementRef;

use crate::extract::page::attr::attr;
use crate::extract::page::tree::{Base, Place};
use crate::extract::pictures::lazy::{self, Holds};
use crate::extract::pictures::srcset::{self, Size};
use crate::extract::pictures::stand_ins::{is_around, is_decoration, is_sign, is_stand_in};
use crate::extract::pictures::{larger, same};
use crate::extract::{Image, Variant, VariantRole};
use crate::web::referrer::Policy;
use crate::web::url::WebUrl;
use crate::web::wrapped;

/// `source`s of one picture that are looked at.
const SOURCES: usize = 64;

/// Pictures up to this width, in pixels, are previews: the narrowest column of text seen is wider.
const SMALL: u32 = 200;

/// Endings that make an address a picture's.
const ENDINGS: &str = ".jpg .jpeg .png .gif .webp .avif .bmp .svg";

/// What one element says of a picture.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// By an attribute that holds the full picture, or by a link around it.
    originals: Vec<WebUrl>,
    /// Candidates of a `srcset`, the largest first.
    sizes: Vec<WebUrl>,
    /// By an attribute that a script reads, where `src` has something lesser.
    lazy: Vec<WebUrl>,
    /// By `src`.
    srcs: Vec<WebUrl>,
    /// Shown until the picture is loaded, as other pictures of the page show it too.
    stand_ins: Vec<WebUrl>,
    /// What a desktop browser picks from a `srcset`.
    picked: Vec<WebUrl>,
    /// The picture at its whole size, behind a link around it.
    linked: Vec<WebUrl>,
    alt: Option<String>,
    pub caption: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    policy: Policy,
    pub place: Option<Place>,
    /// A face, a sign, a logo: by its marks, its address or its size.
    pub decorates: bool,
    /// A link around it leads to a page.
    pub leads_away: bool,
    /// It stands in a `figure` or has a caption.
    pub figure: bool,
}

impl Picture {
    /// Reads an `img` (with the `source` elements before it), an `image` of SVG, or any element with such attributes.
    /// None for a tracking pixel.
    pub fn read(element: ElementRef<'_>, base: &Base, policy: Policy, link: Option<&WebUrl>) -> Option<Picture> {
        let attr = |name: &str| attr(element, name);
        let number = |names: [&str; 3]| {
            names.into_iter().filter_map(attr).find_map(|value| value.trim().trim_end_matches("px").parse::<u32>().ok())
        };
        let (width, height) = (number(["width", "data-width", "data-w"]), number(["height", "data-height", "data-h"]));
        if width.is_some_and(|width| width <= 2) && height.is_some_and(|height| height <= 2) {
            return None;
        }
        let named = |holds: Holds| {
            let values = lazy::named(holds).filter_map(attr).filter(|value| is_plausible(value));
            values.filter_map(|value| base.join(value)).collect::<Vec<_>>()
        };
        let marks = ["class", "id"].into_iter().filter_map(attr);
        let is_small = |side: Option<u32>| side.is_some_and(|side| (1..=64).contains(&side));
        let mut picture = Picture {
            originals: named(Holds::Full),
            lazy: named(Holds::Lazy),
            srcs: attr("src").and_then(|src| base.join(src)).into_iter().collect(),
            alt: attr("alt").map(crate::extract::folded).filter(|alt| !alt.is_empty()),
            width,
            height,
            policy: attr("referrerpolicy").and_then(Policy::from_token).unwrap_or(policy),
            decorates: is_small(width) && is_small(height)
                || marks.into_iter().any(is_decoration)
                || attr("alt").is_some_and(is_sign),
            leads_away: link.is_some_and(|link| !has_ending(link.path())),
            ..Picture::default()
        };
        picture.read_srcsets(element, base);
        picture.prefer_what_is_shown();
        if let Some(link) = link.filter(|link| is_picture(link)) {
            picture.read_link(link);
        }
        if picture.candidates().next().is_none() {
            picture.read_anything(element, base);
        }
        let around = picture.best().is_some_and(is_around);
        picture.decorates |= around;
        Some(picture)
    }

    /// The background of an element, by an attribute that a script reads.
    pub fn background(element: ElementRef<'_>, base: &Base, policy: Policy) -> Option<Picture> {
        let value = lazy::named(Holds::Background).find_map(|name| attr(element, name))?;
        // Either an address or a piece of CSS.
        let inside = value.trim().strip_prefix("url(").map_or(value, |rest| rest.trim_end_matches([')', ';', ' ']));
        let url = base.join(inside.trim_matches(['"', '\'']))?;
        (has_ending(url.path()) && !is_stand_in(&url)).then(|| Picture::bare(url, policy))
    }

    /// Where `src` shows the picture already, another address of it is better only if it is larger: a thumbnail, or
    /// the same without a size, is just another size.
    fn prefer_what_is_shown(&mut self) {
        let Some(src) = self.srcs.first().filter(|src| !is_stand_in(src) && !is_thumbnail(src)).cloned() else {
            return;
        };
        let (width, name) = (same::width(&src), same::name(&src));
        let lesser = |url: &WebUrl| {
            let other = same::width(url);
            is_thumbnail(url)
                || width.is_some_and(|width| width > SMALL && other.is_none_or(|other| other <= width))
                    && same::name(url) == name
        };
        let (lesser, lazy) = self.lazy.drain(..).partition::<Vec<_>, _>(lesser);
        self.lazy = lazy;
        for url in lesser {
            // What the attribute says again is no size of a set.
            self.sizes.retain(|size| *size != url);
            if !is_thumbnail(&url) {
                push(&mut self.picked, url.clone());
            }
            push(&mut self.srcs, url);
        }
    }

    /// A link to a picture is one to the whole of this one where this one is small, or is a size of that.
    fn read_link(&mut self, link: &WebUrl) {
        let shown = self.candidates().next();
        let is_whole = shown.is_none_or(|shown| {
            let is_size = same::name(shown) == same::name(link) && same::width(link).is_none();
            is_size || is_thumbnail(shown) || self.width.is_some_and(|width| width <= SMALL)
        });
        if is_whole && self.originals.is_empty() {
            self.originals.push(link.clone());
        } else {
            push(&mut self.linked, link.clone());
        }
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
            (&mut self.linked, other.linked),
            (&mut self.stand_ins, other.stand_ins),
        ] {
            for url in theirs {
                push(mine, url);
            }
        }
        self.decorates &= other.decorates;
        self.leads_away &= other.leads_away;
        self.figure |= other.figure;
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
        let sources = sources.take(SOURCES);
        let mut widths: Vec<(f32, WebUrl)> = Vec::new();
        let mut formats: Vec<(f32, WebUrl)> = Vec::new();
        for source in sources.chain([element]) {
            let sizes = attr(source, "sizes").or_else(|| attr(source, "data-sizes")).filter(|sizes| *sizes != "auto");
            let for_large =
                attr(source, "media").is_some_and(|media| media.contains("min-width") && srcset::holds(media));
            for value in lazy::named(Holds::Set).filter_map(|name| attr(source, name)) {
                let candidates = srcset::candidates(value);
                // Browsers take the first source that suits them.
                if self.picked.is_empty() && attr(source, "media").is_none_or(srcset::holds) {
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

    /// What makes two pictures one: any address of theirs, or what it wraps, or what is left without its size.
    fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for url in self.candidates() {
            let inner = innermost(url);
            keys.push(inner.as_str().to_owned());
            keys.push(same::name(&inner));
        }
        keys
    }

    /// Its alternative text.
    pub fn alt(&self) -> Option<&str> {
        self.alt.as_deref()
    }

    /// The address that stands for it.
    pub fn best(&self) -> Option<&WebUrl> {
        self.candidates().next()
    }

    fn variants(&self) -> Vec<Variant> {
        let Some(original) = self.candidates().next().map(innermost) else { return Vec::new() };
        let mut variants = vec![Variant { url: original.clone(), role: VariantRole::Original, wanted: true }];
        let shown: Vec<&WebUrl> = self.srcs.iter().take(1).chain(&self.picked).chain(&self.stand_ins).collect();
        let lists = [&self.srcs, &self.stand_ins, &self.picked, &self.originals, &self.sizes, &self.lazy];
        for url in lists.into_iter().flatten().chain(&self.linked) {
            let layers = wrapped::unwrapped(url);
            let role = match layers.last() {
                _ if is_stand_in(url) || self.stand_ins.contains(url) => VariantRole::Placeholder,
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
        if let Some(url) = larger::larger(&original).filter(|url| variants.iter().all(|one| one.url != *url)) {
            variants.push(Variant { url, role: VariantRole::Larger, wanted: false });
        }
        variants
    }
}

/// What an address wraps in the end; itself when it wraps nothing.
pub fn innermost(url: &WebUrl) -> WebUrl {
    wrapped::unwrapped(url).pop().unwrap_or_else(|| url.clone())
}

/// Makes one image of each picture. `belongs` tells the position of what stands in the article. `claimed` are the
/// pictures that the head, the claims or structured data name, the lead first; the index of the lead comes back
/// beside the images. In a shell, which shows nothing itself, they are the article's.
pub fn images(
    mut pictures: Vec<Picture>,
    claimed: Vec<Picture>,
    is_shell: bool,
    mut belongs: impl FnMut(&Picture) -> Option<u32>,
) -> (Vec<Image>, Option<usize>) {
    leave_common_stand_ins(&mut pictures);
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut merged: Vec<(Picture, Option<u32>)> = Vec::new();
    let mut named = None;
    let shown = pictures.into_iter().map(|picture| (belongs(&picture), picture, false));
    for (position, mut picture, is_claim) in shown.chain(claimed.into_iter().map(|picture| (None, picture, true))) {
        let keys = picture.keys();
        if keys.is_empty() {
            continue;
        }
        let at = match keys.iter().find_map(|key| known.get(key)) {
            Some(at) => {
                let (one, old) = &mut merged[*at];
                // The element in the body knows best how the picture is shown.
                if old.is_none() && position.is_some() {
                    *old = position;
                    std::mem::swap(one, &mut picture);
                }
                one.absorb(picture);
                *at
            }
            None => {
                merged.push((picture, position));
                merged.len() - 1
            }
        };
        if is_claim {
            named.get_or_insert(at);
            merged[at].1 = merged[at].1.or(is_shell.then_some(0));
        }
        keys.into_iter().for_each(|key| _ = known.entry(key).or_insert(at));
    }
    let image = |(picture, position): (Picture, Option<u32>)| Image {
        variants: picture.variants(),
        in_article: position.is_some(),
        position,
        alt: picture.alt,
        caption: picture.caption,
        width: picture.width,
        height: picture.height,
        policy: picture.policy,
    };
    (merged.into_iter().map(image).collect(), named)
}

/// A `src` that several pictures share while each has a better address of its own stands in for all of them.
fn leave_common_stand_ins(pictures: &mut [Picture]) {
    let mut stands_for: HashMap<WebUrl, Option<WebUrl>> = HashMap::new();
    for picture in pictures.iter() {
        let (Some(src), Some(best)) = (picture.srcs.first(), picture.best()) else { continue };
        if src != best {
            let other = stands_for.entry(src.clone()).or_insert_with(|| Some(best.clone()));
            // None: for more than one.
            if other.as_ref().is_some_and(|other| same::name(other) != same::name(best)) {
                *other = None;
            }
        }
    }
    stands_for.retain(|_, best| best.is_none());
    if stands_for.is_empty() {
        return;
    }
    for picture in pictures {
        let (stand_ins, srcs) = picture.srcs.drain(..).partition(|src| stands_for.contains_key(src));
        (picture.stand_ins, picture.srcs) = (stand_ins, srcs);
    }
}

/// The value of an attribute that should hold an address looks like one: `track-1234` does not.
fn is_plausible(value: &str) -> bool {
    let value = value.trim();
    !value.is_empty() && (value.contains('/') || has_ending(value)) && !value.starts_with(['{', '['])
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

/// A link is one to a picture by its ending, unless that is a wiki's page about the file (`/wiki/File:Boat.jpg`).
fn is_picture(link: &WebUrl) -> bool {
    let file = link.path().rsplit('/').next().unwrap_or("");
    has_ending(file) && !file.contains(':') && !file.contains("%3A")
}

/// Adds an address that is not there yet. Nobody needs more than 64 of a kind for one picture.
fn push(list: &mut Vec<WebUrl>, url: WebUrl) {
    if list.len() < 64 && !list.contains(&url) {
        list.push(url);
    }
}
