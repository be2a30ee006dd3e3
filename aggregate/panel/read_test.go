package panel_test

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"rollcall"
	"rollcall/aggregate/panel"
)

func TestReadRoster(t *testing.T) {
	text := "\ufeffpanelist,home,work,base_weight,sex,age\r\nP1,1,0,1.5,F,15-24\r\n\r\n P2 ,1,1,2e0,M,\"25, or more\"\r\n"
	r, err := panel.ReadRoster(strings.NewReader(text), "panelists.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Columns, []string{"sex", "age"}) || len(r.People) != 2 {
		t.Fatalf("columns %q, %d people", r.Columns, len(r.People))
	}
	p := r.People[1]
	if p.Name != "P2" || p.Line != 4 || p.Metered != rollcall.Home|rollcall.Work || p.BaseWeight != 2 || p.Categories[1] != "25, or more" {
		t.Errorf("second panelist is %+v", p)
	}
	roster, err := r.Roster(func(name string) rollcall.Visitor { return rollcall.Visitor(name[1]) })
	if err != nil {
		t.Fatal(err)
	}
	if roster.Panelists[0].ID != '1' || roster.Panelists[0].BaseWeight != 1.5 {
		t.Errorf("roster is %+v", roster)
	}
	_, err = r.Roster(func(string) rollcall.Visitor { return 7 })
	says(t, err, `panelists.csv line 4, column panelist "P2": has the pseudonym of line 2`)
}

func TestReadRosterWithoutBaseWeight(t *testing.T) {
	r, err := panel.ReadRoster(strings.NewReader("home,sex,panelist,work\n0,F,P1,1\n"), "p.csv")
	if err != nil {
		t.Fatal(err)
	}
	if p := r.People[0]; p.BaseWeight != 1 || p.Metered != rollcall.Work || p.Categories[0] != "F" {
		t.Errorf("panelist is %+v", p)
	}
}

// says fails unless the error is ErrInvalid and its text is exactly the lines.
func says(t *testing.T, err error, lines ...string) {
	t.Helper()
	if !errors.Is(err, rollcall.ErrInvalid) {
		t.Fatalf("error %v is not ErrInvalid", err)
	}
	if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, lines) {
		t.Errorf("error is\n%s\nwant\n%s", err, strings.Join(lines, "\n"))
	}
}

// malformedRosters seeds the fuzz test too.
var malformedRosters = map[string][]string{
	"":                                     {"p.csv: has no header line"},
	"\xff\xfep\x00a\x00\n\x00":             {"p.csv: is UTF-16, which spreadsheets call Unicode text: save it as CSV UTF-8"},
	"\xfe\xff\x00p\x00a\x00\n":             {"p.csv: is UTF-16, which spreadsheets call Unicode text: save it as CSV UTF-8"},
	"PK\x03\x04sheet\n":                    {"p.csv: is a workbook or another zip: save its sheet as CSV UTF-8"},
	"panelist,home,work,base_weight,sex\n": {"p.csv: has no panelist"},
	"panelist,home,work,sex\nP\x1b1,1,0,\"F\nG\"\n": {`p.csv line 2 "P\x1b1": has a control character`, `p.csv line 2 "F\nG": has a control character`},
	"panelist;home;work\nP1;1;0\n": {
		"p.csv line 1, column panelist: is missing in the header; fields are separated by commas",
		"p.csv line 1, column home: is missing in the header; fields are separated by commas",
		"p.csv line 1, column work: is missing in the header; fields are separated by commas"},
	"panelist,home,sex\nP1,1,F\n":             {"p.csv line 1, column work: is missing in the header"},
	"panelist,home,work,sex,sex\nP,1,0,F,F\n": {`p.csv line 1 "sex": is twice in the header`},
	"panelist,home,work,,\nP,1,0,F,F\n": {
		"p.csv line 1: column 4 has no name in the header", "p.csv line 1: column 5 has no name in the header"},
	"panelist,home,work,sex*age\nP,1,0,F\n": {`p.csv line 1 "sex*age": is a column name with '*', '=' or ','`},
	"panelist,home,work,base_weight\nP1,1,0,0\nP2,1,0,-1\nP3,1,0,NaN\nP4,1,0,Inf\nP5,1,0,1e999\nP6,1,0,\nP7,1,0,0x1p3\nP8,1,0,1e308\nP9,1,0,1e-310\n": {
		`p.csv line 2, column base_weight "0": is not a number above 0`,
		`p.csv line 3, column base_weight "-1": is not a number above 0`,
		`p.csv line 4, column base_weight "NaN": is not a number above 0`,
		`p.csv line 5, column base_weight "Inf": is not a number above 0`,
		`p.csv line 6, column base_weight "1e999": is not a number above 0`,
		`p.csv line 7, column base_weight: is not a number above 0`,
		`p.csv line 8, column base_weight "0x1p3": is not a number above 0`,
		`p.csv line 9, column base_weight "1e308": is not between 1e-9 and 1e9`,
		`p.csv line 10, column base_weight "1e-310": is not between 1e-9 and 1e9`},
	"panelist,home,work\nP1,yes,2\nP1,1,0\n,0,1\n": {
		`p.csv line 2, column home "yes": is not 0 or 1`, `p.csv line 2, column work "2": is not 0 or 1`,
		`p.csv line 3, column panelist "P1": repeats that of line 2`, `p.csv line 4, column panelist: is empty`},
	"panelist,home,work\nP1,1\nP2,1,0,3\n": {
		"p.csv line 2: has 2 fields where the header has 3", "p.csv line 3: has 4 fields where the header has 3"},
	"panelist,home,work,sex\nP1,1,0,F*\n":      {`p.csv line 2, column sex "F*": has a '*', which joins the categories of two columns`},
	"panelist,home,work\nP\xff,1,0\n":          {`p.csv line 2 "P\xff": is not UTF-8 text`},
	"panelist,home,work\nP1,1,0\n\"P2,1,0\n":   {"p.csv line 3: has a misplaced quotation mark"},
	"panelist,home,work\nP1,1,0\nP\"2,1,0\n":   {"p.csv line 3: has a misplaced quotation mark"},
	"\"panelist,home,work\nP1,1,0\nP\"2,1,0\n": {"p.csv line 1: has a misplaced quotation mark"},
}

