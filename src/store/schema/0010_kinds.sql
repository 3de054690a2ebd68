-- What sort of page a capture is, and whether an article goes on where only some may read it.

ALTER TABLE capture ADD COLUMN page_kind TEXT;                             -- of an HTML page (src/extract/kind/)
ALTER TABLE article_version ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;     -- there is more than the page shows

DROP VIEW article;
DROP VIEW capture_log;

CREATE VIEW capture_log AS
SELECT c.id AS capture, u.text AS url, c.role, strftime('%Y-%m-%dT%H:%M:%fZ', c.fetched_ms / 1000.0, 'unixepoch') AS fetched,
       c.kind, c.status, c.media, p.digest AS payload_digest, p.size_bytes, c.truncated, c.fault, c.address, c.referer,
       c.referer_by, c.flaw, c.page_kind,
       c.width, c.height, c.run, f.name AS warc_file, c.offset AS warc_offset, c.length AS warc_length, c.refers_to,
       iif(c.kind = 'revisit', g.name, f.name) AS payload_file,
       iif(c.kind = 'revisit', o.offset, c.offset) AS payload_offset,
       iif(c.kind = 'revisit', o.length, c.length) AS payload_length,
       r.rule AS robots_rule, nullif(r.line, 0) AS robots_line, c.robots_tags
FROM capture c JOIN url u ON u.id = c.url JOIN payload p ON p.id = c.payload JOIN warc_file f ON f.id = c.file
LEFT JOIN capture o ON o.id = c.refers_to LEFT JOIN warc_file g ON g.id = o.file
LEFT JOIN robots_rule r ON r.id = c.robots_rule;

CREATE VIEW article AS
SELECT *, images = images_kept AS complete
FROM (
    SELECT u.text AS url, c.page_kind AS kind, a.cut, a.title, a.byline, a.source,
           strftime('%Y-%m-%dT%H:%M:%SZ', a.published_ms / 1000, 'unixepoch') AS published, a.published_local,
           a.published_precision, a.published_from, a.dates, a.language, a.charset, a.canonical, a.categories,
           (SELECT count(*) FROM picture p WHERE p.version = a.id) AS images,
           (SELECT count(*) FROM picture_kept t JOIN capture k ON k.id = t.capture JOIN payload y ON y.id = k.payload
            WHERE t.version = a.id AND NOT y.notice) AS images_kept,
           (SELECT o.text FROM picture p JOIN picture_variant v ON v.picture = p.id AND v.position = 0
            JOIN url o ON o.id = v.url WHERE p.version = a.id AND p.lead = 1 LIMIT 1) AS lead_image,
           a.text, a.oddities, u.claims,
           (SELECT count(*) FROM article_version n WHERE n.url = a.url) AS versions,
           strftime('%Y-%m-%dT%H:%M:%fZ', c.fetched_ms / 1000.0, 'unixepoch') AS fetched,
           f.name AS warc_file, h.offset AS warc_offset, h.length AS warc_length
    FROM article_version a
    JOIN url u ON u.id = a.url
    JOIN capture c ON c.id = a.capture
    JOIN capture h ON h.id = coalesce(c.refers_to, c.id)
    JOIN warc_file f ON f.id = h.file
    WHERE a.id = (SELECT max(n.id) FROM article_version n WHERE n.url = a.url)
);
