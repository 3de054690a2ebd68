//! The one walk over a page's tree. It collects everything the other files judge: text blocks and the containers they
//! stand in, pictures, links, requisites, and what the head says.

use std::cell::Cell;

use encoding_rs::Encoding;
use scraper::{ElementRef, Html, Node};

use crate::extract::links::onward;
use crate::extract::meta::dates;
use crate::extract::page::attr::attr;
use crate::extract::page::bounds;
use crate::extract::page::bounds::DEEPEST;
use crate::extract::page::hints::Hints;
use crate::extract::page::marks::Marks;
use crate::extract::page::style;
use crate::extract::page::words::Words;
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

/// What part of the page something stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zone {
    /// Where text may be the article's.
    Content,
    /// The header of an article: title, byline, date, but no text.
    Head,
    /// Around the article, to judge by a class name.
    Suspect,
    /// Around the article by the element's meaning: navigation, footer, side matter.
    Around,
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

    fn read_picture(&mut self, element: ElementRef<'_>, state: State) {
        let Some(picture) = Picture::read(element, &self.base, self.policy, self.around_link.as_ref()) else { return };
        if picture.is_empty()
            && let Some(stand_in) = attr(element, "src").and_then(|src| self.base.join(src))
        {
            self.push_requisite(stand_in, Role::Image, self.policy_of(element));
        }
        self.show(picture, state);
        // AMP's pictures hold a copy for browsers without scripts, or another one to fall back to.
        let copies = element.child_elements().filter(|child| matches!(child.value().name(), "noscript" | "amp-img"));
        for copy in copies {
            match copy.value().name() {
                "noscript" => self.read_noscript(copy, state),
                _ => self.read_picture(copy, state),
            }
        }
    }

    fn show(&mut self, picture: Picture, state: State) {
        if self.room(self.pictures.len()) {
            let mut picture = picture.at(self.place(state));
            picture.figure |= state.flags.figure;
            self.pictures.push(picture);
        }
    }

    /// A background in an attribute is a picture of the page, as those of style sheets decorate it.
    fn read_style(&mut self, element: ElementRef<'_>, css: &str, state: State) {
        for (role, url) in style::addresses(css) {
            let Some(url) = self.base.join(&url) else { continue };
            let shows =
                role == Role::Image && !matches!(element.value().name(), "html" | "body" | "img" | "span" | "i");
            if shows && !crate::extract::pictures::stand_ins::is_stand_in(&url) {
                let classes = attr(element, "class").unwrap_or("");
                let decorates = crate::extract::pictures::stand_ins::is_decoration(classes)
                    || crate::extract::pictures::stand_ins::is_around(&url);
                let mut picture = Picture::bare(url, self.policy);
                picture.leads_away = self.around_link.is_some() || attr(element, "href").is_some();
                picture.decorates = decorates;
                self.show(picture, state);
            } else {
                self.push_requisite(url, role, self.policy);
            }
        }
    }

    /// What stands in `noscript` is shown by replay, and often holds the only address of the picture before it. The
    /// parser leaves it as text, as a browser with scripts does.
    fn read_noscript(&mut self, element: ElementRef<'_>, state: State) {
        if state.flags.noscript {
            return;
        }
        let is_img = |one: ElementRef<'_>| matches!(one.value().name(), "img" | "amp-img" | "amp-anim" | "picture");
        let beside = element.prev_siblings().find_map(ElementRef::wrap).is_some_and(is_img);
        let within = element.parent().and_then(ElementRef::wrap).is_some_and(is_img);
        let twin = (beside || within) && !self.pictures.is_empty();
        let first = self.pictures.len();
        let fragment = Html::parse_fragment(&element.text().collect::<String>());
        let flags = Flags { noscript: true, ..state.flags };
        self.walk(fragment.root_element(), State { flags, ..state });
        self.line.clear();
        if twin && self.pictures.len() == first + 1 {
            // Not empty: there is one more than there was.
            let shown = self.pictures.remove(first);
            self.pictures[first - 1].absorb(shown);
        }
    }

    fn read_script(&mut self, element: ElementRef<'_>) {
        let kind = attr(element, "type").unwrap_or("").to_ascii_lowercase();
        if kind == "application/ld+json" {
            let text: String = element.text().collect();
            let before: usize = self.json_ld.iter().map(String::len).sum();
            self.json_ld.extend((before + text.len() <= STRUCTURED).then_some(text));
        } else if !kind.contains("template") && !kind.contains("html") {
            let is_json = kind.contains("json");
            if !is_json {
                self.need(element, "src", Role::Script);
            }
            if attr(element, "src").is_none() {
                if self.script_time.is_none() && !is_json {
                    self.script_time = element.text().find_map(dates::in_script);
                }
                self.scripts.push((element.text().collect(), is_json));
            }
        }
    }

    fn read_css(&mut self, css: &str) {
        for (role, url) in style::addresses(css) {
            if let Some(url) = self.base.join(&url) {
                self.push_requisite(url, role, self.policy);
            }
        }
    }

    fn read_meta(&mut self, element: ElementRef<'_>, state: State) {
        // In `noscript` it is meant for others: the page as browsers show it stays where it is.
        if attr(element, "http-equiv").is_some_and(|name| name.eq_ignore_ascii_case("refresh"))
            && !state.flags.noscript
            && self.refresh.is_none()
        {
            self.refresh = attr(element, "content")
                .and_then(|content| crate::extract::page::refresh::read(content, |href| self.base.join(href)));
        }
        let name = ["property", "name", "itemprop"].into_iter().find_map(|name| attr(element, name));
        if let (Some(name), Some(content)) = (name, attr(element, "content")) {
            self.metas.push((name.trim().to_ascii_lowercase(), folded(content)));
        }
    }

    fn read_link_element(&mut self, element: ElementRef<'_>, state: State) {
        let rel = attr(element, "rel").unwrap_or("").to_ascii_lowercase();
        let has = |word: &str| rel.split_ascii_whitespace().any(|one| one == word);
        // In the body it would be an article's own words (RFC 6596 expects it in the head).
        if has("canonical") && state.flags.head && self.canonical.is_none() {
            self.canonical = attr(element, "href").map(str::to_owned);
        }
        if has("next") && self.next.is_none() {
            self.next = attr(element, "href").and_then(|href| self.base.join(href));
        }
        let preload = has("preload").then(|| attr(element, "as").unwrap_or(""));
        let role = match preload {
            _ if has("stylesheet") && !has("alternate") => Role::Style,
            _ if has("icon") || has("apple-touch-icon") => Role::Image,
            Some("style") => Role::Style,
            Some("script") => Role::Script,
            Some("font") => Role::Font,
            Some("image") => Role::Image,
            _ => return,
        };
        self.need(element, "href", role);
        for candidate in
            attr(element, "imagesrcset").map(crate::extract::pictures::srcset::candidates).unwrap_or_default()
        {
            if let Some(url) = self.base.join(candidate.url) {
                self.push_requisite(url, Role::Image, self.policy_of(element));
            }
        }
    }

    /// Gives the address, where it can be read.
    fn read_link(&mut self, element: ElementRef<'_>, state: State) -> Option<WebUrl> {
        if state.flags.noscript {
            return None;
        }
        let in_heading = state.heading > 0;
        let place = self.place(state);
        let rel = attr(element, "rel").unwrap_or("");
        let nofollow = rel.to_ascii_lowercase().contains("nofollow");
        let mut text = text_of(element, LINK_TEXT);
        if text.is_empty() {
            text = attr(element, "title").or_else(|| attr(element, "alt")).map(folded).unwrap_or_default();
        }
        let next = onward::is_next(&text, rel);
        // A headline is one wherever it stands.
        let around = place.zone == Zone::Around && !in_heading && weight(&text) < HEADLINE;
        let mut address = None;
        self.read_address(element, &["href"], |page, url| {
            address = Some(url.clone());
            if page.own.as_ref() != Some(&url) {
                let link = Link { url, text, nofollow, around, next };
                let room = page.room(page.links.len());
                page.links.extend(room.then_some(FoundLink { link, place, in_heading }));
            }
        });
        address
    }

    fn need(&mut self, element: ElementRef<'_>, attribute: &str, role: Role) {
        let policy = self.policy_of(element);
        self.read_address(element, &[attribute], |page, url| page.push_requisite(url, role, policy));
    }

    fn policy_of(&self, element: ElementRef<'_>) -> Policy {
        attr(element, "referrerpolicy").and_then(Policy::from_token).unwrap_or(self.policy)
    }

    fn read_address(&mut self, element: ElementRef<'_>, names: &[&str], then: impl FnOnce(&mut Page, WebUrl)) {
        // SVG writes `xlink:href`, which has a namespace of its own.
        let value = element.value().attrs().find(|(name, _)| names.contains(name)).map(|(_, value)| value.trim());
        let Some(value) = value.filter(|value| !value.is_empty() && !value.starts_with('#')) else { return };
        match self.base.join(value) {
            Some(url) => then(self, url),
            None => self.unreadable += usize::from(looks_like_web(value)),
        }
    }

    /// Whether one more is kept where there are so many.
    fn room(&mut self, there: usize) -> bool {
        self.too_many |= there >= MANY;
        there < MANY
    }

    fn push_requisite(&mut self, url: WebUrl, role: Role, policy: Policy) {
        let room = self.room(self.requisites.len());
        self.requisites.extend(room.then_some(Requisite { url, role, policy }));
    }
}

