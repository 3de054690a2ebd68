//! Documents made to cost: what is kept of them has a bound, and a word says that there was more.

use pressmark::extract::{Document, Findings, read};
use pressmark::web::claims::Claims;
use pressmark::web::message::Head;
use pressmark::web::time::Timestamp;
use proptest::prelude::*;

fn found(html: &str) -> Findings {
    let (head, claims) = (Head::default(), Claims::default());
    let document = Document::page("http://h.example/a", Timestamp(0), &head, html.as_bytes(), &claims);
    read(&document)
}

/// How many things of any kind were kept.
fn kept(found: &Findings) -> usize {
    let variants: usize = found.images.iter().map(|image| image.variants.len()).sum();
    let article = &found.article;
    let lines = article.text.lines().count();
    variants + found.links.len() + found.requisites.len() + article.byline.len() + article.dates.len() + lines
}

/// At most so much is kept of this document, and the one thing odd about it begins like this; nothing is when empty.
fn check(name: &str, html: &str, most: usize, odd: &str) {
    let found = found(html);
    let (kept, text) = (kept(&found), found.article.text.len());
    assert!(kept <= most, "{name}: {kept} things are kept");
    assert!(text <= 9 << 20, "{name}: {text} bytes of text are kept");
    let said = found.oddities.iter().any(|one| one.starts_with(odd));
    assert!(said || odd.is_empty(), "{name}: {:?}", found.oddities);
    assert!(!odd.is_empty() || found.oddities.is_empty(), "{name}: {:?}", found.oddities);
}

const OPEN: &str = "the rest was left out: too many elements are open at once";
const ELEMENTS: &str = "the rest was left out: more than 200,000 elements";
const ATTRIBUTES: &str = "the rest was left out: elements have thousands of attributes";
const MANY: &str = "more than 20000 pictures, links or files were left out";
const LONG_ADDRESSES: &str = "addresses were left out: all together they are longer than 16 MiB";
const LONG: &str = "longer than 8 MiB";

fn numbered(many: usize, piece: impl Fn(usize) -> String) -> String {
    (0..many).map(piece).collect()
}

#[test]
fn nesting_has_a_bound() {
    check("divs", &"<div>".repeat(100_000), 1, OPEN);
    check("unknown elements", &"<x>".repeat(100_000), 1, OPEN);
    check("tables", &"<table><tr><td>".repeat(100_000), 1, OPEN);
    check("formatting", &"<b><i><a><p>x".repeat(50_000), 1000, OPEN);
    check("formatting of all sorts", &(numbered(2000, |n| format!("<b {n}>")) + &"<p>x".repeat(50_000)), 1000, OPEN);
    check("misnested formatting", &"<a><b><i><u></a></b>x</i></u>".repeat(6_000), 1000, "");
    check("in a list", &"<ul><li>".repeat(50_000), 1, OPEN);
    check("in SVG", &("<svg>".to_owned() + &"<g>".repeat(100_000)), 1, OPEN);
    check("signatures", &("<div class=author>".repeat(199) + &"x ".repeat(100_000)), 1000, "elements nested deeper");
}

#[test]
fn numbers_have_a_bound() {
    check("cells", &("<table>".to_owned() + &"<td></td>".repeat(210_000)), 0, ELEMENTS);
    check("comments", &"<!-- x -->".repeat(210_000), 0, ELEMENTS);
    check("links", &numbered(25_000, |n| format!("<a href=/{n}>x</a> ")), 20_001, MANY);
    check("pictures", &numbered(25_000, |n| format!("<img src=/{n}.png>")), 20_001, MANY);
    check("files", &format!("<style>{}</style>", numbered(25_000, |n| format!("a{{b:url({n})}}"))), 20_001, MANY);
    check("signatures", &"<div class=author>Jane Doe</div>".repeat(5_000), 6_000, "");
    check("candidates", &format!("<img srcset='{}'>", numbered(300_000, |n| format!("/{n} {n}w, "))), 64, "");
}

