-- Plain columns for anyone with sqlite3: days are YYYY-MM-DD, months YYYY-MM,
-- times UTC, pseudonyms and key ids 16 hexadecimal digits, hashes 64.

CREATE TABLE migrations (
  number INTEGER NOT NULL PRIMARY KEY,
  name   TEXT NOT NULL
) STRICT;

CREATE TABLE settings (
  name  TEXT NOT NULL PRIMARY KEY, -- 'id': the store's own; 'k': the sketches' precision
  value TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- The census. visitors and minutes are states of ClickHouse's
-- AggregateFunction(uniqCombined64(k), UInt64). Rows are large (25 KB), so they
-- are kept apart from their index: a tree of them is deep, and slow to write.
CREATE TABLE cells (
  market   TEXT NOT NULL,
  service  TEXT NOT NULL,
  location TEXT NOT NULL CHECK (location IN ('home', 'work', 'elsewhere')),
  kind     TEXT NOT NULL CHECK (kind IN ('login', 'presence', 'use')),
  day      TEXT NOT NULL,
  key      TEXT NOT NULL,
  visitors BLOB NOT NULL,
  minutes  BLOB NOT NULL,
  PRIMARY KEY (market, service, location, kind, day, key)
) STRICT;

-- The panel: a row is one panelist's whole local day (docs/formats/diary.md).
-- month is day's own: with it, a panel's month is one range in reading order.
CREATE TABLE diaries (
  market   TEXT NOT NULL,
  panel    TEXT NOT NULL,
  month    TEXT NOT NULL,
  panelist TEXT NOT NULL,
  day      TEXT NOT NULL,
  key      TEXT NOT NULL,
  diary    BLOB NOT NULL,
  PRIMARY KEY (market, panel, month, panelist, day, key)
) WITHOUT ROWID, STRICT;

CREATE TABLE markets (
  market TEXT NOT NULL PRIMARY KEY,
  name   TEXT NOT NULL,
  zone   TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE services (
  service TEXT NOT NULL PRIMARY KEY,
  name    TEXT NOT NULL,
  brand   TEXT NOT NULL,
  owner   TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- Large rows again.
CREATE TABLE objects (
  hash TEXT NOT NULL PRIMARY KEY, -- SHA-256 of body
  body BLOB NOT NULL
) STRICT;

CREATE TABLE panel_files (
  market   TEXT NOT NULL,
  panel    TEXT NOT NULL,
  month    TEXT NOT NULL,
  roster   TEXT NOT NULL, -- objects.hash, or '' for none
  universe TEXT NOT NULL,
  PRIMARY KEY (market, panel, month)
) WITHOUT ROWID, STRICT;

-- An empty panelist, service or day matches every one.
CREATE TABLE exclusions (
  market   TEXT NOT NULL,
  panel    TEXT NOT NULL,
  month    TEXT NOT NULL,
  time     TEXT NOT NULL,
  panelist TEXT NOT NULL,
  service  TEXT NOT NULL,
  day      TEXT NOT NULL,
  reason   TEXT NOT NULL,
  PRIMARY KEY (market, panel, month, time, panelist, service, day, reason)
) WITHOUT ROWID, STRICT;

CREATE TABLE publications (
  market   TEXT NOT NULL,
  panel    TEXT NOT NULL,
  month    TEXT NOT NULL,
  version  INTEGER NOT NULL CHECK (version >= 1),
  status   TEXT NOT NULL,
  internal INTEGER NOT NULL, -- 1: never served to readers
  reason   TEXT NOT NULL,
  time     TEXT NOT NULL,
  document TEXT NOT NULL, -- objects.hash
  PRIMARY KEY (market, panel, month, version)
) WITHOUT ROWID, STRICT;

CREATE TABLE targets (
  name       TEXT NOT NULL PRIMARY KEY,
  expression TEXT NOT NULL
) WITHOUT ROWID, STRICT;
