package export

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rollcall"
)

// TestFrenchColumns: every column that is documented has a French label and
// definition.
func TestFrenchColumns(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats/report.md")
	if err != nil {
		t.Fatal(err)
	}
	columns := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (dimension|measure) \\|").FindAllSubmatch(text, -1)
	if len(columns) < 40 {
		t.Fatalf("the document names %d columns", len(columns))
	}
	french := frenchColumns()
	for _, c := range columns {
		if own := french[string(c[1])]; own[0] == "" || own[1] == "" {
			t.Errorf("column %s has no French label or definition", c[1])
		}
	}
}

// TestBothLanguagesSayAll: what one language has a word for, the other has, but
// for what the reports say themselves in English.
func TestBothLanguagesSayAll(t *testing.T) {
	english, french := reflect.ValueOf(*englishWords()), reflect.ValueOf(*frenchWords())
	for i := range english.NumField() {
		name := english.Type().Field(i).Name
		if name == "columns" || name == "notes" {
			continue
		}
		e, f := english.Field(i), french.Field(i)
		switch e.Kind() {
		case reflect.Map:
			if e.Len() == 0 || e.Len() != f.Len() {
				t.Errorf("%s: %d words in English, %d in French", name, e.Len(), f.Len())
			}
			for _, key := range e.MapKeys() {
				if !f.MapIndex(key).IsValid() {
					t.Errorf("%s: French has none for %v", name, key)
				}
			}
		case reflect.String:
			if e.String() == "" || f.String() == "" {
				t.Errorf("%s: %q in English, %q in French", name, e, f)
			}
		}
	}
}

// TestFrenchNotes: a report's note is in French with its own numbers and texts,
// reasons in French too; one that is not known stays.
func TestFrenchNotes(t *testing.T) {
	for note, want := range map[string]string{
		"Weighting efficiency is 75 %: warn.":                         "L’efficacité du redressement est de 75\u202f%\u00a0: moyenne.",
		"Weighting efficiency of 2002-09 is 69 %: review.":            "L’efficacité du redressement de 2002-09 est de 69\u202f%\u00a0: faible, à revoir.",
		"Weights are trimmed; standard errors take no account of it.": "Les poids sont écrêtés\u202f; les erreurs types n’en tiennent pas compte.",
		"Reason of version 3: late files.":                            "Raison de la version 3\u00a0: late files.",
		"A note of tomorrow.":                                         "A note of tomorrow.",
		"The period touches 2 months: figures are of the panelists in tab in all of them, weighted anew to the last month's universe; 12.5 % of its sample is lost.":                                                                                                                                                                                              "La période touche 2 mois\u00a0: les chiffres sont ceux des panélistes présents dans tous, redressés à nouveau sur l’univers du dernier mois\u202f; 12,5\u202f% de son échantillon est perdu.",
		"2002-09 can't be compared: target category \"age=35+\": is not known; the nearest are a #1, b*. Figures that need it are undefined.":                                                                                                                                                                                                                     "2002-09 ne peut être comparé\u00a0: la modalité de cible \"age=35+\" n’est pas connue\u202f; les plus proches sont a #1, b*. Les chiffres qui en ont besoin ne sont pas définis.",
		"simulated by Rollcall (seed 7); calibrated to the figures that Nielsen//NetRatings published for France, home and work: October 2002, MSN Messenger 1,585,000, before AIM, Yahoo! and ICQ; October 2003, MSN 3,494,000, Yahoo! 459,000, AIM 452,000, ICQ 215,000, some 16.8 million persons active; all else is invented":                                "simulé par Rollcall (graine 7)\u202f; calé sur les chiffres que Nielsen//NetRatings a publiés pour la France, domicile et travail\u00a0: octobre 2002, MSN Messenger 1\u202f585\u202f000, devant AIM, Yahoo! et ICQ\u202f; octobre 2003, MSN 3\u202f494\u202f000, Yahoo! 459\u202f000, AIM 452\u202f000, ICQ 215\u202f000, quelque 16,8 millions de personnes actives\u202f; tout le reste est inventé",
		"Calibrated to msn: 30679 accounts of its own census in 2003-06 (home+work, standard error 248) by 0.0125 accounts a person (standard error 0.0005; simulated survey of its users; the census has one account in a hundred, 2003-03-31) are 2454307 users, standard error 100164; the panel alone has 2640000, standard error 92177: 0.93 times as many.": "Calé sur msn\u00a0: les 30679 comptes de son propre recensement en 2003-06 (home+work, erreur type 248), à 0,0125 comptes par personne (erreur type 0,0005\u202f; enquête simulée auprès de ses utilisateurs\u202f; le recensement a un compte sur cent, 2003-03-31), font 2454307 utilisateurs, erreur type 100164\u202f; le panel seul en a 2640000, erreur type 92177\u00a0: 0,93 fois autant.",
		"Reason of version 2: calibrated to MSN's own census, simulated.": "Raison de la version 2\u00a0: calé sur le recensement de MSN, simulé.",
		"Version 1 (final) against version 2 (restated).":                 "La version 1 (définitive) face à la version 2 (révisée).",
	} {
		if got := frenchWords().note(note); got != want {
			t.Errorf("%q is %q, want %q", note, got, want)
		}
		if got := englishWords().note(note); got != note {
			t.Errorf("%q is %q in English", note, got)
		}
	}
}

