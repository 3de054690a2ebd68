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
