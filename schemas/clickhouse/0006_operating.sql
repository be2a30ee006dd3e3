-- The markets whose people do not exist. They are so from the first to the last.
CREATE TABLE IF NOT EXISTS {{.Table "simulated"}} (
  market String
) {{.Engine "ReplacingMergeTree" "simulated"}}
ORDER BY market
{{.Settings "union"}};

{{.Distributed "simulated" "0"}};

-- The master keys of the pseudonyms, known by a hash of each, 16 hexadecimal
-- digits; the keys themselves are never here. One is in force from the day
-- "first" on; where lost is true, those before it are lost.
CREATE TABLE IF NOT EXISTS {{.Table "masters"}} (
  id    String,
  first Date32,
  lost  Bool,
  time  DateTime64(9, 'UTC')
) {{.Engine "ReplacingMergeTree" "masters"}}
ORDER BY id
{{.Settings "union"}};

{{.Distributed "masters" "0"}};

-- Versions that were published and must not be used. They stay what they are;
-- the first withdrawal of one is its own.
CREATE TABLE IF NOT EXISTS {{.Table "withdrawals"}} (
  market  String,
  panel   String,
  month   Date32,
  version UInt32,
  time    DateTime64(9, 'UTC'),
  reason  String
) {{.Engine "ReplacingMergeTree" "withdrawals"}}
ORDER BY (market, panel, month, version, time)
{{.Settings "union"}};

{{.Distributed "withdrawals" "0"}};
