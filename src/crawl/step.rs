//! One URL, from its exchange to what becomes of it.
//!
//! [`Step::take`] is the second half of a URL's journey: read the answer, see what it names, decide what belongs to the
//! crawl, make the records, and say how the turn ended. It runs on a worker, waits for nothing and decides from values.
//! [`Step::found`] does the same for a capture that a crash left without its rows.

mod offers;
mod outcome;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub(super) use self::offers::priority;
use self::outcome::{FIRST_WAIT, outcome, sobered};
use super::alike;
use super::coding;
use super::dry;
use super::guesses;
use super::plan::{Brings, Revisit};
use super::refusal::{asked_by, climbed, noted, number, worn};
use super::relays;
use super::scope::{Listing, Next, Scope};
use super::traps::{self, Sort};
use crate::archive::{self, Earlier, Encoded, Found, ImageNote, Notes, Record, Unchanged};
use crate::extract::{self, Findings, Kind, VariantRole};
use crate::politeness;
use crate::seeds;
use crate::store::{KeptOut, Page, Queued, Settled};
use crate::web::candidate::{Candidate, GUESS, Role};
use crate::web::claims::Claims;
use crate::web::exchange::{Exchange, Fault};
use crate::web::ladder::ladder;
use crate::web::media;
use crate::web::message::Head;
use crate::web::outcome::{Manner, Outcome};
use crate::web::picture::{self, Flaw};
use crate::web::referrer::{Policy, Referrer};
use crate::web::time::Timestamp;
use crate::web::url::{WebUrl, without_credentials};
use crate::web::verdict::RobotsVerdict;

/// No more of a document than this is read; all of it is archived.
const DOCUMENT: u64 = 16 << 20;

/// Redirect statuses that name another place for the same thing (RFC 9110, 15.4).
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// A page that leads elsewhere by itself is a redirect when it does so within this time: «you will be taken there in five
/// seconds». Later, it is a page that is shown in turn with others, or renewed.
const AT_ONCE: Duration = Duration::from_secs(10);

/// The answer to «has it changed?» (RFC 9110, 15.4.5).
const NOT_MODIFIED: u16 = 304;

/// What every step of a run has in common.
pub(super) struct Step {
    pub scope: Scope,
    pub brings: Brings,
    pub records: archive::Options,
    /// Where the WARC files are, for what an unchanged answer was.
    pub warcs: PathBuf,
    /// Whether what is kept is asked for again.
    pub revisit: Revisit,
    /// The profile and number of the run, for the metadata records.
    pub run: String,
    /// What the scope says of each link is told: a dry run.
    pub tells: bool,
    /// A host may be told the `Referer` that it is known to want.
    pub referer_table: bool,
}

/// An exchange that is over, with the URL whose turn it was.
pub(super) struct Turn {
    pub candidate: Candidate,
    /// Attempts before this one.
    pub tries: u32,
    /// The seed it descends from, as given.
    pub seed: String,
    pub exchange: Exchange,
    /// The answer it was asked about, when it was asked with validators.
    pub earlier: Option<Box<Earlier>>,
    /// By what leave of robots.txt it was asked for.
    pub verdict: Option<RobotsVerdict>,
    /// The server asked for patience, until then.
    pub back_off: Option<Timestamp>,
    /// When it was over.
    pub now: Timestamp,
}

/// What became of it.
pub(super) struct Taken {
    /// To be appended to the archive, if anything was received.
    pub encoded: Option<Encoded>,
    /// To be committed, once that is synced.
    pub settled: Settled,
    /// For the guard against traps.
    pub sort: Sort,
    /// In a dry run, what the scope says of each link.
    pub found: Vec<dry::Found>,
}

/// What was read in an answer.
#[derive(Default)]
struct Reading {
    offers: Vec<Candidate>,
    findings: Option<Box<Findings>>,
    picture: Option<(u32, u32)>,
    flaw: Option<Flaw>,
    redirect: Option<WebUrl>,
    /// Why a redirect leads nowhere.
    dead_end: Option<String>,
    /// What kept links out, by rule: counts only, the links themselves stand in the metadata record.
    kept_out: BTreeMap<String, KeptOut>,
    /// Links of it that are followed.
    followed: usize,
    sort: Sort,
    found: Vec<dry::Found>,
    oddities: Vec<String>,
    /// `X-Robots-Tag`, and the page's own directives.
    robots: Vec<String>,
    /// What a robots.txt names. Nobody asked for all that a site has, so they are noted and not followed.
    sitemaps: Vec<String>,
}

