//! The one walk over a page's tree. It collects everything the other files judge: text blocks and the containers they
//! stand in, pictures, links, requisites, and what the head says.

use encoding_rs::Encoding;
use scraper::{ElementRef, Html, Node};

use super::images::Picture;
use super::marks::Marks;
use super::{Link, Requisite, folded, onward, style};
use crate::web::candidate::Role;
use crate::web::referrer::Policy;
use crate::web::url::WebUrl;

/// Longer documents are cut: the longest article pages seen are 2 MB, and the tree takes some twenty times the text.
const LONGEST: usize = 8 << 20;

/// Deeper elements are left out. Real pages stay below 100; the walk needs a stack frame for each level.
const DEEPEST: usize = 200;

/// What parsing may cost, in elements open at each start tag: the parser looks through all of them, and repeats the
/// open formatting elements in each new block. A page of 2 MB with everyday nesting costs 2 million.
const WORK: usize = 24_000_000;

/// Elements that are read. A page of 2 MB has 60,000; a tree takes a kilobyte for each, and what is made of it as much.
const ELEMENTS: usize = 200_000;

/// Formatting elements that may stay open at once; each block inside them repeats them all.
const FORMATTING: usize = 64;

/// A link's text of this weight is a headline: navigation says less.
pub(super) const HEADLINE: usize = 24;

/// Characters kept of a link's text.
const LINK_TEXT: usize = 200;

/// What addresses on the page resolve against.
pub(super) struct Base {
    /// None for a post: only absolute addresses can be kept.
    pub url: Option<WebUrl>,
    /// Queries are encoded in it.
    pub encoding: &'static Encoding,
}

impl Base {
    /// An address of the web; none when it is empty, of another kind, or cannot be read.
    pub fn join(&self, href: &str) -> Option<WebUrl> {
        let href = href.trim();
        match &self.url {
            _ if href.is_empty() => None,
            Some(url) => url.join(href, Some(self.encoding)).ok(),
            None => WebUrl::parse(href).ok(),
        }
    }
}

/// What part of the page something stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Zone {
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
pub(super) struct Place {
    /// The number of the next text block.
    pub block: usize,
    pub container: usize,
    pub zone: Zone,
}

/// A run of text between two borders of block elements.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub text: String,
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
pub(super) struct Container {
    /// The number of the first container behind it: those from its own number to here are inside.
    pub end: usize,
    /// The markup says that this is an article.
    pub article: bool,
}

/// A link and where it stands.
pub(super) struct FoundLink {
    pub link: Link,
    pub place: Place,
    pub in_heading: bool,
}

