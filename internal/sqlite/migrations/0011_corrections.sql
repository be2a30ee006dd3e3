-- What was done about mistakes in the census: cells that were removed, accounts
-- that were taken out of the sets, days on which a collector was down. Texts and
-- days are '' where they say nothing.
CREATE TABLE corrections (
  action  TEXT NOT NULL CHECK (action IN ('removal', 'erasing', 'outage', 'cleared')),
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

-- A cell counts what the log stamped after since, in milliseconds of Unix time:
-- the last removal that covers it, 0 for none. One from before a removal is
-- deleted, and seen by nobody until then.
ALTER TABLE cells ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