/// Where an answer stands in the crawl.
struct Spot<'a> {
    /// Its URL, or the URI of a document of the user's own.
    name: &'a str,
    /// What led to it.
    via: Option<&'a str>,
    at: Timestamp,
    role: Role,
    seed: &'a str,
    seed_id: i64,
    depth: u16,
    hops: u16,
    page: Option<&'a str>,
    claims: Option<&'a Claims>,
    referrer: Option<&'a Referrer>,
    /// Nobody named it.
    is_guess: bool,
}

impl Step {
    /// The second half of a URL's journey; see the module's head.
    pub(super) fn take(&self, turn: Turn) -> Result<Taken, archive::Error> {
        let Turn { candidate, tries, seed, exchange, earlier, verdict, back_off, now } = turn;
        let spot = Spot {
            name: candidate.url.as_str(),
            via: candidate.via.as_deref(),
            at: exchange.at,
            role: candidate.role,
            seed: &seed,
            seed_id: candidate.seed,
            depth: candidate.depth,
            hops: candidate.hops,
            page: candidate.page.as_deref(),
            claims: candidate.claims.as_deref(),
            referrer: candidate.referrer.as_deref(),
            is_guess: candidate.is_guess(),
        };
        let earlier = earlier.filter(|_| exchange.fault.is_none() && exchange.status() == Some(NOT_MODIFIED));
        let repeated = earlier.as_ref().map(|earlier| (earlier, archive::read_at(&self.warcs, &earlier.place)));
        let mut reading = match &repeated {
            None => self.read_exchange(&spot, &exchange)?,
            Some((_, Ok(original))) => self.read_original(&spot, &exchange.url, original),
            Some((_, Err(cause))) => {
                Reading { oddities: vec![format!("unchanged, and cannot be read: {cause}")], ..Reading::default() }
            }
        };
        let outcome = (candidate.role != Role::Robots)
            .then(|| match &repeated {
                // A later attempt is made without validators.
                Some((_, Err(_))) => Outcome::Again { at: now, manner: Manner::Later },
                _ => {
                    let tries = worn(&candidate, tries);
                    outcome(exchange.fault.as_ref(), exchange.status(), tries, back_off, now)
                }
            })
            .map(|outcome| sobered(outcome, &exchange, &reading))
            .map(|outcome| relays::ended(outcome, &candidate, exchange.fault.as_ref(), exchange.status()))
            .map(|outcome| guesses::ended(outcome, &candidate, exchange.fault.as_ref(), exchange.status()));
        let rungs = number(ladder(&candidate, self.referer_table).len());
        let rung = asked_by(&candidate, self.referer_table);
        let outcome = outcome.map(|outcome| climbed(outcome, reading.flaw, &candidate, rungs, now));
        let mut notes = self.notes(&spot, &reading);
        notes.via.clone_from(&candidate.via);
        notes.guess = candidate.is_guess();
        notes.referer.clone_from(&rung.referer);
        notes.referer_by = (candidate.role == Role::Image).then(|| rung.by.as_str().to_owned());
        (notes.rung, notes.rungs) = if candidate.role == Role::Image { (candidate.rung, rungs) } else { (0, 0) };
        notes.referrer = candidate.referrer.as_ref().filter(|_| reading.redirect.is_some()).map(ToString::to_string);
        notes.verdict.clone_from(&verdict);
        let mut encoded = archive::encode(&exchange, notes, &self.records)?;
        if let Some((earlier, Ok(_))) = repeated {
            encoded = encoded.map(|encoded| encoded.into_revisit(Unchanged::NotModified(earlier))).transpose()?;
        }
        let (sort, found) = (reading.sort, std::mem::take(&mut reading.found));
        let settled = Settled {
            verdict,
            referer: rung.referer,
            referer_by: (candidate.role == Role::Image).then_some(rung.by),
            rung: candidate.rung,
            rungs,
            fault: exchange.trouble(),
            outcome,
            tries: tries + 1,
            ..settled(candidate.url.as_str(), candidate.role, reading)
        };
        Ok(Taken { encoded, settled, sort, found })
    }

