-- The auditor reads the releases of a day every minute, whatever else the log has grown by.
CREATE INDEX audit_act ON audit (act, at);
