-- name: save
INSERT INTO incidents (id, county, status, title, hazard, area, level, state, origin, origin_ref, known_at, opened_at, opened_by,
    phoned_at, phoned_to, closed_at, reminded_at, next_due)
VALUES (:id, :county, :status, :title, :hazard, :area, :level, :state, :origin, :origin_ref, :known_at, :opened_at, :opened_by,
    :phoned_at, :phoned_to, :closed_at, :reminded_at, :next_due)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, level = excluded.level, state = excluded.state, phoned_at = excluded.phoned_at,
    phoned_to = excluded.phoned_to, closed_at = excluded.closed_at, reminded_at = excluded.reminded_at, next_due = excluded.next_due;

-- name: one
SELECT * FROM incidents WHERE id = :id AND county = :county;

-- name: listed
SELECT * FROM incidents WHERE county = :county AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: due
SELECT * FROM incidents WHERE next_due <= :now ORDER BY next_due LIMIT :limit;

-- name: next_due
SELECT min(next_due) AS due FROM incidents WHERE next_due IS NOT NULL;

-- name: save_report
INSERT INTO incident_reports (incident, number, county, kind, state, parts, drafted_by, drafted_at, updated_at, reviewed_by, remark,
    sent_at, sent_by, sent_to, sent_how)
VALUES (:incident, :number, :county, :kind, :state, :parts, :drafted_by, :drafted_at, :updated_at, :reviewed_by, :remark,
    :sent_at, :sent_by, :sent_to, :sent_how)
ON CONFLICT (incident, number) DO UPDATE SET state = excluded.state, parts = excluded.parts, drafted_by = excluded.drafted_by,
    updated_at = excluded.updated_at, reviewed_by = excluded.reviewed_by, remark = excluded.remark, sent_at = excluded.sent_at,
    sent_by = excluded.sent_by, sent_to = excluded.sent_to, sent_how = excluded.sent_how;

-- name: reports
SELECT * FROM incident_reports WHERE incident IN EACH(:incidents) ORDER BY incident, number;

-- name: save_instruction
INSERT INTO incident_instructions (incident, number, county, leader, post, text, given_at, recorded_by, due, feedback, feedback_at,
    feedback_by)
VALUES (:incident, :number, :county, :leader, :post, :text, :given_at, :recorded_by, :due, :feedback, :feedback_at, :feedback_by)
ON CONFLICT (incident, number) DO UPDATE SET feedback = excluded.feedback, feedback_at = excluded.feedback_at,
    feedback_by = excluded.feedback_by;

-- name: instructions
SELECT * FROM incident_instructions WHERE incident = :incident ORDER BY number;

-- name: add_message
INSERT INTO village_messages (county, status, person, village, text, at, path, lat, lon, photo_type, incident)
VALUES (:county, :status, :person, :village, :text, :at, :path, :lat, :lon, :photo_type, :incident);

-- name: last_message
SELECT max(seq) AS seq FROM village_messages;

-- name: add_photo
INSERT INTO message_photos (message, body) VALUES (:message, :body);

-- name: photo
SELECT p.body, m.photo_type FROM message_photos p JOIN village_messages m ON m.seq = p.message
WHERE p.message = :message AND m.county = :county;

-- name: message
SELECT * FROM village_messages WHERE seq = :seq AND county = :county;

-- name: messages
SELECT * FROM village_messages WHERE county = :county AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: messages_of
SELECT * FROM village_messages WHERE incident = :incident ORDER BY seq;

-- name: attach_message
UPDATE village_messages SET incident = :incident WHERE seq = :seq AND county = :county;

-- name: close_tasks
UPDATE tasks SET closed_at = :now, closed_by = :by WHERE closed_at IS NULL AND key IN EACH(:keys);
