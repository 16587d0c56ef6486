-- name: listed
SELECT id, village, part, name, address, people, needs, helper, keep_until FROM households
WHERE county = :county AND (village = :village OR :village = '') ORDER BY village, id;

-- name: put
INSERT INTO households (county, id, village, part, name, address, people, needs, helper, keep_until, made_by, made_at)
VALUES (:county, :id, :village, :part, :name, :address, :people, :needs, :helper, :keep_until, :made_by, :made_at);

-- name: clear
DELETE FROM households WHERE county = :county;

-- name: erase
DELETE FROM households WHERE county = :county AND id = :id;

-- name: outdated
DELETE FROM households WHERE county = :county AND keep_until < :today;

-- name: counts
SELECT village, count(*) AS households, sum(people) AS people FROM households WHERE county = :county GROUP BY village ORDER BY village;
