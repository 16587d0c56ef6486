-- name: listed
SELECT id, village, part, name, address, people, needs, helper, keep_until FROM households
WHERE county = :county AND (village = :village OR :village = '') ORDER BY village, id;

-- name: helpers
SELECT village, helper, count(*) AS households, sum(people) AS people FROM households
WHERE county = :county AND village IN EACH(:villages) GROUP BY village, helper ORDER BY village, helper;

-- name: of_helper
SELECT id, village, part, name, address, people, needs, helper, keep_until FROM households
WHERE county = :county AND helper IN EACH(:helpers) AND village IN EACH(:villages) ORDER BY village, id;

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
