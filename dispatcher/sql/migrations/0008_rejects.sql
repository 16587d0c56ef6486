-- A reject leads to its whole bytes: the journal row it came in, and which item of it. state: kept | asked (to be fed again) | refed | gone.
ALTER TABLE rejects ADD COLUMN journal_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rejects ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rejects ADD COLUMN state TEXT NOT NULL DEFAULT 'kept';
CREATE INDEX rejects_asked ON rejects (seq) WHERE state = 'asked';
CREATE INDEX rejects_journal ON rejects (journal_seq);
