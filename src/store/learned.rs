//! What the pages of a host teach, kept beside them, and what follows for its articles.
//!
//! A page teaches once, with the capture that first makes it an article. What it teaches is known to be boilerplate late,
//! on the fifth page or a later one; the articles before are then put right, so that in the end none of them has it,
//! whatever the order they came in. So a page that is read again is compared with what is its own, and boilerplate alone
//! makes no new version.

use rusqlite::OptionalExtension;

use super::commit::{Writing, fingerprint_of};
use crate::extract::Findings;
use crate::extract::boilerplate::{self, Boilerplate, GAP, Known, Line};

/// No more lines of a page than this are looked at.
const LINES: usize = 1_000;
/// The pages of a line that are remembered until it is known to be boilerplate.
const PAGES: usize = 64;
/// Lines of a host that are boilerplate; more, and those go that were not seen for longest.
const MOST: i64 = 1_000;
/// What is forgotten is removed every so many pages.
const EVERY: u32 = 64;

/// What is an article's own.
pub(super) struct Own {
    pub text: String,
    /// For each line of what was read, whether it is left.
    left: Vec<bool>,
}

impl Own {
    /// The number of a text block, among those that are left.
    pub fn block(&self, block: Option<u32>) -> Option<u32> {
        let before = |block: u32| self.left.iter().take(block as usize).filter(|left| !**left).count();
        block.map(|block| block - u32::try_from(before(block)).unwrap_or(0))
    }
}

/// A line's row.
struct Row {
    known: Known,
    urls: Vec<i64>,
}

