//! Whole documents through [`read`]. Pages, hosts and names are invented.

use proptest::prelude::*;

use super::*;
use crate::web::candidate::Role;
use crate::web::time::Timestamp;

const ARTICLE: &str = "https://news.example/2024/03/04/river.html";

/// A post as a feed republished on a static site has it: lazy pictures behind a relay, text outside `<p>`.
const POST: &str = r#"<div>
<p></p><div class="img_box"><div><img class="lazy" id="img_0" data-original="http://pic1.example/65e5c0a0aabbccddeeff0011_1024.jpg" data-height="900" data-width="1600" src="https://cors.relay.example/?http://pic1.example/65e5c0a0aabbccddeeff0011_1024.jpg" referrerpolicy="no-referrer"></div></div>三月四日，山海大学发布了关于城市河流的春季报告。<p></p><p>报告指出，过去三年里河水的透明度提高了一倍，沿岸的鸟类也回来了。</p><p></p><div class="img_box"><div><img class="lazy" data-original="http://pic2.example/65e5c0a0aabbccddeeff0012_1024.jpg" data-height="480" data-width="640" src="https://cors.relay.example/?http://pic2.example/65e5c0a0aabbccddeeff0012_1024.jpg" referrerpolicy="no-referrer"></div></div>下游的居民说，这是他们第一次在城里看见白鹭。<p></p><p>研究人员将在今年秋天再次采样，并公开全部数据。</p><p></p><div class="zk"><div><p>山海 新闻出品</p><p></p><p>文 / 林晚舟 实习生 周小满</p></div><div class="oper"></div></div><p></p>
</div>"#;

fn claims() -> Claims {
    Claims {
        title: Some("城市里的河，为什么变清了？".into()),
        authors: vec!["山海报".into()],
        published: Some("Mon, 04 Mar 2024 02:06:36 GMT".into()),
        categories: vec!["新媒体".into(), "山海报".into()],
        lead_image: Some("https://cors.relay.example/?http://pic1.example/65e5c0a0aabbccddeeff0011_1024.jpg".into()),
        ..Claims::default()
    }
}

fn found(url: &str, html: &[u8], claims: &Claims, head: &str) -> Findings {
    let head = Head::read(head.as_bytes());
    let at = Timestamp::from_iso("2024-03-05T12:00:00Z").unwrap();
    let is_post = WebUrl::parse(url).is_err();
    read(&Document { is_post, ..Document::page(url, at, &head, html, claims) })
}

pub(super) fn page(html: &str) -> Findings {
    page_at(ARTICLE, html)
}

pub(super) fn page_at(url: &str, html: &str) -> Findings {
    found(url, html.as_bytes(), &Claims::default(), "")
}

#[test]
fn a_post_keeps_its_bare_text_and_its_byline() {
    let post = found("file:///seeds/rivers.md", POST.as_bytes(), &claims(), "");
    let blocks: Vec<&str> = post.article.text.lines().collect();
    assert_eq!(blocks.len(), 6, "{blocks:#?}");
    assert!(
        blocks[0].starts_with("三月四日，") && blocks[2].starts_with("下游的居民说，"),
        "text between divs is text"
    );
    let people: Vec<_> = post.article.byline.iter().map(|one| (one.name.as_str(), one.role)).collect();
    assert_eq!(people, [("林晚舟", "author"), ("周小满", "intern")]);
    assert_eq!(post.article.source.as_deref(), Some("山海报"));
    assert_eq!(post.article.title.as_deref(), Some("城市里的河，为什么变清了？"));
    assert_eq!((post.article.language.as_deref(), post.kind), (Some("zh"), Kind::Article));
    assert_eq!(post.article.categories, ["新媒体", "山海报"]);
}

#[test]
fn a_post_has_each_picture_once_with_its_proxied_copy() {
    let post = found("file:///seeds/rivers.md", POST.as_bytes(), &claims(), "");
    assert_eq!((post.images.len(), post.article.lead_image), (2, Some(0)));
    let image = &post.images[1];
    let variants: Vec<_> = image.variants.iter().map(|one| (one.url.as_str(), one.role, one.wanted)).collect();
    let original = "http://pic2.example/65e5c0a0aabbccddeeff0012_1024.jpg";
    let copy = "https://cors.relay.example/?http://pic2.example/65e5c0a0aabbccddeeff0012_1024.jpg";
    assert_eq!(variants, [(original, VariantRole::Original, true), (copy, VariantRole::Proxied, true)]);
    assert_eq!((image.width, image.height, image.position), (Some(640), Some(480), Some(2)));
    assert_eq!((image.policy, image.in_article), (Policy::NoReferrer, true));
    assert_eq!(post.images[0].position, Some(0));
}

