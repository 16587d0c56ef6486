-- Times are milliseconds since 1970-01-01 UTC; grades are ranks (0 none … 4 red); status is CAP's Actual | Exercise.
-- Keys of growing tables grow with time (GROWING_KEY); derived ids have an index of their own.
-- GROWING_KEY and BYTES are written by each store in its own dialect.

CREATE TABLE journal (
    seq GROWING_KEY, county TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, now BIGINT NOT NULL,
    payload BYTES NOT NULL, checksum BIGINT NOT NULL, decided INTEGER NOT NULL
);
CREATE TABLE positions (source TEXT NOT NULL, name TEXT NOT NULL, position TEXT NOT NULL, PRIMARY KEY (source, name));
CREATE TABLE snapshots (journal_seq BIGINT PRIMARY KEY, taken_at BIGINT NOT NULL, plan TEXT NOT NULL, data BYTES NOT NULL);
CREATE TABLE activations (seq GROWING_KEY, county TEXT NOT NULL, kind TEXT NOT NULL, digest TEXT NOT NULL, at BIGINT NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);

CREATE TABLE rejects (
    seq GROWING_KEY, county TEXT NOT NULL, source TEXT NOT NULL, subject TEXT NOT NULL, at BIGINT NOT NULL, code TEXT NOT NULL,
    reason TEXT NOT NULL, item INTEGER NOT NULL, excerpt BYTES NOT NULL, sha256 TEXT NOT NULL, size BIGINT NOT NULL
);

CREATE TABLE changes (
    seq GROWING_KEY, id TEXT NOT NULL UNIQUE, county TEXT NOT NULL, status TEXT NOT NULL, mode TEXT NOT NULL, rule TEXT NOT NULL,
    hazard TEXT NOT NULL, place TEXT NOT NULL, before INTEGER NOT NULL, after INTEGER NOT NULL, at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL, reason_zh TEXT NOT NULL, reason_en TEXT NOT NULL, record TEXT NOT NULL
);
CREATE TABLE contributions (
    county TEXT NOT NULL, status TEXT NOT NULL, hazard TEXT NOT NULL, village TEXT NOT NULL, contributor TEXT NOT NULL,
    grade INTEGER NOT NULL, since BIGINT NOT NULL, reason_zh TEXT NOT NULL, reason_en TEXT NOT NULL,
    PRIMARY KEY (county, status, hazard, village, contributor)
);
CREATE TABLE warnings (
    seq GROWING_KEY, id TEXT NOT NULL UNIQUE, county TEXT NOT NULL, status TEXT NOT NULL, hazard TEXT NOT NULL, area TEXT NOT NULL,
    state TEXT NOT NULL, grade INTEGER NOT NULL, opened_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, closed_at BIGINT,
    alert_due BIGINT, alerts INTEGER NOT NULL
);
CREATE INDEX warnings_open ON warnings (county, status, hazard, area) WHERE state = 'open';
CREATE INDEX warnings_due ON warnings (alert_due) WHERE alert_due IS NOT NULL;
CREATE TABLE warning_villages (
    warning TEXT NOT NULL, village TEXT NOT NULL, county TEXT NOT NULL, status TEXT NOT NULL, grade INTEGER NOT NULL,
    told INTEGER NOT NULL, revision INTEGER NOT NULL, reason_zh TEXT NOT NULL, reason_en TEXT NOT NULL,
    PRIMARY KEY (warning, village)
);
CREATE TABLE alerts (
    seq GROWING_KEY, id TEXT NOT NULL UNIQUE, warning TEXT NOT NULL, county TEXT NOT NULL, status TEXT NOT NULL,
    message_type TEXT NOT NULL, sent_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, refs TEXT NOT NULL,
    places TEXT NOT NULL, released_by TEXT NOT NULL
);
CREATE INDEX alerts_warning ON alerts (warning);

