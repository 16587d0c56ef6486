-- name: add
INSERT INTO deliveries (id, notice, county, status, village, channel, person, role, address, language, grade, text, state, step,
    repeat, fallbacks, planned_at, due, expires_at, lease, attempts, possible_duplicate, reference, code, reason, accepted_at, updated_at)
VALUES (:id, :notice, :county, :status, :village, :channel, :person, :role, :address, :language, :grade, :text, :state, :step,
    :repeat, :fallbacks, :planned_at, :due, :expires_at, :lease, :attempts, :possible_duplicate, :reference, :code, :reason,
    :accepted_at, :updated_at)
ON CONFLICT (id) DO NOTHING;

-- name: claimable
SELECT d.*, n.state AS notice_state FROM deliveries d JOIN notices n ON n.id = d.notice
WHERE d.state IN ('planned', 'unknown') AND d.grade = :grade AND d.due <= :now
AND NOT EXISTS (SELECT 1 FROM deliveries s JOIN notices m ON m.id = s.notice
    WHERE s.state IN ('sending', 'unknown') AND s.address = d.address AND s.village = d.village AND s.channel = d.channel
    AND s.seq < d.seq AND m.warning = n.warning)
ORDER BY d.due, d.seq LIMIT :limit;

-- name: lease
UPDATE deliveries SET state = :state, lease = :lease, attempts = :attempts, possible_duplicate = :possible_duplicate,
    updated_at = :updated_at
WHERE id = :id;

-- name: expired_leases
SELECT * FROM deliveries WHERE lease <= :now ORDER BY lease LIMIT :limit;

-- name: sending
SELECT * FROM deliveries WHERE state = 'sending';

-- name: settle
UPDATE deliveries SET state = :state, due = :due, lease = :lease, possible_duplicate = :possible_duplicate, reference = :reference,
    code = :code, reason = :reason, accepted_at = :accepted_at, updated_at = :updated_at
WHERE id = :id;

-- name: rivals
SELECT id FROM deliveries WHERE address = :address AND id <> :id
AND (reference = :reference OR (text = :text AND reference = '' AND attempts > 0));

-- name: states_of
SELECT id, state FROM deliveries WHERE id IN EACH(:ids);

-- name: by_ids
SELECT * FROM deliveries WHERE id IN EACH(:ids);

-- name: supersede
UPDATE deliveries SET possible_duplicate = CASE state WHEN 'unknown' THEN 1 ELSE possible_duplicate END,
    state = 'superseded', lease = NULL, code = 'superseded', reason = :reason, updated_at = :now
WHERE notice = :notice AND state IN ('planned', 'unknown');

-- name: supersede_village
UPDATE deliveries SET possible_duplicate = CASE state WHEN 'unknown' THEN 1 ELSE possible_duplicate END,
    state = 'superseded', lease = NULL, code = 'superseded', reason = :reason, updated_at = :now
WHERE state IN ('planned', 'unknown') AND village = :village
AND notice IN (SELECT id FROM notices WHERE warning = :warning AND village = :village AND revision < :revision);

-- name: add_receipt
INSERT INTO receipts (delivery, county, state, reference, code, reason, at)
VALUES (:delivery, :county, :state, :reference, :code, :reason, :at);

-- name: states
SELECT channel, state, count(*) AS n, sum(possible_duplicate) AS possible_duplicates FROM deliveries
WHERE county = :county GROUP BY channel, state;

-- name: tally
SELECT d.notice, d.channel, d.state, count(*) AS n FROM deliveries d WHERE d.notice IN EACH(:notices)
GROUP BY d.notice, d.channel, d.state;

-- name: waiting
SELECT (SELECT count(*) FROM deliveries WHERE county = :county AND state IN ('planned', 'unknown'))
    + (SELECT count(*) FROM deliveries WHERE county = :county AND lease IS NOT NULL) AS n;

-- name: to_send
SELECT (SELECT count(*) FROM deliveries WHERE county = :county AND state = 'planned')
    + (SELECT count(*) FROM deliveries WHERE county = :county AND state IN ('sending', 'unknown')) AS n;

-- name: all
SELECT * FROM deliveries WHERE county = :county ORDER BY seq;

-- name: told
-- Who heard or may have heard (what only stands between has accepted counts: it may still come through), and who still waits to hear.
SELECT d.village, d.channel, d.person, d.role, d.address, d.language,
    max(CASE WHEN d.state NOT IN ('planned', 'superseded', 'expired', 'failed') OR d.possible_duplicate = 1
        OR (d.state IN ('planned', 'superseded') AND d.accepted_at IS NOT NULL) THEN 1 ELSE 0 END) AS heard,
    max(CASE d.state WHEN 'planned' THEN 1 ELSE 0 END) AS waits
FROM deliveries d JOIN notices n ON n.id = d.notice
WHERE n.warning = :warning
GROUP BY d.village, d.channel, d.person, d.role, d.address, d.language;

-- name: any_due
SELECT EXISTS (SELECT 1 FROM deliveries WHERE state IN ('planned', 'unknown') AND due <= :now)
    OR EXISTS (SELECT 1 FROM deliveries WHERE lease <= :now) AS n;

-- name: hold_on
UPDATE deliveries SET expires_at = :expires_at WHERE notice = :notice AND state IN ('planned', 'unknown') AND expires_at < :expires_at;

-- name: stop_all
UPDATE deliveries SET possible_duplicate = CASE state WHEN 'unknown' THEN 1 ELSE possible_duplicate END,
    state = 'superseded', lease = NULL, code = 'retracted', reason = :reason, updated_at = :now
WHERE state IN ('planned', 'unknown') AND notice IN (SELECT id FROM notices WHERE warning = :warning);
