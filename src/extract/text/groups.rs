//! Words of class names that mean the same to a reader, in groups: what a part of a page is called tells what it is.

/// The groups, each with the words that classes, ids and roles are made of on the sites of the world (Bootstrap,
/// WordPress, Discuz!, Dede and their kin, and what newspapers in English, German, French, Spanish and Chinese write).
const GROUPS: [(&str, &str); 13] = [
    (
        "comment",
        "comment comments commentlist disqus respond reply replies reviews review discussion guestbook feedback \
        pinglun kommentar kommentare comentarios commentaires",
    ),
    (
        "related",
        "related recommend recommended recommendation recommendations more also popular trending latest recent similar \
        mostread read next teaser teasers promo promos promotion suggested upnext further list xiangguan tuijian hot \
        rank ranking headlines listing carousel slider swiper cards card grid feed",
    ),
    (
        "share",
        "share sharing social socials sharedaddy follow addthis twitter facebook whatsapp tools toolbar buttons button \
        actions fenxiang",
    ),
    (
        "ad",
        "ad ads advert advertisement adsense sponsor sponsored dfp outbrain taboola banner guanggao commercial \
        affiliate werbung anzeige",
    ),
    (
        "nav",
        "nav navbar navigation menu breadcrumb breadcrumbs crumb crumbs toc pager pagination skip header masthead \
        topbar footer foot bottom sidebar side aside rail widget widgets copyright",
    ),
    (
        "author",
        "author authors bio byline about writer contributor profile avatar vcard credit credits source meta metadata \
        info date time timestamp posted published dateline entrymeta editor",
    ),
    (
        "letter",
        "newsletter subscribe subscription signup sign cta form login register registration paywall premium donate \
        donation support modal popup overlay dialog cookie consent gdpr alert notice disclaimer offer offers",
    ),
    ("tags", "tags tag tagged topics topic keywords categories category cat labels label"),
    ("caption", "caption captions figcaption credit imgcaption photo image img gallery figure media video player zoom"),
    ("hide", "hide hidden invisible none visually sr screenreader assistive offscreen noprint print"),
    (
        "body",
        "articlebody body content entry post story article text main artikel richtext prose rich markdown zw zhengwen \
        nr neirong detail paragraph paragraphs wysiwyg single page",
    ),
    (
        "box",
        "box infobox factbox fact facts aside pullquote pull quote inline embed callout highlight highlights summary \
        tldr key takeaways note",
    ),
    ("code", "code highlight syntax prism hljs codehilite language snippet token"),
];

/// How many groups there are.
pub const COUNT: usize = GROUPS.len();

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().map(|(name, _)| *name)
}

/// The groups that a word belongs to.
pub fn of(word: &str) -> &'static [u8] {
    static MEMBERS: std::sync::LazyLock<std::collections::HashMap<&'static str, Vec<u8>>> =
        std::sync::LazyLock::new(|| {
            let mut members = std::collections::HashMap::<&str, Vec<u8>>::new();
            for (number, (_, words)) in (0u8..).zip(GROUPS) {
                words.split_whitespace().for_each(|word| members.entry(word).or_default().push(number));
            }
            members
        });
    MEMBERS.get(word).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_word_may_be_in_several_groups_and_in_none() {
        let names: Vec<&str> = super::names().collect();
        let of = |word: &str| super::of(word).iter().map(|at| names[usize::from(*at)]).collect::<Vec<_>>();
        assert_eq!(of("comments"), ["comment"]);
        assert_eq!(of("credit"), ["author", "caption"]);
        assert!(of("zebra").is_empty());
    }
}