/// What is known on the way down.
#[derive(Clone, Copy)]
struct State {
    container: usize,
    zone: Zone,
    form: Option<usize>,
    heading: u8,
    depth: usize,
    mark: usize,
    flags: Flags,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    head: bool,
    noscript: bool,
    svg: bool,
    /// Inside `article` or `main`, where a `header` is the article's own.
    article: bool,
    /// Not shown.
    hidden: bool,
    figure: bool,
}

impl State {
    /// What an element changes for what stands in it.
    fn enter(&mut self, element: ElementRef<'_>) {
        let name = element.value().name();
        let zone = match name {
            "nav" | "footer" | "aside" | "menu" | "dialog" => Zone::Around,
            "header" if self.flags.article => Zone::Head,
            "header" => Zone::Around,
            _ => match attr(element, "role").unwrap_or("") {
                "navigation" | "banner" | "contentinfo" | "complementary" | "search" | "dialog" => Zone::Around,
                _ if matches!(name, "html" | "body" | "main" | "article") => Zone::Content,
                _ if ["class", "id"].iter().filter_map(|name| attr(element, name)).any(is_suspect) => Zone::Suspect,
                _ => Zone::Content,
            },
        };
        self.zone = self.zone.max(zone);
        self.flags.article |= matches!(name, "article" | "main");
        self.flags.hidden |= is_hidden(element);
        self.heading = match name.as_bytes() {
            [b'h', digit @ b'1'..=b'6'] => digit - b'0',
            _ if is_block(name) => 0,
            _ => self.heading,
        };
    }
}

