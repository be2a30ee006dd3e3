package export

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/test/engines"
)

// aMonth is a month's folder of the stored tables.
func aMonth(t testing.TB, l Locale) *Month {
	tables := stored(t)
	m := &Month{
		Market: rollcall.Market{ID: "FR", Name: "France: \"la\" \\", Zone: "Europe/Paris"}, Locale: l,
		Services: []rollcall.Service{{ID: "msn", Name: "MSN Messenger", Brand: "MSN", Owner: "Microsoft"}},
	}
	month, err := rollcall.ParseMonth("2003-10")
	if err != nil {
		t.Fatal(err)
	}
	m.Publication = rollcall.Publication{
		PanelMonth: rollcall.PanelMonth{Market: "FR", Panel: "demo", Month: month}, Version: 1, Status: "final",
		Time: time.Date(2003, 11, 10, 6, 0, 0, 0, time.UTC),
	}
	for _, name := range []string{"ranking", "sample", "trend", "profile", "combinations"} {
		m.Tables = append(m.Tables, tables[name])
	}
	return m
}

// unzipped writes the month's folder to disk and gives its path.
func unzipped(t *testing.T, m *Month) string {
	t.Helper()
	var b bytes.Buffer
	if err := m.Zip(&b); err != nil {
		t.Fatal(err)
	}
	in, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range in.File {
		name, ok := strings.CutPrefix(f.Name, "rollcall_FR_demo_2003-10_v1/")
		if !ok || !f.Modified.Equal(m.Publication.Time) {
			t.Errorf("the archive has %s of %s", f.Name, f.Modified)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func content(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMonthFolder: the folder has every form of every table, its sums are of its
// files, and a second one is the same to the byte.
func TestMonthFolder(t *testing.T) {
	m := aMonth(t, English)
	dir := unzipped(t, m)
	want := []string{"workbook.xlsx", "method.md", "citation.txt", "CITATION.cff", "datapackage.json"}
	for _, name := range []string{"ranking", "ranking-home", "trend", "profile", "combinations"} {
		want = append(want, name+".csv", name+".csv.json", name+".parquet", name+".arrow")
	}
	slices.Sort(want)
	var have []string
	for line := range strings.SplitSeq(strings.TrimSpace(string(content(t, dir, SumsName))), "\n") {
		sum, name, _ := strings.Cut(line, "  ")
		have = append(have, name)
		if got := sha256.Sum256(content(t, dir, name)); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s: the sums have %s", name, sum)
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("the sums are of %q, want %q", have, want)
	}
	again := unzipped(t, m)
	for _, name := range append(want, SumsName) {
		if !bytes.Equal(content(t, dir, name), content(t, again, name)) {
			t.Errorf("%s is not the same when made again", name)
		}
	}
}

// TestDataPackage has frictionless validate the package, its hashes and every
// cell's type, in both languages, and refuse it when a cell is another's.
func TestDataPackage(t *testing.T) {
	for _, l := range []Locale{English, French} {
		dir := unzipped(t, aMonth(t, l))
		if report := validate(t, dir); !report.Valid || len(report.Tasks) != 5 {
			t.Errorf("%s: frictionless finds %d tables, and %+v", l, len(report.Tasks), report)
		}
		file := filepath.Join(dir, "trend.csv")
		bad := bytes.Replace(content(t, dir, "trend.csv"), []byte("true"), []byte("vrai"), 1)
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if report := validate(t, dir); report.Valid {
			t.Errorf("%s: frictionless finds nothing wrong with a changed file", l)
		}
	}
}

type validation struct {
	Valid bool `json:"valid"`
	Tasks []struct {
		Name   string `json:"name"`
		Errors []any  `json:"errors"`
	} `json:"tasks"`
}

func validate(t *testing.T, dir string) (report validation) {
	t.Helper()
	const script = `import sys, json, frictionless
print(frictionless.validate(sys.argv[1]).to_json())`
	if err := json.Unmarshal(engines.Python(t, nil, "-c", script, filepath.Join(dir, "datapackage.json")), &report); err != nil {
		t.Fatal(err)
	}
	return report
}

// TestFlags: every measure's flag in the Data Package is that of its status.
func TestFlags(t *testing.T) {
	m := aMonth(t, English)
	dir := unzipped(t, m)
	var p struct {
		Resources []struct {
			TableFlag string
			Flags     []cellFlag
		}
	}
	if err := json.Unmarshal(content(t, dir, "datapackage.json"), &p); err != nil {
		t.Fatal(err)
	}
	flags := map[rollcall.Status]string{"caution": "u", "below": "u", "undefined": "z", "below_detection": "n"}
	for i, table := range m.Tables {
		var want []cellFlag
		for row, cells := range table.Rows {
			for c, cell := range cells {
				if measure, ok := cell.(rollcall.Measure); ok && flags[measure.Status] != "" {
					want = append(want, cellFlag{row + 1, table.Columns[c].Name, flags[measure.Status]})
				}
			}
		}
		if len(want) == 0 || !slices.Equal(p.Resources[i].Flags, want) {
			t.Errorf("%s: flags are %v, want %v", table.Meta.Report, p.Resources[i].Flags, want)
		}
		if flag := p.Resources[i].TableFlag; (flag == "r") != (table.Meta.Status == "restated") {
			t.Errorf("%s, %s: the table's flag is %q", table.Meta.Report, table.Meta.Status, flag)
		}
	}
}

// TestCitationFile: the citation is YAML, whatever the market is called.
func TestCitationFile(t *testing.T) {
	dir := unzipped(t, aMonth(t, French))
	const script = `import sys, json, yaml
print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding="utf-8")), default=str))`
	var cff struct {
		Version string `json:"cff-version"`
		Type    string
		Date    string `json:"date-released"`
		Title   string
		Authors []struct{ Name string }
	}
	if err := json.Unmarshal(engines.Python(t, nil, "-c", script, filepath.Join(dir, "CITATION.cff")), &cff); err != nil {
		t.Fatal(err)
	}
	if cff.Version != "1.2.0" || cff.Type != "dataset" || cff.Date != "2003-11-10" || !strings.Contains(cff.Title, "octobre 2003") ||
		len(cff.Authors) != 1 || !strings.Contains(cff.Authors[0].Name, `France: "la" \ (FR)`) {
		t.Errorf("the citation is %+v", cff)
	}
	if line := string(content(t, dir, "citation.txt")); !strings.Contains(line, "Simulation") || strings.Count(line, "\n") != 1 {
		t.Errorf("citation.txt is %q", line)
	}
}

// TestSidecar: the sidecar names the CSV's own columns in their order.
func TestSidecar(t *testing.T) {
	dir := unzipped(t, aMonth(t, French))
	var s struct {
		URL         string
		Dialect     struct{ Delimiter string }
		TableSchema struct {
			Columns []struct {
				Name, Titles string
				Separator    string
				Datatype     any
			}
		}
	}
	if err := json.Unmarshal(content(t, dir, "ranking.csv.json"), &s); err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(string(content(t, dir, "ranking.csv")), "\r\n")
	var names []string
	kinds := map[string]string{}
	for _, c := range s.TableSchema.Columns {
		names = append(names, c.Titles)
		kinds[c.Name] = fmt.Sprint(c.Datatype) + c.Separator
	}
	if s.URL != "ranking.csv" || strings.Join(names, s.Dialect.Delimiter) != header {
		t.Errorf("%s has %q, the file %q", s.URL, names, header)
	}
	for name, want := range map[string]string{"version": "integer", "simulated": "boolean", "service": "string", "tied_with": "string ",
		"reach": "map[base:double format:map[decimalChar:,]]", "reach_n": "integer", "reach_status": "string"} {
		if kinds[name] != want {
			t.Errorf("%s is %q, want %q", name, kinds[name], want)
		}
	}
}
