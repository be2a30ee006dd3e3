-- Facts leave by their age. What is of a month before the latest "before", a
-- month's first day, has left, and is not let in again.
CREATE TABLE IF NOT EXISTS {{.Table "ageings"}} (
  before Date32,
  time   DateTime64(9, 'UTC')
) {{.Engine "ReplacingMergeTree" "ageings"}}
ORDER BY (before, time)
{{.Settings "union"}};

{{.Distributed "ageings" "0"}};

-- Every roster that a month ever had: panel_files has the last one only, and
-- all of them leave with the month.
CREATE TABLE IF NOT EXISTS {{.Table "rosters"}} (
  market String,
  panel  String,
  month  Date32,
  roster String
) {{.Engine "ReplacingMergeTree" "rosters"}}
ORDER BY (market, panel, month, roster)
{{.Settings "union"}};

{{.Distributed "rosters" "0"}};
