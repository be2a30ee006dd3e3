-- The facts. Every column that is not in a table's key is a union, which the
-- engine makes when it merges parts: the same rows twice change nothing. Rows
-- of one key may still stand in several parts or shards, so read them with
-- GROUP BY the key.
--
-- Days are of the market's local calendar. Pseudonyms (panelist) and the ids of
-- the keys that made them (key) are numbers; Rollcall prints them as
-- lower(hex(...)).

-- The census. For a distinct count over any cells of one key:
--   SELECT uniqCombined64Merge({{.K}})(visitors) FROM cells WHERE ...
-- A visitor's id is the pseudonym v; an account-minute's is
--   intHash64(v) + toUInt64(minute) * 11400714819323198485
-- with minute in minutes of Unix time. docs/formats/sketch.md has the bytes.
--
-- A state is inserted as its bytes, raw_visitors and raw_minutes, which are not
-- stored. Without them the state is that of nothing.
CREATE TABLE IF NOT EXISTS {{.Table "cells"}} (
  market   LowCardinality(String),
  service  LowCardinality(String),
  location Enum8('home' = 1, 'work' = 2, 'elsewhere' = 4),
  kind     Enum8('login' = 1, 'presence' = 2, 'use' = 3),
  day      Date32,
  key      UInt64,
  raw_visitors String EPHEMERAL unhex('0100'),
  raw_minutes  String EPHEMERAL unhex('0100'),
  visitors AggregateFunction(uniqCombined64({{.K}}), UInt64) DEFAULT CAST(raw_visitors, 'AggregateFunction(uniqCombined64({{.K}}), UInt64)'),
  minutes  AggregateFunction(uniqCombined64({{.K}}), UInt64) DEFAULT CAST(raw_minutes, 'AggregateFunction(uniqCombined64({{.K}}), UInt64)')
) {{.Engine "AggregatingMergeTree" "cells"}}
PARTITION BY toYYYYMM(day)
ORDER BY (market, service, location, kind, day, key)
{{.Settings "union"}};

{{.Distributed "cells" "cityHash64(market, service, location, kind, day, key)"}};

-- The panel: one panelist's use of one service, at one place, on one day, as
-- the set of its credited minutes of that day (0 to 1499; in no order).
-- A month is read by panelist, so that is the order here. All diaries of a
-- panelist are on one shard.
CREATE TABLE IF NOT EXISTS {{.Table "diaries"}} (
  market   LowCardinality(String),
  panel    LowCardinality(String),
  panelist UInt64,
  day      Date32,
  service  LowCardinality(String),
  location Enum8('home' = 1, 'work' = 2, 'elsewhere' = 4),
  kind     Enum8('login' = 1, 'presence' = 2, 'use' = 3),
  key      UInt64,
  minutes  SimpleAggregateFunction(groupUniqArrayArray, Array(UInt16))
) {{.Engine "AggregatingMergeTree" "diaries"}}
PARTITION BY toYYYYMM(day)
ORDER BY (market, panel, panelist, day, service, location, kind, key)
{{.Settings "union"}};

{{.Distributed "diaries" "cityHash64(market, panel, panelist)"}};
