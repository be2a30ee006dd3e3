package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/test/engines"
)

// outside is a form as a program that nobody here wrote reads it.
type outside struct {
	how  string // a function of read.py
	form Form
	o    Options
	same func(kind string, want, got any) bool
}

// TestOtherProgramsReadEveryCell holds every cell of every form against the
// table's JSON, withheld ones included.
func TestOtherProgramsReadEveryCell(t *testing.T) {
	engines.Require(t, engines.Readers)
	tables := stored(t)
	for seed := range 20 {
		tables[fmt.Sprintf("drawn %d", seed)] = anyTable().Example(seed)
	}
	for _, way := range []outside{
		{"csv", CSV, Options{}, sameText('.')},
		{"csv", CSV, Options{Locale: French}, sameText(',')},
		{"pyarrow_parquet", Parquet, Options{}, sameTyped},
		{"duckdb_parquet", Parquet, Options{}, sameTyped},
		{"pyarrow_arrow", Arrow, Options{}, sameTyped},
		{"duckdb_arrow", Arrow, Options{}, sameTyped},
	} {
		t.Run(way.how+string(way.o.Locale), func(t *testing.T) { way.check(t, tables) })
	}
}

type job struct {
	How       string `json:"how"`
	File      string `json:"file"`
	Delimiter string `json:"delimiter"`
}

type read struct {
	Columns []string          `json:"columns"`
	Types   []string          `json:"types"`
	Meta    map[string]string `json:"meta"`
	Rows    [][]any           `json:"rows"`
	Sheets  []readSheet       `json:"sheets"`
	Title   string            `json:"title"`
	Lang    string            `json:"language"`
}

func (w outside) check(t *testing.T, tables map[string]*rollcall.Table) {
	names, jobs := []string{}, []job{}
	for name, table := range tables {
		file := writeFile(t, table, w.form, w.o)
		names, jobs = append(names, name), append(jobs, job{w.how, file, string(w.o.Locale.separator())})
	}
	cells := 0
	for i, got := range readAll(t, jobs) {
		want := asJSON(t, tables[names[i]])
		if !slices.Equal(got.Columns, want.columns) {
			t.Errorf("%s: columns are %q, want %q", names[i], got.Columns, want.columns)
			continue
		}
		if len(got.Rows) != len(want.rows) {
			t.Errorf("%s: %d rows, want %d", names[i], len(got.Rows), len(want.rows))
			continue
		}
		for r, row := range want.rows {
			for c, cell := range row {
				cells++
				if !w.same(want.kinds[c], cell, got.Rows[r][c]) {
					t.Errorf("%s: row %d, %s: is %#v, JSON has %#v", names[i], r+1, want.columns[c], got.Rows[r][c], cell)
				}
			}
		}
		w.checkMeta(t, names[i], tables[names[i]], got)
	}
	t.Logf("%d cells of %d tables", cells, len(tables))
	if cells < 2000 {
		t.Errorf("only %d cells were compared", cells)
	}
}

// checkMeta holds the key-values against meta's JSON.
func (w outside) checkMeta(t *testing.T, name string, table *rollcall.Table, got read) {
	if !strings.HasPrefix(w.how, "pyarrow") {
		return
	}
	text, err := json.Marshal(table.Meta)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for key, value := range want {
		plain := string(value)
		var s string
		if json.Unmarshal(value, &s) == nil {
			plain = s
		}
		if got.Meta[key] != plain {
			t.Errorf("%s: key-value %s is %q, want %q", name, key, got.Meta[key], plain)
		}
	}
}

func writeFile(t *testing.T, table *rollcall.Table, form Form, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, table, form, o); err != nil {
		t.Fatalf("%s: %v", form, err)
	}
	file := filepath.Join(t.TempDir(), "file."+string(form))
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func readAll(t *testing.T, jobs []job) []read {
	t.Helper()
	in, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	var out []read
	if err := json.Unmarshal(engines.Python(t, in, "testdata/read.py"), &out); err != nil {
		t.Fatal(err)
	}
	if len(out) != len(jobs) {
		t.Fatalf("%d files were read of %d", len(out), len(jobs))
	}
	return out
}

// sameTyped: the same type and bits. A list's items are its own.
func sameTyped(_ string, want, got any) bool {
	list, ok := want.([]any)
	if !ok {
		return want == got
	}
	items, ok := got.([]any)
	return ok && slices.Equal(list, items)
}

// sameText: a CSV's text is what the JSON has, null an empty field.
func sameText(decimal byte) func(kind string, want, got any) bool {
	return func(kind string, want, got any) bool {
		text, ok := got.(string)
		if !ok {
			return false
		}
		switch want := want.(type) {
		case nil:
			return text == ""
		case bool:
			return text == strconv.FormatBool(want)
		case float64:
			number := text
			if decimal == ',' {
				number = strings.ReplaceAll(text, ",", ".")
				if strings.Contains(text, ".") {
					return false
				}
			}
			x, err := strconv.ParseFloat(number, 64)
			return err == nil && math.Float64bits(x) == math.Float64bits(want)
		case []any:
			return armed(text) == joinedAs(want, " ") || armed(text) == joinedAs(want, "; ")
		case string:
			return harmless(text) && armed(text) == want
		}
		return false
	}
}

func joinedAs(list []any, separator string) string {
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = fmt.Sprint(item)
	}
	return strings.Join(texts, separator)
}

// harmless: no spreadsheet takes the text for a formula.
func harmless(text string) bool { return text == "" || !strings.Contains("=+-@\t\r\n", text[:1]) }

// armed takes away the apostrophe that was put before a formula.
func armed(text string) string {
	rest, ok := strings.CutPrefix(text, "'")
	if bare := strings.TrimLeft(rest, "'"); ok && bare != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(bare)[0]) {
		return rest
	}
	return text
}
