//! The one walk over a page's tree. It collects everything the other files judge: text blocks and the containers they
//! stand in, pictures, links, requisites, and what the head says.

mod elements;
mod zone;

use std::cell::Cell;

use encoding_rs::Encoding;
use scraper::{ElementRef, Html, Node};

pub use self::zone::Zone;
use self::zone::{Flags, State, is_block, is_container};
use crate::extract::page::attr::attr;
use crate::extract::page::bounds::{self, DEEPEST};
use crate::extract::page::hints::Hints;
use crate::extract::page::marks::Marks;
use crate::extract::pictures::images::Picture;
use crate::extract::{Link, Requisite, folded};
use crate::web::candidate::Role;
use crate::web::referrer::Policy;
use crate::web::url::WebUrl;

/// Pictures, links and requisites that are kept of one page, of each. Lists of everything have a tenth of it.
const MANY: usize = 20_000;

/// Bytes of addresses that are made of one page. Lists of everything have a tenth of it.
const ADDRESSES: usize = 16 << 20;

/// Bytes of structured data that are read of one page; news pages have a hundredth of it.
const STRUCTURED: usize = 2 << 20;

/// Characters kept of a caption.
const CAPTION: usize = 2000;

/// A link's text of this weight is a headline: navigation says less.
pub const HEADLINE: usize = 24;

/// Characters kept of a link's text.
const LINK_TEXT: usize = 200;

/// What addresses on the page resolve against.
pub struct Base {
    /// None for a post: only absolute addresses can be kept.
    pub url: Option<WebUrl>,
    /// Queries are encoded in it.
    pub encoding: &'static Encoding,
    /// Bytes of addresses that may still be made: a short page with a long base makes many of them long.
    pub room: Cell<usize>,
}

impl Base {
    /// An address of the web; none when it is empty, of another kind, or cannot be read.
    pub fn join(&self, href: &str) -> Option<WebUrl> {
        let href = href.trim();
        let url = match &self.url {
            _ if href.is_empty() => None,
            Some(url) => url.join(href, Some(self.encoding)).ok(),
            None => WebUrl::parse(href).ok(),
        }?;
        let room = self.room.get().saturating_sub(url.as_str().len());
        self.room.set(room);
        (room > 0).then_some(url)
    }
}

/// Where on the page something stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The number of the next text block.
    pub block: usize,
    pub container: usize,
    pub zone: Zone,
    /// The innermost block element around it.
    pub mark: usize,
    /// It stands inside `article` or `main`.
    pub article: bool,
    /// It stands in an element that the page says is not shown.
    pub hidden: bool,
    /// It stands in a heading.
    pub heading: bool,
}

/// A run of text between two borders of block elements.
#[derive(Clone, Debug)]
pub struct Block {
    /// With white space folded.
    pub text: String,
    /// As it stands in `pre`, where that is not the same.
    pub verbatim: Option<String>,
    /// See [`weight`].
    pub weight: usize,
    /// The weight of the text inside links.
    pub linked: usize,
    pub container: usize,
    pub zone: Zone,
    /// The container of the form it stands in.
    pub form: Option<usize>,
    /// 1 for `h1` and so on; 0 for other text.
    pub heading: u8,
    /// The innermost block element it stands in.
    pub mark: usize,
    /// The weight of the text that is bold or italic.
    pub stressed: usize,
    /// How many links it has.
    pub links: usize,
    /// It stands in an element that the page says is not shown.
    pub hidden: bool,
    /// It stands inside `article` or `main`.
    pub article: bool,
}

/// An element that may hold the article.
#[derive(Clone, Debug)]
pub struct Container {
    /// The number of the first container behind it: those from its own number to here are inside.
    pub end: usize,
    /// The markup says that this is an article.
    pub article: bool,
}

/// A link and where it stands.
pub struct FoundLink {
    pub link: Link,
    pub place: Place,
    pub in_heading: bool,
}

/// Everything the walk found.
pub struct Page {
    pub base: Base,
    pub policy: Policy,
    pub language: Option<String>,
    pub title: Option<String>,
    /// Name (in lower case) and content of each `meta` in order.
    pub metas: Vec<(String, String)>,
    pub canonical: Option<String>,
    /// Where `<meta http-equiv=refresh>` leads, the first one.
    pub refresh: Option<crate::extract::Refresh>,
    pub json_ld: Vec<String>,
    /// Elements that are marked as a date or the name of an author.
    pub hints: Hints,
    /// The time of publication that a script fills in (`var ct = "1635213996"`), in seconds since 1970.
    pub script_time: Option<i64>,
    pub blocks: Vec<Block>,
    pub containers: Vec<Container>,
    pub marks: Marks,
    pub pictures: Vec<Picture>,
    pub links: Vec<FoundLink>,
    /// Where `<link rel=next>` leads.
    pub next: Option<WebUrl>,
    pub requisites: Vec<Requisite>,
    /// The texts of scripts that may hold the page's state, and whether they are JSON by their type.
    pub scripts: Vec<(String, bool)>,
    pub oddities: Vec<String>,
    /// The document's own address without fragment; none for a post.
    own: Option<WebUrl>,
    unreadable: usize,
    too_deep: bool,
    too_many: bool,
    line: String,
    linked: usize,
    stressed: usize,
    anchors: usize,
    caption: Option<String>,
    around_link: Option<WebUrl>,
}

