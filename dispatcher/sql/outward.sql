-- name: changes
SELECT seq, id, status, village, hazard, before, grade, warning, alert, revision, purpose, released_at, expires_at, reason_zh, reason_en
FROM notices WHERE county = :county AND seq > :seq AND hazard NOT IN ('roll-call', 'release-page') ORDER BY seq LIMIT :limit;

-- name: rejects
SELECT r.seq, r.county, r.source, r.subject, r.at, r.code, r.reason, r.item, r.excerpt, r.sha256, r.size, r.part, j.payload
FROM rejects r LEFT JOIN journal j ON j.seq = r.journal_seq
WHERE r.county = :county AND r.seq > :seq ORDER BY r.seq LIMIT :limit;
