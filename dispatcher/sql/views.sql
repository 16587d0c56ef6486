-- name: board
SELECT w.seq AS warning_seq, w.opened_at, w.updated_at AS warning_updated_at, w.area, w.grade AS warning_grade, w.state AS warning_state,
    v.grade AS village_grade, v.told, v.warning AS of_warning, v.village AS of_village, v.reason_zh AS village_reason_zh,
    v.reason_en AS village_reason_en, w.hazard AS of_hazard, w.status AS of_status, n.*
FROM warnings w JOIN warning_villages v ON v.warning = w.id
LEFT JOIN notices n ON n.warning = v.warning AND n.village = v.village AND n.revision = v.revision
WHERE w.county = :county AND (w.state = 'open' OR w.closed_at > :closed_after) AND (v.grade > 0 OR v.revision > 0);

-- name: answers
SELECT a.* FROM answers a WHERE a.notice IN (
    SELECT n.id FROM notices n WHERE n.warning IN EACH(:warnings)) ORDER BY a.seq;

-- name: notices
SELECT n.* FROM notices n JOIN warning_villages v ON v.warning = n.warning AND v.village = n.village AND v.revision = n.revision
JOIN warnings w ON w.id = n.warning
WHERE n.county = :county AND (w.state = 'open' OR :lifted = 1) AND n.seq < :before ORDER BY n.seq DESC LIMIT :limit;

-- name: open_tasks
SELECT * FROM tasks WHERE county = :county AND closed_at IS NULL AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: count_open_tasks
SELECT count(*) AS n FROM tasks WHERE county = :county AND closed_at IS NULL;

-- name: deliveries
SELECT * FROM deliveries WHERE notice = :notice AND seq > :after ORDER BY seq LIMIT :limit;

-- name: changes_of
SELECT * FROM changes WHERE county = :county AND status = :status AND hazard = :hazard AND decided_at >= :since
AND decided_at <= :until AND place IN EACH(:places) ORDER BY seq DESC LIMIT :limit;

-- name: notices_of
SELECT * FROM notices WHERE warning = :warning ORDER BY seq DESC LIMIT :limit;

-- name: answers_of
SELECT a.* FROM answers a WHERE a.notice IN (SELECT n.id FROM notices n WHERE n.warning = :warning) ORDER BY a.seq DESC LIMIT :limit;

-- name: deliveries_of
SELECT d.*, n.revision FROM notices n JOIN deliveries d ON d.notice = n.id
WHERE n.warning = :warning AND n.village IN EACH(:villages) ORDER BY n.village, d.seq;

-- name: plans
SELECT digest, body FROM plans WHERE digest IN EACH(:digests);
