-- Why the channel of a delivery comes in another order than in the plan: at night a call comes before a text.
ALTER TABLE deliveries ADD COLUMN because TEXT NOT NULL DEFAULT '';
