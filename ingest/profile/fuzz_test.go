package profile

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/schemas"
)

// FuzzParse: no text is a profile that panics, or that is read and breaks a row.
func FuzzParse(f *testing.F) {
	for _, name := range slices.Concat(Names(OfTables), Names(OfLog)) {
		text, err := schemas.Sources.ReadFile("sources/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, bad := range []string{
		"", "tables: []", "format: [csv]\ntables: [{name: x, account: a, events: [{kind: k, time: t}]}]",
		"format: [csv]\ntables: [{name: x, account: {expression: '1..9999999999'}, events: [{kind: {constant: use}, time: {field: t, unit: ms}}]}]",
		"format: [csv]\nnothing: 1", "a: &a [*a]",
	} {
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		readText(t, p, "a,b,t,k\n1,2,1790812800000,use\n")
	})
}

// readText reads a text by a profile; no fault of it is more than an error.
func readText(t *testing.T, p *Profile, text string) {
	t.Helper()
	r, err := p.NewReader(context.Background(), Options{Market: "FR", Location: rollcall.Elsewhere, Calendar: utc(t)})
	if err != nil {
		return
	}
	n := 0
	r.yield = func(s Seen) error {
		if s.Line == 0 || s.Time.IsZero() || s.Until.Sub(s.Time) > rollcall.MaxEvent {
			t.Fatalf("%v", s)
		}
		n++
		return nil
	}
	look := func(row *row) error { return r.look(row, true) }
	for _, row := range []func(*row) error{look, r.row} {
		from := r.source()
		from.lines = &lines{r: bufio.NewReader(strings.NewReader(text))}
		if err := from.read(context.Background(), row); err != nil {
			return // such as another format's text
		}
	}
	if err := r.letGo(); err != nil || n != r.counts.Sightings {
		t.Fatalf("%v: %d sightings, %s", err, n, r.counts)
	}
}

// fuzzRows reads any text by a built-in profile.
func fuzzRows(f *testing.F, name string, seeds ...string) {
	p, err := Builtin(name, OfTables)
	if err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob("testdata/" + name + "/*.[cj]s*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text[:min(len(text), 4<<10)]))
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { readText(t, p, text) })
}

func FuzzCSV(f *testing.F) {
	fuzzRows(f, "tchap", visits+"a,b,\"1", "user_id,visit_ts,instance\n\"a\"\"\n\",\"\n")
}
func FuzzCopy(f *testing.F) { fuzzRows(f, "synapse", dump, "a\tb\t1790812800000\t\\x4\\") }
func FuzzJSON(f *testing.F) {
	fuzzRows(f, "rocketchat", `[{"type":"session"},{`, `{"type":"user_daily","devices":[1]}`)
}

// FuzzMattermost is for members of objects within a table.
func FuzzMattermost(f *testing.F) {
	fuzzRows(f, "mattermost", "createat,lastactivityat,userid,props\n1,2,u,\"{\"\"a\"\":[]}\"\n")
}

// FuzzPattern is for lines by a regular expression.
func FuzzPattern(f *testing.F) {
	const own = `
format: [regexp]
tables:
  - name: signed on
    pattern: '^(?P<at>\S+) (?P<who>\S*) (?P<n>\d+)'
    account: who
    events: [{kind: {constant: use}, time: at, duration: n}]
`
	f.Add("2026-10-05T06:00:00 ann 90000\n2026 ben 1")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(strings.NewReader(own))
		if err != nil {
			t.Fatal(err)
		}
		readText(t, p, text)
	})
}
