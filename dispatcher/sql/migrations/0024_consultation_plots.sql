-- A plot that was looked at in a consultation, as it was seen: its values and thresholds, under the digest of exactly these.
ALTER TABLE consultations ADD COLUMN plot TEXT NOT NULL DEFAULT '';
CREATE TABLE consultation_plots (digest TEXT PRIMARY KEY, county TEXT NOT NULL, kept_at BIGINT NOT NULL, picture TEXT NOT NULL);
