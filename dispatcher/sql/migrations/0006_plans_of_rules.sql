-- What the rules have decided on, so that a restart compiles the very same plan; and from which journal row on.
-- differences: JSON, what the last day would have been under the new plan.

CREATE TABLE rule_bases (digest TEXT PRIMARY KEY, kept_at BIGINT NOT NULL, data BYTES NOT NULL);
CREATE TABLE rule_activations (
    seq GROWING_KEY, county TEXT NOT NULL, journal_seq BIGINT NOT NULL, digest TEXT NOT NULL, rules TEXT NOT NULL, at BIGINT NOT NULL,
    actor TEXT NOT NULL, rehearsed_from BIGINT, readings BIGINT NOT NULL, differences TEXT NOT NULL
);
