-- Facts that could not be read, as they were found. row is the row's key in its
-- table, its parts with a space between; body and second are its values, second
-- that of a cell's minutes.
CREATE TABLE IF NOT EXISTS {{.Table "quarantine"}} (
  time   DateTime64(9, 'UTC'),
  source String,
  row    String,
  market String,
  month  String,
  reason String,
  body   String,
  second String
) {{.Engine "ReplacingMergeTree" "quarantine"}}
ORDER BY (source, row, time)
{{.Settings "union"}};

{{.Distributed "quarantine" "0"}};
