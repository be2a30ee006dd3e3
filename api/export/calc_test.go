package export

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/test/engines"
)

// TestCalcReadsEveryCell has LibreOffice Calc open the workbooks and save them
// anew. What it saved is held against the tables' JSON, cell by cell, and the
// whiskers of its charts against the intervals.
func TestCalcReadsEveryCell(t *testing.T) {
	engines.Require(t, engines.Calc)
	engines.Require(t, engines.Readers)
	from, to, tables := t.TempDir(), t.TempDir(), stored(t)
	var files, names []string
	var jobs []job
	for name, table := range tables {
		for _, l := range []Locale{English, French} {
			file := name + " " + string(l) + ".xlsx"
			if err := os.Rename(writeFile(t, table, XLSX, Options{Locale: l}), filepath.Join(from, file)); err != nil {
				t.Fatal(err)
			}
			names, files = append(names, name), append(files, filepath.Join(from, file))
			jobs = append(jobs, job{How: "openpyxl", File: filepath.Join(to, file)})
		}
	}
	engines.Convert(t, "xlsx", to, files...)
	cells, whiskers := 0, 0
	for i, got := range readAll(t, jobs) {
		table := tables[names[i]]
		s := sheetOf(t, got.Sheets, "report_"+table.Meta.Report)
		cells += checkCells(t, names[i], asJSON(t, table), s, nearCell)
		whiskers += checkWhiskers(t, names[i], table, got.Sheets)
	}
	t.Logf("%d cells and %d whiskers of %d workbooks", cells, whiskers, len(files))
	if cells < 2000 || whiskers < 30 {
		t.Errorf("only %d cells and %d whiskers were compared", cells, whiskers)
	}
}

// nearCell is sameCell to the 15 digits that LibreOffice saves. It saves a truth
// as a formula.
func nearCell(report, status string, want, got any) bool {
	if truth, ok := want.(bool); ok {
		return got == map[bool]string{true: "=TRUE()", false: "=FALSE()"}[truth]
	}
	x, ok := want.(float64)
	y, number := got.(float64)
	if ok && number {
		return near(x, y)
	}
	return sameCell(report, status, want, got)
}

func near(x, y float64) bool { return math.Abs(x-y) <= 1e-14*math.Abs(x) }

// checkWhiskers holds the ends of the whiskers that were drawn against the
// intervals of the services with a figure to show, in the table's order of
// services, and gives how many.
func checkWhiskers(t *testing.T, name string, table *rollcall.Table, sheets []readSheet) (n int) {
	t.Helper()
	want := map[string][]rollcall.Measure{} // of each service
	var order []string
	for row := range table.Rows {
		m, ok := table.Cell(row, "unique_audience").(rollcall.Measure)
		service, _ := table.Cell(row, "service").(string)
		level := table.Cell(row, "level")
		if !ok || m.Status.Withheld() || service == "any" || level != nil && level != "service" {
			continue
		}
		if table.Meta.Report == "ranking" {
			service = "all"
		}
		if want[service] == nil {
			order = append(order, service)
		}
		want[service] = append(want[service], m)
	}
	if r := table.Meta.Report; r != "ranking" && r != "trend" {
		return 0
	}
	for _, s := range sheets {
		for table := range s.Tables {
			if !strings.HasSuffix(table, "_chart") {
				continue
			}
			if len(s.Whiskers) != len(order) {
				t.Errorf("%s: %d series with whiskers, want %d", name, len(s.Whiskers), len(order))
				return 0
			}
			for i, sides := range s.Whiskers {
				for j, m := range want[order[i]] {
					n++
					if len(sides[0].Values) <= j || len(sides[1].Values) <= j ||
						!roughly(sides[0].Values[j], m.Value-m.Low) || !roughly(sides[1].Values[j], m.High-m.Value) {
						t.Errorf("%s: %s: whiskers of %v, want those of %v", name, order[i], sides, m)
					}
				}
			}
		}
	}
	return n
}

// roughly allows for what is lost when two numbers of 15 digits are subtracted.
func roughly(x, y float64) bool { return math.Abs(x-y) <= 1e-6*math.Abs(y) }
