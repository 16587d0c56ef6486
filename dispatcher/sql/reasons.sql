-- name: change
SELECT * FROM changes WHERE id = :id;

-- name: of_places
SELECT * FROM changes WHERE county = :county AND place IN EACH(:places) AND decided_at <= :until ORDER BY seq DESC LIMIT :limit;

-- name: warning
SELECT * FROM warnings WHERE id = :id;

-- name: villages
SELECT village FROM warning_villages WHERE warning = :warning ORDER BY village;