#[test]
fn a_claimed_date_keeps_what_speaks_against_it() {
    let date = found("file:///seeds/rivers.md", POST.as_bytes(), &claims(), "").article.published.unwrap();
    assert_eq!((date.from.as_str(), date.precision), ("seed", Precision::Second));
    assert_eq!(date.utc, Timestamp::from_iso("2024-03-04T02:06:36Z"));
    assert_eq!(date.conflict.as_deref(), Some("earlier than its lead image, named 2024-03-04T12:37:52Z"));
}

#[test]
fn a_post_keeps_only_absolute_addresses() {
    let html = "<p><img src='/a.jpg'><img src='http://pic.example/b.jpg'><a href='c.html'>c</a><a href='http://n.example/#x'>n</a>";
    let post = found("file:///seeds/x.md", html.as_bytes(), &Claims::default(), "");
    assert_eq!(post.images.len(), 1);
    assert_eq!(post.links.iter().map(|link| link.url.as_str()).collect::<Vec<_>>(), ["http://n.example/"]);
}

/// The page of an article as newspapers have it, everything around it included.
fn newspaper() -> String {
    let paragraph = "<p>The river that runs through the old town has been clear since the autumn, and people have begun to swim in it again.</p>";
    let nav: String =
        (0..14).map(|n| format!("<li><a href='/section/{n}'>Section number {n} of the paper</a></li>")).collect();
    let related: String = (0..6)
        .map(|n| format!("<li><a href='/2024/02/0{n}/x.html'>Another long headline about matter {n}</a></li>"))
        .collect();
    format!(
        "<!doctype html><html lang=en-GB><head><title>The river is clear | The Example</title>\
         <meta property=og:site_name content='The Example'><meta property=og:image content='/pic/lead.jpg?w=1200'>\
         <meta property=og:type content=article><meta name=author content='The Example'>\
         <meta name=robots content='noarchive'><link rel=canonical href='/2024/03/04/river.html'>\
         <link rel=stylesheet href=/s.css><script src=/j.js></script></head>\
         <body><header><a href=/><img src=/logo.png></a><nav><ul>{nav}</ul></nav></header>\
         <main><article><header><h1>The river is clear</h1><p class=meta>By Jane Doe and John Roe</p>\
         <time datetime='2024-03-04T09:00:00+01:00'>4 March 2024</time></header>\
         <figure><img src=/pic/river.jpg width=800 height=600 alt='A river'><figcaption>The river in <b>March</b>.</figcaption></figure>\
         {paragraph}{paragraph}<div class=related-links><p>{paragraph}</div>{paragraph}<p>For all the numbers of the last year see <a href='https://other.example/a'>the report</a>.</p>{paragraph}\
         </article><aside><h2>More</h2><ul>{related}</ul></aside></main><footer><p>All rights reserved by the newspaper and its heirs, in this and every other country.</footer></body></html>"
    )
}

#[test]
fn a_newspaper_page_is_an_article() {
    let page = page(&newspaper());
    let article = &page.article;
    assert_eq!((page.kind, article.title.as_deref()), (Kind::Article, Some("The river is clear")));
    assert_eq!(article.byline.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["Jane Doe", "John Roe"]);
    assert_eq!((article.source.as_deref(), article.language.as_deref()), (Some("The Example"), Some("en-GB")));
    assert_eq!(article.text.lines().count(), 5, "{}", article.text);
    let date = article.published.as_ref().unwrap();
    assert_eq!((date.from.as_str(), date.utc), ("time", Timestamp::from_iso("2024-03-04T08:00:00Z")));
    assert!(article.dates.iter().any(|date| date.from == "url" && date.local == "2024-03-04"));
    assert_eq!(article.canonical.as_ref().map(WebUrl::as_str), Some(ARTICLE));
    assert_eq!(page.meta_robots, ["noarchive"]);
    assert!(page.oddities.is_empty(), "{:?}", page.oddities);
}

#[test]
fn the_picture_an_article_opens_with_leads_it() {
    let page = page(&newspaper());
    let images: Vec<_> =
        page.images.iter().map(|one| (one.variants[0].url.path(), one.position, one.in_article)).collect();
    assert_eq!(images, [("/logo.png", None, false), ("/pic/river.jpg", Some(0), true), ("/pic/lead.jpg", None, false)]);
    assert_eq!(page.article.lead_image, Some(1));
    assert_eq!(page.images[1].caption.as_deref(), Some("The river in March."));
    assert_eq!(page.images[1].alt.as_deref(), Some("A river"));
}

