//! Pages of sorts that templates everywhere make, each with what it is.

use super::super::{Document, read};
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

fn han(chars: usize) -> String {
    HAN.chars().cycle().take(chars).collect()
}

/// `count` times `each`, `#` being the number.
fn times(count: usize, each: &str) -> String {
    (1..=count).map(|number| filled(&each.replace('#', &number.to_string()))).collect()
}

/// `≈200` is so many letters of text, `≋50` so many Han characters.
fn filled(template: &str) -> String {
    let mut made = String::new();
    let mut rest = template;
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
fn check(kind: &str, name: &str, page: &str) {
    let html = format!("<!doctype html><meta charset=utf-8>{}", filled(page));
    let (head, claims) = (Head::default(), Claims::default());
    let at = Timestamp(1_700_000_000_000);
    let findings = read(&Document::page("https://news.example/a/page", at, &head, html.as_bytes(), &claims));
    assert_eq!(findings.kind.as_str(), kind, "{name}: {html}");
}

const NAV: &str =
    "<nav><ul><li><a href=/>Home</a><li><a href=/about>About us</a><li><a href=/sport>Sport</a></ul></nav>";
const LISTED: &str = "<li><a href=/n/#.html>What became of number # in the great flood</a>";
const LISTED_HAN: &str = "<li><a href=/n/#.html>第#号渡船昨日停航原因仍在调查</a><span>11-02</span>";

#[test]
fn lists() {
    let article = "<meta property=og:type content=article>";
    let h2 = "<h2><a href=/p/#>What became of number # in the flood</a></h2>";
    for (name, body) in [
        (
            "excerpts",
            times(
                8,
                &format!(
                    "<article class=post>{h2}<div class=meta>November #, 2021 by Ann Mill</div><p>≈300</p><a href=/p/#>Read more</a></article>"
                ),
            ),
        ),
        (
            "long excerpts",
            times(8, &format!("<article>{h2}<div class=meta>November #, 2021</div><p>≈450</p><p>≈200</p></article>")),
        ),
        (
            "whole posts",
            times(6, &format!("<article class=post>{h2}<p>≈350</p><p>≈420</p><p>≈300</p><p>≈300</p></article>")),
        ),
        (
            "whole posts in divs",
            times(5, &format!("<div class=post>{h2}<p>≈350</p><p>≈420</p><p>≈300</p><p>≈700</p></div>")),
        ),
        (
            "cards",
            times(
                12,
                "<div class=card><a href=/c/#><img src=/i/#.jpg><h3>What became of number # in the flood</h3><p>≈120</p></a></div>",
            ),
        ),
        (
            "cards, no text",
            times(
                20,
                "<div class=card><a href=/c/#><img src=/i/#.jpg><h3>What became of number # in the flood</h3></a></div>",
            ),
        ),
        (
            "portal",
            (1..5).map(|_| format!("<div class=box><h3>要闻</h3><ul>{}</ul></div>", times(10, LISTED_HAN))).collect(),
        ),
        (
            "summaries",
            times(
                10,
                "<div class=item><h2><a href=/s/#.html>第#号渡船昨日停航原因仍在调查</a></h2><p>≋90</p><span>2021-11-02</span></div>",
            ),
        ),
        (
            "table",
            format!(
                "<table>{}</table>",
                times(
                    30,
                    "<tr><td>#.<td><a href=https://h#.example/x>What became of number # in the flood</a> (h#.example)<tr><td><td>17 points by ann | 3 comments"
                )
            ),
        ),
        (
            "hexo",
            times(
                6,
                "<article class=card><h2><a href=/2021/#/>第#号渡船昨日停航原因仍在调查</a></h2><div>2021-11-02</div><div class=excerpt><p>≋180</p><p>≋120</p></div></article>",
            ),
        ),
        (
            "calls itself an article",
            format!(
                "{article}<h1>News</h1>{}",
                times(
                    14,
                    "<div class=item><h3><a href=/s/#.html>What became of number # in the flood</a></h3><p>≈150</p></div>"
                )
            ),
        ),
        (
            "introduced",
            format!(
                "<h1>All about the flood of the year</h1><p>≈450</p>{}",
                times(
                    10,
                    "<div class=item><h3><a href=/s/#.html>What became of number # in the flood</a></h3><p>≈150</p></div>"
                )
            ),
        ),
        (
            "archive",
            format!(
                "<h1>Archive</h1><ul>{}</ul>",
                times(40, "<li>2 Nov 2021 <a href=/s/#.html>What became of number # in the flood</a>")
            ),
        ),
        (
            "archive in Chinese",
            format!("<h1>归档</h1><ul>{}</ul>", times(40, "<li><time>11-02</time><a href=/s/#.html>渡船停航第#天</a>")),
        ),
        (
            "one story leads",
            format!(
                "<div class=lead><h2><a href=/lead>The lead story of the day is about a ferry</a></h2><p>≈280</p><p>≈280</p></div><ul>{}</ul>",
                times(20, LISTED)
            ),
        ),
        (
            "press releases",
            format!(
                "<h1>Press releases of the harbour board</h1>{}",
                times(
                    10,
                    "<div class=teaser><p class=date>2 November 2021</p><h3><a href=/s/#.html>What became of number # in the flood</a></h3><p>≈220 <a href=/s/#.html>more</a></p></div>"
                )
            ),
        ),
    ] {
        let title = "<title>All about the flood of the year - The Harbour News</title>";
        check(
            "list",
            name,
            &format!("{title}<body>{NAV}<div id=content>{body}</div><footer>© The Harbour News</footer>"),
        );
    }
}

#[test]
fn articles() {
    let h1 = "<h1>The ferry will not sail on Monday</h1><div class=info>2021-11-02 10:06 Source: Harbour News</div>";
    let h1_han = "<h1>渡船星期一停航的通知已经发布</h1><div class=info>2021-11-02 10:06 来源：港口报</div>";
    let linked = |each: &str, count| times(count, each);
    for (name, title, body) in [
        (
            "short, with what others read",
            "",
            format!(
                "<div class=text>{h1}<p>≈260</p></div><div class=more><h4>More</h4><ul>{}</ul></div>",
                linked(LISTED, 20)
            ),
        ),
        (
            "a flash",
            "han",
            format!(
                "<div class=text>{h1_han}<p>≋45</p></div><div class=hot><h4>热门</h4><ul>{}</ul></div>",
                linked(LISTED_HAN, 30)
            ),
        ),
        (
            "short, in Chinese",
            "han",
            format!(
                "<div class=text>{h1_han}<p>≋80</p><p>≋60</p><p>≋50</p></div><div class=hot><ul>{}</ul></div>",
                linked(LISTED_HAN, 60)
            ),
        ),
        (
            "all in one element",
            "",
            format!("<div>{h1}<p>≈240</p><p>≈180</p><p>≈200</p><ul>{}</ul></div>", linked(LISTED, 9)),
        ),
        (
            "interrupted",
            "",
            format!(
                "{h1}{}",
                times(7, "<p>≈300</p><p><a href=/r/#>Read also: what became of number # in the flood</a></p>")
            ),
        ),
        (
            "short and interrupted",
            "",
            format!(
                "{h1}{}",
                times(6, "<p>≈130</p><p><a href=/r/#>Read also: what became of number # in the flood</a></p>")
            ),
        ),
        (
            "a list of things elsewhere",
            "",
            format!(
                "{h1}<p>≈300</p>{}",
                times(
                    10,
                    "<h2><a href=https://shop#.example/>Number #: the boat that nobody wanted to buy</a></h2><p>≈260</p>"
                )
            ),
        ),
        (
            "references",
            "",
            format!(
                "{h1}{}",
                times(6, "<p>≈100 <a href=/r/#>according to the report of the harbour board #</a>, and ≈60</p>")
            ),
        ),
        (
            "recipe",
            "",
            format!(
                "{h1}<p>≈150</p>{}<ul>{}</ul>",
                times(8, "<p>≈70</p>"),
                times(8, "<li><a href=/r/#>Another dish that you may want to cook #</a>")
            ),
        ),
        (
            "related with teasers",
            "",
            format!(
                "<div class=text>{h1}{}</div>{}",
                times(8, "<p>≈200</p>"),
                times(
                    8,
                    "<div class=card><h3><a href=/r/#>What became of number # in the flood</a></h3><p>≈110</p></div>"
                )
            ),
        ),
        (
            "related with teasers, inside",
            "",
            format!(
                "<article>{h1}{}{}</article>",
                times(5, "<p>≈200</p>"),
                times(
                    8,
                    "<div class=card><h3><a href=/r/#>What became of number # in the flood</a></h3><p>≈110</p></div>"
                )
            ),
        ),
    ] {
        let title = if title == "han" {
            "渡船星期一停航的通知已经发布_港口报"
        } else {
            "The ferry will not sail on Monday - Harbour News"
        };
        check(
            "article",
            name,
            &format!("<title>{title}</title><body>{NAV}<div id=content>{body}</div><footer>© Harbour News</footer>"),
        );
    }
}
