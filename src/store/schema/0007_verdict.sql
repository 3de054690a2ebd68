-- A URL may not be fetched while its robots.txt cannot be had (RFC 9309, 2.3.1.4). That is a verdict, too: the rule knows
-- by itself whether it allows.

ALTER TABLE robots_rule ADD COLUMN allowed INTEGER NOT NULL DEFAULT 1;
UPDATE robots_rule SET allowed = 0 WHERE id IN (SELECT robots_rule FROM url WHERE refused_by = 'robots');

DROP VIEW robots_verdict;

CREATE VIEW robots_verdict AS
SELECT u.text AS url, u.role, r.allowed, r.rule, nullif(r.line, 0) AS line, u.state
FROM url u JOIN robots_rule r ON r.id = u.robots_rule;
