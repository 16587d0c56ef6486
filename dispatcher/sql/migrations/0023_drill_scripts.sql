-- The storm of a drill, whole, as it was when the drill began: times in milliseconds, begin and ends of the storm itself. What has been
-- decided up to done is in the store with all that followed; why_* are filled in when it had to stop before its end.
CREATE TABLE drill_scripts (
    county TEXT NOT NULL, drill TEXT NOT NULL, name TEXT NOT NULL, begin_at BIGINT NOT NULL, ends_at BIGINT NOT NULL,
    speed DOUBLE PRECISION NOT NULL, plan TEXT NOT NULL, readings TEXT NOT NULL, done_at BIGINT NOT NULL, why_zh TEXT NOT NULL,
    why_en TEXT NOT NULL, PRIMARY KEY (county, drill)
);
