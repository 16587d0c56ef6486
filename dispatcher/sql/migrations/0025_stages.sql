-- When something is expected to reach a village (empty: now), and the stage by lead time in which the village was told last.
ALTER TABLE contributions ADD COLUMN onset BIGINT;
ALTER TABLE warning_villages ADD COLUMN onset BIGINT;
ALTER TABLE warning_villages ADD COLUMN stage TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN onset BIGINT;
ALTER TABLE notices ADD COLUMN stage TEXT NOT NULL DEFAULT '';
ALTER TABLE warnings ADD COLUMN stage_due BIGINT;
CREATE INDEX warnings_stage_due ON warnings (stage_due) WHERE stage_due IS NOT NULL;
