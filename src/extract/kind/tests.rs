//! Pages of sorts that templates everywhere make, each with what it is.

use crate::extract::{Document, read};
use crate::web::claims::Claims;
use crate::web::message::Head;
use crate::web::time::Timestamp;

const LATIN: &str = "The ferry leaves at nine and comes back at noon, as it has done for forty years, and nobody on the \
                     island can say what would become of them if it did not, or who would bring the mail. ";
const HAN: &str =
    "渡船每天早上九点离开码头，中午返回，四十年来一直如此，岛上没有人说得出，如果有一天它不再开了会怎样。";

/// So much text.
fn latin(chars: usize) -> String {
    LATIN.repeat(chars / LATIN.len() + 1)[..chars].to_owned()
}

/// So many Han characters.
fn han(chars: usize) -> String {
    HAN.chars().cycle().take(chars).collect()
}

/// A heading that leads elsewhere, by its mark in templates.
const HEADING: (&str, &str) = ("§", "<h3><a href=/p/#>What became of number # in the flood</a></h3>");
/// A headline in a list, in both scripts.
const LINE: (&str, &str) = ("†", "<li><a href=/n/#.html>What became of number # in the great flood</a>");
const LINE_HAN: (&str, &str) = ("‡", "<li><a href=/n/#.html>第#号渡船昨日停航原因仍在调查</a><span>11-02</span>");
/// The opening of an article, in both scripts.
const OPENING: (&str, &str) =
    ("¶", "<h1>The ferry will not sail on Monday</h1><div class=info>2021-11-02 10:06 Source: Harbour News</div>");
const OPENING_HAN: (&str, &str) =
    ("¤", "<h1>渡船星期一停航的通知已经发布</h1><div class=info>2021-11-02 10:06 来源：港口报</div>");

/// Each template so many times, `#` being the number; `≈200` is so many letters of text, `≋50` so many Han characters.
fn made(parts: &[(usize, &str)]) -> String {
    let mut made = String::new();
    for (count, template) in parts {
        let known = [HEADING, LINE, LINE_HAN, OPENING, OPENING_HAN];
        let template = known.iter().fold((*template).to_owned(), |text, (mark, with)| text.replace(mark, with));
        (1..=*count).for_each(|number| made.push_str(&filled(&template.replace('#', &number.to_string()))));
    }
    made
}

fn filled(template: &str) -> String {
    let (mut made, mut rest) = (String::new(), template);
    while let Some(at) = rest.find(['≈', '≋']) {
        let mark = rest[at..].chars().next().unwrap();
        let behind = &rest[at + mark.len_utf8()..];
        let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        let count = behind[..end].parse().unwrap();
        made.push_str(&rest[..at]);
        made.push_str(&if mark == '≈' { latin(count) } else { han(count) });
        rest = &behind[end..];
    }
    made + rest
}

#[track_caller]
fn check(kind: &str, name: &str, title: &str, parts: &[(usize, &str)]) {
    let html = format!(
        "<!doctype html><meta charset=utf-8><title>{title}</title><body><nav><ul><li><a href=/>Home</a>\
         <li><a href=/about>About us</a><li><a href=/sport>Sport</a></ul></nav><div id=content>{}</div>\
         <footer>© The Harbour News</footer>",
        made(parts)
    );
    let (head, claims) = (Head::default(), Claims::default());
    let (url, at) = ("https://news.example/a/page", Timestamp(1_700_000_000_000));
    let findings = read(&Document::page(url, at, &head, html.as_bytes(), &claims));
    assert_eq!(findings.kind.as_str(), kind, "{name}: {html}");
}