CREATE TABLE plans (digest TEXT PRIMARY KEY, policy TEXT NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL);
CREATE TABLE notices (
    seq GROWING_KEY, id TEXT NOT NULL UNIQUE, alert TEXT NOT NULL, warning TEXT NOT NULL, county TEXT NOT NULL, status TEXT NOT NULL,
    hazard TEXT NOT NULL, village TEXT NOT NULL, revision INTEGER NOT NULL, grade INTEGER NOT NULL, before INTEGER NOT NULL,
    purpose TEXT NOT NULL, state TEXT NOT NULL, released_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, code TEXT NOT NULL,
    plan TEXT NOT NULL, reason_zh TEXT NOT NULL, reason_en TEXT NOT NULL, steps_done INTEGER NOT NULL, next_due BIGINT
);
CREATE INDEX notices_village ON notices (warning, village);
CREATE INDEX notices_code ON notices (code);
CREATE INDEX notices_calling ON notices (county) WHERE state = 'calling' AND purpose = 'warn';
CREATE INDEX notices_due ON notices (next_due) WHERE next_due IS NOT NULL;

CREATE TABLE deliveries (
    seq GROWING_KEY, id TEXT NOT NULL UNIQUE, notice TEXT NOT NULL, county TEXT NOT NULL, status TEXT NOT NULL, village TEXT NOT NULL,
    channel TEXT NOT NULL, person TEXT NOT NULL, role TEXT NOT NULL, address TEXT NOT NULL, language TEXT NOT NULL,
    grade INTEGER NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL, step INTEGER NOT NULL, repeat INTEGER NOT NULL,
    fallbacks TEXT NOT NULL, planned_at BIGINT NOT NULL, due BIGINT NOT NULL, expires_at BIGINT NOT NULL, lease BIGINT,
    attempts INTEGER NOT NULL, possible_duplicate INTEGER NOT NULL, reference TEXT NOT NULL, code TEXT NOT NULL,
    reason TEXT NOT NULL, accepted_at BIGINT, updated_at BIGINT NOT NULL
);
-- With seq, because claiming takes the oldest of many that are due at the same moment.
CREATE INDEX deliveries_due ON deliveries (grade, due, seq) WHERE state IN ('planned', 'unknown');
CREATE INDEX deliveries_lease ON deliveries (lease) WHERE lease IS NOT NULL;
CREATE INDEX deliveries_in_hand ON deliveries (address, village) WHERE state IN ('sending', 'unknown');
CREATE INDEX deliveries_notice ON deliveries (notice);
CREATE INDEX deliveries_address ON deliveries (address, accepted_at);
CREATE TABLE receipts (
    seq GROWING_KEY, delivery TEXT NOT NULL, county TEXT NOT NULL, state TEXT NOT NULL, reference TEXT NOT NULL, code TEXT NOT NULL,
    reason TEXT NOT NULL, at BIGINT NOT NULL
);
CREATE INDEX receipts_delivery ON receipts (delivery);

CREATE TABLE answers (
    seq GROWING_KEY, notice TEXT NOT NULL, warning TEXT NOT NULL, county TEXT NOT NULL, status TEXT NOT NULL, village TEXT NOT NULL,
    revision INTEGER NOT NULL, person TEXT NOT NULL, on_behalf_by TEXT NOT NULL, action TEXT NOT NULL, path TEXT NOT NULL,
    people BIGINT, note TEXT NOT NULL, at BIGINT NOT NULL
);
CREATE INDEX answers_notice ON answers (notice);

CREATE TABLE tasks (
    seq GROWING_KEY, key TEXT NOT NULL UNIQUE, county TEXT NOT NULL, status TEXT NOT NULL, kind TEXT NOT NULL, village TEXT NOT NULL,
    text_zh TEXT NOT NULL, text_en TEXT NOT NULL, opened_at BIGINT NOT NULL, closed_at BIGINT, closed_by TEXT NOT NULL
);
CREATE TABLE feed (
    seq GROWING_KEY, county TEXT NOT NULL, status TEXT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL, grade INTEGER NOT NULL,
    subject TEXT NOT NULL, text_zh TEXT NOT NULL, text_en TEXT NOT NULL
);
CREATE TABLE audit (
    seq GROWING_KEY, county TEXT NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL, origin TEXT NOT NULL, act TEXT NOT NULL,
    subject TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE users (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, created_at BIGINT NOT NULL, disabled_at BIGINT
);
CREATE TABLE tokens (
    digest TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, created_at BIGINT NOT NULL, revoked_at BIGINT
);
