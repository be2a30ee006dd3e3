-- What was done about mistakes in the census: cells that were removed, accounts
-- that were taken out of the sets, days on which a collector was down. Texts are
-- empty, and numbers 0, where they say nothing.
CREATE TABLE IF NOT EXISTS {{.Table "corrections"}} (
  action  String,
  market  String,
  service String,
  segment String,
  first   Date32,
  last    Date32,
  key     UInt64,
  visitor UInt64,
  reason  String,
  time    DateTime64(9, 'UTC')
) {{.Engine "MergeTree" "corrections"}}
ORDER BY (time, action, market, service, segment, first, last, key, visitor, reason)
{{.Settings "union"}};

{{.Distributed "corrections" "0"}};

-- A row of cells counts what the log stamped after since, in milliseconds of
-- Unix time: the last removal that covers it, 0 for none. It is in the key, since
-- rows from before a removal must not be united with those from after it: they
-- are deleted, and seen by nobody until then.
ALTER TABLE {{.Table "cells"}}
  ADD COLUMN IF NOT EXISTS since Int64,
  MODIFY ORDER BY (market, service, location, kind, day, key, platform, segment, since);

{{if .Cluster}}ALTER TABLE {{.Local "cells"}}
  ADD COLUMN IF NOT EXISTS since Int64;{{end}}
