//! What was taken down: told once in `takedown.jsonl`, kept in the database as the sign that it was carried out.

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};

use super::commit::{Writing, find, host_of};
use super::{Error, Reader, Run, Store, mend};
use crate::web::candidate::Role;
use crate::web::time::Timestamp;

/// One line of `takedown.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takedown {
    /// When.
    #[serde(with = "iso")]
    pub at: Timestamp,
    /// What.
    pub act: Act,
    /// Of which URL.
    pub url: String,
    /// Why, as the person said.
    pub reason: String,
    /// What was removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Removed>,
}

/// What was done about a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Its records were removed, and it is not fetched again.
    Forget,
    /// It may be fetched again.
    Allow,
    /// It is hidden from replay.
    Block,
    /// It is shown again.
    Unblock,
}

impl Act {
    /// The word in lines and columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Act::Forget => "forget",
            Act::Allow => "allow",
            Act::Block => "block",
            Act::Unblock => "unblock",
        }
    }

    fn of(word: &str) -> Option<Act> {
        [Act::Forget, Act::Allow, Act::Block, Act::Unblock].into_iter().find(|act| act.as_str() == word)
    }
}

/// A capture that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Its URL: the one that was to be forgotten, or another that had the same content.
    pub url: String,
    /// When it was made.
    #[serde(with = "iso")]
    pub date: Timestamp,
    /// The id of its first record.
    pub record_id: String,
    /// What its payload was.
    pub payload_digest: String,
    /// How it was answered, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// Dates as everywhere in the archive.
mod iso {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::web::time::Timestamp;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.iso())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::from_iso(&text).ok_or_else(|| de::Error::custom(format!("«{text}» is no date")))
    }
}

impl Store {
    /// Carries a take-down out: removes what it names, keeps its URLs from being fetched (or lets them), and writes
    /// the line down. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn take_down(&mut self, takedown: &Takedown) -> Result<(), Error> {
        let failed = self.failed("write a take-down to");
        let carry_out = |connection: &mut Connection| {
            // What is deleted is overwritten, wherever in the file it stood.
            connection.execute_batch("PRAGMA secure_delete = ON")?;
            let transaction = connection.transaction()?;
            match takedown.act {
                Act::Forget => forget(&transaction, takedown)?,
                Act::Allow => allow(&transaction, takedown)?,
                Act::Block | Act::Unblock => {}
            }
            write_down(&transaction, takedown)?;
            transaction.commit()
        };
        carry_out(&mut self.connection).map_err(failed)
    }

    /// Writes a take-down down that has no effect any more.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn write_down(&mut self, takedown: &Takedown) -> Result<(), Error> {
        write_down(&self.connection, takedown).map_err(self.failed("write a take-down to"))
    }

    /// Every take-down that was carried out, in order.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn takedowns(&self) -> Result<Vec<Takedown>, Error> {
        let read = || -> rusqlite::Result<Vec<Takedown>> {
            let sql = "SELECT at_ms, act, url, reason, records FROM takedown ORDER BY id";
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let (act, records): (String, String) = (row.get(1)?, row.get(4)?);
                Ok(Takedown {
                    at: Timestamp(row.get(0)?),
                    act: Act::of(&act).ok_or(rusqlite::Error::InvalidQuery)?,
                    url: row.get(2)?,
                    reason: row.get(3)?,
                    records: serde_json::from_str(&records).unwrap_or_default(),
                })
            })?;
            rows.collect()
        };
        read().map_err(self.failed("read"))
    }

    /// Whether this take-down was carried out.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn is_taken_down(&self, takedown: &Takedown) -> Result<bool, Error> {
        let known = self.connection.query_row(
            "SELECT count(*) FROM takedown WHERE at_ms = ?1 AND act = ?2 AND url = ?3",
            (takedown.at.0, takedown.act.as_str(), &takedown.url),
            |row| row.get::<_, i64>(0),
        );
        known.map(|known| known > 0).map_err(self.failed("read"))
    }

    /// Writes the whole database anew, without the space that deleted rows have left, and empties its log.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; a reader that holds on to the log is one.
    pub fn compact(&mut self) -> Result<(), Error> {
        let compact = || {
            self.connection.execute_batch("VACUUM")?;
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        };
        match compact().map_err(self.failed("compact"))? {
            0 => Ok(()),
            _ => Err(self.failed("empty the log of")(super::busy())),
        }
    }
}

