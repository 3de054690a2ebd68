//! The headline, without the name of the site.

use std::collections::HashSet;

use crate::extract::meta::facts::{self, Facts};
use crate::extract::page::tree::{Block, Page, Zone, weight};
use crate::extract::{Document, folded};
use crate::web::url::WebUrl;

/// A headline that weighs less is a section's name or a logo's.
const SHORTEST: usize = 12;

/// The headline. A post's is claimed. A page's is the heading that reads like one of the titles the page gives itself in
/// its head, since that is what readers saw; without such a heading it is one of those titles.
pub fn title(page: &Page, facts: &Facts, document: &Document<'_>, is_post: bool) -> Option<String> {
    let claimed = document.claims.title.as_deref().map(folded).filter(|title| !title.is_empty());
    if is_post && claimed.is_some() {
        return claimed;
    }
    let plain = |title: &str| Some(folded(&facts::plain(title))).filter(|title| !title.is_empty());
    let head = page.title.as_deref().and_then(plain);
    let open_graph = ["og:title", "twitter:title"].into_iter().find_map(|name| page.meta(name).next()).and_then(plain);
    let headline = facts.headline.as_deref().and_then(plain);
    let given: Vec<&str> = [&headline, &open_graph, &head].into_iter().flatten().map(String::as_str).collect();

    let headings = || page.blocks.iter().filter(|block| block.heading > 0 && !block.hidden && block.weight > 2);
    let main = || headings().filter(|block| block.heading == 1);
    let site = site(&given, facts.publisher.as_deref());
    let is_site = |text: &str| site.iter().any(|site| is_same(site, text));
    let good = |block: &&Block| !is_site(&block.text) && given.iter().any(|title| reads_like(&block.text, title));

    let host = WebUrl::parse(document.url).ok().map(|url| url.domain().to_owned());
    let cut = |title: &str| without_host(&without_site(title, facts.publisher.as_deref()), host.as_deref());

    let inside = |block: &&Block| block.zone < Zone::Around;
    let found = main().filter(inside).find(good).or_else(|| main().find(good));
    let found = found.or_else(|| headings().filter(inside).find(|block| block.heading <= 3 && good(block)));
    if let Some(found) = found {
        let cut = || given.iter().map(|title| cut(title));
        let heading = without_day(&without_hyphens(&found.text)).to_owned();
        let heading = cut().find(|title| goes_on(&heading, title)).unwrap_or(heading);
        return Some(without_kicker(&heading, cut()));
    }
    // Some headlines are no headings: a line that is the better half of a title, at its beginning or end.
    let is_part = |block: &&Block| {
        let is_half = |title: &&str| {
            let is_end = title.starts_with(&block.text) || title.ends_with(&block.text);
            is_end && block.weight * 2 >= weight(title)
        };
        block.weight >= 2 * SHORTEST && block.zone < Zone::Around && given.iter().any(is_half)
    };
    if let Some(found) = page.blocks.iter().find(is_part) {
        return Some(without_hyphens(&found.text));
    }
    // One heading of the first rank that is neither the site's name nor short is the headline, whatever the head says.
    let mut sole = main().filter(inside).filter(|block| block.weight >= 2 * SHORTEST && !is_site(&block.text));
    if let (Some(heading), None) = (sole.next(), sole.next()) {
        return Some(without_hyphens(&heading.text));
    }
    let cut = |title: &String| cut(title);
    let first = main().find(|block| block.zone < Zone::Around).map(|block| block.text.clone());
    headline.or_else(|| open_graph.as_ref().map(cut)).or_else(|| head.as_ref().map(cut)).or(first).or(claimed)
}

/// What stands behind the last dash of the page's titles.
pub fn tails(page: &Page) -> Vec<String> {
    let titles = page.title.as_deref().into_iter().chain(page.meta("og:title"));
    titles.filter_map(|title| Some(split(title)?.1.to_owned())).collect()
}

/// Names of the site: what publishers call themselves, and what two titles do not share.
fn site(given: &[&str], publisher: Option<&str>) -> Vec<String> {
    let tails = given.iter().filter_map(|title| Some(split(title)?.1.to_owned()));
    publisher.map(str::to_owned).into_iter().chain(tails).collect()
}

/// A heading without the words above the headline that stand in the same element, where a title has the headline alone.
fn without_kicker(heading: &str, mut titles: impl Iterator<Item = String>) -> String {
    let is_rest = |title: &String| {
        let kicker = heading.strip_suffix(title.as_str());
        weight(title) >= 2 * SHORTEST
            && kicker.is_some_and(|kicker| !kicker.is_empty() && weight(kicker) < weight(title))
    };
    titles.find(is_rest).unwrap_or_else(|| heading.to_owned())
}

/// The heading ends with a colon, and the title says what follows.
fn goes_on(heading: &str, title: &str) -> bool {
    heading.ends_with(':') && title.split_once(heading).is_some_and(|(_, rest)| weight(rest) >= SHORTEST)
}

/// A heading without the day before it.
fn without_day(heading: &str) -> &str {
    let rest = heading.trim_start_matches(|c: char| c.is_ascii_digit() || ".:/".contains(c)).trim_start();
    let day = heading.len() - rest.len();
    let rest = rest.strip_prefix(['-', '–', '|']).map(str::trim_start);
    rest.filter(|rest| day >= 8 && weight(rest) >= SHORTEST).unwrap_or(heading)
}