// TestEveryNoteIsFrench: every sentence that the reports' sources hold is known in
// French. (Definitions of columns are TestFrenchColumns'.)
func TestEveryNoteIsFrench(t *testing.T) {
	notes := sentences(t, "../../aggregate/report", "../../aggregate/markets", "../../aggregate/calibrate", "../../aggregate/census", "../../internal/server/catalogue.go", "../../table.go")
	if len(notes) < 30 {
		t.Fatalf("%d sentences found: %q", len(notes), notes)
	}
	for _, note := range notes {
		if frenchWords().note(note) == note {
			t.Errorf("French has none for %q", note)
		}
	}
	known := 0
	for _, n := range frenchNotes() {
		if strings.Count(n[0], "#") != strings.Count(n[1], "#") || strings.Count(n[0], "*") != strings.Count(n[1], "*") {
			t.Errorf("%q has other parts than %q", n[1], n[0])
		}
		if slices.ContainsFunc(notes, func(note string) bool { return fill(n[0], note) != nil }) {
			known++
		}
	}
	if known < len(notes)-1 {
		t.Errorf("%d of the French notes are of the %d sentences", known, len(notes))
	}
}

// sentences gives the sentences among a folder's or a file's string constants,
// with numbers and texts for what a format leaves open.
func sentences(t *testing.T, paths ...string) (out []string) {
	t.Helper()
	sentence := regexp.MustCompile(`^[A-Z%].* .*\.$`)
	open := strings.NewReplacer("%%", "%", "%d", "12", "%.0f", "75", "%.1f", "12.5", "%.2f", "1.25", "%g", "1.25", "%s", "xyz")
	for _, path := range paths {
		files, err := filepath.Glob(filepath.Join(path, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, ".go") {
			files = []string{path}
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "columns.go" {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
					if text, err := strconv.Unquote(l.Value); err == nil && sentence.MatchString(text) {
						out = append(out, open.Replace(text))
					}
				}
				return true
			})
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestFrenchFilesSpeakFrench: labels, definitions and notes in the metadata of
// every form are in the language asked for.
func TestFrenchFilesSpeakFrench(t *testing.T) {
	table := &rollcall.Table{
		Meta: rollcall.Meta{Report: "ranking", Market: "FR", Panel: "nn", Month: "2002-10", Notes: []string{
			"What is withheld here may be enough for the mean of several months: ask for it with pool, 2 to 12 months."}},
		Columns: []rollcall.Column{{Name: "service", Role: "dimension", Label: "Service", Definition: "The service."},
			{Name: "reach", Role: "measure", Unit: "percent", Label: "Active reach", Definition: "100 x unique audience / active universe of the location."}},
		Rows: []rollcall.Row{{"jabber", rollcall.Measure{Status: rollcall.Below}}},
	}
	const note, definition = "moyenne de plusieurs mois\u00a0: la demander par pool, de 2 à 12 mois.", "100 x audience unique / univers actif du lieu."
	forms := map[string]func(w *bytes.Buffer) error{
		"sidecar": func(w *bytes.Buffer) error { return WriteSidecar(w, table, "r.csv", Options{Locale: French}) },
		"arrow":   func(w *bytes.Buffer) error { return Write(w, table, Arrow, Options{Locale: French}) },
		"parquet": func(w *bytes.Buffer) error { return Write(w, table, Parquet, Options{Locale: French}) },
	}
	for name, write := range forms {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), note) || name != "parquet" && !strings.Contains(out.String(), definition) { // which keeps definitions in base 64
			t.Errorf("%s lacks %q or %q", name, note, definition)
		}
		for _, english := range []string{"withheld here", "Active reach", "active universe", "formula"} {
			if strings.Contains(out.String(), english) {
				t.Errorf("%s has %q", name, english)
			}
		}
	}
}

