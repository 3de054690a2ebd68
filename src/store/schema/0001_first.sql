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
