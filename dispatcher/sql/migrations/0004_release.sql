-- What waits for a person before it leaves the house, every content anybody could have agreed to, and what was said of it.
-- Contributions have an origin, a person and an end of their own.
ALTER TABLE contributions ADD COLUMN origin TEXT NOT NULL DEFAULT 'observed';
ALTER TABLE contributions ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE contributions ADD COLUMN area TEXT NOT NULL DEFAULT '';
ALTER TABLE contributions ADD COLUMN expires_at BIGINT;
CREATE INDEX contributions_expiry ON contributions (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE proposals (
    seq GROWING_KEY, id TEXT NOT NULL UNIQUE, county TEXT NOT NULL, status TEXT NOT NULL, hazard TEXT NOT NULL, area TEXT NOT NULL,
    topic TEXT NOT NULL, proposer TEXT NOT NULL, state TEXT NOT NULL, grade INTEGER NOT NULL, opened_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL, deadline BIGINT, hash TEXT NOT NULL, content TEXT NOT NULL, approvals TEXT NOT NULL,
    paged INTEGER NOT NULL, closed_at BIGINT, closed_by TEXT NOT NULL, note TEXT NOT NULL
);
CREATE INDEX proposals_waiting ON proposals (county, status, hazard) WHERE state = 'waiting';
CREATE INDEX proposals_due ON proposals (deadline) WHERE deadline IS NOT NULL;
CREATE TABLE proposal_contents (
    proposal TEXT NOT NULL, hash TEXT NOT NULL, at BIGINT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (proposal, hash)
);
CREATE TABLE consultations (
    seq GROWING_KEY, proposal TEXT NOT NULL, county TEXT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL, person TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX consultations_proposal ON consultations (proposal);
-- Frozen at release: the identifier and the CAP message as it went out. A warning in force is renewed before it runs out.
ALTER TABLE alerts ADD COLUMN identifier TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN cap TEXT NOT NULL DEFAULT '';
CREATE INDEX alerts_identifier ON alerts (identifier) WHERE identifier <> '';
ALTER TABLE warnings ADD COLUMN renew_at BIGINT;
CREATE INDEX warnings_renew ON warnings (renew_at) WHERE renew_at IS NOT NULL;
-- CAP messages of other authorities: what each was, which chain it belongs to, what became of it.
CREATE TABLE upstream (
    seq GROWING_KEY, county TEXT NOT NULL, sender TEXT NOT NULL, identifier TEXT NOT NULL, sent TEXT NOT NULL, root TEXT NOT NULL,
    at BIGINT NOT NULL, status TEXT NOT NULL, msg_type TEXT NOT NULL, outcome TEXT NOT NULL, villages INTEGER NOT NULL,
    UNIQUE (county, sender, identifier)
);
