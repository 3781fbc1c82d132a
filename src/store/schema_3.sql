-- Version 3: sinks that take over from others, dead letters that are counted, what has been
-- pruned, and a source of our own.

ALTER TABLE sinks ADD COLUMN heir INTEGER; -- the sink that has taken over from an absent one
-- Its rows are on their way to being orphaned, due again, or another's; cleared at the end.
ALTER TABLE sinks ADD COLUMN is_moving INTEGER NOT NULL DEFAULT 0;

-- Dead letters are counted, and found by who looks for them, without reading all that has ended.
-- Other rows are in no index more: what it costs them is a look at their state.
CREATE INDEX deliveries_dead ON deliveries (sink) WHERE state = 'dead';

-- The newest created_at of a pruned alert: a resolved alert that is unknown and no younger is
-- not new.
ALTER TABLE sources ADD COLUMN pruned_at INTEGER;

DROP VIEW v_sources;
-- Of our own alerts (`tocsin`) nothing is polled: it is in the other views alone.
CREATE VIEW v_sources AS
SELECT name, org_id, order_seen, baseline_at, last_head_at, last_sweep_at, last_full_at,
	head_at, full_pages, pruned_at
FROM sources WHERE name <> 'tocsin';