#[test]
fn what_is_named_over_and_over_is_read_once() {
    let sources = numbered(3_000, |n| format!("<source srcset='/{n}.png {n}w'>"));
    let shown = numbered(3_000, |n| format!("<img src=/{n}.jpg>"));
    check("sources", &format!("<picture>{sources}{shown}</picture>"), 200_000, "");
    let names = numbered(60_000, |n| format!("Jane D{}, ", ["oe", "ay", "ean"][n % 3]));
    check("names", &format!("<meta name=author content='{names}'><p>x"), 10, "");
    check("titles", &format!("{}<p>x", "<meta property=og:title content='A - B'>".repeat(20_000)), 10, "");
    let base = format!("<base href='http://h.example/{}/'>", "a/".repeat(2_000));
    check("a long base", &(base + &numbered(20_000, |n| format!("<img src=/{n}.png>"))), 20_000, "");
    let base = format!("<base href='http://h.example/?{}'>", "a".repeat(4_000));
    let long = numbered(20_000, |n| format!("<img src='#{n}'>"));
    check("a long query", &(base + &long), 20_000, LONG_ADDRESSES);
}

#[test]
fn attributes_have_a_bound() {
    let names = |many| numbered(many, |n| format!(" a{n}"));
    check("many", &format!("<p>x<p{}>", names(1_000_000)), 2, ATTRIBUTES);
    check("with values that end tags", &format!("<p>x<p{}>", names(100_000).replace(' ', " b='>'")), 2, ATTRIBUTES);
    check("behind a comment that is none", &format!("<!--><p{}>", names(100_000)), 2, ATTRIBUTES);
    check("behind what is no quotation", &format!("<i title=\"</i><p{}>", names(100_000)), 2, ATTRIBUTES);
    check("tags in tags", &format!("<a {}", "<a ".repeat(100_000)), 2, ATTRIBUTES);
    check("many times many", &format!("<p{}>x", names(1000)).repeat(50), 50, ATTRIBUTES);
    check("as many as are read", &format!("<p{}>x", names(1000)), 2, "");
    let path = "M 10/20 L 30/40 ".repeat(50_000);
    check("one long value", &format!("<p>x<svg><path d='{path}'/></svg><p data-x=\"{path}\">y"), 2, "");
}

#[test]
fn what_a_page_calls_a_script_is_counted_too() {
    // The parser sees no script here, and what follows is markup.
    for hidden in ["<svg><script>", "<!-- <script> -->", "<style><script></style>", "<p title='<script>'>"] {
        check(hidden, &(hidden.to_owned() + &"<div>".repeat(100_000)), 1000, "the rest was left out");
        check(hidden, &(hidden.to_owned() + &"<b><p>".repeat(100_000)), 1000, "the rest was left out");
    }
    check("in SVG", &("<svg><script>".to_owned() + &"<x>".repeat(300_000)), 1000, "the rest was left out");
    // And here it does.
    let script = "for(i=0;i<b;i++)if(a<div&&c<n){s+='<div><p><b>'+x+'</b></div>'}\n".repeat(2_000);
    check("a script", &format!("<p>x<script>{script}</script><p>y"), 2, "");
}

