-- The store, version 1. Tables are ours and migrate; views, at the end, are for everybody and
-- stay. Times are ms since the epoch, UTC. NULL is "none" or "not yet".
--
-- Hot rows hold numbers for sources, sinks, routes and origins; the views give the names.
-- Only what the two hot calls look up has an index: each one more is paid on every row.

CREATE TABLE sources (
	number INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	org_id TEXT NOT NULL DEFAULT '',
	order_seen TEXT NOT NULL DEFAULT 'unknown',
	baseline_at INTEGER,
	last_head_at INTEGER,
	last_sweep_at INTEGER,
	last_full_at INTEGER
);

CREATE TABLE sinks (
	number INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	type TEXT NOT NULL,
	is_collapse INTEGER NOT NULL,
	is_present INTEGER NOT NULL,
	is_paused INTEGER NOT NULL DEFAULT 0, -- held by the operator
	held_until INTEGER,
	down_since INTEGER,
	held_total_ms INTEGER NOT NULL DEFAULT 0,
	reason TEXT
);

CREATE TABLE routes (
	number INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
);

-- An alert keeps no body while it equals that of its newest event.
CREATE TABLE alerts (
	number INTEGER PRIMARY KEY,
	source INTEGER NOT NULL,
	id TEXT NOT NULL,
	hash INTEGER NOT NULL,    -- of its bytes as last seen
	content INTEGER NOT NULL, -- of severity, title and message
	status TEXT NOT NULL,
	severity TEXT NOT NULL,
	state TEXT NOT NULL,
	episode INTEGER NOT NULL,
	seq INTEGER NOT NULL,          -- of its newest event
	last_event INTEGER NOT NULL,   -- 0: it has none
	unended_from INTEGER NOT NULL, -- no older event of it has a row that has not ended
	created_at INTEGER,
	first_seen_at INTEGER NOT NULL,
	written_at INTEGER NOT NULL,
	resolved_at INTEGER,
	body TEXT,
	UNIQUE (source, id)
);

CREATE TABLE events (
	id INTEGER PRIMARY KEY, -- ascending, at most 36 bits
	alert INTEGER NOT NULL,
	source INTEGER NOT NULL,
	prev INTEGER NOT NULL, -- the older event of the same alert; 0: none
	episode INTEGER NOT NULL,
	seq INTEGER NOT NULL, -- within the episode, from 1
	kind TEXT NOT NULL,
	is_first INTEGER NOT NULL, -- first seen already resolved
	at INTEGER NOT NULL,
	body TEXT NOT NULL
);

-- id is event, sink, origin and ordinal in 36 + 12 + 3 + 12 bits: the key is the uniqueness,
-- and the rows of one event are one range.
CREATE TABLE deliveries (
	id INTEGER PRIMARY KEY,
	sink INTEGER NOT NULL,
	route INTEGER NOT NULL, -- 0: none
	state TEXT NOT NULL,
	due_at INTEGER,
	attempt INTEGER NOT NULL DEFAULT 0,
	maybe_sent INTEGER NOT NULL DEFAULT 0,
	status INTEGER,
	reason TEXT,
	after INTEGER, -- the older row of the same sink and alert that it waits behind
	held_until INTEGER,
	first_attempt_at INTEGER,
	held_base_ms INTEGER, -- the sink's held_total_ms at the first attempt
	claimed_at INTEGER,
	claimed_by INTEGER,
	ended_at INTEGER,
	batch INTEGER,
	handle TEXT,
	progress TEXT
);
CREATE INDEX deliveries_due ON deliveries (sink, due_at) WHERE state = 'due';
CREATE INDEX deliveries_after ON deliveries (after) WHERE after IS NOT NULL;

-- Tries of a delivery, but for a first success; n counts what was kept, the latest 20 stay.
CREATE TABLE attempts (
	delivery INTEGER NOT NULL,
	n INTEGER NOT NULL,
	at INTEGER NOT NULL,
	took_ms INTEGER NOT NULL,
	verdict TEXT NOT NULL,
	status INTEGER,
	answer TEXT,
	PRIMARY KEY (delivery, n)
) WITHOUT ROWID;

-- Items of a page that could not be read, by the hash of their bytes.
CREATE TABLE rejects (
	source INTEGER NOT NULL,
	hash INTEGER NOT NULL,
	reason TEXT NOT NULL,
	body TEXT NOT NULL,
	first_seen_at INTEGER NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (source, hash)
) WITHOUT ROWID;

CREATE TABLE silences (
	id INTEGER PRIMARY KEY,
	matchers TEXT NOT NULL,
	since INTEGER NOT NULL,
	until INTEGER NOT NULL,
	comment TEXT NOT NULL,
	who TEXT NOT NULL
);

CREATE TABLE batches (
	id INTEGER PRIMARY KEY,
	why TEXT NOT NULL,
	storm TEXT,
	rest TEXT
);

