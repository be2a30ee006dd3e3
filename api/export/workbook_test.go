package export

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"rollcall"
	"rollcall/internal/test/engines"
)

// readSheet is a worksheet as openpyxl reads it.
type readSheet struct {
	Name     string            `json:"name"`
	Rows     [][]any           `json:"rows"`
	Formats  [][]string        `json:"formats"`
	Tables   map[string]string `json:"tables"`
	Headings []string          `json:"headings"`
	Merged   int               `json:"merged"`
	Freeze   string            `json:"freeze"`
	Titles   string            `json:"titles"`
	Charts   int               `json:"charts"`
	Links    []string          `json:"links"`
	Whiskers [][2]struct {     // of each series of its charts: below and above
		Range  string    `json:"range"`
		Values []float64 `json:"values"`
	} `json:"whiskers"`
}

// TestWorkbookCells holds every cell of the table's sheet, as openpyxl reads it,
// against the table's JSON; withheld ones have the mark of their status.
func TestWorkbookCells(t *testing.T) {
	engines.Require(t, engines.Readers)
	tables := stored(t)
	for seed := range 20 {
		tables[fmt.Sprintf("drawn %d", seed)] = anyTable().Example(seed)
	}
	for _, l := range []Locale{English, French} {
		names, jobs := []string{}, []job{}
		for name, table := range tables {
			names, jobs = append(names, name), append(jobs, job{How: "openpyxl", File: writeFile(t, table, XLSX, Options{Locale: l})})
		}
		cells := 0
		for i, got := range readAll(t, jobs) {
			if got.Lang != string(l) {
				t.Errorf("%s: the language is %q, want %q", names[i], got.Lang, l)
			}
			s := sheetOf(t, got.Sheets, "report_"+tables[names[i]].Meta.Report)
			cells += checkCells(t, names[i], asJSON(t, tables[names[i]]), s, sameCell)
			about := &rollcall.Table{Meta: tables[names[i]].Meta, Rows: []rollcall.Row{{}}}
			if len(about.Meta.Markets) > 0 { // whose rows name what the cover can't
				about = tables[names[i]]
			}
			checkCover(t, names[i], asJSON(t, about), got.Sheets[0])
			for _, s := range got.Sheets {
				checkForm(t, names[i], s)
			}
		}
		t.Logf("%s: %d cells of %d tables", l, cells, len(tables))
		if cells < 2000 {
			t.Errorf("only %d cells were compared", cells)
		}
	}
}

// sheetOf finds the sheet whose table's name begins so.
func sheetOf(t *testing.T, sheets []readSheet, prefix string) readSheet {
	t.Helper()
	for _, s := range sheets {
		for table := range s.Tables {
			if strings.HasPrefix(table, prefix) && !strings.HasSuffix(table, "_chart") {
				return s
			}
		}
	}
	t.Fatalf("no sheet has a table %s...", prefix)
	return readSheet{}
}

// checkCells compares the sheet's table with the JSON and gives how many cells.
func checkCells(t *testing.T, name string, want *jsonTable, s readSheet, same func(report, status string, want, got any) bool) (cells int) {
	t.Helper()
	from := 0
	for want.kinds[from] == "citation" {
		from++
	}
	below := s.Rows[headRow:]
	if len(want.rows) == 0 { // one row of marks
		want.rows = [][]any{make([]any, len(want.columns))}
	}
	if len(below) != len(want.rows) || len(s.Rows[headRow-1]) != len(want.columns)-from {
		t.Errorf("%s: %d rows of %d, want %d of %d", name, len(below), len(s.Rows[headRow-1]), len(want.rows), len(want.columns)-from)
		return 0
	}
	for r, row := range want.rows {
		for c := from; c < len(row); c++ {
			cells++
			status := ""
			if part := want.kinds[c]; !strings.HasPrefix(part, "dimension") {
				status = statusAt(want, row, c)
			}
			got, format := below[r][c-from], s.Formats[headRow+r][c-from]
			if !same(want.report, status, row[c], got) {
				t.Errorf("%s: row %d, %s: is %#v, JSON has %#v (%s)", name, r+1, want.columns[c], got, row[c], status)
			}
			flagged := strings.Contains(format, markCaution)
			if wanted := status == "caution" && want.kinds[c] == "value"; flagged != wanted {
				t.Errorf("%s: row %d, %s: %s in its format %q: %v, want %v", name, r+1, want.columns[c], markCaution, format, flagged, wanted)
			}
		}
	}
	return cells
}

// statusAt is the status of the measure that column c is a part of.
func statusAt(want *jsonTable, row []any, c int) string {
	for ; want.kinds[c] != "status"; c++ {
	}
	status, _ := row[c].(string)
	return status
}

// sameCell: a sheet's cell is what the JSON has, or the mark of what it lacks.
func sameCell(report, status string, want, got any) bool {
	marks := map[string]string{"below": "[x]", "below_detection": "[low]", "undefined": "[z]", "": "[z]", "ok": "[z]", "caution": "[z]"}
	if report == "census" {
		marks["below"] = "[c]"
	}
	switch want := want.(type) {
	case nil:
		return got == marks[status]
	case string:
		return got == orMark(strings.ReplaceAll(strings.ReplaceAll(want, "\r\n", "\n"), "\r", "\n")) || got == orMark(want)
	case []any:
		return got == orMark(joinedAs(want, " ")) || got == orMark(joinedAs(want, "; "))
	}
	return got == want
}

