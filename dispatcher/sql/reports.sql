-- name: contributors
SELECT DISTINCT status, contributor FROM contributions WHERE county = :county AND contributor >= 'rule:' AND contributor < 'rule;';

-- name: last_samples
SELECT status, place, max(at) AS at FROM samples WHERE county = :county AND place IN EACH(:places) GROUP BY status, place;

-- name: add_sample
INSERT INTO samples (county, status, place, at, inputs) VALUES (:county, :status, :place, :at, :inputs)
ON CONFLICT (county, status, place, at) DO NOTHING;

-- name: samples
SELECT place, at, inputs FROM samples WHERE county = :county AND status = :status AND place IN EACH(:places)
AND at >= :since AND at <= :until ORDER BY place, at;

-- name: forget_samples
DELETE FROM samples WHERE at < :before;

-- name: notices
SELECT * FROM notices WHERE warning = :warning ORDER BY seq;

-- name: deliveries
SELECT d.* FROM deliveries d WHERE d.notice IN (SELECT id FROM notices WHERE warning = :warning) ORDER BY d.seq;

-- name: answers
SELECT * FROM answers WHERE warning = :warning ORDER BY seq;

-- name: delivered
SELECT delivery, min(at) AS at FROM receipts WHERE state = 'delivered'
AND delivery IN (SELECT d.id FROM deliveries d WHERE d.notice IN (SELECT id FROM notices WHERE warning = :warning)) GROUP BY delivery;

-- name: changes
SELECT seq, id, rule, place, before, after, at, decided_at, reason_zh, reason_en, record FROM changes
WHERE county = :county AND status = :status AND hazard = :hazard AND mode = 'live' AND decided_at >= :since AND decided_at <= :until
AND place IN EACH(:places) ORDER BY seq;

-- name: consultations
SELECT c.seq, c.proposal, c.at, c.kind, c.person, c.text, p.picture FROM consultations c JOIN proposals q ON q.id = c.proposal
LEFT JOIN consultation_plots p ON p.digest = c.plot
WHERE q.county = :county AND q.status = :status AND q.hazard = :hazard AND q.area = :area AND c.at >= :since AND c.at <= :until ORDER BY c.seq;

-- name: tasks
SELECT * FROM tasks WHERE county = :county AND status = :status AND opened_at >= :since AND opened_at <= :until
AND village IN EACH(:villages) ORDER BY seq;
