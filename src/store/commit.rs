//! The one way to write: a batch of settled URLs in one transaction, after the archive has synced.
//!
//! Everything here is idempotent: a batch that recovery commits a second time changes nothing.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde_json::json;

use super::learned::Own;
use super::{Error, Run, Store, notices};
use crate::archive::{Capture, Original};
use crate::extract::{Findings, Kind};
use crate::politeness::{AddressClock, Clocks, RobotsCopy};
use crate::web::candidate::{Candidate, Class, Role};
use crate::web::digest::fingerprint;
use crate::web::ladder::By;
use crate::web::outcome::{Manner, Outcome};
use crate::web::picture::Flaw;
use crate::web::time::Timestamp;
use crate::web::url::{Origin, WebUrl, registrable_domain};
use crate::web::verdict::RobotsVerdict;

/// What one URL's turn brought.
#[derive(Debug)]
pub struct Settled {
    /// The URL, or the URI of a document of the user's own.
    pub url: String,
    /// What it was fetched for.
    pub role: Role,
    /// What was captured, if anything was.
    pub capture: Option<Capture>,
    /// The `Referer` it was asked for with.
    pub referer: Option<String>,
    /// What went wrong with the exchange.
    pub fault: Option<String>,
    /// Of a picture, its size in its own pixels.
    pub picture: Option<(u32, u32)>,
    /// Of a picture, what is wrong with what came.
    pub flaw: Option<Flaw>,
    /// What chose the `Referer`, for a picture.
    pub referer_by: Option<By>,
    /// The way in which it was asked for, of all of them.
    pub rung: u8,
    /// In how many ways it may be asked for.
    pub rungs: u8,
    /// What robots.txt said of it, by whichever rule.
    pub verdict: Option<RobotsVerdict>,
    /// `X-Robots-Tag` and the page's own directives, as written.
    pub robots_tags: Vec<String>,
    /// What was read in it.
    pub page: Option<Page>,
    /// Where it redirects to.
    pub redirect: Option<WebUrl>,
    /// What it named for the crawl.
    pub offers: Vec<Candidate>,
    /// Links of it that rules kept out.
    pub kept_out: Vec<KeptOut>,
    /// What the rules against traps are to remember of it, by its key.
    pub marks: Vec<(i64, i64)>,
    /// How its turn ended; none for what was never in the queue.
    pub outcome: Option<Outcome>,
    /// Attempts so far, this one included.
    pub tries: u32,
}

impl Settled {
    /// A turn, the first one, of which nothing more is known.
    pub fn new(url: impl Into<String>, role: Role) -> Settled {
        Settled {
            url: url.into(),
            role,
            capture: None,
            referer: None,
            fault: None,
            picture: None,
            flaw: None,
            referer_by: None,
            rung: 0,
            rungs: 1,
            verdict: None,
            robots_tags: Vec::new(),
            page: None,
            redirect: None,
            offers: Vec::new(),
            kept_out: Vec::new(),
            marks: Vec::new(),
            outcome: None,
            tries: 1,
        }
    }
}

/// Links that a rule kept out of the crawl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOut {
    /// The seed they descend from, by its row.
    pub seed: i64,
    /// The rule.
    pub rule: String,
    /// How many they are.
    pub urls: u64,
    /// The first of them.
    pub example: String,
}

impl KeptOut {
    /// A rule with its example, and nothing counted yet.
    pub fn example(seed: i64, rule: impl Into<String>, example: &str) -> KeptOut {
        // A URL that is kept out for its length need not be shown to its end.
        let example = example.chars().take(EXAMPLE).collect();
        KeptOut { seed, rule: rule.into(), urls: 0, example }
    }
}

/// Characters kept of an example.
const EXAMPLE: usize = 2_048;

/// What was read in a page.
#[derive(Debug)]
pub struct Page(pub Box<Findings>);

/// What one transaction writes.
#[derive(Debug, Default)]
pub struct Batch {
    /// URLs that nobody's turn named: the seeds.
    pub offers: Vec<Candidate>,
    /// Turns that ended.
    pub settled: Vec<Settled>,
    /// Clocks of the hosts and addresses concerned.
    pub clocks: Vec<Clocks>,
    /// robots.txt copies that are new.
    pub robots: Vec<(Origin, RobotsCopy)>,
    /// WARC files and how much of each has its rows now.
    pub files: Vec<(String, u64)>,
    /// The run's counters as JSON.
    pub counters: String,
}

