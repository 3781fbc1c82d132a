-- Version 7: the people, policies and budgets behind the alerts, as the API lists them.

-- kind: 0 users, 1 policies, 2 budgets. A row whose body is empty was never listed: somebody asked
-- for its id, and that is remembered.
CREATE TABLE directory (
	number INTEGER PRIMARY KEY,
	source INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	id TEXT NOT NULL,
	hash INTEGER NOT NULL,  -- of the body: the same bytes are not written again
	gone_at INTEGER,        -- since when no list has it; it is kept for its name
	place TEXT,             -- of a budget: its department in small letters, '' for all
	body TEXT NOT NULL      -- the API's object, as it came
);
CREATE UNIQUE INDEX directory_id ON directory (source, kind, id);
CREATE INDEX directory_gone ON directory (source, kind, gone_at);
CREATE INDEX directory_budgets ON directory (source, place)
	WHERE place IS NOT NULL AND gone_at IS NULL;

-- When a list was last read whole, and how many it had.
CREATE TABLE mirrored (
	source INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	at INTEGER NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (source, kind)
) WITHOUT ROWID;

CREATE VIEW v_directory AS
SELECT s.name AS source, CASE d.kind WHEN 0 THEN 'users' WHEN 1 THEN 'policies'
		ELSE 'budgets' END AS kind,
	d.id, d.body, d.gone_at
FROM directory d
LEFT JOIN sources s ON s.number = d.source
WHERE d.body <> '';
