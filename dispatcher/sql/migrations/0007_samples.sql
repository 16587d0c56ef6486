-- What the inputs of a place were worth while it had a say in a warning, every few minutes of event time: for the plots of reports.
CREATE TABLE samples (
    county TEXT NOT NULL, status TEXT NOT NULL, place TEXT NOT NULL, at BIGINT NOT NULL, inputs TEXT NOT NULL,
    PRIMARY KEY (county, status, place, at)
);
-- The auditor and reports look up receipts by delivery; contributions by who made them.
CREATE INDEX contributions_by ON contributions (county, contributor);
