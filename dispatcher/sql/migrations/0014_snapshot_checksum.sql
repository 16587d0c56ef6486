-- CRC-32 of the data; -1 is a snapshot from before, which has none.
ALTER TABLE snapshots ADD COLUMN checksum BIGINT NOT NULL DEFAULT -1;
