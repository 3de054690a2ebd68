//! Every way that pages are known to name their pictures, a line for each. Pages, hosts and names are invented.

use super::pictures::lazy;
use super::*;

const PAGE: &str = "https://news.example/a/1.html";
const BLANK: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

#[test]
fn a_script_puts_the_picture_in() {
    for attribute in lazy::named(lazy::Holds::Lazy).chain(lazy::named(lazy::Holds::Full)) {
        check(
            &format!("<p><img src=/static/loading.gif {attribute}=//p.example/full/x.jpg>"),
            "//p.example/full/x.jpg",
        );
        check(&format!("<p><img src='{BLANK}' {attribute}=//p.example/full/x.jpg>"), "//p.example/full/x.jpg");
    }
    for (html, originals) in [
        ("<img data-original=/o.jpg src=/s.jpg>", "/o.jpg"),
        ("<img data-src=//p.example/Ab/640?wx_fmt=jpeg data-w=719>", "//p.example/Ab/640?wx_fmt=jpeg"),
        ("<img src=/none.gif zoomfile=data/a.jpg file=data/a.jpg.thumb.jpg>", "/a/data/a.jpg"),
        ("<img src=/50/v2-a_hd.jpg data-actualsrc=/v2-a_b.jpg data-original=/v2-a_r.jpg>", "/v2-a_r.jpg"),
        (
            "<noscript><img src=/n_b.jpg data-original=/n_r.jpg></noscript><img src=data:, data-original=/n_r.jpg>",
            "/n_r.jpg",
        ),
        (
            "<img class=lazyload src=data:, data-src=/m-400.png data-srcset='/m-320.png 320w, /m-800.png 800w'>",
            "/m-800.png",
        ),
        ("<img src=/news/W02.jpeg oldsrc=W02.jpeg>", "/news/W02.jpeg"),
        ("<img src=/full.jpg data-src=/thumb_80x60.jpg width=1200>", "/full.jpg"),
        (
            "<img src=/a.jpg?imageView2/1/w/555/h/595 data-src=/a.jpg data-srcset=/a.jpg srcset=data:,>",
            "/a.jpg?imageView2/1/w/555/h/595",
        ),
        ("<img src=/a.jpg?w=20 data-src=/a.jpg?w=1200>", "/a.jpg?w=1200"),
        ("<img src=/a.jpg data-src=track-1234 data-id=77 data-caption=x>", "/a.jpg"),
        ("<img data-unheard-of=/strange/a.webp src=data:,>", "/strange/a.webp"),
        ("<img src=/undefined.jpg data-original=/1.jpg><img src=/undefined.jpg data-original=/2.jpg>", "/1.jpg /2.jpg"),
        ("<div class=hero data-bg=/h.jpg></div>", "/h.jpg"),
        ("<div class=hero data-bg='url(\"/h.jpg\")'></div>", "/h.jpg"),
    ] {
        check(html, originals);
    }
}

#[test]
fn copies_for_readers_without_scripts_are_the_same_picture() {
    for (html, originals) in [
        ("<img class=lazy src=data:,><noscript><img src=/n.jpg></noscript>", "/n.jpg"),
        ("<img class=lazy data-src=/n.jpg><noscript><img src=/n.jpg></noscript>", "/n.jpg"),
        (
            "<span><img src=data:, data-nimg=fill><noscript><img src='/_next/image?url=%2Fh.png&w=9'></noscript></span>",
            "/h.png",
        ),
        ("<noscript><p>x <img src=/only.jpg></noscript>", "/only.jpg"),
        ("<amp-img src=/a.jpg width=600 height=400><noscript><img src=/a.jpg></noscript></amp-img>", "/a.jpg"),
        ("<amp-img src=/a.webp srcset='/a.webp 640w, /b.webp 1280w'></amp-img>", "/b.webp"),
    ] {
        check(html, originals);
    }
}

