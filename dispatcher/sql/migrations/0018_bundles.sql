-- One message about several villages: the delivery that carries it holds its whole text, the others name it.
ALTER TABLE deliveries ADD COLUMN carried_by TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN bundle TEXT NOT NULL DEFAULT '';
CREATE INDEX deliveries_riders ON deliveries (carried_by) WHERE carried_by <> '';
CREATE INDEX deliveries_bundles ON deliveries (id) WHERE bundle <> '' AND state IN ('planned', 'unknown');
CREATE INDEX deliveries_waiting_riders ON deliveries (carried_by) WHERE carried_by <> '' AND state IN ('planned', 'unknown', 'sending');