func TestReadRosterRefuses(t *testing.T) {
	for text, want := range malformedRosters {
		_, err := panel.ReadRoster(strings.NewReader(text), "p.csv")
		says(t, err, want...)
	}
}

func TestReadRosterListsTwentyFaults(t *testing.T) {
	_, err := panel.ReadRoster(strings.NewReader("panelist,home,work\n"+strings.Repeat(",1,0\n", 25)), "p.csv")
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 21 || lines[20] != "and 5 more faults" {
		t.Errorf("25 faults give %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestReadersPassOnTheReadersError(t *testing.T) {
	broken := errors.New("disk on fire")
	_, err := panel.ReadRoster(io.MultiReader(strings.NewReader("panelist,home,work\nP1,1,0\n"), iotest.ErrReader(broken)), "p.csv")
	if !errors.Is(err, broken) || errors.Is(err, rollcall.ErrInvalid) {
		t.Errorf("roster error is %v", err)
	}
	_, err = panel.ReadUniverse(iotest.ErrReader(broken), "u.csv")
	if !errors.Is(err, broken) {
		t.Errorf("universe error is %v", err)
	}
}

const universeHeader = "margin,category,population,source,source_date\n"

var malformedUniverses = map[string][]string{
	"":             {"u.csv: has no header line"},
	universeHeader: {"u.csv: has no margin"},
	"margin,category,population,source,date\nsex,F,1,S,2002-01-01\n": {
		`u.csv line 1 "date": is not a column of a universe`, "u.csv line 1, column source_date: is missing in the header"},
	universeHeader + "sex,F,1,S,2002-01-01\nsex,F,2,S,2002-01-01\n": {`u.csv line 3, column category "F": repeats that of line 2`},
	universeHeader + "sex,F,1e308,S,2002-01-01\n":                   {`u.csv line 2, column population "1e308": is above 1e11 persons`},
	universeHeader + "sex,F,many,S,2002-01-01\nsex,M,-1,S,2002-01-01\nsex,X,NaN,S,2002-01-01\n": {
		`u.csv line 2, column population "many": is not a number of persons`,
		`u.csv line 3, column population "-1": is not a number of persons`,
		`u.csv line 4, column population "NaN": is not a number of persons`},
	universeHeader + ",,,,x\n": {
		"u.csv line 2, column margin: is empty", "u.csv line 2, column category: is empty", "u.csv line 2, column source: is empty",
		"u.csv line 2, column population: is empty", `u.csv line 2, column source_date "x": is not a date YYYY-MM-DD`},
	universeHeader + "sex,F,1,S,2002-02-30\n": {`u.csv line 2, column source_date "2002-02-30": is a date that does not exist`},
	universeHeader + "sex,F,1,S\n":            {"u.csv line 2: has 4 fields where the header has 5"},
}

func TestReadUniverseRefuses(t *testing.T) {
	for text, want := range malformedUniverses {
		_, err := panel.ReadUniverse(strings.NewReader(text), "u.csv")
		says(t, err, want...)
	}
}

func FuzzReadRoster(f *testing.F) {
	for text := range malformedRosters {
		f.Add(text)
	}
	f.Add("\ufeffpanelist,home,work,base_weight,sex\r\nP1,1,0,1.5,F\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := panel.ReadRoster(strings.NewReader(text), "p.csv")
		if err != nil {
			if !errors.Is(err, rollcall.ErrInvalid) || strings.Count(err.Error(), "\n") > 20 {
				t.Fatalf("error %v", err)
			}
			return
		}
		names := map[string]bool{}
		for _, p := range r.People {
			if names[p.Name] || !(p.BaseWeight > 0) || math.IsInf(p.BaseWeight, 0) || len(p.Categories) != len(r.Columns) {
				t.Fatalf("accepted %+v", p)
			}
			names[p.Name] = true
		}
	})
}

func FuzzReadUniverse(f *testing.F) {
	for text := range malformedUniverses {
		f.Add(text)
	}
	for text := range malformedFits {
		f.Add(universeHeader + text)
	}
	recruits, err := panel.ReadRoster(strings.NewReader(smallRoster), "p.csv")
	if err != nil {
		f.Fatal(err)
	}
	roster, err := recruits.Roster(func(name string) rollcall.Visitor { return rollcall.Visitor(name[1]) })
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		study, err := panel.ReadUniverse(strings.NewReader(text), "u.csv")
		if err != nil {
			if !errors.Is(err, rollcall.ErrInvalid) {
				t.Fatalf("error %v", err)
			}
			return
		}
		checked := panel.Check(recruits, study)
		w, err := panel.Rake(roster, &study.Population, rollcall.Trim{})
		if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
			t.Fatalf("rake: %v", err)
		}
		if err == nil && (checked != nil || !(w.Universe() > 0)) {
			t.Fatalf("raked to %g what Check refuses: %v", w.Universe(), checked)
		}
	})
}

