-- Version 5: what the program was working on when it crashed, counted.

-- A delivery, by its id; else an alert being taken in, of a source: by its id, or, while it was
-- still being read, by a hash of its bytes. Each holds 0 or '' where another is meant.
CREATE TABLE crashes (
	delivery INTEGER NOT NULL,
	source INTEGER NOT NULL,
	alert TEXT NOT NULL,
	hash INTEGER NOT NULL,
	count INTEGER NOT NULL,
	at INTEGER NOT NULL,   -- the last one
	reason TEXT NOT NULL,  -- of what is given up for them
	version TEXT NOT NULL, -- of the program; another one counts anew
	PRIMARY KEY (delivery, source, alert, hash)
) WITHOUT ROWID;

CREATE VIEW v_crashes AS
SELECT nullif(c.delivery, 0) AS delivery, s.name AS source, nullif(c.alert, '') AS alert_id,
	nullif(c.hash, 0) AS hash, c.count, c.at, c.reason, c.version
FROM crashes c
LEFT JOIN sources s ON s.number = c.source;