#[test]
fn lists() {
    let excerpt = "<article class=post>§<div class=meta>November #, 2021 by Ann Mill</div><p>≈300</p>\
                   <a href=/p/#>Read more</a></article>";
    let whole = "<article class=post>§<p>≈350</p><p>≈420</p><p>≈300</p><p>≈300</p></article>";
    let card = "<div class=card><a href=/c/#><img src=/i/#.jpg><h3>What became of number #</h3><p>≈120</p></a></div>";
    let bare = "<div class=card><a href=/c/#><img src=/i/#.jpg><h3>What became of number # in the flood</h3></a></div>";
    let summary = "<div class=item><h2><a href=/s/#.html>第#号渡船昨日停航原因仍在调查</a></h2><p>≋90</p></div>";
    let row = "<tr><td>#.<td><a href=https://h#.example/x>What became of number # in the flood</a> (h#.example)\
               <tr><td><td>17 points by ann | 3 comments";
    let hexo = "<article class=card><h2><a href=/2021/#/>第#号渡船昨日停航原因仍在调查</a></h2><div>2021-11-02</div>\
                <div class=excerpt><p>≋180</p><p>≋120</p></div></article>";
    let lead = "<div class=lead><h2><a href=/lead>The lead story of the day is about a ferry</a></h2><p>≈280</p>\
                <p>≈280</p></div>";
    let release = "<div class=teaser><p class=date>2 November 2021</p>§<p>≈220 <a href=/p/#>more</a></p></div>";
    let teaser = "<div class=item>§<p>≈150</p></div>";
    let said = "<meta property=og:type content=article><h1>News</h1>";
    for (name, parts) in [
        ("excerpts", &[(8, excerpt)][..]),
        ("long excerpts", &[(8, "<article>§<div class=meta>November #, 2021</div><p>≈450</p><p>≈200</p></article>")]),
        ("whole posts", &[(6, whole)]),
        ("whole posts in divs", &[(5, "<div class=post>§<p>≈350</p><p>≈420</p><p>≈300</p><p>≈700</p></div>")]),
        ("cards", &[(12, card)]),
        ("cards, no text", &[(20, bare)]),
        ("portal", &[(1, "<div class=box><h3>要闻</h3><ul>"), (20, "‡"), (1, "</ul></div>")]),
        ("summaries", &[(10, summary)]),
        ("table", &[(1, "<table>"), (30, row), (1, "</table>")]),
        ("excerpts in Chinese", &[(6, hexo)]),
        ("calls itself an article", &[(1, said), (14, teaser)]),
        ("introduced", &[(1, "<h1>All about the flood of the year</h1><p>≈450</p>"), (10, teaser)]),
        ("archive", &[(1, "<h1>Archive</h1><ul>"), (40, "<li>2 Nov 2021 <a href=/#>What became of number # then</a>")]),
        ("archive in Chinese", &[(1, "<ul>"), (40, "<li><time>11-02</time><a href=/s/#.html>渡船停航第#天</a>")]),
        ("one story leads", &[(1, lead), (1, "<ul>"), (20, "†")]),
        ("press releases", &[(1, "<h1>Press releases of the harbour board</h1>"), (10, release)]),
    ] {
        check("list", name, "All about the flood of the year - The Harbour News", parts);
    }
}

#[test]
fn articles() {
    let also = "<p><a href=/r/#>Read also: what became of number # in the flood</a></p>";
    let interrupted = format!("<p>≈300</p>{also}");
    let short = format!("<p>≈130</p>{also}");
    let thing = "<h2><a href=https://shop#.example/>Number #: the boat that nobody wanted to buy</a></h2><p>≈260</p>";
    let reference = "<p>≈100 <a href=/r/#>according to the report of the harbour board #</a>, and ≈60</p>";
    let dish = "<li><a href=/r/#>Another dish that you may want to cook #</a>";
    let related = "<div class=card>§<p>≈110</p></div>";
    for (name, parts) in [
        (
            "short, with what others read",
            &[(1, "<div class=text>¶<p>≈260</p></div><div class=more><ul>"), (20, "†")][..],
        ),
        ("all in one element", &[(1, "¶<p>≈240</p><p>≈180</p><p>≈200</p><ul>"), (9, "†")]),
        ("interrupted", &[(1, "¶"), (7, &interrupted)]),
        ("short and interrupted", &[(1, "¶"), (6, &short)]),
        ("a list of things elsewhere", &[(1, "¶<p>≈300</p>"), (10, thing)]),
        ("references", &[(1, "¶"), (6, reference)]),
        ("recipe", &[(1, "¶<p>≈150</p>"), (8, "<p>≈70</p>"), (1, "<ul>"), (8, dish)]),
        ("teasers behind it", &[(1, "<div class=text>¶"), (8, "<p>≈200</p>"), (1, "</div>"), (8, related)]),
        ("teasers inside", &[(1, "<article>¶"), (5, "<p>≈200</p>"), (8, related), (1, "</article>")]),
    ] {
        check("article", name, "The ferry will not sail on Monday - Harbour News", parts);
    }
    for (name, parts) in [
        ("a flash", &[(1, "<div class=text>¤<p>≋45</p></div><div class=hot><h4>热门</h4><ul>"), (30, "‡")]),
        ("short", &[(1, "<div class=text>¤<p>≋80</p><p>≋60</p><p>≋50</p></div><div class=hot><ul>"), (60, "‡")]),
    ] {
        check("article", name, "渡船星期一停航的通知已经发布_港口报", parts);
    }
}
