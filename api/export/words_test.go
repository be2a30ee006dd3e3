package export

import (
	"os"
	"reflect"
	"regexp"
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

// TestFrenchNotes: a report's note is in French with its own numbers; one that is
// not known stays.
func TestFrenchNotes(t *testing.T) {
	for note, want := range map[string]string{
		"Weighting efficiency is 75 %: warn.":                         "L’efficacité du redressement est de 75 % : moyenne.",
		"Weights are trimmed; standard errors take no account of it.": "Les poids sont écrêtés ; les erreurs types n’en tiennent pas compte.",
		"Reason of version 3: late files.":                            "Reason of version 3: late files.",
		"The period touches 2 months: figures are of the panelists in tab in all of them, weighted anew to the last month's universe; 12.5 % of its sample is lost.": "La période touche 2 mois : les chiffres sont ceux des panélistes présents dans tous, redressés à nouveau sur l’univers du dernier mois ; 12,5 % de son échantillon est perdu.",
	} {
		if got := frenchWords().note(note); got != want {
			t.Errorf("%q is %q, want %q", note, got, want)
		}
		if got := englishWords().note(note); got != note {
			t.Errorf("%q is %q in English", note, got)
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
