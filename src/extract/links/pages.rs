//! Where an article goes on that is spread over several pages.
//!
//! Two witnesses are asked for. A link says that it leads to the next page: by `rel` or its words (`onward`), or by the
//! page's number. And its address says that it is the same article's: it is this page's own, but for a page number one
//! higher. So «next article», which `rel=next` often means, comments and lists of other things are nobody's next page.

use crate::extract::page::tree::{FoundLink, Page};
use crate::web::url::WebUrl;

/// An article has no more pages than this: what counts on without an end is a trap.
pub const MOST: u32 = 50;

/// Parameters that count an article's pages. Those that count comments have other names.
const PARAMETERS: &[&str] =
    &["page", "p", "pg", "pn", "paged", "pageno", "page_no", "pagenum", "page_num", "pageindex"];

/// Endings of files that a number stands before.
const ENDINGS: &[&str] = &["html", "htm", "shtml", "xhtml", "php", "asp", "aspx", "jsp"];

/// An address without its page number, and that number. One address may be read in more than one way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Numbered {
    stem: String,
    page: Option<u32>,
}

/// The next page of the article at this address.
pub fn next(page: &Page, own: &WebUrl) -> Option<WebUrl> {
    let own_forms = forms(own);
    let named = page.next.iter().map(|url| (url, true, None));
    let links = page.links.iter().map(|FoundLink { link, .. }| (&link.url, link.next, shown_number(&link.text)));
    let leads_on = |(url, said, shown): &(&WebUrl, bool, Option<u32>)| {
        let counts = |to: &Numbered, from: &Numbered| {
            let Some(page) = to.page.filter(|page| to.stem == from.stem && *page <= MOST) else { return false };
            match from.page {
                Some(before) => page == before + 1 && (*said || *shown == Some(page)),
                // The first page has no number, and some count from nought.
                None => page == 2 && (*said || *shown == Some(2)) || page == 1 && *said,
            }
        };
        (*said || shown.is_some())
            && url.host() == own.host()
            && forms(url).iter().any(|to| own_forms.iter().any(|from| counts(to, from)))
    };
    named.chain(links).find(leads_on).map(|(url, ..)| url.clone())
}

/// The number in an address that counts pages, if there is one.
fn forms(url: &WebUrl) -> Vec<Numbered> {
    let (path, query) = (url.path(), url.query());
    let base = |path: &str, query: Option<&str>| {
        let path = path.trim_end_matches('/');
        let last = path.rsplit_once('/').map_or(path, |(_, last)| last);
        let path = if is_index(last) { &path[..path.len() - last.len()] } else { path };
        let query = query.filter(|query| !query.is_empty()).map_or(String::new(), |query| format!("?{query}"));
        format!("{}{query}", path.trim_end_matches('/'))
    };
    let mut forms = vec![Numbered { stem: base(path, query), page: None }];
    if let Some(query) = query {
        let mut page = None;
        let rest = query.split('&').filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let counts = PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) && page.is_none();
            if counts && let Some(number) = number(value) {
                page = Some(number);
                return false;
            }
            true
        });
        let rest: Vec<&str> = rest.collect();
        forms.extend(page.map(|page| Numbered { stem: base(path, Some(&rest.join("&"))), page: Some(page) }));
    }
    let path = path.trim_end_matches('/');
    let (folder, last) = path.rsplit_once('/').unwrap_or(("", path));
    let (name, ending) = match last.rsplit_once('.') {
        Some((name, ending)) if ENDINGS.contains(&ending.to_ascii_lowercase().as_str()) => (name, Some(ending)),
        _ => (last, None),
    };
    let mut add = |stem: String, page: Option<u32>| {
        forms.extend(page.map(|page| Numbered { stem: base(&stem, query), page: Some(page) }));
    };
    let file = |name: &str| ending.map_or(format!("{folder}/{name}"), |ending| format!("{folder}/{name}.{ending}"));
    // story_2.html, story_2; story-2.html. Without an ending, story-2 is as often another story.
    if let Some((stem, page)) = name.rsplit_once('_') {
        add(file(stem), number(page));
    }
    if let Some((stem, page)) = name.rsplit_once('-').filter(|_| ending.is_some()) {
        add(file(stem), number(page));
    }
    if ending.is_none() {
        // story/2/, story/page/2/, story/p2/, story/page-2/; story.html/2 likewise.
        let counted =
            ["page-", "page", "p", "seite-", "seite", "pagina-"].iter().find_map(|word| last.strip_prefix(word));
        add(folder.to_owned(), counted.and_then(number));
        let folder = ["/page", "/seite", "/pagina"].iter().find_map(|word| folder.strip_suffix(word)).unwrap_or(folder);
        add(folder.to_owned(), number(last));
    }
    forms
}

