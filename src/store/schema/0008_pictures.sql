-- Pictures: in which way each was asked for, what is wrong with what came, and notices that come in place of pictures.

ALTER TABLE url ADD COLUMN referrer TEXT;                          -- POLICY URL: for where it may redirect to
ALTER TABLE url ADD COLUMN rung INTEGER NOT NULL DEFAULT 0;        -- the way it is asked for next (src/web/ladder.rs)
ALTER TABLE url ADD COLUMN rungs INTEGER NOT NULL DEFAULT 1;       -- in how many ways it may be
ALTER TABLE capture ADD COLUMN referer_by TEXT;                    -- policy | table | none | origin
ALTER TABLE capture ADD COLUMN flaw TEXT;                          -- of a picture (src/web/picture.rs)
ALTER TABLE payload ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;  -- it came for many different pictures of one host
CREATE INDEX picture_variant_url ON picture_variant (url, position);
