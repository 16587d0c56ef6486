-- Reporting upward. Photos lie apart, so that lists stay light.
CREATE TABLE incidents (
    seq GROWING_KEY, id TEXT NOT NULL UNIQUE, county TEXT NOT NULL, status TEXT NOT NULL, title TEXT NOT NULL, hazard TEXT NOT NULL,
    area TEXT NOT NULL, level INTEGER NOT NULL, state TEXT NOT NULL, origin TEXT NOT NULL, origin_ref TEXT NOT NULL,
    known_at BIGINT NOT NULL, opened_at BIGINT NOT NULL, opened_by TEXT NOT NULL, phoned_at BIGINT, phoned_to TEXT NOT NULL,
    closed_at BIGINT, reminded_at BIGINT, next_due BIGINT
);
CREATE INDEX incidents_due ON incidents (next_due) WHERE next_due IS NOT NULL;
CREATE TABLE incident_reports (
    incident TEXT NOT NULL, number INTEGER NOT NULL, county TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, parts TEXT NOT NULL,
    drafted_by TEXT NOT NULL, drafted_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, reviewed_by TEXT NOT NULL, remark TEXT NOT NULL,
    sent_at BIGINT, sent_by TEXT NOT NULL, sent_to TEXT NOT NULL, sent_how TEXT NOT NULL, PRIMARY KEY (incident, number)
);
CREATE TABLE incident_instructions (
    incident TEXT NOT NULL, number INTEGER NOT NULL, county TEXT NOT NULL, leader TEXT NOT NULL, post TEXT NOT NULL, text TEXT NOT NULL,
    given_at BIGINT NOT NULL, recorded_by TEXT NOT NULL, due BIGINT, feedback TEXT NOT NULL, feedback_at BIGINT,
    feedback_by TEXT NOT NULL, PRIMARY KEY (incident, number)
);
CREATE TABLE village_messages (
    seq GROWING_KEY, county TEXT NOT NULL, status TEXT NOT NULL, person TEXT NOT NULL, village TEXT NOT NULL, text TEXT NOT NULL,
    at BIGINT NOT NULL, path TEXT NOT NULL, lat DOUBLE PRECISION, lon DOUBLE PRECISION, photo_type TEXT NOT NULL, incident TEXT NOT NULL
);
CREATE INDEX village_messages_of ON village_messages (incident);
CREATE TABLE message_photos (message BIGINT PRIMARY KEY, body BYTES NOT NULL);
