-- Whose turn it is to decide for a county; the epoch grows with each take-over, so that a worker of an earlier one can be told.
CREATE TABLE shards (county TEXT PRIMARY KEY, epoch BIGINT NOT NULL, worker TEXT NOT NULL, since BIGINT NOT NULL);
