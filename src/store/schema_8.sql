-- Version 8: how often an alert has opened again of late.

ALTER TABLE alerts ADD COLUMN flap_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN flap_count INTEGER NOT NULL DEFAULT 0;