#[test]
fn one_thing_may_be_as_long_as_the_page() {
    let words = "the river is clear and the people swim in it again ".repeat(200_000);
    check("text", &format!("<p>{}", &words[..1 << 20]), 1, "");
    check("a comment", &format!("<p>x<!-- {words}"), 1, LONG);
    check("a script", &format!("<p>x<script>{words}</script>"), 1, LONG);
    check("a picture", &format!("<p>x<img src='data:image/png;base64,{}'>", "A".repeat(9 << 20)), 1, LONG);
    check("references", &format!("<p>{}", "&amp;&lt;&notin;".repeat(20_000)), 1, "");
    check("ampersands", &format!("<p>{}", "&".repeat(200_000)), 1, "");
    check("less-than signs", &"<".repeat(200_000), 1, "");
    let data = |json: &str| format!("<script type=application/ld+json>{json}</script><p>x");
    check("brackets of JSON", &data(&"[".repeat(1_000_000)), 1, "");
    let articles = numbered(30_000, |n| format!(r#"{{"@type":"Article","image":"/{n}.png"}},"#));
    check("articles of JSON", &data(&format!("{{\"@graph\":[{articles}{{}}]}}")), 10, "");
    let pictures = numbered(30_000, |n| format!("\"/{n}.png\","));
    check("pictures of JSON", &data(&format!("{{\"@type\":\"Article\",\"image\":[{pictures}\"\"]}}")), 30_010, "");
}

#[test]
fn a_real_page_of_many_megabytes_is_read_whole() {
    let block = "<section class='entry long'><h2 id=x>A heading of its own</h2><p>The river is <em>clear</em>, and \
                 people swim in <a href='/swim?day=today&amp;page=1'>it</a> again.</p><ul><li>one<li>two</ul>\
                 <figure><img src='/a.jpg' alt='the river' width=800 height=600><figcaption>The river</figcaption>\
                 </figure></section>\n";
    let page = |block: &str, bytes: usize| {
        format!("<!doctype html><title>x</title><body><main>{}</main>", block.repeat(bytes / block.len()))
    };
    let whole = page(block, 1 << 20);
    let found = found(&whole);
    assert_eq!(found.oddities, [""; 0]);
    assert_eq!(found.article.text.matches("A heading").count(), whole.matches("A heading").count());
    let long = block.replace("people swim in", &"people swim in it, and nobody says a word, and ".repeat(200));
    check("of ten", &page(&long, 10 << 20), 10_000, LONG);
}

/// Pieces of pages, divided by tildes: tags whole and in halves, what changes how a parser reads, parts of values.
const PIECES: &str = "\
    <p>~</p>~<div class=ad>~</div>~<article>~</article>~<main>~<a href=/x>~<a href='?q=中'~</a>~<b>~</b>~<i a1>~</i>~\
    <h1>~</h1>~<table>~<tr>~<td>~</table>~<ul>~<li>~<form>~<input type=image src=/i.png>~<select>~<option>~\
    </select>~<button>~<svg>~</svg>~<image href=/a.png>~<math>~<mi>~</math>~<foreignObject>~<title>~</title>~\
    <textarea>~</textarea>~<script>~</script>~<style>~@import \"x\";~a{b:url(y)}~</style>~<noscript>~</noscript>~\
    <template>~</template>~<frameset>~<iframe src=/f>~</iframe>~<!--~-->~--!>~<![CDATA[~]]>~<?xml encoding='gbk'?>~\
    <meta charset=gbk>~<meta http-equiv=refresh content='0;url=/r'>~<meta name=referrer content=never>~\
    <base href=//b.example/>~<base href='%'>~<link rel=canonical href=/c>~<link rel=stylesheet href=/s.css>~\
    <img src=/a.jpg>~<img data-src='/b.jpg' srcset='/c.jpg 2x, /d'>~<picture>~<source srcset=/e.webp>~</picture>~\
    <video poster=/v.jpg>~<figure>~<figcaption>~</figcaption>~<time datetime=2024-03-04>~\
    <span class=author>~ style='background:url(/z.png)'~ title=\"~\
    \"~'~>~<~/~=~&amp;~&#x0;~&notin~\u{0}~ ~\n~text ~文 / 林晚舟 ~2024年3月4日 10:06~<script type=application/ld+json>~\
    {\"@type\":\"Article\",\"image\":[~\"/j.jpg\"~]}~{\"@graph\":~null~<frame>~<body>~<html lang=zh>~<head>~<hr>~\
    <br/>";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_jumble_of_markup_is_read(
        pieces in proptest::collection::vec((0..200usize, 1..4usize), 0..60),
        url in 0..3usize,
    ) {
        let all: Vec<&str> = PIECES.split('~').collect();
        let html: String = pieces.iter().map(|(piece, times)| all[piece % all.len()].repeat(*times)).collect();
        let url = ["http://h.example/2024/03/04/a.html", "file:///seeds/x.md", ""][url];
        let (head, claims) = (Head::default(), Claims::default());
        for is_post in [false, true] {
            let (at, bytes) = (Timestamp(0), html.as_bytes());
            let document = Document { is_post, ..Document::page(url, at, &head, bytes, &claims) };
            let found = read(&document);
            prop_assert!(found.article.lead_image.is_none_or(|lead| lead < found.images.len()));
            prop_assert!(found.images.iter().all(|image| !image.variants.is_empty()));
            prop_assert!(found.article.text.len() <= html.len() * 3);
        }
    }
}
