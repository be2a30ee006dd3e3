-- What is written by people, and small. Where a later row takes the place of an
-- earlier one of the same key, read with FINAL. Rows of one key are on one
-- shard, as FINAL needs.

CREATE TABLE IF NOT EXISTS {{.Table "markets"}} (
  market String,
  name   String,
  zone   String
) {{.Engine "ReplacingMergeTree" "markets"}}
ORDER BY market
{{.Settings "union"}};

{{.Distributed "markets" "0"}};

CREATE TABLE IF NOT EXISTS {{.Table "services"}} (
  service String,
  name    String,
  brand   String,
  owner   String
) {{.Engine "ReplacingMergeTree" "services"}}
ORDER BY service
{{.Settings "union"}};

{{.Distributed "services" "0"}};

-- Rosters, universes and publications' documents: hash is the SHA-256 of body
-- in hexadecimal.
CREATE TABLE IF NOT EXISTS {{.Table "objects"}} (
  hash String,
  body String
) {{.Engine "ReplacingMergeTree" "objects"}}
ORDER BY hash
{{.Settings "union"}};

{{.Distributed "objects" "cityHash64(hash)"}};

-- What a panel's month is weighted with. A month is its first day; roster and
-- universe are hashes of objects, or empty.
CREATE TABLE IF NOT EXISTS {{.Table "panel_files"}} (
  market   String,
  panel    String,
  month    Date32,
  roster   String,
  universe String
) {{.Engine "ReplacingMergeTree" "panel_files"}}
ORDER BY (market, panel, month)
{{.Settings "union"}};

{{.Distributed "panel_files" "0"}};

-- Rules: what must not count. Panelist 0, an empty service and the day
-- 1970-01-01 match every one.
CREATE TABLE IF NOT EXISTS {{.Table "exclusions"}} (
  market   String,
  panel    String,
  month    Date32,
  time     DateTime64(9, 'UTC'),
  panelist UInt64,
  service  String,
  day      Date32,
  reason   String
) {{.Engine "ReplacingMergeTree" "exclusions"}}
ORDER BY (market, panel, month, time, panelist, service, day, reason)
{{.Settings "union"}};

{{.Distributed "exclusions" "0"}};

-- The versions of a panel's month. id is the SHA-256 of the row's content. Of
-- two rows of one version, which only two closers at once could make, the one
-- of the smallest (time, id) is the version; the window lets one in.
CREATE TABLE IF NOT EXISTS {{.Table "publications"}} (
  market   String,
  panel    String,
  month    Date32,
  version  UInt32,
  id       String,
  status   String,
  internal Bool,
  reason   String,
  time     DateTime64(9, 'UTC'),
  document String
) {{.Engine "MergeTree" "publications"}}
ORDER BY (market, panel, month, version, time, id)
{{.Settings "once"}};

{{.Distributed "publications" "0"}};

-- Saved target groups.
CREATE TABLE IF NOT EXISTS {{.Table "targets"}} (
  name       String,
  expression String
) {{.Engine "ReplacingMergeTree" "targets"}}
ORDER BY name
{{.Settings "union"}};

{{.Distributed "targets" "0"}};
