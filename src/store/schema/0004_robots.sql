-- By what leave of robots.txt a URL was fetched, or by which rule it was not; and what answers say of being indexed.

CREATE TABLE robots_rule (              -- each text once: most URLs of a site share a few
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,                 -- the rule as written, or why there is none
    line INTEGER NOT NULL,              -- 0: no rule
    UNIQUE (rule, line)
) STRICT;

ALTER TABLE url ADD COLUMN robots_rule INTEGER REFERENCES robots_rule;     -- the last verdict
ALTER TABLE capture ADD COLUMN robots_rule INTEGER REFERENCES robots_rule;
ALTER TABLE capture ADD COLUMN robots_tags TEXT;                           -- X-Robots-Tag, and the page's own directives

DROP VIEW capture_log;

CREATE VIEW capture_log AS
SELECT c.id AS capture, u.text AS url, c.role, strftime('%Y-%m-%dT%H:%M:%fZ', c.fetched_ms / 1000.0, 'unixepoch') AS fetched,
       c.kind, c.status, c.media, p.digest AS payload_digest, p.size_bytes, c.truncated, c.fault, c.address, c.referer,
       c.width, c.height, c.run, f.name AS warc_file, c.offset AS warc_offset, c.length AS warc_length, c.refers_to,
       iif(c.kind = 'revisit', g.name, f.name) AS payload_file,
       iif(c.kind = 'revisit', o.offset, c.offset) AS payload_offset,
       iif(c.kind = 'revisit', o.length, c.length) AS payload_length,
       r.rule AS robots_rule, nullif(r.line, 0) AS robots_line, c.robots_tags
FROM capture c JOIN url u ON u.id = c.url JOIN payload p ON p.id = c.payload JOIN warc_file f ON f.id = c.file
LEFT JOIN capture o ON o.id = c.refers_to LEFT JOIN warc_file g ON g.id = o.file
LEFT JOIN robots_rule r ON r.id = c.robots_rule;

CREATE VIEW robots_verdict AS
SELECT u.text AS url, u.role, u.refused_by IS NOT 'robots' AS allowed, r.rule, nullif(r.line, 0) AS line, u.state
FROM url u JOIN robots_rule r ON r.id = u.robots_rule;
