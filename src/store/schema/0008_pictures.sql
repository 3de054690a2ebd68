-- Pictures: in which way each was asked for, what is wrong with what came, and notices that come in place of pictures.

ALTER TABLE url ADD COLUMN referrer TEXT;                          -- POLICY URL: for where it may redirect to
ALTER TABLE url ADD COLUMN rung INTEGER NOT NULL DEFAULT 0;        -- the way it is asked for next (src/web/ladder.rs)
ALTER TABLE url ADD COLUMN rungs INTEGER NOT NULL DEFAULT 1;       -- in how many ways it may be
ALTER TABLE capture ADD COLUMN referer_by TEXT;                    -- policy | table | none | origin
ALTER TABLE capture ADD COLUMN flaw TEXT;                          -- of a picture (src/web/picture.rs)
ALTER TABLE payload ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;  -- it came for many different pictures of one host
CREATE INDEX picture_variant_url ON picture_variant (url, position);

DROP VIEW article;
DROP VIEW image;
DROP VIEW picture_kept;
DROP VIEW capture_log;

CREATE VIEW capture_log AS
SELECT c.id AS capture, u.text AS url, c.role, strftime('%Y-%m-%dT%H:%M:%fZ', c.fetched_ms / 1000.0, 'unixepoch') AS fetched,
       c.kind, c.status, c.media, p.digest AS payload_digest, p.size_bytes, c.truncated, c.fault, c.address, c.referer,
       c.referer_by, c.flaw,
       c.width, c.height, c.run, f.name AS warc_file, c.offset AS warc_offset, c.length AS warc_length, c.refers_to,
       iif(c.kind = 'revisit', g.name, f.name) AS payload_file,
       iif(c.kind = 'revisit', o.offset, c.offset) AS payload_offset,
       iif(c.kind = 'revisit', o.length, c.length) AS payload_length,
       r.rule AS robots_rule, nullif(r.line, 0) AS robots_line, c.robots_tags
FROM capture c JOIN url u ON u.id = c.url JOIN payload p ON p.id = c.payload JOIN warc_file f ON f.id = c.file
LEFT JOIN capture o ON o.id = c.refers_to LEFT JOIN warc_file g ON g.id = o.file
LEFT JOIN robots_rule r ON r.id = c.robots_rule;

-- Which variant of a picture is kept, the best first: captured whole, and not a page in its place; a notice only when
-- there is nothing else. A picture is kept where its address led, too, and where an earlier capture holds its payload.
CREATE VIEW picture_kept AS
SELECT p.id AS picture, p.version,
       (SELECT v.position FROM picture_variant v
        LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
        JOIN capture c ON c.url IN (v.url, r.target, q.target) LEFT JOIN capture o ON o.id = c.refers_to
        JOIN payload y ON y.id = c.payload
        WHERE v.picture = p.id AND v.role <> 'placeholder' AND c.truncated IS NULL AND c.flaw IS NULL
          AND iif(c.kind = 'revisit', c.status IN (200, 304) AND c.refers_to IS NOT NULL, c.status = 200)
          AND (c.width IS NOT NULL OR coalesce(c.media, o.media, '') NOT LIKE 'text/%')
        ORDER BY y.notice, v.position LIMIT 1) AS position,
       (SELECT c.id FROM picture_variant v
        LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
        JOIN capture c ON c.url IN (v.url, r.target, q.target) LEFT JOIN capture o ON o.id = c.refers_to
        JOIN payload y ON y.id = c.payload
        WHERE v.picture = p.id AND v.role <> 'placeholder' AND c.truncated IS NULL AND c.flaw IS NULL
          AND iif(c.kind = 'revisit', c.status IN (200, 304) AND c.refers_to IS NOT NULL, c.status = 200)
          AND (c.width IS NOT NULL OR coalesce(c.media, o.media, '') NOT LIKE 'text/%')
        ORDER BY y.notice, v.position, c.id DESC LIMIT 1) AS capture
FROM picture p;

CREATE VIEW image AS
SELECT au.text AS article, p.position, o.text AS original, b.text AS kept_url, bv.role AS kept_role,
       CASE WHEN y.notice THEN 'suspected notice picture'
            WHEN k.id IS NOT NULL AND p.width > k.width THEN 'smaller than declared'
            WHEN k.id IS NOT NULL THEN 'complete'
            WHEN EXISTS (SELECT 1 FROM picture_variant v
                         LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
                         JOIN url w ON w.id IN (v.url, r.target, q.target)
                         WHERE v.picture = p.id AND w.state = 'queued') THEN 'queued'
            WHEN EXISTS (SELECT 1 FROM picture_variant v
                         LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
                         JOIN capture c ON c.url IN (v.url, r.target, q.target)
                         WHERE v.picture = p.id AND v.role <> 'placeholder' AND c.status = 200
                           AND (c.flaw IN ('cut off', 'broken') OR c.truncated IS NOT NULL)) THEN 'damaged'
            WHEN EXISTS (SELECT 1 FROM picture_variant v
                         LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
                         JOIN url w ON w.id IN (v.url, r.target, q.target)
                         WHERE v.picture = p.id AND v.position = 0 AND w.refused_by = 'robots') THEN 'refused by robots'
            ELSE 'missing' END AS verdict,
       CASE WHEN y.notice THEN 'the same bytes came for other pictures of its host'
            WHEN k.id IS NULL OR t.position > 0
                THEN coalesce(o.reason,
                              (SELECT coalesce(c.flaw, c.truncated) FROM capture c
                               WHERE c.url = o.id AND c.status = 200 ORDER BY c.id DESC LIMIT 1),
                              'answered ' || iif(o.status <> 200, o.status, NULL))
            WHEN p.width > k.width THEN k.width || ' pixels wide, declared as ' || p.width END AS why,
       k.referer, k.referer_by,
       p.lead, p.in_article, p.block, p.alt, p.caption, p.width AS declared_width, p.height AS declared_height,
       k.width, k.height, y.size_bytes, y.digest AS payload_digest,
       f.name AS warc_file, h.offset AS warc_offset, h.length AS warc_length,
       (SELECT json_group_array(json_object('url', q.text, 'role', q.role, 'state', q.state, 'status', q.status))
        FROM (SELECT u.text, v.role, u.state, u.status FROM picture_variant v JOIN url u ON u.id = v.url
              WHERE v.picture = p.id ORDER BY v.position) q) AS variants
FROM article_version a
JOIN url au ON au.id = a.url
JOIN picture p ON p.version = a.id
JOIN picture_variant ov ON ov.picture = p.id AND ov.position = 0
JOIN url o ON o.id = ov.url
JOIN picture_kept t ON t.picture = p.id
LEFT JOIN picture_variant bv ON bv.picture = p.id AND bv.position = t.position
LEFT JOIN url b ON b.id = bv.url
LEFT JOIN capture k ON k.id = t.capture
LEFT JOIN capture h ON h.id = coalesce(k.refers_to, k.id)
LEFT JOIN payload y ON y.id = k.payload
LEFT JOIN warc_file f ON f.id = h.file
WHERE a.id = (SELECT max(n.id) FROM article_version n WHERE n.url = a.url);

CREATE VIEW article AS
SELECT *, images = images_kept AS complete
FROM (
    SELECT u.text AS url, a.title, a.byline, a.source,
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