func orMark(s string) string {
	if s == "" {
		return "[z]"
	}
	return s
}

// checkCover finds each of the citation's values on the cover.
func checkCover(t *testing.T, name string, want *jsonTable, cover readSheet) {
	t.Helper()
	for c, value := range want.rows[0] {
		if want.kinds[c] != "citation" {
			break
		}
		if got := cover.Rows[headRow+c][1]; !sameCell("", "", value, got) {
			t.Errorf("%s: the cover has %#v as %s, JSON %#v", name, got, want.columns[c], value)
		}
	}
}

// checkForm: what every sheet has in common.
func checkForm(t *testing.T, name string, s readSheet) {
	t.Helper()
	if len(s.Tables) != 1 || s.Merged != 0 || s.Titles == "" || s.Freeze == "" || len(s.Links) == 0 {
		t.Errorf("%s, %s: %d tables, %d merged cells, repeated rows %q, frozen at %q, links %q", name, s.Name, len(s.Tables), s.Merged, s.Titles, s.Freeze, s.Links)
	}
	for _, place := range s.Tables {
		if first, _, _ := strings.Cut(place, ":"); first != fmt.Sprintf("A%d", headRow) {
			t.Errorf("%s, %s: the table begins at %s", name, s.Name, first)
		}
	}
	isChart := s.Charts > 0
	for r, row := range s.Rows {
		if row[0] == nil {
			t.Errorf("%s, %s: row %d begins empty", name, s.Name, r+1)
		}
		if r < headRow {
			continue
		}
		for c, cell := range row {
			if cell == nil && !isChart {
				t.Errorf("%s, %s: row %d has an empty cell %d", name, s.Name, r+1, c+1)
			}
			if number, ok := cell.(float64); ok && s.Formats[r][c] == "General" {
				t.Errorf("%s, %s: %v in row %d has no format", name, s.Name, number, r+1)
			}
		}
	}
	for i, heading := range s.Headings {
		if got := s.Rows[headRow-1][i]; fmt.Sprint(got) != heading {
			t.Errorf("%s, %s: the table's column %d is called %q, its cell has %q", name, s.Name, i+1, heading, got)
		}
	}
}

// TestSegmentsSheet: a workbook names the segments of its rows, and no other.
func TestSegmentsSheet(t *testing.T) {
	dimension := func(name string) rollcall.Column {
		return rollcall.Column{Name: name, Role: "dimension", Label: name, Definition: name}
	}
	table := &rollcall.Table{
		Meta:    rollcall.Meta{Report: "census", Market: "FR", From: "2002-10-01", To: "2002-10-31", Location: "any", Credit: "presence"},
		Columns: []rollcall.Column{dimension("service"), dimension("segment")},
		Rows:    []rollcall.Row{{"msn", "lyon"}, {"msn", "seen"}, {"msn", "none"}},
	}
	o := Options{Segments: []rollcall.Segment{{ID: "lyon", Name: `=1+"<b>Lyon</b>"`}, {ID: "paris", Name: "Paris"}, {ID: "seen"}}}
	rows := func() (cells []string) {
		t.Helper()
		var b bytes.Buffer
		if err := Write(&b, table, XLSX, o); err != nil {
			t.Fatal(err)
		}
		f, err := excelize.OpenReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		all, err := f.GetRows("Segments")
		for _, row := range all {
			cells = append(cells, strings.Join(row, "|"))
		}
		if missing := new(excelize.ErrSheetNotExist); err != nil && !errors.As(err, missing) {
			t.Fatal(err)
		}
		return cells
	}
	got := rows()
	if text := strings.Join(got, "\n"); !strings.HasSuffix(text, "Segment|Name\nlyon|=1+\"<b>Lyon</b>\"") || strings.Contains(text, "Paris") {
		t.Errorf("the sheet is\n%s", text)
	}
	if table.Rows = table.Rows[1:]; rows() != nil {
		t.Error("a sheet of segments without a name")
	}
}

// TestServicesOfTheReport: the services that a workbook names are those of its
// tables, whatever the catalogue has.
func TestServicesOfTheReport(t *testing.T) {
	var catalogue []rollcall.Service
	for _, id := range []rollcall.ServiceID{"aim", "icq", "line", "msn", "voila"} {
		catalogue = append(catalogue, rollcall.Service{ID: id, Name: "The " + string(id)})
	}
	of := func(cells ...any) *rollcall.Table {
		t := &rollcall.Table{Columns: []rollcall.Column{{Name: "service", Role: "dimension"}, {Name: "other", Role: "dimension"}, {Name: "services", Role: "dimension", Unit: "list"}}}
		t.Rows = append(t.Rows, cells)
		return t
	}
	for want, tables := range map[string][]*rollcall.Table{
		"aim icq msn voila": {of("msn", "aim", nil), of(nil, nil, []string{"voila", "icq"}), of("any", nil, []string{})},
		"msn":               {of("msn", nil, nil)},
		"":                  {of("any", nil, nil)},
	} {
		var out bytes.Buffer
		if err := (&workbook{tables: tables, options: Options{Services: catalogue}}).write(&out); err != nil {
			t.Fatal(err)
		}
		file, err := excelize.OpenReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if i, _ := file.GetSheetIndex("Services"); i >= 0 {
			rows, err := file.GetRows("Services")
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows[headRow:] {
				got = append(got, row[0])
			}
		}
		if strings.Join(got, " ") != want || file.Close() != nil {
			t.Errorf("services %q, want %q", got, want)
		}
	}
}