/// Everything the walk found.
pub(super) struct Page {
    pub base: Base,
    pub policy: Policy,
    pub language: Option<String>,
    pub title: Option<String>,
    /// Name (in lower case) and content of each `meta` in order.
    pub metas: Vec<(String, String)>,
    pub canonical: Option<String>,
    /// Where `<meta http-equiv=refresh>` leads, the first one.
    pub refresh: Option<super::Refresh>,
    pub json_ld: Vec<String>,
    /// Texts of elements that name an author by `rel`, `itemprop` or class.
    pub authors: Vec<String>,
    /// `datetime` or text of each `time` outside the parts around the article.
    pub times: Vec<String>,
    pub blocks: Vec<Block>,
    pub containers: Vec<Container>,
    pub marks: Marks,
    pub pictures: Vec<Picture>,
    pub links: Vec<FoundLink>,
    pub requisites: Vec<Requisite>,
    pub oddities: Vec<String>,
    /// The document's own address without fragment; none for a post.
    own: Option<WebUrl>,
    unreadable: usize,
    too_deep: bool,
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
        let (text, cut) = affordable(text);
        let html = Html::parse_document(text);
        let mut page = Page {
            base: Base { url: own.clone(), encoding },
            policy: header.unwrap_or_default(),
            language: None,
            title: None,
            metas: Vec::new(),
            canonical: None,
            refresh: None,
            json_ld: Vec::new(),
            authors: Vec::new(),
            times: Vec::new(),
            blocks: Vec::new(),
            containers: vec![Container { end: 0, article: false }],
            marks: Marks::default(),
            pictures: Vec::new(),
            links: Vec::new(),
            requisites: Vec::new(),
            oddities: cut.map(str::to_owned).into_iter().collect(),
            own,
            unreadable: 0,
            too_deep: false,
            line: String::new(),
            linked: 0,
            stressed: 0,
            anchors: 0,
            caption: None,
            around_link: None,
        };
        let Some(root) = html.tree.root().children().find_map(ElementRef::wrap) else { return page };
        page.read_rules(root);
        page.language = root.attr("lang").or_else(|| root.attr("xml:lang")).map(folded).filter(|tag| !tag.is_empty());
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
        for element in root.descendent_elements() {
            match element.value().name() {
                "base" => {
                    // The first one with an address counts, resolved against the page (HTML, 4.2.3).
                    if let Some(href) = element.attr("href") {
                        self.base.url = self.base.join(href).or_else(|| self.base.url.clone());
                        break;
                    }
                }
                "body" => break,
                _ => {}
            }
        }
        let metas = root.descendent_elements().filter(|element| element.value().name() == "meta");
        for meta in metas.filter(|meta| meta.attr("name").is_some_and(|name| name.eq_ignore_ascii_case("referrer"))) {
            self.policy = meta.attr("content").and_then(Policy::from_meta).unwrap_or(self.policy);
        }
    }

    fn walk(&mut self, element: ElementRef<'_>, outside: State) {
        let name = element.value().name();
        if outside.depth == DEEPEST {
            self.too_deep = true;
            return;
        }
        let mut state = State { depth: outside.depth + 1, ..outside };
        if let Some(css) = element.attr("style") {
            self.read_css(css);
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
            "img" | "amp-img" => return self.read_picture(element, state),
            "image" if state.flags.svg => {
                return self.read_address(element, &["href"], |page, url| {
                    page.pictures.push(Picture::bare(url, page.policy).at(page.place(state)));
                });
            }
            "use" if state.flags.svg => return self.need(element, "href", Role::Image),
            "input" => {
                let is_image = element.attr("type").is_some_and(|kind| kind.eq_ignore_ascii_case("image"));
                if is_image {
                    self.need(element, "src", Role::Image);
                }
                return;
            }
            "video" => {
                return self.read_address(element, &["poster"], |page, url| {
                    page.pictures.push(Picture::bare(url, page.policy).at(page.place(state)));
                });
            }
            "audio" => return,
            "br" | "hr" => return self.flush(state),
            "area" => self.read_link(element, state),
            "time" => self.read_time(element, state),
            "figcaption" => {
                self.caption = Some(text_of(element, usize::MAX)).filter(|text| !text.is_empty());
            }
            _ => {}
        }
        if let Some(background) = element.attr("background").and_then(|href| self.base.join(href)) {
            self.push_requisite(background, Role::Image, self.policy);
        }
        state.enter(element);
        self.read_author(element, state);
        let is_block = is_in(BLOCKS, name);
        if is_block {
            self.flush(outside);
            state.mark = self.marks.enter(outside.mark, element);
        }
        let container = is_in(CONTAINERS, name).then_some(self.containers.len());
        if let Some(number) = container {
            let body =
                element.attr("itemprop").is_some_and(|prop| prop.split_whitespace().any(|one| one == "articleBody"));
            let article = name == "article" || body;
            self.containers.push(Container { end: 0, article });
            state.container = number;
            state.form = if name == "form" { Some(number) } else { state.form };
        }
        let (pictures, line) = (self.pictures.len(), self.line.len());
        if name == "a" {
            self.read_link(element, state);
            self.around_link = element.attr("href").and_then(|href| self.base.join(href));
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
        Place { block: self.blocks.len(), container: state.container, zone: state.zone }
    }

    /// Ends the text block that stands in `state`.
    fn flush(&mut self, state: State) {
        let text = folded(&std::mem::take(&mut self.line));
        let (linked, stressed) = (std::mem::take(&mut self.linked), std::mem::take(&mut self.stressed));
        let links = std::mem::take(&mut self.anchors);
        if text.is_empty() || state.flags.head || state.flags.noscript || state.flags.svg {
            return;
        }
        let State { container, zone, form, heading, mark, flags, .. } = state;
        let Flags { hidden, article, .. } = flags;
        let weight = weight(&text);
        let block =
            Block { text, weight, linked, container, zone, form, heading, mark, stressed, links, hidden, article };
        self.blocks.push(block);
    }

    fn read_picture(&mut self, element: ElementRef<'_>, state: State) {
        if let Some(picture) = Picture::read(element, &self.base, self.policy, self.around_link.as_ref()) {
            if picture.is_empty()
                && let Some(stand_in) = element.attr("src").and_then(|src| self.base.join(src))
            {
                self.push_requisite(stand_in, Role::Image, self.policy);
            }
            self.pictures.push(picture.at(self.place(state)));
        }
    }

    /// What stands in `noscript` is shown by replay, and often holds the only address of the picture before it. The
    /// parser leaves it as text, as a browser with scripts does.
    fn read_noscript(&mut self, element: ElementRef<'_>, state: State) {
        if state.flags.noscript {
            return;
        }
        let mut before = element.prev_siblings().filter_map(ElementRef::wrap);
        let twin = before.next().is_some_and(|one| one.value().name() == "img") && !self.pictures.is_empty();
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
        let kind = element.attr("type").unwrap_or("").to_ascii_lowercase();
        if kind == "application/ld+json" {
            self.json_ld.push(element.text().collect());
        } else if !kind.contains("json") && !kind.contains("template") {
            self.need(element, "src", Role::Script);
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
        if element.attr("http-equiv").is_some_and(|name| name.eq_ignore_ascii_case("refresh"))
            && !state.flags.noscript
            && self.refresh.is_none()
        {
            self.refresh =
                element.attr("content").and_then(|content| super::refresh::read(content, |href| self.base.join(href)));
        }
        let name = ["property", "name", "itemprop"].into_iter().find_map(|attr| element.attr(attr));
        if let (Some(name), Some(content)) = (name, element.attr("content")) {
            self.metas.push((name.trim().to_ascii_lowercase(), folded(content)));
        }
    }

    fn read_link_element(&mut self, element: ElementRef<'_>, state: State) {
        let rel = element.attr("rel").unwrap_or("").to_ascii_lowercase();
        let has = |word: &str| rel.split_ascii_whitespace().any(|one| one == word);
        // In the body it would be an article's own words (RFC 6596 expects it in the head).
        if has("canonical") && state.flags.head && self.canonical.is_none() {
            self.canonical = element.attr("href").map(str::to_owned);
        }
        let preload = has("preload").then(|| element.attr("as").unwrap_or(""));
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
        for candidate in element.attr("imagesrcset").map(super::srcset::candidates).unwrap_or_default() {
            if let Some(url) = self.base.join(candidate.url) {
                self.push_requisite(url, Role::Image, self.policy);
            }
        }
    }

    fn read_link(&mut self, element: ElementRef<'_>, state: State) {
        if state.flags.noscript {
            return;
        }
        let in_heading = state.heading > 0;
        let place = self.place(state);
        let rel = element.attr("rel").unwrap_or("");
        let nofollow = rel.to_ascii_lowercase().contains("nofollow");
        let mut text = text_of(element, LINK_TEXT);
        if text.is_empty() {
            text = element.attr("title").or_else(|| element.attr("alt")).map(folded).unwrap_or_default();
        }
        let next = onward::is_next(&text, rel);
        // A headline is one wherever it stands.
        let around = place.zone == Zone::Around && !in_heading && weight(&text) < HEADLINE;
        self.read_address(element, &["href"], |page, url| {
            if page.own.as_ref() != Some(&url) {
                page.links.push(FoundLink { link: Link { url, text, nofollow, around, next }, place, in_heading });
            }
        });
    }

    fn read_time(&mut self, element: ElementRef<'_>, state: State) {
        let hints =
            [element.attr("itemprop"), element.attr("class")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let hints = hints.to_ascii_lowercase();
        if state.zone < Zone::Suspect && !hints.contains("modified") && !hints.contains("update") {
            let text = text_of(element, LINK_TEXT);
            self.times.push(element.attr("datetime").map(folded).filter(|date| !date.is_empty()).unwrap_or(text));
        }
    }

    fn read_author(&mut self, element: ElementRef<'_>, state: State) {
        let has = |attr: &str, words: &[&str]| {
            let value = element.attr(attr).unwrap_or("").to_ascii_lowercase();
            value.split_ascii_whitespace().any(|one| words.contains(&one))
        };
        if state.zone < Zone::Suspect
            && (has("rel", &["author"])
                || has("itemprop", &["author"])
                || has("class", &["byline", "author", "author-name", "byline-name", "post-author", "entry-author"]))
        {
            self.authors.push(text_of(element, LINK_TEXT));
        }
    }

    fn need(&mut self, element: ElementRef<'_>, attribute: &str, role: Role) {
        let policy = element.attr("referrerpolicy").and_then(Policy::from_token).unwrap_or(self.policy);
        self.read_address(element, &[attribute], |page, url| page.push_requisite(url, role, policy));
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

    fn push_requisite(&mut self, url: WebUrl, role: Role, policy: Policy) {
        self.requisites.push(Requisite { url, role, policy });
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
}

impl State {
    /// What an element changes for what stands in it.
    fn enter(&mut self, element: ElementRef<'_>) {
        let name = element.value().name();
        let zone = match name {
            "nav" | "footer" | "aside" | "menu" | "dialog" => Zone::Around,
            "header" if self.flags.article => Zone::Head,
            "header" => Zone::Around,
            _ => match element.attr("role").unwrap_or("") {
                "navigation" | "banner" | "contentinfo" | "complementary" | "search" | "dialog" => Zone::Around,
                _ if matches!(name, "html" | "body" | "main" | "article") => Zone::Content,
                _ if [element.attr("class"), element.attr("id")].into_iter().flatten().any(is_suspect) => Zone::Suspect,
                _ => Zone::Content,
            },
        };
        self.zone = self.zone.max(zone);
        self.flags.article |= matches!(name, "article" | "main");
        self.flags.hidden |= is_hidden(element);
        self.heading = match name.as_bytes() {
            [b'h', digit @ b'1'..=b'6'] => digit - b'0',
            _ if is_in(BLOCKS, name) => 0,
            _ => self.heading,
        };
    }
}

fn is_hidden(element: ElementRef<'_>) -> bool {
    let style = || element.attr("style").unwrap_or("").replace(' ', "").to_ascii_lowercase();
    element.attr("hidden").is_some()
        || element.attr("aria-hidden") == Some("true")
        || style().contains("display:none")
        || style().contains("visibility:hidden")
}

/// Elements that begin and end a block of text.
const BLOCKS: &str = "\
    address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 \
    header html li main nav ol p pre section summary table tbody td tfoot th thead tr ul";

/// Elements that may hold a whole article.
const CONTAINERS: &str = "article body center div form main section td";

/// Words that a class or an id around the article begins with.
const SUSPECTS: &str = "\
    ad ads advert advertisement breadcrumb breadcrumbs comment comments cookie copyright disqus footer menu modal \
    nav navbar navigation newsletter pager pagination popup prev promo recommend recommendations recommended related \
    relation reply respond share sharing sidebar social subscribe tags toolbar widget";

/// `sidebar`, `sidebar-left` and `nav_main`, but not `with-sidebar` or `navy`.
fn is_suspect(words: &str) -> bool {
    words.split_ascii_whitespace().any(|word| {
        let first = word.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
        is_in(SUSPECTS, &first)
    })
}

/// One of the words of a list, which are divided by white space.
pub(super) fn is_in(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == word)
}

/// How much text there is: letters and digits, a Han character or kana counting as three, since it says as much.
pub(super) fn weight(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{2e80}' { 3 } else { usize::from(c.is_alphanumeric()) }).sum()
}

/// The text of an element, white space folded, at most `longest` characters, scripts left out.
fn text_of(element: ElementRef<'_>, longest: usize) -> String {
    let (mut text, mut kept) = (String::new(), 0);
    for node in element.descendants() {
        let Node::Text(piece) = node.value() else { continue };
        let parent = node.parent().and_then(ElementRef::wrap);
        if !parent.is_some_and(|parent| matches!(parent.value().name(), "script" | "style" | "noscript")) {
            text.push_str(piece);
            kept += piece.chars().filter(|c| !c.is_whitespace()).count();
        }
        if kept > longest {
            break;
        }
    }
    folded(&text).chars().take(longest).collect()
}

/// It was meant as an address of the web, so it is worth a word that it is none.
fn looks_like_web(value: &str) -> bool {
    match value.split_once(':') {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => scheme.starts_with("http"),
        _ => true,
    }
}

/// As much of the text as the parser can take in reasonable time, and why there is no more. The parser's own cost
/// grows with the elements that are open, so they are counted before, roughly: elements whose end tag may be left out
/// do not count, and every end tag ends one.
fn affordable(text: &str) -> (&str, Option<&'static str>) {
    let mut longest = text.len().min(LONGEST);
    while !text.is_char_boundary(longest) {
        longest -= 1;
    }
    let (mut open, mut formatting, mut work, mut elements) = (0usize, 0usize, 0usize, 0usize);
    let mut rest = &text.as_bytes()[..longest];
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[at + 1..];
        let left = rest.len() + 1;
        let ends = rest.first() == Some(&b'/');
        rest = &rest[usize::from(ends)..];
        let length = rest.iter().take(10).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let name = rest[..length].to_ascii_lowercase();
        // Only short tags are looked through for the slash at their end, so that the count stays linear.
        let tag = rest.iter().take(200).position(|byte| *byte == b'>').map_or(&b""[..], |end| &rest[..end]);
        let (opens, formats) = match name.as_slice() {
            b"b" | b"big" | b"code" | b"em" | b"font" | b"i" | b"nobr" | b"s" | b"small" | b"strike" | b"strong"
            | b"tt" | b"u" => (1, 1),
            b"" | b"a" | b"p" | b"li" | b"td" | b"tr" | b"th" | b"dd" | b"dt" | b"option" | b"br" | b"hr" | b"img"
            | b"meta" | b"link" | b"input" | b"source" | b"area" | b"base" | b"col" | b"embed" | b"wbr" => (0, 0),
            _ if tag.ends_with(b"/") => (0, 0),
            _ => (1, 0),
        };
        if ends {
            (open, formatting) = (open.saturating_sub(opens), formatting.saturating_sub(formats));
        } else {
            (open, formatting) = (open + opens, formatting + formats);
            elements += usize::from(length > 0);
            work += 1 + open + 16 * formatting;
        }
        if work > WORK || open > 4 * DEEPEST || formatting > FORMATTING {
            return (&text[..longest - left], Some("the rest was left out: too many elements are open at once"));
        }
        if elements > ELEMENTS {
            return (&text[..longest - left], Some("the rest was left out: more than 200,000 elements"));
        }
        // Scripts are full of tags that nobody parses.
        if name == b"script" && !ends {
            rest = &rest
                [rest.windows(8).position(|window| window.eq_ignore_ascii_case(b"</script")).unwrap_or(rest.len())..];
        }
    }
    let why = (longest < text.len()).then_some("longer than 8 MiB, the rest was left out");
    (&text[..longest], why)
}
