-- name: entries
SELECT roster, day, shift, people FROM duty_entries WHERE county = :county AND day >= :since ORDER BY day, roster, shift;

-- name: enter
INSERT INTO duty_entries (county, roster, day, shift, people, made_by, made_at)
VALUES (:county, :roster, :day, :shift, :people, :made_by, :made_at)
ON CONFLICT (county, roster, day, shift) DO UPDATE SET people = excluded.people, made_by = excluded.made_by, made_at = excluded.made_at;

-- name: overrides
SELECT seq, roster, begins, ends, people, note, made_by, made_at FROM duty_overrides
WHERE county = :county AND ends > :since AND withdrawn_at IS NULL ORDER BY seq;

-- name: add_override
INSERT INTO duty_overrides (county, roster, begins, ends, people, note, made_by, made_at)
VALUES (:county, :roster, :begins, :ends, :people, :note, :made_by, :made_at);

-- name: withdraw_override
UPDATE duty_overrides SET withdrawn_at = :now WHERE county = :county AND seq = :seq AND withdrawn_at IS NULL;

-- name: absences
SELECT seq, person, begins, ends, stand_in, reason, made_by, made_at FROM absences
WHERE county = :county AND ends > :since AND withdrawn_at IS NULL ORDER BY seq;

-- name: add_absence
INSERT INTO absences (county, person, begins, ends, stand_in, reason, made_by, made_at)
VALUES (:county, :person, :begins, :ends, :stand_in, :reason, :made_by, :made_at);

-- name: withdraw_absence
UPDATE absences SET withdrawn_at = :now WHERE county = :county AND seq = :seq AND withdrawn_at IS NULL;

-- name: add_handover
INSERT INTO handovers (county, roster, day, shift, note, made_by, made_at) VALUES (:county, :roster, :day, :shift, :note, :made_by, :made_at);

-- name: handovers
SELECT seq, roster, day, shift, note, made_by, made_at FROM handovers
WHERE county = :county AND (roster = :roster OR :roster = '') AND seq < :before ORDER BY seq DESC LIMIT :limit;
