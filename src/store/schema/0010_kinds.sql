-- What sort of page a capture is, and whether an article goes on where only some may read it.

ALTER TABLE capture ADD COLUMN page_kind TEXT;                             -- of an HTML page (src/extract/kind/)
ALTER TABLE article_version ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;     -- there is more than the page shows