impl Writing<'_> {
    /// What is this article's own, after it has taught what it can.
    pub(super) fn own(&self, url: i64, findings: &Findings) -> rusqlite::Result<Own> {
        let host: Option<i64> = self
            .transaction
            .prepare_cached("SELECT u.host FROM url u JOIN host h ON h.id = u.host WHERE u.id = ?1 AND h.name <> ''")?
            .query_row([url], |row| row.get(0))
            .optional()?;
        let text = &findings.article.text;
        // A document of the user's own has no host that could teach.
        let Some(host) = host else { return Ok(Own { text: text.clone(), left: Vec::new() }) };
        let mut lines = boilerplate::lines(text);
        lines.truncate(LINES);
        let is_known =
            self.transaction.prepare_cached("SELECT 1 FROM article_version WHERE url = ?1")?.exists([url])?;
        if !is_known {
            self.learn(host, url, findings, &lines)?;
        }
        Ok(own(text, &self.recurring(host, &lines)?))
    }

    /// Those of these lines that are boilerplate.
    fn recurring(&self, host: i64, lines: &[Line]) -> rusqlite::Result<Boilerplate> {
        let mut recurring = Boilerplate::default();
        let mut recurs =
            self.transaction.prepare_cached("SELECT 1 FROM line WHERE host = ?1 AND key = ?2 AND recurs")?;
        for line in lines {
            if recurs.exists((host, line.key))? {
                recurring.lines.insert(line.key);
            }
        }
        Ok(recurring)
    }

    fn learn(&self, host: i64, url: i64, findings: &Findings, lines: &[Line]) -> rusqlite::Result<()> {
        let read: Option<(u32, u32)> = self
            .transaction
            .prepare_cached("SELECT pages, articles FROM lesson WHERE host = ?1")?
            .query_row([host], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (pages, articles) = read.unwrap_or_default();
        let rows = lines.iter().map(|line| self.line(host, line.key)).collect::<rusqlite::Result<Vec<Row>>>()?;
        let known: Vec<Known> = rows.iter().map(|row| row.known).collect();
        let page = pages + 1;
        let learnt = boilerplate::lesson(page, lines, &known);
        self.execute(
            "INSERT OR REPLACE INTO lesson (host, pages, articles) VALUES (?1, ?2, ?3)",
            (host, if learnt.is_some() { page } else { pages }, articles + 1),
        )?;
        for name in boilerplate::authors(findings) {
            self.execute(
                "INSERT INTO host_author (host, name, articles) VALUES (?1, ?2, 1)
                 ON CONFLICT (host, name) DO UPDATE SET articles = articles + 1",
                (host, name),
            )?;
        }
        if (articles + 1).is_multiple_of(EVERY) {
            // Whoever is on every page is on more than half.
            self.execute("DELETE FROM host_author WHERE host = ?1 AND articles * 2 < ?2", (host, articles + 1))?;
        }
        for ((line, row), now) in lines.iter().zip(rows).zip(learnt.into_iter().flatten()) {
            self.note(host, line.key, row, now, (page, url))?;
        }
        if page.is_multiple_of(EVERY) {
            self.execute(
                "DELETE FROM line WHERE host = ?1 AND NOT recurs AND last < ?2",
                (host, page.saturating_sub(GAP)),
            )?;
            self.execute(
                "DELETE FROM line WHERE host = ?1 AND key IN
                     (SELECT key FROM line WHERE host = ?1 AND recurs ORDER BY last DESC, key LIMIT -1 OFFSET ?2)",
                (host, MOST),
            )?;
        }
        Ok(())
    }

    fn line(&self, host: i64, key: i64) -> rusqlite::Result<Row> {
        let row = self
            .transaction
            .prepare_cached("SELECT recurs, pages, first, last, urls FROM line WHERE host = ?1 AND key = ?2")?
            .query_row((host, key), |row| {
                let (recurs, pages, first, last) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                let known = if recurs { Known::Boilerplate } else { Known::Seen { pages, first, last } };
                let urls: String = row.get(4)?;
                Ok(Row { known, urls: serde_json::from_str(&urls).unwrap_or_default() })
            })
            .optional()?;
        Ok(row.unwrap_or(Row { known: Known::New, urls: Vec::new() }))
    }

    /// Writes down what is known of a line now; what has turned out to be boilerplate leaves the articles that have it.
    fn note(&self, host: i64, key: i64, row: Row, now: Known, (page, url): (u32, i64)) -> rusqlite::Result<()> {
        let Row { known: before, mut urls } = row;
        match now {
            Known::New => Ok(()),
            Known::Seen { pages, first, last } => {
                if pages == 1 {
                    urls.clear();
                }
                if urls.len() < PAGES {
                    urls.push(url);
                }
                self.execute(
                    "INSERT OR REPLACE INTO line (host, key, recurs, pages, first, last, urls)
                     VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6)",
                    (host, key, pages, first, last, serde_json::json!(urls).to_string()),
                )
            }
            Known::Boilerplate => {
                self.execute(
                    "INSERT INTO line (host, key, recurs, pages, first, last, urls) VALUES (?1, ?2, 1, 1, ?3, ?3, '[]')
                     ON CONFLICT (host, key) DO UPDATE SET recurs = 1, pages = pages + 1, last = ?3, urls = '[]'",
                    (host, key, page),
                )?;
                if before != Known::Boilerplate {
                    let recurring = Boilerplate { lines: [key].into(), ..Boilerplate::default() };
                    urls.iter().try_for_each(|url| self.put_right(*url, &recurring))?;
                }
                Ok(())
            }
        }
    }

    /// Takes lines from the versions of an article.
    fn put_right(&self, url: i64, recurring: &Boilerplate) -> rusqlite::Result<()> {
        type Version = (i64, Option<String>, String, String);
        let mut versions =
            self.transaction.prepare_cached("SELECT id, title, byline, text FROM article_version WHERE url = ?1")?;
        let versions = versions
            .query_map([url], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect::<rusqlite::Result<Vec<Version>>>()?;
        for (version, title, byline, text) in versions {
            let own = own(&text, recurring);
            if own.text == text {
                continue;
            }
            let people: Vec<serde_json::Value> = serde_json::from_str(&byline).unwrap_or_default();
            let names = people.iter().filter_map(|person| person["name"].as_str());
            let mut pictures = self.transaction.prepare_cached(
                "SELECT p.id, p.block, p.in_article, u.text FROM picture p
                     JOIN picture_variant v ON v.picture = p.id AND v.position = 0 JOIN url u ON u.id = v.url
                     WHERE p.version = ?1 ORDER BY p.position",
            )?;
            let pictures = pictures
                .query_map([version], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
                .collect::<rusqlite::Result<Vec<(i64, Option<u32>, bool, String)>>>()?;
            for (picture, block, ..) in &pictures {
                self.execute("UPDATE picture SET block = ?2 WHERE id = ?1", (picture, own.block(*block)))?;
            }
            let originals = pictures.iter().filter(|(.., inside, _)| *inside).map(|(.., original)| original.as_str());
            self.execute(
                "UPDATE article_version SET text = ?2, fingerprint = ?3 WHERE id = ?1",
                (version, &own.text, fingerprint_of(title.as_deref(), &own.text, names, originals)),
            )?;
        }
        Ok(())
    }
}

fn own(text: &str, recurring: &Boilerplate) -> Own {
    if recurring.lines.is_empty() {
        return Own { text: text.to_owned(), left: Vec::new() };
    }
    let left = recurring.own(text.lines());
    let lines = text.lines().zip(&left).filter(|(_, left)| **left).map(|(line, _)| line);
    Own { text: lines.collect::<Vec<_>>().join("\n"), left }
}
