//! Which pictures are the article's: those between its paragraphs, and the one above them, but no teaser, face or
//! advertisement that stands there too.

use crate::extract::page::tree::{Page, Place, Zone};
use crate::extract::page::words::Words;
use crate::extract::pictures::beside;
use crate::extract::pictures::images::Picture;
use crate::extract::text::body::Body;

/// Words that the marks of an element have when what stands in it is not the article's, wherever it stands.
static FOREIGN: Words = Words::new(
    "\
    <aside> <nav> <footer> <form> ad ads advert advertisement advertising adslot sponsor sponsored promo promotion \
    promoted related relateds recommend recommended recommendation recommendations recirculation recirc outbrain taboola \
    teaser teasers trending popular author authors byline bio avatar avatars signature contributor newsletter signup \
    subscribe subscription share sharing sharebar social comment comments sidebar breadcrumb breadcrumbs logo logos icon \
    icons emoji qr qrcode cookie toolbar copyright reporter journalist weixinqrcode ewm erweima ecode tuijian \
    xiangguan fenxiang moreshare pinglun guanggao shengming shenming mianze",
);

/// Words of an element that plays a film: the frame shown there is a picture only where it opens the article.
static FILMS: Words = Words::new("video videos videolist player playlist");

/// Words of an element that holds the picture above an article.
static LEADS: Words = Words::new("headimg hero featured leadimage leadimg keyvisual opener topper");

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
pub struct Placing<'a> {
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
    film: bool,
    lead: bool,
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
        if picture.decorates || tiny || self.is_foreign(picture, place) || self.is_of_a_line(picture, place) {
            return None;
        }
        let leads = self.marked(place.mark).lead;
        let among = || is_among(place, self.page, self.body, self.root).then(|| self.body.blocks_before(place));
        let above = || is_above(picture, leads, place, self.title, self.body).then_some(0);
        inside.or_else(among).or_else(above)
    }

    /// What stands around it says that it is not the article's.
    fn is_foreign(&mut self, picture: &Picture, place: &Place) -> bool {
        let marked = self.marked(place.mark);
        let narrow = picture.width.is_some_and(|width| width <= NARROW) && !picture.figure;
        let film = marked.film && !(shows(picture) && self.body.blocks_before(place) == 0);
        marked.foreign || film || picture.leads_away && (marked.teaser || place.heading || narrow)
    }

    /// A line just before or behind it says so.
    fn is_of_a_line(&self, picture: &Picture, place: &Place) -> bool {
        let near = [place.block.wrapping_sub(1), place.block];
        near.into_iter().filter_map(|number| self.page.blocks.get(number)).any(|line| beside::takes(line, picture))
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
                marked.film |= FILMS.has(word);
                marked.lead |= LEADS.has(word);
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

/// It stands above the first paragraph as newspapers have it: where the markup says so, in a figure, with a caption, or
/// wide.
fn is_above(picture: &Picture, leads: bool, place: &Place, title: Option<usize>, body: &Body) -> bool {
    let Some(first) = body.kept.first() else { return false };
    let near = place.block <= *first && first - place.block <= NEAR;
    // Without a title in the text, an element that is the article's must say so.
    let below = title.is_some_and(|title| title < place.block) || place.article;
    let hidden = place.hidden && !picture.figure;
    near && below && (leads || shows(picture)) && !hidden && !picture.leads_away && place.zone < Zone::Suspect
}

/// It is in a figure, has a caption, or is wide.
fn shows(picture: &Picture) -> bool {
    picture.figure || picture.caption.is_some() || picture.width.is_some_and(|width| width >= WIDE)
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

#[cfg(test)]
mod tests {
    use crate::extract::tests::page;

    /// An article of eight paragraphs with this between the fifth and the sixth, and that behind the last.
    fn pictures(between: &str, behind: &str) -> usize {
        let line = "<p>岸边的人说，河水比往年清了许多，傍晚又有人在桥下游泳，孩子们也跟着来了，一直玩到天黑。</p>";
        let html = format!(
            "<html lang=zh><body><div class=content><h1>河水清了</h1><div class=text>{}{between}{}{behind}</div></div>",
            line.repeat(5),
            line.repeat(3)
        );
        page(&html).images.iter().filter(|image| image.in_article).count()
    }

    #[test]
    fn what_stands_between_the_paragraphs_is_not_always_a_picture_of_the_article() {
        for (markup, want) in [
            ("<p><img src=/p/river.jpg></p>", 1),
            ("<p><img src=/p/river.jpg alt='桥下的河'></p>", 1),
            ("<p><img src=/p/river.jpg></p><p>图片来源：山海报</p>", 1),
            ("<p><img src=/p/river.jpg></p><p>扫黑行动引发关注</p>", 1),
            ("<figure><a href=/river.html><img src=/p/river.jpg></a></figure>", 1),
            ("<p>扫描下方二维码，关注我们的公众号</p><p><img src=/p/a1.jpg></p>", 0),
            ("<p><img src=/p/a1.jpg></p><p>长按识别二维码</p>", 0),
            ("<p><img src=/p/a1.jpg></p><p>スマホでQRコードをスキャン</p>", 0),
            ("<p><img src=/p/a1.jpg alt=二维码></p>", 0),
            ("<p><img src=/p/qrcode_258.jpg></p>", 0),
            ("<p><img src=/p/appIcon.png></p>", 0),
            ("<p><img src=/p/badge.svg alt='Get it on Google Play'></p>", 0),
            ("<p><img src=/img/share/b1.png></p>", 0),
            ("<p><a href=//sns.example/s><img src=/img/qzone.png></a></p>", 0),
            ("<p><img src=/u/touxiang-2.jpg></p>", 0),
            ("<div class=ewm><img src=/p/a1.jpg></div>", 0),
            ("<div class='art tuijian'><dl><dt><a href=/b.html><img src=/p/b.jpg></a></dt></dl></div>", 0),
            ("<p>来源：<a href=//paper.example/><img src=/p/paper.jpg></a> 山海报</p>", 0),
            ("<p><a href=/b.html>春天的鸟回来了</a></p><p><img src=/p/b.jpg alt=春天的鸟回来了></p>", 0),
            ("<div class=video-player><img src=/p/frame.jpg width=640></div>", 0),
        ] {
            assert_eq!(pictures(markup, ""), want, "{markup}");
        }
    }

    #[test]
    fn behind_the_last_paragraph_stand_pictures_too() {
        assert_eq!(pictures("", "<p><img src=/p/river.jpg></p>"), 1);
        assert_eq!(pictures("", "<p>扫码关注我们</p><p><img src=/p/river.jpg></p>"), 0);
    }

    #[test]
    fn the_frame_of_a_film_is_a_picture_where_it_opens_the_article() {
        let html = |film: &str| {
            let line =
                "<p>The river that runs through the old town has been clear since the autumn, and people swim.</p>";
            format!("<html lang=en><body><article><h1>The river is clear</h1>{film}{}</article>", line.repeat(6))
        };
        for (film, want) in [
            ("<div class=video-player><img src=/p/frame.jpg width=640 height=360></div>", 1),
            ("<figure class=video><img src=/p/frame.jpg></figure>", 1),
            ("<div class=playlist><img src=/p/frame.jpg width=120 height=90></div>", 0),
        ] {
            let found = page(&html(film));
            assert_eq!(found.images.iter().filter(|image| image.in_article).count(), want, "{film}");
        }
    }

    #[test]
    fn a_picture_above_the_title_is_the_articles_where_the_markup_says_so() {
        let line = "<p>The river that runs through the old town has been clear since the autumn, and people swim.</p>";
        for (class, want) in [("headimg-div", 1), ("logo", 0), ("hero-related", 0)] {
            let above = format!("<div class={class}><a class=a><img src=/p/river.jpg></a></div>");
            let html = format!(
                "<html lang=en><body><article>{above}<div class=head><h1>The river is clear</h1></div>\
                 <div class=text>{}</div></article>",
                line.repeat(6)
            );
            assert_eq!(page(&html).images.iter().filter(|image| image.in_article).count(), want, "{class}");
        }
    }
}