#[test]
fn a_lead_that_is_not_in_the_body_stands_last() {
    let page = page(&newspaper().replace("<img src=/pic/river.jpg", "<span data-was=/pic/river.jpg"));
    let images: Vec<_> =
        page.images.iter().map(|one| (one.variants[0].url.path(), one.position, one.in_article)).collect();
    assert_eq!(images, [("/logo.png", None, false), ("/pic/lead.jpg", None, true)]);
    assert_eq!(page.article.lead_image, Some(1));
}

#[test]
fn a_day_in_a_sentence_is_no_date_of_publication() {
    let html =
        "<h1>On sale from 4月25日 on</h1><p>来自 10月1日 的消息。</p><p>发布于：3月4日 10:06</p><p>更新于：3月5日</p>";
    let dates = found("https://news.example/a", html.as_bytes(), &Claims::default(), "").article.dates;
    assert_eq!(dates.iter().map(|date| date.local.as_str()).collect::<Vec<_>>(), ["2024-03-04T10:06:00", "2024-03-05"]);
}

#[test]
fn a_front_page_is_a_list() {
    let teasers: String = (0..12)
        .map(|n| format!(
            "<div class=teaser><a href=/a/{n}.html><img src=/t/{n}.jpg></a><h2><a href=/a/{n}.html>Headline number {n}</a></h2>\
             <p>A teaser of one or two sentences that says what has happened, and where, and to whom it did.</p></div>"
        ))
        .collect();
    let page = found(
        "https://news.example/",
        format!("<body><h1>The Example</h1><main>{teasers}</main>").as_bytes(),
        &Claims::default(),
        "",
    );
    assert_eq!((page.kind, page.links.len(), page.article.published), (Kind::List, 12, None));
    assert_eq!(page.links[0].text, "Headline number 0");
}

#[test]
fn a_few_words_are_neither() {
    assert_eq!(page("<p>Not found</p><a href=/>Home</a>").kind, Kind::Other);
    assert_eq!(page("").kind, Kind::Other);
}

#[test]
fn pictures_are_found_under_every_name() {
    // Each image: the original, and in brackets the other variants, those nobody needs with a minus.
    pictures("<img src=/loading.gif data-src=/a.jpg>", "/a.jpg [/loading.gif]");
    pictures("<img src=/none.gif zoomfile=/a.jpg file=/a.jpg.thumb.jpg>", "/a.jpg [/none.gif -/a.jpg.thumb.jpg]");
    pictures("<img src=/a.jpg data-src=track-1234>", "/a.jpg");
    pictures("<img src=/a.jpg data-src=/a_80x60.jpg width=1200>", "/a.jpg [-/a_80x60.jpg]");
    pictures("<img src=/a.jpg oldsrc=W01.jpg>", "/a.jpg");
    pictures("<img data-odd=/p/a.jpg src='data:image/gif;base64,AA'>", "/p/a.jpg");
    pictures(
        "<img src=s.jpg srcset='s.jpg 400w, m.jpg 800w, l.jpg 1600w, x.jpg 3200w' sizes=800px>",
        "x.jpg [s.jpg m.jpg l.jpg]",
    );
    pictures(
        "<img src='data:image/gif;base64,AA' data-srcset='s.jpg 300w, l.jpg 800w' data-src=s.jpg>",
        "l.jpg [-s.jpg]",
    );
    pictures("<img srcset='data:image/png;base64,AA' src=a.jpg data-srcset=a.jpg>", "a.jpg");
    pictures("<picture><source srcset=a.webp type=image/webp><img src=a.jpg></picture>", "a.jpg [a.webp]");
    pictures(
        "<picture><source media='(max-width:600px)' srcset='s.jpg 600w'><img srcset='m.jpg 900w' src=m.jpg></picture>",
        "m.jpg [-s.jpg]",
    );
    pictures("<picture><source media='(min-width: 40rem)' srcset=l.jpg><img src=s.jpg></picture>", "l.jpg [s.jpg]");
    pictures("<img src='data:,' class=lazy><noscript><img src=n.jpg></noscript>", "n.jpg");
    pictures(
        "<img data-src=a.jpg src=/blank.gif><noscript><img src=a-full.jpg></noscript>",
        "a.jpg [/blank.gif -a-full.jpg]",
    );
    pictures("<a href=/full.jpg><img src=/thumb.jpg></a>", "/full.jpg [/thumb.jpg]");
    pictures("<a href=/wiki/File:Full.jpg><img src=/thumb.jpg></a>", "/thumb.jpg");
    pictures("<img src='/_next/image?url=%2Fa.jpg&amp;w=640'>", "/a.jpg [/_next/image?url=%2Fa.jpg&w=640]");
    pictures("<video src=/v.mp4 poster=/v.jpg></video>", "/v.jpg");
    pictures("<svg><image href=/1.png /><image xlink:href=/2.png /></svg>", "/1.png | /2.png");
    pictures("<img src=/a.jpg><p>x<img src=/b.jpg><p><img src=/a.jpg>", "/a.jpg | /b.jpg");
    pictures("<img src='//cdn.example/封面 1.jpg'>", "https://cdn.example/%E5%B0%81%E9%9D%A2%201.jpg");
    pictures("<base href='/x/'><base href='/y/'><img src=a.jpg>", "/x/a.jpg");
    pictures("<meta property=og:image content=/lead.jpg><img src=/a.jpg>", "/a.jpg | /lead.jpg");
    pictures("<meta property=og:image content=/a.jpg><img data-original=/a.jpg src=/t.jpg>", "/a.jpg [/t.jpg]");
    pictures("<meta property=og:image content='https://picsum.photos/400/300?random=7'><img src=/a.jpg>", "/a.jpg");
}

