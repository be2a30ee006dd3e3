-- A replay that brings back what was removed is recorded, too.
CREATE TABLE recorded (
  action  TEXT NOT NULL CHECK (action IN ('removal', 'erasing', 'outage', 'cleared', 'restored')),
  market  TEXT NOT NULL,
  service TEXT NOT NULL,
  segment TEXT NOT NULL,
  first   TEXT NOT NULL,
  last    TEXT NOT NULL,
  key     TEXT NOT NULL,
  visitor TEXT NOT NULL,
  reason  TEXT NOT NULL,
  time    TEXT NOT NULL,
  PRIMARY KEY (time, action, market, service, segment, first, last, key, visitor, reason)
) STRICT, WITHOUT ROWID;
INSERT INTO recorded SELECT action, market, service, segment, first, last, key, visitor, reason, time FROM corrections;
DROP TABLE corrections;
ALTER TABLE recorded RENAME TO corrections;
