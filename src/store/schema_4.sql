-- Version 4: the operator's word on a sink, which outlives the daemon.

DROP VIEW v_sinks;
ALTER TABLE sinks ADD COLUMN paused_at INTEGER;   -- held by the operator since; `reason` is his
ALTER TABLE sinks ADD COLUMN released_at INTEGER; -- when he last let it go
UPDATE sinks SET paused_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000 WHERE is_paused;
ALTER TABLE sinks DROP COLUMN is_paused;

CREATE VIEW v_sinks AS
SELECT name, type,
	CASE WHEN paused_at IS NOT NULL THEN 'held' WHEN held_until IS NOT NULL THEN 'down'
		ELSE 'up' END AS state,
	held_until, down_since, reason, held_total_ms, is_collapse AS collapse,
	is_present AS present, paused_at AS held_since
FROM sinks;