#[test]
fn what_is_no_picture_is_none() {
    pictures("<img src=/count width=1 height=1><img src=/spacer.gif><img><img src=''>", "");
    pictures("<!-- <img src=a.jpg> --><template><img src=a.jpg></template><textarea><img src=a.jpg></textarea>", "");
    pictures("<script>var x = '<img src=a.jpg>'</script><input type=image src=b.png>", "");
}

#[test]
fn structured_data_names_pictures_authors_and_dates() {
    let html = r#"<script type="application/ld+json">{"@graph":[{"@type":"WebSite","name":"x"},{"@type":["NewsArticle"],
        "headline":"A title","author":[{"@type":"Person","name":"Jane Doe"},"John Roe"],"datePublished":"2024-03-04T08:00:00Z",
        "image":["/1.jpg",{"url":"/2.jpg"}],"publisher":{"name":"The Paper","logo":{"url":"/logo.png"}}}]}</script><p>Text"#;
    let page = page(html);
    assert_eq!(page.article.title.as_deref(), Some("A title"));
    assert_eq!(page.article.byline.len(), 2);
    assert_eq!(page.article.source.as_deref(), Some("The Paper"));
    assert_eq!(page.article.published.map(|date| date.from).as_deref(), Some("json-ld"));
    assert_eq!(page.images.iter().map(|one| one.variants[0].url.path()).collect::<Vec<_>>(), ["/1.jpg", "/2.jpg"]);
    assert_eq!(page.article.lead_image, Some(0));
}

#[test]
fn titles_lose_the_name_of_the_site() {
    for (head, want) in [
        ("<title>A long headline - Paper</title>", "A long headline"),
        ("<title>A long headline_Section_Paper</title>", "A long headline_Section"),
        ("<title>Up - and away we go, all of us</title>", "Up - and away we go, all of us"),
        ("<title>A long headline — Paper</title><body><h1>A long headline</h1>", "A long headline"),
        ("<meta property=og:title content='A long headline | Paper'><title>x</title>", "A long headline"),
        ("<title>小城的河变清了 - 山海报</title>", "小城的河变清了"),
    ] {
        assert_eq!(page(head).article.title.as_deref(), Some(want), "{head}");
    }
}

#[test]
fn languages_are_known_by_their_script() {
    for (text, markup, want) in [
        ("这是一段足够长的中文文字，用来判断语言是什么。", Some("en"), Some("zh")),
        ("这是一段足够长的中文文字，用来判断语言是什么。", Some("zh_TW"), Some("zh-TW")),
        ("これは日本語の文章です。十分に長いはずです。", None, Some("ja")),
        ("이것은 충분히 긴 한국어 문장입니다. 그렇습니다.", None, Some("ko")),
        ("Это достаточно длинное предложение.", None, Some("ru")),
        ("The cat is on the roof and that is that.", None, Some("en")),
        ("Die Katze ist auf dem Dach und das ist nicht gut.", None, Some("de")),
        ("Le chat est dans la maison et les chiens sont dehors.", None, Some("fr")),
        ("The cat is on the roof.", Some("en-US"), Some("en-US")),
        ("?", None, None),
    ] {
        assert_eq!(language::language(text, markup, None).as_deref(), want, "{text}");
    }
}

#[test]
fn links_are_absolute_and_stand_once() {
    let html = "<a href=#top>up</a><a href=river.html>self</a><a href=/a><img src=x.jpg></a><a href='/a#c' rel=nofollow>A</a>\
                <a href=mailto:a@b.example>m</a><a href='http://exa mple/'>bad</a><map><area href=/map></map><a href='?q=中'>q</a>";
    let bytes = encoding_rs::GBK.encode(html).0.into_owned();
    let page =
        found(ARTICLE, &bytes, &Claims::default(), "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=gbk\r\n\r\n");
    let links: Vec<_> = page.links.iter().map(|link| (link.url.path_and_query(), link.text.as_str())).collect();
    assert_eq!(links, [("/a", "A"), ("/map", ""), ("/2024/03/04/river.html?q=%D6%D0", "q")]);
    assert_eq!(page.oddities, ["addresses that could not be read: 1"]);
    assert_eq!(page.charset, ("GBK", CharsetFrom::Header));
}

