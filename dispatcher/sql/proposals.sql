-- name: waiting
SELECT * FROM proposals WHERE county = :county AND status = :status AND hazard = :hazard AND state = 'waiting' ORDER BY seq;

-- name: waiting_all
SELECT * FROM proposals WHERE county = :county AND state = 'waiting' ORDER BY grade DESC, seq;

-- name: one
SELECT * FROM proposals WHERE id = :id;

-- name: listed
SELECT * FROM proposals WHERE county = :county AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: due
SELECT * FROM proposals WHERE deadline <= :now ORDER BY grade DESC, deadline LIMIT :limit;

-- name: next_due
SELECT min(deadline) AS due FROM proposals WHERE deadline IS NOT NULL;

-- name: save
INSERT INTO proposals (id, county, status, hazard, area, topic, proposer, state, grade, opened_at, updated_at, deadline, hash, content,
    approvals, paged, closed_at, closed_by, note)
VALUES (:id, :county, :status, :hazard, :area, :topic, :proposer, :state, :grade, :opened_at, :updated_at, :deadline, :hash, :content,
    :approvals, :paged, :closed_at, :closed_by, :note)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, grade = excluded.grade, updated_at = excluded.updated_at,
    deadline = excluded.deadline, hash = excluded.hash, content = excluded.content, approvals = excluded.approvals,
    paged = excluded.paged, closed_at = excluded.closed_at, closed_by = excluded.closed_by, note = excluded.note;

-- name: stop_calls
UPDATE deliveries SET possible_duplicate = CASE state WHEN 'unknown' THEN 1 ELSE possible_duplicate END,
    state = 'superseded', lease = NULL, code = :code, reason = :reason, updated_at = :now
WHERE state IN ('planned', 'unknown') AND notice IN (SELECT id FROM notices WHERE warning = :topic);

-- name: end_calls
UPDATE notices SET state = 'superseded' WHERE warning = :topic AND state <> 'superseded';

-- name: calls
SELECT d.person, d.role, d.channel, d.state, d.updated_at, d.planned_at, d.code FROM notices n JOIN deliveries d ON d.notice = n.id
WHERE n.warning = :topic ORDER BY d.seq DESC LIMIT 40;

-- name: keep_content
INSERT INTO proposal_contents (proposal, hash, at, content) VALUES (:proposal, :hash, :at, :content)
ON CONFLICT (proposal, hash) DO NOTHING;

-- name: content
SELECT content FROM proposal_contents WHERE proposal = :proposal AND hash = :hash;

-- name: consult
INSERT INTO consultations (proposal, county, at, kind, person, text, plot) VALUES (:proposal, :county, :at, :kind, :person, :text, :plot);

-- name: keep_plot
INSERT INTO consultation_plots (digest, county, kept_at, picture) VALUES (:digest, :county, :at, :picture) ON CONFLICT (digest) DO NOTHING;

-- name: plots
SELECT p.digest, p.picture FROM consultation_plots p
WHERE p.digest IN (SELECT c.plot FROM consultations c WHERE c.proposal = :proposal AND c.plot <> '');

-- name: consultations
SELECT * FROM consultations WHERE proposal = :proposal ORDER BY seq;