#[test]
fn the_largest_of_a_set_is_the_original() {
    for (html, originals) in [
        (
            "<img src=s.jpg srcset='s.jpg 400w, m.jpg 800w, l.jpg 1600w' sizes='(max-width:600px) 100vw, 800px'>",
            "/a/l.jpg",
        ),
        ("<img srcset='/a.jpg@s_2,w_820,h_461 1x, /a.jpg@s_2,w_1640,h_922 2x'>", "/a.jpg@s_2,w_1640,h_922"),
        ("<img srcset='data:image/png;base64,AA== 1x, /r.jpg 2x'>", "/r.jpg"),
        ("<img srcset='/a.jpg foo, /b.jpg 300w' src=/c.jpg>", "/b.jpg"),
        ("<img srcset='/a.jpg 1x,/b.jpg 2x'>", "/b.jpg"),
        ("<picture><source srcset='/w.webp' type=image/webp><img src=/w.jpg></picture>", "/w.jpg"),
        (
            "<picture><source media='(min-width:800px)' srcset=/large.jpg><source srcset=/small.jpg><img src=/m.jpg></picture>",
            "/large.jpg",
        ),
        ("<picture><source data-srcset='/p-400.jpg 400w, /p-1200.jpg 1200w'><img src=data:,></picture>", "/p-1200.jpg"),
        (
            "<img srcset='/_next/image?url=%2Fhero.jpg&w=640 1x, /_next/image?url=%2Fhero.jpg&w=1200 2x' \
          src='/_next/image?url=%2Fhero.jpg&w=1200'>",
            "/hero.jpg",
        ),
    ] {
        check(html, originals);
    }
}

#[test]
fn pictures_stand_in_other_places_than_img() {
    for (html, originals) in [
        ("<video src=/v.mp4 poster=/v.jpg></video>", "/v.jpg"),
        ("<svg><image href=/s1.png /><image xlink:href=/s2.png /></svg>", "/s1.png /s2.png"),
        ("<image src=/old.jpg>", "/old.jpg"),
        ("<div style=\"background-image:url('/bg.jpg')\"></div>", "/bg.jpg"),
        ("<div style=\"background:image-set('/1.png' 1x)\"></div>", "/1.png"),
        ("<a href=/full/1.jpg><img src=/thumb/1.jpg width=150></a>", "/full/1.jpg"),
        ("<a href=/up/a.jpg><img src=/up/a-1024x683.jpg></a>", "/up/a.jpg"),
        ("<a href=/page.html><img src=/p.jpg width=600></a>", "/p.jpg"),
        ("<meta property=og:image content=/og.jpg>", "/og.jpg"),
        ("<meta property=og:image content=/og.jpg><meta name=twitter:image content=/og.jpg?w=600>", "/og.jpg"),
        (
            r#"<script type=application/ld+json>{"@type":"NewsArticle","image":["/1.jpg",{"url":"/2.jpg"}],
            "publisher":{"logo":{"url":"/logo.png"}}}</script>"#,
            "/1.jpg /2.jpg",
        ),
        (
            r#"<div id=app></div><script>window.__S__={"a":{"images":["https:\/\/p.example\/s.jpg"]}};</script>"#,
            "//p.example/s.jpg",
        ),
        (r#"<script id=__NEXT_DATA__ type=application/json>{"props":{"cover":"\/c.jpg"}}</script>"#, "/c.jpg"),
    ] {
        check(html, originals);
    }
}

#[test]
fn what_only_looks_like_a_picture_is_none() {
    for html in [
        "<textarea><img src=/t.jpg></textarea>",
        "<!-- <img src=/c.jpg> -->",
        "<template><img src=/t.jpg></template>",
        "<script>var s = '<img src=\"/s.jpg\">', t = 'https://p.example/t.jpg';</script>",
        "<script type=text/template><img src=/t.jpg></script>",
        "<script>var logo = {\"logo\": \"https://p.example/l.png\"};</script>",
        "<img src=/p?c1=2 width=1 height=1>",
        "<img src=''>",
        "<img src=blob:https://news.example/1>",
        "<img src=cid:part1>",
        "<img src=https://picsum.photos/400/300?random=7>",
        "<img src=/static/loading.gif>",
        "<img class=emoji src=/e/1f600.png>",
        "<img class='avatar avatar-48' src=/u/7.jpg>",
        "<link rel=icon href=/favicon.ico>",
        "<input type=image src=/button.png>",
    ] {
        check(html, "");
    }
}