#[test]
fn requisites_come_from_elements_and_styles() {
    let html = "<head><link rel=stylesheet href=/a.css><link rel='shortcut icon' href=/i.ico><link rel=preload as=style href=/a.css>\
                <style>@import '/b.css';@font-face{src:url(/f.woff2)}</style><noscript><link rel=stylesheet href=/n.css></noscript></head>\
                <body style='background:url(/bg.png)'><script src=/j.js></script><script type=application/json src=/x.json></script>";
    let page = page(html);
    let found: Vec<_> = page.requisites.iter().map(|one| (one.url.path(), one.role)).collect();
    let want = [
        ("/a.css", Role::Style),
        ("/i.ico", Role::Image),
        ("/b.css", Role::Style),
        ("/f.woff2", Role::Font),
        ("/n.css", Role::Style),
        ("/bg.png", Role::Image),
        ("/j.js", Role::Script),
    ];
    assert_eq!(found, want);
    let sheet = WebUrl::parse("https://cdn.example/s/a.css").unwrap();
    let named = read_style(&sheet, "@import 'b.css';p{background:url(../x.png),url(../x.png)}", Policy::Origin);
    let named: Vec<_> = named.iter().map(|one| (one.url.as_str(), one.role, one.policy)).collect();
    let want = [
        ("https://cdn.example/s/b.css", Role::Style, Policy::Origin),
        ("https://cdn.example/x.png", Role::Image, Policy::Origin),
    ];
    assert_eq!(named, want);
}

#[test]
fn the_nearest_referrer_policy_holds() {
    let header = "HTTP/1.1 200 OK\r\nReferrer-Policy: origin, future\r\n\r\n";
    for (html, want) in [
        ("<img src=/a.jpg>", Policy::Origin),
        ("<meta name=Referrer content=never><img src=/a.jpg>", Policy::NoReferrer),
        ("<meta name=referrer content=never><img src=/a.jpg referrerpolicy=unsafe-url>", Policy::UnsafeUrl),
        ("<meta name=referrer content=what><img src=/a.jpg referrerpolicy=what>", Policy::Origin),
        ("<template><meta name=referrer content=never></template><img src=/a.jpg>", Policy::Origin),
    ] {
        let page = found(ARTICLE, html.as_bytes(), &Claims::default(), header);
        assert_eq!(page.images[0].policy, want, "{html}");
    }
}

#[test]
fn a_base_counts_where_it_is_one() {
    for (html, want) in [
        ("<base href=/b/><base href=/c/><img src=a.jpg>", "https://news.example/b/a.jpg"),
        ("<template><base href=//evil.example/></template><img src=a.jpg>", "https://news.example/2024/03/04/a.jpg"),
    ] {
        assert_eq!(page(html).images[0].variants[0].url.as_str(), want, "{html}");
    }
}

#[test]
fn hostile_nesting_is_cut() {
    for html in [
        "<div>".repeat(100_000),
        "<b>".repeat(1000) + &"<p>x".repeat(100_000),
        "<div><p>x".repeat(190) + &"<div>x</div>".repeat(100_000),
    ] {
        let found = page(&html);
        assert!(!found.oddities.is_empty() || found.article.text.len() > 100_000);
    }
    let elsewhere = page("<link rel=canonical href=https://other.test/x><p>x");
    assert_eq!((elsewhere.article.canonical, elsewhere.oddities.len()), (None, 1));
}

#[test]
fn a_page_that_is_all_markup_is_cut() {
    let found = page(&"<p>x</p>".repeat(200_100));
    assert_eq!(found.oddities, ["the rest was left out: more than 200,000 elements"]);
    assert_eq!(page(&"<p>x</p>".repeat(60_000)).oddities, [""; 0]);
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in any::<i64>()) {
        let claims = claims();
        let head = Head::default();
        for url in [ARTICLE, "file:///seeds/x", "nonsense"] {
            let document = Document::page(url, Timestamp(at), &head, &bytes, &claims);
            let _ = read(&document);
            let _ = read(&Document { is_post: true, ..document });
        }
    }

    #[test]
    fn any_markup_is_read(parts in proptest::collection::vec(0..40usize, 0..40)) {
        let html: String = parts.into_iter().filter_map(|part| PARTS.split('~').nth(part)).collect();
        let page = page(&html);
        prop_assert!(page.article.lead_image.is_none_or(|lead| lead < page.images.len()));
        prop_assert!(page.images.iter().all(|image| image.variants[0].role == VariantRole::Original));
    }
}

