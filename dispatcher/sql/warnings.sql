-- name: add_change
INSERT INTO changes (id, county, status, mode, rule, hazard, place, before, after, at, decided_at, reason_zh, reason_en, record)
VALUES (:id, :county, :status, :mode, :rule, :hazard, :place, :before, :after, :at, :decided_at, :reason_zh, :reason_en, :record)
ON CONFLICT (id) DO NOTHING;

-- name: changes
SELECT * FROM changes WHERE county = :county AND seq < :before_seq ORDER BY seq DESC LIMIT :limit;

-- name: contributions
SELECT * FROM contributions
WHERE county = :county AND status = :status AND hazard = :hazard AND village IN EACH(:villages);

-- name: contribute
INSERT INTO contributions (county, status, hazard, village, contributor, grade, since, reason_zh, reason_en, origin, person, area,
    expires_at, onset)
VALUES (:county, :status, :hazard, :village, :contributor, :grade, :since, :reason_zh, :reason_en, :origin, :person, :area, :expires_at,
    :onset)
ON CONFLICT (county, status, hazard, village, contributor)
DO UPDATE SET grade = excluded.grade, since = excluded.since, reason_zh = excluded.reason_zh, reason_en = excluded.reason_en,
    origin = excluded.origin, person = excluded.person, area = excluded.area, expires_at = excluded.expires_at, onset = excluded.onset;

-- name: contributions_of
SELECT * FROM contributions WHERE county = :county AND status = :status AND hazard = :hazard
AND village IN (SELECT village FROM warning_villages WHERE warning = :warning) ORDER BY village, grade DESC, since;

-- name: contributed_by
SELECT * FROM contributions WHERE county = :county AND status = :status AND hazard = :hazard AND contributor = :contributor
ORDER BY village;

-- name: still_held
SELECT DISTINCT contributor FROM contributions WHERE county = :county AND status = :status AND contributor IN EACH(:contributors);

-- name: say_why
UPDATE warning_villages SET grade = 0, reason_zh = :reason_zh, reason_en = :reason_en WHERE warning = :warning;

-- name: expiring
SELECT * FROM contributions WHERE expires_at <= :now ORDER BY hazard, village;

-- name: next_expiry
SELECT min(expires_at) AS due FROM contributions WHERE expires_at IS NOT NULL;

-- name: withdraw
DELETE FROM contributions
WHERE county = :county AND status = :status AND hazard = :hazard AND village = :village AND contributor = :contributor;

-- name: open
SELECT * FROM warnings WHERE county = :county AND status = :status AND hazard = :hazard AND state = 'open';

-- name: one
SELECT * FROM warnings WHERE id = :id;

-- name: listed
SELECT * FROM warnings WHERE county = :county AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: due
SELECT * FROM warnings WHERE alert_due <= :now OR stage_due <= :now ORDER BY grade DESC, alert_due LIMIT :limit;

-- name: next_due
SELECT min(due) AS due FROM (SELECT min(alert_due) AS due FROM warnings WHERE alert_due IS NOT NULL
    UNION ALL SELECT min(stage_due) FROM warnings WHERE stage_due IS NOT NULL) AS both_kinds;

-- name: save
INSERT INTO warnings (id, county, status, hazard, area, state, grade, opened_at, updated_at, closed_at, alert_due, alerts, renew_at,
    stage_due)
VALUES (:id, :county, :status, :hazard, :area, :state, :grade, :opened_at, :updated_at, :closed_at, :alert_due, :alerts, :renew_at,
    :stage_due)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, grade = excluded.grade, updated_at = excluded.updated_at,
    closed_at = excluded.closed_at, alert_due = excluded.alert_due, alerts = excluded.alerts, renew_at = excluded.renew_at,
    stage_due = excluded.stage_due;

-- name: to_renew
SELECT * FROM warnings WHERE renew_at <= :now ORDER BY renew_at LIMIT :limit;

-- name: next_renewal
SELECT min(renew_at) AS due FROM warnings WHERE renew_at IS NOT NULL;

-- name: villages
SELECT * FROM warning_villages WHERE warning = :warning ORDER BY village;

-- name: save_village
INSERT INTO warning_villages (warning, village, county, status, grade, told, revision, reason_zh, reason_en, onset, stage)
VALUES (:warning, :village, :county, :status, :grade, :told, :revision, :reason_zh, :reason_en, :onset, :stage)
ON CONFLICT (warning, village) DO UPDATE SET grade = excluded.grade, told = excluded.told, revision = excluded.revision,
    reason_zh = excluded.reason_zh, reason_en = excluded.reason_en, onset = excluded.onset, stage = excluded.stage;

-- name: add_alert
INSERT INTO alerts (id, warning, county, status, message_type, sent_at, expires_at, refs, places, released_by, note, identifier, cap)
VALUES (:id, :warning, :county, :status, :message_type, :sent_at, :expires_at, :refs, :places, :released_by, :note, :identifier, :cap);

-- name: alerts
SELECT * FROM alerts WHERE warning = :warning ORDER BY seq;

-- name: public_alerts
SELECT a.*, w.hazard, w.area FROM alerts a JOIN warnings w ON w.id = a.warning
WHERE a.county = :county AND a.status = :status AND a.expires_at > :now AND a.cap <> '' ORDER BY a.seq DESC LIMIT :limit;

-- name: public_alert
SELECT * FROM alerts WHERE identifier = :identifier AND status = :status AND cap <> '';

-- name: villages_of_open
SELECT v.* FROM warning_villages v JOIN warnings w ON w.id = v.warning
WHERE w.county = :county AND w.status = :status AND w.hazard = :hazard AND w.state = 'open';

-- name: count_in_force
SELECT grade, count(*) AS n FROM warnings WHERE county = :county AND state = 'open' GROUP BY grade;

-- name: hazards_in_use
SELECT hazard, min(id) AS id, count(*) AS n FROM (
    SELECT hazard, id FROM warnings WHERE county = :county AND state = 'open'
    UNION ALL SELECT hazard, id FROM proposals WHERE county = :county AND state = 'waiting'
) AS at_work GROUP BY hazard ORDER BY hazard;

-- name: latest
SELECT max(at) AS at FROM (SELECT max(now) AS at FROM journal UNION ALL SELECT max(at) FROM feed) AS times;

-- name: totals
SELECT (SELECT count(*) FROM changes WHERE county = :county) AS changes, (SELECT count(*) FROM warnings WHERE county = :county) AS warnings,
    (SELECT count(*) FROM answers WHERE county = :county) AS answers;
