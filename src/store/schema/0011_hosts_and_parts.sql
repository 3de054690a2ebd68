-- What recurs on the pages of a host and is no article's own (src/extract/text/boilerplate.rs), and articles that are spread
-- over several pages (src/extract/links/pages.rs).

CREATE TABLE lesson (                   -- what a host's pages have taught
    host INTEGER PRIMARY KEY REFERENCES host,
    pages INTEGER NOT NULL,             -- that taught something
    articles INTEGER NOT NULL           -- that were read
) STRICT;

CREATE TABLE line (                     -- by its fingerprint: the text is not kept
    host INTEGER NOT NULL REFERENCES host,
    key INTEGER NOT NULL,
    recurs INTEGER NOT NULL,            -- it is boilerplate
    pages INTEGER NOT NULL,
    first INTEGER NOT NULL,             -- numbers of pages, as lesson counts them
    last INTEGER NOT NULL,
    urls TEXT NOT NULL,                 -- JSON: the pages it stands on, as long as it is not boilerplate
    PRIMARY KEY (host, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE host_author (              -- those who may turn out to be on every page
    host INTEGER NOT NULL REFERENCES host,
    name TEXT NOT NULL,
    articles INTEGER NOT NULL,
    PRIMARY KEY (host, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE continuation (             -- the second and later pages of an article
    url INTEGER PRIMARY KEY REFERENCES url,
    article INTEGER NOT NULL REFERENCES url,    -- its first page
    number INTEGER NOT NULL                     -- from 2
) STRICT;
CREATE INDEX continuation_article ON continuation (article, number);