/// A title without the part that is the name of its host, and what stands on the far side of it.
fn without_host(title: &str, host: Option<&str>) -> String {
    let squeezed =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let Some(host) = host.map(squeezed) else { return title.to_owned() };
    let is_host = |part: &str| {
        let part = squeezed(part);
        part.len() >= 5 && host.contains(&part)
    };
    let mut start = 0;
    for (at, bar) in title.match_indices(' ').filter_map(|(at, _)| bar(&title[at..]).map(|bar| (at, bar))) {
        if start == 0 && is_host(&title[..at]) && weight(&title[at + bar..]) >= SHORTEST {
            return title[at + bar..].to_owned();
        }
        if start > 0 && is_host(&title[start..at]) {
            return title[..start].trim_end_matches([' ', '-', '|', '–', '—', '»', '·']).to_owned();
        }
        start = at + bar;
    }
    let is_last = start > 0 && is_host(&title[start..]);
    let end = if is_last { &title[..start] } else { title };
    end.trim_end_matches([' ', '-', '|', '–', '—', '»', '·']).to_owned()
}

/// The length of the separator with spaces around it that a text begins with.
fn bar(text: &str) -> Option<usize> {
    [" - ", " | ", " – ", " — ", " » ", " · "].iter().find(|bar| text.starts_with(**bar)).map(|bar| bar.len())
}

/// Soft hyphens are for the layout.
fn without_hyphens(text: &str) -> String {
    text.replace('\u{ad}', "")
}

/// The words of a title; characters where words are not divided.
fn words(text: &str) -> HashSet<String> {
    let mut words = HashSet::new();
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        let alone = c >= '\u{2e80}' && !('\u{ac00}'..='\u{d7af}').contains(&c);
        if c.is_alphanumeric() && !alone {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            words.insert(std::mem::take(&mut word));
        }
        if alone && c.is_alphanumeric() {
            words.insert(c.to_string());
        }
    }
    words
}

fn is_same(one: &str, other: &str) -> bool {
    words(one) == words(other)
}

/// Most words of the heading are in the title, and they are a good part of it.
pub fn reads_like(heading: &str, title: &str) -> bool {
    let (heading, title) = (words(heading), words(title));
    let both = heading.intersection(&title).count();
    both > 0 && both * 10 >= heading.len() * 7 && both * 3 >= title.len()
}

/// A title and the name behind its last dash or bar.
fn split(title: &str) -> Option<(&str, &str)> {
    const SEPARATORS: [&str; 14] =
        [" - ", " | ", " – ", " — ", " · ", " • ", " :: ", " » ", " « ", " ‹ ", "_", "｜", "|", "ㅣ"];
    let cuts = SEPARATORS.iter().filter_map(|separator| {
        let at = title.rfind(separator)?;
        Some((title[..at].trim(), title[at + separator.len()..].trim()))
    });
    cuts.filter(|(before, _)| !before.is_empty()).max_by_key(|(before, _)| before.len())
}

/// A title without the name of the site, which stands behind it or before.
fn without_site(title: &str, site: Option<&str>) -> String {
    let mut rest = title;
    // `Headline - Section - Site`
    for _ in 0..3 {
        let Some((before, tail)) = split(rest) else { break };
        let is_site = site.is_some_and(|site| is_same(site, tail));
        if is_site || weight(before) >= SHORTEST && weight(tail) * 2 <= weight(before) {
            rest = before;
        } else if site.is_some_and(|site| is_same(site, before)) {
            rest = tail;
        } else {
            break;
        }
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_site_is_cut() {
        for (title, site, want) in [
            ("A headline of several words - Site", None, "A headline of several words"),
            ("A headline of several words | News | Site", None, "A headline of several words"),
            ("Site | Storm", Some("Site"), "Storm"),
            ("Storm - Rain", None, "Storm - Rain"),
            ("台风登陆后北上_山海报", None, "台风登陆后北上"),
            ("Well-known words", None, "Well-known words"),
            (" - Site", None, " - Site"),
        ] {
            assert_eq!(without_site(title, site), want, "{title}");
        }
    }

    #[test]
    fn the_name_of_the_host_is_cut() {
        for (title, want) in [
            ("river-coast » Number two: herons", "Number two: herons"),
            ("Herons of the coast - River Coast - Boats, sails and repairs in town", "Herons of the coast"),
            ("Herons of the coast | River Coast", "Herons of the coast"),
            ("Herons – and what they eat", "Herons – and what they eat"),
            ("River Coast", "River Coast"),
        ] {
            assert_eq!(without_host(title, Some("river-coast.example")), want, "{title}");
        }
        assert_eq!(without_host("A - B", None), "A - B");
    }

    #[test]
    fn a_heading_is_whole_and_has_no_day() {
        assert!(goes_on("The river:", "The river: what became of it"));
        assert!(!goes_on("The river", "The river: what became of it"));
        for (heading, want) in [
            ("04.03.2024 - Herons are back", "Herons are back"),
            ("2024 – the year of the heron", "2024 – the year of the heron"),
            ("101 herons", "101 herons"),
        ] {
            assert_eq!(without_day(heading), want, "{heading}");
        }
    }

    #[test]
    fn a_heading_reads_like_its_title() {
        for (heading, title, want) in [
            ("Storm reaches the coast", "Storm reaches the coast – Site", true),
            ("Site", "Storm reaches the coast – Site", false),
            ("Related stories", "Storm reaches the coast", false),
            ("台风登陆", "台风登陆_山海报", true),
        ] {
            assert_eq!(reads_like(heading, title), want, "{heading}");
        }
    }
}
