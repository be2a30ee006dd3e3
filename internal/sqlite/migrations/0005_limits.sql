-- The persons under which a panel's figures are withheld, or flagged, where they
-- are not the usual.
CREATE TABLE limits (
  market  TEXT NOT NULL,
  panel   TEXT NOT NULL,
  low     INTEGER NOT NULL,
  caution INTEGER NOT NULL,
  PRIMARY KEY (market, panel)
) WITHOUT ROWID, STRICT;
