//! What comes in place of pictures: notices («shown on our own pages only», as a picture, with status 200), and
//! redirects that end at one, at a page or at a refusal.
//!
//! Nobody can know all notices, but they give themselves away: one host answers with the same bytes for many different
//! pictures, and gives hardly anything else to who asks so. What came so is asked for again in the next way, the first
//! of them as well, as long as there is one; of a redirect, the address that the page names.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction};

use super::commit::Batch;
use crate::web::candidate::Role;
use crate::web::picture::Flaw;

/// So many different pictures of one host are one notice. Pages often show one picture under two or three addresses,
/// and a query makes no different one: it is how copies are kept from caches.
const MANY: i64 = 6;
/// Captures of one payload that are looked at, and redirects to them.
const LOOKED_AT: i64 = 256;

/// The addresses whose last capture has this payload.
const LAST_OF: &str = "SELECT c.url, 0 FROM capture c
    WHERE c.payload = ?1 AND c.id = (SELECT max(l.id) FROM capture l WHERE l.url = c.url)";

/// What an address came to, where its redirects end.
struct End {
    url: i64,
    capture: i64,
    payload: i64,
    status: Option<u16>,
    flaw: Option<String>,
    is_notice: bool,
}

/// Looks for notices and refusals among the pictures of this batch, and queues again what can be asked for in another
/// way. The hosts concerned.
pub(super) fn recall(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<BTreeSet<String>> {
    let mut recalled = BTreeSet::new();
    let pictures = batch.settled.iter().filter(|settled| settled.role == Role::Image);
    for capture in pictures.filter_map(|settled| settled.capture.as_ref()) {
        let offset = i64::try_from(capture.place.offset).unwrap_or(i64::MAX);
        let Some(end) = end(transaction, &capture.place.file, offset)? else { continue };
        let flaw = end.flaw.as_deref();
        if matches!(end.status, Some(401 | 403)) || flaw.and_then(Flaw::of_word).is_some_and(Flaw::is_no_picture) {
            lift(transaction, "SELECT ?1, 0", end.url, &mut recalled)?;
        } else if end.status == Some(200)
            && flaw.is_none()
            && (end.is_notice || is_many(transaction, &end)? && !gives_others(transaction, &end)?)
        {
            transaction.prepare_cached("UPDATE payload SET notice = 1 WHERE id = ?1")?.execute([end.payload])?;
            lift(transaction, LAST_OF, end.payload, &mut recalled)?;
        }
    }
    Ok(recalled)
}

/// Where the redirects of the address end whose capture lies here; none when the end is still to be asked for.
fn end(transaction: &Transaction<'_>, file: &str, offset: i64) -> rusqlite::Result<Option<End>> {
    transaction
        .prepare_cached(
            "WITH RECURSIVE down (url, hops) AS (
                 SELECT c.url, 0 FROM capture c JOIN warc_file f ON f.id = c.file WHERE f.name = ?1 AND c.offset = ?2
                 UNION SELECT r.target, hops + 1 FROM down JOIN redirect r ON r.url = down.url
                 WHERE hops < 20
                   AND (SELECT c.status FROM capture c WHERE c.url = down.url ORDER BY c.id DESC LIMIT 1)
                       BETWEEN 300 AND 399)
             SELECT u.id, c.id, c.payload, c.status, c.flaw, p.notice
             FROM (SELECT url FROM down ORDER BY hops DESC LIMIT 1) e
             JOIN url u ON u.id = e.url
             JOIN capture c ON c.id = (SELECT max(id) FROM capture WHERE url = u.id)
             JOIN payload p ON p.id = c.payload
             WHERE u.state = 'done'",
        )?
        .query_row((file, offset), |row| {
            Ok(End {
                url: row.get(0)?,
                capture: row.get(1)?,
                payload: row.get(2)?,
                status: row.get(3)?,
                flaw: row.get(4)?,
                is_notice: row.get(5)?,
            })
        })
        .optional()
}

/// Queues these addresses again, if this is the last that came of them, and those that redirect to them, as far as each
/// can be asked for in another way. A redirect is followed anew from its beginning.
fn lift(
    transaction: &Transaction<'_>,
    ends: &str,
    value: i64,
    recalled: &mut BTreeSet<String>,
) -> rusqlite::Result<()> {
    let mut again = transaction.prepare_cached(&format!(
        "WITH RECURSIVE up (url, redirects) AS (
             {ends}
             UNION SELECT r.url, 1 FROM up JOIN redirect r ON r.target = up.url
             WHERE (SELECT c.status FROM capture c WHERE c.url = r.url ORDER BY c.id DESC LIMIT 1) BETWEEN 300 AND 399)
         UPDATE url SET state = 'queued', rung = rung + 1, due_ms = 0
         WHERE id IN (SELECT up.url FROM up WHERE redirects = 0 OR url.hops = 0)
           AND role = 'image' AND state = 'done' AND rung + 1 < rungs
         RETURNING (SELECT h.name FROM host h WHERE h.id = url.host)",
    ))?;
    for host in again.query_map([value], |row| row.get(0))? {
        recalled.insert(host?);
    }
    Ok(())
}

/// Whether this came for the best addresses of many different pictures of one host, by their paths; a redirect or two
/// may have led to it.
fn is_many(transaction: &Transaction<'_>, end: &End) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached(
            "WITH came (url) AS (SELECT url FROM capture WHERE payload = ?1 AND role = 'image' LIMIT ?2),
                  before (url) AS (SELECT r.url FROM came JOIN redirect r ON r.target = came.url LIMIT ?2),
                  first (url) AS (SELECT r.url FROM before JOIN redirect r ON r.target = before.url LIMIT ?2)
             SELECT 1 FROM (SELECT url FROM came UNION SELECT url FROM before UNION SELECT url FROM first) a
             JOIN url u ON u.id = a.url
             WHERE EXISTS (SELECT 1 FROM picture_variant v WHERE v.url = u.id AND v.position = 0)
             GROUP BY u.host
             HAVING count(DISTINCT substr(u.text, 1, instr(u.text || '?', '?') - 1)) >= ?3",
        )?
        .exists((end.payload, LOOKED_AT, MANY))
}

/// Whether this host gave as many other pictures to the same `Referer`: then it refuses nobody, and has one picture,
/// such as a mark of its own, at many addresses.
fn gives_others(transaction: &Transaction<'_>, end: &End) -> rusqlite::Result<bool> {
    let others: i64 = transaction
        .prepare_cached(
            "SELECT count(*) FROM (
                 SELECT DISTINCT o.payload FROM capture c
                 JOIN url e ON e.id = c.url JOIN url u ON u.host = e.host AND u.role = 'image'
                 JOIN capture o ON o.url = u.id AND o.referer IS c.referer
                 JOIN payload p ON p.id = o.payload
                 WHERE c.id = ?1 AND o.payload <> c.payload AND o.status = 200 AND o.flaw IS NULL
                   AND o.width IS NOT NULL AND NOT p.notice
                   AND EXISTS (SELECT 1 FROM picture_variant v WHERE v.url = u.id AND v.position = 0)
                 LIMIT ?2)",
        )?
        .query_row((end.capture, MANY), |row| row.get(0))?;
    Ok(others >= MANY)
}
