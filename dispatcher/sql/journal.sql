-- name: append
INSERT INTO journal (seq, county, kind, source, now, payload, checksum, decided)
VALUES (:seq, :county, :kind, :source, :now, :payload, :checksum, :decided);

-- name: last
SELECT coalesce(max(seq), 0) AS seq, coalesce(max(now), 0) AS now FROM journal;

-- name: since
SELECT seq, kind, source, now, payload, checksum, decided FROM journal WHERE seq > :seq ORDER BY seq LIMIT :limit;

-- name: set_position
INSERT INTO positions (source, name, position) VALUES (:source, :name, :position)
ON CONFLICT (source, name) DO UPDATE SET position = excluded.position;

-- name: positions
SELECT name, position FROM positions WHERE source = :source;

-- name: save_snapshot
INSERT INTO snapshots (journal_seq, base_seq, taken_at, plan, data, checksum)
VALUES (:journal_seq, :base_seq, :taken_at, :plan, :data, :checksum)
ON CONFLICT (journal_seq) DO UPDATE
SET base_seq = excluded.base_seq, taken_at = excluded.taken_at, plan = excluded.plan, data = excluded.data, checksum = excluded.checksum;

-- name: last_snapshot
SELECT journal_seq, base_seq, taken_at, plan, data, checksum FROM snapshots ORDER BY journal_seq DESC LIMIT 1;

-- name: last_chain
SELECT journal_seq, data, checksum FROM snapshots WHERE journal_seq >= (
    SELECT CASE WHEN base_seq = 0 THEN journal_seq ELSE base_seq END FROM snapshots ORDER BY journal_seq DESC LIMIT 1
) ORDER BY journal_seq;

-- name: forget_snapshots
DELETE FROM snapshots WHERE journal_seq < :journal_seq;

-- name: last_activation
SELECT digest FROM activations WHERE county = :county AND kind = :kind ORDER BY seq DESC LIMIT 1;

-- name: activate
INSERT INTO activations (county, kind, digest, at) VALUES (:county, :kind, :digest, :at);

-- name: counter
SELECT value FROM counters WHERE name = :name;

-- name: set_counter
INSERT INTO counters (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: take_shard
INSERT INTO shards (county, epoch, worker, since) VALUES (:county, 1, :worker, :since)
ON CONFLICT (county) DO UPDATE SET epoch = shards.epoch + 1, worker = excluded.worker, since = excluded.since;

-- name: shard
SELECT epoch, worker, since FROM shards WHERE county = :county;

-- name: row
SELECT seq, kind, source, now, payload, checksum, decided FROM journal WHERE seq = :seq;

-- name: oldest
SELECT seq, now FROM journal ORDER BY seq LIMIT :limit;

-- name: snapshot_seq
SELECT coalesce(max(journal_seq), 0) AS seq FROM snapshots;

-- name: forget
DELETE FROM journal WHERE seq <= :through;

-- name: keep_answer
INSERT INTO given_answers (county, key, sha256, answer, at) VALUES (:county, :key, :sha256, :answer, :at)
ON CONFLICT (county, key) DO NOTHING;

-- name: given_answer
SELECT sha256, answer FROM given_answers WHERE county = :county AND key = :key;

-- name: forget_answers
DELETE FROM given_answers WHERE at < :before;