impl Page {
    /// Parses and walks a page. `header` is the policy its answer's head asks for.
    pub fn read(text: &str, own: Option<WebUrl>, encoding: &'static Encoding, header: Option<Policy>) -> Page {
        let (text, cut) = bounds::affordable(text);
        let html = Html::parse_document(text);
        let mut page = Page {
            base: Base { url: own.clone(), encoding, room: Cell::new(ADDRESSES) },
            policy: header.unwrap_or_default(),
            language: None,
            title: None,
            metas: Vec::new(),
            canonical: None,
            refresh: None,
            json_ld: Vec::new(),
            hints: Hints::default(),
            script_time: None,
            blocks: Vec::new(),
            containers: vec![Container { end: 0, article: false }],
            marks: Marks::default(),
            pictures: Vec::new(),
            links: Vec::new(),
            next: None,
            requisites: Vec::new(),
            scripts: Vec::new(),
            oddities: cut.map(str::to_owned).into_iter().collect(),
            own,
            unreadable: 0,
            too_deep: false,
            too_many: false,
            line: String::new(),
            linked: 0,
            stressed: 0,
            anchors: 0,
            caption: None,
            around_link: None,
        };
        let Some(root) = html.tree.root().children().find_map(ElementRef::wrap) else { return page };
        page.read_rules(root);
        page.language = attr(root, "lang").or_else(|| attr(root, "xml:lang")).map(folded).filter(|tag| !tag.is_empty());
        let state = State {
            container: 0,
            zone: Zone::Content,
            form: None,
            heading: 0,
            depth: 0,
            mark: 0,
            flags: Flags::default(),
        };
        page.walk(root, state);
        page.flush(state);
        page.containers[0].end = page.containers.len();
        if page.unreadable > 0 {
            page.oddities.push(format!("addresses that could not be read: {}", page.unreadable));
        }
        if page.base.room.get() == 0 {
            page.oddities.push("addresses were left out: all together they are longer than 16 MiB".to_owned());
        }
        if page.too_many {
            page.oddities.push(format!("more than {MANY} pictures, links or files were left out"));
        }
        if page.too_deep {
            page.oddities.push(format!("elements nested deeper than {DEEPEST} were left out"));
        }
        page
    }

