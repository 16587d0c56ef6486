-- Which gateway took a delivery, and its turn among those of its village: villages take turns inside a lane.
ALTER TABLE deliveries ADD COLUMN gateway TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_lane ON deliveries (grade, channel, turn, due, seq) WHERE state IN ('planned', 'unknown');
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (due) WHERE state IN ('planned', 'unknown');
