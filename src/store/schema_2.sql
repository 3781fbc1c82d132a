-- Version 2: what the passes of polling remember, and active alerts that the API does not list.

ALTER TABLE sources ADD COLUMN head_at INTEGER;     -- by the server's clock
ALTER TABLE sources ADD COLUMN head_cursor TEXT;    -- a hint
ALTER TABLE sources ADD COLUMN full_pages INTEGER;

-- Active alerts that the last sweep did not list; absences counts complete walks since.
CREATE TABLE missing (
	source INTEGER NOT NULL,
	alert INTEGER NOT NULL,
	since INTEGER NOT NULL,
	absences INTEGER NOT NULL,
	look_at INTEGER NOT NULL,
	PRIMARY KEY (source, alert)
) WITHOUT ROWID;

-- Each sweep asks which alerts are active, a person which have vanished: so 5,000 active ones
-- are found without reading the 1,000,000 that are over. In thousand instructions, of some 75 a
-- new alert and 100 a changed one, the first costs 5 and 9, the second 1 and 2.
CREATE INDEX alerts_active ON alerts (source) WHERE state = 'active';
CREATE INDEX alerts_vanished ON alerts (source) WHERE state = 'vanished';

DROP VIEW v_sources;
CREATE VIEW v_sources AS
SELECT name, org_id, order_seen, baseline_at, last_head_at, last_sweep_at, last_full_at,
	head_at, full_pages
FROM sources;

DROP VIEW v_alerts;
-- A complete pass that came later has seen an alert again: a sweep each active one that is not
-- missing, a full pass all that are not and have not vanished. A missing one was seen until it
-- was missed, less a sweep.
CREATE VIEW v_alerts AS
SELECT s.name AS source, a.id, a.status, a.severity, a.episode,
	coalesce(a.body, e.body) AS body, a.created_at, a.first_seen_at,
	CASE
	WHEN a.state = 'vanished' THEN a.written_at
	WHEN m.since IS NOT NULL THEN max(a.written_at, m.since)
	WHEN a.state = 'active' THEN
		max(a.written_at, coalesce(s.last_full_at, 0), coalesce(s.last_sweep_at, 0))
	ELSE max(a.written_at, coalesce(s.last_full_at, 0))
	END AS last_seen_at,
	a.resolved_at, a.state, a.last_event, m.since AS missing_since
FROM alerts a
LEFT JOIN sources s ON s.number = a.source
LEFT JOIN events e ON e.id = a.last_event
LEFT JOIN missing m ON m.source = a.source AND m.alert = a.number;

CREATE VIEW v_missing AS
SELECT s.name AS source, a.id AS alert_id, m.since, m.absences, m.look_at
FROM missing m
LEFT JOIN sources s ON s.number = m.source
LEFT JOIN alerts a ON a.number = m.alert;
