-- Registries as they were imported: the texts of their files as a JSON object. directory: digest of the directory's files at that time.
CREATE TABLE registry_versions (
    seq GROWING_KEY, county TEXT NOT NULL, digest TEXT NOT NULL, directory TEXT NOT NULL, files TEXT NOT NULL, summary TEXT NOT NULL,
    actor TEXT NOT NULL, at BIGINT NOT NULL
);
CREATE INDEX registry_versions_county ON registry_versions (county, seq);