-- What only the daemon knows, as JSON; one row.
CREATE TABLE runtime (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	at INTEGER NOT NULL,
	json TEXT NOT NULL
);

CREATE TABLE origins (
	number INTEGER PRIMARY KEY,
	name TEXT NOT NULL
);
INSERT INTO origins VALUES (0, 'route'), (1, 'follow'), (2, 'fallback'), (3, 'escalation'),
	(4, 'repeat'), (5, 'requeue');

-- Names come by LEFT JOIN: a row whose name is gone is still shown. The tables have no index for
-- what only people ask. The events of one alert are v_alerts.last_event and then v_events.prev;
-- the deliveries of an event are those with id from event_id << 27 up to (event_id + 1) << 27.

CREATE VIEW v_sources AS
SELECT name, org_id, order_seen, baseline_at, last_head_at, last_sweep_at, last_full_at
FROM sources;

CREATE VIEW v_sinks AS
SELECT name, type,
	CASE WHEN is_paused THEN 'held' WHEN held_until IS NOT NULL THEN 'down' ELSE 'up' END
		AS state,
	held_until, down_since, reason, held_total_ms, is_collapse AS collapse,
	is_present AS present
FROM sinks;

-- A complete pass that came later has seen an alert again: a sweep each active one, a full pass
-- all that have not vanished.
CREATE VIEW v_alerts AS
SELECT s.name AS source, a.id, a.status, a.severity, a.episode,
	coalesce(a.body, e.body) AS body, a.created_at, a.first_seen_at,
	CASE a.state
	WHEN 'vanished' THEN a.written_at
	WHEN 'active' THEN
		max(a.written_at, coalesce(s.last_full_at, 0), coalesce(s.last_sweep_at, 0))
	ELSE max(a.written_at, coalesce(s.last_full_at, 0))
	END AS last_seen_at,
	a.resolved_at, a.state, a.last_event
FROM alerts a
LEFT JOIN sources s ON s.number = a.source
LEFT JOIN events e ON e.id = a.last_event;

CREATE VIEW v_events AS
SELECT e.id, a.id AS alert_id, s.name AS source, e.episode, e.seq, e.kind,
	e.is_first AS first, e.at, e.body, e.prev
FROM events e
LEFT JOIN alerts a ON a.number = e.alert
LEFT JOIN sources s ON s.number = e.source;

CREATE VIEW v_deliveries AS
SELECT d.id, a.id AS alert_id, s.name AS source, e.kind AS event, k.name AS sink,
	o.name AS origin, d.id & 4095 AS n, r.name AS route, d.state, d.reason, d.attempt,
	d.due_at, d.held_until, d.batch AS batch_id, d.maybe_sent, d.first_attempt_at,
	d.claimed_at, d.claimed_by, d.ended_at, d.status,
	(SELECT t.took_ms FROM attempts t WHERE t.delivery = d.id ORDER BY t.n DESC LIMIT 1)
		AS took_ms,
	d.after, d.handle, d.progress, d.id >> 27 AS event_id, e.episode, e.seq, e.at,
	s.org_id
FROM deliveries d
LEFT JOIN events e ON e.id = d.id >> 27
LEFT JOIN alerts a ON a.number = e.alert
LEFT JOIN sources s ON s.number = e.source
LEFT JOIN sinks k ON k.number = d.sink
LEFT JOIN routes r ON r.number = d.route
LEFT JOIN origins o ON o.number = (d.id >> 12) & 7;

-- For `status`: one look at the table, names after counting.
CREATE VIEW v_counts AS
SELECT k.name AS sink, c.state, c.count, c.due_at AS oldest_due_at
FROM (SELECT sink, state, count(*) AS count,
		min(CASE state WHEN 'due' THEN due_at END) AS due_at
	FROM deliveries GROUP BY sink, state) c
LEFT JOIN sinks k ON k.number = c.sink;

CREATE VIEW v_attempts AS
SELECT t.delivery, a.id AS alert_id, s.name AS source, k.name AS sink, t.n,
	t.at, t.took_ms, t.verdict, t.status, t.answer
FROM attempts t
LEFT JOIN events e ON e.id = t.delivery >> 27
LEFT JOIN alerts a ON a.number = e.alert
LEFT JOIN sources s ON s.number = e.source
LEFT JOIN sinks k ON k.number = (t.delivery >> 15) & 4095;

CREATE VIEW v_silences AS SELECT id, matchers, since, until, comment, who FROM silences;
CREATE VIEW v_batches AS SELECT id, why, storm, rest FROM batches;

CREATE VIEW v_rejects AS
SELECT s.name AS source, r.hash, r.reason, r.body, r.first_seen_at, r.count
FROM rejects r
LEFT JOIN sources s ON s.number = r.source;

CREATE VIEW v_runtime AS SELECT at, json FROM runtime;
