-- A page's charset may be named wrongly, or not at all: what was declared is kept beside what it was read in.

ALTER TABLE article_version ADD COLUMN charset_from TEXT;       -- the witness that decided; null before this version
ALTER TABLE article_version ADD COLUMN charset_declared TEXT;   -- null when nothing was declared

CREATE VIEW charset AS
SELECT u.text AS url, a.charset, a.charset_from, a.charset_declared,
       coalesce(a.charset_declared <> a.charset, 0) AS contradicted
FROM article_version a
JOIN url u ON u.id = a.url
WHERE a.id = (SELECT max(n.id) FROM article_version n WHERE n.url = a.url);
