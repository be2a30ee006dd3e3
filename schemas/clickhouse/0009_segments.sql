-- The census by platform and segment (empty for none of either). coarse is 1
-- where some of a cell's events tell only the day. accounts is the set of
-- pseudonyms of a service that is counted exactly, and exact is 1 where that set
-- is whole: for such cells
--   SELECT length(groupUniqArrayArray(accounts)) FROM cells WHERE ...
-- is the count.
ALTER TABLE {{.Table "cells"}}
  ADD COLUMN IF NOT EXISTS platform LowCardinality(String),
  ADD COLUMN IF NOT EXISTS segment LowCardinality(String),
  ADD COLUMN IF NOT EXISTS coarse SimpleAggregateFunction(max, UInt8),
  ADD COLUMN IF NOT EXISTS accounts SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)),
  ADD COLUMN IF NOT EXISTS exact SimpleAggregateFunction(min, UInt8),
  MODIFY ORDER BY (market, service, location, kind, day, key, platform, segment);

{{if .Cluster}}ALTER TABLE {{.Local "cells"}}
  ADD COLUMN IF NOT EXISTS platform LowCardinality(String),
  ADD COLUMN IF NOT EXISTS segment LowCardinality(String),
  ADD COLUMN IF NOT EXISTS coarse SimpleAggregateFunction(max, UInt8),
  ADD COLUMN IF NOT EXISTS accounts SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)),
  ADD COLUMN IF NOT EXISTS exact SimpleAggregateFunction(min, UInt8);{{end}}