    /// A seed document that is its own article: archived as it is, read like a page.
    pub(super) fn take_document(
        &self,
        name: &str,
        document: &seeds::Document,
        seed_id: i64,
        at: Timestamp,
    ) -> Result<Taken, archive::Error> {
        let url = document_uri(name);
        let reading = self.read_document(&url, document, seed_id, at);
        let mut notes = Notes::new(&url, Role::Document);
        notes.run = Some(self.run.clone());
        note_findings(&mut notes, &reading);
        let encoded =
            archive::encode_document(&url, at, "text/markdown; charset=utf-8", &document.bytes, &notes, &self.records)?;
        let settled = settled(&url, Role::Document, reading);
        Ok(Taken { encoded: Some(encoded), settled, sort: Sort::Plain, found: Vec::new() })
    }

    /// A capture that the database does not know yet; `original` holds the payload of a revisit, `row` is what the
    /// database knows of the URL. Read and judged as if it had come a moment ago.
    pub(super) fn found(
        &self,
        found: &Found,
        original: Option<&Record>,
        seed_id: i64,
        row: Option<Queued>,
    ) -> Option<Settled> {
        let notes = &found.notes;
        if notes.role == Role::Document {
            let harvest = seeds::read(&found.capture.url, &found.first.block);
            let document = harvest.documents.first()?;
            let reading = self.read_document(&found.capture.url, document, seed_id, found.capture.at);
            let capture = Some(found.capture.clone());
            return Some(Settled { capture, ..settled(&found.capture.url, Role::Document, reading) });
        }
        let url = WebUrl::parse(&found.capture.url).ok()?;
        let tries = row.as_ref().map_or(0, |row| row.tries);
        let mut candidate = row.map_or_else(|| Candidate::new(url.clone(), notes.role), |row| row.candidate);
        candidate.page = candidate.page.or_else(|| notes.page.clone());
        if notes.guess {
            candidate.priority = GUESS;
        }
        let referrer = || notes.referrer.as_deref().and_then(Referrer::read).map(Box::new);
        candidate.referrer = candidate.referrer.or_else(referrer);
        let (by, rung, rungs) = noted(notes, &candidate, self.referer_table);
        candidate.rung = rung;
        let claims = notes.claims.as_ref().or(candidate.claims.as_deref());
        let referer = notes.referer.clone();
        let spot = Spot {
            name: url.as_str(),
            via: notes.via.as_deref(),
            at: found.capture.at,
            role: notes.role,
            seed: &notes.seed,
            seed_id,
            depth: notes.depth,
            hops: notes.hops,
            page: notes.page.as_deref(),
            claims,
            referrer: candidate.referrer.as_deref(),
            is_guess: candidate.is_guess(),
        };
        let reading = match (&found.capture.refers_to, original) {
            (Some(_), Some(original)) if found.capture.status == Some(NOT_MODIFIED) => {
                self.read_original(&spot, &url, original)
            }
            (Some(_), None) => Reading::default(),
            (_, original) => {
                let body = archive::entity(original.unwrap_or(&found.first)).into_owned();
                self.read_answer(&spot, &url, &Head::read(found.first.http().0), body)
            }
        };
        let fault = match found.capture.truncated.as_deref() {
            None => None,
            Some("length") => Some(Fault::Cap),
            Some("time") => Some(Fault::Stall),
            Some(_) => Some(Fault::Cut),
        };
        let at = found.capture.at;
        let outcome = match (&found.capture.refers_to, original) {
            // What it repeats is gone: it is asked for in full.
            (Some(_), None) => Outcome::Again { at, manner: Manner::Later },
            _ => {
                let tries = worn(&candidate, tries);
                outcome(fault.as_ref(), found.capture.status, tries, Some(at.after(FIRST_WAIT)), at)
            }
        };
        let outcome = relays::ended(outcome, &candidate, fault.as_ref(), found.capture.status);
        let outcome = guesses::ended(outcome, &candidate, fault.as_ref(), found.capture.status);
        let outcome = climbed(outcome, reading.flaw, &candidate, rungs, at);
        Some(Settled {
            capture: Some(found.capture.clone()),
            verdict: notes.verdict.clone(),
            referer,
            referer_by: by,
            rung,
            rungs,
            fault: notes.fault.clone(),
            outcome: (notes.role != Role::Robots).then_some(outcome),
            tries: tries + 1,
            ..settled(&found.capture.url, notes.role, reading)
        })
    }

