-- Facts that could not be read, whole, as they were found. row is the row's key
-- in its table; body and second are its blobs, second that of a cell's minutes.
CREATE TABLE quarantine (
  time   TEXT NOT NULL, -- when it was set aside
  source TEXT NOT NULL CHECK (source IN ('cells', 'diaries')),
  row    TEXT NOT NULL,
  market TEXT NOT NULL,
  month  TEXT NOT NULL,
  reason TEXT NOT NULL,
  body   BLOB NOT NULL,
  second BLOB NOT NULL,
  PRIMARY KEY (source, row, time)
) STRICT;
