package export

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rollcall"
)

// sample has a column of every kind, a measure of every status, and texts that
// are trouble to each form.
func sample() *rollcall.Table {
	ok := rollcall.Measure{Value: 1585000.0245425417, SE: 66502.18700883962, Low: 1459429.228103604, High: 1720352.7009400807, N: 519, Status: rollcall.OK}
	loss := rollcall.Measure{Value: -0.1, SE: 1e-7, Low: -1e300, High: 1e-300, N: 0, Status: rollcall.OK}
	with := func(s rollcall.Status) rollcall.Measure { m := ok; m.Status = s; return m }
	bare := rollcall.Measure{Value: 3, SE: math.NaN(), Low: math.Inf(-1), High: math.Inf(1), N: 41, Status: rollcall.Caution}
	return &rollcall.Table{
		Meta: rollcall.Meta{
			Report: "ranking", Market: "FR", Panel: "nn", Month: "2002-10", Location: "home", Credit: "use", Target: "age=15-24|sex=F", Pool: 3,
			Version: 3, Status: "restated", Confidence: 0.95, Thresholds: map[string]int{"low": 30, "caution": 60},
			Simulated: true, Method: "method=rollcall-1; population=persons", Notes: []string{"One.", "The panel is simulated: these are not measurements of real people."},
			Universe: &rollcall.UniverseMeta{Population: 22600000, Active: ok, Source: "Enumeration study, \"main\"; é", SourceDate: "2002-09-15"},
		},
		Columns: []rollcall.Column{
			{Name: "service", Role: "dimension", Label: "Service", Definition: "The service."},
			{Name: "days", Role: "dimension", Unit: "integer", Label: "Days", Definition: "Days."},
			{Name: "services", Role: "dimension", Unit: "list", Label: "Services", Definition: "These."},
			{Name: "exact", Role: "dimension", Unit: "boolean", Label: "Exact", Definition: "Truth."},
			{Name: "reach", Role: "measure", Unit: "percent", Label: "Reach", Definition: "Of the base."},
			{Name: "change", Role: "measure", Unit: "persons", Label: "Change", Definition: "More."},
		},
		Rows: []rollcall.Row{
			{"msn", 3, []string{"msn", "aim"}, true, ok, loss},
			{"=1+1", -2, []string{}, false, with(rollcall.Caution), with(rollcall.Below)},
			{"a;b,c\"d\"", nil, nil, nil, bare, nil},
			{"two\nlines\r\nand\ra", 0, []string{"x"}, true, with(rollcall.Undefined), with("below_detection")},
			{"", 7, []string{""}, false, loss, bare},
			{nil, 7, []string{"@x"}, false, ok, ok},
			{" é 漢字 😀 ", 7, []string{"-a", "b"}, false, ok, ok},
			{"'=apostrophe", 7, []string{"a"}, false, ok, ok},
			{"00123", 7, []string{"a"}, false, ok, ok},
		},
	}
}

// stored are tables that real reports gave.
func stored(t testing.TB) map[string]*rollcall.Table {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables in testdata: %v", err)
	}
	tables := map[string]*rollcall.Table{"sample": sample(), "no rows": {Meta: sample().Meta, Columns: sample().Columns}}
	census := sample()
	census.Meta = rollcall.Meta{Report: "census", Market: "WORLD", From: "2003-10-01", To: "2003-10-31", Location: "any", Credit: "presence",
		Thresholds: map[string]int{"min_accounts": 50}, Method: "m"}
	tables["census"] = census
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		table := new(rollcall.Table)
		if err := json.Unmarshal(text, table); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		tables[strings.TrimSuffix(filepath.Base(file), ".json")] = table
	}
	return tables
}

// jsonTable is a table as its JSON has it, measures laid flat: what every form
// is held against. Numbers are float64, lists []any.
type jsonTable struct {
	columns []string
	kinds   []string // dimension, list, or a measure's part
	report  string
	rows    [][]any
}

