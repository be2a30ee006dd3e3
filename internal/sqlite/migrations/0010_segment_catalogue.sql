-- The names of segments, and which one is merged into which ('': into none).
CREATE TABLE segments (
  segment TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  merged_into TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The segments that a market's cells have, or had: to look for them among the
-- cells would be to read them all.
CREATE TABLE seen_segments (
  market TEXT NOT NULL,
  segment TEXT NOT NULL,
  PRIMARY KEY (market, segment)
) STRICT, WITHOUT ROWID;

INSERT INTO seen_segments SELECT DISTINCT market, segment FROM cells WHERE segment != '';