// TestFileName: a file's name tells what is in it and is plain.
func TestFileName(t *testing.T) {
	for _, tt := range []struct {
		meta rollcall.Meta
		want string
	}{
		{rollcall.Meta{Report: "ranking", Market: "FR", Panel: "nn", Month: "2002-10", Location: "home+work", Credit: "presence", Version: 2},
			"rollcall_FR_nn_2002-10_v2_ranking.csv"},
		{rollcall.Meta{Report: "ranking", Market: "FR", Panel: "nn", Month: "2002-10", Location: "home", Credit: "use", Target: "age=15-24|sex=F", Pool: 3, Status: "provisional"},
			"rollcall_FR_nn_2002-10_provisional_ranking_home_use_pool3_age-15-24-sex-F.csv"},
		{rollcall.Meta{Report: "census", Market: "../é\"\n", From: "2002-10-01", To: "2002-10-07", Location: "any", Credit: "presence"},
			"rollcall_..----_2002-10-01-2002-10-07_census_any.csv"},
	} {
		if got := FileName(&tt.meta, "csv"); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for want, got := range map[string]string{
		"1,585,000":             English.Number(1_585_000, 0),
		"-1,234.6":              English.Number(-1234.56, 1),
		"999":                   English.Number(999, 0),
		"0.0":                   English.Number(-0.01, 1),
		"1\u202f234\u202f567,9": French.Number(1234567.89, 1),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestFrenchSetsOffSigns: a sign that French sets off stands behind a space that a
// line doesn't break at.
func TestFrenchSetsOffSigns(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "french.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	breakable, set := regexp.MustCompile(`[^#] ([:;?!»]|%(%|[ .]|$))|« `), 0
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		if breakable.MatchString(text) {
			t.Errorf("%q breaks before a sign", text)
		}
		set += strings.Count(text, "\u00a0:")
		return true
	})
	if set < 30 {
		t.Errorf("%d colons found", set)
	}
}

// TestFrenchReason: what the demonstration says of a version is in French where
// that is asked for; what an operator says stays, a word that a note has too.
func TestFrenchReason(t *testing.T) {
	of := func(reason, source string) *rollcall.Table {
		return &rollcall.Table{Meta: rollcall.Meta{Reason: reason, Calibrated: []rollcall.Calibrated{{Source: source}}}}
	}
	demonstration := of("calibrated to MSN's own census, simulated", "simulated survey of its users; the census has one account in a hundred")
	m := French.Spoken(demonstration).Meta
	if m.Reason != "calé sur le recensement de MSN, simulé" || m.Calibrated[0].Source != "enquête simulée auprès de ses utilisateurs\u202f; le recensement a un compte sur cent" {
		t.Errorf("%q, %q", m.Reason, m.Calibrated[0].Source)
	}
	if French.Reason(&demonstration.Meta) != m.Reason || English.Reason(&demonstration.Meta) != demonstration.Meta.Reason {
		t.Errorf("%q, %q", French.Reason(&demonstration.Meta), English.Reason(&demonstration.Meta))
	}
	if got := demonstration.Meta.Calibrated[0].Source; got != "simulated survey of its users; the census has one account in a hundred" {
		t.Errorf("the table itself has %q", got)
	}
	if m := French.Spoken(of("review", "final")).Meta; m.Reason != "review" || m.Calibrated[0].Source != "final" {
		t.Errorf("%q, %q", m.Reason, m.Calibrated[0].Source)
	}
}

// TestTitleOfOneDay: a title says one day once, and a month or several as they are
// said.
func TestTitleOfOneDay(t *testing.T) {
	for _, c := range []struct{ from, to, english, french string }{
		{"2003-10-01", "2003-10-01", "Census of accounts: FR, 2003-10-01, any place", "Recensement des comptes\u00a0: FR, 2003-10-01, tous lieux"},
		{"2003-10-01", "2003-10-02", "Census of accounts: FR, 2003-10-01 – 2003-10-02, any place", "Recensement des comptes\u00a0: FR, 2003-10-01 – 2003-10-02, tous lieux"},
		{"2003-10-01", "2003-10-31", "Census of accounts: FR, October 2003, any place", "Recensement des comptes\u00a0: FR, octobre 2003, tous lieux"},
	} {
		m := rollcall.Meta{Report: "census", Market: "FR", From: c.from, To: c.to, Location: "any"}
		if got := englishWords().title(&m); got != c.english {
			t.Errorf("%s to %s: %q, not %q", c.from, c.to, got, c.english)
		}
		if got := frenchWords().title(&m); got != c.french {
			t.Errorf("%s to %s: %q, not %q", c.from, c.to, got, c.french)
		}
	}
}