    /// Everything of that name among the `meta` elements, in order.
    pub fn meta<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.metas.iter().filter(move |(one, content)| one == name && !content.is_empty());
        named.map(|(_, content)| content.as_str())
    }

    /// `<base>` and the referrer policy hold for the whole page, so they are read first.
    fn read_rules(&mut self, root: ElementRef<'_>) {
        // What stands in a template is no part of the page.
        let in_template = |element: &ElementRef<'_>| {
            element.ancestors().filter_map(ElementRef::wrap).any(|one| one.value().name() == "template")
        };
        for element in root.descendent_elements() {
            match element.value().name() {
                "base" if !in_template(&element) => {
                    // The first one with an address counts, resolved against the page (HTML, 4.2.3).
                    if let Some(href) = attr(element, "href") {
                        self.base.url = self.base.join(href).or_else(|| self.base.url.clone());
                        break;
                    }
                }
                "body" => break,
                _ => {}
            }
        }
        let metas = root.descendent_elements().filter(|element| element.value().name() == "meta");
        let rules = metas.filter(|meta| attr(*meta, "name").is_some_and(|name| name.eq_ignore_ascii_case("referrer")));
        for meta in rules.filter(|meta| !in_template(meta)) {
            self.policy = attr(meta, "content").and_then(Policy::from_meta).unwrap_or(self.policy);
        }
    }

    fn walk(&mut self, element: ElementRef<'_>, outside: State) {
        let name = element.value().name();
        if outside.depth == DEEPEST {
            self.too_deep = true;
            return;
        }
        let mut state = State { depth: outside.depth + 1, ..outside };
        if let Some(css) = attr(element, "style") {
            self.read_style(element, css, state);
        } else if let Some(picture) = Picture::background(element, &self.base, self.policy) {
            self.show(picture, state);
        }
        match name {
            "script" => return self.read_script(element),
            "style" => return self.read_css(&element.text().collect::<String>()),
            "noscript" => return self.read_noscript(element, state),
            "template" | "textarea" | "select" | "option" | "iframe" | "object" | "button" | "rt" | "rp" => return,
            "title" if self.title.is_none() && !state.flags.svg => {
                self.title = Some(folded(&element.text().collect::<String>()));
                return;
            }
            "title" | "desc" if state.flags.svg => return,
            "head" => state.flags.head = true,
            "svg" => state.flags.svg = true,
            "meta" => return self.read_meta(element, state),
            "link" => return self.read_link_element(element, state),
            "img" | "amp-img" | "amp-anim" | "mip-img" => return self.read_picture(element, state),
            "image" if state.flags.svg => {
                return self.read_address(element, &["href"], |page, url| {
                    page.show(Picture::bare(url, page.policy), state);
                });
            }
            "use" if state.flags.svg => return self.need(element, "href", Role::Image),
            "input" => {
                let is_image = attr(element, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("image"));
                if is_image {
                    self.need(element, "src", Role::Image);
                }
                return;
            }
            "video" | "amp-video" => {
                return self.read_address(element, &["poster", "data-poster"], |page, url| {
                    page.show(Picture::bare(url, page.policy), state);
                });
            }
            "audio" => return,
            "br" | "hr" => return self.flush(state),
            "area" => _ = self.read_link(element, state),
            "figure" => state.flags.figure = true,
            "figcaption" => {
                self.caption = Some(text_of(element, CAPTION)).filter(|text| !text.is_empty());
            }
            _ => {}
        }
        if let Some(background) = attr(element, "background").and_then(|href| self.base.join(href)) {
            self.push_requisite(background, Role::Image, self.policy);
        }
        state.enter(element);
        self.hints.see(element, state.zone, self.blocks.len());
        let is_block = is_block(name);
        if is_block {
            self.flush(outside);
            state.mark = self.marks.enter(outside.mark, element);
        }
        let container = is_container(name).then_some(self.containers.len());
        if let Some(number) = container {
            let body =
                attr(element, "itemprop").is_some_and(|prop| prop.split_whitespace().any(|one| one == "articleBody"));
            let article = name == "article" || body;
            self.containers.push(Container { end: 0, article });
            state.container = number;
            state.form = if name == "form" { Some(number) } else { state.form };
        }
        let (pictures, line) = (self.pictures.len(), self.line.len());
        if name == "a" {
            let link = self.read_link(element, state);
            self.around_link = link.or_else(|| attr(element, "href").and_then(|href| self.base.join(href)));
        }
        for child in element.children() {
            match child.value() {
                Node::Text(text) => self.line.push_str(text),
                _ => _ = ElementRef::wrap(child).map(|child| self.walk(child, state)),
            }
        }
        let stresses = matches!(name, "b" | "strong" | "em" | "i");
        if stresses {
            self.stressed += self.line.get(line..).map_or(0, weight);
        }
        if name == "a" {
            self.anchors += 1;
            self.around_link = None;
            // A block inside the link has taken the line with it.
            self.linked += self.line.get(line..).map_or(0, weight);
        }
        if is_block {
            self.flush(state);
        }
        if name == "figure"
            && let Some(caption) = self.caption.take()
        {
            self.pictures[pictures..].iter_mut().for_each(|picture| picture.caption = Some(caption.clone()));
        }
        if let Some(number) = container {
            self.containers[number].end = self.containers.len();
        }
    }

    fn place(&self, state: State) -> Place {
        let State { container, zone, mark, heading, flags: Flags { article, hidden, .. }, .. } = state;
        // A line that is not ended yet stands before what comes now.
        let block = self.blocks.len() + usize::from(!self.line.trim().is_empty());
        Place { block, container, zone, mark, article, hidden, heading: heading > 0 }
    }

    /// Ends the text block that stands in `state`.
    fn flush(&mut self, state: State) {
        let text = folded(&self.line);
        let is_pre = self.line.contains('\n') && self.marks.get(state.mark).name() == "pre";
        let verbatim = is_pre.then(|| self.line.trim_matches('\n').trim_end().to_owned());
        self.line.clear();
        let (linked, stressed) = (std::mem::take(&mut self.linked), std::mem::take(&mut self.stressed));
        let links = std::mem::take(&mut self.anchors);
        if text.is_empty() || state.flags.head || state.flags.noscript || state.flags.svg {
            return;
        }
        let State { container, zone, form, heading, mark, flags, .. } = state;
        let Flags { hidden, article, .. } = flags;
        let weight = weight(&text);
        let block = Block {
            text,
            verbatim,
            weight,
            linked,
            container,
            zone,
            form,
            heading,
            mark,
            stressed,
            links,
            hidden,
            article,
        };
        self.blocks.push(block);
    }
}

/// One of the words of a list, which are divided by white space.
pub fn is_in(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == word)
}

/// How much text there is: letters and digits, a Han character or kana counting as three, since it says as much.
pub fn weight(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{2e80}' { 3 } else { usize::from(c.is_alphanumeric()) }).sum()
}

/// The text of an element, white space folded, at most `longest` characters, scripts left out.
pub fn text_of(element: ElementRef<'_>, longest: usize) -> String {
    let (mut text, mut kept, mut between) = (String::new(), 0, false);
    for node in element.descendants() {
        let Node::Text(piece) = node.value() else { continue };
        let parent = node.parent().and_then(ElementRef::wrap);
        if parent.is_some_and(|parent| matches!(parent.value().name(), "script" | "style" | "noscript")) {
            continue;
        }
        for c in piece.chars() {
            if c.is_whitespace() {
                between = kept > 0;
                continue;
            }
            let space = std::mem::take(&mut between).then_some(' ');
            for c in space.into_iter().chain([c]) {
                text.push(c);
                kept += 1;
                if kept == longest {
                    return text;
                }
            }
        }
    }
    text
}
