-- The census by platform and segment ('' for none of either). coarse is 1 where
-- some of a cell's events tell only the day. accounts is the set of pseudonyms,
-- 8 bytes each, little end first, ascending, of a service that is counted
-- exactly, and exact is 1 where that set is whole.
CREATE TABLE cells_by_segment (
  market   TEXT NOT NULL,
  service  TEXT NOT NULL,
  location TEXT NOT NULL CHECK (location IN ('home', 'work', 'elsewhere')),
  kind     TEXT NOT NULL CHECK (kind IN ('login', 'presence', 'use')),
  day      TEXT NOT NULL,
  key      TEXT NOT NULL,
  platform TEXT NOT NULL CHECK (platform IN ('', 'computer', 'phone', 'tablet', 'web', 'other')),
  segment  TEXT NOT NULL,
  visitors BLOB NOT NULL,
  minutes  BLOB NOT NULL,
  coarse   INTEGER NOT NULL,
  accounts BLOB NOT NULL,
  exact    INTEGER NOT NULL,
  PRIMARY KEY (market, service, location, kind, day, key, platform, segment)
) STRICT;

INSERT INTO cells_by_segment SELECT market, service, location, kind, day, key, '', '', visitors, minutes, 0, x'', 0 FROM cells;
DROP TABLE cells;
ALTER TABLE cells_by_segment RENAME TO cells;
