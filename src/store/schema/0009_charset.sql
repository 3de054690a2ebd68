-- A page's charset may be named wrongly, or not at all: what was declared is kept beside what it was read in.

ALTER TABLE article_version ADD COLUMN charset_from TEXT;       -- the witness that decided; null before this version
ALTER TABLE article_version ADD COLUMN charset_declared TEXT;   -- null when nothing was declared
