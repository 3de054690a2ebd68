-- What was taken down, and why: the lines of takedown.jsonl, and the sign that each was carried out.

CREATE TABLE takedown (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    act TEXT NOT NULL CHECK (act IN ('forget', 'allow', 'block', 'unblock')),
    url TEXT NOT NULL,
    reason TEXT NOT NULL,
    records TEXT NOT NULL,              -- what was removed: url, date, id and payload digest of each record
    UNIQUE (at_ms, act, url)
) STRICT;
CREATE INDEX takedown_url ON takedown (url, at_ms);

CREATE INDEX capture_record ON capture (record_id);
