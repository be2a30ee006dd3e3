-- Where each errand of a scheduled close stands: to close a month, or to tell a
-- destination of it. Version 0 is of no version but of the month; cause says why
-- it was not closed.
CREATE TABLE deliveries (
  market      TEXT NOT NULL,
  panel       TEXT NOT NULL,
  month       TEXT NOT NULL,
  version     INTEGER NOT NULL,
  cause       TEXT NOT NULL,
  destination TEXT NOT NULL,
  step        INTEGER NOT NULL,
  state       TEXT NOT NULL,
  until       TEXT NOT NULL,
  tries       INTEGER NOT NULL,
  since       TEXT NOT NULL,
  time        TEXT NOT NULL,
  holder      TEXT NOT NULL,
  text        TEXT NOT NULL,
  error       TEXT NOT NULL,
  PRIMARY KEY (market, panel, month, version, cause, destination)
) WITHOUT ROWID, STRICT;
