//! What an older extractor made of an archive's pages, `reindex` makes anew with today's.

use crate::upkeep::{REBUILT, compare, crawled, done, dump};

/// What an older extractor may have said: other words, other sorts, other pictures, none at all, and an article where
/// today none is seen.
const OLDER: &str = "
    UPDATE capture SET page_kind = iif(page_kind = 'article', 'list', NULL);
    UPDATE capture SET width = 1, height = 1 WHERE width IS NOT NULL;
    UPDATE capture SET flaw = 'no picture' WHERE role = 'image';
    UPDATE article_version SET fingerprint = 0, title = 'Home', byline = '[]', source = 'admin', published_ms = 0,
        published_local = '1970-01-01T00:00:00', published_from = 'url', dates = '[]', language = 'tlh', charset = 'x',
        charset_from = NULL, cut = 1, canonical = NULL, categories = '[]', text = 'Menu', oddities = '[]';
    INSERT INTO article_version (url, capture, fingerprint, byline, dates, charset, categories, text, oddities)
        SELECT url, id, 7, '[]', '[]', 'UTF-8', '[]', 'A list', '[]' FROM capture
        WHERE role = 'page' AND kind <> 'revisit' AND id NOT IN (SELECT capture FROM article_version) LIMIT 1;
    UPDATE picture SET block = NULL, lead = 0, in_article = 0, alt = 'logo', caption = NULL, width = 9999;
    UPDATE picture_variant SET role = 'placeholder', wanted = 0;
    DELETE FROM picture_variant WHERE position > 0 OR picture IN (SELECT id FROM picture WHERE position > 0);
    DELETE FROM picture WHERE position > 0;
    DELETE FROM picture_variant WHERE picture IN
        (SELECT id FROM picture WHERE version = (SELECT max(version) FROM picture));
    DELETE FROM picture WHERE version = (SELECT max(version) FROM picture);
    DELETE FROM article_version WHERE id = (SELECT min(id) FROM article_version
        WHERE id NOT IN (SELECT version FROM picture));
";

#[test]
fn what_an_older_extractor_said_is_said_anew() {
    let folder = crawled();
    let archive = folder.path();
    let fresh = dump(archive, &REBUILT);
    let database = rusqlite::Connection::open(archive.join("pressmark.sqlite3")).unwrap();
    database.execute_batch(OLDER).unwrap();
    drop(database);
    let older = dump(archive, &REBUILT);
    for (table, rows) in &older {
        let is_altered = fresh.iter().any(|(name, before)| name == table && before != rows);
        let is_read = ["capture", "article_version", "picture", "picture_variant", "article", "image"].contains(table);
        assert_eq!(is_altered, is_read, "{table}");
    }
    done(archive, &["reindex"]);
    compare(&fresh, &dump(archive, &REBUILT));
}
