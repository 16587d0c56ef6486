-- What is said of duty beside the files. People are JSON arrays of contacts' ids; times are milliseconds, days are ISO dates.
CREATE TABLE duty_entries (
    county TEXT NOT NULL, roster TEXT NOT NULL, day TEXT NOT NULL, shift TEXT NOT NULL, people TEXT NOT NULL,
    made_by TEXT NOT NULL, made_at BIGINT NOT NULL, PRIMARY KEY (county, roster, day, shift)
);
CREATE TABLE duty_overrides (
    seq GROWING_KEY, county TEXT NOT NULL, roster TEXT NOT NULL, begins BIGINT NOT NULL, ends BIGINT NOT NULL, people TEXT NOT NULL,
    note TEXT NOT NULL, made_by TEXT NOT NULL, made_at BIGINT NOT NULL, withdrawn_at BIGINT
);
CREATE INDEX duty_overrides_ends ON duty_overrides (county, ends);
CREATE TABLE absences (
    seq GROWING_KEY, county TEXT NOT NULL, person TEXT NOT NULL, begins BIGINT NOT NULL, ends BIGINT NOT NULL, stand_in TEXT NOT NULL,
    reason TEXT NOT NULL, made_by TEXT NOT NULL, made_at BIGINT NOT NULL, withdrawn_at BIGINT
);
CREATE INDEX absences_ends ON absences (county, ends);
CREATE TABLE handovers (
    seq GROWING_KEY, county TEXT NOT NULL, roster TEXT NOT NULL, day TEXT NOT NULL, shift TEXT NOT NULL, note TEXT NOT NULL,
    made_by TEXT NOT NULL, made_at BIGINT NOT NULL
);
CREATE INDEX handovers_roster ON handovers (county, roster);
