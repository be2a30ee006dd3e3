-- A simulated market's people do not exist. It is so from the first to the last.
ALTER TABLE markets ADD COLUMN simulated INTEGER NOT NULL DEFAULT 0 CHECK (simulated IN (0, 1));

-- The master keys of the pseudonyms, known by a hash of each; the keys
-- themselves are never here. One is in force from the day "first" on; where
-- lost is 1, those before it are lost.
CREATE TABLE masters (
  id    TEXT NOT NULL PRIMARY KEY, -- 16 hexadecimal digits
  first TEXT NOT NULL,             -- YYYY-MM-DD
  lost  INTEGER NOT NULL CHECK (lost IN (0, 1)),
  time  TEXT NOT NULL              -- when it was recorded
) WITHOUT ROWID, STRICT;

-- Versions that were published and must not be used. They stay what they are.
CREATE TABLE withdrawals (
  market  TEXT NOT NULL,
  panel   TEXT NOT NULL,
  month   TEXT NOT NULL, -- YYYY-MM
  version INTEGER NOT NULL,
  time    TEXT NOT NULL,
  reason  TEXT NOT NULL,
  PRIMARY KEY (market, panel, month, version)
) WITHOUT ROWID, STRICT;
