-- The first schema. Tables are ours and may change; the views at the end are the public face (docs/schema.md).
-- Times are milliseconds since 1970 UTC, sizes bytes. JSON columns hold arrays or objects as text.

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    profile TEXT NOT NULL,
    chain_ms INTEGER NOT NULL,          -- when the first of the runs began that this one continues
    started_ms INTEGER NOT NULL,
    touched_ms INTEGER NOT NULL,        -- last commit
    finished_ms INTEGER,                -- null: it is running, or it was killed
    stopped_by TEXT,                    -- done | pages | bytes | time | signal | …
    version TEXT NOT NULL,
    counters TEXT NOT NULL DEFAULT '{}'
) STRICT;

CREATE TABLE seed (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,          -- the URL, or file:///seeds/NAME for a document of the user's own
    source TEXT NOT NULL,               -- the document that named it, or «command line»
    line INTEGER NOT NULL,
    claims TEXT NOT NULL,
    last_run INTEGER NOT NULL REFERENCES run
) STRICT;

CREATE TABLE host (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,          -- empty for documents of the user's own
    slot INTEGER NOT NULL,              -- hash of the registrable domain: the unit of sharing work
    page_next_ms INTEGER NOT NULL DEFAULT 0,
    requisite_next_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE robots (
    origin TEXT PRIMARY KEY,
    fetched_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE url (                      -- the seen-set and the queue
    id INTEGER PRIMARY KEY,
    host INTEGER NOT NULL REFERENCES host,
    fingerprint INTEGER NOT NULL,       -- the next free one when another URL has it already
    text TEXT NOT NULL,
    role TEXT NOT NULL,
    class INTEGER NOT NULL,             -- 0 page-like, 1 requisite
    state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'refused', 'failed', 'named')),
    priority INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,            -- not before
    tries INTEGER NOT NULL,
    seed INTEGER REFERENCES seed,
    via TEXT,
    depth INTEGER NOT NULL,
    hops INTEGER NOT NULL,
    page TEXT,
    referer TEXT,
    claims TEXT,
    status INTEGER,
    reason TEXT,                        -- why it failed, or the rule that refused it
    refused_by TEXT,                    -- robots | guard | scope
    transient INTEGER NOT NULL DEFAULT 0,
    settled_ms INTEGER,
    UNIQUE (host, fingerprint)
) STRICT;
CREATE INDEX url_queue ON url (host, class, priority, id) WHERE state = 'queued';

CREATE TABLE warc_file (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,          -- without «.open»
    committed_len INTEGER NOT NULL      -- every whole group up to here has its rows
) STRICT;

