-- The public face: every view as it is now, described in docs/schema.md. All of them are made anew when a database is
-- brought up to date, so the numbered files hold tables alone.

-- Every exchange that is in the archive.
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

CREATE VIEW robots_verdict AS
SELECT u.text AS url, u.role, r.allowed, r.rule, nullif(r.line, 0) AS line, u.state
FROM url u JOIN robots_rule r ON r.id = u.robots_rule;

CREATE VIEW kept_out AS
SELECT e.run, s.name AS seed, e.rule, e.urls, e.example
FROM exclusion e LEFT JOIN seed s ON s.id = e.seed;

-- A larger form that was guessed and could not be had is no failure (priority 9).
CREATE VIEW failure AS
SELECT u.text AS url, u.role, CASE WHEN u.state = 'done' THEN 'answered ' || u.status ELSE u.state END AS what,
       u.refused_by, u.reason, u.status, u.tries, u.via, u.page,
       strftime('%Y-%m-%dT%H:%M:%fZ', u.settled_ms / 1000.0, 'unixepoch') AS settled
FROM url u
WHERE (u.state IN ('refused', 'failed') OR (u.state = 'done' AND u.status >= 400 AND u.role <> 'robots'))
  AND NOT (u.role = 'image' AND u.priority = 9);

CREATE VIEW charset AS
SELECT u.text AS url, a.charset, a.charset_from, a.charset_declared,
       coalesce(a.charset_declared <> a.charset, 0) AS contradicted
FROM article_version a
JOIN url u ON u.id = a.url
WHERE a.id = (SELECT max(n.id) FROM article_version n WHERE n.url = a.url);

-- Which variant of a picture is kept, the best first: captured whole, and not a page in its place; a notice only when
-- there is nothing else. A picture is kept where its address led, too, and where an earlier capture holds its payload.
CREATE VIEW picture_kept AS
WITH had AS NOT MATERIALIZED (
    SELECT v.picture, v.position, v.role, c.id AS capture, c.width, c.height, y.notice
    FROM picture_variant v
    LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
    JOIN capture c ON c.url IN (v.url, r.target, q.target) LEFT JOIN capture o ON o.id = c.refers_to
    JOIN payload y ON y.id = c.payload
    WHERE v.role <> 'placeholder' AND c.truncated IS NULL AND c.flaw IS NULL
      AND iif(c.kind = 'revisit', c.status IN (200, 304) AND c.refers_to IS NOT NULL, c.status = 200)
      AND (c.width IS NOT NULL OR coalesce(c.media, o.media, '') NOT LIKE 'text/%')
), ranked AS NOT MATERIALIZED (
    SELECT h.*, CASE WHEN h.role <> 'larger' THEN 1
                     WHEN EXISTS (SELECT 1 FROM had n
                                  WHERE n.picture = h.picture AND n.role <> 'larger' AND NOT n.notice
                                    AND NOT coalesce(h.width > n.width AND h.height >= n.height, 0)) THEN 2
                     ELSE 0 END AS rank
    FROM had h
)
SELECT p.id AS picture, p.version,
       (SELECT k.position FROM ranked k WHERE k.picture = p.id ORDER BY k.notice, k.rank, k.position LIMIT 1) AS position,
       (SELECT k.capture FROM ranked k WHERE k.picture = p.id
        ORDER BY k.notice, k.rank, k.position, k.capture DESC LIMIT 1) AS capture
FROM picture p;

-- The further pages of articles, with the versions that are shown of them, where there are any.
CREATE VIEW later_page AS
SELECT n.article, n.number, n.url, (SELECT max(v.id) FROM article_version v WHERE v.url = n.url) AS version
FROM continuation n;

-- Every further page of an article, and why it is not there if it is not.
CREATE VIEW article_part AS
SELECT a.text AS article, l.number, u.text AS url, l.version IS NOT NULL AS kept,
       CASE WHEN l.version IS NOT NULL THEN NULL
            ELSE coalesce(u.reason,
                          CASE u.state WHEN 'queued' THEN 'still to be fetched' WHEN 'named' THEN 'not asked for' END,
                          'answered ' || iif(u.status <> 200, u.status, NULL),
                          'no part of an article could be read there') END AS why
FROM later_page l
JOIN url a ON a.id = l.article
JOIN url u ON u.id = l.url;

-- Whoever is said to have written as good as everything is the site (the numbers: src/extract/text/boilerplate.rs).
CREATE VIEW standing_author AS
SELECT a.host, a.name FROM host_author a JOIN lesson l ON l.host = a.host
WHERE a.articles >= 20 AND a.articles * 100 >= l.articles * 95;

