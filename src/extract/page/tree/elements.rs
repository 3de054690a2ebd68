//! What single elements say: pictures, links, scripts, style sheets, and what stands in the head.

use scraper::{ElementRef, Html};

use super::zone::{Flags, State, Zone};
use super::{FoundLink, HEADLINE, LINK_TEXT, MANY, Page, STRUCTURED, text_of, weight};
use crate::extract::links::onward;
use crate::extract::meta::dates;
use crate::extract::page::attr::attr;
use crate::extract::page::style;
use crate::extract::pictures::images::Picture;
use crate::extract::pictures::srcset;
use crate::extract::{Link, Requisite, folded};
use crate::web::candidate::Role;
use crate::web::referrer::Policy;
use crate::web::url::WebUrl;

impl Page {
    pub(super) fn read_picture(&mut self, element: ElementRef<'_>, state: State) {
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

    pub(super) fn show(&mut self, picture: Picture, state: State) {
        if self.room(self.pictures.len()) {
            let mut picture = picture.at(self.place(state));
            picture.figure |= state.flags.figure;
            self.pictures.push(picture);
        }
    }

    /// A background in an attribute is a picture of the page, as those of style sheets decorate it.
    pub(super) fn read_style(&mut self, element: ElementRef<'_>, css: &str, state: State) {
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
    pub(super) fn read_noscript(&mut self, element: ElementRef<'_>, state: State) {
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

    pub(super) fn read_script(&mut self, element: ElementRef<'_>) {
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

    pub(super) fn read_css(&mut self, css: &str) {
        for (role, url) in style::addresses(css) {
            if let Some(url) = self.base.join(&url) {
                self.push_requisite(url, role, self.policy);
            }
        }
    }

    pub(super) fn read_meta(&mut self, element: ElementRef<'_>, state: State) {
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

    pub(super) fn read_link_element(&mut self, element: ElementRef<'_>, state: State) {
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
        for candidate in attr(element, "imagesrcset").map(srcset::candidates).unwrap_or_default() {
            if let Some(url) = self.base.join(candidate.url) {
                self.push_requisite(url, Role::Image, self.policy_of(element));
            }
        }
    }

    /// Gives the address, where it can be read.
    pub(super) fn read_link(&mut self, element: ElementRef<'_>, state: State) -> Option<WebUrl> {
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

    pub(super) fn need(&mut self, element: ElementRef<'_>, attribute: &str, role: Role) {
        let policy = self.policy_of(element);
        self.read_address(element, &[attribute], |page, url| page.push_requisite(url, role, policy));
    }

    pub(super) fn policy_of(&self, element: ElementRef<'_>) -> Policy {
        attr(element, "referrerpolicy").and_then(Policy::from_token).unwrap_or(self.policy)
    }

    pub(super) fn read_address(
        &mut self,
        element: ElementRef<'_>,
        names: &[&str],
        then: impl FnOnce(&mut Page, WebUrl),
    ) {
        // SVG writes `xlink:href`, which has a namespace of its own.
        let value = element.value().attrs().find(|(name, _)| names.contains(name)).map(|(_, value)| value.trim());
        let Some(value) = value.filter(|value| !value.is_empty() && !value.starts_with('#')) else { return };
        match self.base.join(value) {
            Some(url) => then(self, url),
            None => self.unreadable += usize::from(looks_like_web(value)),
        }
    }

    /// Whether one more is kept where there are so many.
    pub(super) fn room(&mut self, there: usize) -> bool {
        self.too_many |= there >= MANY;
        there < MANY
    }

    pub(super) fn push_requisite(&mut self, url: WebUrl, role: Role, policy: Policy) {
        let room = self.room(self.requisites.len());
        self.requisites.extend(room.then_some(Requisite { url, role, policy }));
    }
}

/// It was meant as an address of the web, so it is worth a word that it is none.
fn looks_like_web(value: &str) -> bool {
    match value.split_once(':') {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => scheme.starts_with("http"),
        _ => true,
    }
}
