-- How much a server has had of us outlives a run, and so do the clocks of addresses: each is that of every name behind it.

ALTER TABLE host ADD COLUMN trouble INTEGER NOT NULL DEFAULT 0;            -- steps; 0: calm
ALTER TABLE host ADD COLUMN trouble_until_ms INTEGER NOT NULL DEFAULT 0;   -- when they are forgotten

CREATE TABLE address (                  -- only of those that may not be asked at once, or are in trouble
    address TEXT PRIMARY KEY,
    next_ms INTEGER NOT NULL,
    trouble INTEGER NOT NULL,
    trouble_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
