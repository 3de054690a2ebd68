-- Captures whose payload an earlier record holds, and what an answer is recognised by when it is asked for again.

ALTER TABLE capture ADD COLUMN refers_to INTEGER REFERENCES capture; -- of a revisit: the capture that holds its payload
ALTER TABLE capture ADD COLUMN etag TEXT;
ALTER TABLE capture ADD COLUMN last_modified TEXT;
CREATE INDEX capture_refers_to ON capture (refers_to) WHERE refers_to IS NOT NULL;
