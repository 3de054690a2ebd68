-- Larger forms of pictures are guessed, and asked for last (priority 9): one that is larger indeed is what is kept of the
-- picture, and one that could not be had is no failure.

DROP VIEW picture_kept;
DROP VIEW failure;

-- Which variant of a picture is kept, the best first: captured whole, and not a page in its place; a notice only when
-- there is nothing else. A picture is kept where its address led, too, and where an earlier capture holds its payload.
CREATE VIEW picture_kept AS
WITH had AS NOT MATERIALIZED (
    SELECT v.picture, v.position, v.role, c.id AS capture, c.width, c.height, y.notice
    FROM picture_variant v
    LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
    JOIN capture c ON c.url IN (v.url, r.target, q.target) LEFT JOIN capture o ON o.id = c.refers_to
    JOIN payload y ON y.id = c.payload
    WHERE v.role <> 'placeholder' AND c.truncated IS NULL AND c.flaw IS NULL
      AND iif(c.kind = 'revisit', c.status IN (200, 304) AND c.refers_to IS NOT NULL, c.status = 200)
      AND (c.width IS NOT NULL OR coalesce(c.media, o.media, '') NOT LIKE 'text/%')
), ranked AS NOT MATERIALIZED (
    SELECT h.*, CASE WHEN h.role <> 'larger' THEN 1
                     WHEN EXISTS (SELECT 1 FROM had n
                                  WHERE n.picture = h.picture AND n.role <> 'larger' AND NOT n.notice
                                    AND NOT coalesce(h.width > n.width AND h.height >= n.height, 0)) THEN 2
                     ELSE 0 END AS rank
    FROM had h
)
SELECT p.id AS picture, p.version,
       (SELECT k.position FROM ranked k WHERE k.picture = p.id ORDER BY k.notice, k.rank, k.position LIMIT 1) AS position,
       (SELECT k.capture FROM ranked k WHERE k.picture = p.id
        ORDER BY k.notice, k.rank, k.position, k.capture DESC LIMIT 1) AS capture
FROM picture p;

CREATE VIEW failure AS
SELECT u.text AS url, u.role, CASE WHEN u.state = 'done' THEN 'answered ' || u.status ELSE u.state END AS what,
       u.refused_by, u.reason, u.status, u.tries, u.via, u.page,
       strftime('%Y-%m-%dT%H:%M:%fZ', u.settled_ms / 1000.0, 'unixepoch') AS settled
FROM url u
WHERE (u.state IN ('refused', 'failed') OR (u.state = 'done' AND u.status >= 400 AND u.role <> 'robots'))
  AND NOT (u.role = 'image' AND u.priority = 9);
