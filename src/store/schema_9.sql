-- Version 9: who and what stands behind an alert, kept with each event; and events that still wait
-- for that, and so for their rows.

-- A JSON object; NULL where nobody asked for one.
ALTER TABLE events ADD COLUMN context TEXT;
-- Not routed yet, and not for longer than until then; NULL: it is routed.
ALTER TABLE events ADD COLUMN wait_until INTEGER;
CREATE INDEX events_waiting ON events (source) WHERE wait_until IS NOT NULL;

DROP VIEW v_events;
CREATE VIEW v_events AS
SELECT e.id, a.id AS alert_id, s.name AS source, e.episode, e.seq, e.kind,
	e.is_first AS first, e.at, e.body, e.prev, e.context, e.wait_until
FROM events e
LEFT JOIN alerts a ON a.number = e.alert
LEFT JOIN sources s ON s.number = e.source;
