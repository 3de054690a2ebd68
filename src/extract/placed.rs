//! Which pictures are the article's: those between its paragraphs, and the one above them, but no teaser, face or
//! advertisement that stands there too.

use super::body::Body;
use super::images::Picture;
use super::tree::{Page, Place, Zone};
use super::words::Words;

/// Words that the marks of an element have when what stands in it is not the article's, wherever it stands.
static FOREIGN: Words = Words::new(
    "\
    <aside> <nav> <footer> <form> ad ads advert advertisement advertising adslot sponsor sponsored promo promotion \
    promoted related relateds recommend recommended recommendation recommendations recirculation recirc outbrain taboola \
    teaser teasers trending popular author authors byline bio avatar avatars signature contributor newsletter signup \
    subscribe subscription share sharing sharebar social comment comments sidebar breadcrumb breadcrumbs logo logos icon \
    icons emoji qr qrcode cookie toolbar copyright reporter journalist",
);

/// Words of an element that holds one of several teasers, when its picture leads to another page.
static TEASERS: Words =
    Words::new("<li> card cards item items tile grid list listing more next prev swiper carousel box");

/// Blocks of text that may stand between the picture above an article and its first paragraph: captions, a byline,
/// a date, buttons for sharing.
const NEAR: usize = 16;

/// Width in pixels from which a picture above the text is one, and no sign.
const WIDE: u32 = 300;

/// Width in pixels up to which a picture that leads away is a teaser's.
const NARROW: u32 = 250;

/// Tells the pictures of the article from the others of its page.
pub(super) struct Placing<'a> {
    page: &'a Page,
    body: &'a Body,
    is_post: bool,
    /// The number of the block that is the title.
    title: Option<usize>,
    /// The innermost element around the whole article.
    root: usize,
    /// For each element, whether the whole article stands in it.
    encloses: Vec<bool>,
    /// For each element that was asked about, what it and those around it, up to the article's own, say.
    known: Vec<Option<Marked>>,
}

/// What the marks of an element and of those around it say of a picture.
#[derive(Clone, Copy, Default)]
struct Marked {
    foreign: bool,
    teaser: bool,
}

impl<'a> Placing<'a> {
    /// For the pictures of a page with this article; a post is an article as a whole.
    pub fn new(page: &'a Page, body: &'a Body, is_post: bool) -> Placing<'a> {
        let mut encloses = vec![false; page.marks.len()];
        let root = root(page, body);
        let mut at = root;
        while !encloses[at] {
            encloses[at] = true;
            at = page.marks.get(at).parent;
        }
        let title = page.blocks.iter().position(|block| block.heading == 1);
        Placing { page, body, is_post, title, root, encloses, known: vec![None; page.marks.len()] }
    }

    /// The number of the text block that a picture of the article stands before; none when it is not the article's.
    pub fn position(&mut self, picture: &Picture) -> Option<u32> {
        let place = picture.place.as_ref()?;
        let inside = self.body.position(place);
        if self.is_post {
            return inside;
        }
        let tiny = picture.width.is_some_and(|width| width < 100) && picture.height.is_none_or(|height| height < 100);
        if picture.decorates || tiny || self.is_foreign(picture, place) {
            return None;
        }
        let among = || is_among(place, self.page, self.body, self.root).then(|| self.body.blocks_before(place));
        let above = || is_above(picture, place, self.title, self.body).then_some(0);
        inside.or_else(among).or_else(above)
    }

    /// What stands around it says that it is not the article's.
    fn is_foreign(&mut self, picture: &Picture, place: &Place) -> bool {
        let marked = self.marked(place.mark);
        let narrow = picture.width.is_some_and(|width| width <= NARROW) && !picture.figure;
        marked.foreign || picture.leads_away && (marked.teaser || place.heading || narrow)
    }

    fn marked(&mut self, element: usize) -> Marked {
        let mut inner = Vec::new();
        let mut at = element;
        while !self.encloses[at] && self.known[at].is_none() {
            inner.push(at);
            at = self.page.marks.get(at).parent;
        }
        let mut marked = self.known[at].unwrap_or_default();
        for at in inner.into_iter().rev() {
            for word in self.page.marks.get(at).words() {
                marked.foreign |= FOREIGN.has(word);
                marked.teaser |= TEASERS.has(word);
            }
            self.known[at] = Some(marked);
        }
        marked
    }
}

/// It stands between the first paragraph and the last, though not in the element with nearly all of them.
fn is_among(place: &Place, page: &Page, body: &Body, root: usize) -> bool {
    let (Some(first), Some(last)) = (body.kept.first(), body.kept.last()) else { return false };
    (*first..=*last + 1).contains(&place.block) && place.zone < Zone::Suspect && encloses(page, root, place.mark)
}

/// It stands above the first paragraph as newspapers have it: in a figure, with a caption, or wide.
fn is_above(picture: &Picture, place: &Place, title: Option<usize>, body: &Body) -> bool {
    let Some(first) = body.kept.first() else { return false };
    let near = place.block <= *first && first - place.block <= NEAR;
    // Without a title in the text, an element that is the article's must say so.
    let below = title.is_some_and(|title| title < place.block) || place.article;
    let shows = picture.figure || picture.caption.is_some() || picture.width.is_some_and(|width| width >= WIDE);
    let hidden = place.hidden && !picture.figure;
    near && below && shows && !hidden && !picture.leads_away && place.zone < Zone::Suspect
}

/// The innermost element around the whole article.
fn root(page: &Page, body: &Body) -> usize {
    let mark = |number: Option<&usize>| number.map_or(0, |number| page.blocks[*number].mark);
    let (mut one, mut other) = (mark(body.kept.first()), mark(body.kept.last()));
    while one != other {
        if page.marks.get(one).depth >= page.marks.get(other).depth {
            one = page.marks.get(one).parent;
        } else {
            other = page.marks.get(other).parent;
        }
    }
    one
}

/// An element is the other or around it.
fn encloses(page: &Page, element: usize, other: usize) -> bool {
    let mut at = other;
    while page.marks.get(at).depth > page.marks.get(element).depth {
        at = page.marks.get(at).parent;
    }
    at == element
}