/// Pieces of markup, divided by tildes.
const PARTS: &str = "<p>~<div>~</div>~<article>~</article>~<table>~<td>~<form>~</form>~<a href=/x.jpg>~</a>~text ~<img src=/a.jpg \
    data-src=/b.jpg>~<noscript>~</noscript>~<img srcset='/c.jpg 2x, /d.jpg 3w'>~<picture>~</picture>~<source \
    srcset='/e.webp'>~<figure>~</figure>~<figcaption>~<svg>~</svg>~<image \
    href=/f.png>~<template>~<h1>~<b>~</b>~<select>~<li>~<script \
    type=application/ld+json>{\"@type\":\"Article\",\"image\":[1,{}]}</script>~<style>@import 'x'~</style>~<meta \
    property=og:image content=/a.jpg>~<time>2024~<br>~<frameset>~<body>~</body>";

/// Compares a page's images with their short form, addresses on the page's own host or in its folder without either.
fn pictures(html: &str, want: &str) {
    let page = page(html);
    let short = |url: &WebUrl| {
        let url = url.as_str();
        let folder = ARTICLE.trim_end_matches("river.html");
        url.strip_prefix(folder).or(url.strip_prefix("https://news.example")).unwrap_or(url).to_owned()
    };
    let image = |image: &Image| {
        let others = image.variants.iter().skip(1);
        let others: Vec<_> =
            others.map(|one| format!("{}{}", if one.wanted { "" } else { "-" }, short(&one.url))).collect();
        let others = if others.is_empty() { String::new() } else { format!(" [{}]", others.join(" ")) };
        format!("{}{others}", short(&image.variants[0].url))
    };
    assert_eq!(page.images.iter().map(image).collect::<Vec<_>>().join(" | "), want, "{html}");
}

#[test]
fn the_article_is_given_as_clean_html() {
    let html = "<body onload='x()'><h2 class=a>Ein &lt;Titel&gt;</h2><p style='color:red'>Erster <b>Absatz</b>.</p>\
        <figure><img src='http://p.example/a.jpg?x=1&amp;y=2' alt='Ein \"Bild\"'><figcaption>Die Brücke</figcaption></figure>\
        <ul><li>eins<li>zwei</ul><blockquote><p>Gesagt.</p></blockquote><ol><li>drei</ol>\
        <table><tr><td>a<td>b<tr><td>c<td>d</table><pre>x = 1</pre><script>alert(1)</script>";
    let post = found("file:///seeds/x.md", html.as_bytes(), &Claims::default(), "");
    let want = "<h2>Ein &lt;Titel&gt;</h2>\n<p>Erster Absatz.</p>\n\
        <figure><img src=\"http://p.example/a.jpg?x=1&amp;y=2\" alt=\"Ein &quot;Bild&quot;\">\
        <figcaption>Die Brücke</figcaption></figure>\n\
        <ul><li>eins</li><li>zwei</li></ul>\n<blockquote>Gesagt.</blockquote>\n<ol><li>drei</li></ol>\n\
        <table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>\n<pre>x = 1</pre>\n";
    assert_eq!(post.article.html, want);
}

/// What kind a page is, and «cut» when there is more of it.
fn kind_of(html: &str) -> String {
    let found = page(html);
    format!("{}{}", found.kind.as_str(), if found.cut { " cut" } else { "" })
}

const STORY: &str = "<h1>Der Fluss wird klar</h1><p>Der Fluss ist in diesem Frühjahr so klar wie seit dreißig Jahren \
    nicht mehr, sagen die Fischer am Ufer, und auch die Vögel kehren zurück, wie man überall sehen kann.</p>\
    <p>Forscher haben das Wasser an zwölf Stellen geprüft und wollen im Herbst wiederkommen, um zu vergleichen, was \
    sich seither verändert hat und was nicht.</p><p>Bis dahin bleibt das Baden verboten, und die Stadt berät über \
    einen neuen Steg für die Ruderer, der im nächsten Jahr gebaut werden soll, wenn das Geld dafür reicht.</p>";

