//! In which ways a picture may be asked for, one after the other, when its host refuses it.
//!
//! The first is what the page's own policy says. A host that answers it with a refusal, with a page or with a notice is
//! asked at most twice more, with what an honest browser could have sent for this page: nothing, or the page's origin.
//! Only who wants it also sends what a table says that the host is known to ask for.

use super::candidate::{Candidate, Role};
use super::url::WebUrl;

/// One way to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// What chose it.
    pub by: By,
    /// The `Referer`, if one is sent.
    pub referer: Option<String>,
}

/// What chose a `Referer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The policy of the page.
    Policy,
    /// The table of hosts.
    Table,
    /// None is sent.
    None,
    /// The page's origin is.
    Origin,
}

impl By {
    /// The word in columns and records.
    pub fn as_str(self) -> &'static str {
        match self {
            By::Policy => "policy",
            By::Table => "table",
            By::None => "none",
            By::Origin => "origin",
        }
    }

    /// What this word in a record says; none for a word of another version.
    pub fn of_word(word: &str) -> Option<By> {
        [By::Policy, By::Table, By::None, By::Origin].into_iter().find(|by| by.as_str() == word)
    }
}

/// The most ways in which one URL is asked for.
const MOST: usize = 3;

/// Hosts that are known to want a certain `Referer`, whoever shows the picture: each with who says so, and when.
const HOSTS: &[(&str, &str)] = &[
    // 403 for a foreign one since April 2019 (https://github.com/Semibold/Weibo-Picture-Store/issues/95, 2019-04-24),
    // for none as well since November 2022 (https://github.com/zgq354/weibo-rss/issues/57, 2022-11-23), and still so
    // (https://github.com/DIYgod/RSSHub/issues/11096, 2024-02-07).
    ("sinaimg.cn", "https://weibo.com/"),
    // 403 for a foreign one and for none since 2017 at the latest
    // (https://github.com/upbit/pixivpy/issues/34, 2017-03-20), and still so
    // (https://github.com/upbit/pixivpy/issues/405, 2025-04-27).
    ("pximg.net", "https://www.pixiv.net/"),
];

/// The ways in which this URL may be asked for, none twice; everything but a picture that is named in one way only. The
/// table of hosts is used when it is `with_table`.
pub fn ladder(candidate: &Candidate, with_table: bool) -> Vec<Rung> {
    let mut rungs = vec![Rung { by: By::Policy, referer: candidate.referer.clone() }];
    if candidate.role != Role::Image || candidate.is_guess() {
        return rungs;
    }
    let listed = host_rule(candidate.url.host()).filter(|_| with_table).map(|referer| (By::Table, Some(referer)));
    let page = candidate.page.as_deref().and_then(|page| WebUrl::parse(page).ok());
    let origin = page.map(|page| (By::Origin, Some(format!("{}/", page.origin()))));
    for (by, referer) in listed.into_iter().chain([(By::None, None)]).chain(origin) {
        if rungs.len() < MOST && rungs.iter().all(|rung| rung.referer != referer) {
            rungs.push(Rung { by, referer });
        }
    }
    rungs
}

fn host_rule(host: &str) -> Option<String> {
    let under = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    HOSTS.iter().find(|(name, _)| under(name)).map(|(_, referer)| (*referer).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::candidate::GUESS;

    #[test]
    fn each_way_is_tried_once_and_no_more_than_three_are() {
        let origin = Some("https://news.example/");
        let weibo = Some("https://weibo.com/");
        for (url, page, sent, table, want) in [
            ("https://i.example/1.jpg", Some("https://news.example/a"), origin, false, vec![origin, None]),
            ("https://i.example/1.jpg", Some("https://news.example/a"), None, false, vec![None, origin]),
            (
                "https://i.example/1.jpg",
                Some("https://news.example/a"),
                Some("https://news.example/a"),
                false,
                vec![Some("https://news.example/a"), None, origin],
            ),
            ("https://i.example/1.jpg", Some("file:///seeds/a.md"), None, false, vec![None]),
            ("https://i.example/1.jpg", None, None, true, vec![None]),
            ("https://wx1.sinaimg.cn/1.jpg", Some("https://news.example/a"), None, false, vec![None, origin]),
            ("https://wx1.sinaimg.cn/1.jpg", Some("https://news.example/a"), None, true, vec![None, weibo, origin]),
            ("https://notsinaimg.cn/1.jpg", None, None, true, vec![None]),
        ] {
            let candidate = Candidate {
                page: page.map(str::to_owned),
                referer: sent.map(str::to_owned),
                ..Candidate::new(WebUrl::parse(url).unwrap(), Role::Image)
            };
            let rungs = ladder(&candidate, table);
            let referers: Vec<Option<&str>> = rungs.iter().map(|rung| rung.referer.as_deref()).collect();
            assert_eq!(referers, want, "{url} for {page:?}");
        }
    }

    #[test]
    fn what_is_guessed_is_asked_for_in_one_way() {
        let url = WebUrl::parse("https://i.example/1.jpg").unwrap();
        let page = Some("https://news.example/a".to_owned());
        let guess = Candidate { page, priority: GUESS, ..Candidate::new(url, Role::Image) };
        assert_eq!(ladder(&guess, true).len(), 1);
    }

    #[test]
    fn only_pictures_are_asked_for_again() {
        let script = Candidate::new(WebUrl::parse("https://i.example/1.js").unwrap(), Role::Script);
        assert_eq!(ladder(&script, true).len(), 1);
    }
}