impl Store {
    /// Writes a batch, whole or not at all. Answers for pictures that have turned out to be a notice are queued again
    /// within it, to be asked for in another way: the hosts whose queue has become longer so are returned.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; the archive keeps what the batch described, and the next start takes it up.
    pub fn commit(&mut self, run: Run, batch: &Batch, now: Timestamp) -> Result<BTreeSet<String>, Error> {
        let failed = self.failed("write to");
        let commit = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            let writing = Writing { transaction: &transaction, run, now };
            writing.batch(batch)?;
            let recalled = notices::recall(&transaction, batch)?;
            transaction.commit()?;
            Ok(recalled)
        };
        commit(&mut self.connection).map_err(failed)
    }
}

pub(super) struct Writing<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) run: Run,
    pub(super) now: Timestamp,
}

impl Writing<'_> {
    fn batch(&self, batch: &Batch) -> rusqlite::Result<()> {
        for (name, len) in &batch.files {
            self.execute(
                "INSERT INTO warc_file (name, committed_len) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET committed_len = max(committed_len, excluded.committed_len)",
                (name, i64::try_from(*len).unwrap_or(i64::MAX)),
            )?;
        }
        for candidate in &batch.offers {
            self.offer(candidate)?;
        }
        for settled in &batch.settled {
            self.settled(settled)?;
        }
        for clocks in &batch.clocks {
            self.clocks(clocks)?;
        }
        for (origin, copy) in &batch.robots {
            self.execute(
                "INSERT OR REPLACE INTO robots (origin, fetched_ms, status, body) VALUES (?1, ?2, ?3, ?4)",
                (origin.to_string(), copy.fetched.0, copy.status, &copy.bytes),
            )?;
        }
        self.execute(
            "UPDATE run SET touched_ms = ?2, counters = ?3 WHERE id = ?1",
            (self.run.id, self.now.0, &batch.counters),
        )
    }

    fn clocks(&self, Clocks { host: clock, address }: &Clocks) -> rusqlite::Result<()> {
        let (host, trouble) = (self.host(&clock.host)?, clock.trouble);
        self.execute(
            "UPDATE host SET page_next_ms = ?2, requisite_next_ms = ?3, trouble = ?4, trouble_until_ms = ?5
             WHERE id = ?1",
            (host, clock.page_next.0, clock.requisite_next.0, trouble.steps, trouble.until.0),
        )?;
        match address {
            None => Ok(()),
            Some(clock) if clock.is_at_rest(self.now) => {
                self.execute("DELETE FROM address WHERE address = ?1", [clock.address.to_string()])
            }
            Some(AddressClock { address, next, trouble }) => self.execute(
                "INSERT OR REPLACE INTO address (address, next_ms, trouble, trouble_until_ms) VALUES (?1, ?2, ?3, ?4)",
                (address.to_string(), next.0, trouble.steps, trouble.until.0),
            ),
        }
    }

    pub(super) fn execute(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<()> {
        self.transaction.prepare_cached(sql)?.execute(values).map(|_| ())
    }

    fn settled(&self, settled: &Settled) -> rusqlite::Result<()> {
        let url = self.url(&settled.url, settled.role)?;
        let rule = settled.verdict.as_ref().map(|verdict| self.robots_rule(verdict)).transpose()?;
        self.kept_out(settled)?;
        let capture = settled.capture.as_ref().map(|capture| self.capture(url, capture, settled, rule)).transpose()?;
        if rule.is_some() {
            self.execute("UPDATE url SET robots_rule = ?2 WHERE id = ?1", (url, rule))?;
        }
        // What the page names is queued before its pictures are described, which would only name them.
        for candidate in &settled.offers {
            self.offer(candidate)?;
        }
        if let (Some(Page(findings)), Some(capture)) = (&settled.page, capture)
            && self.is_article(url, findings)?
        {
            self.article(url, capture, findings)?;
        }
        if let Some(target) = &settled.redirect {
            let target = self.url(target.as_str(), settled.role)?;
            self.execute("INSERT OR REPLACE INTO redirect (url, target) VALUES (?1, ?2)", (url, target))?;
        }
        if settled.rungs > 1 {
            self.execute("UPDATE url SET rung = ?2, rungs = ?3 WHERE id = ?1", (url, settled.rung, settled.rungs))?;
        }
        match &settled.outcome {
            Some(outcome) => self.outcome(url, outcome, settled.tries),
            None => self.execute(
                "UPDATE url SET state = 'done', status = ?2, settled_ms = ?3 WHERE id = ?1",
                (url, settled.capture.as_ref().and_then(|capture| capture.status), self.now.0),
            ),
        }
    }

    /// Whether this turn's capture was committed before.
    fn has_rows(&self, settled: &Settled) -> rusqlite::Result<bool> {
        let Some(capture) = &settled.capture else { return Ok(false) };
        self.transaction
            .prepare_cached(
                "SELECT 1 FROM capture c JOIN warc_file f ON f.id = c.file WHERE f.name = ?1 AND c.offset = ?2",
            )?
            .exists((&capture.place.file, int(capture.place.offset)))
    }

    fn kept_out(&self, settled: &Settled) -> rusqlite::Result<()> {
        // Counts are added to, so they must not be added to twice.
        let is_new = !settled.kept_out.is_empty() && !self.has_rows(settled)?;
        for out in settled.kept_out.iter().filter(|_| is_new) {
            self.execute(
                "INSERT INTO exclusion (run, seed, rule, urls, example) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (run, seed, rule) DO UPDATE SET urls = urls + excluded.urls",
                (self.run.id, out.seed, &out.rule, int(out.urls), &out.example),
            )?;
        }
        for (key, value) in &settled.marks {
            self.execute("INSERT OR REPLACE INTO mark (key, value) VALUES (?1, ?2)", (key, value))?;
        }
        Ok(())
    }

    fn outcome(&self, url: i64, outcome: &Outcome, tries: u32) -> rusqlite::Result<()> {
        let (state, status, reason, refused_by, transient) = match outcome {
            Outcome::Again { at, manner } => {
                let rung = if let Manner::Rung(rung) = manner { Some(rung) } else { None };
                // What a crash left half fetched may not have been queued by anyone.
                return self.execute(
                    "UPDATE url SET due_ms = ?2, tries = ?3, state = iif(state = 'named', 'queued', state),
                         rung = coalesce(?4, rung) WHERE id = ?1",
                    (url, at.0, tries, rung),
                );
            }
            Outcome::Done { status } => ("done", Some(*status), None, None, false),
            Outcome::Refused { by, rule, transient } => ("refused", None, Some(rule), Some(by.as_str()), *transient),
            Outcome::Failed { reason, transient, status } => ("failed", *status, Some(reason), None, *transient),
        };
        self.execute(
            "UPDATE url SET state = ?2, status = ?3, reason = ?4, refused_by = ?5, transient = ?6, tries = ?7,
                 settled_ms = ?8 WHERE id = ?1",
            (url, state, status, reason, refused_by, transient, tries, self.now.0),
        )
    }

    fn host(&self, name: &str) -> rusqlite::Result<i64> {
        let known = self
            .transaction
            .prepare_cached("SELECT id FROM host WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        if let Some(id) = known {
            return Ok(id);
        }
        // 1,024 slots: enough to share work between machines, few enough to own one by one.
        let slot = fingerprint(registrable_domain(name)).rem_euclid(1024);
        self.execute("INSERT INTO host (name, slot) VALUES (?1, ?2)", (name, slot))?;
        Ok(self.transaction.last_insert_rowid())
    }

    /// The row of a URL; one that is merely named is made when there is none.
    pub(super) fn url(&self, text: &str, role: Role) -> rusqlite::Result<i64> {
        let host = self.host(&host_of(text))?;
        let (known, fingerprint) = find(self.transaction, host, text)?;
        if let Some(row) = known {
            return Ok(row.id);
        }
        self.execute(
            "INSERT INTO url (host, fingerprint, text, role, class, state, priority, due_ms, tries, depth, hops)
             VALUES (?1, ?2, ?3, ?4, ?5, 'named', 0, 0, 0, 0, 0)",
            (host, fingerprint, text, role.as_str(), class(role.class())),
        )?;
        Ok(self.transaction.last_insert_rowid())
    }

    fn offer(&self, candidate: &Candidate) -> rusqlite::Result<()> {
        let host = self.host(candidate.url.host())?;
        let (known, fingerprint) = find(self.transaction, host, candidate.url.as_str())?;
        let url = match known {
            Some(row) if !row.accepts(candidate, self.run) => Some(row.id),
            Some(row) => {
                // The row starts anew, whatever became of it before; its captures stay.
                self.insert(Some(row.id), host, fingerprint, candidate)?;
                Some(row.id)
            }
            None => {
                self.insert(None, host, fingerprint, candidate)?;
                Some(self.transaction.last_insert_rowid())
            }
        };
        match (&candidate.page, url) {
            (Some(page), Some(url)) => {
                let page = self.url(page, Role::Page)?;
                self.execute(
                    "INSERT OR IGNORE INTO part (page, url, role) VALUES (?1, ?2, ?3)",
                    (page, url, candidate.role.as_str()),
                )
            }
            _ => Ok(()),
        }
    }

    fn insert(&self, id: Option<i64>, host: i64, fingerprint: i64, candidate: &Candidate) -> rusqlite::Result<()> {
        let claims = candidate.claims.as_ref().and_then(|claims| serde_json::to_string(claims).ok());
        self.execute(
            "INSERT OR REPLACE INTO url (id, host, fingerprint, text, role, class, state, priority, due_ms, tries, seed,
                 via, depth, hops, page, referer, claims, referrer, rung)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7, 0, 0, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            rusqlite::params![
                id,
                host,
                fingerprint,
                candidate.url.as_str(),
                candidate.role.as_str(),
                class(candidate.role.class()),
                candidate.priority,
                candidate.seed,
                candidate.via,
                candidate.depth,
                candidate.hops,
                candidate.page,
                candidate.referer,
                claims,
                candidate.referrer.as_ref().map(ToString::to_string),
                candidate.rung,
            ],
        )
    }

    fn robots_rule(&self, verdict: &RobotsVerdict) -> rusqlite::Result<i64> {
        self.transaction
            .prepare_cached(
                "INSERT INTO robots_rule (rule, line, allowed) VALUES (?1, ?2, ?3)
                 ON CONFLICT (rule, line) DO UPDATE SET rule = rule RETURNING id",
            )?
            .query_row((&verdict.rule, verdict.line.unwrap_or(0), verdict.allowed), |row| row.get(0))
    }

    fn capture(&self, url: i64, capture: &Capture, settled: &Settled, rule: Option<i64>) -> rusqlite::Result<i64> {
        let file: i64 = self
            .transaction
            .prepare_cached(
                "INSERT INTO warc_file (name, committed_len) VALUES (?1, 0)
                 ON CONFLICT (name) DO UPDATE SET name = name RETURNING id",
            )?
            .query_row([&capture.place.file], |row| row.get(0))?;
        let payload: i64 = self
            .transaction
            .prepare_cached(
                "INSERT INTO payload (digest, size_bytes) VALUES (?1, ?2)
                 ON CONFLICT (digest) DO UPDATE SET digest = digest RETURNING id",
            )?
            .query_row((capture.payload.as_str(), int(capture.payload_len)), |row| row.get(0))?;
        let request = capture.request.as_ref();
        let refers_to =
            capture.refers_to.as_ref().map(|original| self.original(payload, original)).transpose()?.flatten();
        self.transaction
            .prepare_cached(
                "INSERT INTO capture (url, run, role, fetched_ms, record_id, kind, status, media, payload, truncated,
                     fault, address, referer, width, height, file, offset, length, request_offset, request_length,
                     metadata_offset, metadata_length, refers_to, etag, last_modified, robots_rule, robots_tags,
                     referer_by, flaw, page_kind)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                     ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)
                 ON CONFLICT (file, offset) DO UPDATE SET url = excluded.url RETURNING id",
            )?
            .query_row(
                rusqlite::params![
                    url,
                    self.run.id,
                    settled.role.as_str(),
                    capture.at.0,
                    capture.record_id,
                    capture.kind.as_str(),
                    capture.status,
                    capture.media,
                    payload,
                    capture.truncated,
                    settled.fault,
                    capture.address.map(|address| address.to_string()),
                    settled.referer,
                    settled.picture.map(|(width, _)| width),
                    settled.picture.map(|(_, height)| height),
                    file,
                    int(capture.place.offset),
                    int(capture.place.length),
                    request.map(|place| int(place.offset)),
                    request.map(|place| int(place.length)),
                    int(capture.metadata.offset),
                    int(capture.metadata.length),
                    refers_to,
                    capture.validators.etag,
                    capture.validators.last_modified,
                    rule,
                    Some(&settled.robots_tags).filter(|tags| !tags.is_empty()).map(|tags| json!(tags).to_string()),
                    settled.referer_by.map(By::as_str),
                    settled.flaw.map(Flaw::as_str),
                    settled.page.as_ref().map(|Page(findings)| findings.kind.as_str()),
                ],
                |row| row.get(0),
            )
    }

    /// The capture a revisit refers to: by the id of its record, and where none is named, or a foreign one names the
    /// payload otherwise than we do, by its URL and date.
    fn original(&self, payload: i64, original: &Original) -> rusqlite::Result<Option<i64>> {
        let by_record = self
            .transaction
            .prepare_cached("SELECT id FROM capture WHERE payload = ?1 AND record_id = ?2 AND kind <> 'revisit'")?
            .query_row((payload, &original.record_id), |row| row.get(0))
            .optional()?;
        if by_record.is_some() {
            return Ok(by_record);
        }
        let Some(url) = find(self.transaction, self.host(&host_of(&original.url))?, &original.url)?.0 else {
            return Ok(None);
        };
        self.transaction
            .prepare_cached("SELECT id FROM capture WHERE url = ?1 AND fetched_ms = ?2 AND kind <> 'revisit' LIMIT 1")?
            .query_row((url.id, original.at.0), |row| row.get(0))
            .optional()
    }

    /// A version when what people read has changed since the last one up to this capture.
    fn article(&self, url: i64, capture: i64, findings: &Findings) -> rusqlite::Result<()> {
        let article = &findings.article;
        let own = self.own(url, findings)?;
        self.continued(url, findings)?;
        let names = article.byline.iter().map(|person| person.name.as_str());
        let inside = findings.images.iter().filter(|image| image.in_article);
        let originals = inside.filter_map(|image| image.variants.first()).map(|variant| variant.url.as_str());
        let fingerprint = fingerprint_of(article.title.as_deref(), &own.text, names, originals);
        let last: Option<i64> = self
            .transaction
            .prepare_cached(
                "SELECT fingerprint FROM article_version WHERE url = ?1 AND capture <= ?2 ORDER BY id DESC LIMIT 1",
            )?
            .query_row((url, capture), |row| row.get(0))
            .optional()?;
        if last == Some(fingerprint) {
            return Ok(());
        }
        let byline: Vec<_> =
            article.byline.iter().map(|person| json!({"name": person.name, "role": person.role})).collect();
        let published = article.published.as_ref();
        let dates: Vec<_> = article
            .dates
            .iter()
            .map(|date| {
                json!({"claim": date.claim, "utc": date.utc.map(Timestamp::iso), "local": date.local,
                    "precision": date.precision.as_str(), "from": date.from, "conflict": date.conflict})
            })
            .collect();
        self.execute(
            "INSERT INTO article_version (url, capture, fingerprint, title, byline, source, published_ms,
                 published_local, published_precision, published_from, dates, language, charset, canonical, categories,
                 text, oddities, charset_from, charset_declared, cut)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
            rusqlite::params![
                url,
                capture,
                fingerprint,
                article.title,
                json!(byline).to_string(),
                article.source,
                published.and_then(|date| date.utc).map(|utc| utc.0),
                published.map(|date| date.local.as_str()),
                published.map(|date| date.precision.as_str()),
                published.map(|date| date.from.as_str()),
                json!(dates).to_string(),
                article.language,
                findings.charset.0,
                article.canonical.as_ref().map(WebUrl::as_str),
                json!(article.categories).to_string(),
                own.text,
                json!(findings.oddities).to_string(),
                findings.charset.1.as_str(),
                findings.declared_charset,
                findings.cut,
            ],
        )?;
        self.pictures(self.transaction.last_insert_rowid(), findings, &own)
    }

    /// Whether something of an article was read: as its last page, a few lines are.
    fn is_article(&self, url: i64, findings: &Findings) -> rusqlite::Result<bool> {
        match findings.kind {
            Kind::Article | Kind::Gallery => Ok(true),
            Kind::Other => self.transaction.prepare_cached("SELECT 1 FROM continuation WHERE url = ?1")?.exists([url]),
            _ => Ok(false),
        }
    }

    /// Which page of which article this is, and which one comes next.
    fn continued(&self, url: i64, findings: &Findings) -> rusqlite::Result<()> {
        let place: Option<(i64, i64)> = self
            .transaction
            .prepare_cached("SELECT article, number FROM continuation WHERE url = ?1")?
            .query_row([url], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (article, number) = place.unwrap_or((url, 1));
        let next = findings.next.as_ref().map(|next| self.url(next.as_str(), Role::Page)).transpose()?;
        self.execute(
            "DELETE FROM continuation WHERE article = ?1 AND (number > ?2 AND ?3 IS NULL OR number = ?2 + 1 AND url <> ?3)",
            (article, number, next),
        )?;
        let Some(next) = next.filter(|next| *next != article && *next != url) else { return Ok(()) };
        // Somebody may have asked for the next page first, and for those behind it.
        self.execute(
            "UPDATE continuation SET article = ?1, number = number + ?2 WHERE article = ?3",
            (article, number, next),
        )?;
        self.execute(
            "INSERT INTO continuation (url, article, number) VALUES (?3, ?1, ?2 + 1)
             ON CONFLICT (url) DO UPDATE SET article = excluded.article, number = excluded.number",
            (article, number, next),
        )
    }

    fn pictures(&self, version: i64, findings: &Findings, own: &Own) -> rusqlite::Result<()> {
        let lead = findings.article.lead_image;
        let of_article = findings.images.iter().enumerate().filter(|(i, image)| image.in_article || Some(*i) == lead);
        for (position, (i, image)) in of_article.enumerate() {
            self.execute(
                "INSERT INTO picture (version, position, block, lead, in_article, alt, caption, width, height)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                rusqlite::params![
                    version,
                    int(position as u64),
                    own.block(image.position),
                    Some(i) == lead,
                    image.in_article,
                    image.alt,
                    image.caption,
                    image.width,
                    image.height,
                ],
            )?;
            let picture = self.transaction.last_insert_rowid();
            for (position, variant) in image.variants.iter().enumerate() {
                let url = self.url(variant.url.as_str(), Role::Image)?;
                self.execute(
                    "INSERT INTO picture_variant (picture, position, url, role, wanted) VALUES (?1, ?2, ?3, ?4, ?5)",
                    (picture, int(position as u64), url, variant.role.as_str(), variant.wanted),
                )?;
            }
        }
        Ok(())
    }
}

