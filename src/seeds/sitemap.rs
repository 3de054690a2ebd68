//! Sitemaps and sitemap indexes (sitemaps.org protocol), with the news extension.
//!
//! `lastmod` and the `news:` fields are claims. Pictures and videos of the extensions are ignored: the page names them.

use quick_xml::events::Event;

use super::xml::{Lines, offset, push_text, reader, unprefixed};
use super::{Format, Harvest, Seed, filled, xml};
use crate::web::claims::Claims;
use crate::web::url::WebUrl;

/// Reads a sitemap or an index of sitemaps. A document that breaks off gives the entries before.
pub(super) fn read(bytes: &[u8]) -> Harvest {
    let text = xml::decode(bytes);
    let index = xml::root(&text).as_deref() == Some("sitemapindex");
    let mut harvest = Harvest::of(if index { Format::SitemapIndex } else { Format::Sitemap });
    let mut lines = Lines::of(&text);
    let mut reader = reader(&text);
    let mut open: Vec<String> = Vec::new();
    let mut entry: Option<Entry> = None;
    let mut value = String::new();
    loop {
        let at = offset(reader.buffer_position());
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let name = tag.name().into_inner();
                if entry.is_none() && matches!(unprefixed(name), "url" | "sitemap") {
                    entry = Some(Entry { line: lines.at(at), ..Entry::default() });
                }
                open.push(name.to_owned());
                value.clear();
            }
            Ok(Event::End(tag)) => {
                // An end tag closes what was left open inside; one that fits nothing is skipped.
                let name = tag.name().into_inner();
                let depth = open.iter().rposition(|element| element == name).unwrap_or(open.len());
                while open.len() > depth {
                    let closed = open.pop().unwrap_or_default();
                    let parent = open.last().map_or("", |parent| unprefixed(parent));
                    if let Some(entry) = &mut entry {
                        entry.take(parent, unprefixed(&closed), &std::mem::take(&mut value));
                    }
                    if open.len() <= 1 {
                        entry.take().into_iter().for_each(|entry| entry.settle(&mut harvest));
                    }
                }
                value.clear();
            }
            Ok(Event::Eof) => break,
            Ok(event) => push_text(&mut value, &event),
            Err(cause) => {
                let line = lines.at(offset(reader.error_position()));
                harvest.reject(line, "", format!("not XML from here on ({cause}); the entries before were read"));
                return harvest;
            }
        }
    }
    if let Some(entry) = entry {
        harvest.reject(entry.line, &entry.loc, "the sitemap breaks off in this entry; the entries before were read");
    } else if !open.is_empty() {
        harvest.reject(lines.at(text.len()), "", "the sitemap breaks off here; the entries before were read");
    }
    harvest
}

/// One `<url>` or `<sitemap>` on its way to become a seed.
#[derive(Default)]
struct Entry {
    line: u32,
    loc: String,
    claims: Claims,
}

impl Entry {
    fn take(&mut self, parent: &str, name: &str, value: &str) {
        match (parent, name) {
            ("url" | "sitemap", "loc") => self.loc = value.trim().to_owned(),
            ("url" | "sitemap", "lastmod") => self.claims.modified = filled(value),
            ("news", "title") => self.claims.title = filled(value),
            ("news", "publication_date") => self.claims.published = filled(value),
            ("publication", "language") => self.claims.language = filled(value),
            _ => {}
        }
    }

    fn settle(self, harvest: &mut Harvest) {
        if self.loc.is_empty() {
            return harvest.reject(self.line, self.claims.title.as_deref().unwrap_or(""), "the entry has no <loc>");
        }
        match WebUrl::parse(&self.loc) {
            Ok(url) => harvest.seeds.push(Seed { url, line: self.line, claims: self.claims }),
            Err(cause) => harvest.reject(self.line, &self.loc, cause.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line for each seed and reject.
    fn told(text: &str) -> String {
        let harvest = read(text.as_bytes());
        let seeds = harvest.seeds.iter().map(|seed| {
            let claims = [&seed.claims.modified, &seed.claims.title, &seed.claims.published, &seed.claims.language];
            let claims: String = claims.into_iter().flatten().map(|claim| format!(" {claim}")).collect();
            format!("{} {}{claims}", seed.line, seed.url)
        });
        let rejects = harvest.rejects.iter().map(|reject| format!("{} !{}", reject.line, reject.reason));
        seeds.chain(rejects).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(told(text), want, "{text}");
    }

    #[test]
    fn entries_are_seeds_with_claims_and_lines() {
        check(
            "<?xml version='1.0'?>\n<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\n\
             <url>\n <loc> http://a.example/1?x=1&amp;y=2 </loc><lastmod>2026-11-02</lastmod>\n</url>\n\
             <url><loc><![CDATA[http://a.example/2]]></loc><image:image><image:loc>http://a.example/p.png</image:loc>\
             <image:title>p</image:title></image:image>\n\
             <news:news><news:publication><news:name>N</news:name><news:language>zh-cn</news:language></news:publication>\
             <news:publication_date>2026-11-03T08:00:00+08:00</news:publication_date><news:title>A &amp; B</news:title>\
             </news:news></url></urlset>",
            "3 http://a.example/1?x=1&y=2 2026-11-02\n\
             6 http://a.example/2 A & B 2026-11-03T08:00:00+08:00 zh-cn",
        );
        check(
            "<sitemapindex><sitemap><loc>https://a.example/s.xml.gz</loc><lastmod>2026</lastmod></sitemap></sitemapindex>",
            "1 https://a.example/s.xml.gz 2026",
        );
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        check("<urlset>\n<url><lastmod>2026</lastmod></url></urlset>", "2 !the entry has no <loc>");
        check(
            "<urlset>\n\n<url><loc>/a</loc></url></urlset>",
            "3 !not a URL (it does not begin with http:// or https://)",
        );
        check(
            "<urlset>\n<url><loc>http://a/</loc></url>\n<url><loc>http://b/",
            "2 http://a/\n3 !the sitemap breaks off in this entry; the entries before were read",
        );
        check(
            "<urlset>\n<url><loc>http://a/</loc></url>\n",
            "2 http://a/\n3 !the sitemap breaks off here; the entries before were read",
        );
        check("<urlset><url><loc>http://a/</url>\n</x><url><loc>http://b/</urlset>", "1 http://a/\n2 http://b/");
        check(
            "<urlset><url><loc>http://a/</loc></url>\n<url><loc>http://b/</loc></url><!-- x",
            "1 http://a/\n2 http://b/\n2 !not XML from here on (syntax error: comment not closed: `-->` not found before end of input); the entries before were read",
        );
    }
}
