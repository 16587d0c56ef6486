-- name: add_answer
INSERT INTO answers (notice, warning, county, status, village, revision, person, on_behalf_by, action, path, people, note, at, helper)
VALUES (:notice, :warning, :county, :status, :village, :revision, :person, :on_behalf_by, :action, :path, :people, :note, :at, :helper);

-- name: told_as_helpers
SELECT notice, address FROM deliveries WHERE notice IN EACH(:notices) AND role <> 'reply' AND address IN EACH(:addresses)
GROUP BY notice, address HAVING min(role) = 'village.household_helpers' AND max(role) = 'village.household_helpers';

-- name: answers_of
SELECT * FROM answers WHERE notice IN EACH(:notices) ORDER BY seq;

-- name: add_task
INSERT INTO tasks (key, county, status, kind, village, text_zh, text_en, opened_at, closed_at, closed_by)
VALUES (:key, :county, :status, :kind, :village, :text_zh, :text_en, :opened_at, NULL, '')
ON CONFLICT (key) DO UPDATE SET text_zh = excluded.text_zh, text_en = excluded.text_en, opened_at = excluded.opened_at,
    closed_at = NULL, closed_by = ''
WHERE tasks.closed_at IS NOT NULL AND tasks.kind IN ('help', 'refused', 'gap', 'unreachable', 'opted_out', 'lift', 'count');

-- name: open_tasks
SELECT * FROM tasks WHERE county = :county AND closed_at IS NULL ORDER BY seq DESC LIMIT :limit;

-- name: close_task
UPDATE tasks SET closed_at = :closed_at, closed_by = :closed_by WHERE seq = :seq AND county = :county AND closed_at IS NULL;

-- name: close_task_of
UPDATE tasks SET closed_at = :closed_at, closed_by = :closed_by WHERE key = :key AND closed_at IS NULL;

-- name: settle_task
UPDATE tasks SET closed_at = :at, closed_by = 'rules' WHERE key = :key AND county = :county AND closed_at IS NULL;

-- name: task
SELECT * FROM tasks WHERE seq = :seq AND county = :county AND closed_at IS NULL;

-- name: add_feed
INSERT INTO feed (county, status, at, kind, grade, subject, text_zh, text_en)
VALUES (:county, :status, :at, :kind, :grade, :subject, :text_zh, :text_en);

-- name: feed_after
SELECT * FROM feed WHERE county = :county AND seq > :after ORDER BY seq LIMIT :limit;

-- name: feed_latest
SELECT * FROM feed WHERE county = :county ORDER BY seq DESC LIMIT :limit;

-- name: last_audit
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

-- name: add_audit
INSERT INTO audit (county, at, actor, origin, act, subject, detail, previous, hash)
VALUES (:county, :at, :actor, :origin, :act, :subject, :detail, :previous, :hash);

-- name: audit
SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit;
