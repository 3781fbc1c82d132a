-- Version 6: rows that wait for a time, and rows that go out as one.

-- `held_until` is when a hold ends, `reason` what it is for; `grp` with whom the row goes out.
-- `batch` is the digest that it belongs to, `rank` its place in it while that has not ended: the
-- more severe the higher. `hold` and `hold_until` tell of its last hold, also when that is over.
ALTER TABLE deliveries ADD COLUMN grp INTEGER;
ALTER TABLE deliveries ADD COLUMN rank INTEGER;
ALTER TABLE deliveries ADD COLUMN hold TEXT;
ALTER TABLE deliveries ADD COLUMN hold_until INTEGER;
CREATE INDEX deliveries_held ON deliveries (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX deliveries_batch ON deliveries (batch, rank DESC, id) WHERE batch IS NOT NULL;

-- Groups that are open and storms that are counted, by a hash of route, sink and what else makes
-- them one. A storm's `until` ends the window that is counted.
CREATE TABLE groups (
	key INTEGER PRIMARY KEY,
	until INTEGER NOT NULL,
	count INTEGER NOT NULL,
	is_on INTEGER NOT NULL, -- a storm that has begun
	over INTEGER NOT NULL,  -- so many are no storm yet; 0: a group
	within_ms INTEGER NOT NULL
);

-- A digest: several rows of one sink that go out as one, led by one of them.
DROP VIEW v_batches;
DROP TABLE batches;
CREATE TABLE batches (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	sink INTEGER NOT NULL,
	why TEXT NOT NULL,
	grp INTEGER NOT NULL, -- 0: all of the sink's
	state TEXT NOT NULL,  -- forming, waiting (for its leader), then as its leader ended
	is_open INTEGER NOT NULL, -- some member has not ended
	count INTEGER NOT NULL,
	listed INTEGER NOT NULL, -- so many at most are listed; 0: all
	tally TEXT,              -- of all members, as `rest`
	leader INTEGER,
	made_at INTEGER NOT NULL,
	storm TEXT,
	rest TEXT,
	-- How its members end that are not the leader.
	reason TEXT,
	handle TEXT,
	status INTEGER,
	moved_to INTEGER
);
CREATE INDEX batches_open ON batches (state, sink, why, grp) WHERE is_open;
CREATE VIEW v_batches AS
SELECT b.id, b.why, b.storm, b.rest, k.name AS sink, b.state, b.count, b.made_at
FROM batches b
LEFT JOIN sinks k ON k.number = b.sink;

-- An id is never used again: a script that ends a silence late must not end another.
DROP VIEW v_silences;
ALTER TABLE silences RENAME TO silences_1;
CREATE TABLE silences (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	matchers TEXT NOT NULL, -- a JSON list of texts; empty: every alert
	since INTEGER NOT NULL,
	until INTEGER NOT NULL,
	comment TEXT NOT NULL,
	who TEXT NOT NULL,
	dropped INTEGER NOT NULL DEFAULT 0 -- rows that ended in it
);
INSERT INTO silences SELECT id, matchers, since, until, comment, who, 0 FROM silences_1;
DROP TABLE silences_1;
CREATE VIEW v_silences AS
SELECT s.id, s.matchers, s.since, s.until, s.comment, s.who, coalesce(h.held, 0) AS held,
	s.dropped
FROM silences s
LEFT JOIN (SELECT grp, count(*) AS held FROM deliveries
	WHERE held_until IS NOT NULL AND reason = 'silence' GROUP BY grp) h ON h.grp = s.id;

DROP VIEW v_deliveries;
CREATE VIEW v_deliveries AS
SELECT d.id, a.id AS alert_id, s.name AS source, e.kind AS event, k.name AS sink,
	o.name AS origin, d.id & 4095 AS n, r.name AS route, d.state, d.reason, d.attempt,
	d.due_at, d.held_until, d.batch AS batch_id, d.maybe_sent, d.first_attempt_at,
	d.claimed_at, d.claimed_by, d.ended_at, d.status,
	(SELECT t.took_ms FROM attempts t WHERE t.delivery = d.id ORDER BY t.n DESC LIMIT 1)
		AS took_ms,
	d.after, d.handle, d.progress, d.id >> 27 AS event_id, e.episode, e.seq, e.at,
	s.org_id, d.hold, d.hold_until
FROM deliveries d
LEFT JOIN events e ON e.id = d.id >> 27
LEFT JOIN alerts a ON a.number = e.alert
LEFT JOIN sources s ON s.number = e.source
LEFT JOIN sinks k ON k.number = d.sink
LEFT JOIN routes r ON r.number = d.route
LEFT JOIN origins o ON o.number = (d.id >> 12) & 7;
