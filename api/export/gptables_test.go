package export

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/test/engines"
)

// TestLikeGptables compares the month's workbook, sheet by sheet, with what the
// UK government's own library makes of the same tables: the same cells under
// the same headings, and the same manner (title in the first cell, one named
// table a sheet, nothing merged).
func TestLikeGptables(t *testing.T) {
	engines.Require(t, engines.Readers)
	m := aMonth(t, English)
	m.Tables = slices.Delete(m.Tables, 1, 2) // the sample: gptables refuses cells without a letter or digit of ASCII
	dir := unzipped(t, m)
	theirs := filepath.Join(t.TempDir(), "gptables.xlsx")
	ours := readAll(t, []job{{How: "openpyxl", File: filepath.Join(dir, "workbook.xlsx")}})[0]
	makeGptables(t, m, ours, theirs)
	other := readAll(t, []job{{How: "openpyxl", File: theirs}})[0]
	cells := 0
	for _, s := range other.Sheets[2:] { // after its cover and contents
		own := sheetOf(t, ours.Sheets, s.Name)
		from := headingRow(s, s.Headings)
		if len(s.Tables) != 1 || s.Merged != 0 || from < 0 || len(own.Tables) != 1 || own.Merged != 0 {
			t.Fatalf("%s: gptables has %d tables, %d merged cells, its heading in row %d", s.Name, len(s.Tables), s.Merged, from+1)
		}
		if s.Rows[0][0] != own.Rows[0][0] {
			t.Errorf("%s: the title is %q, gptables has %q", s.Name, own.Rows[0][0], s.Rows[0][0])
		}
		below, mine := s.Rows[from+1:], own.Rows[headRow:]
		if len(below) != len(mine) {
			t.Errorf("%s: %d rows, gptables has %d", s.Name, len(mine), len(below))
			continue
		}
		for r, row := range below {
			for c, cell := range row {
				cells++
				if !sameAsTheirs(mine[r][c], cell) {
					t.Errorf("%s: row %d, %s: is %#v, gptables has %#v", s.Name, r+1, own.Headings[c], mine[r][c], cell)
				}
			}
		}
	}
	t.Logf("%d cells of %d sheets", cells, len(other.Sheets)-2)
	if len(other.Sheets)-2 != len(m.Tables) || cells < 1500 {
		t.Errorf("only %d cells of %d sheets were compared", cells, len(other.Sheets)-2)
	}
}

// makeGptables writes the tables from their JSON, under our headings.
func makeGptables(t *testing.T, m *Month, ours read, file string) {
	t.Helper()
	type table struct {
		Name     string   `json:"name"`
		Title    string   `json:"title"`
		Headings []string `json:"headings"`
		Rows     [][]any  `json:"rows"`
	}
	in := struct {
		File   string  `json:"file"`
		Tables []table `json:"tables"`
	}{File: file}
	for _, one := range m.Tables {
		own := sheetOf(t, ours.Sheets, tableName(&one.Meta))
		title, _ := own.Rows[0][0].(string)
		in.Tables = append(in.Tables, table{tableName(&one.Meta), title, own.Headings, marked(asJSON(t, one))})
	}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	engines.Python(t, text, "testdata/good_practice.py")
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
}

// marked is a table's own part with marks for what it lacks.
func marked(j *jsonTable) [][]any {
	from := 0
	for j.kinds[from] == "citation" {
		from++
	}
	var rows [][]any
	for _, row := range j.rows {
		var out []any
		for c := from; c < len(row); c++ {
			status := ""
			if !strings.HasPrefix(j.kinds[c], "dimension") {
				status = statusAt(j, row, c)
			}
			cell := row[c]
			switch v := cell.(type) {
			case nil:
				cell = map[string]string{"below": "[x]", "below_detection": "[low]"}[status]
				if cell == "" {
					cell = "[z]"
				}
			case []any:
				cell = orMark(joinedAs(v, " "))
			case string:
				cell = orMark(v)
			}
			out = append(out, cell)
		}
		rows = append(rows, out)
	}
	return rows
}

// headingRow finds the row that has the table's headings.
func headingRow(s readSheet, headings []string) int {
	for r, row := range s.Rows {
		if len(headings) > 0 && row[0] == headings[0] && len(row) >= len(headings) {
			return r
		}
	}
	return -1
}

// sameAsTheirs: gptables writes numbers with 16 digits, and texts as they are.
func sameAsTheirs(ours, theirs any) bool {
	x, ok := ours.(float64)
	y, number := theirs.(float64)
	if ok && number {
		return near(x, y)
	}
	return ours == theirs
}
