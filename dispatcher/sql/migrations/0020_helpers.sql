-- Somebody who was told only to help his households answers for them, not for the village. A notice keeps how many people the lists
-- named when it was released: all who have to move, and among them those who need help.
ALTER TABLE answers ADD COLUMN helper INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notices ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notices ADD COLUMN helped INTEGER NOT NULL DEFAULT 0;
