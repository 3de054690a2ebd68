//! What upkeep asks of the database and writes to it: rows that follow their records, and rows whose records are gone.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{Error, Run, Store};
use crate::archive::{Original, Place};
use crate::web::time::Timestamp;

/// How the runs are marked of which nothing is known but their captures.
pub(super) const REBUILT: &str = "rebuilt";

/// Where the records of one capture stand now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// The id of the first record.
    pub record_id: String,
    /// Where that stands.
    pub first: Place,
    /// Where the request stands.
    pub request: Option<Place>,
    /// Where the metadata stands; empty at the group's end when there is none.
    pub metadata: Place,
}

/// What became of the rows of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Rows that named another place.
    pub moved: usize,
    /// Rows whose records are gone; they went too, and their URLs are asked again.
    pub lost: usize,
    /// Revisits, of whatever file, whose payload went with those. They stay, and their URLs are asked again.
    pub orphaned: usize,
    /// Captures without a row, by their place in what was given.
    pub missing: Vec<usize>,
}

impl Store {
    /// Makes the rows of a file follow its records, which stand as `stands` says in a file of `len` bytes.
    /// With `look` nothing is written: what would become of them is all there is.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn follow(&mut self, file: &str, len: u64, stands: &[Stands], look: bool) -> Result<Followed, Error> {
        let failed = self.failed("write to");
        let follow = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            let followed = follow_records(&transaction, file, stands)?;
            transaction.execute(
                "UPDATE warc_file SET committed_len = ?2 WHERE name = ?1 AND ?3",
                (file, int(len), followed.missing.is_empty()),
            )?;
            let ended = if look { transaction.rollback() } else { transaction.commit() };
            ended.map(|()| followed)
        };
        follow(&mut self.connection).map_err(failed)
    }

    /// Every capture of these files up to these lengths has its rows.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn note_files(&mut self, files: &[(String, u64)]) -> Result<(), Error> {
        let failed = self.failed("write to");
        let note = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            for (name, len) in files {
                transaction.execute(
                    "INSERT INTO warc_file (name, committed_len) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET committed_len = excluded.committed_len",
                    (name, int(*len)),
                )?;
            }
            transaction.commit()
        };
        note(&mut self.connection).map_err(failed)
    }

    /// The run that captures name as theirs, by profile and number; its row is made when there is none. `at` is the
    /// date of one of its captures. What is offered in this run is accepted whatever became of it before.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn adopt_run(&mut self, profile: &str, number: Option<i64>, at: Timestamp) -> Result<Run, Error> {
        let adopt = || -> rusqlite::Result<i64> {
            let known = |sql: &str, value: &dyn rusqlite::ToSql| -> rusqlite::Result<Option<(i64, String)>> {
                self.connection.query_row(sql, [value], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            };
            let same = match number {
                Some(number) => known("SELECT id, profile FROM run WHERE id = ?1", &number)?,
                None => known("SELECT id, profile FROM run WHERE profile = ?1 AND stopped_by = 'rebuilt'", &profile)?,
            };
            // Numbers begin anew when a database was lost and not made anew: then two runs claim one.
            let id = match same {
                Some((id, known)) if known == profile => return Ok(id),
                Some(_) => None,
                None => number,
            };
            self.connection.execute(
                "INSERT INTO run (id, profile, chain_ms, started_ms, touched_ms, finished_ms, stopped_by, version)
                 VALUES (?1, ?2, ?3, ?3, ?3, ?3, ?4, '')",
                (id, profile, at.0, REBUILT),
            )?;
            Ok(self.connection.last_insert_rowid())
        };
        let id = adopt().map_err(self.failed("write a run to"))?;
        Ok(Run { id, chain: Timestamp(i64::MAX), after_crash: false })
    }

    /// Begins a run of upkeep: it has nothing to do with the queue. What is offered in it is accepted whatever became
    /// of it before.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn begin_upkeep(&mut self, profile: &str, now: Timestamp) -> Result<Run, Error> {
        let begin = self.connection.execute(
            "INSERT INTO run (profile, chain_ms, started_ms, touched_ms, version) VALUES (?1, ?2, ?2, ?2, ?3)",
            (profile, now.0, env!("CARGO_PKG_VERSION")),
        );
        begin.map_err(self.failed("begin a run in"))?;
        Ok(Run { id: self.connection.last_insert_rowid(), chain: Timestamp(i64::MAX), after_crash: false })
    }

    /// Whether a capture that begins with this record has its row.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn has_record(&self, record_id: &str) -> Result<bool, Error> {
        let known = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM capture WHERE record_id = ?1)")
            .and_then(|mut statement| statement.query_row([record_id], |row| row.get(0)));
        known.map_err(self.failed("read"))
    }

    /// Where the record stands that holds the payload of a revisit.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn place_of(&self, original: &Original) -> Result<Option<Place>, Error> {
        let find = || -> rusqlite::Result<Option<Place>> {
            self.connection
                .prepare_cached(
                    "SELECT f.name, c.offset, c.length FROM capture c JOIN warc_file f ON f.id = c.file
                     JOIN url u ON u.id = c.url
                     WHERE c.kind <> 'revisit' AND (c.record_id = ?1 OR (u.text = ?2 AND c.fetched_ms = ?3
                         AND u.host = (SELECT id FROM host WHERE name = ?4)))
                     ORDER BY c.record_id = ?1 DESC LIMIT 1",
                )?
                .query_row(
                    (&original.record_id, &original.url, original.at.0, super::commit::host_of(&original.url)),
                    |row| {
                        let number = |column| row.get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(0));
                        Ok(Place { file: row.get(0)?, offset: number(1)?, length: number(2)? })
                    },
                )
                .optional()
        };
        find().map_err(self.failed("read"))
    }
}

