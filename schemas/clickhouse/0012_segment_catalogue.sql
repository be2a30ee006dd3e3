-- The names of segments, and which one is merged into which (empty: into none). A
-- cell keeps the segment that its events named: to count with the merges, join
--   SELECT if(s.merged_into = '', c.segment, s.merged_into), ...
--   FROM cells AS c LEFT JOIN (SELECT * FROM segments FINAL) AS s USING (segment)
CREATE TABLE IF NOT EXISTS {{.Table "segments"}} (
  segment     String,
  name        String,
  merged_into String
) {{.Engine "ReplacingMergeTree" "segments"}}
ORDER BY segment
{{.Settings "union"}};

{{.Distributed "segments" "0"}};
