-- How a service's accounts are counted ('exact' or empty), how long one keeps its
-- pseudonym ('none': until a rotation; empty: a year), and its colour's slot, 0
-- for none yet.
ALTER TABLE {{.Table "services"}}
  ADD COLUMN IF NOT EXISTS census String,
  ADD COLUMN IF NOT EXISTS epoch String,
  ADD COLUMN IF NOT EXISTS colour UInt8;

{{if .Cluster}}ALTER TABLE {{.Local "services"}}
  ADD COLUMN IF NOT EXISTS census String,
  ADD COLUMN IF NOT EXISTS epoch String,
  ADD COLUMN IF NOT EXISTS colour UInt8;{{end}}