#[test]
fn what_stands_instead_of_a_page_is_told() {
    for (html, want) in [
        ("<script>window.captcha={once_id:'x'}</script><p>Loading", "wall"),
        ("<title>Just a moment...</title><p>Checking your browser", "wall"),
        ("<h1>Access Denied</h1><p>Reference #18<p>https://errors.edgesuite.net/18", "wall"),
        ("<script src=https://geo.captcha-delivery.com/captcha.js></script><p>Please wait", "wall"),
        ("<p>Please verify you are human to go on.", "wall"),
        ("<title>百度安全验证</title><p>网络不给力，请稍后重试", "wall"),
        ("<p>当前环境异常，完成验证后即可继续访问。", "wall"),
        ("<p>请登录后查看本文", "wall"),
        ("<h1>Bevor Sie fortfahren</h1><p>Bevor Sie fortfahren zu Beispiel, wählen Sie bitte.", "wall"),
        ("<form><div class=\"g-recaptcha\"></div></form><p>One more step", "wall"),
        ("<h1>Log in to continue</h1><form><input type=password></form>", "wall"),
        ("<h1>Bitte einloggen</h1><form><input name=p type=\"password\"></form>", "wall"),
        ("<h1>Cookies</h1><p>We and our 842 partners store and access information on your device.", "wall"),
        ("<p>Mit Werbung weiterlesen<p>Zustimmen und weiter", "wall"),
        ("<p>原文已被删除", "gone"),
        (
            "<h1>Page not found</h1><p>Try the search.<ul><li><a href=/a>What the river says about us today</a></ul>",
            "gone",
        ),
        ("<title>404 - Beispielblatt</title><h1>Hoppla</h1><p>Hier ist nichts.", "gone"),
        ("<h1>404</h1><p>So etwas gibt es hier nicht.", "gone"),
        ("<title>文章不存在 - 山海报</title><p>返回首页", "gone"),
        ("<p>該当の記事は削除されました。", "gone"),
        ("<h1>Seite nicht gefunden!</h1>", "gone"),
        ("<p>Diese Anzeige ist nicht mehr verfügbar.", "gone"),
        ("<p>이 페이지를 찾을 수 없습니다.", "gone"),
        ("<div id=root></div><script src=app.js></script>", "needs-browser"),
        (
            "<div id=\"__next\"></div><script>1</script><noscript>You need to enable JavaScript.</noscript>",
            "needs-browser",
        ),
        ("<p>请启用JavaScript后访问。<script src=a.js></script>", "needs-browser"),
        ("<p>Hello", "other"),
        ("<script src=a.js></script><p>Hello", "other"),
    ] {
        assert_eq!(kind_of(html), want, "{html}");
    }
}

#[test]
fn an_article_about_signs_is_an_article() {
    for more in [
        "<p>Wer die Seite aufruft, liest: «verify you are human».",
        "<p>Statt der Karte stand dort lange: Page not found.",
        "<script>window.captcha=1</script>",
        "<div class=\"g-recaptcha\"></div><p>Kommentar schreiben",
        "<div id=root></div><noscript>enable JavaScript</noscript><script src=a.js></script>",
        "<footer><p>Mit dem Abo lesen Sie mehr</footer>",
        "<div><p>We value your privacy. We and our partners store and access information.</div>",
        "<form><input type=password></form>",
    ] {
        let html = format!("{}{STORY}{more}", "<meta property=og:type content=article>");
        assert_eq!(kind_of(&html), "article", "{more}");
    }
    // Signed, dated, and short.
    let signed = |headline: &str, more: &str| {
        let text = STORY.split_once("<p>Bis dahin").unwrap().0.replace("Der Fluss wird klar", headline);
        format!(
            "<article>{text}<p class=byline>By Jane Doe, <time datetime=2024-03-04>4 March</time></p>{more}</article>"
        )
    };
    for (headline, more) in [
        ("Missing hiker not found after three days", ""),
        ("Old bridge", "<p>The fallen tree has been removed.</p>"),
        ("Old bridge", "<form><div class=\"g-recaptcha\"></div><textarea></textarea></form>"),
        ("Old bridge", "<p>You must be logged in to post a comment.</p>"),
        ("Old bridge", "<script>window.byted_acrawler.init({})</script>"),
    ] {
        assert_eq!(kind_of(&signed(headline, more)), "article", "{headline} {more}");
    }
    let about = STORY.replace("Der Fluss wird klar", "404 Wege über den Fluss");
    assert_eq!(kind_of(&format!("<title>404 Wege über den Fluss</title>{about}")), "article");
}

#[test]
fn an_article_that_goes_on_elsewhere_is_cut() {
    let not_free =
        "<script type=application/ld+json>{\"@type\":\"NewsArticle\",\"isAccessibleForFree\":false}</script>";
    for (html, want) in [
        (STORY.to_owned(), "article"),
        (format!("{STORY}<p>余下全文请在客户端查看"), "article cut"),
        (format!("{STORY}<div><p>Subscribe to continue reading</div>"), "article cut"),
        (format!("{STORY}<p>残り1234文字"), "article cut"),
        (format!("{STORY}<p>Il vous reste 70 % de cet article à lire."), "article cut"),
        (format!("{STORY}<p>Dieser Artikel ist nur für Abonnenten."), "article cut"),
        (format!("{not_free}{STORY}"), "article cut"),
        (format!("{not_free}{}", STORY.repeat(6)), "article"),
        (format!("{not_free}{}<p>Already a subscriber? Log in", STORY.repeat(6)), "article cut"),
        (format!("{STORY}<p>剩余的人都回家了。"), "article"),
    ] {
        assert_eq!(kind_of(&html), want, "{html}");
    }
}