/// The tables of captures that go: the caller fills `lost`, then calls [`lose`].
pub(super) fn begin_losing(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS lost (capture INTEGER PRIMARY KEY, url INTEGER); DELETE FROM lost;",
    )
}

/// Removes the captures in `lost`, with what was read from them. A revisit whose original goes stays, as one of nothing:
/// that tells of a known loss. The URLs of both are queued again when no capture of them is left that has a payload.
/// Says how many such revisits there are.
pub(super) fn lose(connection: &Connection) -> rusqlite::Result<usize> {
    connection.execute_batch(
        "DELETE FROM picture_variant WHERE picture IN (SELECT p.id FROM picture p
             JOIN article_version v ON v.id = p.version WHERE v.capture IN (SELECT capture FROM lost));
         DELETE FROM picture WHERE version IN
             (SELECT id FROM article_version WHERE capture IN (SELECT capture FROM lost));
         DELETE FROM article_version WHERE capture IN (SELECT capture FROM lost);
         DELETE FROM capture WHERE id IN (SELECT capture FROM lost);",
    )?;
    let orphaned = connection
        .execute("INSERT INTO lost SELECT id, url FROM capture WHERE refers_to IN (SELECT capture FROM lost)", [])?;
    connection.execute_batch(
        "UPDATE capture SET refers_to = NULL WHERE id IN (SELECT capture FROM lost);
         DELETE FROM payload WHERE id NOT IN (SELECT payload FROM capture);
         UPDATE url SET state = 'queued', due_ms = 0, tries = 0 WHERE role NOT IN ('robots', 'document')
             AND state <> 'refused' AND id IN (SELECT url FROM lost)
             AND id NOT IN (SELECT url FROM capture WHERE kind <> 'revisit' OR refers_to IS NOT NULL);
         DELETE FROM robots WHERE origin || '/robots.txt' IN (SELECT u.text FROM lost l JOIN url u ON u.id = l.url);
         DELETE FROM lost;",
    )?;
    Ok(orphaned)
}

struct Row {
    id: i64,
    record_id: String,
    places: [Option<i64>; 6],
}

fn follow_records(transaction: &Transaction<'_>, file: &str, stands: &[Stands]) -> rusqlite::Result<Followed> {
    let rows: Vec<Row> = transaction
        .prepare(
            "SELECT c.id, c.record_id, c.offset, c.length, c.request_offset, c.request_length, c.metadata_offset,
                 c.metadata_length
             FROM capture c JOIN warc_file f ON f.id = c.file WHERE f.name = ?1 ORDER BY c.offset",
        )?
        .query_map([file], |row| {
            let places = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?];
            Ok(Row { id: row.get(0)?, record_id: row.get(1)?, places })
        })?
        .collect::<Result<_, _>>()?;
    // A record may stand twice in a file of somebody else's: the row at its place is its own.
    let mut of_record: HashMap<&str, Vec<&Row>> = HashMap::new();
    rows.iter().for_each(|row| of_record.entry(&row.record_id).or_default().push(row));
    let mut take = |stands: &Stands, is_it: &dyn Fn(&Row) -> bool| {
        let rows = of_record.get_mut(stands.record_id.as_str())?;
        rows.iter().position(|row| is_it(row)).map(|at| rows.remove(at))
    };
    let own: Vec<Option<&Row>> =
        stands.iter().map(|stands| take(stands, &|row| row.places[0] == Some(int(stands.first.offset)))).collect();
    let mut followed = Followed::default();
    let mut moved: Vec<(&Row, [Option<i64>; 6])> = Vec::new();
    for (number, (stands, own)) in stands.iter().zip(own).enumerate() {
        let places = places(stands);
        match own.or_else(|| take(stands, &|_| true)) {
            Some(row) if row.places != places => moved.push((row, places)),
            Some(_) => {}
            None => followed.missing.push(number),
        }
    }
    let lost: Vec<&Row> = of_record.into_values().flatten().collect();
    begin_losing(transaction)?;
    for row in &lost {
        transaction.execute("INSERT INTO lost SELECT id, url FROM capture WHERE id = ?1", [row.id])?;
    }
    followed.orphaned = lose(transaction)?;
    // No two rows may name one place, not even while they move.
    for (row, _) in &moved {
        transaction.execute("UPDATE capture SET offset = -1 - id WHERE id = ?1", [row.id])?;
    }
    for (row, [offset, length, request_offset, request_length, metadata_offset, metadata_length]) in &moved {
        transaction.execute(
            "UPDATE capture SET offset = ?2, length = ?3, request_offset = ?4, request_length = ?5,
                 metadata_offset = ?6, metadata_length = ?7 WHERE id = ?1",
            (row.id, offset, length, request_offset, request_length, metadata_offset, metadata_length),
        )?;
    }
    (followed.moved, followed.lost) = (moved.len(), lost.len());
    Ok(followed)
}

fn places(stands: &Stands) -> [Option<i64>; 6] {
    let (first, request, metadata) = (&stands.first, stands.request.as_ref(), &stands.metadata);
    [
        Some(int(first.offset)),
        Some(int(first.length)),
        request.map(|place| int(place.offset)),
        request.map(|place| int(place.length)),
        Some(int(metadata.offset)),
        Some(int(metadata.length)),
    ]
}

fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
