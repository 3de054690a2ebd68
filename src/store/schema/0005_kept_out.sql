-- Which rules kept links out of a crawl: counts, and one example each. A row for every link would be a trap of its own.

CREATE TABLE exclusion (
    run INTEGER NOT NULL REFERENCES run,
    seed INTEGER NOT NULL,
    rule TEXT NOT NULL,
    urls INTEGER NOT NULL,
    example TEXT NOT NULL,              -- the first of them
    PRIMARY KEY (run, seed, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE mark (                     -- what the rules against traps remember (src/crawl/traps.rs)
    key INTEGER PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
