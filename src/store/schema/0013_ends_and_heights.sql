-- Redirects that end at a refusal are found from their end (src/store/notices.rs), and a picture of which the page declares
-- the height only may be smaller than that, too.

CREATE INDEX redirect_target ON redirect (target);

DROP VIEW image;

CREATE VIEW image AS
SELECT au.text AS article,
       p.position + iif(n.url IS NULL, 0,
           (SELECT count(*) FROM picture q
            WHERE q.version = (SELECT max(v.id) FROM article_version v WHERE v.url = n.article))
           + (SELECT count(*) FROM later_page l JOIN picture q ON q.version = l.version
              WHERE l.article = n.article AND l.number < n.number)) AS position,
       o.text AS original, b.text AS kept_url, bv.role AS kept_role,
       CASE WHEN y.notice THEN 'suspected notice picture'
            WHEN k.id IS NOT NULL AND (p.width > k.width OR p.width IS NULL AND p.height > k.height)
                THEN 'smaller than declared'
            WHEN k.id IS NOT NULL THEN 'complete'
            WHEN EXISTS (SELECT 1 FROM picture_variant v
                         LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
                         JOIN url w ON w.id IN (v.url, r.target, q.target)
                         WHERE v.picture = p.id AND w.state = 'queued') THEN 'queued'
            WHEN EXISTS (SELECT 1 FROM picture_variant v
                         LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
                         JOIN capture c ON c.url IN (v.url, r.target, q.target)
                         WHERE v.picture = p.id AND v.role <> 'placeholder' AND c.status = 200
                           AND (c.flaw IN ('cut off', 'broken') OR c.truncated IS NOT NULL)) THEN 'damaged'
            WHEN EXISTS (SELECT 1 FROM picture_variant v
                         LEFT JOIN redirect r ON r.url = v.url LEFT JOIN redirect q ON q.url = r.target
                         JOIN url w ON w.id IN (v.url, r.target, q.target)
                         WHERE v.picture = p.id AND v.position = 0 AND w.refused_by = 'robots') THEN 'refused by robots'
            ELSE 'missing' END AS verdict,
       CASE WHEN y.notice THEN 'the same bytes came for other pictures of its host'
            WHEN k.id IS NULL OR t.position > 0
                THEN coalesce(o.reason,
                              (SELECT coalesce(c.flaw, c.truncated) FROM capture c
                               WHERE c.url = o.id AND c.status = 200 ORDER BY c.id DESC LIMIT 1),
                              'answered ' || iif(o.status <> 200, o.status, NULL))
            WHEN p.width > k.width THEN k.width || ' pixels wide, declared as ' || p.width
            WHEN p.width IS NULL AND p.height > k.height
                THEN k.height || ' pixels high, declared as ' || p.height END AS why,
       k.referer, k.referer_by,
       p.lead AND n.url IS NULL AS lead, p.in_article, p.block, p.alt, p.caption,
       p.width AS declared_width, p.height AS declared_height,
       k.width, k.height, y.size_bytes, y.digest AS payload_digest,
       f.name AS warc_file, h.offset AS warc_offset, h.length AS warc_length,
       (SELECT json_group_array(json_object('url', q.text, 'role', q.role, 'state', q.state, 'status', q.status))
        FROM (SELECT u.text, v.role, u.state, u.status FROM picture_variant v JOIN url u ON u.id = v.url
              WHERE v.picture = p.id ORDER BY v.position) q) AS variants
FROM article_version a
LEFT JOIN continuation n ON n.url = a.url
JOIN url au ON au.id = coalesce(n.article, a.url)
JOIN picture p ON p.version = a.id
JOIN picture_variant ov ON ov.picture = p.id AND ov.position = 0
JOIN url o ON o.id = ov.url
JOIN picture_kept t ON t.picture = p.id
LEFT JOIN picture_variant bv ON bv.picture = p.id AND bv.position = t.position
LEFT JOIN url b ON b.id = bv.url
LEFT JOIN capture k ON k.id = t.capture
LEFT JOIN capture h ON h.id = coalesce(k.refers_to, k.id)
LEFT JOIN payload y ON y.id = k.payload
LEFT JOIN warc_file f ON f.id = h.file
WHERE a.id = (SELECT max(v.id) FROM article_version v WHERE v.url = a.url);
