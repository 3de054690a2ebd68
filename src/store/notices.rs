//! Notices in place of pictures: «shown on our own pages only», as a picture, with status 200.
//!
//! Nobody can know them all, but they give themselves away: one host answers with the same bytes for many different
//! pictures. What came so is asked for again in the next way, the first of them as well, as long as there is one.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction};

use super::commit::Batch;
use crate::web::candidate::Role;

/// So many different pictures of one host are one notice. Pages often show one picture under two or three addresses,
/// and a query makes no different one: it is how copies are kept from caches.
const MANY: i64 = 6;
/// Captures of one payload that are looked at.
const LOOKED_AT: i64 = 256;

/// Looks for notices among the pictures of this batch, and queues again what came in place of a picture and can be
/// asked for in another way. The hosts concerned.
pub(super) fn recall(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<BTreeSet<String>> {
    let mut recalled = BTreeSet::new();
    let pictures = batch.settled.iter().filter(|settled| settled.role == Role::Image && settled.flaw.is_none());
    for capture in pictures.filter_map(|settled| settled.capture.as_ref()).filter(|capture| capture.status == Some(200))
    {
        let payload: Option<(i64, bool)> = transaction
            .prepare_cached("SELECT id, notice FROM payload WHERE digest = ?1")?
            .query_row([capture.payload.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((payload, known)) = payload else { continue };
        if !known {
            if different_pictures(transaction, payload, &capture.url)? < MANY {
                continue;
            }
            transaction.prepare_cached("UPDATE payload SET notice = 1 WHERE id = ?1")?.execute([payload])?;
        }
        let mut again = transaction.prepare_cached(
            "UPDATE url SET state = 'queued', rung = rung + 1, due_ms = 0
             WHERE id IN (SELECT url FROM capture WHERE payload = ?1) AND state = 'done' AND rung + 1 < rungs
               AND (SELECT c.payload FROM capture c WHERE c.url = url.id ORDER BY c.id DESC LIMIT 1) = ?1
             RETURNING (SELECT h.name FROM host h WHERE h.id = url.host)",
        )?;
        for host in again.query_map([payload], |row| row.get(0))? {
            recalled.insert(host?);
        }
    }
    Ok(recalled)
}

/// Pictures on the host of this URL for whose best address this payload came, by their paths; counted up to [`MANY`].
fn different_pictures(transaction: &Transaction<'_>, payload: i64, url: &str) -> rusqlite::Result<i64> {
    let host = super::commit::host_of(url);
    transaction
        .prepare_cached(
            "SELECT count(*) FROM (SELECT DISTINCT path FROM (
                 SELECT substr(u.text, 1, instr(u.text || '?', '?') - 1) AS path
                 FROM capture c JOIN url u ON u.id = c.url JOIN host h ON h.id = u.host
                 WHERE c.payload = ?1 AND c.role = 'image' AND h.name = ?2
                   AND EXISTS (SELECT 1 FROM picture_variant v WHERE v.url = u.id AND v.position = 0)
                 LIMIT ?3) LIMIT ?4)",
        )?
        .query_row((payload, host, LOOKED_AT, MANY), |row| row.get(0))
}