#[test]
fn pictures_with_captions_are_a_gallery() {
    let figure = |n: u32| {
        format!("<figure><img src=/g/{n}.jpg width=900 height=600><figcaption>Bild {n}: am Ufer</figcaption></figure>")
    };
    let figures: String = (0..8).map(figure).collect();
    let intro = "<p>Die schönsten Bilder vom Fluss in diesem Frühjahr, aufgenommen von unseren Leserinnen und Lesern \
        zwischen Quelle und Mündung an drei sonnigen Wochenenden im März.</p>";
    let html =
        format!("<meta property=og:type content=article><article><h1>Bilder vom Fluss</h1>{intro}{figures}</article>");
    assert_eq!(kind_of(&html), "gallery");
    // As long as the texts about them are, and whoever says so or not.
    let long = figures.replace("am Ufer", "wie sie an einem Morgen im März am Ufer entlang gingen und lachten");
    assert_eq!(kind_of(&format!("<article><h1>Bilder vom Fluss</h1>{intro}{long}</article>")), "gallery");
    let thumbnails: String = (0..8).map(|n| format!("<div><a href=/{n}><img src=/g/{n}.jpg></a></div>")).collect();
    let shop = page_at("https://news.example/pictures/", &format!("<h1>Alle Bilder</h1>{thumbnails}"));
    assert_eq!(shop.kind, Kind::Other);
    assert_eq!(kind_of(&format!("<article>{STORY}{STORY}{STORY}{}</article>", figure(1))), "article");
}

#[test]
fn lists_and_tables_beside_the_text_are_of_it() {
    let recipe = "<ul><li>2 Tassen Mehl<li>1 Ei</ul><table><tr><td>Ofen<td>200 Grad</table><dl><dt>Zeit<dd>1 h</dl>";
    let links = "<ul><li><a href=/a>Die Brücke wird gesperrt</a><li><a href=/b>Der Turm wird verkauft</a></ul>";
    let found = page(&format!("<article>{STORY}{recipe}{links}</article>"));
    assert!(found.article.text.ends_with("2 Tassen Mehl\n1 Ei\nOfen\n200 Grad\nZeit\n1 h"), "{}", found.article.text);
    let code = "<pre><code>fn main() {\n    go(1);\n}\n</code></pre>";
    let found = page(&format!("<article>{STORY}{code}{STORY}</article>"));
    assert!(found.article.html.contains("<pre>fn main() {\n    go(1);\n}</pre>"), "{}", found.article.html);
}

#[test]
fn what_recurs_on_a_host_is_no_part_of_the_article() {
    let standing = "Erhalten Sie jeden Morgen die wichtigsten Nachrichten aus der Stadt und vom Fluss in Ihr Postfach.";
    let paragraphs = [
        "Der Fluss ist in diesem Frühjahr so klar wie seit dreißig Jahren nicht mehr, sagen die Fischer.",
        "Forscher haben das Wasser an zwölf Stellen geprüft und wollen im Herbst wiederkommen, um zu vergleichen.",
    ];
    let html = format!(
        "<meta name=author content=Stadtblatt><article><h1>Der Fluss</h1><p>{}<p>{standing}<p>{}<img src=/a.jpg width=600><p>Und noch ein Satz von den Anglern, die am Abend am Ufer standen und nichts fingen.</article>",
        paragraphs[0], paragraphs[1]
    );
    let read_with = |boilerplate: Option<&Boilerplate>| {
        let (head, claims) = (Head::default(), Claims::default());
        let (url, at, bytes) = (ARTICLE, Timestamp(0), html.as_bytes());
        read(&Document { boilerplate, ..Document::page(url, at, &head, bytes, &claims) })
    };
    let before = read_with(None);
    assert!(before.article.text.contains(standing) && before.article.html.contains(standing));
    let known = Boilerplate { lines: [boilerplate::key(standing)].into(), authors: ["Stadtblatt".to_owned()].into() };
    let after = read_with(Some(&known));
    assert_eq!(after.article.text, before.article.text.replace(&format!("{standing}\n"), ""));
    assert!(!after.article.html.contains(standing));
    assert_eq!((before.images[0].position, after.images[0].position), (Some(3), Some(2)));
    assert_eq!((before.article.byline.len(), after.article.byline.len()), (1, 0));
    assert_eq!(after.article.source.as_deref(), Some("Stadtblatt"), "a name on every page is the outlet's");
}
