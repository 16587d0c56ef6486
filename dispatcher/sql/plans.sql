-- name: keep_basis
INSERT INTO rule_bases (digest, kept_at, data) VALUES (:digest, :kept_at, :data) ON CONFLICT (digest) DO NOTHING;

-- name: activate
INSERT INTO rule_activations (county, journal_seq, digest, rules, at, actor, rehearsed_from, readings, differences)
VALUES (:county, :journal_seq, :digest, :rules, :at, :actor, :rehearsed_from, :readings, :differences);

-- name: in_force
SELECT a.digest, b.data FROM rule_activations a JOIN rule_bases b ON b.digest = a.digest
WHERE a.county = :county AND a.journal_seq <= :seq ORDER BY a.seq DESC LIMIT 1;

-- name: basis
SELECT data FROM rule_bases WHERE digest = :digest;

-- name: activations
SELECT seq, digest, rules, at, actor, rehearsed_from, readings, differences FROM rule_activations
WHERE county = :county AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: row_at
SELECT seq, now FROM journal WHERE seq >= :seq ORDER BY seq LIMIT 1;

-- name: rows_between
SELECT seq, kind, source, now, payload, checksum, decided FROM journal WHERE seq > :seq AND seq <= :until ORDER BY seq LIMIT :limit;

-- name: standing_outside
SELECT contributor, hazard, max(grade) AS grade FROM contributions
WHERE county = :county AND status = :status AND contributor = :contributor GROUP BY contributor, hazard;

-- name: standing
SELECT contributor, hazard, max(grade) AS grade FROM contributions
WHERE county = :county AND status = :status GROUP BY contributor, hazard ORDER BY contributor, hazard;