fn forget(connection: &Transaction<'_>, takedown: &Takedown) -> rusqlite::Result<()> {
    let run = Run { id: 0, chain: takedown.at, after_crash: false };
    let writing = Writing { transaction: connection, run, now: takedown.at };
    mend::begin_losing(connection)?;
    for removed in &takedown.records {
        connection.execute(
            "INSERT OR IGNORE INTO lost SELECT id, url FROM capture WHERE record_id = ?1",
            [&removed.record_id],
        )?;
    }
    mend::lose(connection)?;
    let mut urls: Vec<&str> = takedown.records.iter().map(|removed| removed.url.as_str()).collect();
    urls.push(&takedown.url);
    urls.sort_unstable();
    urls.dedup();
    let reason = format!("forgotten: {}", takedown.reason);
    for text in urls {
        // In a database made anew nothing else may name it.
        let id = writing.url(text, Role::Page)?;
        connection.execute(
            "UPDATE url SET state = 'refused', refused_by = 'takedown', reason = ?2, transient = 0, claims = NULL,
                 status = NULL, settled_ms = ?3 WHERE id = ?1",
            (id, &reason, takedown.at.0),
        )?;
        connection.execute("DELETE FROM redirect WHERE url = ?1", [id])?;
        connection.execute("DELETE FROM part WHERE page = ?1", [id])?;
        connection.execute("UPDATE seed SET claims = '{}' WHERE name = ?1", [text])?;
    }
    Ok(())
}

fn write_down(connection: &Connection, takedown: &Takedown) -> rusqlite::Result<()> {
    let records = serde_json::to_string(&takedown.records).unwrap_or_default();
    connection.execute(
        "INSERT OR IGNORE INTO takedown (at_ms, act, url, reason, records) VALUES (?1, ?2, ?3, ?4, ?5)",
        (takedown.at.0, takedown.act.as_str(), &takedown.url, &takedown.reason, records),
    )?;
    Ok(())
}

fn allow(connection: &Connection, takedown: &Takedown) -> rusqlite::Result<()> {
    let Some(id) = url_id(connection, &takedown.url)? else { return Ok(()) };
    connection.execute(
        "UPDATE url SET state = iif(EXISTS (SELECT 1 FROM capture c WHERE c.url = url.id), 'done', 'named'), refused_by = NULL,
             reason = NULL WHERE id = ?1 AND refused_by = 'takedown'",
        [id],
    )?;
    Ok(())
}

fn url_id(connection: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
    let host: Option<i64> =
        connection.query_row("SELECT id FROM host WHERE name = ?1", [host_of(text)], |row| row.get(0)).optional()?;
    let Some(host) = host else { return Ok(None) };
    Ok(find(connection, host, text)?.0.map(|standing| standing.id))
}

impl Reader {
    /// Whether replay must not show this URL: since when, and why.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn blocked(&self, url: &str) -> Result<Option<(Timestamp, String)>, Error> {
        let last = self
            .connection
            .prepare_cached(
                "SELECT act, at_ms, reason FROM takedown WHERE url = ?1 AND act IN ('block', 'unblock')
                 ORDER BY at_ms DESC, id DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([url], |row| Ok((row.get::<_, String>(0)?, Timestamp(row.get(1)?), row.get(2)?)))
                    .optional()
            });
        let last = last.map_err(|source| self.failed(source))?;
        Ok(last.filter(|(act, _, _)| act == Act::Block.as_str()).map(|(_, at, reason)| (at, reason)))
    }
}