#[test]
fn an_address_is_read_as_browsers_read_it() {
    for (html, originals) in [
        ("<base href=//s.example/v2/><img src=i/p.jpg>", "//s.example/v2/i/p.jpg"),
        ("<base href=/x/><base href=/y/><img src=p.jpg>", "/x/p.jpg"),
        ("<img src='//p.example/图/封 1.jpg'>", "//p.example/%E5%9B%BE/%E5%B0%81%201.jpg"),
        ("<img src='/a.jpg?w=1&amp;h=2&#38;q=3'>", "/a.jpg?w=1&h=2&q=3"),
        ("<img src='/a&#123;1&#125;.jpg'>", "/a%7B1%7D.jpg"),
        ("<img src='  /a.jpg\n'>", "/a.jpg"),
        ("<img style=\"font-family:-apple-system, \"Ping SC\", \"Ya Hei\";\" src=/a.jpg>", "/a.jpg"),
        ("<img src=/a.jpg/ alt=x>", "/a.jpg/"),
        ("<img src=\"/a.jpg\"alt=\"b\"width=\"500\">", "/a.jpg"),
    ] {
        check(html, originals);
    }
}

#[test]
fn one_picture_is_one_image() {
    for (html, originals) in [
        ("<img src=/a.jpg><p>x<img src=/a.jpg>", "/a.jpg"),
        ("<img src=/a-300x200.jpg><img src=/a-1024x683.jpg>", "/a-300x200.jpg"),
        (
            "<img src='https://cors.r.example/?http://p.example/a.jpg'><img data-original=http://p.example/a.jpg>",
            "http://p.example/a.jpg",
        ),
        (
            "<article><img data-original=/3.jpg><p>a</p><img src=/1.jpg><p>b</p><img data-src=/2.jpg></article>",
            "/3.jpg /1.jpg /2.jpg",
        ),
    ] {
        check(html, originals);
    }
}

#[test]
fn guesses_come_last_and_are_not_wanted() {
    let found = read_page("<img src=/2021/cb24.jpg@!w1200>");
    let variants: Vec<_> = found.images[0].variants.iter().map(|one| (one.url.path(), one.role, one.wanted)).collect();
    let want = [("/2021/cb24.jpg@!w1200", VariantRole::Original, true), ("/2021/cb24.jpg", VariantRole::Larger, false)];
    assert_eq!(variants, want);
    for opaque in ["/a.jpg?x-expires=1&x-signature=2&w=9", "/img/a~tplv-noop.image", "/a.jpg?X-Amz-Signature=0a&w=9"] {
        assert_eq!(read_page(&format!("<img src='{opaque}'>")).images[0].variants.len(), 1, "{opaque}");
    }
}

fn read_page(html: &str) -> Findings {
    let (head, claims) = (Head::read(b""), Claims::default());
    let at = Timestamp::from_iso("2024-03-05T12:00:00Z").unwrap();
    read(&Document::page(PAGE, at, &head, html.as_bytes(), &claims))
}

/// `originals` are resolved against the page and divided by spaces.
fn check(html: &str, originals: &str) {
    let base = WebUrl::parse(PAGE).unwrap();
    let found = read_page(html);
    let images = found.images.iter().filter(|image| image.position.is_some());
    let have: Vec<_> = images.map(|image| image.variants[0].url.as_str().to_owned()).collect();
    let want: Vec<_> =
        originals.split_whitespace().map(|url| base.join(url, None).unwrap().as_str().to_owned()).collect();
    assert_eq!(have, want, "{html}");
}
