-- name: save
INSERT INTO drills (id, county, title, hazard, grade, villages, people, speakers, started_at, started_by, ends_at, ended_at, storm)
VALUES (:id, :county, :title, :hazard, :grade, :villages, :people, :speakers, :started_at, :started_by, :ends_at, :ended_at, :storm)
ON CONFLICT (county, id) DO UPDATE SET ended_at = excluded.ended_at;

-- name: running
SELECT * FROM drills WHERE county = :county AND ended_at IS NULL ORDER BY seq DESC LIMIT 1;

-- name: one
SELECT * FROM drills WHERE county = :county AND id = :id;

-- name: listed
SELECT * FROM drills WHERE county = :county AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: before
SELECT * FROM drills WHERE county = :county AND started_at < :started_at ORDER BY seq DESC LIMIT 50;

-- name: in_earnest
SELECT v.village FROM warning_villages v JOIN warnings w ON w.id = v.warning
WHERE w.county = :county AND w.status = 'Actual' AND w.state = 'open' AND v.grade > 0;

-- name: contributions
SELECT * FROM contributions WHERE county = :county AND status = 'Exercise';

-- name: save_storm
INSERT INTO drill_scripts (county, drill, name, begin_at, ends_at, speed, plan, readings, done_at, why_zh, why_en)
VALUES (:county, :drill, :name, :begin_at, :ends_at, :speed, :plan, :readings, :done_at, :why_zh, :why_en);

-- name: storm_of
SELECT * FROM drill_scripts WHERE county = :county AND drill = :drill;

-- name: play_on
UPDATE drill_scripts SET done_at = :until WHERE county = :county AND drill = :drill AND done_at = :since
AND EXISTS (SELECT 1 FROM drills d WHERE d.county = :county AND d.id = :drill AND d.ended_at IS NULL);

-- name: stop_storm
UPDATE drill_scripts SET why_zh = :why_zh, why_en = :why_en WHERE county = :county AND drill = :drill;

-- name: warnings
SELECT id FROM warnings WHERE county = :county AND status = 'Exercise' AND opened_at >= :since AND opened_at <= :until ORDER BY seq;

-- name: last_of_villages
SELECT village, max(released_at) AS at FROM notices WHERE county = :county AND status = 'Exercise' AND purpose = 'warn' GROUP BY village;

-- name: close_notices_of
UPDATE notices SET state = 'superseded', next_due = NULL WHERE status = 'Exercise' AND state <> 'superseded'
AND id IN (SELECT notice FROM deliveries WHERE address = :address AND status = 'Exercise');

-- name: told_since
SELECT count(*) AS n FROM deliveries WHERE address = :address AND status = 'Exercise' AND planned_at >= :since;

-- name: save_roll_call
INSERT INTO roll_calls (id, county, due, within_s, asked_by, made_at) VALUES (:id, :county, :due, :within_s, :asked_by, :made_at)
ON CONFLICT (county, id) DO UPDATE SET made_at = excluded.made_at;

-- name: roll_calls_due
SELECT * FROM roll_calls WHERE county = :county AND made_at IS NULL AND due <= :now ORDER BY due;

-- name: roll_calls_of
SELECT id, released_at, plan FROM notices WHERE county = :county AND hazard = 'roll-call' AND released_at >= :since
AND released_at <= :until ORDER BY seq;

-- name: first_answers
SELECT notice, min(at) AS at FROM answers WHERE notice IN EACH(:notices) AND action <> 'refused' GROUP BY notice;
