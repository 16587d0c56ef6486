-- Households and persons who need help. Not part of any version of the registry, so that erasing one row erases it.
CREATE TABLE households (
    county TEXT NOT NULL, id TEXT NOT NULL, village TEXT NOT NULL, part TEXT NOT NULL, name TEXT NOT NULL, address TEXT NOT NULL,
    people INTEGER NOT NULL, needs TEXT NOT NULL, helper TEXT NOT NULL, keep_until TEXT NOT NULL, made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL, PRIMARY KEY (county, id)
);
CREATE INDEX households_village ON households (county, village);
