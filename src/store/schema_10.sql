-- Version 10: a digest is for the same people.

-- Where alerts name whom their sink writes to: a hash of the addresses. 0: of any other sink.
ALTER TABLE batches ADD COLUMN people INTEGER NOT NULL DEFAULT 0;
DROP INDEX batches_open;
CREATE INDEX batches_open ON batches (state, sink, why, grp, people) WHERE is_open;