    fn read_exchange(&self, spot: &Spot<'_>, exchange: &Exchange) -> Result<Reading, archive::Error> {
        let Some(answer) = exchange.answer.as_ref().filter(|answer| !answer.malformed) else {
            return Ok(Reading::default());
        };
        let body = archive::payload(answer, DOCUMENT).map_err(|source| archive::Error {
            doing: "read a spooled body in",
            path: self.records.spool_dir.clone(),
            source,
        })?;
        Ok(self.read_answer(spot, &exchange.url, &answer.read_head(), body))
    }

    /// Reads the answer that an unchanged one repeats.
    fn read_original(&self, spot: &Spot<'_>, url: &WebUrl, original: &Record) -> Reading {
        let payload = archive::entity(original);
        let body = payload[..payload.len().min(usize::try_from(DOCUMENT).unwrap_or(usize::MAX))].to_vec();
        self.read_answer(spot, url, &Head::read(original.http().0), body)
    }

    /// Reads an answer. Should a parser of foreign bytes fail at some, that is odd, and no reason to lose the capture.
    fn read_answer(&self, spot: &Spot<'_>, url: &WebUrl, head: &Head, body: Vec<u8>) -> Reading {
        let read = std::panic::AssertUnwindSafe(|| self.read_by_role(spot, url, head, body));
        std::panic::catch_unwind(read).unwrap_or_else(|_| Reading {
            oddities: vec!["a parser failed at it; it is archived and was not read".to_owned()],
            ..Reading::default()
        })
    }

    /// Reads an answer by what it was fetched for and by what it is.
    fn read_by_role(&self, spot: &Spot<'_>, url: &WebUrl, head: &Head, body: Vec<u8>) -> Reading {
        if REDIRECTS.contains(&head.status) {
            return self.read_redirect(spot, url, head);
        }
        let mut reading = Reading { robots: head.fields("x-robots-tag").collect(), ..Reading::default() };
        if !(200..300).contains(&head.status) {
            return reading;
        }
        let (body, oddities) = coding::undo(head, body, DOCUMENT);
        reading.oddities.extend(oddities);
        match spot.role {
            Role::Image => {
                let seen = picture::inspect(&body, (body.len() as u64) < DOCUMENT);
                let label = head.field("content-type").map(|label| media::essence(&label));
                if let (Some(label), Some(media)) = (label, seen.media)
                    && label != media
                {
                    reading.oddities.push(format!("labelled as {label}, and is {media}"));
                }
                (reading.picture, reading.flaw) = (seen.size, seen.flaw);
            }
            Role::Style => self.read_style(spot, url, head, &body, &mut reading),
            Role::Page => self.read_page(spot, url, head, &body, &mut reading),
            Role::Robots => {
                let survey = politeness::survey(&body);
                reading.oddities.extend(survey.oddities);
                reading.sitemaps = survey.sitemaps;
            }
            Role::Script | Role::Font | Role::Document => {}
        }
        reading
    }

    fn read_redirect(&self, spot: &Spot<'_>, url: &WebUrl, head: &Head) -> Reading {
        let sort =
            if spot.role == Role::Page { Sort::Redirect { via: spot.via.map(traps::page) } } else { Sort::Plain };
        let mut reading = Reading { sort, ..Reading::default() };
        let Some(location) = head.field("location") else { return reading };
        match url.join(&location, None) {
            Ok(target) if target == *url => {
                reading.dead_end = Some(format!("redirects in a circle, back to {target}"));
            }
            Ok(target) => {
                self.lead_on(spot, target, &mut reading);
                let header = Policy::from_header(head.fields("referrer-policy"));
                if let (Some(referrer), Some(offered)) = (spot.referrer, reading.offers.last_mut()) {
                    let referrer = referrer.after(header);
                    offered.referer = referrer.referer(&offered.url);
                    offered.referrer = Some(Box::new(referrer));
                }
            }
            Err(cause) => {
                // Enough to recognise it.
                let location: String = without_credentials(&location).chars().take(200).collect();
                reading.dead_end = Some(format!("redirects to «{location}»: {cause}"));
            }
        }
        reading
    }

