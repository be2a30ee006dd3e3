package clickhouse

import (
	"fmt"
	"io/fs"
	"strings"
	"text/template"

	"rollcall/schemas"
)

// form is the deployment that the tables are made for. Its exported fields and
// methods are what the templates of schemas/clickhouse say.
type form struct {
	Database, Cluster string // Cluster empty: one server
	Replicated        bool
	K                 int
}

// eachServer reports whether tables are made on each server by itself.
func (f form) eachServer() bool { return f.Cluster != "" && !f.Replicated }

func (f form) createDatabase() string {
	return "CREATE DATABASE IF NOT EXISTS " + identifier(f.Database) + f.onCluster()
}

func (f form) onCluster() string {
	if !f.Replicated {
		return ""
	}
	return " ON CLUSTER " + identifier(f.Cluster)
}

// Local names a table that each server has for itself.
func (f form) Local(name string) string {
	return identifier(f.Database) + "." + identifier(name) + f.onCluster()
}

// Table names the table that holds the rows.
func (f form) Table(name string) string { return f.Local(f.stored(name)) }

func (f form) stored(name string) string {
	if f.Cluster == "" {
		return name
	}
	return name + "_local"
}

// dropMonth drops a month's partition, YYYYMM.
func (f form) dropMonth(name string, month uint32) string {
	return fmt.Sprintf("ALTER TABLE %s DROP PARTITION %d", f.Table(name), month)
}

// Engine gives a table's engine clause.
func (f form) Engine(engine, name string) string {
	if !f.Replicated {
		return "ENGINE = " + engine
	}
	path := "/clickhouse/tables/{shard}/" + f.Database + "/" + f.stored(name)
	return fmt.Sprintf("ENGINE = Replicated%s(%s, '{replica}')", engine, literal(path))
}

// Settings gives a table's settings: for unions, which may be inserted again,
// or for what is inserted once for each token.
func (f form) Settings(of string) (string, error) {
	window := map[string]int{"union": 0, "once": 1000}
	n, ok := window[of]
	if !ok {
		return "", fmt.Errorf("no settings for %q", of)
	}
	kind := "non_replicated"
	if f.Replicated {
		kind = "replicated"
	}
	return fmt.Sprintf("SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, %s_deduplication_window = %d", kind, n), nil
}

// Distributed makes the table over the shards' tables, where there are shards.
func (f form) Distributed(name, key string) string {
	if f.Cluster == "" {
		return ""
	}
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s AS %s.%s\nENGINE = Distributed(%s, %s, %s, %s)",
		f.Local(name), identifier(f.Database), identifier(f.stored(name)),
		literal(f.Cluster), literal(f.Database), literal(f.stored(name)), key)
}

// migration is one file's statements in the store's form.
type migration struct {
	number     int
	name       string
	statements []string
}

// migrations gives the files in order of number.
func (f form) migrations() ([]migration, error) {
	files, err := fs.Glob(schemas.ClickHouse, "clickhouse/*.sql")
	if err != nil {
		return nil, err
	}
	all := make([]migration, len(files))
	for i, path := range files {
		if all[i], err = f.migration(i+1, path); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (f form) migration(number int, path string) (m migration, err error) {
	text, err := fs.ReadFile(schemas.ClickHouse, path)
	if err != nil {
		return m, err
	}
	t, err := template.New(path).Parse(string(text))
	if err != nil {
		return m, err
	}
	var b strings.Builder
	if err := t.Execute(&b, f); err != nil {
		return m, err
	}
	m = migration{number: number, name: strings.TrimPrefix(path, "clickhouse/")}
	for statement := range strings.SplitSeq(b.String(), ";\n") {
		if !empty(statement) {
			m.statements = append(m.statements, statement)
		}
	}
	return m, nil
}

// empty reports whether a statement says nothing but comments.
func empty(statement string) bool {
	for line := range strings.Lines(statement) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return false
		}
	}
	return true
}

// identifier quotes a name, literal a text, as ClickHouse reads them.
func identifier(s string) string { return "`" + escape(s, "`") + "`" }
func literal(s string) string    { return "'" + escape(s, "'") + "'" }

func escape(s, quote string) string {
	return strings.NewReplacer(`\`, `\\`, quote, `\`+quote).Replace(s)
}
