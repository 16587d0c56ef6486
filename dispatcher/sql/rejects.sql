-- name: add
INSERT INTO rejects (county, source, subject, at, code, reason, item, excerpt, sha256, size, journal_seq, part)
VALUES (:county, :source, :subject, :at, :code, :reason, :item, :excerpt, :sha256, :size, :journal_seq, :part);

-- name: listed
SELECT seq, source, subject, at, code, reason, item, excerpt, sha256, size, state FROM rejects
WHERE county = :county AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: all
SELECT seq, county, source, subject, at, code, reason, item, excerpt, sha256, size, state FROM rejects
WHERE seq < :before AND (:code = '' OR code = :code) ORDER BY seq DESC LIMIT :limit;

-- name: ask
UPDATE rejects SET state = 'asked' WHERE seq = :seq AND journal_seq > 0 AND state <> 'gone';

-- name: asked
SELECT seq, journal_seq, part FROM rejects WHERE state = 'asked' ORDER BY seq LIMIT :limit;

-- name: settle
UPDATE rejects SET state = :state WHERE seq = :seq AND state = 'asked';

-- name: span
SELECT coalesce(min(seq), 0) AS first, coalesce(max(seq), 0) AS last FROM rejects;

-- name: oldest
SELECT * FROM rejects WHERE seq <= :through OR (journal_seq > 0 AND journal_seq <= :journal_seq) ORDER BY seq LIMIT :limit;

-- name: forget
DELETE FROM rejects WHERE seq = :seq;
