CREATE TABLE roll_calls (
    county TEXT NOT NULL, id TEXT NOT NULL, due BIGINT NOT NULL, within_s BIGINT NOT NULL, asked_by TEXT NOT NULL, made_at BIGINT,
    PRIMARY KEY (county, id)
);