/// A page's number: not a year, nor the number of an article.
fn number(text: &str) -> Option<u32> {
    let is_short = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_short.then(|| text.parse().ok()).flatten().filter(|page| *page > 0)
}

fn is_index(file: &str) -> bool {
    let (name, ending) = file.rsplit_once('.').unwrap_or((file, ""));
    matches!(name.to_ascii_lowercase().as_str(), "index" | "default")
        && ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
}

/// The number that a link shows, and nothing else: `2`, `[2]`.
fn shown_number(text: &str) -> Option<u32> {
    text.trim_matches(|c: char| !c.is_alphanumeric()).parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::page_at;

    fn check(own: &str, link: &str, want: Option<&str>) {
        let url = |path: &str| format!("https://news.example{path}");
        let html = format!("<article><p>Some text of an article, and then more of it.</p></article><div>{link}</div>");
        let next = page_at(&url(own), &html).next.map(|url| url.as_str().to_owned());
        assert_eq!(next, want.map(url), "{link} on {own}");
    }

    #[test]
    fn a_next_page_is_the_same_address_with_the_next_number() {
        for (own, link, want) in [
            ("/a/1001.html", "<a href=1001_2.html>下一页</a>", "/a/1001_2.html"),
            ("/a/1001_2.html", "<a href=1001_3.html>下一頁 &gt;</a>", "/a/1001_3.html"),
            ("/a/1001.html", "<a href=1001_1.html>[下一页]</a>", "/a/1001_1.html"),
            ("/a/story.html", "<a href=story-2.html>Next page »</a>", "/a/story-2.html"),
            ("/a/story.html", "<a href='?page=2'>次へ</a>", "/a/story.html?page=2"),
            ("/a/story?page=2", "<a href='?page=3'>Next</a>", "/a/story?page=3"),
            ("/a/show.php?id=7", "<a href='?id=7&p=2'>2</a>", "/a/show.php?id=7&p=2"),
            ("/a/show.php?id=7&p=2", "<a href='?p=3&id=7'>3</a>", "/a/show.php?p=3&id=7"),
            ("/a/story/", "<a href=/a/story/2/>2</a>", "/a/story/2/"),
            ("/a/story", "<a href=/a/story/page/2>次のページ</a>", "/a/story/page/2"),
            ("/a/story/2/", "<a href=/a/story/3/>다음</a>", "/a/story/3/"),
            ("/a/story/", "<a href=/a/story/seite-2>Weiter</a>", "/a/story/seite-2"),
            ("/a/", "<a href=index_2.html>下一页</a>", "/a/index_2.html"),
            ("/a/index.html", "<a href=index_2.html>下一页</a>", "/a/index_2.html"),
            ("/a/story.html", "<a rel=next href=story_2.html>→</a>", "/a/story_2.html"),
            ("/a/story.html", "<a href=story_2.html>2</a> <a href=story_3.html>3</a>", "/a/story_2.html"),
        ] {
            check(own, link, Some(want));
        }
    }

    #[test]
    fn what_is_next_to_an_article_is_no_page_of_it() {
        for (own, link) in [
            ("/a/1001.html", "<a href=1002.html>下一页</a>"),
            ("/a/1001.html", "<a rel=next href=other.html>Next</a>"),
            ("/a/story/", "<a rel=next href=/a/story-2/>Next</a>"),
            ("/a/story.html", "<a href='?comment-page=2'>Next</a>"),
            ("/a/story.html", "<a href=story_2.html>Why the second half matters</a>"),
            ("/a/story_2.html", "<a href=story_1.html>1</a>"),
            ("/a/story_2.html", "<a href=story_4.html>下一页</a>"),
            ("/a/story.html", "<a href='?page=2#comments&x=1'>Read all comments</a>"),
            ("/a/story.html", "<a href=story_3.html>3</a>"),
            ("/a/story_50.html", "<a href=story_51.html>next</a>"),
            ("/2023/", "<a href=/2024/>Next</a>"),
            ("/a/story.html", "<a href=https://other.example/a/story_2.html>Next</a>"),
        ] {
            check(own, link, None);
        }
    }
}
