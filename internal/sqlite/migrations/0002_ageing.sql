-- Facts leave by their age. What is of a month before the largest "before" has
-- left, and is not let in again.
CREATE TABLE ageings (
  before TEXT NOT NULL PRIMARY KEY, -- YYYY-MM
  time   TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- Every roster that a month ever had: panel_files has the last one only, and
-- all of them leave with the month.
CREATE TABLE rosters (
  market TEXT NOT NULL,
  panel  TEXT NOT NULL,
  month  TEXT NOT NULL,
  roster TEXT NOT NULL, -- objects.hash
  PRIMARY KEY (market, panel, month, roster)
) WITHOUT ROWID, STRICT;

INSERT INTO rosters SELECT market, panel, month, roster FROM panel_files WHERE roster <> '';
