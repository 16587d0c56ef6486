-- name: add
INSERT INTO notices (id, alert, warning, county, status, hazard, village, revision, grade, before, purpose, state, released_at,
    expires_at, code, plan, reason_zh, reason_en, steps_done, next_due, listed, helped, onset, stage)
VALUES (:id, :alert, :warning, :county, :status, :hazard, :village, :revision, :grade, :before, :purpose, :state, :released_at,
    :expires_at, :code, :plan, :reason_zh, :reason_en, :steps_done, :next_due, :listed, :helped, :onset, :stage);

-- name: add_plan
INSERT INTO plans (digest, policy, version, body) VALUES (:digest, :policy, :version, :body) ON CONFLICT (digest) DO NOTHING;

-- name: plan
SELECT body FROM plans WHERE digest = :digest;

-- name: one
SELECT * FROM notices WHERE id = :id;

-- name: by_ids
SELECT * FROM notices WHERE id IN EACH(:ids);

-- name: by_code
SELECT * FROM notices WHERE code = :code ORDER BY seq DESC LIMIT 1;

-- name: due
SELECT * FROM notices WHERE next_due <= :now ORDER BY grade DESC, next_due LIMIT :limit;

-- name: next_due
SELECT min(next_due) AS due FROM notices WHERE next_due IS NOT NULL;

-- name: set_agenda
UPDATE notices SET steps_done = :steps_done, next_due = :next_due WHERE id = :id;

-- name: set_state
UPDATE notices SET state = :state, next_due = :next_due WHERE id = :id;

-- name: supersede
UPDATE notices SET state = 'superseded', next_due = NULL
WHERE warning = :warning AND village = :village AND revision < :revision AND state <> 'superseded';

-- name: of_delivery
SELECT n.*, d.person FROM deliveries d JOIN notices n ON n.id = d.notice WHERE d.id = :delivery
UNION ALL
SELECT n.*, d.person FROM deliveries d JOIN notices n ON n.id = d.notice WHERE d.carried_by = :delivery AND d.carried_by <> '';

-- name: asked_of
SELECT DISTINCT n.* FROM deliveries d JOIN notices n ON n.id = d.notice
WHERE d.address = :address AND d.accepted_at <= :before AND n.purpose = 'warn' AND n.state IN ('calling', 'answered', 'acting', 'done')
ORDER BY n.seq;

-- name: asked_of_many
SELECT DISTINCT d.address, n.* FROM deliveries d JOIN notices n ON n.id = d.notice
WHERE d.address IN EACH(:addresses) AND d.accepted_at <= :before AND n.purpose = 'warn'
AND n.state IN ('calling', 'answered', 'acting', 'done')
ORDER BY n.seq;

-- name: unanswered
SELECT count(*) AS n FROM notices WHERE county = :county AND purpose = 'warn' AND state = 'calling' AND hazard <> 'roll-call';

-- name: all
SELECT * FROM notices WHERE county = :county ORDER BY seq;

-- name: hold_on
UPDATE notices SET expires_at = :expires_at WHERE warning = :warning AND village = :village AND revision = :revision;