CREATE VIEW image AS
SELECT au.text AS article,
       p.position + iif(n.url IS NULL, 0,
           (SELECT count(*) FROM picture q
            WHERE q.version = (SELECT max(v.id) FROM article_version v WHERE v.url = n.article))
           + (SELECT count(*) FROM later_page l JOIN picture q ON q.version = l.version
              WHERE l.article = n.article AND l.number < n.number)) AS position,
       o.text AS original, b.text AS kept_url, bv.role AS kept_role,
       CASE WHEN y.notice THEN 'suspected notice picture'
            WHEN k.id IS NOT NULL AND (p.width > k.width OR p.width IS NULL AND p.height > k.height)
                THEN 'smaller than declared'
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
            WHEN p.width > k.width THEN k.width || ' pixels wide, declared as ' || p.width
            WHEN p.width IS NULL AND p.height > k.height
                THEN k.height || ' pixels high, declared as ' || p.height END AS why,
       k.referer, k.referer_by,
       p.lead AND n.url IS NULL AS lead, p.in_article, p.block, p.alt, p.caption,
       p.width AS declared_width, p.height AS declared_height,
       k.width, k.height, y.size_bytes, y.digest AS payload_digest,
       f.name AS warc_file, h.offset AS warc_offset, h.length AS warc_length,
       (SELECT json_group_array(json_object('url', q.text, 'role', q.role, 'state', q.state, 'status', q.status))
        FROM (SELECT u.text, v.role, u.state, u.status FROM picture_variant v JOIN url u ON u.id = v.url
              WHERE v.picture = p.id ORDER BY v.position) q) AS variants
FROM article_version a
LEFT JOIN continuation n ON n.url = a.url
JOIN url au ON au.id = coalesce(n.article, a.url)
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
WHERE a.id = (SELECT max(v.id) FROM article_version v WHERE v.url = a.url);

CREATE VIEW article AS
SELECT *, images = images_kept AND parts = parts_kept AS complete
FROM (
    SELECT u.text AS url, c.page_kind AS kind, a.cut, a.title,
           (SELECT json_group_array(json(b.value)) FROM json_each(a.byline) b
            WHERE NOT (b.value ->> 'role' = 'author' AND b.value ->> 'name' IN
                       (SELECT s.name FROM standing_author s WHERE s.host = u.host))) AS byline,
           coalesce(a.source, (SELECT s.name FROM standing_author s JOIN json_each(a.byline) b
                               WHERE s.host = u.host AND s.name = b.value ->> 'name')) AS source,
           strftime('%Y-%m-%dT%H:%M:%SZ', a.published_ms / 1000, 'unixepoch') AS published, a.published_local,
           a.published_precision, a.published_from, a.dates, a.language, a.charset, a.canonical, a.categories,
           (SELECT count(*) FROM picture p WHERE p.version = a.id)
               + (SELECT count(*) FROM later_page l JOIN picture p ON p.version = l.version
                  WHERE l.article = a.url) AS images,
           (SELECT count(*) FROM picture_kept t JOIN capture k ON k.id = t.capture JOIN payload y ON y.id = k.payload
            WHERE t.version = a.id AND NOT y.notice)
               + (SELECT count(*) FROM later_page l JOIN picture_kept t ON t.version = l.version
                  JOIN capture k ON k.id = t.capture JOIN payload y ON y.id = k.payload
                  WHERE l.article = a.url AND NOT y.notice) AS images_kept,
           (SELECT o.text FROM picture p JOIN picture_variant v ON v.picture = p.id AND v.position = 0
            JOIN url o ON o.id = v.url WHERE p.version = a.id AND p.lead = 1 LIMIT 1) AS lead_image,
           a.text || coalesce((SELECT group_concat(char(10) || t.text, '')
                               FROM (SELECT v.text FROM later_page l JOIN article_version v ON v.id = l.version
                                     WHERE l.article = a.url ORDER BY l.number) t), '') AS text,
           a.oddities, u.claims,
           (SELECT count(*) FROM article_version n WHERE n.url = a.url) AS versions,
           strftime('%Y-%m-%dT%H:%M:%fZ', c.fetched_ms / 1000.0, 'unixepoch') AS fetched,
           f.name AS warc_file, h.offset AS warc_offset, h.length AS warc_length,
           1 + (SELECT count(*) FROM continuation n WHERE n.article = a.url) AS parts,
           1 + (SELECT count(*) FROM later_page l WHERE l.article = a.url AND l.version IS NOT NULL) AS parts_kept
    FROM article_version a
    JOIN url u ON u.id = a.url
    JOIN capture c ON c.id = a.capture
    JOIN capture h ON h.id = coalesce(c.refers_to, c.id)
    JOIN warc_file f ON f.id = h.file
    WHERE a.id = (SELECT max(n.id) FROM article_version n WHERE n.url = a.url)
      AND NOT EXISTS (SELECT 1 FROM continuation n WHERE n.url = a.url)
);
