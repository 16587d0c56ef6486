-- A snapshot of changes follows the whole one of row base_seq; 0 is one from before, which is whole.
ALTER TABLE snapshots ADD COLUMN base_seq BIGINT NOT NULL DEFAULT 0;