fn is_hidden(element: ElementRef<'_>) -> bool {
    let hides = |style: &str| {
        let style = style.replace(' ', "").to_ascii_lowercase();
        style.contains("display:none") || style.contains("visibility:hidden")
    };
    attr(element, "hidden").is_some()
        || attr(element, "aria-hidden") == Some("true")
        || attr(element, "style").is_some_and(hides)
}

/// Elements that begin and end a block of text.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "html"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// Elements that may hold a whole article.
fn is_container(name: &str) -> bool {
    matches!(name, "article" | "body" | "center" | "div" | "form" | "main" | "section" | "td")
}

/// Words that a class or an id around the article begins with.
static SUSPECTS: Words = Words::new(
    "\
    ad ads advert advertisement breadcrumb breadcrumbs comment comments cookie copyright disqus footer menu modal \
    nav navbar navigation newsletter pager pagination popup prev promo recommend recommendations recommended \
    related relation reply respond share sharing sidebar social subscribe tags toolbar widget",
);

/// `sidebar`, `sidebar-left` and `nav_main`, but not `with-sidebar` or `navy`.
fn is_suspect(words: &str) -> bool {
    words.split_ascii_whitespace().any(|word| {
        let first = word.split(['-', '_']).next().unwrap_or("");
        SUSPECTS.has_in_any_case(first)
    })
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

/// It was meant as an address of the web, so it is worth a word that it is none.
fn looks_like_web(value: &str) -> bool {
    match value.split_once(':') {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => scheme.starts_with("http"),
        _ => true,
    }
}
