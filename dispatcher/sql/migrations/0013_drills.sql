CREATE TABLE drills (
    seq GROWING_KEY, id TEXT NOT NULL, county TEXT NOT NULL, title TEXT NOT NULL, hazard TEXT NOT NULL, grade INTEGER NOT NULL,
    villages TEXT NOT NULL, people TEXT NOT NULL, speakers TEXT NOT NULL, started_at BIGINT NOT NULL, started_by TEXT NOT NULL,
    ends_at BIGINT NOT NULL, ended_at BIGINT, storm TEXT NOT NULL
);
CREATE UNIQUE INDEX drills_id ON drills (county, id);