const smallRoster = `panelist,home,work,base_weight,sex,age
P1,1,0,1,F,young
P2,1,0,1,M,young
P3,1,1,1,F,old
P4,1,1,1,M,old
P5,1,1,2,M,older
`

// malformedFits are universes that read well and don't fit smallRoster.
var malformedFits = map[string][]string{
	line("sex,F,50") + line("sex,M,50") + line("region,N,100"): {
		`u.csv line 4, column margin "region": the roster has no column "region"`},
	line("sex,F,50") + line("sex,M,50") + line("sex*town,F*N,100"): {
		`u.csv line 4, column margin "sex*town": the roster has no column "town"`},
	line("sex,F,50") + line("sex,M,50") + line("sex*sex,F*F,100"): {
		`u.csv line 4, column margin "sex*sex": joins column "sex" to itself`},
	line("sex,F,50") + line("sex,M,40") + line("sex,X,10"): {
		`u.csv line 4, column category "X": has no panelist in margin sex, for a population of 10`},
	line("sex,F,50") + line("sex,M,50") + line("age,young,60") + line("age,old,40"): {
		`p.csv line 6, column age "older": is a category that margin age of the universe does not have (panelists: 1)`},
	line("sex,F,50") + line("sex,M,50") + line("age,young,60") + line("age,old,39") + line("age,oldest,2"): {
		`u.csv line 4, column population "101": is the total of margin age, more than 0.01 % from the 100 of margin sex`,
		`p.csv line 6, column age "older": is a category that margin age of the universe does not have (panelists: 1)`,
		`u.csv line 6, column category "oldest": has no panelist in margin age, for a population of 2`},
	line("sex*age,F,50") + line("sex*age,M*old*old,50"): {
		`u.csv line 2, column category "F": is not 2 categories joined by '*', as margin sex*age needs`,
		`u.csv line 3, column category "M*old*old": is not 2 categories joined by '*', as margin sex*age needs`},
	line("sex,F,0") + line("sex,M,0"): {
		`u.csv line 2, column population "0": is the total of margin sex: nobody can be counted`},
	line("sex,F,100") + line("sex,M,0"): {
		`u.csv line 3, column category "M": has 3 panelists in margin sex, for a population of 0`},
	line("work,1,50"): {`u.csv, column margin: has no margin that covers the whole population`},
	line("sex,F,50") + line("sex,M,50") + line("work,0,50"): {
		`u.csv line 4, column category "0": stands alone in margin work, which needs category 1`},
	line("sex,F,50") + line("sex,M,50") + line("work,yes,50"): {
		`u.csv line 4, column category "yes": is not 0 or 1 for home or work`},
	line("sex,F,50") + line("sex,M,50") + line("work,1,150"): {
		`u.csv line 4, column population "150": is more than the universe of 100`},
	line("sex,F,50") + line("sex,M,50") + line("home,1,60"): {
		`u.csv line 4, column category "0": has no panelist in margin home, for a population of 40`},
}

func line(s string) string { return s + ",Study,2002-09-01\n" }

func TestCheckRefuses(t *testing.T) {
	r, err := panel.ReadRoster(strings.NewReader(smallRoster), "p.csv")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range malformedFits {
		s, err := panel.ReadUniverse(strings.NewReader(universeHeader+text), "u.csv")
		if err != nil {
			t.Fatal(err)
		}
		says(t, panel.Check(r, s), want...)
	}
	s, err := panel.ReadUniverse(strings.NewReader(universeHeader+line("sex,F,50")+line("sex,M,50")+line("work,1,60")), "u.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := panel.Check(r, s); err != nil {
		t.Errorf("a sound universe is refused: %v", err)
	}
}
