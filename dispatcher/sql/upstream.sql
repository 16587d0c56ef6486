-- name: add
INSERT INTO upstream (county, sender, identifier, sent, sent_at, root, at, status, msg_type, outcome, villages)
VALUES (:county, :sender, :identifier, :sent, :sent_at, :root, :at, :status, :msg_type, :outcome, :villages)
ON CONFLICT (county, sender, identifier) DO NOTHING;

-- name: known
SELECT sender, identifier, root FROM upstream WHERE county = :county AND sender = :sender AND identifier IN EACH(:identifiers) ORDER BY seq;

-- name: newest
SELECT max(sent_at) AS sent_at FROM upstream
WHERE county = :county AND sender = :sender AND root = :root AND outcome IN ('heard', 'cancelled');

-- name: held
SELECT hazard, village, area FROM contributions
WHERE county = :county AND status = :status AND contributor = :contributor ORDER BY hazard, village;

-- name: waiting
SELECT * FROM proposals WHERE county = :county AND status = :status AND topic = :topic AND state = 'waiting' ORDER BY seq;

-- name: listed
SELECT * FROM upstream WHERE county = :county AND seq < :before ORDER BY seq DESC LIMIT :limit;
