-- A URL may not be fetched while its robots.txt cannot be had (RFC 9309, 2.3.1.4). That is a verdict, too: the rule knows
-- by itself whether it allows.

ALTER TABLE robots_rule ADD COLUMN allowed INTEGER NOT NULL DEFAULT 1;
UPDATE robots_rule SET allowed = 0 WHERE id IN (SELECT robots_rule FROM url WHERE refused_by = 'robots');
