-- Who did what, and when.
CREATE TABLE IF NOT EXISTS {{.Table "audit"}} (
  time   DateTime64(9, 'UTC'),
  key    String,
  name   String,
  action String,
  market String,
  object String
) {{.Engine "ReplacingMergeTree" "audit"}}
ORDER BY (time, key, name, action, market, object)
{{.Settings "union"}};

{{.Distributed "audit" "0"}};
