//! OPML outlines (opml.org, version 2): the lists of feeds that feed readers export.

use std::collections::HashSet;

use quick_xml::events::Event;

use super::xml::{Lines, attribute, offset, reader};
use super::{Format, Harvest, Seed, xml};
use crate::web::claims::Claims;
use crate::web::url::WebUrl;

/// Reads an outline. Each entry gives its feed (`xmlUrl`), else the page it links to (`url`, `htmlUrl`); an entry with
/// neither is a folder. An outline that breaks off gives the entries before.
pub(super) fn read(name: &str, bytes: &[u8]) -> Harvest {
    let text = xml::decode(bytes);
    let base = WebUrl::parse(name).ok();
    let mut harvest = Harvest::of(Format::Opml);
    let mut lines = Lines::of(&text);
    let mut reader = reader(&text);
    let mut known = HashSet::new();
    loop {
        let at = offset(reader.buffer_position());
        match reader.read_event() {
            Ok(Event::Start(tag)) if tag.name().into_inner().eq_ignore_ascii_case("outline") => {
                let line = lines.at(at);
                let link = ["xmlUrl", "xmlurl", "url", "htmlUrl", "htmlurl"].into_iter();
                let Some(link) = link.filter_map(|name| attribute(&tag, name)).find(|link| !link.trim().is_empty())
                else {
                    continue;
                };
                // Feed readers write `feed:` before addresses.
                let link = link.trim();
                let link = link.strip_prefix("feed:").map_or(link, |rest| rest.trim_start_matches("//"));
                let url = base.as_ref().map_or_else(|| WebUrl::parse(link), |base| base.join(link, None));
                match url {
                    Ok(url) if known.insert(url.clone()) => {
                        harvest.seeds.push(Seed { url, line, claims: Claims::default() });
                    }
                    Ok(_) => {}
                    Err(cause) => harvest.reject(line, link, cause.to_string()),
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(cause) => {
                let line = lines.at(offset(reader.error_position()));
                harvest.reject(line, "", format!("not XML from here on ({cause}); the entries before were read"));
                break;
            }
        }
    }
    harvest
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn feeds_are_found_at_any_depth() {
        let text = "<?xml version='1.0'?>\n<opml version='2.0'><head><title>Meine</title></head><body>\n\
            <outline text='Zeitungen'>\n\
            <outline type='rss' text='A' xmlUrl='https://a.example/feed?x=1&amp;y=2' htmlUrl='https://a.example/'/>\n\
            <outline text='B' XMLURL='no' xmlUrl='feed:https://b.example/rss'/></outline>\n\
            <outline type='link' text='C' url='https://c.example/liste.opml'/>\n\
            <outline text='again' xmlUrl='https://b.example/rss'/>\n\
            <outline text='D' xmlUrl='nirgends'/>\n</body></opml>";
        let harvest = read("feeds.opml", text.as_bytes());
        assert_eq!(harvest.format, Some(Format::Opml));
        let seeds: Vec<_> = harvest.seeds.iter().map(|seed| (seed.url.as_str(), seed.line)).collect();
        let want =
            [("https://a.example/feed?x=1&y=2", 4), ("https://b.example/rss", 5), ("https://c.example/liste.opml", 6)];
        assert_eq!(seeds, want);
        assert_eq!((harvest.rejects.len(), harvest.rejects[0].line), (1, 8));
    }

    #[test]
    fn an_outline_that_breaks_off_gives_what_came_before() {
        let harvest = read("x", b"<opml><body><outline xmlUrl='http://a.example/f'/><outline xmlUrl=");
        assert_eq!(harvest.seeds.len(), 1);
    }
}