/// What the store knows of a URL, as far as an offer is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) id: i64,
    state: String,
    settled: Option<Timestamp>,
    /// It was forgotten, and comes back only when somebody allows it.
    taken_down: bool,
}

impl Standing {
    /// Whether an offer puts the URL into the queue: it was only named so far, or it is to be asked again and was
    /// last settled before this chain of runs began.
    pub(super) fn accepts(&self, candidate: &Candidate, run: Run) -> bool {
        match self.state.as_str() {
            "named" => true,
            "queued" => false,
            _ if self.taken_down => false,
            _ => candidate.again && self.settled.is_none_or(|settled| settled < run.chain),
        }
    }
}

/// The row of a URL, and the fingerprint it has or would have: texts decide, so the seen-set is exact.
pub(super) fn find(connection: &Connection, host: i64, text: &str) -> rusqlite::Result<(Option<Standing>, i64)> {
    let mut fingerprint = fingerprint(text);
    let mut statement = connection.prepare_cached(
        "SELECT id, state, settled_ms, refused_by IS 'takedown', text = ?3 FROM url
             WHERE host = ?1 AND fingerprint = ?2",
    )?;
    loop {
        let row = statement
            .query_row((host, fingerprint, text), |row| {
                let settled: Option<i64> = row.get(2)?;
                let (id, state, taken_down) = (row.get(0)?, row.get(1)?, row.get(3)?);
                let standing = Standing { id, state, settled: settled.map(Timestamp), taken_down };
                Ok((standing, row.get::<_, bool>(4)?))
            })
            .optional()?;
        match row {
            None => return Ok((None, fingerprint)),
            Some((standing, true)) => return Ok((Some(standing), fingerprint)),
            Some((_, false)) => fingerprint = fingerprint.wrapping_add(1),
        }
    }
}

pub(super) fn class(class: Class) -> i64 {
    match class {
        Class::PageLike => 0,
        Class::Requisite => 1,
    }
}

/// The host of a URL; empty for documents of the user's own.
pub(super) fn host_of(text: &str) -> String {
    WebUrl::parse(text).map(|url| url.host().to_owned()).unwrap_or_default()
}

/// Of what people read: headline, text, byline and the pictures' originals.
pub(super) fn fingerprint_of<'a>(
    title: Option<&str>,
    text: &str,
    names: impl Iterator<Item = &'a str>,
    originals: impl Iterator<Item = &'a str>,
) -> i64 {
    let mut read = format!("{}\n{text}\n", title.unwrap_or(""));
    for line in names.chain(originals) {
        read.push_str(line);
        read.push('\n');
    }
    fingerprint(&read)
}

fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
