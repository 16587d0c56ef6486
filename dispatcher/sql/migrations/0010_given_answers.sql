-- What was answered to a batch that bore a key of its sender: the same key gets the same answer, for a day.
CREATE TABLE given_answers (
    county TEXT NOT NULL, key TEXT NOT NULL, sha256 TEXT NOT NULL, answer TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (county, key)
);
CREATE INDEX given_answers_at ON given_answers (at);
