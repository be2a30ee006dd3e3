package terminal

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/api/export"
)

var update = flag.Bool("update", false, "write the texts of testdata anew")

// TestGolden: what each report of the demonstration looks like, wide in English
// and narrow in French.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	for _, file := range append(files, "../export/testdata/trend.json", "../export/testdata/profile.json", "../export/testdata/combinations.json", "../export/testdata/markets.json") {
		table := readTable(t, file)
		for _, o := range []Options{{Locale: export.English, Width: Widest}, {Locale: export.French, Width: 80}} {
			o.Services = services()
			text := written(t, table, o)
			if wide := widest(text); wide > o.Width {
				t.Errorf("%s %s: a line of %d columns", file, o.Locale, wide)
			}
			golden := filepath.Join("testdata", strings.TrimSuffix(filepath.Base(file), ".json")+"."+string(o.Locale)+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if text != string(want) {
				t.Errorf("%s is not\n%s\nbut\n%s", golden, want, text)
			}
		}
	}
}

func readTable(t *testing.T, file string) *rollcall.Table {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	table := new(rollcall.Table)
	if err := json.Unmarshal(body, table); err != nil {
		t.Fatal(err)
	}
	return table
}

func written(t interface{ Fatal(...any) }, table *rollcall.Table, o Options) string {
	var out strings.Builder
	if err := Write(&out, table, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func widest(text string) (width int) {
	for line := range strings.SplitSeq(text, "\n") {
		width = max(width, uniseg.StringWidth(line))
	}
	return width
}

func services() []rollcall.Service {
	return []rollcall.Service{
		{ID: "msn", Name: "MSN Messenger"}, {ID: "aim", Name: "AIM"}, {ID: "yahoo", Name: "Yahoo! Messenger"},
		{ID: "icq", Name: "ICQ"}, {ID: "jabber", Name: "Jabber"}, {ID: "voila", Name: "Voila Messager"},
	}
}

// TestWidth: no line is wider than was asked for, whatever the names in a table
// and however many services it has; no name is lost.
func TestWidth(t *testing.T) {
	var tables []*rollcall.Table
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../export/testdata/trend.json", "../export/testdata/profile.json", "../export/testdata/combinations.json", "../export/testdata/markets.json") {
		tables = append(tables, readTable(t, file))
	}
	rapid.Check(t, func(r *rapid.T) {
		from := rapid.SampledFrom(tables).Draw(r, "table")
		o := Options{Width: rapid.IntRange(Narrowest, Widest).Draw(r, "width"), Locale: rapid.SampledFrom([]export.Locale{export.English, export.French}).Draw(r, "locale")}
		text := rapid.OneOf(rapid.StringN(0, 90, -1), rapid.StringMatching(`[\p{Han}\p{Hangul}\x{1F600}-\x{1F640} ]{0,60}`), rapid.StringMatching(`[a-z ]{0,90}`))
		table := crowded(from, text, r)
		for i := range rapid.IntRange(1, 30).Draw(r, "services") {
			o.Services = append(o.Services, rollcall.Service{ID: rollcall.ServiceID(fmt.Sprintf("s%d", i)), Name: text.Draw(r, "name")})
		}
		if out := written(r, table, o); widest(out) > o.Width {
			r.Fatalf("%s: a line of %d columns where %d were asked for:\n%s", table.Meta.Report, widest(out), o.Width, out)
		}
	})
}

// TestWideFiguresOfAMatrix: names give way to figures that are as wide as can be.
func TestWideFiguresOfAMatrix(t *testing.T) {
	table := readTable(t, "testdata/duplication.json")
	for _, row := range table.Rows {
		for i := range row {
			if m, ok := row[i].(rollcall.Measure); ok && m.Status == rollcall.OK {
				m.Value, m.Low, m.High = 1e9, -1e9, 2e9
				row[i] = m
			}
		}
	}
	long := services()
	for i := range long {
		long[i].Name = "Fourteen and so on"
	}
	if out := written(t, table, Options{Width: 60, Locale: export.English, Services: long}); widest(out) > 60 || !strings.Contains(out, "1,000,000,000 [-1,000,000,000, 2,000,000,000]") {
		t.Errorf("%d columns:\n%s", widest(out), out)
	}
}

// crowded gives a table's rows other texts, up to 30 services and figures of any
// size.
func crowded(from *rollcall.Table, text *rapid.Generator[string], r *rapid.T) *rollcall.Table {
	t := &rollcall.Table{Meta: from.Meta, Columns: from.Columns}
	t.Meta.Panel, t.Meta.Reason, t.Meta.Target = rollcall.PanelID(text.Draw(r, "panel")), text.Draw(r, "reason"), text.Draw(r, "target")
	t.Meta.Exclusions, t.Meta.Notes = []string{text.Draw(r, "rule")}, []string{text.Draw(r, "note")}
	big := rapid.Float64Range(1, 1e9).Draw(r, "figure")
	for n := range rapid.IntRange(0, 40).Draw(r, "rows") {
		row := make(rollcall.Row, len(t.Columns))
		for i, c := range t.Columns {
			switch {
			case c.Role == "measure":
				row[i] = rollcall.Measure{Value: big, Low: -big, High: 2 * big, Status: rapid.SampledFrom([]rollcall.Status{rollcall.OK, rollcall.Caution, rollcall.Below, rollcall.Undefined}).Draw(r, "status")}
			case c.Name == "service" || c.Name == "other":
				row[i] = fmt.Sprintf("s%d", rapid.IntRange(0, 29).Draw(r, c.Name))
			case c.Unit == "list":
				row[i] = []string{text.Draw(r, c.Name), fmt.Sprintf("s%d", n)}
			case c.Unit == "integer":
				row[i] = rapid.IntRange(-1000, 1000).Draw(r, c.Name)
			case c.Unit == "boolean" || c.Name == "exact":
				row[i] = n%2 == 0
			case c.Name == "level":
				row[i] = "service"
			default:
				row[i] = text.Draw(r, c.Name)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// TestManyNames: of 30 services with long and wide names none is lost, in a list
// or in a matrix.
func TestManyNames(t *testing.T) {
	var all []rollcall.Service
	ranking := &rollcall.Table{
		Meta:    rollcall.Meta{Report: "ranking", Location: "home"},
		Columns: []rollcall.Column{{Name: "service", Role: "dimension", Label: "Service"}, {Name: "unique_audience", Role: "measure", Unit: "persons", Label: "Unique audience"}},
	}
	matrix := &rollcall.Table{Meta: rollcall.Meta{Report: "duplication"}, Columns: []rollcall.Column{
		{Name: "service", Role: "dimension"}, {Name: "other", Role: "dimension"}, {Name: "share_of_a", Role: "measure", Unit: "percent"},
	}}
	for i := range 30 {
		id := fmt.Sprintf("s%02d", i)
		all = append(all, rollcall.Service{ID: rollcall.ServiceID(id), Name: fmt.Sprintf("微信即时通讯%02d", i) + strings.Repeat("通", i)})
		ranking.Rows = append(ranking.Rows, rollcall.Row{id, rollcall.Measure{Value: 1e6, Low: 9e5, High: 2e6, Status: rollcall.OK}})
		for j := range 30 {
			if i != j {
				matrix.Rows = append(matrix.Rows, rollcall.Row{id, fmt.Sprintf("s%02d", j), rollcall.Measure{Value: 20, Low: 10, High: 30, Status: rollcall.OK}})
			}
		}
	}
	for _, table := range []*rollcall.Table{ranking, matrix} {
		text := written(t, table, Options{Services: all})
		if wide := widest(text); wide > Widest {
			t.Errorf("%s: a line of %d columns", table.Meta.Report, wide)
		}
		for i := range all {
			if !strings.Contains(text, fmt.Sprintf("%02d", i)) {
				t.Errorf("%s: %s is lost:\n%s", table.Meta.Report, all[i].Name, text)
			}
		}
	}
}

// TestMarks: each mark that occurs is explained once, and none that doesn't.
func TestMarks(t *testing.T) {
	legends := map[string]string{
		"* few persons": "*", "<30 withheld: under 30 persons": "<30", "- no such figure": "-", "≈ the change may be chance": "≈", "~0 not told": "~0",
	}
	statuses := []rollcall.Status{rollcall.OK, rollcall.Caution, rollcall.Below, rollcall.Undefined, rollcall.BelowDetection}
	for _, status := range statuses {
		for _, significant := range []bool{true, false} {
			table := &rollcall.Table{
				Meta: rollcall.Meta{Report: "ranking", Thresholds: map[string]int{"low": 30, "caution": 60}},
				Columns: []rollcall.Column{
					{Name: "service", Role: "dimension", Label: "Service"}, {Name: "change", Role: "measure", Unit: "persons", Label: "Change"},
					{Name: "significant", Role: "dimension", Unit: "boolean"},
				},
				Rows: []rollcall.Row{{"msn", rollcall.Measure{Value: 5000, Low: 4000, High: 6000, Status: status}, significant}},
			}
			body, foot, _ := strings.Cut(strings.SplitN(written(t, table, Options{}), "\n\n", 2)[1], "\n\n")
			for legend, mark := range legends {
				if occurs, told := strings.Contains(body, mark), strings.Contains(foot, legend); occurs != told {
					t.Errorf("%s, significant %t: %q occurs %t, is explained %t:\n%s\n\n%s", status, significant, mark, occurs, told, body, foot)
				}
			}
		}
	}
}

// TestMarksOfTwoVersions: in a difference each version's figures are marked with
// the limit that withheld them.
func TestMarksOfTwoVersions(t *testing.T) {
	withheld := rollcall.Measure{Status: rollcall.Below}
	table := &rollcall.Table{
		Meta: rollcall.Meta{Report: "diff of ranking", Thresholds: map[string]int{"low": 10, "caution": 60, "low_before": 30, "caution_before": 60}},
		Columns: []rollcall.Column{
			{Name: "service", Role: "dimension", Label: "Service"}, {Name: "before", Role: "measure", Label: "Before"}, {Name: "after", Role: "measure", Label: "After"},
		},
		Rows: []rollcall.Row{{"msn", withheld, withheld}},
	}
	text := strings.Join(strings.Fields(written(t, table, Options{})), " ")
	for _, want := range []string{"msn <30 <10", "<10 withheld: under 10 persons", "<30 withheld: under 30 persons"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is there %d times:\n%s", want, strings.Count(text, want), text)
		}
	}
}

// TestHyphen: a word that is too wide is broken at its hyphen.
func TestHyphen(t *testing.T) {
	for word, want := range map[string]string{"Account-minutes": "Account-\nminutes", "Accountminutes-x": "Accountminute\ns-x", "-accountminutes": "-accountminut\nes"} {
		if got := Wrap(word, 13); got != want {
			t.Errorf("%q is broken into %q, want %q", word, got, want)
		}
	}
}

// TestRanks: a rank that may be another is shown with the ranks that it may be.
func TestRanks(t *testing.T) {
	const body = `{"meta":{"report":"ranking"},"columns":[{"name":"service","role":"dimension","label":"Service"},{"name":"rank","role":"dimension","unit":"integer","label":"Rank"},
		{"name":"rank_low","role":"dimension","unit":"integer"},{"name":"rank_high","role":"dimension","unit":"integer"}],
		"rows":[{"service":"msn","rank":1,"rank_low":1,"rank_high":1},{"service":"aim","rank":2,"rank_low":2,"rank_high":3},
		{"service":"icq","rank":null,"rank_low":null,"rank_high":null}]}`
	table := new(rollcall.Table)
	if err := json.Unmarshal([]byte(body), table); err != nil {
		t.Fatal(err)
	}
	rows := strings.Join(strings.Fields(strings.Split(written(t, table, Options{}), "\n\n")[1]), " ")
	if want := "Rank Service 1 msn 2-3 aim - icq"; rows != want {
		t.Errorf("the rows are %q, want %q", rows, want)
	}
}

// TestSegmentNames: a segment is called by its name, one of several of a name or
// without one by its id too.
func TestSegmentNames(t *testing.T) {
	dimension := func(name string) rollcall.Column { return rollcall.Column{Name: name, Role: "dimension", Label: name} }
	table := &rollcall.Table{Meta: rollcall.Meta{Report: "census", Market: "FR"}, Columns: []rollcall.Column{dimension("service"), dimension("segment")}}
	for _, id := range []string{"lyon", "paris", "p", "seen", "none", "msn"} {
		table.Rows = append(table.Rows, rollcall.Row{"msn", id})
	}
	text := written(t, table, Options{Services: services(), Segments: []rollcall.Segment{
		{ID: "lyon", Name: "Ville de\u00a0Lyon"}, {ID: "paris", Name: "Paris\x1b[2J"}, {ID: "p", Name: "Paris\x1b[2J"},
	}})
	for _, want := range []string{"Ville de\u00a0Lyon", "Paris\ufffd[2J (paris)", "Paris\ufffd[2J (p)", "seen", "none", "  msn"} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestUndefinedColumn: a change that no row has, as in a panel's first month, makes
// room for a column with figures, and is named among those not shown.
func TestUndefinedColumn(t *testing.T) {
	table := readTable(t, "testdata/ranking.json")
	for _, row := range table.Rows {
		for i, c := range table.Columns {
			if strings.HasPrefix(c.Name, "change") {
				row[i] = rollcall.Measure{Status: rollcall.Undefined}
			}
		}
	}
	text := written(t, table, Options{Locale: export.English, Width: Widest, Services: services()})
	body, foot, _ := strings.Cut(text, "Not shown here:")
	if strings.Contains(body, "Change") || !strings.Contains(body, "Tied with") || !strings.Contains(foot, "Change") {
		t.Errorf("the change has a column:\n%s", text)
	}
}
