-- name: newest
SELECT seq, digest, directory, files FROM registry_versions WHERE county = :county ORDER BY seq DESC LIMIT 1;

-- name: add
INSERT INTO registry_versions (county, digest, directory, files, summary, actor, at)
VALUES (:county, :digest, :directory, :files, :summary, :actor, :at);

-- name: forget
DELETE FROM registry_versions WHERE county = :county AND seq NOT IN (
    SELECT seq FROM registry_versions WHERE county = :county ORDER BY seq DESC LIMIT :keep
);

-- name: listed
SELECT seq, digest, summary, actor, at FROM registry_versions WHERE county = :county AND seq < :before ORDER BY seq DESC LIMIT :limit;
