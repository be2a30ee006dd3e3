-- What the store knows of itself. These files are the store's migrations, run
-- in order of number by internal/clickhouse, each on every server and each
-- harmless when run again. They are never edited once released: a change is a
-- new file. A statement ends with a semicolon at the end of a line.
--
-- The files are templates, since three deployments share them:
--   one server   Table is the table, Engine a plain MergeTree of its kind;
--   shards       Table is name_local on every shard, and Distributed puts a
--                table of the plain name over them;
--   replicas     as shards, each statement ON CLUSTER, Engine of the
--                Replicated kind under the servers' macros {shard} and
--                {replica}. remote_servers needs internal_replication there.
-- Settings has an insert on the disk before it is acknowledged, since offsets of
-- the log are committed on its word. K is the precision of the sketches.

-- Each server counts its own migrations.
CREATE TABLE IF NOT EXISTS {{.Local "migrations"}} (
  number UInt32,
  name   String
) ENGINE = MergeTree
ORDER BY number;

-- 'id': the store's own; 'k': the sketches' precision; 'cluster': the name of
-- the cluster that the tables are spread over, or empty. Written once, by an
-- insert that the window below lets happen once.
CREATE TABLE IF NOT EXISTS {{.Table "settings"}} (
  name  String,
  value String
) {{.Engine "MergeTree" "settings"}}
ORDER BY name
{{.Settings "once"}};

{{.Distributed "settings" "0"}};
