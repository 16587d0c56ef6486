-- What is asked of a gateway that cannot call us: what it took and has not brought to an end. A reply counts once, however often it is seen.
CREATE INDEX deliveries_awaited ON deliveries (gateway) WHERE state IN ('accepted', 'sent');
CREATE TABLE heard_replies (gateway TEXT NOT NULL, reference TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (gateway, reference));
CREATE INDEX heard_replies_at ON heard_replies (at);