CREATE TABLE payload (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    size_bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE capture (
    id INTEGER PRIMARY KEY,
    url INTEGER NOT NULL REFERENCES url,
    run INTEGER NOT NULL REFERENCES run,
    role TEXT NOT NULL,
    fetched_ms INTEGER NOT NULL,
    record_id TEXT NOT NULL,
    kind TEXT NOT NULL,                 -- response | resource
    status INTEGER,
    media TEXT,
    payload INTEGER NOT NULL REFERENCES payload,
    truncated TEXT,
    fault TEXT,
    address TEXT,
    referer TEXT,                       -- sent with it
    width INTEGER,                      -- of a picture, in its own pixels
    height INTEGER,
    file INTEGER NOT NULL REFERENCES warc_file,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    request_offset INTEGER,
    request_length INTEGER,
    metadata_offset INTEGER NOT NULL,
    metadata_length INTEGER NOT NULL,
    UNIQUE (file, offset)
) STRICT;
CREATE INDEX capture_url ON capture (url, fetched_ms);
CREATE INDEX capture_payload ON capture (payload);

CREATE TABLE article_version (          -- a row when what people read has changed
    id INTEGER PRIMARY KEY,
    url INTEGER NOT NULL REFERENCES url,
    capture INTEGER NOT NULL REFERENCES capture,
    fingerprint INTEGER NOT NULL,       -- of headline, byline, text and pictures
    title TEXT,
    byline TEXT NOT NULL,
    source TEXT,
    published_ms INTEGER,
    published_local TEXT,
    published_precision TEXT,
    published_from TEXT,
    dates TEXT NOT NULL,
    language TEXT,
    charset TEXT NOT NULL,
    canonical TEXT,
    categories TEXT NOT NULL,
    text TEXT NOT NULL,
    oddities TEXT NOT NULL
) STRICT;
CREATE INDEX article_version_url ON article_version (url, id);

CREATE TABLE picture (                  -- one logical image
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL REFERENCES article_version,
    position INTEGER NOT NULL,          -- its number among the version's pictures
    block INTEGER,                      -- the text block it stands before
    lead INTEGER NOT NULL,
    in_article INTEGER NOT NULL,
    alt TEXT,
    caption TEXT,
    width INTEGER,                      -- declared
    height INTEGER
) STRICT;
CREATE INDEX picture_version ON picture (version, position);

CREATE TABLE picture_variant (          -- every address of a picture, the best first
    picture INTEGER NOT NULL REFERENCES picture,
    position INTEGER NOT NULL,
    url INTEGER NOT NULL REFERENCES url,
    role TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    PRIMARY KEY (picture, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE redirect (                 -- where a URL led when it was last asked
    url INTEGER PRIMARY KEY REFERENCES url,
    target INTEGER NOT NULL REFERENCES url
) STRICT;

CREATE TABLE part (                     -- what a page needs to be shown
    page INTEGER NOT NULL REFERENCES url,
    url INTEGER NOT NULL REFERENCES url,
    role TEXT NOT NULL,
    PRIMARY KEY (page, url)
) STRICT, WITHOUT ROWID;

-- The public face.

CREATE VIEW capture_log AS
SELECT c.id AS capture, u.text AS url, c.role, strftime('%Y-%m-%dT%H:%M:%fZ', c.fetched_ms / 1000.0, 'unixepoch') AS fetched,
       c.kind, c.status, c.media, p.digest AS payload_digest, p.size_bytes, c.truncated, c.fault, c.address, c.referer,
       c.width, c.height, c.run, f.name AS warc_file, c.offset AS warc_offset, c.length AS warc_length
FROM capture c JOIN url u ON u.id = c.url JOIN payload p ON p.id = c.payload JOIN warc_file f ON f.id = c.file;

-- Which variant of a picture is kept, the best first: captured whole, and not a page in its place. A picture is kept
-- where its address led, too.
CREATE VIEW picture_kept AS
SELECT p.id AS picture, p.version,
       (SELECT v.position FROM picture_variant v
        LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
        JOIN capture c ON c.url IN (v.url, r.target, q.target)
        WHERE v.picture = p.id AND v.role <> 'placeholder' AND c.status = 200 AND c.truncated IS NULL
          AND (c.width IS NOT NULL OR coalesce(c.media, '') NOT LIKE 'text/%')
        ORDER BY v.position LIMIT 1) AS position,
       (SELECT c.id FROM picture_variant v
        LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
        JOIN capture c ON c.url IN (v.url, r.target, q.target)
        WHERE v.picture = p.id AND v.role <> 'placeholder' AND c.status = 200 AND c.truncated IS NULL
          AND (c.width IS NOT NULL OR coalesce(c.media, '') NOT LIKE 'text/%')
        ORDER BY v.position, c.id DESC LIMIT 1) AS capture
FROM picture p;

CREATE VIEW image AS
SELECT au.text AS article, p.position, o.text AS original, b.text AS kept_url, bv.role AS kept_role,
       CASE WHEN k.id IS NOT NULL AND p.width > k.width THEN 'smaller than declared'
            WHEN k.id IS NOT NULL THEN 'complete'
            WHEN EXISTS (SELECT 1 FROM picture_variant v
                         LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
                         JOIN url w ON w.id IN (v.url, r.target, q.target)
                         WHERE v.picture = p.id AND w.state = 'queued') THEN 'queued'
            WHEN EXISTS (SELECT 1 FROM picture_variant v
                         LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
                         JOIN url w ON w.id IN (v.url, r.target, q.target)
                         WHERE v.picture = p.id AND v.position = 0 AND w.refused_by = 'robots') THEN 'refused by robots'
            ELSE 'missing' END AS verdict,
       p.lead, p.in_article, p.block, p.alt, p.caption, p.width AS declared_width, p.height AS declared_height,
       k.width, k.height, y.size_bytes, y.digest AS payload_digest,
       f.name AS warc_file, k.offset AS warc_offset, k.length AS warc_length,
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
LEFT JOIN payload y ON y.id = k.payload
LEFT JOIN warc_file f ON f.id = k.file
WHERE a.id = (SELECT max(n.id) FROM article_version n WHERE n.url = a.url);

CREATE VIEW article AS
SELECT *, images = images_kept AS complete
FROM (
    SELECT u.text AS url, a.title, a.byline, a.source,
           strftime('%Y-%m-%dT%H:%M:%SZ', a.published_ms / 1000, 'unixepoch') AS published, a.published_local,
           a.published_precision, a.published_from, a.dates, a.language, a.charset, a.canonical, a.categories,
           (SELECT count(*) FROM picture p WHERE p.version = a.id) AS images,
           (SELECT count(t.capture) FROM picture_kept t WHERE t.version = a.id) AS images_kept,
           (SELECT o.text FROM picture p JOIN picture_variant v ON v.picture = p.id AND v.position = 0
            JOIN url o ON o.id = v.url WHERE p.version = a.id AND p.lead = 1 LIMIT 1) AS lead_image,
           a.text, a.oddities, u.claims,
           (SELECT count(*) FROM article_version n WHERE n.url = a.url) AS versions,
           strftime('%Y-%m-%dT%H:%M:%fZ', c.fetched_ms / 1000.0, 'unixepoch') AS fetched,
           f.name AS warc_file, c.offset AS warc_offset, c.length AS warc_length
    FROM article_version a
    JOIN url u ON u.id = a.url
    JOIN capture c ON c.id = a.capture
    JOIN warc_file f ON f.id = c.file
    WHERE a.id = (SELECT max(n.id) FROM article_version n WHERE n.url = a.url)
);

CREATE VIEW failure AS
SELECT u.text AS url, u.role, CASE WHEN u.state = 'done' THEN 'answered ' || u.status ELSE u.state END AS what,
       u.refused_by, u.reason, u.status, u.tries, u.via, u.page,
       strftime('%Y-%m-%dT%H:%M:%fZ', u.settled_ms / 1000.0, 'unixepoch') AS settled
FROM url u
WHERE u.state IN ('refused', 'failed') OR (u.state = 'done' AND u.status >= 400 AND u.role <> 'robots');