// asJSON reads the table's JSON, without any help of this package.
func asJSON(t testing.TB, table *rollcall.Table) *jsonTable {
	t.Helper()
	text, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Meta    map[string]any      `json:"meta"`
		Columns []map[string]string `json:"columns"`
		Rows    []map[string]any    `json:"rows"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		t.Fatal(err)
	}
	out := &jsonTable{rows: make([][]any, len(in.Rows))}
	out.report, _ = in.Meta["report"].(string)
	parts := []string{"value", "se", "low", "high", "n", "status"}
	for _, c := range in.Columns {
		if c["role"] != "measure" {
			out.columns, out.kinds = append(out.columns, c["name"]), append(out.kinds, "dimension "+c["unit"])
			for i, row := range in.Rows {
				out.rows[i] = append(out.rows[i], row[c["name"]])
			}
			continue
		}
		for _, part := range parts {
			name := c["name"] + "_" + part
			if part == "value" {
				name = c["name"]
			}
			out.columns, out.kinds = append(out.columns, name), append(out.kinds, part)
			for i, row := range in.Rows {
				measure, _ := row[c["name"]].(map[string]any)
				out.rows[i] = append(out.rows[i], measure[part])
			}
		}
	}
	out.cite(in.Meta)
	return out
}

// cite puts the citation's columns first.
func (j *jsonTable) cite(meta map[string]any) {
	period := meta["month"]
	if from, ok := meta["from"].(string); ok {
		to, _ := meta["to"].(string)
		period = from + "/" + to
	}
	values := []any{meta["market"], meta["panel"], period, meta["location"], meta["credit"], meta["version"], meta["status"],
		meta["target"], meta["pool"], meta["simulated"] == true, meta["method"]}
	all := []string{"market", "panel", "period", "location", "credit", "version", "status", "target", "pool", "simulated", "method"}
	if service, of := meta["service"]; of {
		all, values = append([]string{"service"}, all...), append([]any{service}, values...)
	}
	var names, kinds []string
	var cells []any
	for i, name := range all {
		if !contains(j.columns, name) {
			names, kinds, cells = append(names, name), append(kinds, "citation"), append(cells, values[i])
		}
	}
	j.columns, j.kinds = append(names, j.columns...), append(kinds, j.kinds...)
	for i := range j.rows {
		j.rows[i] = append(append([]any{}, cells...), j.rows[i]...)
	}
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// anyTable draws a table: any texts but those with control characters, which
// names may not have, any finite numbers, any status.
func anyTable() *rapid.Generator[*rollcall.Table] {
	text := rapid.StringMatching(`[=+\-@'"]?[ -~\n\t;éü漢字😀–]{0,12}`)
	id := rapid.StringMatching(`[=@-]?[a-z0-9._-]{1,6}`)
	number := rapid.Float64Range(-1e15, 1e15)
	measure := rapid.Custom(func(t *rapid.T) any {
		if rapid.IntRange(0, 5).Draw(t, "absent") == 0 {
			return nil
		}
		status := rapid.SampledFrom([]rollcall.Status{"ok", "caution", "below", "undefined", "below_detection"}).Draw(t, "status")
		if status != "ok" && status != "caution" {
			return rollcall.Measure{Status: status}
		}
		return rollcall.Measure{Value: number.Draw(t, "value"), SE: number.Draw(t, "se"), Low: number.Draw(t, "low"), High: number.Draw(t, "high"),
			N: rapid.IntRange(0, 1e6).Draw(t, "n"), Status: status}
	})
	cells := map[string]*rapid.Generator[any]{
		"":        rapid.OneOf(rapid.Map(text, func(s string) any { return s }), rapid.Just[any](nil)),
		"integer": rapid.OneOf(rapid.Map(rapid.IntRange(-1e9, 1e9), func(n int) any { return n }), rapid.Just[any](nil)),
		"list":    rapid.OneOf(rapid.Map(rapid.SliceOfN(id, 0, 4), func(l []string) any { return l }), rapid.Just[any](nil)),
		"boolean": rapid.OneOf(rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Just[any](nil)),
		"persons": measure,
	}
	return rapid.Custom(func(t *rapid.T) *rollcall.Table {
		out := &rollcall.Table{Meta: sample().Meta}
		out.Meta.Target = text.Draw(t, "target")
		units := rapid.SliceOfN(rapid.SampledFrom([]string{"", "integer", "list", "boolean", "persons"}), 1, 6).Draw(t, "units")
		for i, unit := range units {
			c := rollcall.Column{Name: "c" + string(rune('a'+i)), Role: "dimension", Unit: unit, Label: text.Draw(t, "label"), Definition: text.Draw(t, "definition")}
			if unit == "persons" {
				c.Role = "measure"
			}
			out.Columns = append(out.Columns, c)
		}
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			var row rollcall.Row
			for _, unit := range units {
				row = append(row, cells[unit].Draw(t, "cell"))
			}
			out.Rows = append(out.Rows, row)
		}
		return out
	})
}
