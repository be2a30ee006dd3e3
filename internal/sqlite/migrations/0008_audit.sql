-- Who did what, and when. Only the last entries are kept.
CREATE TABLE audit (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  time   TEXT NOT NULL,
  key    TEXT NOT NULL,
  name   TEXT NOT NULL,
  action TEXT NOT NULL,
  market TEXT NOT NULL,
  object TEXT NOT NULL,
  UNIQUE (time, key, name, action, market, object)
) STRICT;
