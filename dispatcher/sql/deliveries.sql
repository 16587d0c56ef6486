-- name: add
INSERT INTO deliveries (id, notice, county, status, village, channel, person, role, address, language, grade, text, state, step,
    repeat, fallbacks, planned_at, due, expires_at, lease, attempts, possible_duplicate, reference, code, reason, accepted_at, updated_at,
    gateway, turn, carried_by, bundle, because)
VALUES (:id, :notice, :county, :status, :village, :channel, :person, :role, :address, :language, :grade, :text, :state, :step,
    :repeat, :fallbacks, :planned_at, :due, :expires_at, :lease, :attempts, :possible_duplicate, :reference, :code, :reason,
    :accepted_at, :updated_at, :gateway, :turn, :carried_by, :bundle, :because)
ON CONFLICT (id) DO NOTHING;

-- name: claimable
SELECT d.*, n.state AS notice_state FROM deliveries d JOIN notices n ON n.id = d.notice
WHERE d.state IN ('planned', 'unknown') AND d.grade = :grade AND d.channel = :channel AND d.due <= :now AND d.carried_by = ''
AND NOT EXISTS (SELECT 1 FROM deliveries s JOIN notices m ON m.id = s.notice
    WHERE s.state IN ('sending', 'unknown') AND s.address = d.address AND s.village = d.village AND s.channel = d.channel
    AND s.seq < d.seq AND m.warning = n.warning)
ORDER BY d.turn, d.due, d.seq LIMIT :limit;

-- name: lease
UPDATE deliveries SET state = :state, lease = :lease, attempts = :attempts, possible_duplicate = :possible_duplicate,
    updated_at = :updated_at, gateway = :gateway
WHERE id IN EACH(:ids);

-- name: lanes_due
SELECT g.grade, c.channel FROM
    (SELECT 4 AS grade UNION ALL SELECT 3 UNION ALL SELECT 2 UNION ALL SELECT 1 UNION ALL SELECT 0) AS g
    CROSS JOIN (SELECT 'sms' AS channel UNION ALL SELECT 'voice' UNION ALL SELECT 'chat' UNION ALL SELECT 'loudspeaker' UNION ALL SELECT 'duty_room') AS c
WHERE EXISTS (SELECT 1 FROM deliveries d
    WHERE d.state IN ('planned', 'unknown') AND d.grade = g.grade AND d.channel = c.channel AND d.due <= :now)
UNION ALL SELECT -1, 'leases' WHERE EXISTS (SELECT 1 FROM deliveries WHERE lease <= :now)
UNION ALL SELECT -1, 'bundles' WHERE EXISTS (SELECT 1 FROM deliveries
    WHERE carried_by <> '' AND state IN ('planned', 'unknown', 'sending'));

-- name: not_wait
UPDATE deliveries SET due = :now WHERE state = 'planned' AND channel = :channel AND code = :code AND due > :now;

-- name: expired_leases
SELECT * FROM deliveries WHERE lease <= :now ORDER BY lease LIMIT :limit;

-- name: sending
SELECT * FROM deliveries WHERE state = 'sending';

-- name: settle
UPDATE deliveries SET state = :state, due = :due, lease = :lease, possible_duplicate = :possible_duplicate, reference = :reference,
    code = :code, reason = :reason, accepted_at = :accepted_at, updated_at = :updated_at
WHERE id = :id;

-- name: untie
UPDATE deliveries SET bundle = '' WHERE bundle <> '' AND state IN ('planned', 'unknown')
AND EXISTS (SELECT 1 FROM deliveries r WHERE r.carried_by = deliveries.id AND r.state IN ('superseded', 'expired'));

-- name: free_riders
UPDATE deliveries SET carried_by = '', state = CASE state WHEN 'sending' THEN 'unknown' ELSE state END
WHERE carried_by <> '' AND state IN ('planned', 'unknown', 'sending')
AND EXISTS (SELECT 1 FROM deliveries c WHERE c.id = deliveries.carried_by
    AND (c.bundle = '' OR c.state IN ('superseded', 'expired')));

-- name: ride
UPDATE deliveries SET state = 'sending', updated_at = :updated_at WHERE carried_by = :id AND state IN ('planned', 'unknown');

-- name: share
UPDATE deliveries SET state = :state, due = :due, reference = :reference, code = :code, reason = :reason, updated_at = :updated_at,
    accepted_at = COALESCE(accepted_at, :accepted_at), gateway = :gateway,
    possible_duplicate = CASE WHEN :possible_duplicate = 1 THEN 1 ELSE possible_duplicate END
WHERE carried_by = :id AND (state NOT IN ('superseded', 'expired') OR :reached = 1);

-- name: riders
SELECT * FROM deliveries WHERE carried_by IN EACH(:ids);

-- name: confirmed
SELECT count(*) AS n FROM deliveries WHERE address = :address AND role = :role AND planned_at > :since;

-- name: rivals
SELECT id FROM deliveries WHERE address = :address AND channel = :channel AND id <> :id
AND (reference = :reference OR ((text = :text OR channel = 'voice') AND attempts > 0 AND (reference = '' OR attempts > 1)));

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
SELECT EXISTS (SELECT 1 FROM deliveries WHERE state IN ('planned', 'unknown') AND county = :county)
    OR EXISTS (SELECT 1 FROM deliveries WHERE lease IS NOT NULL AND county = :county) AS n;

-- name: to_send
SELECT EXISTS (SELECT 1 FROM deliveries WHERE state IN ('planned', 'unknown') AND county = :county)
    OR EXISTS (SELECT 1 FROM deliveries WHERE state IN ('sending', 'unknown') AND county = :county) AS n;

-- name: all
SELECT * FROM deliveries WHERE county = :county ORDER BY seq;

-- name: told
-- Who heard or may have heard (what only stands between has accepted counts: it may still come through), and who still waits to hear.
SELECT d.village, d.channel, d.person, d.role, d.address, d.language,
    max(CASE WHEN d.state NOT IN ('planned', 'superseded', 'expired', 'failed') OR d.possible_duplicate = 1
        OR (d.state IN ('planned', 'superseded') AND d.accepted_at IS NOT NULL) THEN 1 ELSE 0 END) AS heard,
    max(CASE d.state WHEN 'planned' THEN 1 ELSE 0 END) AS waits
FROM deliveries d JOIN notices n ON n.id = d.notice
WHERE n.warning = :warning AND n.village IN EACH(:villages)
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