    /// A page is a feed, a sitemap, or HTML; anything else says nothing to us.
    fn read_page(&self, spot: &Spot<'_>, url: &WebUrl, head: &Head, body: &[u8], reading: &mut Reading) {
        let content_type = head.field("content-type");
        if media::Kind::of(content_type.as_deref(), body) == media::Kind::Html {
            let claims = spot.claims.cloned().unwrap_or_default();
            let document = extract::Document::page(spot.name, spot.at, head, body, &claims);
            let mut findings = extract::read(&document);
            findings.oddities.splice(0..0, reading.oddities.drain(..));
            for link in &findings.links {
                let listing = match findings.kind {
                    Kind::List if link.next && self.turns(spot) => {
                        self.turn(spot, url, &link.url, Next::OfList, reading);
                        continue;
                    }
                    Kind::List if link.around => Listing::Around,
                    Kind::List => Listing::List,
                    _ => Listing::Page,
                };
                self.follow(spot, url, (&link.url, None), listing, reading);
            }
            if let (Kind::Article | Kind::Gallery | Kind::Other, Some(next)) = (findings.kind, &findings.next) {
                self.turn(spot, url, next, Next::OfArticle, reading);
            }
            if spot.depth > 0 {
                reading.sort = Sort::Page { class: alike::of_page(url, &findings), via: spot.via.map(traps::page) };
            }
            let field = head.field("refresh").and_then(|value| extract::refresh(&value, url));
            let refresh = field.or_else(|| findings.refresh.clone());
            if let Some(refresh) = refresh.filter(|refresh| refresh.after <= AT_ONCE && refresh.to != *url) {
                self.lead_on(spot, refresh.to, reading);
            }
            self.bring(spot, Some(url), &findings, reading);
            reading.oddities.extend(findings.oddities.iter().cloned());
            reading.robots.extend(findings.meta_robots.iter().cloned());
            reading.findings = Some(Box::new(findings));
            return;
        }
        if spot.depth > 0 {
            let class = alike::of_file(url, content_type.as_deref(), body);
            reading.sort = Sort::Page { class, via: spot.via.map(traps::page) };
        }
        let harvest = seeds::read(spot.name, body);
        use seeds::Format::{Feed, Html, List, Opml, Post, Sitemap, SitemapIndex};
        let is_index = match harvest.format {
            Some(SitemapIndex | Opml) => true,
            Some(Feed | Sitemap) => false,
            Some(List | Post | Html) | None => return,
        };
        if is_index && spot.depth > 0 {
            reading.sort = Sort::NestedIndex;
        }
        let listing = if is_index { Listing::Index } else { Listing::Listed };
        for seed in harvest.seeds {
            self.follow(spot, url, (&seed.url, Some(seed.claims)), listing, reading);
        }
        for reject in harvest.rejects {
            reading.oddities.push(format!("line {}: {}", reject.line, reject.reason));
        }
    }

    fn read_style(&self, spot: &Spot<'_>, url: &WebUrl, head: &Head, body: &[u8], reading: &mut Reading) {
        if !self.brings.requisites {
            return;
        }
        let policy = Policy::from_header(head.fields("referrer-policy")).unwrap_or_default();
        let text = String::from_utf8_lossy(body);
        for requisite in extract::read_style(url, &text, policy) {
            let referrer = Referrer { from: url.clone(), policy: requisite.policy };
            let mut offered = self.candidate(spot, requisite.url, requisite.role, Some(referrer));
            offered.page = spot.page.map(str::to_owned);
            reading.offers.push(offered);
        }
    }

