-- The persons under which a panel's figures are withheld, or flagged, where they
-- are not the usual.
CREATE TABLE IF NOT EXISTS {{.Table "limits"}} (
  market  String,
  panel   String,
  low     UInt32,
  caution UInt32
) {{.Engine "ReplacingMergeTree" "limits"}}
ORDER BY (market, panel)
{{.Settings "union"}};

{{.Distributed "limits" "0"}};
