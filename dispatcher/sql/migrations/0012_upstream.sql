-- The newest message of a chain is found by when it was sent.
ALTER TABLE upstream ADD COLUMN sent_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX upstream_root ON upstream (county, sender, root);