    /// What a page needs to be shown. `base` is the page's address on the web, if it has one.
    fn bring(&self, spot: &Spot<'_>, base: Option<&WebUrl>, findings: &Findings, reading: &mut Reading) {
        let offer = |url: &WebUrl, role: Role, policy: Policy| {
            let referrer = base.map(|base| Referrer { from: base.clone(), policy });
            let mut offered = self.candidate(spot, url.clone(), role, referrer);
            offered.page = Some(spot.name.to_owned());
            offered
        };
        if self.brings.images {
            for image in &findings.images {
                for variant in image.variants.iter().filter(|variant| variant.wanted) {
                    reading.offers.push(offer(&variant.url, Role::Image, image.policy));
                }
            }
        }
        for requisite in &findings.requisites {
            let brought = if requisite.role == Role::Image { self.brings.images } else { self.brings.requisites };
            if brought {
                reading.offers.push(offer(&requisite.url, requisite.role, requisite.policy));
            }
        }
        // Behind everything that the page names: what it names elsewhere is no guess.
        for image in findings.images.iter().filter(|image| image.in_article && self.brings.images) {
            for guess in image.variants.iter().filter(|variant| variant.role == VariantRole::Larger) {
                let offered = offer(&guess.url, Role::Image, image.policy);
                reading.offers.push(Candidate { priority: GUESS, ..offered });
            }
        }
    }

    fn read_document(&self, url: &str, document: &seeds::Document, seed_id: i64, at: Timestamp) -> Reading {
        let head = Head::default();
        let page = extract::Document::page(url, at, &head, document.html.as_bytes(), &document.claims);
        let mut findings = extract::read(&extract::Document { is_post: true, ..page });
        findings.kind = Kind::Article;
        let mut reading = Reading::default();
        let spot = Spot {
            name: url,
            via: None,
            at,
            role: Role::Document,
            seed: url,
            seed_id,
            depth: 0,
            hops: 0,
            page: None,
            claims: None,
            referrer: None,
            is_guess: false,
        };
        self.bring(&spot, None, &findings, &mut reading);
        reading.findings = Some(Box::new(findings));
        reading
    }

    fn notes(&self, spot: &Spot<'_>, reading: &Reading) -> Notes {
        let mut notes = Notes::new(spot.seed, spot.role);
        notes.depth = spot.depth;
        notes.hops = spot.hops;
        notes.page = spot.page.map(str::to_owned);
        notes.claims = spot.claims.cloned();
        notes.run = Some(self.run.clone());
        notes.flaw = reading.flaw.map(|flaw| flaw.as_str().to_owned());
        note_findings(&mut notes, reading);
        notes
    }
}

/// The URI under which a seed document is archived: its name, never a path of the machine.
pub(super) fn document_uri(name: &str) -> String {
    let path: Vec<String> = name
        .split('/')
        .map(|part| percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC).to_string())
        .map(|part| part.replace("%2E", ".").replace("%2D", "-").replace("%5F", "_"))
        .collect();
    format!("file:///seeds/{}", path.join("/"))
}

/// What was read, on its way to the store.
fn settled(url: &str, role: Role, reading: Reading) -> Settled {
    Settled {
        picture: reading.picture,
        flaw: reading.flaw,
        robots_tags: reading.robots,
        page: reading.findings.map(Page),
        redirect: reading.redirect,
        offers: reading.offers,
        kept_out: reading.kept_out.into_values().collect(),
        ..Settled::new(url, role)
    }
}

fn note_findings(notes: &mut Notes, reading: &Reading) {
    notes.oddities.clone_from(&reading.oddities);
    notes.robots.clone_from(&reading.robots);
    notes.outlinks.clone_from(&reading.sitemaps);
    let Some(findings) = &reading.findings else { return };
    notes.kind = Some(findings.kind.as_str().to_owned());
    notes.outlinks = findings.links.iter().map(|link| link.url.as_str().to_owned()).collect();
    for (image, found) in findings.images.iter().enumerate() {
        for variant in &found.variants {
            let (url, role) = (variant.url.as_str().to_owned(), variant.role.as_str().to_owned());
            notes.images.push(ImageNote { image, url, role });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_named_without_paths_of_the_machine() {
        assert_eq!(document_uri("posts/a b.md"), "file:///seeds/posts/a%20b.md");
        assert_eq!(document_uri("中.md"), "file:///seeds/%E4%B8%AD.md");
    }
}
