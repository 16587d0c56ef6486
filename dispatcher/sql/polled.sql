-- name: awaited
SELECT id AS delivery, reference, state, accepted_at AS since FROM deliveries
WHERE gateway = :gateway AND state IN ('accepted', 'sent') AND reference <> '' AND carried_by = '' AND accepted_at IS NOT NULL
ORDER BY grade DESC, accepted_at LIMIT :limit;

-- name: heard
SELECT reference FROM heard_replies WHERE gateway = :gateway AND reference IN EACH(:references);

-- name: hear
INSERT INTO heard_replies (gateway, reference, at) VALUES (:gateway, :reference, :at) ON CONFLICT (gateway, reference) DO NOTHING;

-- name: forget
DELETE FROM heard_replies WHERE at < :before AND gateway = :gateway;
